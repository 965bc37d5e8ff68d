//! What a machine tells its host.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::cache::CacheId;
use super::features::iteration::IterationId;
use super::features::listener::ListenerId;
use super::members::MemberId;
use super::startup::StartError;
use super::transport::dial::{Dial, Tls};
use super::transport::link::LinkId;
use crate::session::{Applied, Disconnect, Fate, OperationError};
use crate::vocabulary::declare;
use crate::wire::{self, IterationEntry, Operation, Reply};

declare! {
    /// What the host is to do, or to know.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Output {
        /// Establish a connection, and say [`handle_connected`](super::Cluster::handle_connected) or
        /// [`handle_link_lost`](super::Cluster::handle_link_lost).
        Connect = 1 {
            /// Its name from now on.
            link: LinkId,
            /// Who is to be at the other end.
            member: MemberId,
            /// What to do.
            dial: Dial,
            /// When the machine gives it up.
            timeout: Duration,
        },
        /// Establish TLS on a connection that is there, and say [`handle_connected`](super::Cluster::handle_connected) again,
        /// or [`handle_link_lost`](super::Cluster::handle_link_lost). Before it there is nothing left to send or to receive.
        StartTls = 2 {
            /// Which link.
            link: LinkId,
            /// How.
            tls: Tls,
        },
        /// The link has bytes to send: write [`transmit`](super::Cluster::transmit) until it is empty.
        Transmit = 3 {
            /// Which link.
            link: LinkId,
        },
        /// Do not read from the link: the application has too many events of a listener to take. What comes all the same is
        /// not lost.
        Pause = 4 {
            /// Which link.
            link: LinkId,
        },
        /// Read from the link again.
        Resume = 5 {
            /// Which link.
            link: LinkId,
        },
        /// Close the connection, or stop establishing it; nothing more is said of it.
        Close = 6 {
            /// Which link.
            link: LinkId,
        },
        /// An operation is done. Exactly one comes for every one submitted and not cancelled.
        Completed = 7 {
            /// Which operation.
            id: super::OperationId,
            /// What it was.
            operation: Operation,
            /// The member that answered, or that was the last one tried.
            member: Option<MemberId>,
            /// The answer, or why there is none.
            result: Result<Reply, ClusterError>,
        },
        /// The next entries of an iteration. None of them mean that it is over, as an error does.
        Entries = 8 {
            /// Which iteration.
            id: IterationId,
            /// The entries, or why there are no more.
            result: Result<Vec<IterationEntry>, ClusterError>,
        },
    }
    further
        /// Something happened that nobody asked for.
        Event(Event)
}

