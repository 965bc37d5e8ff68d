//! What a connection tells its host.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::hpack::Field;
use super::{ErrorCode, StreamId};

/// What happened on a connection.
///
/// Events of one stream come in the order of its frames. After [`reset`](super::Connection::reset) none of that stream
/// comes any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer has told its settings, for the first time or others than before; see
    /// [`peer_settings`](super::Connection::peer_settings).
    Settings,
    /// A request has come. Servers only.
    Request {
        /// The stream, which the peer has opened.
        stream: StreamId,
        /// Pseudo-header fields, and then the others.
        fields: Vec<Field>,
        /// Whether nothing follows.
        end_stream: bool,
    },
    /// The final response to a request. Clients only.
    Response {
        /// The stream.
        stream: StreamId,
        /// `:status`, and then the others.
        fields: Vec<Field>,
        /// Whether nothing follows.
        end_stream: bool,
    },
    /// An interim response, of status 1xx. Clients only.
    Interim {
        /// The stream.
        stream: StreamId,
        /// `:status`, and then the others.
        fields: Vec<Field>,
    },
    /// Content. It counts against the windows until it is [released](super::Connection::release).
    Data {
        /// The stream.
        stream: StreamId,
        /// A slice of the receive buffer; empty only if `end_stream`.
        data: Bytes,
        /// Whether nothing follows.
        end_stream: bool,
    },
    /// Trailers; nothing follows on the stream.
    Trailers {
        /// The stream.
        stream: StreamId,
        /// The fields.
        fields: Vec<Field>,
    },
    /// The stream is over before its end, and what was not sent of it is dropped.
    Reset {
        /// The stream.
        stream: StreamId,
        /// Why. REFUSED_STREAM: nothing has been done with the request.
        code: ErrorCode,
        /// Whether the peer said so; if not, it has broken the protocol on this stream and was told the code.
        by_peer: bool,
    },
    /// There is room again for DATA of this stream, after [`send_data`](super::Connection::send_data) was refused or
    /// has used it up.
    Writable {
        /// The stream.
        stream: StreamId,
    },
    /// A frame of a [registered](super::Config::extension_frames) type.
    Extension {
        /// The stream, or the connection.
        stream: StreamId,
        /// The type.
        kind: u8,
        /// The flags.
        flags: u8,
        /// A slice of the receive buffer.
        payload: Bytes,
    },
    /// Such a frame where RFC 9113, 5.1 has none but its own. What becomes of it is the business of whoever has registered
    /// the type: nothing was done about it.
    StrayExtension {
        /// The stream.
        stream: StreamId,
        /// What is the matter with the stream.
        place: Place,
        /// The type.
        kind: u8,
        /// The flags.
        flags: u8,
        /// A slice of the receive buffer.
        payload: Bytes,
    },
    /// The peer will end the connection. Streams above `last_stream` are reset with REFUSED_STREAM, by events of their
    /// own, and no more can be opened; the others go on.
    GoAway {
        /// The last stream that the peer has looked at or will.
        last_stream: StreamId,
        /// Why; NO_ERROR for a graceful end.
        code: ErrorCode,
        /// Anything, for people.
        debug: Bytes,
    },
    /// After [`drain`](super::Connection::drain) no stream is left: the connection can be closed.
    Drained,
    /// The connection is over, and every stream with it. The last event.
    Closed(Reason),
}

/// Where a [stray](Event::StrayExtension) extension frame has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// On a stream that was never opened.
    Idle,
    /// Behind the peer's END_STREAM, on a stream whose other half is open.
    Ended,
    /// On a stream that is closed. It may have crossed the end on its way.
    Closed,
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The host has closed it.
    Closed {
        /// With this code.
        code: ErrorCode,
    },
    /// The link is gone.
    LinkLost,
    /// The peer broke the protocol, or asks too much.
    Violation {
        /// What the peer was told.
        code: ErrorCode,
        /// What it did.
        what: &'static str,
    },
    /// The peer did not tell its settings, or did not acknowledge ours, in time.
    SettingsTimeout,
    /// The peer is silent (see [`KeepAlive`](super::KeepAlive)).
    KeepAliveTimeout,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code } => write!(f, "the connection was closed with {code}"),
            Self::LinkLost => f.write_str("the link was lost"),
            Self::Violation { code, what } => write!(f, "the peer broke HTTP/2: {what} ({code})"),
            Self::SettingsTimeout => f.write_str("the peer did not tell its SETTINGS or acknowledge ours in time"),
            Self::KeepAliveTimeout => f.write_str("the peer has not answered a PING in time"),
        }
    }
}

impl Event {
    /// The stream that it is about.
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

    /// Bytes that it holds.
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
