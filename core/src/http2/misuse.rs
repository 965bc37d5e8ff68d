//! Mistakes of the caller.

use super::frame::FrameKind;

/// Reason for which a request was rejected. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The peer's limit of concurrent streams is reached; retry later.
    #[error("{limit} streams are open, and the peer allows no more")]
    TooManyStreams {
        /// Limit of the peer; 100 before its first SETTINGS.
        limit: u32,
    },
    /// Too many bytes wait to be sent; retry later.
    #[error("too many bytes wait to be sent")]
    Full,
    /// The peer sent GOAWAY, or the connection is draining; use another connection.
    #[error("the connection takes no more requests")]
    GoingAway,
    /// All stream identifiers are used; use another connection.
    #[error("the connection has no more stream identifiers")]
    NoMoreStreamIds,
    /// The connection is closed.
    #[error("the connection is closed")]
    Closed,
    /// Only clients send requests.
    #[error("a server makes no requests")]
    NotAClient,
    /// `:protocol` requires a peer whose settings enable it (RFC 8441, 3).
    #[error("the peer has not enabled Extended CONNECT")]
    ExtendedConnectNotEnabled,
    /// The fields are not a valid request (RFC 9113, 8.2 and 8.3).
    #[error("not a request: {0}")]
    Malformed(&'static str),
    /// The fields exceed the peer's limit.
    #[error("the header list of {size} octets is larger than the peer's limit of {limit}")]
    HeaderListTooLarge {
        /// Size in bytes, with 32 for each field.
        size: usize,
        /// Limit of the peer.
        limit: u32,
    },
}

/// Reason for which a command was rejected. The connection is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The connection is closed.
    #[error("the connection is closed")]
    Closed,
    /// The stream does not exist, or no longer: the event of its end may be queued.
    #[error("no such stream")]
    NoSuchStream,
    /// Only servers send responses.
    #[error("a client makes no responses")]
    NotAServer,
    /// The final response was already sent.
    #[error("the stream has its response already")]
    AlreadyResponded,
    /// Content and trailers require a response before them.
    #[error("a response comes first")]
    NotYetResponded,
    /// The end of the stream was already sent.
    #[error("the stream's end has been sent")]
    Ended,
    /// The send queue is full; nothing was queued. Retry later.
    #[error("there is room for {capacity} octets")]
    Full {
        /// Free capacity in bytes.
        capacity: usize,
    },
    /// The fields are not a valid response, or not valid trailers (RFC 9113, 8.1 to 8.3).
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The fields exceed the peer's limit.
    #[error("the header list of {size} octets is larger than the peer's limit of {limit}")]
    HeaderListTooLarge {
        /// Size in bytes, with 32 for each field.
        size: usize,
        /// Limit of the peer.
        limit: u32,
    },
    /// The type is not one of [`extension_frames`](super::Config::extension_frames).
    #[error("{kind} is not registered")]
    NotRegistered {
        /// Type of the frame.
        kind: FrameKind,
    },
    /// The payload exceeds the peer's maximum frame size.
    #[error("a payload of {size} octets is larger than the peer's limit of {limit}")]
    PayloadTooLarge {
        /// Length of the payload in bytes.
        size: usize,
        /// Limit of the peer.
        limit: u32,
    },
}
