//! Errors of four kinds, which are never mixed.
//!
//! A mistake of the caller is a [`SubmitError`], returned at once. An error from the server is
//! [`OperationError::Server`], and the session continues. A protocol violation of the server or a failure of the path
//! is a [`Disconnect`]: the session is over, and each operation in flight fails with [`Applied`].

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::carriage::LinkEnd;
use crate::carriage::registry::Explained;
use crate::http1::{self, TunnelError};
use crate::http2::ErrorCode;
use crate::sasl::SaslError;
use crate::wire::{Effect, Operation, Problem, Status, Version, Violation};

/// Reason for which an operation was rejected. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Too many operations are in flight, or too many bytes wait to be sent; retry later.
    #[error(
        "{in_flight} operations are in flight and {send_bytes} bytes wait to be sent: try again when some are done"
    )]
    Full {
        /// Number of operations in flight.
        in_flight: usize,
        /// Number of bytes waiting to be sent.
        send_bytes: usize,
    },
    /// Negotiation or authentication is not complete.
    #[error("the session is not ready: negotiation or authentication is still going on")]
    NotReady,
    /// The session is closed or draining.
    #[error("the session is closed")]
    Closed,
    /// The session's protocol version does not have the operation.
    #[error("{operation} needs protocol version {since}, this session speaks {version}")]
    NotInVersion {
        /// Rejected operation.
        operation: Operation,
        /// First version that has it.
        since: Version,
        /// Version of the session.
        version: Version,
    },
    /// The protocol version of the session no longer has this operation: servers can't read its request.
    #[error("protocol version {version}, which this session speaks, no longer has {operation}")]
    GoneInVersion {
        /// The operation.
        operation: Operation,
        /// The session's version.
        version: Version,
    },
    /// A lifespan or maximum idle time of more than 30 days before 3.0: servers read it as a time since 1970, and the entry
    /// would expire at once.
    #[error(
        "a lifetime of {milliseconds} ms needs protocol version 3.0, this session speaks {version}: before, servers read more than 30 days as a date; use at most 30 days or no end"
    )]
    LifetimeNotInVersion {
        /// Rejected operation.
        operation: Operation,
        /// Lifetime in milliseconds, rounded up.
        milliseconds: u64,
        /// Version of the session.
        version: Version,
    },
    /// GET_STREAM from an offset. Servers announce the length of the rest of the value but send all of it, so the
    /// bytes behind it could not be decoded.
    #[error(
        "GET_STREAM from offset {offset} would break the session: servers answer it with more bytes than they announce; read from 0"
    )]
    OffsetBreaksStream {
        /// Rejected offset.
        offset: u32,
    },
    /// A field exceeds its limit on the wire.
    #[error("{field} is too large: {size}, at most {limit} fit on the wire")]
    TooLarge {
        /// Name of the field.
        field: &'static str,
        /// Size of the field, in bytes or items.
        size: usize,
        /// Largest allowed size.
        limit: usize,
    },
}

/// Whether the server may have executed an operation without a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applied {
    /// Not executed: the server can't have received the whole request.
    No,
    /// Unknown.
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

/// Text about [`Applied`] for a message; empty for a read operation.
pub(crate) struct Fate(pub(crate) Operation, pub(crate) Applied);

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.row().effect == Effect::Reads { Ok(()) } else { write!(f, "; {}", self.1) }
    }
}

/// Reason for which an operation failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The server replied with an error; the session continues.
    #[error("{operation} failed in the server: {status}: {message}")]
    Server {
        /// Failed operation.
        operation: Operation,
        /// Status of the reply.
        status: Status,
        /// Error message of the server.
        message: String,
    },
    /// No reply arrived before the deadline; the session continues.
    #[error("{operation} got no answer within {} ms{}", after.as_millis(), Fate(*operation, *applied))]
    TimedOut {
        /// Failed operation.
        operation: Operation,
        /// Time since the submission.
        after: Duration,
        /// Whether the server may have executed it.
        applied: Applied,
    },
    /// The endpoint between client and server gave the call up; the session continues.
    #[error("{operation} was given up on its way to the server: {}{}", Explained(*code), Fate(*operation, *applied))]
    GivenUp {
        /// Failed operation.
        operation: Operation,
        /// Error code of the endpoint.
        code: ErrorCode,
        /// Whether the server may have executed it.
        applied: Applied,
    },
    /// The session ended before the reply.
    #[error("{operation} got no answer: {reason}{}", Fate(*operation, *applied))]
    Disconnected {
        /// Failed operation.
        operation: Operation,
        /// Reason for the end of the session.
        reason: Arc<Disconnect>,
        /// Whether the server may have executed it.
        applied: Applied,
    },
}

/// Code of Infinispan's message "Cache '…' is not ready" (Log.java of its server, 16.0.7).
const CACHE_NOT_READY: &str = "ISPN005066";

