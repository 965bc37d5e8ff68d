//! Operations, and the answers that the embedded server and a real one give alike.

mod bulk;
mod counters;
mod encodings;
mod listeners;
mod multimap;
mod peer;
mod server;
mod single;
mod streams;
mod transactions;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hotrod_core::wire::{Operation, Version, Versions};

use self::Embedded::{No, Yes};
pub(crate) use self::peer::{Peer, Refused};

/// Result of a row's requests: the first error answer that the row did not expect.
type Checked = Result<(), Refused>;

/// Last column: support by the embedded server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Embedded {
    Yes,
    /// It answers with an error that says so.
    No,
}

/// Kinds of server that the list runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // each of the two tests uses one
pub(crate) enum Server {
    Embedded,
    Infinispan,
}

/// A row: an operation or one use of it, its requests with the expected answers, the first version that has it, and its
/// support by the embedded server.
type Row = (Operation, &'static str, Version, fn(&mut Peer) -> Checked, Embedded);

const ALL: Version = Version::V2_0;

/// The list. Every operation of the protocol has a row.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    (Operation::Put, "new and over another", ALL, single::put, Yes),
    (Operation::Put, "with previous values", ALL, single::previous_values, Yes),
    (Operation::Put, "conversions of media types", Version::V4_1, encodings::table, Yes),
    (Operation::Put, "conversions by each operation", Version::V4_1, encodings::operations, Yes),
    (Operation::AddClientListener, "keys as declared", Version::V4_1, encodings::listeners, Yes),
    (Operation::Get, "keys that are not converted", Version::V4_1, encodings::refused_keys, Yes),
    (Operation::Put, "with lifetimes", ALL, single::lifetimes, Yes),
    (Operation::Put, "lifetimes of zero", Version::V2_2, single::zero_lifetimes, Yes),
    (Operation::Get, "present and absent", ALL, single::get, Yes),
    (Operation::Get, "of an unknown cache", ALL, single::unknown_cache, Yes),
    (Operation::PutIfAbsent, "absent and present", ALL, single::put_if_absent, Yes),
    (Operation::Replace, "absent and present", ALL, single::replace, Yes),
    (Operation::ReplaceIfUnmodified, "each outcome", ALL, single::replace_if_unmodified, Yes),
    (Operation::Remove, "present and absent", ALL, single::remove, Yes),
    (Operation::RemoveIfUnmodified, "each outcome", ALL, single::remove_if_unmodified, Yes),
    (Operation::ContainsKey, "present and absent", ALL, single::contains_key, Yes),
    (Operation::GetWithVersion, "changes with a write", ALL, single::get_with_version, Yes),
    (Operation::GetWithMetadata, "with and without lifetimes", ALL, single::get_with_metadata, Yes),
    (Operation::Clear, "all entries", ALL, bulk::clear, Yes),
    (Operation::Size, "of the cluster", ALL, bulk::size, Yes),
    (Operation::BulkGet, "all and some", ALL, bulk::bulk_get, Yes),
    (Operation::BulkGetKeys, "each scope", ALL, bulk::bulk_get_keys, Yes),
    (Operation::PutAll, "with lifetimes", ALL, bulk::put_all, Yes),
    (Operation::GetAll, "leaves absent keys out", ALL, bulk::get_all, Yes),
    (Operation::IterationStart, "with and without metadata", ALL, bulk::iteration, Yes),
    (Operation::IterationStart, "with an unknown filter", ALL, bulk::unknown_filter, Yes),
    (Operation::IterationNext, "of an unknown iteration", ALL, bulk::unknown_iteration, Yes),
    (Operation::IterationEnd, "ends once", ALL, bulk::iteration_end, Yes),
    (Operation::Stats, "names of statistics", ALL, server::statistics, Yes),
    (Operation::Ping, "of a cache", ALL, server::ping, Yes),
    (Operation::Ping, "of an encoded cache", Version::V2_9, server::ping_of_an_encoded_cache, Yes),
    (Operation::Ping, "of an unknown cache", ALL, server::ping_of_an_unknown_cache, Yes),
    (Operation::AuthMechList, "without authentication", ALL, server::mechanisms, Yes),
    (Operation::Auth, "a mechanism that there is not", ALL, server::authentication, No),
    (Operation::Exec, "creates and removes a cache", ALL, server::create_and_remove, Yes),
    (Operation::Exec, "refuses a configuration", ALL, server::nonsense, Yes),
    (Operation::Exec, "names caches", ALL, server::names, Yes),
    (Operation::Exec, "an unknown task", ALL, server::unknown_task, Yes),
    (Operation::Query, "of no known language", Version::V2_8, server::query, No),
    (Operation::AddClientListener, "events of each change", ALL, listeners::events, Yes),
    (Operation::AddClientListener, "with the current state", ALL, listeners::current_state, Yes),
    (Operation::AddClientListener, "with interests", Version::V2_6, listeners::interests, Yes),
    (Operation::AddClientListener, "with an unknown filter", ALL, listeners::unknown_filter, Yes),
    (Operation::AddClientListener, "with the previous value", ALL, listeners::with_previous_converter, No),
    (Operation::RemoveClientListener, "known and unknown", ALL, listeners::remove, Yes),
    (Operation::AddBloomFilterListener, "events of what was read", ALL, listeners::bloom_filter, Yes),
    (Operation::UpdateBloomFilter, "with and without a listener", ALL, listeners::update_bloom_filter, Yes),
    (Operation::GetStream, "from the first byte", ALL, streams::get_stream, Yes),
    (Operation::PutStream, "each condition", ALL, streams::put_stream, Yes),
    (Operation::StartGetStream, "in chunks", ALL, streams::start_get, Yes),
    (Operation::NextGetStream, "of an unknown stream", ALL, streams::next_get, Yes),
    (Operation::EndGetStream, "early", ALL, streams::end_get, Yes),
    (Operation::StartPutStream, "each condition", ALL, streams::start_put, Yes),
    (Operation::NextPutStream, "of an unknown stream", ALL, streams::next_put, Yes),
    (Operation::EndPutStream, "early", ALL, streams::end_put, Yes),
    (Operation::PrepareTx, "one phase and none", ALL, transactions::prepare, No),
    (Operation::PrepareTx2, "recoverable", ALL, transactions::prepare_2, No),
    (Operation::CommitTx, "two phases", ALL, transactions::commit, No),
    (Operation::RollbackTx, "leaves the entry", ALL, transactions::rollback, No),
    (Operation::ForgetTx, "an unknown transaction", ALL, transactions::forget, No),
    (Operation::FetchTxRecovery, "none", ALL, transactions::recovery, No),
    (Operation::CounterCreate, "once", ALL, counters::create, Yes),
    (Operation::CounterGetConfiguration, "known and unknown", ALL, counters::configuration, Yes),
    (Operation::CounterIsDefined, "known and unknown", ALL, counters::is_defined, Yes),
    (Operation::CounterAddAndGet, "each kind", ALL, counters::add_and_get, Yes),
    (Operation::CounterReset, "known and unknown", ALL, counters::reset, Yes),
    (Operation::CounterGet, "known and unknown", ALL, counters::get, Yes),
    (Operation::CounterCompareAndSwap, "equal and different", ALL, counters::compare_and_swap, Yes),
    (Operation::CounterGetAndSet, "within bounds and beyond", Version::V3_0, counters::get_and_set, Yes),
    (Operation::CounterAddListener, "events", ALL, counters::add_listener, Yes),
    (Operation::CounterRemoveListener, "no event afterwards", ALL, counters::remove_listener, Yes),
    (Operation::CounterRemove, "known and unknown", ALL, counters::remove, Yes),
    (Operation::CounterGetNames, "of the cluster", ALL, counters::names, Yes),
    (Operation::GetMultimap, "present and absent", ALL, multimap::get, Yes),
    (Operation::GetMultimapWithMetadata, "present and absent", ALL, multimap::get_with_metadata, Yes),
    (Operation::PutMultimap, "entries of the cache", ALL, multimap::entries_of_the_cache, Yes),
    (Operation::PutMultimap, "duplicates", Version::V4_0, multimap::duplicates, Yes),
    (Operation::RemoveKeyMultimap, "present and absent", ALL, multimap::remove_key, Yes),
    (Operation::RemoveEntryMultimap, "present and absent", ALL, multimap::remove_entry, Yes),
    (Operation::SizeMultimap, "pairs", ALL, multimap::size, Yes),
    (Operation::ContainsEntryMultimap, "present and absent", ALL, multimap::contains_entry, Yes),
    (Operation::ContainsKeyMultimap, "present and absent", ALL, multimap::contains_key, Yes),
    (Operation::ContainsValueMultimap, "present and absent", ALL, multimap::contains_value, Yes),
];

