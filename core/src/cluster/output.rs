//! What a machine tells its host.
//!
//! `outputs!` and `events!` hold the declarations, for two macros: `declare!` makes the enums, and `shapes!` of
//! [`vocabulary`](crate::vocabulary) makes the shapes for other languages.

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
use super::operations::operation::OperationId;
use super::startup::StartError;
use super::transport::dial::{Dial, Tls};
use super::transport::link::LinkId;
use crate::session::{Applied, Disconnect, Fate, OperationError};
use crate::wire::{self, IterationEntry, Operation, Reply};

/// Makes the enum of a declaration. Its numbers are those of the shapes.
macro_rules! declare {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $variant:ident = $tag:literal $({
                    $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)*
                })?,
            )*
        }
        $(further $(#[doc = $inner_doc:literal])+ $inner:ident($inner_type:ty))?
    ) => {
        $(#[$meta])*
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[doc = $doc])+
                $variant $({
                    $($(#[doc = $field_doc])+ $field: $type,)*
                })?,
            )*
            $($(#[doc = $inner_doc])+ $inner($inner_type),)?
        }
    };
}

/// Passes the declaration of [`Output`] to another macro.
macro_rules! outputs {
    ($then:ident) => {
        $then! {
            /// Action for the host, or information. Large parts are boxed: outputs are moved several times.
            #[derive(Debug, Clone, PartialEq)]
            pub enum Output {
                /// Establish a connection, then call [`handle_connected`](super::Cluster::handle_connected) or
                /// [`handle_link_lost`](super::Cluster::handle_link_lost).
                Connect = 1 {
                    /// Identity of the new link.
                    link: LinkId,
                    /// The member that is to answer; a seed before it is identified.
                    member: MemberId,
                    /// Settings of the connection.
                    dial: Box<Dial>,
                    /// Time after which the machine gives it up.
                    timeout: Duration,
                },
                /// Establish TLS on the present connection, then call [`handle_connected`](super::Cluster::handle_connected) again, or
                /// [`handle_link_lost`](super::Cluster::handle_link_lost). Nothing is left to send or to receive before it.
                StartTls = 2 {
                    /// The link.
                    link: LinkId,
                    /// Settings of TLS.
                    tls: Box<Tls>,
                },
                /// The link has bytes to send: write [`transmit`](super::Cluster::transmit) until it is empty.
                Transmit = 3 {
                    /// The link.
                    link: LinkId,
                },
                /// Stop reading from the link: backpressure of a listener whose events the application has not taken. Bytes that are read
                /// all the same are kept.
                Pause = 4 {
                    /// The link.
                    link: LinkId,
                },
                /// Read from the link again.
                Resume = 5 {
                    /// The link.
                    link: LinkId,
                },
                /// Close the connection, or stop establishing it. The last output about the link. Bytes that say why it ends are reported by
                /// `Transmit` before; the host has one second to send them.
                Close = 6 {
                    /// The link.
                    link: LinkId,
                },
                /// An operation has completed. Each submitted operation has exactly one, unless it is cancelled.
                Completed = 7 {
                    /// Identity from [`submit`](super::Cluster::submit).
                    id: OperationId,
                    /// Kind of the operation.
                    operation: Operation,
                    /// The member that answered, or the last one that was tried.
                    member: Option<MemberId>,
                    /// The reply, or the error.
                    result: Result<Reply, ClusterError>,
                },
                /// The next entries of an iteration. An empty list or an error ends the iteration.
                Entries = 8 {
                    /// The iteration.
                    id: IterationId,
                    /// The entries, or the error.
                    result: Result<Vec<IterationEntry>, ClusterError>,
                },
            }
            further
                /// Information that no call requested.
                Event(Event)
        }
    };
}
pub(crate) use outputs;
outputs!(declare);

/// Passes the declaration of [`Event`] to another macro.
macro_rules! events {
    ($then:ident) => {
        $then! {
            /// Information about the cluster, the connections and the listeners.
            #[derive(Debug, Clone, PartialEq)]
            pub enum Event {
                /// The first member is ready: the result of [`start`](super::Cluster::start).
                Started = 32,
                /// No server could be reached, or none accepts the session: the other result of [`start`](super::Cluster::start).
                StartFailed = 33 {
                    /// The reason.
                    error: StartError,
                },
                /// A session with a member is ready.
                MemberReady = 34 {
                    /// The member.
                    member: MemberId,
                    /// Address of the member.
                    address: wire::Member,
                    /// ALPN id that the server selected; `None` without TLS or without a selection.
                    alpn: Option<String>,
                },
                /// A link failed or was lost.
                MemberUnavailable = 35 {
                    /// The member.
                    member: MemberId,
                    /// Address of the member.
                    address: wire::Member,
                    /// The reason.
                    reason: Arc<Disconnect>,
                    /// Back-off: time until the next attempt.
                    retry_after: Duration,
                },
                /// A cache has a new view of the cluster.
                Topology = 36 {
                    /// The cache.
                    cache: CacheId,
                    /// Topology id; compare for equality only.
                    id: u32,
                    /// Number of members.
                    members: usize,
                },
                /// No member of the topology can be reached; operations go to the seeds, which forward them.
                Degraded = 37,
                /// A member of the topology can be reached again.
                Restored = 38,
                /// The client has switched to another site.
                SiteSwitched = 39 {
                    /// Name of the former site; empty for that of the settings' seeds.
                    from: String,
                    /// Name of the new site.
                    to: String,
                    /// Whether the machine switched by itself, because no member of the former site could be reached.
                    automatic: bool,
                },
                /// A listener is registered; its events follow.
                ListenerRegistered = 40 {
                    /// The listener.
                    listener: ListenerId,
                    /// The member that sends its events.
                    member: MemberId,
                },
                /// A listener is registered again after the loss of its member. Events in between were missed, unless the listener
                /// includes the current state.
                ListenerMoved = 41 {
                    /// The listener.
                    listener: ListenerId,
                    /// The member that sends its events now.
                    member: MemberId,
                },
                /// A listener could not be registered, and is removed.
                ListenerFailed = 42 {
                    /// The listener.
                    listener: ListenerId,
                    /// The last member that was tried.
                    member: Option<MemberId>,
                    /// The reason.
                    error: ClusterError,
                },
                /// An event for a cache listener.
                Entry = 43 {
                    /// The listener.
                    listener: ListenerId,
                    /// The link that brought it. Listeners have links of their own: pausing one holds up no operation.
                    link: LinkId,
                    /// The event.
                    event: wire::Event,
                },
                /// An event for a counter listener.
                Counter = 44 {
                    /// The listener.
                    listener: ListenerId,
                    /// The link that brought it. Listeners have links of their own: pausing one holds up no operation.
                    link: LinkId,
                    /// The event.
                    event: wire::CounterEvent,
                },
                /// The carriage of an endpoint, where the settings leave the choice: reported when it is found, and again when it
                /// changes.
                CarriageChosen = 47 {
                    /// The endpoint, `host:port`.
                    endpoint: String,
                    /// Name of the carriage, as in connection URIs.
                    carriage: String,
                    /// Reason for which a better carriage is not used; empty if there is none.
                    reason: String,
                },
                /// The access path, where the settings leave the choice.
                AccessChosen = 48 {
                    /// Name of the access path, as in connection URIs.
                    path: String,
                    /// The reason for the choice.
                    reason: String,
                },
                /// The number of directly reached members has changed, or the reason for a difference. Not reported where members are dialled directly.
                Coverage = 49 {
                    /// Number of members with a ready session.
                    covered: usize,
                    /// Number of members of the newest topology.
                    members: usize,
                    /// Reason for the difference; empty if there is none.
                    reason: String,
                },
                /// The balancing algorithm of the endpoint, as far as connections have shown it.
                BalancingRecognised = 50 {
                    /// `round-robin`, `random`, `client-address` or `cookie`.
                    balancing: String,
                    /// The observation that shows it.
                    reason: String,
                },
                /// A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other
                /// members, which forward them. Reported once for each member.
                MemberNotAllowed = 51 {
                    /// The member.
                    member: MemberId,
                    /// Address of the member.
                    address: wire::Member,
                    /// The allowed hosts, and the property that sets them.
                    reason: String,
                },
                /// The server's conversion of keys of a media type is not known: operations go to any member, which forwards
                /// them (counter `unrouted`). Reported once for each cache and media type.
                KeysNotRouted = 52 {
                    /// The cache.
                    cache: CacheId,
                    /// Media type that the client declares for its keys.
                    declared: String,
                    /// Media type in which the cache stores keys; `unspecified` if it declares none, and empty if the server does
                    /// not tell it.
                    stored: String,
                    /// Why, and what to do.
                    reason: String,
                },
                /// A near cache keeps values from now on.
                NearCacheActive = 45 {
                    /// The cache.
                    cache: CacheId,
                },
                /// A near cache is emptied and keeps no values, because no member sends its events at the moment.
                NearCacheInactive = 46 {
                    /// The cache.
                    cache: CacheId,
                    /// Reason for which it stays so; `None` while it is registered again.
                    error: Option<ClusterError>,
                },
            }
        }
    };
}
pub(crate) use events;
events!(declare);

/// Reason for which an operation was rejected. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Too many operations wait for a member; retry later.
    #[error("{waiting} operations wait for a member: try again when some are done")]
    Full {
        /// Number of waiting operations.
        waiting: usize,
    },
    /// The client is closed.
    #[error("the client is closed")]
    Closed,
    /// The cache belongs to another machine.
    #[error("the cache belongs to another client")]
    ForeignCache,
    /// There is not one storage key for each key of the request.
    #[error("storage keys: expected {keys}, one for each key, got {storage_keys}")]
    StorageKeys {
        /// Number of keys.
        keys: usize,
        /// Number of storage keys.
        storage_keys: usize,
    },
}

/// Reason for which an operation failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The last attempt failed, and another was not allowed or not possible.
    #[error("{error}{}", Attempts(*attempts))]
    Operation {
        /// Error of the last attempt.
        error: OperationError,
        /// Number of attempts that reached a member.
        attempts: u8,
    },
    /// The session rejected it: nothing was sent.
    #[error("{operation} was not sent: {error}")]
    Refused {
        /// Failed operation.
        operation: Operation,
        /// The reason.
        error: crate::session::SubmitError,
    },
    /// The session was lost for which this request is blamed, because of its size or because nothing else was in flight.
    #[error("{0}")]
    LostWhileSending(Box<LostRequest>),
    /// The request is larger than the settings or the servers allow: nothing was sent, at least the last time.
    #[error("{operation} was not sent: its {bytes} bytes are {limit}{}", Fate(*operation, *applied))]
    RequestTooLarge {
        /// Failed operation.
        operation: Operation,
        /// Size of the request's keys and values.
        bytes: usize,
        /// The limit that it exceeds.
        limit: SizeLimit,
        /// Whether an earlier attempt may have been executed.
        applied: Applied,
    },
    /// No member could be reached before the deadline.
    #[error("{operation} reached no member within {} ms{}{}", after.as_millis(), Because(failures), Fate(*operation, *applied))]
    Unreachable {
        /// Failed operation.
        operation: Operation,
        /// Time since the submission.
        after: Duration,
        /// Whether an earlier attempt may have been executed.
        applied: Applied,
        /// The last failure of each member and seed that could not be reached.
        failures: Arc<[MemberFailure]>,
    },
    /// Some parts of a bulk operation failed, and the others succeeded.
    #[error("{0}")]
    Partial(Arc<Partial>),
    /// Servers lost an iteration repeatedly, or sent nothing but entries that they had sent before.
    #[error("{operation} failed: servers lost the iteration {times} times without sending a new entry")]
    IterationLost {
        /// Failed operation.
        operation: Operation,
        /// Number of losses.
        times: u8,
    },
    /// The member that holds the state of the operation is gone, and the state with it.
    #[error("{operation} belongs to a member that is gone{}", Fate(*operation, *applied))]
    MemberGone {
        /// Failed operation.
        operation: Operation,
        /// Whether it may have been executed.
        applied: Applied,
    },
    /// The client was closed before the reply.
    #[error("{operation} got no answer: the client was closed{}", Fate(*operation, *applied))]
    Closed {
        /// Failed operation.
        operation: Operation,
        /// Whether it may have been executed.
        applied: Applied,
    },
}

