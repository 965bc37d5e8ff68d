//! Results of operations: the meaning of a status and a body, defined here for all languages.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use crate::wire::{
    Body, CounterConfiguration, LifetimeLeft, MediaType, Metadata, Operation, Outcome, Ping, Previous, Reply,
    ReplyShape, Status, Xid,
};

/// Result of an operation; one of a few shapes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// Success without a result.
    Nothing,
    /// A truth value: whether the operation was executed, or whether the entry exists.
    Flag(bool),
    /// A count.
    Size(u64),
    /// A signed number: value of a counter, X/Open XA code, stream id.
    Number(i64),
    /// A value; `None` if there is no entry.
    Value(Option<Bytes>),
    /// An entry, or the previous one; `None` if there is none, or if it was not requested.
    Entry(Option<Entry>),
    /// Outcome of a conditional operation.
    Conditional {
        /// Whether the condition held and the operation was executed.
        executed: bool,
        /// Previous entry, or the current one if the operation was not executed; only with FORCE_RETURN_VALUE.
        previous: Option<Entry>,
    },
    /// Outcome of an operation on a certain version of an entry.
    Versioned(Versioned),
    /// Keys and values.
    Entries(Vec<(Bytes, Bytes)>),
    /// Keys, or the values of a multimap key.
    Values(Vec<Bytes>),
    /// The values of a multimap key, with version and lifetimes; `None` if there are none.
    ValuesWithMetadata(Option<(Metadata, Vec<Bytes>)>),
    /// Names.
    Names(Vec<String>),
    /// Names and texts.
    TextMap(Vec<(String, String)>),
    /// Capabilities of the server.
    Server(ServerInfo),
    /// A chunk of a streamed value; `None` if there is no entry.
    Chunk(Option<Chunk>),
    /// Transaction ids.
    Xids(Vec<Xid>),
    /// Configuration of a counter; `None` if the counter does not exist.
    Counter(Option<CounterConfiguration>),
}

/// Shape of an operation's [`Answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is named after its variant of Answer
#[non_exhaustive]
pub enum AnswerShape {
    Nothing,
    Flag,
    Size,
    Number,
    Value,
    Entry,
    Conditional,
    Versioned,
    Entries,
    Values,
    ValuesWithMetadata,
    Names,
    TextMap,
    Server,
    Chunk,
    Xids,
    Counter,
}

/// An entry without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Value of the entry.
    pub value: Bytes,
    /// Version, which changes with every write; `None` if the protocol version does not send it.
    pub version: Option<u64>,
    /// Lifespan; `None` if infinite or not sent.
    pub lifespan: Option<LifetimeLeft>,
    /// Maximum idle time; `None` if infinite or not sent.
    pub max_idle: Option<LifetimeLeft>,
}

/// Outcome of an operation on a certain version of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioned {
    /// The operation was executed.
    Done,
    /// The entry has another version. Infinispan (16.0.7) also answers this, rarely, for a change that it has stored while
    /// members join or leave: read the entry before you apply the change again.
    Modified,
    /// The entry does not exist.
    Missing,
}

/// A chunk of a streamed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Stream id, for the requests that continue it.
    pub stream_id: i32,
    /// Whether the chunk is the last.
    pub complete: bool,
    /// Version and lifetimes of the entry; only in the first chunk.
    pub metadata: Option<Metadata>,
    /// Bytes of the chunk.
    pub chunk: Bytes,
}

/// Capabilities of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerInfo {
    /// Storage media type of keys; empty if the server does not send it.
    pub key_type: String,
    /// Storage media type of values; empty if the server does not send it.
    pub value_type: String,
    /// Newest protocol version of the server, as its byte (3.0 and later).
    pub server_version: Option<u8>,
    /// Request opcodes supported by the server (3.0 and later).
    pub operations: Vec<u16>,
}

/// Reply that is a success on the wire and an error to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The counter does not exist.
    #[error("there is no such counter")]
    NoSuchCounter,
    /// The counter would leave its bounds; it was not changed.
    #[error("the counter's bound is reached")]
    OutOfBounds,
    /// The reply does not belong to the operation.
    #[error("the server's answer has another form than the operation's")]
    UnexpectedAnswer,
}

impl AnswerShape {
    /// Shape of an operation's result.
    pub fn of(operation: Operation) -> Self {
        let row = operation.row();
        match row.reply {
            ReplyShape::Nothing if row.outcome == Outcome::Flag => Self::Flag,
            ReplyShape::Nothing => Self::Nothing,
            ReplyShape::Value | ReplyShape::Challenge => Self::Value,
            ReplyShape::VersionedValue | ReplyShape::ValueWithMetadata => Self::Entry,
            ReplyShape::Previous => match row.outcome {
                Outcome::Condition => Self::Conditional,
                Outcome::Version => Self::Versioned,
                Outcome::Body | Outcome::Flag | Outcome::Counter => Self::Entry,
            },
            ReplyShape::Statistics => Self::TextMap,
            ReplyShape::Ping => Self::Server,
            ReplyShape::MarkedEntries | ReplyShape::Entries | ReplyShape::Iteration => Self::Entries,
            ReplyShape::MarkedKeys | ReplyShape::Values => Self::Values,
            ReplyShape::ValuesWithMetadata => Self::ValuesWithMetadata,
            ReplyShape::Mechanisms | ReplyShape::CounterNames | ReplyShape::IterationId => Self::Names,
            ReplyShape::Size => Self::Size,
            ReplyShape::PutStreamId | ReplyShape::XaCode | ReplyShape::CounterValue => Self::Number,
            ReplyShape::StreamStart | ReplyShape::StreamChunk => Self::Chunk,
            ReplyShape::Xids => Self::Xids,
            ReplyShape::CounterConfiguration => Self::Counter,
            ReplyShape::Boolean => Self::Flag,
        }
    }
}

