//! What depends on the caller alone.

use super::frame::FrameKind;

/// Why a request was not accepted. Nothing of it has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// As many streams are open as the peer allows: not now.
    #[error("{limit} streams are open, and the peer allows no more")]
    TooManyStreams {
        /// The peer's limit; 100 as long as it has told none.
        limit: u32,
    },
    /// Too many bytes wait to be sent: not now.
    #[error("too many bytes wait to be sent")]
    Full,
    /// The peer has said GOAWAY, or the connection is draining: another connection is needed.
    #[error("the connection takes no more requests")]
    GoingAway,
    /// All identifiers of streams are used up: another connection is needed.
    #[error("the connection has no more stream identifiers")]
    NoMoreStreamIds,
    /// The connection is over.
    #[error("the connection is closed")]
    Closed,
    /// Only a client makes requests.
    #[error("a server makes no requests")]
    NotAClient,
    /// `:protocol` needs a peer whose settings enable it (RFC 8441, 3).
    #[error("the peer has not enabled Extended CONNECT")]
    ExtendedConnectNotEnabled,
    /// The fields are not a request (RFC 9113, 8.2 and 8.3).
    #[error("not a request: {0}")]
    Malformed(&'static str),
    /// The fields are more than the peer accepts.
    #[error("the header list of {size} octets is larger than the peer's limit of {limit}")]
    HeaderListTooLarge {
        /// Octets, with 32 for each field.
        size: usize,
        /// The peer's limit.
        limit: u32,
    },
}

/// Why something was not done. The connection is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The connection is over.
    #[error("the connection is closed")]
    Closed,
    /// There is no such stream (any more): its end may wait among the events.
    #[error("no such stream")]
    NoSuchStream,
    /// Only a server responds.
    #[error("a client makes no responses")]
    NotAServer,
    /// The response has already begun.
    #[error("the stream has its response already")]
    AlreadyResponded,
    /// Content or trailers need a response before them.
    #[error("a response comes first")]
    NotYetResponded,
    /// The stream's end has already been sent.
    #[error("the stream's end has been sent")]
    Ended,
    /// There is no room: not now. Nothing was taken.
    #[error("there is room for {capacity} octets")]
    Full {
        /// Octets that there is room for.
        capacity: usize,
    },
    /// The fields are not a response, or not trailers (RFC 9113, 8.1 to 8.3).
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The fields are more than the peer accepts.
    #[error("the header list of {size} octets is larger than the peer's limit of {limit}")]
    HeaderListTooLarge {
        /// Octets, with 32 for each field.
        size: usize,
        /// The peer's limit.
        limit: u32,
    },
    /// The type is not among [`extension_frames`](super::Config::extension_frames).
    #[error("{kind} is not registered")]
    NotRegistered {
        /// The type.
        kind: FrameKind,
    },
    /// The payload is larger than the peer accepts.
    #[error("a payload of {size} octets is larger than the peer's limit of {limit}")]
    PayloadTooLarge {
        /// Octets.
        size: usize,
        /// The peer's limit.
        limit: u32,
    },
}
