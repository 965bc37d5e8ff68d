//! Errors of codecs.

use std::error::Error;
use std::sync::Arc;

use hotrod_core::protostream::{DecodeError, EncodeError, Kind};

/// Why a codec can't encode or decode a key or a value.
///
/// Neither the messages nor the fields contain any of the content of a key or a value. A codec of your own keeps to
/// that in [`other`](Self::other), because applications log errors.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// A text is not UTF-8.
    #[error("the text is not UTF-8 from byte {valid_up_to} on")]
    NotUtf8 {
        /// Length of the valid part in bytes.
        valid_up_to: usize,
    },
    /// A value can't be written as JSON: its `Serialize` failed, or a map has keys other than texts and numbers.
    /// Serde's message is left out: it may quote the value.
    #[error("it can't be serialized as JSON")]
    NotSerializable,
    /// Bytes are not JSON, or JSON of another type than expected.
    /// Serde's message is left out: it may quote the value.
    #[error("{problem}, at line {line} column {column}")]
    Json {
        /// Kind of fault.
        problem: JsonProblem,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault in bytes, from 1; 0 before the first byte of a line.
        column: usize,
    },
    /// Bytes are not a ProtoStream value.
    #[error(transparent)]
    ProtoStream(#[from] DecodeError),
    /// A value can't be written as ProtoStream.
    #[error(transparent)]
    NotProtoStream(#[from] EncodeError),
    /// A ProtoStream value has another kind than expected.
    #[error("the value is of the kind {}, not {}", found.name(), expected.name())]
    Kind {
        /// Kind of the codec's type.
        expected: Kind,
        /// Kind of the value.
        found: Kind,
    },
    /// A message has another type than expected.
    #[error("the message is of the type {found}, not {expected}")]
    MessageType {
        /// Full name of the codec's type, or its type id.
        expected: String,
        /// Full name of the message's type, cut after 200 characters, or its type id.
        found: String,
    },
    /// A value exceeds the range of the type that it is decoded to.
    #[error("the {} is out of range", kind.name())]
    OutOfRange {
        /// Kind of the value.
        kind: Kind,
    },
    /// An error of another codec.
    #[error(transparent)]
    Other(Arc<dyn Error + Send + Sync>),
}

/// Kind of fault in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The bytes are not JSON.
    #[error("not JSON")]
    Syntax,
    /// The bytes end within a value.
    #[error("the JSON ends too early")]
    Truncated,
    /// The value is not one of the expected type.
    #[error("the JSON is not of the expected type")]
    Type,
}

impl CodecError {
    /// An error of a codec of your own. Its message must not contain content of the key or the value.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(error.into().into())
    }
}
