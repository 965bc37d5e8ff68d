//! Events of a connection.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::hpack::Field;
use super::{ErrorCode, StreamId};

/// Event of a connection.
///
/// Events of one stream keep the order of its frames. After [`reset`](super::Connection::reset) no event of that
/// stream follows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// First or changed settings of the peer; see [`peer_settings`](super::Connection::peer_settings).
    Settings,
    /// A request, on a server.
    Request {
        /// Stream opened by the peer.
        stream: StreamId,
        /// Pseudo-header fields, followed by regular fields.
        fields: Vec<Field>,
        /// Whether the request is complete.
        end_stream: bool,
    },
    /// The final response, on a client.
    Response {
        /// Stream of the request.
        stream: StreamId,
        /// `:status`, followed by regular fields.
        fields: Vec<Field>,
        /// Whether the response is complete.
        end_stream: bool,
    },
    /// An interim response (1xx), on a client.
    Interim {
        /// Stream of the request.
        stream: StreamId,
        /// `:status`, followed by regular fields.
        fields: Vec<Field>,
    },
    /// Content. Counts against the windows until it is [released](super::Connection::release).
    Data {
        /// Stream of the content.
        stream: StreamId,
        /// Slice of the receive buffer; empty only with `end_stream`.
        data: Bytes,
        /// Whether the peer's side of the stream ends here.
        end_stream: bool,
    },
    /// Trailers, which end the peer's side of the stream.
    Trailers {
        /// Stream of the trailers.
        stream: StreamId,
        /// Trailer fields.
        fields: Vec<Field>,
    },
    /// The stream was reset; its unsent content is dropped.
    Reset {
        /// Stream that ended.
        stream: StreamId,
        /// Error code; with REFUSED_STREAM the request was not processed.
        code: ErrorCode,
        /// Whether the peer reset the stream; otherwise it violated the protocol on this stream and was sent the code.
        by_peer: bool,
    },
    /// [`send_data`](super::Connection::send_data) has capacity again, after it was rejected or used up the capacity.
    Writable {
        /// Stream with capacity.
        stream: StreamId,
    },
    /// Frame of a [registered](super::Config::extension_frames) type.
    Extension {
        /// Stream, or the connection.
        stream: StreamId,
        /// Type of the frame.
        kind: u8,
        /// Flags of the frame.
        flags: u8,
        /// Payload, a slice of the receive buffer.
        payload: Bytes,
    },
    /// Frame of a registered type in a stream state that allows none of RFC 9113, 5.1's own. The connection does
    /// nothing about it; the user who registered the type decides.
    StrayExtension {
        /// Stream of the frame.
        stream: StreamId,
        /// State of the stream.
        place: Place,
        /// Type of the frame.
        kind: u8,
        /// Flags of the frame.
        flags: u8,
        /// Payload, a slice of the receive buffer.
        payload: Bytes,
    },
    /// The peer is shutting the connection down. Streams above `last_stream` are reset with REFUSED_STREAM, by events
    /// of their own, and no further ones can be opened; the others continue.
    GoAway {
        /// Last stream that the peer has processed or will process.
        last_stream: StreamId,
        /// Error code; NO_ERROR for a graceful shutdown.
        code: ErrorCode,
        /// Diagnostic data.
        debug: Bytes,
    },
    /// All streams have ended after [`drain`](super::Connection::drain); close the connection.
    Drained,
    /// The connection and all its streams are closed. The last event.
    Closed(Reason),
}

/// State of the stream of a [stray](Event::StrayExtension) extension frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The stream was never opened.
    Idle,
    /// The peer sent END_STREAM, and the other half is open.
    Ended,
    /// The stream is closed. The frame may have crossed its end.
    Closed,
}

/// Reason for which a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The host closed it.
    Closed {
        /// Code passed by the host.
        code: ErrorCode,
    },
    /// The link was lost.
    LinkLost,
    /// The peer violated the protocol, or exceeded a limit.
    Violation {
        /// Code sent to the peer.
        code: ErrorCode,
        /// Description of the violation.
        detail: &'static str,
    },
    /// The peer's SETTINGS, or its acknowledgement of ours, did not arrive in time.
    SettingsTimeout,
    /// The peer sent nothing for too long (see [`KeepAlive`](super::KeepAlive)).
    KeepAliveTimeout,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code } => write!(f, "the connection was closed with {code}"),
            Self::LinkLost => f.write_str("the link was lost"),
            Self::Violation { code, detail } => write!(f, "the peer broke HTTP/2: {detail} ({code})"),
            Self::SettingsTimeout => f.write_str("the peer did not tell its SETTINGS or acknowledge ours in time"),
            Self::KeepAliveTimeout => f.write_str("the peer has not answered a PING in time"),
        }
    }
}

impl Event {
    /// Stream of the event.
    pub(crate) fn stream(&self) -> Option<StreamId> {
        match self {
            Self::Request { stream, .. }
            | Self::Response { stream, .. }
            | Self::Interim { stream, .. }
            | Self::Data { stream, .. }
            | Self::Trailers { stream, .. }
            | Self::Reset { stream, .. }
            | Self::Writable { stream }
            | Self::Extension { stream, .. } => Some(*stream),
            Self::Settings | Self::StrayExtension { .. } | Self::GoAway { .. } | Self::Drained | Self::Closed(_) => {
                None
            }
        }
    }

    /// Size of the bytes that the event holds.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Request { fields, .. }
            | Self::Response { fields, .. }
            | Self::Interim { fields, .. }
            | Self::Trailers { fields, .. } => fields.iter().map(Field::size).sum(),
            Self::Data { data, .. } => data.len(),
            Self::Extension { payload, .. } | Self::StrayExtension { payload, .. } => payload.len(),
            Self::GoAway { debug, .. } => debug.len(),
            Self::Settings | Self::Reset { .. } | Self::Writable { .. } | Self::Drained | Self::Closed(_) => 0,
        }
    }
}
