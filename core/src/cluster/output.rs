//! What a machine tells its host.

use alloc::sync::Arc;
use core::time::Duration;

use super::cache::CacheId;
use super::link::LinkId;
use super::member::MemberId;
use crate::session::{Applied, Disconnect, OperationError};
use crate::wire::{self, Operation, Reply};

/// What the host is to do, or to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Establish a connection, and say [`handle_connected`](super::Cluster::handle_connected) or
    /// [`handle_link_lost`](super::Cluster::handle_link_lost).
    Connect {
        /// Its name from now on.
        link: LinkId,
        /// Who is to be at the other end.
        member: MemberId,
        /// Where to dial.
        address: wire::Member,
        /// When the machine gives it up.
        timeout: Duration,
    },
    /// The link has bytes to send: write [`transmit`](super::Cluster::transmit) until it is empty.
    Transmit {
        /// Which link.
        link: LinkId,
    },
    /// Close the connection, or stop establishing it; nothing more is said of it.
    Close {
        /// Which link.
        link: LinkId,
    },
    /// An operation is done. Exactly one comes for every one submitted and not cancelled.
    Completed {
        /// Which operation.
        id: super::OperationId,
        /// The member that answered, or that was the last one tried.
        member: Option<MemberId>,
        /// The answer, or why there is none.
        result: Result<Reply, ClusterError>,
    },
    /// Something happened that nobody asked for.
    Event(Event),
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A session with a member is ready.
    MemberReady {
        /// Which member.
        member: MemberId,
        /// Its address.
        address: wire::Member,
    },
    /// A link failed or was lost.
    MemberUnavailable {
        /// Which member.
        member: MemberId,
        /// Its address.
        address: wire::Member,
        /// Why.
        reason: Arc<Disconnect>,
        /// It is not tried for so long.
        retry_after: Duration,
    },
    /// A cache has a new view of the cluster.
    Topology {
        /// Which cache.
        cache: CacheId,
        /// The id of the topology.
        id: u32,
        /// Its members.
        members: usize,
    },
    /// No member of the topology can be reached: operations go to the seeds, which forward them.
    Degraded,
    /// A member of the topology can be reached again.
    Restored,
    /// An event for a cache listener.
    Entry {
        /// The member that sent it.
        member: MemberId,
        /// The event.
        event: wire::Event,
    },
    /// An event for a counter listener.
    Counter {
        /// The member that sent it.
        member: MemberId,
        /// The event.
        event: wire::CounterEvent,
    },
}

/// Why an operation was not accepted. Nothing of it has been sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Too many operations wait for a member: not now.
    #[error("{waiting} operations wait for a member: try again when some are done")]
    Full {
        /// How many.
        waiting: usize,
    },
    /// The machine is closed.
    #[error("the client is closed")]
    Closed,
    /// The cache is one of another machine.
    #[error("the cache belongs to another client")]
    ForeignCache,
}

/// How an operation failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The last attempt failed so, and another was not allowed or not possible.
    #[error("{error}{}", Attempts(*attempts))]
    Operation {
        /// How.
        error: OperationError,
        /// How often it reached a member.
        attempts: u8,
    },
    /// The session refused it: nothing was sent.
    #[error("{operation} was not sent: {error}")]
    Refused {
        /// The operation.
        operation: Operation,
        /// Why.
        error: crate::session::SubmitError,
    },
    /// No member could be reached before the deadline.
    #[error("{operation} reached no member within {} ms; {applied}{}", after.as_millis(), Because(reason))]
    Unreachable {
        /// The operation.
        operation: Operation,
        /// How long it was tried.
        after: Duration,
        /// What may have become of it: an earlier attempt may have reached a member.
        applied: Applied,
        /// Why the member tried last could not be reached.
        reason: Option<Arc<Disconnect>>,
    },
    /// The member that holds the state it speaks of is gone, and the state with it.
    #[error("{operation} belongs to a member that is gone; {applied}")]
    MemberGone {
        /// The operation.
        operation: Operation,
        /// What may have become of it.
        applied: Applied,
    },
    /// The client was closed before the answer came.
    #[error("{operation} got no answer: the client was closed; {applied}")]
    Closed {
        /// The operation.
        operation: Operation,
        /// What may have become of it.
        applied: Applied,
    },
}

struct Attempts(u8);

impl core::fmt::Display for Attempts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            0 | 1 => Ok(()),
            attempts => write!(f, " (attempt {attempts})"),
        }
    }
}

struct Because<'a>(&'a Option<Arc<Disconnect>>);

impl core::fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(reason) => write!(f, ": {reason}"),
        }
    }
}
