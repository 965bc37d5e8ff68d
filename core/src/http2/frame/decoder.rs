//! Decodes frames.

use bytes::{Buf, Bytes, BytesMut};

use super::error::FrameError;
use super::head::FrameHead;
use super::{Frame, parse};
use crate::http2::ErrorCode;
use crate::http2::settings::{MAX_MAX_FRAME_SIZE, MIN_MAX_FRAME_SIZE};

/// Minimum spare capacity for a host's next read.
const MIN_SPARE: usize = 2 * 1024;
/// Initial growth step, and so the memory of a connection that is kept ready without traffic.
const INITIAL_GROWTH: usize = 4 * 1024;
/// Growth step after reads have filled the previous one.
const MAX_GROWTH: usize = 64 * 1024;

/// Decodes frames from bytes in chunks of any size.
///
/// Complete frames are split off the receive buffer together and share it. An incomplete frame stays in place until it
/// is complete, and moves at most once, when the buffer ends before it does.
#[derive(Debug)]
pub struct FrameDecoder {
    /// Received bytes without a complete frame, as far as they were examined.
    incoming: BytesMut,
    /// Complete frames.
    whole: Bytes,
    /// Minimum length of `incoming` before it can hold a frame.
    needed: usize,
    max_frame_size: u32,
    /// Current growth step.
    growth: usize,
    has_failed: bool,
}

impl FrameDecoder {
    /// Creates a decoder for payloads of up to `max_frame_size` bytes (RFC 9113, 4.2), clamped to the protocol's range
    /// of 2^14 to 2^24-1.
    pub fn new(max_frame_size: u32) -> Self {
        Self {
            incoming: BytesMut::new(),
            whole: Bytes::new(),
            needed: FrameHead::SIZE,
            max_frame_size: max_frame_size.clamp(MIN_MAX_FRAME_SIZE, MAX_MAX_FRAME_SIZE),
            growth: INITIAL_GROWTH,
            has_failed: false,
        }
    }

    /// Appends a copy of `bytes`.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// Receive buffer with spare capacity; bytes appended to it count as received.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        let spare = self.incoming.capacity() - self.incoming.len();
        if spare < MIN_SPARE {
            if spare == 0 && self.incoming.capacity() > 0 {
                self.growth = (self.growth * 2).min(MAX_GROWTH);
            }
            // Grows in steps as a large frame arrives: an announced length alone must not allocate memory.
            let missing = self.needed.saturating_sub(self.incoming.len());
            self.incoming.reserve(missing.min(self.incoming.len().max(MAX_GROWTH)).max(self.growth));
        }
        &mut self.incoming
    }

    /// Number of received bytes that belong to no returned frame.
    pub fn buffered(&self) -> usize {
        self.whole.len() + self.incoming.len()
    }

    /// Memory of the buffers.
    pub(crate) fn memory(&self) -> usize {
        self.whole.len() + self.incoming.capacity()
    }

    /// Returns the next frame; `None` if it is incomplete.
    ///
    /// A stream error is returned in place of its frame. A connection error is the last result: the following bytes
    /// can't be decoded.
    pub fn poll(&mut self) -> Option<Result<Frame, FrameError>> {
        if self.has_failed {
            return None;
        }
        if self.whole.is_empty()
            && let Err(error) = self.take_whole()?
        {
            self.has_failed = true;
            return Some(Err(error));
        }
        let head = FrameHead::read(&self.whole)?;
        let frame = self.read(&head);
        self.has_failed = matches!(frame, Err(FrameError { stream: None, .. }));
        Some(frame)
    }

    /// Returns the payload of the next frame, if it is complete already and `wants` accepts its head.
    #[inline]
    pub(crate) fn take_if(&mut self, wants: impl FnOnce(&FrameHead) -> bool) -> Option<(FrameHead, Bytes)> {
        let head = FrameHead::read(&self.whole).filter(|head| head.length > 0 && wants(head))?;
        Some((head, self.take_payload(&head)))
    }

    fn take_payload(&mut self, head: &FrameHead) -> Bytes {
        let mut payload = self.whole.split_to(head.frame_size());
        payload.advance(FrameHead::SIZE);
        payload
    }

    /// Removes `expected` from the beginning: returns whether it was there, `None` until enough bytes are received.
    pub(crate) fn take_prefix(&mut self, expected: &[u8]) -> Option<bool> {
        let count = expected.len().min(self.incoming.len());
        if self.incoming[..count] != expected[..count] {
            return Some(false);
        }
        if count < expected.len() {
            return None;
        }
        self.incoming.advance(count);
        Some(true)
    }

    /// Drops all bytes received and not polled.
    pub(crate) fn clear(&mut self) {
        self.incoming = BytesMut::new();
        self.whole = Bytes::new();
        self.has_failed = true;
    }

    fn read(&mut self, head: &FrameHead) -> Result<Frame, FrameError> {
        let size = head.frame_size();
        if let Some(frame) = parse::fixed(head, &self.whole[FrameHead::SIZE..size]) {
            self.whole.advance(size);
            self.release_empty();
            return frame;
        }
        if head.length == 0 {
            self.whole.advance(size);
            self.release_empty();
            return parse::variable(head, Bytes::new());
        }
        parse::variable(head, self.take_payload(head))
    }

    /// Releases an empty view, which would prevent reuse of the buffer.
    fn release_empty(&mut self) {
        if self.whole.is_empty() {
            self.whole = Bytes::new();
        }
    }

    /// Splits off complete frames; `None` if there are none.
    fn take_whole(&mut self) -> Option<Result<(), FrameError>> {
        if self.incoming.len() < self.needed {
            return None;
        }
        let mut end = 0;
        self.needed = FrameHead::SIZE;
        let incoming = &self.incoming[..];
        while let Some(head) = FrameHead::read(&incoming[end..]) {
            if head.length > self.max_frame_size {
                if end == 0 {
                    let detail = "the payload is longer than allowed";
                    return Some(Err(FrameError::connection(&head, ErrorCode::FRAME_SIZE_ERROR, detail)));
                }
                // Returned after the frames before it.
                break;
            }
            if incoming.len() - end < head.frame_size() {
                self.needed = head.frame_size();
                break;
            }
            end += head.frame_size();
        }
        if end == 0 {
            return None;
        }
        self.whole = self.incoming.split_to(end).freeze();
        Some(Ok(()))
    }
}
