//! Values of the border as JSON.

use hotrod_core::cluster::Tls;
use hotrod_core::session::Applied;
use hotrod_core::vocabulary::{Answer, Chunk, Entry, Failure, Versioned};
use hotrod_core::wire::{CounterConfiguration, CounterKind, IterationEntry, LifetimeLeft, Metadata, Xid};
use serde_json::{Value, json};

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> Value {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Bytes of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |index| text.get(index..index + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(digit).collect()
}

fn pair((key, value): &(impl AsRef<[u8]>, impl AsRef<[u8]>)) -> Value {
    json!([hex(key), hex(value)])
}

pub(crate) fn tls(tls: &Tls) -> Value {
    let certificate =
        tls.client_certificate.as_ref().map(|pair| json!({ "certificate": pair.certificate, "key": pair.key }));
    json!({
        "server_name": tls.server_name,
        "alpn": tls.alpn,
        "trust_ca": tls.trust_ca,
        "client_certificate": certificate,
    })
}

/// How something failed.
pub fn failure(failure: &Failure) -> Value {
    let mut value = json!({
        "kind": failure.kind.name(),
        "message": failure.message,
        "operation": failure.operation.map(hotrod_core::wire::Operation::name),
        "member": failure.member,
        "status": failure.status.map(|status| status.0),
        "applied": match failure.applied {
            Applied::No => "no",
            Applied::Unknown => "unknown",
        },
        "attempts": failure.attempts,
    });
    if let Some(partial) = &failure.partial {
        let part = |(keys, error): &(Vec<bytes::Bytes>, Failure)| json!({ "keys": keys.iter().map(hex).collect::<Vec<_>>(), "error": self::failure(error) });
        value["parts"] = partial.parts.iter().map(part).collect();
        value["entries"] = partial.entries.iter().map(pair).collect();
    }
    value
}

fn left(left: Option<&LifetimeLeft>) -> Value {
    left.map(|left| json!({ "since": left.since, "seconds": left.seconds })).unwrap_or_default()
}

fn metadata(metadata: &Metadata) -> Value {
    json!({
        "version": metadata.version.to_string(),
        "lifespan": left(metadata.lifespan.as_ref()),
        "max_idle": left(metadata.max_idle.as_ref()),
    })
}

pub(crate) fn iteration_entry(entry: &IterationEntry) -> Value {
    json!({
        "key": hex(&entry.key),
        "values": entry.values.iter().map(hex).collect::<Vec<_>>(),
        "metadata": entry.metadata.as_ref().map(metadata),
    })
}

fn entry(entry: &Entry) -> Value {
    json!({
        "value": hex(&entry.value),
        "version": entry.version.map(|version| version.to_string()),
        "lifespan": left(entry.lifespan.as_ref()),
        "max_idle": left(entry.max_idle.as_ref()),
    })
}

fn xid(xid: &Xid) -> Value {
    json!({
        "format_id": xid.format_id,
        "global_transaction_id": hex(&xid.global_transaction_id),
        "branch_qualifier": hex(&xid.branch_qualifier),
    })
}

fn counter(counter: &CounterConfiguration) -> Value {
    let (kind, lower, upper, concurrency) = match counter.kind {
        CounterKind::UnboundedStrong => ("unbounded_strong", None, None, None),
        CounterKind::BoundedStrong { lower, upper } => ("bounded_strong", Some(lower), Some(upper), None),
        CounterKind::Weak { concurrency } => ("weak", None, None, Some(concurrency)),
    };
    json!({
        "kind": kind,
        "lower": lower.map(|bound| bound.to_string()),
        "upper": upper.map(|bound| bound.to_string()),
        "concurrency": concurrency,
        "persistent": counter.persistent,
        "initial_value": counter.initial_value.to_string(),
    })
}

fn chunk(chunk: &Chunk) -> Value {
    json!({
        "stream_id": chunk.stream_id,
        "complete": chunk.complete,
        "metadata": chunk.metadata.as_ref().map(metadata),
        "chunk": hex(&chunk.chunk),
    })
}

pub(crate) fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Nothing => json!({ "nothing": true }),
        Answer::Flag(flag) => json!({ "flag": flag }),
        Answer::Size(size) => json!({ "size": size }),
        Answer::Number(number) => json!({ "number": number.to_string() }),
        Answer::Value(value) => json!({ "value": value.as_ref().map(hex) }),
        Answer::Entry(found) => json!({ "entry": found.as_ref().map(entry) }),
        Answer::Conditional { executed, previous } => {
            json!({ "conditional": { "executed": executed, "previous": previous.as_ref().map(entry) } })
        }
        Answer::Versioned(outcome) => json!({ "versioned": match outcome {
            Versioned::Done => "done",
            Versioned::Modified => "modified",
            Versioned::Missing => "missing",
        } }),
        Answer::Entries(entries) => json!({ "entries": entries.iter().map(pair).collect::<Vec<_>>() }),
        Answer::Values(values) => json!({ "values": values.iter().map(hex).collect::<Vec<_>>() }),
        Answer::ValuesWithMetadata(found) => json!({ "values_with_metadata": found.as_ref().map(|(told, values)| {
            json!({ "metadata": metadata(told), "values": values.iter().map(hex).collect::<Vec<_>>() })
        }) }),
        Answer::Names(names) => json!({ "names": names }),
        Answer::TextMap(texts) => json!({ "text_map": texts }),
        Answer::Server(server) => json!({ "server": {
            "key_type": server.key_type,
            "value_type": server.value_type,
            "server_version": server.server_version,
            "operations": server.operations,
        } }),
        Answer::Chunk(found) => json!({ "chunk": found.as_ref().map(chunk) }),
        Answer::Xids(xids) => json!({ "xids": xids.iter().map(xid).collect::<Vec<_>>() }),
        Answer::Counter(found) => json!({ "counter": found.as_ref().map(counter) }),
        other => unreachable!("scenarios record no {other:?}"),
    }
}
