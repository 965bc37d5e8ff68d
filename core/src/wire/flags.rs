//! Request flags and client intelligence.

use core::ops::BitOr;

/// Request flags (`ProtocolFlag` of the server); unknown bits survive a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u32);

macro_rules! flags {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:expr;)*) => {
        impl Flags {
            $($(#[doc = $doc])+ pub const $name: Self = Self($value);)*

            /// All known flags: name, value, documentation.
            pub const ALL: &'static [(&'static str, Self, &'static str)] =
                &[$((stringify!($name), Self::$name, concat!($($doc, "\n"),+)),)*];
        }
    };
}

flags! {
    /// Answer with the value that was there before.
    FORCE_RETURN_VALUE = 1;
    /// Use the cache's default lifespan when none is given (2.0 and 2.1; later versions say it in the time unit).
    DEFAULT_LIFESPAN = 1 << 1;
    /// Use the cache's default maximum idle time when none is given (2.0 and 2.1).
    DEFAULT_MAX_IDLE = 1 << 2;
    /// Don't load from a cache store.
    SKIP_CACHE_LOAD = 1 << 3;
    /// Don't index.
    SKIP_INDEXING = 1 << 4;
    /// Don't notify listeners.
    SKIP_LISTENER_NOTIFICATION = 1 << 5;
}

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);

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

/// Amount of topology information that a client understands; the server sends no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Intelligence {
    /// No topology.
    Basic = 1,
    /// The members.
    TopologyAware = 2,
    /// The members and the owners of each segment.
    #[default]
    HashDistributionAware = 3,
}

impl Intelligence {
    /// Encodes the intelligence as the byte of a request header.
    pub fn to_byte(self) -> u8 {
        self as u8
    }

    /// Decodes the byte of a request header; `None` if it is unknown.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Basic),
            2 => Some(Self::TopologyAware),
            3 => Some(Self::HashDistributionAware),
            _ => None,
        }
    }
}
