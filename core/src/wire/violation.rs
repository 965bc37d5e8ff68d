//! What a peer did against the grammar or the limits.

use core::fmt;

/// A breach of the Hot Rod grammar, or of a [limit](super::Limits), by the peer.
///
/// The stream can't be followed after it: the end of a Hot Rod message is known only by parsing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Position of the offending field in the received stream, in bytes from its beginning.
    pub offset: u64,
    /// The field, in the words of the protocol.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The value is not one that the field can have.
    Unexpected {
        /// The value received.
        value: u64,
        /// What the protocol allows here.
        expected: &'static str,
    },
    /// A length or a count is above the limit set for it.
    OverLimit {
        /// The length or count announced.
        announced: u64,
        /// The limit in force.
        limit: u64,
    },
    /// A variable-length number goes on past its last possible byte.
    NumberTooLong,
    /// A text is not UTF-8.
    NotUtf8,
    /// A text has not the form that the field must have.
    Malformed {
        /// What the protocol allows here.
        expected: &'static str,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: ", self.field, self.offset)?;
        match &self.problem {
            Problem::Unexpected { value, expected } => write!(f, "got {value:#04x}, expected {expected}"),
            Problem::OverLimit { announced, limit } => write!(f, "{announced} announced, the limit is {limit}"),
            Problem::NumberTooLong => f.write_str("a variable-length number without end"),
            Problem::NotUtf8 => f.write_str("not UTF-8"),
            Problem::Malformed { expected } => write!(f, "malformed, expected {expected}"),
        }
    }
}

impl core::error::Error for Violation {}
