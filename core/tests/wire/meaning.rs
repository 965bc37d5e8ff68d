//! Meaning of a message as JSON, the form of golden vectors (spec/vectors/README.md).
//!
//! Included by other crates with `#[path]`: nothing here refers to the other tests.

use bytes::Bytes;
use hotrod_core::wire::{
    Body, Change, CounterConfiguration, CounterEvent, CounterKind, CounterState, EntryChange, Event, EventData,
    Expiration, Factory, Hash, Incoming, IterationBatch, Lifetime, LifetimeLeft, ListenerOptions, MediaType, Metadata,
    Modification, Ping, Previous, Reply, Request, RequestHeader, Seen, Topology, Xid,
};
use serde_json::{Value, json};

/// Meaning of a client's request.
pub fn request(header: &RequestHeader, request: &Request) -> Value {
    let options = &header.options;
    json!({
        "message_id": long(header.message_id),
        "version": header.version.to_string(),
        "operation": request.operation().name(),
        "cache": options.cache,
        "flags": options.flags.0,
        "intelligence": header.intelligence.to_byte(),
        "topology_id": header.topology_id,
        "key_type": media_type(&options.key_type),
        "value_type": media_type(&options.value_type),
        "other_parameters": options.other_parameters.iter().map(|(name, value)| json!([name, hex(value)])).collect::<Vec<_>>(),
        "fields": fields(request),
    })
}

/// Meaning of a server's message.
pub fn incoming(incoming: &Incoming) -> Value {
    match incoming {
        Incoming::Reply(reply) => self::reply(reply),
        Incoming::Event(event) => self::event(event),
        Incoming::CounterEvent(event) => counter_event(event),
    }
}

fn reply(reply: &Reply) -> Value {
    json!({
        "message_id": long(reply.message_id),
        "status": reply.status.0,
        "topology": reply.topology.as_deref().map(topology),
        "body": body(&reply.body),
    })
}

fn event(event: &Event) -> Value {
    let change = match event.change {
        EntryChange::Created => "created",
        EntryChange::Modified => "modified",
        EntryChange::Removed => "removed",
        EntryChange::Expired => "expired",
    };
    let data = match &event.data {
        EventData::Key { key, version } => json!({ "shape": "key", "key": hex(key), "version": version.map(long) }),
        EventData::Custom { data, raw } => json!({ "shape": "custom", "data": hex(data), "raw": raw }),
        other => panic!("no arm here for {other:?}"),
    };
    json!({
        "message_id": long(event.message_id),
        "listener_id": hex(&event.listener_id),
        "retried": event.retried,
        "change": change,
        "data": data,
    })
}

fn counter_event(event: &CounterEvent) -> Value {
    let state = |state| match state {
        CounterState::Valid => "valid",
        CounterState::LowerBoundReached => "lower_bound_reached",
        CounterState::UpperBoundReached => "upper_bound_reached",
    };
    json!({
        "counter": event.counter,
        "listener_id": hex(&event.listener_id),
        "old_value": long(event.old_value),
        "old_state": state(event.old_state),
        "new_value": long(event.new_value),
        "new_state": state(event.new_state),
    })
}

