//! The frames of RFC 9113, section 6, and all others as type, flags, stream and payload.
//!
//! [`FrameDecoder`] accepts bytes in chunks of any size; payloads are slices of its receive buffer. It checks each
//! frame in isolation: length, stream identifier, padding, values of settings. [`Connection`](super::Connection)
//! checks everything that depends on the state of a stream or a connection.

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

/// A frame with the fields of RFC 9113, 6; padding is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Content of a request or response (6.1).
    Data {
        /// Stream of the frame.
        stream: StreamId,
        /// Content bytes.
        data: Bytes,
        /// Length of the padding with its length field, 0 to 256 bytes, which counts for flow control. Ignored when
        /// writing.
        padding: u16,
        /// Whether the frame ends the stream.
        end_stream: bool,
    },
    /// Opens a stream, or carries its response or trailers (6.2).
    Headers {
        /// Stream of the frame.
        stream: StreamId,
        /// Deprecated priority signal.
        priority: Option<Priority>,
        /// Field block, or its first fragment.
        fragment: Bytes,
        /// Whether the frame ends the stream.
        end_stream: bool,
        /// Whether the field block is complete; otherwise CONTINUATION follows.
        end_headers: bool,
    },
    /// Deprecated priority signal (6.3).
    Priority {
        /// Stream of the frame.
        stream: StreamId,
        /// Priority of the stream.
        priority: Priority,
    },
    /// Terminates a stream immediately (6.4).
    RstStream {
        /// Stream of the frame.
        stream: StreamId,
        /// Reason for the reset.
        code: ErrorCode,
    },
    /// Settings of the sender (6.5).
    Settings(SettingsPayload),
    /// Acknowledges the receiver's settings (6.5.3).
    SettingsAck,
    /// Announces a pushed stream (6.6).
    PushPromise {
        /// Stream of the request.
        stream: StreamId,
        /// Promised stream.
        promised: StreamId,
        /// Field block, or its first fragment.
        fragment: Bytes,
        /// Whether the field block is complete; otherwise CONTINUATION follows.
        end_headers: bool,
    },
    /// Requests a reply with the same eight bytes (6.7).
    Ping {
        /// Whether the frame is the reply.
        ack: bool,
        /// The eight bytes, as a number in network byte order.
        opaque: u64,
    },
    /// Announces the end of the connection (6.8).
    GoAway {
        /// Highest stream of the receiver that was or will be processed.
        last_stream: StreamId,
        /// Reason for the shutdown.
        code: ErrorCode,
        /// Diagnostic data.
        debug: Bytes,
    },
    /// Extends the receiver's window for DATA (6.9).
    WindowUpdate {
        /// Stream, or the connection.
        stream: StreamId,
        /// Increment in bytes, 1 to 2^31-1.
        increment: u32,
    },
    /// Further fragment of a field block (6.10).
    Continuation {
        /// Stream of the frame.
        stream: StreamId,
        /// Next fragment of the block.
        fragment: Bytes,
        /// Whether the field block is complete.
        end_headers: bool,
    },
    /// Frame of a type outside of RFC 9113 (5.5).
    Extension {
        /// Stream, or the connection.
        stream: StreamId,
        /// Type of the frame.
        kind: FrameKind,
        /// Flags; their meaning depends on the type.
        flags: u8,
        /// Payload bytes.
        payload: Bytes,
    },
}

/// Deprecated priority signal (RFC 9113, 5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priority {
    /// Stream that this one depends on.
    pub dependency: StreamId,
    /// Whether the dependency is exclusive.
    pub exclusive: bool,
    /// Weight, 1 to 256.
    pub weight: u16,
}

/// Encoded settings of a SETTINGS frame, in order; iterating allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsPayload(Bytes);

impl SettingsPayload {
    /// Encodes identifiers and values.
    pub fn new(settings: impl IntoIterator<Item = (u16, u32)>) -> Self {
        let mut payload = BytesMut::new();
        for (id, value) in settings {
            payload.put_u16(id);
            payload.put_u32(value);
        }
        Self(payload.freeze())
    }

    /// Iterates over identifiers and values in the order of processing (RFC 9113, 6.5.3).
    pub fn iter(&self) -> impl Iterator<Item = (u16, u32)> {
        self.0.chunks_exact(parse::SETTING_SIZE).map(|setting| {
            let (id, value) = setting.split_at(2);
            let value = value.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
            (u16::from(id[0]) << 8 | u16::from(id[1]), value)
        })
    }
}
