//! What a session tells its host.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::client::OperationId;
use super::error::{Disconnect, OperationError};
use crate::wire::{self, MediaType, Reply, Topology, Version};

/// What happened in a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Operations can be submitted now. The first event, unless it is `Closed`.
    Ready(Ready),
    /// An operation is done. Exactly one such event comes for every one submitted and not cancelled.
    Completed {
        /// The operation.
        id: OperationId,
        /// The host's name for it.
        token: u64,
        /// The answer, or why there is none. A condition that did not hold is an answer.
        result: Result<Reply, OperationError>,
    },
    /// A topology came with an error, or with an answer that nobody waits for any more.
    Topology {
        /// The operation.
        id: OperationId,
        /// The host's name for it.
        token: u64,
        /// The topology.
        topology: Box<Topology>,
    },
    /// An event for a cache listener of this session.
    Entry(wire::Event),
    /// An event for a counter listener of this session.
    Counter(wire::CounterEvent),
    /// The session is over. The last event.
    Closed(Arc<Disconnect>),
}

/// What negotiation has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The version that the session speaks.
    pub version: Version,
    /// The server's newest version, as its byte; `None` before 3.0.
    pub server_version: Option<u8>,
    /// Request opcodes that the server knows; empty before 3.0.
    pub operations: Vec<u16>,
    /// The form in which the default cache stores keys.
    pub key_type: MediaType,
    /// The form in which the default cache stores values.
    pub value_type: MediaType,
}

/// What a session waits for with its timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutReason {
    /// The next slice of a key derivation, due at once.
    Derivation,
    /// The end of negotiation and authentication.
    Handshake,
    /// The deadline of an operation, or a moment before it.
    Operation,
    /// Any byte from the server.
    Stall,
}

/// What a session has done, as plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests written, the handshake's included.
    pub requests: u64,
    /// Replies received.
    pub replies: u64,
    /// Replies that came after their deadline, or to an operation that was cancelled; consumed and dropped.
    pub late_replies: u64,
    /// Events delivered to a listener.
    pub events: u64,
    /// Events for listeners that this session doesn't have (any more); dropped.
    pub stray_events: u64,
}