/// Fields of a request, named as in the operation table.
#[allow(clippy::too_many_lines)] // one line per operation
fn fields(request: &Request) -> Value {
    match request {
        Request::Get { key }
        | Request::Remove { key }
        | Request::ContainsKey { key }
        | Request::GetWithVersion { key }
        | Request::GetWithMetadata { key } => json!({ "key": hex(key) }),
        Request::Put { key, expiration, value }
        | Request::PutIfAbsent { key, expiration, value }
        | Request::Replace { key, expiration, value } => {
            json!({ "key": hex(key), "expiration": self::expiration(expiration), "value": hex(value) })
        }
        Request::ReplaceIfUnmodified { key, expiration, entry_version, value } => json!({
            "key": hex(key),
            "expiration": self::expiration(expiration),
            "entry_version": long(entry_version),
            "value": hex(value),
        }),
        Request::RemoveIfUnmodified { key, entry_version } => {
            json!({ "key": hex(key), "entry_version": long(entry_version) })
        }
        Request::Clear {}
        | Request::Stats {}
        | Request::Ping {}
        | Request::AuthMechList {}
        | Request::Size {}
        | Request::CounterGetNames {}
        | Request::FetchTxRecovery {} => json!({}),
        Request::BulkGet { count } => json!({ "count": count }),
        Request::BulkGetKeys { scope } => json!({ "scope": scope }),
        Request::Query { query } => json!({ "query": hex(query) }),
        Request::Auth { mechanism, response } => json!({ "mechanism": mechanism, "response": hex(&response.0) }),
        Request::AddClientListener { listener_id, options } => {
            json!({ "listener_id": hex(listener_id), "options": listener_options(options) })
        }
        Request::RemoveClientListener { listener_id } => json!({ "listener_id": hex(listener_id) }),
        Request::Exec { task, parameters } => {
            let parameters: Vec<Value> = parameters.iter().map(|(name, value)| json!([name, hex(value)])).collect();
            json!({ "task": task, "parameters": parameters })
        }
        Request::PutAll { expiration, entries } => {
            json!({ "expiration": self::expiration(expiration), "entries": self::entries(entries) })
        }
        Request::GetAll { keys } => json!({ "keys": hexes(keys) }),
        Request::IterationStart { segments, filter_converter, batch_size, include_metadata } => json!({
            "segments": segments.as_ref().map(|segments| hex(segments)),
            "filter_converter": filter_converter.as_ref().map(factory),
            "batch_size": batch_size,
            "include_metadata": include_metadata,
        }),
        Request::IterationNext { iteration_id } | Request::IterationEnd { iteration_id } => {
            json!({ "iteration_id": iteration_id })
        }
        Request::GetStream { key, offset } => json!({ "key": hex(key), "offset": offset }),
        Request::PutStream { key, expiration, entry_version, chunks } => json!({
            "key": hex(key),
            "expiration": self::expiration(expiration),
            "entry_version": long(entry_version),
            "chunks": hexes(chunks),
        }),
        Request::PrepareTx { xid, one_phase_commit, modifications } => json!({
            "xid": self::xid(xid),
            "one_phase_commit": one_phase_commit,
            "modifications": modifications.iter().map(modification).collect::<Vec<_>>(),
        }),
        Request::CommitTx { xid } | Request::RollbackTx { xid } | Request::ForgetTx { xid } => {
            json!({ "xid": self::xid(xid) })
        }
        Request::PrepareTx2 { xid, one_phase_commit, recoverable, timeout, modifications } => json!({
            "xid": self::xid(xid),
            "one_phase_commit": one_phase_commit,
            "recoverable": recoverable,
            "timeout": long(timeout),
            "modifications": modifications.iter().map(modification).collect::<Vec<_>>(),
        }),
        Request::AddBloomFilterListener { listener_id, bloom_bits } => {
            json!({ "listener_id": hex(listener_id), "bloom_bits": bloom_bits })
        }
        Request::UpdateBloomFilter { bloom_filter } => json!({ "bloom_filter": hex(bloom_filter) }),
        Request::CounterCreate { counter, configuration } => {
            json!({ "counter": counter, "configuration": counter_configuration(configuration) })
        }
        Request::CounterGetConfiguration { counter }
        | Request::CounterIsDefined { counter }
        | Request::CounterReset { counter }
        | Request::CounterGet { counter }
        | Request::CounterRemove { counter } => json!({ "counter": counter }),
        Request::CounterAddAndGet { counter, delta } => json!({ "counter": counter, "delta": long(delta) }),
        Request::CounterCompareAndSwap { counter, expected, update } => {
            json!({ "counter": counter, "expected": long(expected), "update": long(update) })
        }
        Request::CounterAddListener { counter, listener_id }
        | Request::CounterRemoveListener { counter, listener_id } => {
            json!({ "counter": counter, "listener_id": hex(listener_id) })
        }
        Request::CounterGetAndSet { counter, value } => json!({ "counter": counter, "value": long(value) }),
        Request::GetMultimap { key, supports_duplicates }
        | Request::GetMultimapWithMetadata { key, supports_duplicates }
        | Request::RemoveKeyMultimap { key, supports_duplicates }
        | Request::ContainsKeyMultimap { key, supports_duplicates } => {
            json!({ "key": hex(key), "supports_duplicates": supports_duplicates })
        }
        Request::PutMultimap { key, expiration, value, supports_duplicates }
        | Request::RemoveEntryMultimap { key, expiration, value, supports_duplicates }
        | Request::ContainsEntryMultimap { key, expiration, value, supports_duplicates } => json!({
            "key": hex(key),
            "expiration": self::expiration(expiration),
            "value": hex(value),
            "supports_duplicates": supports_duplicates,
        }),
        Request::SizeMultimap { supports_duplicates } => json!({ "supports_duplicates": supports_duplicates }),
        Request::ContainsValueMultimap { expiration, value, supports_duplicates } => json!({
            "expiration": self::expiration(expiration),
            "value": hex(value),
            "supports_duplicates": supports_duplicates,
        }),
        Request::EndGetStream { stream_id }
        | Request::NextGetStream { stream_id }
        | Request::EndPutStream { stream_id } => {
            json!({ "stream_id": stream_id })
        }
        Request::StartGetStream { key, chunk_length } => json!({ "key": hex(key), "chunk_length": chunk_length }),
        Request::NextPutStream { stream_id, last, chunk } => {
            json!({ "stream_id": stream_id, "last": last, "chunk": hex(chunk) })
        }
        Request::StartPutStream { key, expiration, entry_version } => json!({
            "key": hex(key),
            "expiration": self::expiration(expiration),
            "entry_version": long(entry_version),
        }),
        other => panic!("{} has no arm here", other.operation()),
    }
}

