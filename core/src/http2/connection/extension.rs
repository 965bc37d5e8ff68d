//! Extension frames (RFC 9113, 5.5).

use bytes::Bytes;

use super::Connection;
use crate::http2::ErrorCode;
use crate::http2::StreamId;
use crate::http2::event::Event;
use crate::http2::fault::Fault;
use crate::http2::frame::{FrameKind, put_head};
use crate::http2::misuse::Misuse;
use crate::http2::stream::{Receiving, Sending};
use crate::http2::streams::Known;
use crate::send_buffer::SendBuffer;

/// Types below belong to RFC 9113, and 0x0a to RFC 7838.
const FIRST: u8 = 0x0b;

/// The types that are registered, a bit each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registered([u64; 4]);

impl Registered {
    pub(super) fn new(kinds: &[u8]) -> Self {
        let mut bits = [0; 4];
        for kind in kinds.iter().filter(|kind| **kind >= FIRST) {
            bits[usize::from(kind / 64)] |= 1 << (kind % 64);
        }
        Self(bits)
    }

    fn has(self, kind: FrameKind) -> bool {
        self.0[usize::from(kind.0 / 64)] >> (kind.0 % 64) & 1 == 1
    }
}

impl Connection {
    /// Sends a frame of a registered type, on a stream whose end has not been sent, or on none.
    ///
    /// Extension frames are not under flow control, and overtake content that waits in the stream's queue.
    /// [`Misuse::Full`] when [`max_send_bytes`](crate::http2::Config::max_send_bytes) wait to be sent.
    pub fn send_extension(&mut self, stream: StreamId, kind: u8, flags: u8, payload: &[Bytes]) -> Result<(), Misuse> {
        let length = payload.iter().map(Bytes::len).sum();
        let out = self.extension(stream, FrameKind(kind), flags, length)?;
        payload.iter().for_each(|part| out.put_raw(part));
        Ok(())
    }

    /// Writes the head of such a frame. The caller puts exactly `length` octets behind it.
    pub(crate) fn extension(
        &mut self,
        stream: StreamId,
        kind: FrameKind,
        flags: u8,
        length: usize,
    ) -> Result<&mut SendBuffer, Misuse> {
        if self.is_closed {
            return Err(Misuse::Closed);
        }
        if !self.registered.has(kind) {
            return Err(Misuse::NotRegistered { kind });
        }
        if !stream.is_connection() {
            let open = self.streams.get(stream).ok_or(Misuse::NoSuchStream)?;
            if matches!(open.sending, Sending::Last | Sending::Done) {
                return Err(Misuse::Ended);
            }
        }
        let limit = self.peer.max_frame_size;
        if length > limit as usize {
            return Err(Misuse::PayloadTooLarge { size: length, limit });
        }
        if self.output.buffer.len() >= self.config.max_send_bytes {
            return Err(Misuse::Full { capacity: 0 });
        }
        let out = &mut self.output.buffer;
        put_head(out, length as u32, kind, flags, stream);
        Ok(out)
    }

    pub(super) fn receive_extension(
        &mut self,
        stream: StreamId,
        kind: FrameKind,
        flags: u8,
        payload: Bytes,
    ) -> Result<(), Fault> {
        if !self.registered.has(kind) {
            return self.flood.ignored(self.now);
        }
        if !stream.is_connection() {
            match self.streams.get(stream) {
                Some(open) if open.receiving == Receiving::Done => {
                    let what = "an extension frame after the stream's end";
                    return Err(Fault::stream(stream, ErrorCode::STREAM_CLOSED, what));
                }
                Some(_) => {}
                None if self.streams.known(stream) == Known::Idle => {
                    return Err(Fault::protocol("an extension frame on a stream that is idle"));
                }
                None => {
                    self.flood.ignored(self.now)?;
                    self.events.push(Event::LateExtension { kind: kind.0, flags, payload });
                    return Ok(());
                }
            }
        }
        self.events.push(Event::Extension { stream, kind: kind.0, flags, payload });
        Ok(())
    }
}
