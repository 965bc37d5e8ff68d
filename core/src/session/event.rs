//! Events of a session.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::client::OperationId;
use super::error::{Disconnect, OperationError};
use crate::wire::{self, MediaType, Reply, Topology, Version};

/// Event of a session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is complete. The first event, unless it is `Closed`.
    Ready(Box<Ready>),
    /// An operation has completed. Each submitted operation has exactly one such event, unless it is cancelled.
    Completed {
        /// Id of the operation.
        id: OperationId,
        /// Token of the operation's [`Call`](super::Call).
        token: u64,
        /// Reply, or the reason for its absence. A condition that did not hold is a reply.
        result: Result<Reply, OperationError>,
    },
    /// New topology from an error, or from the reply to a cancelled or expired operation.
    Topology {
        /// Id of the operation.
        id: OperationId,
        /// Token of the operation's [`Call`](super::Call).
        token: u64,
        /// New topology.
        topology: Box<Topology>,
    },
    /// Event of a cache listener.
    Entry(wire::Event),
    /// Event of a counter listener.
    Counter(wire::CounterEvent),
    /// The session is closed. The last event.
    Closed(Arc<Disconnect>),
}

/// Results of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ready {
    /// Negotiated protocol version.
    pub version: Version,
    /// Newest protocol version of the server, as its byte; `None` before 3.0.
    pub server_version: Option<u8>,
    /// Request opcodes supported by the server; empty before 3.0.
    pub operations: Vec<u16>,
    /// Storage media type of the default cache's keys.
    pub key_type: MediaType,
    /// Storage media type of the default cache's values.
    pub value_type: MediaType,
}

/// Reason for a session's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutReason {
    /// Next slice of a key derivation, due at once.
    Derivation,
    /// Timeout of negotiation and authentication.
    Handshake,
    /// Deadline of an operation, or a lower bound of it.
    Operation,
    /// Timeout of a link without received bytes.
    Stall,
}

/// Counters of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Requests sent, those of the handshake included.
    pub requests: u64,
    /// Replies received.
    pub replies: u64,
    /// Replies to expired or cancelled operations; dropped.
    pub late_replies: u64,
    /// Events of this session's listeners.
    pub events: u64,
    /// Events of other or removed listeners; dropped.
    pub stray_events: u64,
}
