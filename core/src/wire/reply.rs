//! Replies: their common header, and the body in one of a small set of forms.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::flags::Intelligence;
use super::media_type::MediaType;
use super::metadata::Metadata;
use super::operation::{Operation, ReplyShape};
use super::reader::{Read, Reader};
use super::status::Status;
use super::topology::{self, Topology};
use super::types::{CounterConfiguration, Xid};
use super::version::Version;
use super::{primitives, reply_lists};
use crate::send_buffer::SendBuffer;

/// First byte of a reply or an event.
pub(crate) const MAGIC: u8 = 0xa1;

/// Opcode of an error reply, for every operation.
pub(crate) const ERROR: u8 = 0x50;

/// Properties of a request that determine the form of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyContext {
    /// Operation of the request.
    pub operation: Operation,
    /// Version of the request.
    pub version: Version,
    /// Intelligence of the request.
    pub intelligence: Intelligence,
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Message id of the request; 0 in an error if the server could not read it.
    pub message_id: u64,
    /// Outcome of the operation.
    pub status: Status,
    /// New topology, if it differs from the request's. Boxed: few replies have one, and all are moved.
    pub topology: Option<Box<Topology>>,
    /// Result of the operation.
    pub body: Body,
}

/// Body of a reply. Rare and large parts are boxed: bodies are moved several times on their way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Nothing beside the status; also for an absent entry and an unfulfilled condition.
    Nothing,
    /// Error message of the server.
    Error(String),
    /// Value of an entry, or result of a query or a task.
    Value(Bytes),
    /// A value and its version.
    VersionedValue {
        /// Version of the entry; changes with every write.
        version: u64,
        /// Value of the entry.
        value: Bytes,
    },
    /// A value, its version and lifetimes.
    ValueWithMetadata {
        /// Version and lifetimes.
        metadata: Box<Metadata>,
        /// Value of the entry.
        value: Bytes,
    },
    /// Value before the operation, or the current one if it was not executed; `None` if there is no entry.
    Previous(Option<Box<Previous>>),
    /// Keys and values.
    Entries(Vec<(Bytes, Bytes)>),
    /// Keys.
    Keys(Vec<Bytes>),
    /// Values of a multimap key.
    Values(Vec<Bytes>),
    /// Values of a multimap key, with version and lifetimes.
    ValuesWithMetadata {
        /// Version and lifetimes.
        metadata: Box<Metadata>,
        /// Values of the key.
        values: Vec<Bytes>,
    },
    /// Names of mechanisms or counters.
    Names(Vec<String>),
    /// Statistics: names and values.
    Statistics(Vec<(String, String)>),
    /// Capabilities of the server.
    Ping(Box<Ping>),
    /// Authentication step.
    Challenge {
        /// Whether the server regards the authentication as complete. Not set with a SCRAM server-final.
        complete: bool,
        /// Challenge for the mechanism.
        challenge: Bytes,
    },
    /// A 64-bit count.
    Size(u64),
    /// Id of a new iteration, for the requests that continue it.
    IterationId(String),
    /// Entries of an iteration.
    Iteration(IterationBatch),
    /// Id of a streamed value that is being written.
    PutStreamId(i32),
    /// First chunk of a streamed value.
    StreamStart {
        /// Stream id, for the requests that continue it.
        stream_id: i32,
        /// Whether this chunk is the last.
        complete: bool,
        /// Version and lifetimes of the entry.
        metadata: Box<Metadata>,
        /// Bytes of the chunk.
        chunk: Bytes,
    },
    /// Further chunk of a streamed value.
    StreamChunk {
        /// Stream id of the first chunk's reply.
        stream_id: i32,
        /// Whether this chunk is the last.
        complete: bool,
        /// Bytes of the chunk.
        chunk: Bytes,
    },
    /// Result code of a transaction step (X/Open XA: 0 `XA_OK`, 3 `XA_RDONLY`, negative errors, 100.. rollbacks).
    XaCode(i32),
    /// Transaction ids.
    Xids(Vec<Xid>),
    /// Configuration of a counter.
    CounterConfiguration(CounterConfiguration),
    /// Value of a counter.
    CounterValue(i64),
    /// A truth value.
    Boolean(bool),
}

/// Value of an entry before an operation. Hosts with codecs have decoded values of type `V`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous<V = Bytes> {
    /// Version and lifetimes; `None` before 4.0.
    pub metadata: Option<Metadata>,
    /// Value of the entry.
    pub value: V,
}

/// Reply to a PING; each field is `None` or empty in versions that do not have it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ping {
    /// Storage media type of keys (2.9 and later).
    pub key_type: MediaType,
    /// Storage media type of values (2.9 and later).
    pub value_type: MediaType,
    /// Newest protocol version of the server, as its byte (3.0 and later).
    pub server_version: Option<u8>,
    /// Request opcodes supported by the server (3.0 and later).
    pub operations: Vec<u16>,
}