impl Answer {
    /// Interprets the reply to an operation.
    pub fn of(operation: Operation, reply: Reply) -> Result<Self, Refusal> {
        let Reply { status, body, .. } = reply;
        Ok(match (AnswerShape::of(operation), body) {
            (AnswerShape::Nothing, Body::Nothing) => match status {
                Status::KEY_DOES_NOT_EXIST if operation.row().outcome == Outcome::Counter => {
                    return Err(Refusal::NoSuchCounter);
                }
                _ => Self::Nothing,
            },
            (AnswerShape::Flag, Body::Nothing) => Self::Flag(status.is_success()),
            (AnswerShape::Flag, Body::Boolean(flag)) => Self::Flag(flag),
            (AnswerShape::Size, Body::Size(size)) => Self::Size(size),
            (AnswerShape::Number, Body::CounterValue(number)) => Self::Number(number),
            (AnswerShape::Number, Body::PutStreamId(number) | Body::XaCode(number)) => Self::Number(number.into()),
            (AnswerShape::Number, Body::Nothing) if operation.row().outcome == Outcome::Counter => {
                let is_there = status == Status::NOT_EXECUTED_WITH_PREVIOUS || status == Status::NOT_EXECUTED;
                return Err(if is_there { Refusal::OutOfBounds } else { Refusal::NoSuchCounter });
            }
            (AnswerShape::Value, Body::Value(value) | Body::Challenge { challenge: value, .. }) => {
                Self::Value(Some(value))
            }
            (AnswerShape::Value, Body::Nothing) => Self::Value(None),
            (AnswerShape::Entry, Body::VersionedValue { version, value }) => {
                Self::Entry(Some(Entry { value, version: Some(version), lifespan: None, max_idle: None }))
            }
            (AnswerShape::Entry, Body::ValueWithMetadata { metadata, value }) => {
                Self::Entry(Some(Entry::new(value, Some(*metadata))))
            }
            (AnswerShape::Entry, Body::Previous(previous)) => {
                Self::Entry(previous.map(|previous| Entry::from(*previous)))
            }
            (AnswerShape::Entry, Body::Nothing) => Self::Entry(None),
            (AnswerShape::Conditional, body) => {
                let previous = match body {
                    Body::Previous(previous) => previous.map(|previous| Entry::from(*previous)),
                    Body::Nothing => None,
                    _ => return Err(Refusal::UnexpectedAnswer),
                };
                Self::Conditional { executed: status.is_success(), previous }
            }
            (AnswerShape::Versioned, _) => Self::Versioned(match status {
                status if status.is_success() => Versioned::Done,
                Status::KEY_DOES_NOT_EXIST => Versioned::Missing,
                _ => Versioned::Modified,
            }),
            (_, body) => Self::of_list(operation, body)?,
        })
    }

    fn of_list(operation: Operation, body: Body) -> Result<Self, Refusal> {
        Ok(match (AnswerShape::of(operation), body) {
            (AnswerShape::Entries, Body::Entries(entries)) => Self::Entries(entries),
            (AnswerShape::Entries, Body::Nothing) => Self::Entries(Vec::new()),
            (AnswerShape::Values, Body::Keys(values) | Body::Values(values)) => Self::Values(values),
            (AnswerShape::Values, Body::Nothing) => Self::Values(Vec::new()),
            (AnswerShape::ValuesWithMetadata, Body::ValuesWithMetadata { metadata, values }) => {
                Self::ValuesWithMetadata(Some((*metadata, values)))
            }
            (AnswerShape::ValuesWithMetadata, Body::Nothing) => Self::ValuesWithMetadata(None),
            (AnswerShape::Names, Body::Names(names)) => Self::Names(names),
            (AnswerShape::TextMap, Body::Statistics(texts)) => Self::TextMap(texts),
            (AnswerShape::Server, Body::Ping(ping)) => Self::Server((*ping).into()),
            (AnswerShape::Chunk, Body::StreamStart { stream_id, complete, metadata, chunk }) => {
                Self::Chunk(Some(Chunk { stream_id, complete, metadata: Some(*metadata), chunk }))
            }
            (AnswerShape::Chunk, Body::StreamChunk { stream_id, complete, chunk }) => {
                Self::Chunk(Some(Chunk { stream_id, complete, metadata: None, chunk }))
            }
            (AnswerShape::Chunk, Body::Nothing) => Self::Chunk(None),
            (AnswerShape::Xids, Body::Xids(xids)) => Self::Xids(xids),
            (AnswerShape::Counter, Body::CounterConfiguration(configuration)) => Self::Counter(Some(configuration)),
            (AnswerShape::Counter, Body::Nothing) => Self::Counter(None),
            _ => return Err(Refusal::UnexpectedAnswer),
        })
    }
}

impl Entry {
    fn new(value: Bytes, metadata: Option<Metadata>) -> Self {
        let version = metadata.map(|metadata| metadata.version);
        let Metadata { lifespan, max_idle, .. } = metadata.unwrap_or_default();
        Self { value, version, lifespan, max_idle }
    }
}

impl From<Previous> for Entry {
    fn from(previous: Previous) -> Self {
        Self::new(previous.value, previous.metadata)
    }
}

impl From<Ping> for ServerInfo {
    fn from(ping: Ping) -> Self {
        let Ping { key_type, value_type, server_version, operations } = ping;
        let text = |media_type: MediaType| match media_type {
            MediaType::Unspecified => String::new(),
            named => named.to_string(),
        };
        let (key_type, value_type) = (text(key_type), text(value_type));
        Self { key_type, value_type, server_version, operations }
    }
}
