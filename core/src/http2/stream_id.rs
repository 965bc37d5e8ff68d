//! Stream identifiers.

use core::fmt;

/// Stream identifier: 31 bits, odd for streams opened by the client, 0 for the connection (RFC 9113, 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u32);

impl StreamId {
    /// The connection, for frames that belong to no stream.
    pub const CONNECTION: Self = Self(0);
    /// Highest identifier: 2^31-1.
    pub const MAX: Self = Self(0x7fff_ffff);

    /// Identifier in the lower 31 bits; the highest bit is reserved and ignored.
    pub const fn new(value: u32) -> Self {
        Self(value & Self::MAX.0)
    }

    /// Numeric value.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether the identifier is 0, the connection.
    pub const fn is_connection(self) -> bool {
        self.0 == 0
    }

    /// Whether clients open streams with this identifier.
    pub const fn is_client_initiated(self) -> bool {
        self.0 & 1 == 1
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