declare! {
    /// What happened.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Event {
        /// A first member is ready: the answer to [`start`](super::Cluster::start).
        Started = 32,
        /// No server could be reached, or none accepts the session: the other answer.
        StartFailed = 33 {
            /// Why.
            error: StartError,
        },
        /// A session with a member is ready.
        MemberReady = 34 {
            /// Which member.
            member: MemberId,
            /// Its address.
            address: wire::Member,
            /// The ALPN id that it has selected, if TLS was used and it selected one.
            alpn: Option<String>,
        },
        /// A link failed or was lost.
        MemberUnavailable = 35 {
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
        Topology = 36 {
            /// Which cache.
            cache: CacheId,
            /// The id of the topology.
            id: u32,
            /// Its members.
            members: usize,
        },
        /// No member of the topology can be reached: operations go to the seeds, which forward them.
        Degraded = 37,
        /// A member of the topology can be reached again.
        Restored = 38,
        /// Another site's cluster is used from now on.
        SiteSwitched = 39 {
            /// The name of the site that was left; empty for the one of the settings' seeds.
            from: String,
            /// The name of the new one.
            to: String,
            /// Whether the machine did so by itself, because no member of the old one could be reached.
            automatic: bool,
        },
        /// A listener is registered: what happens from now on is told.
        ListenerRegistered = 40 {
            /// Which listener.
            listener: ListenerId,
            /// The member that serves it.
            member: MemberId,
        },
        /// A listener is registered anew, because its member was lost. What happened in between was missed, unless it
        /// includes the current state.
        ListenerMoved = 41 {
            /// Which listener.
            listener: ListenerId,
            /// The member that serves it now.
            member: MemberId,
        },
        /// A listener could not be registered, and is gone.
        ListenerFailed = 42 {
            /// Which listener.
            listener: ListenerId,
            /// The member that was asked last.
            member: Option<MemberId>,
            /// Why.
            error: ClusterError,
        },
        /// An event for a cache listener.
        Entry = 43 {
            /// Which listener.
            listener: ListenerId,
            /// The link that it came by: one that is not read holds up no operation.
            link: LinkId,
            /// The event.
            event: wire::Event,
        },
        /// An event for a counter listener.
        Counter = 44 {
            /// Which listener.
            listener: ListenerId,
            /// The link that it came by: one that is not read holds up no operation.
            link: LinkId,
            /// The event.
            event: wire::CounterEvent,
        },
        /// Which carriage is used with an endpoint, where the settings leave the choice: told when it is found, and
        /// again whenever another takes its place.
        CarriageChosen = 47 {
            /// The endpoint, `host:port`.
            endpoint: String,
            /// The name of the carriage, as in connection URIs.
            carriage: String,
            /// What the endpoint does not offer of what is better; empty if there is nothing.
            reason: String,
        },
        /// Which access path is used, where the settings leave the choice.
        AccessChosen = 48 {
            /// Its name, as in connection URIs.
            path: String,
            /// What it was chosen for.
            reason: String,
        },
        /// How many members are reached directly has changed, or why they are not all. Not told where members are simply dialled.
        Coverage = 49 {
            /// Members with a session that is ready.
            covered: usize,
            /// Members of the newest topology.
            members: usize,
            /// Why they are not the same; empty if they are.
            reason: String,
        },
        /// How a balancer chooses the member of a connection, as far as it was seen.
        BalancingRecognised = 50 {
            /// `round-robin`, `random`, `client-address` or `cookie`.
            balancing: String,
            /// What was seen.
            reason: String,
        },
        /// A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other
        /// members, which forward them. Reported once for each member.
        MemberNotAllowed = 51 {
            /// Which member.
            member: MemberId,
            /// Its address.
            address: wire::Member,
            /// The hosts that are allowed, and the property that sets them.
            reason: String,
        },
        /// A near cache keeps values from now on.
        NearCacheActive = 45 {
            /// Of which cache.
            cache: CacheId,
        },
        /// A near cache is empty and keeps nothing, because nobody tells of changes at the moment.
        NearCacheInactive = 46 {
            /// Of which cache.
            cache: CacheId,
            /// Why it stays so; `None` if it is being made active again.
            error: Option<ClusterError>,
        },
    }
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
    #[error("{operation} reached no member within {} ms{}{}", after.as_millis(), Because(reason), Fate(*operation, *applied))]
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
    /// Some parts of a bulk operation failed, and the others did not.
    #[error("{0}")]
    Partial(Arc<Partial>),
    /// Servers lost an iteration again and again.
    #[error("{operation} failed: servers lost the iteration {times} times without sending an entry")]
    IterationLost {
        /// The operation.
        operation: Operation,
        /// How often.
        times: u8,
    },
    /// The member that holds the state it speaks of is gone, and the state with it.
    #[error("{operation} belongs to a member that is gone{}", Fate(*operation, *applied))]
    MemberGone {
        /// The operation.
        operation: Operation,
        /// What may have become of it.
        applied: Applied,
    },
    /// The client was closed before the answer came.
    #[error("{operation} got no answer: the client was closed{}", Fate(*operation, *applied))]
    Closed {
        /// The operation.
        operation: Operation,
        /// What may have become of it.
        applied: Applied,
    },
}

/// A bulk operation of which not every part was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    /// The operation.
    pub operation: Operation,
    /// The parts that failed. What is not in them was done.
    pub failures: Vec<PartFailure>,
    /// What the other parts have read.
    pub entries: Vec<(Bytes, Bytes)>,
}

/// A part of a bulk operation that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct PartFailure {
    /// The member that it was sent to last.
    pub member: Option<MemberId>,
    /// Its keys.
    pub keys: Box<[Bytes]>,
    /// How it failed.
    pub error: ClusterError,
}

impl core::fmt::Display for Partial {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let keys: usize = self.failures.iter().map(|failure| failure.keys.len()).sum();
        write!(f, "{} failed for {keys} of its keys", self.operation)?;
        self.failures.iter().try_for_each(|failure| write!(f, "; {} keys: {}", failure.keys.len(), failure.error))
    }
}

impl ClusterError {
    /// What may have become of the operation; of a part of it in the worst case.
    pub fn applied(&self) -> Applied {
        match self {
            Self::Operation { error, attempts } => match error {
                // The server's errors say nothing of what it had done before.
                OperationError::Server { .. } => Applied::Unknown,
                OperationError::TimedOut { applied, .. }
                | OperationError::GivenUp { applied, .. }
                | OperationError::Disconnected { applied, .. } => {
                    if *attempts > 1 {
                        Applied::Unknown
                    } else {
                        *applied
                    }
                }
            },
            Self::Refused { .. } => Applied::No,
            Self::Unreachable { applied, .. } | Self::MemberGone { applied, .. } | Self::Closed { applied, .. } => {
                *applied
            }
            Self::Partial(_) | Self::IterationLost { .. } => Applied::Unknown,
        }
    }
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
