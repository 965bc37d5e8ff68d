//! What can go wrong, in four kinds that are never mixed.
//!
//! The caller misused the session: [`SubmitError`], returned at once. The server answered with an error:
//! [`OperationError::Server`], the session goes on. The server broke the protocol, or the path to it failed:
//! [`Disconnect`], the session is over, and each operation in flight learns what may have become of it.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::carriage::LinkEnd;
use crate::carriage::registry::Explained;
use crate::http1::{self, TunnelError};
use crate::http2::ErrorCode;
use crate::sasl::SaslError;
use crate::wire::{Effect, Operation, Status, Version, Violation};

/// Why an operation was not accepted. Nothing of it has been sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Too many operations are in flight, or too many bytes wait to be sent: not now.
    #[error(
        "{in_flight} operations are in flight and {send_bytes} bytes wait to be sent: try again when some are done"
    )]
    Full {
        /// Operations in flight.
        in_flight: usize,
        /// Bytes waiting.
        send_bytes: usize,
    },
    /// Negotiation or authentication is still going on.
    #[error("the session is not ready: negotiation or authentication is still going on")]
    NotReady,
    /// The session is over or ending.
    #[error("the session is closed")]
    Closed,
    /// The protocol version of the session doesn't have this operation.
    #[error("{operation} needs protocol version {since}, this session speaks {version}")]
    NotInVersion {
        /// The operation.
        operation: Operation,
        /// The first version that has it.
        since: Version,
        /// The session's version.
        version: Version,
    },
    /// GET_STREAM from an offset. Servers announce what is left of the value and then send all of it, so that nothing
    /// after it could be understood.
    #[error(
        "GET_STREAM from offset {offset} would break the session: servers answer it with more bytes than they announce; read from 0"
    )]
    OffsetBreaksStream {
        /// The offset.
        offset: u32,
    },
    /// A field is larger than its place on the wire.
    #[error("{field} is too large: {size}, at most {limit} fit on the wire")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// Its size.
        size: usize,
        /// The most that fits.
        limit: usize,
    },
}

/// Whether an operation without an answer may have been executed by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applied {
    /// It certainly was not: the server can't have received it whole.
    No,
    /// Nobody here can know.
    Unknown,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "it was not applied",
            Self::Unknown => "it may have been applied",
        })
    }
}

/// What to say of an operation's fate: nothing of one that only reads.
pub(crate) struct Fate(pub(crate) Operation, pub(crate) Applied);

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.row().effect == Effect::Reads { Ok(()) } else { write!(f, "; {}", self.1) }
    }
}

/// How an operation failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The server answered with an error; the session goes on.
    #[error("{operation} failed in the server: {status}: {message}")]
    Server {
        /// The operation.
        operation: Operation,
        /// The kind of error.
        status: Status,
        /// The server's words.
        message: String,
    },
    /// No answer came in time; the session goes on.
    #[error("{operation} got no answer within {} ms{}", after.as_millis(), Fate(*operation, *applied))]
    TimedOut {
        /// The operation.
        operation: Operation,
        /// How long it was waited for.
        after: Duration,
        /// What may have become of it.
        applied: Applied,
    },
    /// The endpoint between client and server gave the call up; the session goes on.
    #[error("{operation} was given up on its way to the server: {}{}", Explained(*code), Fate(*operation, *applied))]
    GivenUp {
        /// The operation.
        operation: Operation,
        /// Why.
        code: ErrorCode,
        /// What may have become of it.
        applied: Applied,
    },
    /// The session ended before the answer came.
    #[error("{operation} got no answer: {reason}{}", Fate(*operation, *applied))]
    Disconnected {
        /// The operation.
        operation: Operation,
        /// Why the session ended.
        reason: Arc<Disconnect>,
        /// What may have become of it.
        applied: Applied,
    },
}

impl OperationError {
    /// Whether the operation has certainly not been executed.
    pub(crate) fn was_not_applied(&self) -> bool {
        matches!(self, Self::Disconnected { applied: Applied::No, .. } | Self::GivenUp { applied: Applied::No, .. })
    }
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The host asked for it.
    #[error("the session was closed")]
    Closed,
    /// The link is gone; the text is the host's.
    #[error("the connection was lost: {0}")]
    LinkLost(String),
    /// The proxy that leads to the server did not give a tunnel.
    #[error("{0}")]
    Proxy(TunnelError),
    /// The endpoint between client and server gave up a call of the handshake.
    #[error("the endpoint gave the handshake up: {}", Explained(*.0))]
    CallGivenUp(ErrorCode),
    /// What carries the session over HTTP is over, or refused it.
    #[error("{0}")]
    Carriage(LinkEnd),
    /// Another member answers than the one that was asked for.
    #[error("another member answered: {answered}")]
    OtherMember {
        /// What it says of itself.
        answered: String,
    },
    /// A server names a member at a host that the user has not: no link is opened to it.
    #[error("{member} is not within member_hosts ({allowed}) and is not dialled; member_hosts=… allows other hosts")]
    MemberNotAllowed {
        /// The member's address.
        member: String,
        /// The hosts in force.
        allowed: String,
    },
    /// The endpoint or the member can't be written into a request.
    #[error("no tunnel can be asked for: {0}")]
    Request(http1::Misuse),
    /// The server broke the protocol.
    #[error("the server broke the protocol: {0}")]
    Violation(Violation),
    /// The server reports that it could not read what was sent; it can't be known any more what it makes of the rest.
    #[error("the server could not read a request: {status}: {message}")]
    ServerLostTrack {
        /// The kind of error.
        status: Status,
        /// The server's words.
        message: String,
    },
    /// Negotiation and authentication took too long.
    #[error("no session after {} ms: the server did not complete the {stage}", after.as_millis())]
    HandshakeTimedOut {
        /// What was waited for.
        stage: &'static str,
        /// How long.
        after: Duration,
    },
    /// With operations in flight nothing was received for too long.
    #[error("nothing was received for {} ms with {in_flight} operations in flight", after.as_millis())]
    Stalled {
        /// Operations in flight.
        in_flight: usize,
        /// How long nothing came.
        after: Duration,
    },
    /// The server doesn't speak a protocol version that the client may use.
    #[error("the server does not speak protocol version {wanted}: {detail}")]
    VersionRefused {
        /// The version asked for: the oldest that was tried.
        wanted: Version,
        /// What the server said.
        detail: String,
    },
    /// The server refused the PING of the handshake.
    #[error("the server refused the handshake: {status}: {message}")]
    Refused {
        /// The kind of error.
        status: Status,
        /// The server's words.
        message: String,
    },
    /// The server refused the credentials.
    #[error("authentication as {username:?} by {mechanism} failed: {message}")]
    AuthenticationFailed {
        /// The user.
        username: String,
        /// The mechanism.
        mechanism: &'static str,
        /// The server's words.
        message: String,
    },
    /// Authentication could not be carried out, or the server did not prove itself.
    #[error("authentication: {0}")]
    Sasl(SaslError),
}
