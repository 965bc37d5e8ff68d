//! Request flags and the client's intelligence.

use core::ops::BitOr;

/// The flags of a request (`ProtocolFlag` of the server); unknown bits survive a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u32);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Answer with the value that was there before.
    pub const FORCE_RETURN_VALUE: Self = Self(1);
    /// Use the cache's default lifespan when none is given (2.0 and 2.1; later versions say it in the time unit).
    pub const DEFAULT_LIFESPAN: Self = Self(1 << 1);
    /// Use the cache's default maximum idle time when none is given (2.0 and 2.1).
    pub const DEFAULT_MAX_IDLE: Self = Self(1 << 2);
    /// Don't load from a cache store.
    pub const SKIP_CACHE_LOAD: Self = Self(1 << 3);
    /// Don't index.
    pub const SKIP_INDEXING: Self = Self(1 << 4);
    /// Don't notify listeners.
    pub const SKIP_LISTENER_NOTIFICATION: Self = Self(1 << 5);

    /// Whether all flags of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How much of the topology a client understands; the server sends it no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Intelligence {
    /// Nothing: no topology is ever sent.
    Basic = 1,
    /// The members.
    TopologyAware = 2,
    /// The members, and which of them own each segment.
    #[default]
    HashDistributionAware = 3,
}

impl Intelligence {
    /// The byte in a request header.
    pub fn to_byte(self) -> u8 {
        self as u8
    }

    /// The intelligence of that byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Basic),
            2 => Some(Self::TopologyAware),
            3 => Some(Self::HashDistributionAware),
            _ => None,
        }
    }
}
