//! Answers and failures as JavaScript objects.

use bytes::Bytes;
use hotrod_core::cluster::Tls;
use hotrod_core::session::Applied;
use hotrod_core::vocabulary::{self as border, Failure, Versioned};
use hotrod_core::wire::{self, CounterKind, LifetimeLeft};
use napi::bindgen_prelude::{BigInt, Buffer};
use napi_derive::napi;

/// A failure; errors.js converts it to an Error.
#[napi(object, use_nullable = true)]
pub struct FailureShape {
    pub code: u32,
    pub message: String,
    pub operation: Option<String>,
    pub member: Option<String>,
    pub status: Option<u32>,
    pub may_have_been_applied: bool,
    pub attempts: u32,
    pub parts: Option<Vec<PartShape>>,
    pub entries: Option<Vec<(Buffer, Buffer)>>,
}

/// A part of a bulk operation that failed.
#[napi(object)]
pub struct PartShape {
    pub keys: Vec<Buffer>,
    pub error: FailureShape,
}

/// A lifetime and its start.
#[napi(object)]
pub struct LifetimeShape {
    pub since: f64,
    pub duration: f64,
}

/// Version and lifetimes.
#[napi(object, use_nullable = true)]
pub struct MetadataShape {
    pub version: BigInt,
    pub lifespan: Option<LifetimeShape>,
    pub max_idle: Option<LifetimeShape>,
}

/// An entry without its key.
#[napi(object, use_nullable = true)]
pub struct EntryShape {
    pub value: Buffer,
    pub version: Option<BigInt>,
    pub lifespan: Option<LifetimeShape>,
    pub max_idle: Option<LifetimeShape>,
}

/// The outcome of a conditional operation.
#[napi(object, use_nullable = true)]
pub struct ConditionalShape {
    pub executed: bool,
    pub previous: Option<EntryShape>,
}

/// The values of a multimap key.
#[napi(object)]
pub struct ValuesWithMetadataShape {
    pub values: Vec<Buffer>,
    pub metadata: MetadataShape,
}

/// Capabilities of a server.
#[napi(object, use_nullable = true)]
pub struct ServerInfoShape {
    pub key_type: String,
    pub value_type: String,
    pub server_version: Option<u32>,
    pub operations: Vec<u32>,
}

/// A chunk of a streamed value.
#[napi(object, use_nullable = true)]
pub struct ChunkShape {
    pub stream_id: i32,
    pub complete: bool,
    pub metadata: Option<MetadataShape>,
    pub chunk: Buffer,
}

/// The identity of a transaction branch.
#[napi(object)]
pub struct XidShape {
    pub format_id: i32,
    pub global_transaction_id: Buffer,
    pub branch_qualifier: Buffer,
}

/// Configuration of a counter.
#[napi(object, use_nullable = true)]
pub struct CounterShape {
    pub kind: String,
    pub initial_value: BigInt,
    pub lower: Option<BigInt>,
    pub upper: Option<BigInt>,
    pub concurrency: Option<u32>,
    pub persistent: bool,
}

/// An entry of an iteration.
#[napi(object, use_nullable = true)]
pub struct IterationEntryShape {
    pub key: Buffer,
    pub values: Vec<Buffer>,
    pub metadata: Option<MetadataShape>,
}

/// TLS settings of a link.
#[napi(object, use_nullable = true)]
pub struct TlsShape {
    pub server_name: String,
    pub alpn: Vec<String>,
    pub trust_ca: Option<String>,
    pub client_certificate: Option<ClientCertificateShape>,
}

/// PEM files of a client certificate.
#[napi(object)]
pub struct ClientCertificateShape {
    pub certificate: String,
    pub key: String,
    pub key_password: Option<String>,
}

pub(crate) fn buffer(bytes: &Bytes) -> Buffer {
    Buffer::from(&bytes[..])
}

pub(crate) fn buffers(list: &[Bytes]) -> Vec<Buffer> {
    list.iter().map(buffer).collect()
}

pub(crate) fn pairs(entries: &[(Bytes, Bytes)]) -> Vec<(Buffer, Buffer)> {
    entries.iter().map(|(key, value)| (buffer(key), buffer(value))).collect()
}

