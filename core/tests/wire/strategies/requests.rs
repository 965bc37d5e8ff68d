//! Strategies for requests and their headers.

use bytes::Bytes;
use hotrod_core::wire::{
    AuthResponse, Change, CounterConfiguration, CounterKind, Factory, Flags, Intelligence, Interests, Lifetime,
    ListenerOptions, Modification, Operation, Request, RequestHeader, RequestOptions, Seen, Version, Xid,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::values::{
    bytes, expiration, flag_since, int, long, many_bytes, requested_media_type, some_bytes, some_text, text,
};

/// A request of this variant, with a strategy for each field.
macro_rules! of {
    ($variant:ident {}) => { Just(Request::$variant {}).boxed() };
    ($variant:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        ($($strategy,)*).prop_map(|($($field,)*)| Request::$variant { $($field),* }).boxed()
    };
}

/// A request of this operation in this version. Panics for an operation without an arm; the tests of columns generate every one.
#[allow(clippy::too_many_lines)] // one arm per operation
pub fn request(operation: Operation, version: Version) -> BoxedStrategy<Request> {
    let flag_since_40 = || flag_since(Version::V4_0, version);
    match operation {
        Operation::Put => of!(Put { key: bytes(), expiration: expiration(version), value: bytes() }),
        Operation::Get => of!(Get { key: bytes() }),
        Operation::PutIfAbsent => of!(PutIfAbsent { key: bytes(), expiration: expiration(version), value: bytes() }),
        Operation::Replace => of!(Replace { key: bytes(), expiration: expiration(version), value: bytes() }),
        Operation::ReplaceIfUnmodified => of!(ReplaceIfUnmodified {
            key: bytes(),
            expiration: expiration(version),
            entry_version: long(),
            value: bytes(),
        }),
        Operation::Remove => of!(Remove { key: bytes() }),
        Operation::RemoveIfUnmodified => of!(RemoveIfUnmodified { key: bytes(), entry_version: long() }),
        Operation::ContainsKey => of!(ContainsKey { key: bytes() }),
        Operation::GetWithVersion => of!(GetWithVersion { key: bytes() }),
        Operation::Clear => of!(Clear {}),
        Operation::Stats => of!(Stats {}),
        Operation::Ping => of!(Ping {}),
        Operation::BulkGet => of!(BulkGet { count: int() }),
        Operation::GetWithMetadata => of!(GetWithMetadata { key: bytes() }),
        Operation::BulkGetKeys => of!(BulkGetKeys { scope: int() }),
        Operation::Query => of!(Query { query: bytes() }),
        Operation::AuthMechList => of!(AuthMechList {}),
        Operation::Auth => of!(Auth { mechanism: text(), response: bytes().prop_map(AuthResponse) }),
        Operation::AddClientListener => {
            of!(AddClientListener { listener_id: bytes(), options: listener_options(version) })
        }
        Operation::RemoveClientListener => of!(RemoveClientListener { listener_id: bytes() }),
        Operation::Size => of!(Size {}),
        Operation::Exec => of!(Exec { task: text(), parameters: vec((text(), bytes()), 0..4) }),
        Operation::PutAll => of!(PutAll { expiration: expiration(version), entries: entries() }),
        Operation::GetAll => of!(GetAll { keys: many_bytes() }),
        Operation::IterationStart => of!(IterationStart {
            segments: option::of(bytes()),
            filter_converter: option::of(factory(text())),
            batch_size: int(),
            include_metadata: flag_since(Version::V2_4, version),
        }),
        Operation::IterationNext => of!(IterationNext { iteration_id: text() }),
        Operation::IterationEnd => of!(IterationEnd { iteration_id: text() }),
        Operation::GetStream => of!(GetStream { key: bytes(), offset: int() }),
        Operation::PutStream => of!(PutStream {
            key: bytes(),
            expiration: expiration(version),
            entry_version: long(),
            chunks: vec(some_bytes(), 0..4),
        }),
        Operation::PrepareTx => {
            of!(PrepareTx { xid: xid(), one_phase_commit: any::<bool>(), modifications: modifications(version) })
        }
        Operation::CommitTx => of!(CommitTx { xid: xid() }),
        Operation::RollbackTx => of!(RollbackTx { xid: xid() }),
        Operation::AddBloomFilterListener => of!(AddBloomFilterListener { listener_id: bytes(), bloom_bits: int() }),
        Operation::UpdateBloomFilter => of!(UpdateBloomFilter { bloom_filter: bytes() }),
        Operation::CounterCreate => of!(CounterCreate { counter: text(), configuration: counter_configuration() }),
        Operation::CounterGetConfiguration => of!(CounterGetConfiguration { counter: text() }),
        Operation::CounterIsDefined => of!(CounterIsDefined { counter: text() }),
        Operation::CounterAddAndGet => of!(CounterAddAndGet { counter: text(), delta: any::<i64>() }),
        Operation::CounterReset => of!(CounterReset { counter: text() }),
        Operation::CounterGet => of!(CounterGet { counter: text() }),
        Operation::CounterCompareAndSwap => {
            of!(CounterCompareAndSwap { counter: text(), expected: any::<i64>(), update: any::<i64>() })
        }
        Operation::CounterAddListener => of!(CounterAddListener { counter: text(), listener_id: bytes() }),
        Operation::CounterRemoveListener => of!(CounterRemoveListener { counter: text(), listener_id: bytes() }),
        Operation::CounterRemove => of!(CounterRemove { counter: text() }),
        Operation::CounterGetNames => of!(CounterGetNames {}),
        Operation::GetMultimap => of!(GetMultimap { key: bytes(), supports_duplicates: flag_since_40() }),
        Operation::GetMultimapWithMetadata => {
            of!(GetMultimapWithMetadata { key: bytes(), supports_duplicates: flag_since_40() })
        }
        Operation::PutMultimap => of!(PutMultimap {
            key: bytes(),
            expiration: expiration(version),
            value: bytes(),
            supports_duplicates: flag_since_40(),
        }),
        Operation::RemoveKeyMultimap => of!(RemoveKeyMultimap { key: bytes(), supports_duplicates: flag_since_40() }),
        Operation::RemoveEntryMultimap => of!(RemoveEntryMultimap {
            key: bytes(),
            expiration: expiration(version),
            value: bytes(),
            supports_duplicates: flag_since_40(),
        }),
        Operation::SizeMultimap => of!(SizeMultimap { supports_duplicates: flag_since_40() }),
        Operation::ContainsEntryMultimap => of!(ContainsEntryMultimap {
            key: bytes(),
            expiration: expiration(version),
            value: bytes(),
            supports_duplicates: flag_since_40(),
        }),
        Operation::ContainsKeyMultimap => {
            of!(ContainsKeyMultimap { key: bytes(), supports_duplicates: flag_since_40() })
        }
        Operation::ContainsValueMultimap => of!(ContainsValueMultimap {
            expiration: expiration(version),
            value: bytes(),
            supports_duplicates: flag_since_40(),
        }),
        Operation::ForgetTx => of!(ForgetTx { xid: xid() }),
        Operation::FetchTxRecovery => of!(FetchTxRecovery {}),
        Operation::PrepareTx2 => of!(PrepareTx2 {
            xid: xid(),
            one_phase_commit: any::<bool>(),
            recoverable: any::<bool>(),
            timeout: any::<i64>(),
            modifications: modifications(version),
        }),
        Operation::CounterGetAndSet => of!(CounterGetAndSet { counter: text(), value: any::<i64>() }),
        Operation::EndGetStream => of!(EndGetStream { stream_id: any::<i32>() }),
        Operation::NextGetStream => of!(NextGetStream { stream_id: any::<i32>() }),
        Operation::StartGetStream => of!(StartGetStream { key: bytes(), chunk_length: int() }),
        Operation::EndPutStream => of!(EndPutStream { stream_id: any::<i32>() }),
        Operation::NextPutStream => of!(NextPutStream { stream_id: any::<i32>(), last: any::<bool>(), chunk: bytes() }),
        Operation::StartPutStream => {
            of!(StartPutStream { key: bytes(), expiration: expiration(version), entry_version: long() })
        }
        _ => panic!("{operation} has no arm here"),
    }
}

/// A header for this request in this version.
pub fn header(version: Version, request: &Request) -> impl Strategy<Value = RequestHeader> + use<> {
    let expiration = request.expiration();
    let other_parameters = if version >= Version::V4_0 { 0..3 } else { 0..1 };
    let options = (
        text(),
        int(),
        requested_media_type(version),
        requested_media_type(version),
        vec((text(), bytes()), other_parameters),
    );
    let intelligence = select(&[Intelligence::Basic, Intelligence::TopologyAware, Intelligence::HashDistributionAware]);
    (long(), intelligence, int(), options).prop_map(move |(message_id, intelligence, topology_id, options)| {
        let (cache, flags, key_type, value_type, other_parameters) = options;
        let mut flags = Flags(flags);
        // Before 2.2 two flags distinguish a lifetime of zero from the cache's default; they follow from the request.
        if let (true, Some(expiration)) = (version < Version::V2_2, expiration) {
            flags.0 &= !(Flags::DEFAULT_LIFESPAN | Flags::DEFAULT_MAX_IDLE).0;
            if expiration.lifespan == Lifetime::Default {
                flags = flags | Flags::DEFAULT_LIFESPAN;
            }
            if expiration.max_idle == Lifetime::Default {
                flags = flags | Flags::DEFAULT_MAX_IDLE;
            }
        }
        let mut options = RequestOptions::default();
        options.cache = cache;
        options.flags = flags;
        options.key_type = key_type;
        options.value_type = value_type;
        options.other_parameters = other_parameters;
        RequestHeader { message_id, version, intelligence, topology_id, options }
    })
}

fn entries() -> impl Strategy<Value = Vec<(Bytes, Bytes)>> {
    vec((bytes(), bytes()), 0..5)
}

fn factory(name: impl Strategy<Value = String>) -> impl Strategy<Value = Factory> {
    (name, many_bytes()).prop_map(|(name, parameters)| Factory { name, parameters })
}

fn listener_options(version: Version) -> impl Strategy<Value = ListenerOptions> {
    let interests = if version >= Version::V2_6 { int().boxed() } else { Just(0).boxed() };
    // An empty name means that a listener has no factory.
    let factory = || option::of(factory(some_text()));
    (any::<bool>(), factory(), factory(), flag_since(Version::V2_1, version), interests).prop_map(
        |(include_current_state, filter, converter, use_raw_data, interests)| ListenerOptions {
            include_current_state,
            filter,
            converter,
            use_raw_data,
            interests: Interests(interests),
        },
    )
}

pub fn xid() -> impl Strategy<Value = Xid> {
    let id = || vec(any::<u8>(), 1..=64).prop_map(Bytes::from);
    (any::<i32>(), id(), id()).prop_map(|(format_id, global_transaction_id, branch_qualifier)| Xid {
        format_id,
        global_transaction_id,
        branch_qualifier,
    })
}

fn modifications(version: Version) -> impl Strategy<Value = Vec<Modification>> {
    let seen = prop_oneof![Just(Seen::NotRead), Just(Seen::NonExisting), long().prop_map(Seen::Version)];
    let put = (expiration(version), bytes()).prop_map(|(expiration, value)| Change::Put { expiration, value });
    let change = prop_oneof![Just(Change::Remove), put];
    vec((bytes(), seen, change).prop_map(|(key, seen, change)| Modification { key, seen, change }), 0..4)
}

pub fn counter_configuration() -> impl Strategy<Value = CounterConfiguration> {
    let kind = prop_oneof![
        Just(CounterKind::UnboundedStrong),
        any::<(i64, i64)>().prop_map(|(lower, upper)| CounterKind::BoundedStrong { lower, upper }),
        int().prop_map(|concurrency| CounterKind::Weak { concurrency }),
    ];
    (kind, any::<bool>(), any::<i64>()).prop_map(|(kind, persistent, initial_value)| CounterConfiguration {
        kind,
        persistent,
        initial_value,
    })
}