/// The failure of one member.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MemberFailure {
    /// Address of the member, or of a seed.
    pub server: wire::Member,
    /// The reason.
    pub reason: Arc<Disconnect>,
}

impl core::fmt::Display for MemberFailure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &*self.reason {
            // These name the server.
            reason @ (Disconnect::NotConnected { .. } | Disconnect::MemberNotAllowed { .. }) => write!(f, "{reason}"),
            reason => write!(f, "{}: {reason}", self.server),
        }
    }
}

/// A limit on the size of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SizeLimit {
    /// [`Config::max_request_size`](super::Config::max_request_size), in bytes.
    #[error("more than max_request_size={0}")]
    Configured(usize),
    /// Servers cut the connection at a request of this size, in bytes, within the last minute.
    #[error("not less than the {0} at which servers have cut the connection; see the server's max-content-length")]
    Observed(usize),
}

/// A request with which sessions were lost.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LostRequest {
    /// Failed operation.
    pub operation: Operation,
    /// Size of the request's keys and values.
    pub bytes: usize,
    /// The server of the last attempt.
    pub server: Option<wire::Member>,
    /// Reason for the end of the last session.
    pub reason: Arc<Disconnect>,
    /// Whether the request may have been executed.
    pub applied: Applied,
    /// Number of attempts that reached a member.
    pub attempts: u8,
    /// Whether its size may be the reason.
    pub hints_at_limit: bool,
}

