//! Stream identifiers.

use core::fmt;

/// A stream's identifier: 31 bits, odd for those that the client opens, 0 for the connection itself (RFC 9113, 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u32);

impl StreamId {
    /// The connection itself, where a frame concerns no stream.
    pub const CONNECTION: Self = Self(0);
    /// The highest identifier there is: 2^31-1.
    pub const MAX: Self = Self(0x7fff_ffff);

    /// The identifier in the lower 31 bits; the highest bit is reserved and ignored.
    pub const fn new(value: u32) -> Self {
        Self(value & Self::MAX.0)
    }

    /// The number.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether it stands for the connection itself.
    pub const fn is_connection(self) -> bool {
        self.0 == 0
    }

    /// Whether a client opens streams with such identifiers.
    pub const fn is_client_initiated(self) -> bool {
        self.0 & 1 == 1
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