/// Batch of an iteration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IterationBatch {
    /// Segments whose entries have all been sent: one bit per segment, least significant first.
    pub finished_segments: Bytes,
    /// Entries of the batch; empty at the end of the iteration.
    pub entries: Vec<IterationEntry>,
}

/// An entry of an iteration. Hosts with codecs have decoded keys of type `K` and values of type `V`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IterationEntry<K = Bytes, V = Bytes> {
    /// Key of the entry.
    pub key: K,
    /// The value, or the projections of a filter-converter.
    pub values: Vec<V>,
    /// Version and lifetimes, if requested (2.5 and later).
    pub metadata: Option<Metadata>,
}

/// Appends a reply to `out`.
///
/// A body whose form does not belong to the operation or the status is written unchanged; that is a mistake of the
/// caller.
pub fn write_reply(reply: &Reply, context: ReplyContext, out: &mut SendBuffer) {
    let error = matches!(reply.body, Body::Error(_));
    out.put_u8(MAGIC);
    out.put_vlong(reply.message_id);
    out.put_u8(if error { ERROR } else { context.operation.row().reply_opcode });
    out.put_u8(reply.status.0);
    topology::write(reply.topology.as_deref().filter(|_| !error), context.intelligence, out);
    write_body(&reply.body, context, out);
}

fn write_body(body: &Body, context: ReplyContext, out: &mut SendBuffer) {
    match body {
        Body::Nothing => {}
        Body::Error(text) | Body::IterationId(text) => out.put_text(text),
        Body::Value(value) => out.put_array(value),
        Body::VersionedValue { version, value } => {
            out.put_u64(*version);
            out.put_array(value);
        }
        Body::ValueWithMetadata { metadata, value } => {
            metadata.write(out);
            out.put_array(value);
        }
        Body::Previous(previous) => write_previous(previous.as_deref(), context.version, out),
        Body::Entries(entries) => reply_lists::write_entries(entries, context, out),
        Body::Keys(keys) => reply_lists::write_marked_keys(keys, out),
        Body::Values(values) => reply_lists::write_values(values, out),
        Body::ValuesWithMetadata { metadata, values } => {
            metadata.write(out);
            reply_lists::write_values(values, out);
        }
        Body::Names(names) => reply_lists::write_names(names, out),
        Body::Statistics(pairs) => reply_lists::write_text_map(pairs, out),
        Body::Ping(ping) => ping.write(context.version, out),
        Body::Challenge { complete, challenge } => {
            out.put_u8(u8::from(*complete));
            out.put_array(challenge);
        }
        Body::Size(size) => out.put_vlong(*size),
        Body::Iteration(batch) => reply_lists::write_iteration(batch, context.version, out),
        Body::PutStreamId(id) | Body::XaCode(id) => out.put_i32(*id),
        Body::StreamStart { stream_id, complete, metadata, chunk } => {
            write_stream(*stream_id, *complete, Some(metadata), chunk, out);
        }
        Body::StreamChunk { stream_id, complete, chunk } => write_stream(*stream_id, *complete, None, chunk, out),
        Body::Xids(xids) => reply_lists::write_xids(xids, out),
        Body::CounterConfiguration(configuration) => configuration.write(out),
        Body::CounterValue(value) => out.put_u64(*value as u64),
        Body::Boolean(value) => out.put_u8(u8::from(*value)),
    }
}

fn write_previous(previous: Option<&Previous>, version: Version, out: &mut SendBuffer) {
    if version >= Version::V4_0 {
        let metadata = previous.map_or(Metadata::OF_NO_ENTRY, |previous| previous.metadata.unwrap_or_default());
        metadata.write(out);
    }
    match previous {
        Some(previous) => out.put_array(&previous.value),
        None => out.put_vint(0),
    }
}

fn write_stream(id: i32, complete: bool, metadata: Option<&Metadata>, chunk: &Bytes, out: &mut SendBuffer) {
    out.put_i32(id);
    out.put_u8(u8::from(complete));
    if let Some(metadata) = metadata {
        metadata.write(out);
    }
    out.put_array(chunk);
}