impl OperationError {
    /// Whether the operation was certainly not executed.
    pub(crate) fn was_not_applied(&self) -> bool {
        matches!(self, Self::Disconnected { applied: Applied::No, .. } | Self::GivenUp { applied: Applied::No, .. })
            || self.is_cache_starting()
    }

    /// Whether the server has the cache, but has not started it yet. Servers look at that before they execute an operation; a
    /// task may have met it half-way.
    pub(crate) fn is_cache_starting(&self) -> bool {
        matches!(self, Self::Server { operation, status: Status::SERVER_ERROR, message }
            if *operation != Operation::Exec && message.contains(CACHE_NOT_READY))
    }
}

/// A protocol that a server speaks in place of Hot Rod, recognised by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtherProtocol {
    /// A TLS record: the server expects TLS on this port.
    #[error("the server answered with TLS: does it want TLS (hotrods://)?")]
    Tls,
    /// A response of HTTP/1.1, or a frame of HTTP/2.
    #[error("the server answered with HTTP: is this the port of Hot Rod, or does it want carriage=auto?")]
    Http,
}

impl OtherProtocol {
    /// Recognises a protocol by the violation of a server's first byte.
    pub(super) fn of(violation: &Violation) -> Option<Self> {
        let Problem::Unexpected { value, .. } = &violation.problem else { return None };
        match u8::try_from(*value).ok().filter(|_| violation.offset == 0)? {
            // Content types of RFC 8446, B.1.
            20..=24 => Some(Self::Tls),
            // `HTTP/1.1`, or the length of a SETTINGS frame.
            b'H' | 0 => Some(Self::Http),
            _ => None,
        }
    }
}

/// Reason for the end of a session.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The host closed the session.
    #[error("the session was closed")]
    Closed,
    /// The link was lost; the text is the host's.
    #[error("the connection was lost: {0}")]
    LinkLost(String),
    /// No connection could be established; the reason is the host's.
    #[error("could not connect to {endpoint}: {why}")]
    NotConnected {
        /// The endpoint, `host:port`.
        endpoint: String,
        /// Reason of the host.
        why: String,
    },
    /// The forward proxy refused the tunnel.
    #[error("{0}")]
    Proxy(TunnelError),
    /// The endpoint between client and server gave up a call of the handshake.
    #[error("the endpoint gave the handshake up: {}", Explained(*.0))]
    CallGivenUp(ErrorCode),
    /// The session's carriage over HTTP has ended, or refused the session.
    #[error("{0}")]
    Carriage(LinkEnd),
    /// Another member than the requested one replied.
    #[error("another member answered: {answered}")]
    OtherMember {
        /// Identity of the member that replied.
        answered: String,
    },
    /// A server named a member whose host is not allowed by the user's settings; no link is opened to it.
    #[error("{member} is not within member_hosts ({allowed}) and is not dialled; member_hosts=… allows other hosts")]
    MemberNotAllowed {
        /// Address of the member.
        member: String,
        /// Allowed hosts.
        allowed: String,
    },
    /// The endpoint or the member is not valid in an HTTP request.
    #[error("no tunnel can be asked for: {0}")]
    Request(http1::Misuse),
    /// The server violated the protocol.
    #[error("the server broke the protocol: {0}")]
    Violation(Violation),
    /// The first bytes of the server belong to another protocol.
    #[error("{0}")]
    OtherProtocol(OtherProtocol),
    /// The server could not read a request, so its interpretation of the following bytes is unknown.
    #[error("the server could not read a request: {status}: {message}")]
    ServerLostTrack {
        /// Status of the reply.
        status: Status,
        /// Error message of the server.
        message: String,
    },
    /// The handshake timeout expired.
    #[error("no session after {} ms: the server did not complete the {stage}", after.as_millis())]
    HandshakeTimedOut {
        /// Stage of the handshake.
        stage: &'static str,
        /// Time since the start of the session.
        after: Duration,
    },
    /// Nothing was received for too long while operations were in flight.
    #[error("nothing was received for {} ms with {in_flight} operations in flight", after.as_millis())]
    Stalled {
        /// Number of operations in flight.
        in_flight: usize,
        /// Time since the last received byte.
        after: Duration,
    },
    /// The server supports no protocol version that the client may use.
    #[error("the server does not speak protocol version {wanted}: {detail}")]
    VersionRefused {
        /// Requested version: the oldest that was tried.
        wanted: Version,
        /// Explanation of the server.
        detail: String,
    },
    /// The server refused the PING of the handshake.
    #[error("the server refused the handshake: {status}: {message}")]
    Refused {
        /// Status of the reply.
        status: Status,
        /// Error message of the server.
        message: String,
    },
    /// The server refused the credentials.
    #[error("authentication as {username:?} by {mechanism} failed: {message}")]
    AuthenticationFailed {
        /// User name of the credentials.
        username: String,
        /// SASL mechanism in use.
        mechanism: &'static str,
        /// Error message of the server.
        message: String,
    },
    /// Authentication failed on the client's side, or the server did not prove its identity.
    #[error("authentication: {0}")]
    Sasl(SaslError),
}