fn body(body: &Body) -> Value {
    match body {
        Body::Nothing => json!({ "shape": "nothing" }),
        Body::Error(message) => json!({ "shape": "error", "message": message }),
        Body::Value(value) => json!({ "shape": "value", "value": hex(value) }),
        Body::VersionedValue { version, value } => {
            json!({ "shape": "versioned_value", "version": long(version), "value": hex(value) })
        }
        Body::ValueWithMetadata { metadata, value } => {
            json!({ "shape": "value_with_metadata", "metadata": self::metadata(metadata), "value": hex(value) })
        }
        Body::Previous(previous) => json!({ "shape": "previous", "previous": previous.as_deref().map(self::previous) }),
        Body::Entries(entries) => json!({ "shape": "entries", "entries": self::entries(entries) }),
        Body::Keys(keys) => json!({ "shape": "keys", "keys": hexes(keys) }),
        Body::Values(values) => json!({ "shape": "values", "values": hexes(values) }),
        Body::ValuesWithMetadata { metadata, values } => {
            json!({ "shape": "values_with_metadata", "metadata": self::metadata(metadata), "values": hexes(values) })
        }
        Body::Names(names) => json!({ "shape": "names", "names": names }),
        Body::Statistics(statistics) => json!({ "shape": "statistics", "statistics": statistics }),
        Body::Ping(ping) => self::ping(ping),
        Body::Challenge { complete, challenge } => {
            json!({ "shape": "challenge", "complete": complete, "challenge": hex(challenge) })
        }
        Body::Size(size) => json!({ "shape": "size", "size": long(size) }),
        Body::IterationId(id) => json!({ "shape": "iteration_id", "iteration_id": id }),
        Body::Iteration(batch) => iteration(batch),
        Body::PutStreamId(id) => json!({ "shape": "put_stream_id", "stream_id": id }),
        Body::StreamStart { stream_id, complete, metadata, chunk } => json!({
            "shape": "stream_start",
            "stream_id": stream_id,
            "complete": complete,
            "metadata": self::metadata(metadata),
            "chunk": hex(chunk),
        }),
        Body::StreamChunk { stream_id, complete, chunk } => {
            json!({ "shape": "stream_chunk", "stream_id": stream_id, "complete": complete, "chunk": hex(chunk) })
        }
        Body::XaCode(code) => json!({ "shape": "xa_code", "code": code }),
        Body::Xids(xids) => json!({ "shape": "xids", "xids": xids.iter().map(xid).collect::<Vec<_>>() }),
        Body::CounterConfiguration(configuration) => {
            json!({ "shape": "counter_configuration", "configuration": counter_configuration(configuration) })
        }
        Body::CounterValue(value) => json!({ "shape": "counter_value", "value": long(value) }),
        Body::Boolean(value) => json!({ "shape": "boolean", "value": value }),
        other => panic!("no arm here for {other:?}"),
    }
}

fn previous(previous: &Previous) -> Value {
    json!({ "metadata": previous.metadata.as_ref().map(metadata), "value": hex(&previous.value) })
}

fn ping(ping: &Ping) -> Value {
    json!({
        "shape": "ping",
        "key_type": media_type(&ping.key_type),
        "value_type": media_type(&ping.value_type),
        "server_version": ping.server_version,
        "operations": ping.operations,
    })
}

