//! Encodes frames.

use super::head::{FrameHead, FrameKind, flag};
use super::{Frame, Priority};
use crate::http2::settings::MAX_MAX_FRAME_SIZE;
use crate::http2::{ErrorCode, StreamId};
use crate::send_buffer::SendBuffer;

/// Error for a payload of 2^24 bytes or more, which no frame can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payload of {size} octets is larger than a frame can be")]
pub struct PayloadTooLarge {
    /// Length of the payload in bytes.
    pub size: usize,
}

impl Frame {
    /// Appends the frame to `out`, without padding; large payloads are moved, not copied.
    ///
    /// Writes nothing if the payload is too large. The caller respects the receiver's maximum frame size.
    pub fn write(&self, out: &mut SendBuffer) -> Result<(), PayloadTooLarge> {
        let size = self.payload_size();
        if size > MAX_MAX_FRAME_SIZE as usize {
            return Err(PayloadTooLarge { size });
        }
        put_head(out, size as u32, self.kind(), self.flags(), self.stream());
        match self {
            Self::Data { data, .. } => out.put_raw(data),
            Self::Headers { priority, fragment, .. } => {
                if let Some(priority) = priority {
                    put_priority(out, *priority);
                }
                out.put_raw(fragment);
            }
            Self::Priority { priority, .. } => put_priority(out, *priority),
            Self::RstStream { code, .. } => out.put_u32(code.0),
            Self::Settings(settings) => out.put_raw(&settings.0),
            Self::SettingsAck => {}
            Self::PushPromise { promised, fragment, .. } => {
                out.put_u32(promised.value());
                out.put_raw(fragment);
            }
            Self::Ping { opaque, .. } => out.put_u64(*opaque),
            Self::GoAway { last_stream, code, debug } => {
                out.put_u32(last_stream.value());
                out.put_u32(code.0);
                out.put_raw(debug);
            }
            Self::WindowUpdate { increment, .. } => out.put_u32(*increment),
            Self::Continuation { fragment, .. } => out.put_raw(fragment),
            Self::Extension { payload, .. } => out.put_raw(payload),
        }
        Ok(())
    }

    /// Type of the frame.
    pub fn kind(&self) -> FrameKind {
        match self {
            Self::Data { .. } => FrameKind::DATA,
            Self::Headers { .. } => FrameKind::HEADERS,
            Self::Priority { .. } => FrameKind::PRIORITY,
            Self::RstStream { .. } => FrameKind::RST_STREAM,
            Self::Settings(_) | Self::SettingsAck => FrameKind::SETTINGS,
            Self::PushPromise { .. } => FrameKind::PUSH_PROMISE,
            Self::Ping { .. } => FrameKind::PING,
            Self::GoAway { .. } => FrameKind::GOAWAY,
            Self::WindowUpdate { .. } => FrameKind::WINDOW_UPDATE,
            Self::Continuation { .. } => FrameKind::CONTINUATION,
            Self::Extension { kind, .. } => *kind,
        }
    }

    /// Stream of the frame, or the connection.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Data { stream, .. }
            | Self::Headers { stream, .. }
            | Self::Priority { stream, .. }
            | Self::RstStream { stream, .. }
            | Self::PushPromise { stream, .. }
            | Self::WindowUpdate { stream, .. }
            | Self::Continuation { stream, .. }
            | Self::Extension { stream, .. } => *stream,
            Self::Settings(_) | Self::SettingsAck | Self::Ping { .. } | Self::GoAway { .. } => StreamId::CONNECTION,
        }
    }

    fn flags(&self) -> u8 {
        let if_set = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        match self {
            Self::Data { end_stream, .. } => if_set(*end_stream, flag::END_STREAM),
            Self::Headers { priority, end_stream, end_headers, .. } => {
                if_set(*end_stream, flag::END_STREAM)
                    | if_set(*end_headers, flag::END_HEADERS)
                    | if_set(priority.is_some(), flag::PRIORITY)
            }
            Self::PushPromise { end_headers, .. } | Self::Continuation { end_headers, .. } => {
                if_set(*end_headers, flag::END_HEADERS)
            }
            Self::SettingsAck => flag::ACK,
            Self::Ping { ack, .. } => if_set(*ack, flag::ACK),
            Self::Extension { flags, .. } => *flags,
            Self::Priority { .. }
            | Self::RstStream { .. }
            | Self::Settings(_)
            | Self::GoAway { .. }
            | Self::WindowUpdate { .. } => 0,
        }
    }

    fn payload_size(&self) -> usize {
        match self {
            Self::Data { data, .. } => data.len(),
            Self::Headers { priority, fragment, .. } => fragment.len() + if priority.is_some() { 5 } else { 0 },
            Self::Priority { .. } => 5,
            Self::RstStream { .. } | Self::WindowUpdate { .. } => 4,
            Self::Settings(settings) => settings.0.len(),
            Self::SettingsAck => 0,
            Self::PushPromise { fragment, .. } => 4 + fragment.len(),
            Self::Ping { .. } => 8,
            Self::GoAway { debug, .. } => 8 + debug.len(),
            Self::Continuation { fragment, .. } => fragment.len(),
            Self::Extension { payload, .. } => payload.len(),
        }
    }
}