/// Runs every row in every version that has it, and reports all that differ.
pub(crate) fn run(address: &str, server: Server) {
    let mut problems = Vec::new();
    for (number, (operation, case, since, check, embedded)) in ROWS.iter().enumerate() {
        for version in Version::ALL.into_iter().filter(|version| version >= since && is_in(*operation, *version)) {
            let mut peer = Peer::connect(address, version, &number.to_string());
            let outcome = catch_unwind(AssertUnwindSafe(|| check(&mut peer)));
            let problem = match (outcome, server, embedded) {
                (Ok(Ok(())), Server::Infinispan, _) | (Ok(Ok(())), _, Yes) => None,
                (Ok(Err(refused)), Server::Embedded, No) => not_refused_as_unsupported(*operation, &refused),
                (Ok(Ok(())), Server::Embedded, No) => Some("is supported".into()),
                (Ok(Err(refused)), ..) => Some(format!("{refused:?}")),
                (Err(_), ..) => Some("differs, see above".into()),
            };
            problems.extend(problem.map(|problem| format!("{operation} ({case}) at {version}: {problem}")));
        }
    }
    assert!(problems.is_empty(), "{server:?}:\n{}", problems.join("\n"));
}

fn is_in(operation: Operation, version: Version) -> bool {
    let row = operation.row();
    row.since <= version
        && match row.versions {
            Versions::Every => true,
            Versions::Before(end) => version < end,
            Versions::From(first) => version >= first,
        }
}

fn not_refused_as_unsupported(operation: Operation, refused: &Refused) -> Option<String> {
    let is_clear = refused.operation == operation && refused.message.contains("not supported by the embedded server");
    (!is_clear).then(|| format!("{refused:?} instead of \"not supported by the embedded server\""))
}