impl From<Failure> for FailureShape {
    fn from(failure: Failure) -> Self {
        let (parts, entries) = failure.partial.map_or((None, None), |partial| {
            let part = |(keys, error): (Vec<Bytes>, Failure)| PartShape { keys: buffers(&keys), error: error.into() };
            (Some(partial.parts.into_iter().map(part).collect()), Some(pairs(&partial.entries)))
        });
        Self {
            code: failure.kind as u32,
            message: failure.message,
            operation: failure.operation.map(|operation| operation.name().into()),
            member: failure.member,
            status: failure.status.map(|status| status.0.into()),
            may_have_been_applied: failure.applied == Applied::Unknown,
            attempts: failure.attempts.into(),
            parts,
            entries,
        }
    }
}

impl From<LifetimeLeft> for LifetimeShape {
    fn from(left: LifetimeLeft) -> Self {
        Self { since: left.since as f64, duration: f64::from(left.seconds) * 1000.0 }
    }
}

impl From<wire::Metadata> for MetadataShape {
    fn from(metadata: wire::Metadata) -> Self {
        Self {
            version: metadata.version.into(),
            lifespan: metadata.lifespan.map(Into::into),
            max_idle: metadata.max_idle.map(Into::into),
        }
    }
}

impl From<border::Entry> for EntryShape {
    fn from(entry: border::Entry) -> Self {
        Self {
            value: buffer(&entry.value),
            version: entry.version.map(Into::into),
            lifespan: entry.lifespan.map(Into::into),
            max_idle: entry.max_idle.map(Into::into),
        }
    }
}

impl From<border::ServerInfo> for ServerInfoShape {
    fn from(server: border::ServerInfo) -> Self {
        Self {
            key_type: server.key_type,
            value_type: server.value_type,
            server_version: server.server_version.map(Into::into),
            operations: server.operations.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<border::Chunk> for ChunkShape {
    fn from(chunk: border::Chunk) -> Self {
        Self {
            stream_id: chunk.stream_id,
            complete: chunk.complete,
            metadata: chunk.metadata.map(Into::into),
            chunk: buffer(&chunk.chunk),
        }
    }
}

impl From<wire::Xid> for XidShape {
    fn from(xid: wire::Xid) -> Self {
        Self {
            format_id: xid.format_id,
            global_transaction_id: buffer(&xid.global_transaction_id),
            branch_qualifier: buffer(&xid.branch_qualifier),
        }
    }
}

impl From<wire::CounterConfiguration> for CounterShape {
    fn from(counter: wire::CounterConfiguration) -> Self {
        let (kind, lower, upper, concurrency) = match counter.kind {
            CounterKind::UnboundedStrong => ("unbounded_strong", None, None, None),
            CounterKind::BoundedStrong { lower, upper } => ("bounded_strong", Some(lower), Some(upper), None),
            CounterKind::Weak { concurrency } => ("weak", None, None, Some(concurrency)),
        };
        Self {
            kind: kind.into(),
            initial_value: counter.initial_value.into(),
            lower: lower.map(Into::into),
            upper: upper.map(Into::into),
            concurrency,
            persistent: counter.persistent,
        }
    }
}

impl From<wire::IterationEntry> for IterationEntryShape {
    fn from(entry: wire::IterationEntry) -> Self {
        let metadata = entry.metadata.map(Into::into);
        Self { key: buffer(&entry.key), values: buffers(&entry.values), metadata }
    }
}

impl From<Tls> for TlsShape {
    fn from(tls: Tls) -> Self {
        let certificate = tls.client_certificate.map(|pair| ClientCertificateShape {
            certificate: pair.certificate,
            key: pair.key,
            key_password: pair.key_password.map(|password| password.expose().into()),
        });
        Self { server_name: tls.server_name, alpn: tls.alpn, trust_ca: tls.trust_ca, client_certificate: certificate }
    }
}

pub(crate) fn outcome(outcome: Versioned) -> &'static str {
    match outcome {
        Versioned::Done => "done",
        Versioned::Modified => "modified",
        Versioned::Missing => "missing",
    }
}
