//! The frames of RFC 9113, section 6, and any other frame as type, flags, stream and payload.
//!
//! [`FrameDecoder`] takes bytes in any pieces; payloads come out as slices of its receive buffer. Each frame is checked
//! for what can be known from it alone: its length, its stream identifier, its padding, values of settings. What
//! depends on the state of a stream or a connection is the business of [`Connection`](super::Connection).

mod decoder;
mod encode;
mod error;
mod head;
mod parse;

use bytes::{BufMut, Bytes, BytesMut};

use super::{ErrorCode, StreamId};

pub use decoder::FrameDecoder;
pub use encode::PayloadTooLarge;
pub(crate) use encode::{
    put_data_head, put_goaway, put_head, put_header_block, put_ping, put_rst_stream, put_settings, put_settings_ack,
    put_window_update,
};
pub use error::FrameError;
pub use head::{FrameHead, FrameKind, flag};

/// A frame. Fields are those of RFC 9113, 6; padding is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Content of a request or a response (6.1).
    Data {
        /// The stream.
        stream: StreamId,
        /// The content.
        data: Bytes,
        /// Octets of padding, its length included, 0 to 256: they count for flow control. Never written.
        padding: u16,
        /// Whether the stream ends with it.
        end_stream: bool,
    },
    /// Opens a stream, or carries its response or its trailers (6.2).
    Headers {
        /// The stream.
        stream: StreamId,
        /// The deprecated signal of priority.
        priority: Option<Priority>,
        /// A field block, or the beginning of one.
        fragment: Bytes,
        /// Whether the stream ends with it.
        end_stream: bool,
        /// Whether the field block ends here; if not, CONTINUATION follows.
        end_headers: bool,
    },
    /// Deprecated (6.3).
    Priority {
        /// The stream.
        stream: StreamId,
        /// What it says.
        priority: Priority,
    },
    /// The stream is over at once (6.4).
    RstStream {
        /// The stream.
        stream: StreamId,
        /// Why.
        code: ErrorCode,
    },
    /// What the sender tells about itself (6.5).
    Settings(SettingsPayload),
    /// Settings of the receiver are in force at the sender (6.5.3).
    SettingsAck,
    /// Announces a pushed stream (6.6).
    PushPromise {
        /// The stream of the request.
        stream: StreamId,
        /// The stream promised.
        promised: StreamId,
        /// A field block, or the beginning of one.
        fragment: Bytes,
        /// Whether the field block ends here; if not, CONTINUATION follows.
        end_headers: bool,
    },
    /// Asks for an answer with the same eight octets (6.7).
    Ping {
        /// Whether it is the answer.
        ack: bool,
        /// The eight octets, as a number in network order.
        opaque: u64,
    },
    /// The connection is about to end (6.8).
    GoAway {
        /// No stream of the receiver above this one was or will be processed.
        last_stream: StreamId,
        /// Why.
        code: ErrorCode,
        /// Anything.
        debug: Bytes,
    },
    /// The receiver may send so many octets of DATA more (6.9).
    WindowUpdate {
        /// The stream, or the connection.
        stream: StreamId,
        /// 1 to 2^31-1.
        increment: u32,
    },
    /// More of a field block (6.10).
    Continuation {
        /// The stream.
        stream: StreamId,
        /// What comes next of the block.
        fragment: Bytes,
        /// Whether the field block ends here.
        end_headers: bool,
    },
    /// A frame of a type that RFC 9113 doesn't define (5.5).
    Extension {
        /// The stream, or the connection.
        stream: StreamId,
        /// The type.
        kind: FrameKind,
        /// The flags, whose meaning is the type's.
        flags: u8,
        /// The payload.
        payload: Bytes,
    },
}

/// The deprecated signal of priority (RFC 9113, 5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priority {
    /// The stream that this one depends on.
    pub dependency: StreamId,
    /// Whether it alone does.
    pub exclusive: bool,
    /// 1 to 256.
    pub weight: u16,
}

/// The settings of a SETTINGS frame, in order and not taken apart: reading them allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsPayload(Bytes);

impl SettingsPayload {
    /// Of these identifiers and values.
    pub fn new(settings: impl IntoIterator<Item = (u16, u32)>) -> Self {
        let mut payload = BytesMut::new();
        for (id, value) in settings {
            payload.put_u16(id);
            payload.put_u32(value);
        }
        Self(payload.freeze())
    }

    /// Identifiers and values, in the order in which they are to be processed (RFC 9113, 6.5.3).
    pub fn iter(&self) -> impl Iterator<Item = (u16, u32)> {
        self.0.chunks_exact(parse::SETTING_SIZE).map(|setting| {
            let (id, value) = setting.split_at(2);
            let value = value.iter().fold(0, |value, octet| value << 8 | u32::from(*octet));
            (u16::from(id[0]) << 8 | u16::from(id[1]), value)
        })
    }
}
