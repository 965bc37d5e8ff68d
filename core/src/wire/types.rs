//! Arguments of requests other than keys and values.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::BitOr;

use bytes::Bytes;

use super::expiration::Expiration;

/// Response of a client in an authentication. `Debug` shows only its length: it may hold a password.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AuthResponse(pub Bytes);

impl fmt::Debug for AuthResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthResponse({} bytes)", self.0.len())
    }
}

/// Filter, converter or filter-converter factory registered in the server, with its parameters (at most 127).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Factory {
    /// Name of the factory; never empty (an empty name on the wire means none).
    pub name: String,
    /// Parameters, in the cache's key or value media type.
    pub parameters: Vec<Bytes>,
}

/// Options of a cache listener.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListenerOptions {
    /// Sends a created event for every existing entry first.
    pub include_current_state: bool,
    /// Filter that selects, in the server, the events to send.
    pub filter: Option<Factory>,
    /// Converter of event data in the server; events are then [`EventData::Custom`](super::EventData).
    pub converter: Option<Factory>,
    /// Passes stored bytes instead of objects to the factories (2.1 and later).
    pub use_raw_data: bool,
    /// Kinds of event to send (2.6 and later; older versions send all).
    pub interests: Interests,
}

/// Set of event kinds; the empty set means all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Interests(pub u32);

impl Interests {
    /// Every kind of event.
    pub const ALL: Self = Self(0);
    /// Entries created.
    pub const CREATED: Self = Self(1);
    /// Entries modified.
    pub const MODIFIED: Self = Self(1 << 1);
    /// Entries removed.
    pub const REMOVED: Self = Self(1 << 2);
    /// Entries expired.
    pub const EXPIRED: Self = Self(1 << 3);

    /// Whether the set contains all kinds in `kind`.
    pub fn includes(self, kind: Self) -> bool {
        self == Self::ALL || self.0 & kind.0 == kind.0
    }
}

impl BitOr for Interests {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The identity of a transaction branch (X/Open XA; `xid` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid {
    /// Format of the two ids.
    pub format_id: i32,
    /// Global transaction id; at most 64 bytes.
    pub global_transaction_id: Bytes,
    /// Branch qualifier; at most 64 bytes.
    pub branch_qualifier: Bytes,
}

/// One change of a transaction (`modification` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modification {
    /// Key of the entry.
    pub key: Bytes,
    /// State of the entry that the transaction has read; the prepare fails if it has changed.
    pub seen: Seen,
    /// Change to the entry.
    pub change: Change,
}

/// State of an entry that a transaction has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The transaction has not read the entry; nothing is compared.
    NotRead,
    /// The entry did not exist.
    NonExisting,
    /// The entry had this version.
    Version(u64),
}

/// Change of a transaction to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Removes the entry.
    Remove,
    /// Writes the entry.
    Put {
        /// New lifetimes.
        expiration: Expiration,
        /// New value.
        value: Bytes,
    },
}

/// Configuration of a counter (`counterConfiguration` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterConfiguration {
    /// Kind of the counter, with its bounds or its concurrency.
    pub kind: CounterKind,
    /// Whether the counter survives a restart of the cluster.
    pub persistent: bool,
    /// Initial value.
    pub initial_value: i64,
}

/// Kinds of counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterKind {
    /// One unbounded 64-bit value.
    UnboundedStrong,
    /// One value between two inclusive bounds.
    BoundedStrong {
        /// Lower bound, inclusive.
        lower: i64,
        /// Upper bound, inclusive.
        upper: i64,
    },
    /// Several values whose sum is the counter: fast additions, without an exact result for each.
    Weak {
        /// Number of values.
        concurrency: u32,
    },
}
