//! What requests carry beside keys and values.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::BitOr;

use bytes::Bytes;

use super::expiration::Expiration;

/// What a client says in an authentication. `Debug` shows its length only: it may be a password.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AuthResponse(pub Bytes);

impl fmt::Debug for AuthResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthResponse({} bytes)", self.0.len())
    }
}

/// A filter, converter or filter-converter factory registered in the server, and its parameters (at most 127).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Factory {
    /// Its name; never empty (an empty name on the wire means none).
    pub name: String,
    /// Its parameters, in the cache's key or value form.
    pub parameters: Vec<Bytes>,
}

/// What a listener wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListenerOptions {
    /// Send a created event for every entry that exists already.
    pub include_current_state: bool,
    /// Decides in the server which events are sent.
    pub filter: Option<Factory>,
    /// Makes the event's data in the server; events are then [`EventData::Custom`](super::EventData).
    pub converter: Option<Factory>,
    /// Give the factories the stored bytes, not objects (2.1 and later).
    pub use_raw_data: bool,
    /// The kinds of event (2.6 and later; before, and when none is named, all).
    pub interests: Interests,
}

/// Kinds of event that a listener wants; none named means all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Interests(pub u32);

impl Interests {
    /// Every kind.
    pub const ALL: Self = Self(0);
    /// Entries created.
    pub const CREATED: Self = Self(1);
    /// Entries modified.
    pub const MODIFIED: Self = Self(1 << 1);
    /// Entries removed.
    pub const REMOVED: Self = Self(1 << 2);
    /// Entries expired.
    pub const EXPIRED: Self = Self(1 << 3);

    /// Whether events of all kinds in `kind` are wanted.
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
    /// At most 64 bytes.
    pub global_transaction_id: Bytes,
    /// At most 64 bytes.
    pub branch_qualifier: Bytes,
}

/// One change that a transaction makes (`modification` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modification {
    /// The entry's key.
    pub key: Bytes,
    /// What the transaction has seen of the entry; the prepare fails if it is no longer true.
    pub seen: Seen,
    /// What becomes of the entry.
    pub change: Change,
}

/// What a transaction has seen of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was not read: nothing to compare.
    NotRead,
    /// There was no entry.
    NonExisting,
    /// The entry had this version.
    Version(u64),
}

/// What a transaction makes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is removed.
    Remove,
    /// It is written.
    Put {
        /// Its new lifetime.
        expiration: Expiration,
        /// Its new value.
        value: Bytes,
    },
}

/// How a counter is made (`counterConfiguration` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterConfiguration {
    /// Strong with or without bounds, or weak.
    pub kind: CounterKind,
    /// Whether it outlives a restart of the cluster.
    pub persistent: bool,
    /// Its first value.
    pub initial_value: i64,
}

/// Kinds of counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterKind {
    /// One value, any 64-bit number.
    UnboundedStrong,
    /// One value between two bounds, both included.
    BoundedStrong {
        /// The smallest value.
        lower: i64,
        /// The largest value.
        upper: i64,
    },
    /// Several values that are added up: fast to add to, no exact result of an addition.
    Weak {
        /// How many values.
        concurrency: u32,
    },
}
