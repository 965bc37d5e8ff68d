//! Violations of the grammar or the limits by a peer.

use core::fmt;

/// Violation of the Hot Rod grammar, or of a [limit](super::Limits), by the peer.
///
/// The stream can't be decoded further: the end of a Hot Rod message is found only by parsing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Position of the invalid field in the received stream, in bytes.
    pub offset: u64,
    /// Name of the field in the protocol's grammar.
    pub field: &'static str,
    /// Kind of violation.
    pub problem: Problem,
}

/// Kind of a [`Violation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The value is not valid for the field.
    Unexpected {
        /// Received value.
        value: u64,
        /// Values that the protocol allows here.
        expected: &'static str,
    },
    /// A length or count exceeds its limit.
    OverLimit {
        /// Announced length or count.
        announced: u64,
        /// Configured limit.
        limit: u64,
    },
    /// A variable-length number is longer than the protocol allows.
    NumberTooLong,
    /// A text is not UTF-8.
    NotUtf8,
    /// A text does not have the required form.
    Malformed {
        /// Form that the protocol requires here.
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
