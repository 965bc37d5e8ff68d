//! Errors of reading and writing.

use thiserror::Error;

use super::kind::Kind;

/// Bytes that are no valid `WrappedMessage`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a valid ProtoStream value, at byte {offset}: {problem}")]
#[non_exhaustive]
pub struct DecodeError {
    /// Position of the fault in the decoded bytes.
    pub offset: usize,
    /// Kind of fault.
    pub problem: DecodeProblem,
}

/// Kind of a [`DecodeError`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// The bytes end within a field, or before the last element of a container.
    #[error("the bytes end too early")]
    Truncated,
    /// A variable-length number has more than ten bytes or 64 bits.
    #[error("a variable-length number without end")]
    NumberTooLong,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A field that `WrappedMessage` does not have, or has with another wire type.
    #[error("unknown field {number} with wire type {wire_type}")]
    UnknownField {
        /// Number of the field.
        number: u32,
        /// Wire type in its tag: 0 to 7.
        wire_type: u8,
    },
    /// A number exceeds the range of its type.
    #[error("field {number} is out of range")]
    OutOfRange {
        /// Number of the field.
        number: u32,
    },
    /// Two values, or the same field twice.
    #[error("field {number} stands beside another value")]
    Repeated {
        /// Number of the field.
        number: u32,
    },
    /// A message or enum has no type, a type has no message or enum, an instant has no seconds or nanoseconds, or a
    /// container has no size, type or message. A type without a name is none.
    #[error("a field that belongs to the value is missing")]
    Incomplete,
    /// Null as a whole value: Infinispan stores none.
    #[error("null")]
    Null,
    /// More containers within each other than [`Limits::depth`](super::Limits::depth).
    #[error("containers are nested too deeply")]
    TooDeep,
    /// More elements than [`Limits::elements`](super::Limits::elements).
    #[error("too many elements")]
    TooManyElements,
}

/// A value that a `WrappedMessage` can't hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Null as a whole value: Infinispan stores none.
    #[error("null can't be stored")]
    Null,
    /// More than 32 containers within each other.
    #[error("containers are nested too deeply")]
    TooDeep,
    /// Nanoseconds of an instant beyond 999,999,999.
    #[error("{nanos} nanoseconds of an instant, at most 999999999 are allowed")]
    Nanos {
        /// Rejected value.
        nanos: u32,
    },
    /// A type without a name, or with a number beyond 2,147,483,647.
    #[error("a type needs a name, or a number of at most 2147483647")]
    Type,
    /// More than 2,147,483,647 elements.
    #[error("too many elements")]
    TooManyElements,
    /// A number exceeds the range of its kind.
    #[error("the number is out of the range of {}", kind.name())]
    OutOfRange {
        /// Kind of the value.
        kind: Kind,
    },
    /// The content is not that of the kind.
    #[error("it is no content of {}", kind.name())]
    Content {
        /// Kind of the value.
        kind: Kind,
    },
}