impl core::fmt::Display for LostRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: the connection was lost while sending {} bytes", self.operation, self.bytes)?;
        if let Some(server) = &self.server {
            write!(f, " to {server}")?;
        }
        match &*self.reason {
            Disconnect::LinkLost(why) => write!(f, ": {why}")?,
            reason => write!(f, ": {reason}")?,
        }
        if self.hints_at_limit {
            f.write_str("; see the server's max-content-length")?;
        }
        write!(f, "{}{}", Fate(self.operation, self.applied), Attempts(self.attempts))
    }
}

/// A bulk operation that succeeded in part.
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    /// Failed operation.
    pub operation: Operation,
    /// The failed parts; all other keys succeeded.
    pub failures: Vec<PartFailure>,
    /// Entries read by the other parts.
    pub entries: Vec<(Bytes, Bytes)>,
}

/// A failed part of a bulk operation.
#[derive(Debug, Clone, PartialEq)]
pub struct PartFailure {
    /// The member to which it was last sent.
    pub member: Option<MemberId>,
    /// Keys of the part.
    pub keys: Box<[Bytes]>,
    /// The reason.
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
    /// Whether the message names the servers that are involved, or none is.
    pub fn names_servers(&self) -> bool {
        match self {
            Self::Partial(_) | Self::Refused { .. } | Self::RequestTooLarge { .. } | Self::LostWhileSending(_) => true,
            Self::Unreachable { failures, .. } => !failures.is_empty(),
            Self::Operation { .. } | Self::IterationLost { .. } | Self::MemberGone { .. } | Self::Closed { .. } => {
                false
            }
        }
    }

    /// Whether the operation may have been executed; for parts, the worst case.
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
            Self::LostWhileSending(lost) => lost.applied,
            Self::Refused { .. } => Applied::No,
            Self::Unreachable { applied, .. }
            | Self::RequestTooLarge { applied, .. }
            | Self::MemberGone { applied, .. }
            | Self::Closed { applied, .. } => *applied,
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

/// Number of failures that a message lists.
const LISTED_FAILURES: usize = 5;

struct Because<'a>(&'a [MemberFailure]);

impl core::fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, failure) in self.0.iter().take(LISTED_FAILURES).enumerate() {
            write!(f, "{} {failure}", if index == 0 { ":" } else { ";" })?;
        }
        match self.0.len().saturating_sub(LISTED_FAILURES) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