/// Reads the body of a reply with this status.
pub(crate) fn read_body(status: Status, context: ReplyContext, reader: &mut Reader<'_>) -> Read<Body> {
    let shape = context.operation.row().reply;
    let has_body = match shape {
        ReplyShape::Previous => status.has_previous(),
        ReplyShape::Iteration => status.is_success() || status == Status::INVALID_ITERATION,
        _ => status.is_success(),
    };
    if !has_body {
        return Ok(Body::Nothing);
    }
    let limits = reader.limits();
    Ok(match shape {
        ReplyShape::Nothing => Body::Nothing,
        ReplyShape::Value => Body::Value(reader.array("value", limits.value)?),
        ReplyShape::VersionedValue => {
            Body::VersionedValue { version: reader.long("entry version")?, value: reader.array("value", limits.value)? }
        }
        ReplyShape::ValueWithMetadata => Body::ValueWithMetadata {
            metadata: Box::new(Metadata::read(reader)?),
            value: reader.array("value", limits.value)?,
        },
        ReplyShape::Previous => Body::Previous(read_previous(context.version, reader)?.map(Box::new)),
        ReplyShape::Statistics => Body::Statistics(reply_lists::read_text_map(reader)?),
        ReplyShape::Ping => Body::Ping(Box::new(Ping::read(context.version, reader)?)),
        ReplyShape::MarkedEntries => Body::Entries(reply_lists::read_marked_entries(reader)?),
        ReplyShape::MarkedKeys => Body::Keys(reply_lists::read_marked_keys(reader)?),
        ReplyShape::Entries => Body::Entries(reply_lists::read_entries(reader)?),
        ReplyShape::Mechanisms | ReplyShape::CounterNames => Body::Names(reply_lists::read_names(reader)?),
        ReplyShape::Challenge => Body::Challenge {
            complete: reader.boolean("complete")?,
            challenge: reader.array("challenge", limits.name)?,
        },
        ReplyShape::Size => Body::Size(reader.vlong("size")?),
        ReplyShape::IterationId => Body::IterationId(reader.name("iteration id")?),
        ReplyShape::Iteration => Body::Iteration(reply_lists::read_iteration(context.version, reader)?),
        ReplyShape::PutStreamId => Body::PutStreamId(reader.int("stream id")?),
        ReplyShape::StreamStart => Body::StreamStart {
            stream_id: reader.int("stream id")?,
            complete: reader.boolean("complete")?,
            metadata: Box::new(Metadata::read(reader)?),
            chunk: reader.array("chunk", limits.value)?,
        },
        ReplyShape::StreamChunk => Body::StreamChunk {
            stream_id: reader.int("stream id")?,
            complete: reader.boolean("complete")?,
            chunk: reader.array("chunk", limits.value)?,
        },
        ReplyShape::XaCode => Body::XaCode(reader.int("XA code")?),
        ReplyShape::Xids => Body::Xids(reply_lists::read_xids(reader)?),
        ReplyShape::CounterConfiguration => Body::CounterConfiguration(CounterConfiguration::read(reader)?),
        ReplyShape::CounterValue => Body::CounterValue(reader.long("counter value")? as i64),
        ReplyShape::Values => Body::Values(reply_lists::read_values(reader)?),
        ReplyShape::ValuesWithMetadata => Body::ValuesWithMetadata {
            metadata: Box::new(Metadata::read(reader)?),
            values: reply_lists::read_values(reader)?,
        },
        ReplyShape::Boolean => Body::Boolean(reader.boolean("result")?),
    })
}

fn read_previous(version: Version, reader: &mut Reader<'_>) -> Read<Option<Previous>> {
    let metadata = if version >= Version::V4_0 { Some(Metadata::read(reader)?) } else { None };
    let value = reader.array("previous value", reader.limits().value)?;
    // 4.0 marks an absent entry in the version; older versions only by a zero length.
    let none = value.is_empty() && metadata.is_none_or(|metadata| metadata == Metadata::OF_NO_ENTRY);
    Ok((!none).then_some(Previous { metadata, value }))
}

impl Ping {
    fn write(&self, version: Version, out: &mut SendBuffer) {
        if version >= Version::V2_9 {
            self.key_type.write(out);
            self.value_type.write(out);
        }
        if version >= Version::V3_0 {
            out.put_u8(self.server_version.unwrap_or(Version::LATEST.to_byte()));
            out.put_vint(self.operations.len() as u32);
            self.operations.iter().for_each(|opcode| out.put_u16(*opcode));
        }
    }

    fn read(version: Version, reader: &mut Reader<'_>) -> Read<Self> {
        if version < Version::V2_9 {
            return Ok(Self::default());
        }
        let ((key_type, value_type), (server_version, operations)) = reader.then(
            |reader| reader.then(MediaType::read, |reader, _| MediaType::read(reader)),
            |reader, _| {
                if version < Version::V3_0 {
                    return Ok((None, Vec::new()));
                }
                let server_version = reader.byte("server version")?;
                let count = reader.count("operations", reader.limits().entries)?;
                Ok((Some(server_version), reader.list(count, 2, |reader| reader.short("operation"))?))
            },
        )?;
        Ok(Self { key_type, value_type, server_version, operations })
    }
}

/// Reads a transaction id in the form of replies, where lengths are vInts instead of bytes.
pub(crate) fn read_xid(reader: &mut Reader<'_>) -> Read<Xid> {
    Ok(Xid {
        format_id: primitives::unzigzag(reader.vint("xid format")?),
        global_transaction_id: reader.array("global transaction id", reader.limits().name)?,
        branch_qualifier: reader.array("branch qualifier", reader.limits().name)?,
    })
}
