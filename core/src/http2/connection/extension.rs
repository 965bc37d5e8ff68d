//! Extension frames (RFC 9113, 5.5).

use bytes::Bytes;

use super::Connection;
use crate::http2::StreamId;
use crate::http2::event::{Event, Place};
use crate::http2::fault::Fault;
use crate::http2::frame::{FrameHead, FrameKind, put_head};
use crate::http2::misuse::Misuse;
use crate::http2::settings::Settings;
use crate::http2::stream::{Receiving, Sending};
use crate::http2::streams::Known;
use crate::send_buffer::SendBuffer;

/// First type that can be registered: lower ones belong to RFC 9113, and 0x0a to RFC 7838.
const FIRST: u8 = 0x0b;

/// Registered types, one bit each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registered {
    bits: [u64; 4],
    /// Whether frames of these types can be delivered and sent.
    is_agreed: bool,
}

impl Registered {
    /// With a setting, the types are disabled until both ends have sent it.
    pub(super) fn new(kinds: &[u8], setting: Option<u16>) -> Self {
        let mut bits = [0; 4];
        for kind in kinds.iter().filter(|kind| **kind >= FIRST) {
            bits[usize::from(kind / 64)] |= 1 << (kind % 64);
        }
        Self { bits, is_agreed: setting.is_none() }
    }

    fn has(self, kind: FrameKind) -> bool {
        self.is_agreed && self.bits[usize::from(kind.0 / 64)] >> (kind.0 % 64) & 1 == 1
    }
}

impl Connection {
    /// Sends a frame of a registered type, on a stream whose end has not been sent, or on the connection.
    ///
    /// Extension frames are not under flow control, and overtake content in the stream's queue. Rejected with
    /// [`Misuse::Full`] while [`max_send_bytes`](crate::http2::Config::max_send_bytes) wait to be sent.
    pub fn send_extension(&mut self, stream: StreamId, kind: u8, flags: u8, payload: &[Bytes]) -> Result<(), Misuse> {
        let length = payload.iter().map(Bytes::len).sum();
        let out = self.extension(stream, FrameKind(kind), flags, length)?;
        payload.iter().for_each(|part| out.put_raw(part));
        Ok(())
    }

    /// Writes the head of an extension frame. The caller appends exactly `length` bytes.
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
        put_head(&mut self.output.buffer, length as u32, kind, flags, stream);
        self.output.mark_content(length);
        Ok(&mut self.output.buffer)
    }

    /// Enables extension frames by the peer's first SETTINGS.
    pub(super) fn agree_on_extensions(&mut self) {
        let Some(id) = self.config.extension_setting else { return };
        let announces = |settings: &Settings| settings.get(id).is_some_and(|value| value > 0);
        self.registered.is_agreed = announces(&self.local) && announces(&self.peer);
    }

    /// Handles a frame of a registered type on an open stream, the most frequent kind where types are registered.
    /// Returns whether the next frame was one.
    pub(super) fn take_extension(&mut self) -> bool {
        if !self.has_peer_settings || self.block.is_some() {
            return false;
        }
        let (registered, streams) = (self.registered, &self.streams);
        let is_open = |stream| streams.get(stream).is_some_and(|open| open.receiving != Receiving::Done);
        let taken = self.decoder.take_if(|head| registered.has(head.kind) && is_open(head.stream));
        let Some((FrameHead { kind, flags, stream, .. }, payload)) = taken else { return false };
        self.events.push(Event::Extension { stream, kind: kind.0, flags, payload });
        true
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
        let kind = kind.0;
        let stray = if stream.is_connection() { None } else { self.stray_place(stream) };
        self.events.push(match stray {
            None => Event::Extension { stream, kind, flags, payload },
            Some(place) => Event::StrayExtension { stream, place, kind, flags, payload },
        });
        Ok(())
    }

    fn stray_place(&self, stream: StreamId) -> Option<Place> {
        match self.streams.get(stream) {
            Some(open) => (open.receiving == Receiving::Done).then_some(Place::Ended),
            None if self.streams.known(stream) == Known::Idle => Some(Place::Idle),
            None => Some(Place::Closed),
        }
    }
}