fn iteration(batch: &IterationBatch) -> Value {
    let entries = batch.entries.iter().map(|entry| {
        json!({
            "key": hex(&entry.key),
            "values": hexes(&entry.values),
            "metadata": entry.metadata.as_ref().map(metadata),
        })
    });
    json!({
        "shape": "iteration",
        "finished_segments": hex(&batch.finished_segments),
        "entries": entries.collect::<Vec<_>>(),
    })
}

fn topology(topology: &Topology) -> Value {
    let members = topology.members.iter().map(|member| json!({ "host": member.host, "port": member.port }));
    json!({
        "id": topology.id,
        "members": members.collect::<Vec<_>>(),
        "hash": topology.hash.as_ref().map(hash),
    })
}

fn hash(hash: &Hash) -> Value {
    let owners: Vec<&[u16]> = (0..hash.owners.len()).map(|segment| hash.owners.of(segment)).collect();
    json!({ "function": hash.function, "segments": hash.segments, "owners": owners })
}

fn metadata(metadata: &Metadata) -> Value {
    let left =
        |left: Option<LifetimeLeft>| left.map(|left| json!({ "since": long(left.since), "seconds": left.seconds }));
    json!({
        "version": long(metadata.version),
        "lifespan": left(metadata.lifespan),
        "max_idle": left(metadata.max_idle),
    })
}

fn expiration(expiration: &Expiration) -> Value {
    json!({ "lifespan": lifetime(expiration.lifespan), "max_idle": lifetime(expiration.max_idle) })
}

fn lifetime(lifetime: Lifetime) -> Value {
    match lifetime {
        Lifetime::Default => json!("default"),
        Lifetime::Infinite => json!("infinite"),
        Lifetime::For(count, unit) => json!({ "count": long(count), "unit": unit.to_string() }),
    }
}

fn media_type(media_type: &MediaType) -> Value {
    match media_type {
        MediaType::Unspecified => Value::Null,
        MediaType::Numbered(id, parameters) => json!({ "id": id, "name": null, "parameters": parameters }),
        MediaType::Named(name, parameters) => json!({ "id": null, "name": name, "parameters": parameters }),
    }
}

fn listener_options(options: &ListenerOptions) -> Value {
    json!({
        "include_current_state": options.include_current_state,
        "filter": options.filter.as_ref().map(factory),
        "converter": options.converter.as_ref().map(factory),
        "use_raw_data": options.use_raw_data,
        "interests": options.interests.0,
    })
}

fn factory(factory: &Factory) -> Value {
    json!({ "name": factory.name, "parameters": hexes(&factory.parameters) })
}

fn xid(xid: &Xid) -> Value {
    json!({
        "format_id": xid.format_id,
        "global_transaction_id": hex(&xid.global_transaction_id),
        "branch_qualifier": hex(&xid.branch_qualifier),
    })
}

fn modification(modification: &Modification) -> Value {
    let seen = match modification.seen {
        Seen::NotRead => json!("not_read"),
        Seen::NonExisting => json!("non_existing"),
        Seen::Version(version) => json!({ "version": long(version) }),
    };
    let change = match &modification.change {
        Change::Remove => json!("remove"),
        Change::Put { expiration, value } => {
            json!({ "expiration": self::expiration(expiration), "value": hex(value) })
        }
    };
    json!({ "key": hex(&modification.key), "seen": seen, "change": change })
}

fn counter_configuration(configuration: &CounterConfiguration) -> Value {
    let (kind, lower, upper, concurrency) = match configuration.kind {
        CounterKind::UnboundedStrong => ("unbounded_strong", None, None, None),
        CounterKind::BoundedStrong { lower, upper } => ("bounded_strong", Some(long(lower)), Some(long(upper)), None),
        CounterKind::Weak { concurrency } => ("weak", None, None, Some(concurrency)),
    };
    json!({
        "kind": kind,
        "lower": lower,
        "upper": upper,
        "concurrency": concurrency,
        "persistent": configuration.persistent,
        "initial_value": long(configuration.initial_value),
    })
}

fn entries(entries: &[(Bytes, Bytes)]) -> Value {
    entries.iter().map(|(key, value)| json!([hex(key), hex(value)])).collect()
}

fn hexes(all: &[Bytes]) -> Value {
    all.iter().map(|bytes| hex(bytes)).collect()
}

/// A 64-bit field: decimal, as text.
fn long<T: ToString + Copy>(value: T) -> String {
    value.to_string()
}

/// Two lower-case digits per byte.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).map(|digit| DIGITS[usize::from(digit)]).collect()
}