fn put_priority(out: &mut SendBuffer, priority: Priority) {
    out.put_u32(priority.dependency.value() | u32::from(priority.exclusive) << 31);
    out.put_u8((priority.weight.clamp(1, 256) - 1) as u8);
}

/// Appends the head of a frame whose payload has `length` bytes, below 2^24.
pub(crate) fn put_head(out: &mut SendBuffer, length: u32, kind: FrameKind, flags: u8, stream: StreamId) {
    let mut head = [0; FrameHead::SIZE];
    head[..3].copy_from_slice(&length.to_be_bytes()[1..]);
    head[3] = kind.0;
    head[4] = flags;
    head[5..].copy_from_slice(&stream.value().to_be_bytes());
    out.put_slice(&head);
}

/// Appends the head of a DATA frame; the caller appends its `length` bytes.
pub(crate) fn put_data_head(out: &mut SendBuffer, stream: StreamId, length: u32, end_stream: bool) {
    put_head(out, length, FrameKind::DATA, if end_stream { flag::END_STREAM } else { 0 }, stream);
}

/// Appends a field block as HEADERS and as many CONTINUATION frames as necessary (RFC 9113, 4.3).
pub(crate) fn put_header_block(
    out: &mut SendBuffer,
    stream: StreamId,
    block: &[u8],
    end_stream: bool,
    max_frame_size: u32,
) {
    let (first, mut rest) = block.split_at(block.len().min(max_frame_size as usize));
    let ends = |rest: &[u8]| if rest.is_empty() { flag::END_HEADERS } else { 0 };
    let flags = ends(rest) | if end_stream { flag::END_STREAM } else { 0 };
    put_head(out, first.len() as u32, FrameKind::HEADERS, flags, stream);
    out.put_slice(first);
    while !rest.is_empty() {
        let (next, after) = rest.split_at(rest.len().min(max_frame_size as usize));
        put_head(out, next.len() as u32, FrameKind::CONTINUATION, ends(after), stream);
        out.put_slice(next);
        rest = after;
    }
}

pub(crate) fn put_settings(out: &mut SendBuffer, settings: &[(u16, u32)]) {
    put_head(out, settings.len() as u32 * 6, FrameKind::SETTINGS, 0, StreamId::CONNECTION);
    for &(id, value) in settings {
        out.put_u16(id);
        out.put_u32(value);
    }
}

pub(crate) fn put_settings_ack(out: &mut SendBuffer) {
    put_head(out, 0, FrameKind::SETTINGS, flag::ACK, StreamId::CONNECTION);
}

pub(crate) fn put_ping(out: &mut SendBuffer, ack: bool, opaque: u64) {
    put_head(out, 8, FrameKind::PING, if ack { flag::ACK } else { 0 }, StreamId::CONNECTION);
    out.put_u64(opaque);
}

pub(crate) fn put_rst_stream(out: &mut SendBuffer, stream: StreamId, code: ErrorCode) {
    put_head(out, 4, FrameKind::RST_STREAM, 0, stream);
    out.put_u32(code.0);
}

pub(crate) fn put_window_update(out: &mut SendBuffer, stream: StreamId, increment: u32) {
    put_head(out, 4, FrameKind::WINDOW_UPDATE, 0, stream);
    out.put_u32(increment);
}

/// Appends GOAWAY; truncates `debug` to the size that every receiver accepts.
pub(crate) fn put_goaway(out: &mut SendBuffer, last_stream: StreamId, code: ErrorCode, debug: &[u8]) {
    let debug = &debug[..debug.len().min(1024)];
    put_head(out, 8 + debug.len() as u32, FrameKind::GOAWAY, 0, StreamId::CONNECTION);
    out.put_u32(last_stream.value());
    out.put_u32(code.0);
    out.put_slice(debug);
}
