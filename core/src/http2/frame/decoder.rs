//! Frames out of bytes.

use bytes::{Buf, Bytes, BytesMut};

use super::error::FrameError;
use super::head::FrameHead;
use super::{Frame, parse};
use crate::http2::ErrorCode;
use crate::http2::settings::{LEAST_MAX_FRAME_SIZE, MOST_MAX_FRAME_SIZE};

/// The least room that a host finds for its next read.
const LEAST_ROOM: usize = 2 * 1024;
/// Room made at a time, at first: a connection that is only kept ready holds no more.
const FIRST_ROOM: usize = 4 * 1024;
/// Room made at a time, when reads have filled what there was.
const MOST_ROOM: usize = 64 * 1024;

/// Takes bytes in any pieces, and frames out of them.
///
/// Frames that are there whole are cut off the receive buffer together, and share it. A frame that isn't stays where it
/// is until it is whole, and is moved at most once, when the buffer ends before it does.
#[derive(Debug)]
pub struct FrameDecoder {
    /// Received, and not whole as far as was looked.
    incoming: BytesMut,
    /// Whole frames.
    whole: Bytes,
    /// Octets that `incoming` must hold before there can be a frame.
    needed: usize,
    max_frame_size: u32,
    /// Room made at a time.
    room: usize,
    has_failed: bool,
}

impl FrameDecoder {
    /// For payloads of up to `max_frame_size` octets (RFC 9113, 4.2), which is taken into the limits of the protocol:
    /// 2^14 to 2^24-1.
    pub fn new(max_frame_size: u32) -> Self {
        Self {
            incoming: BytesMut::new(),
            whole: Bytes::new(),
            needed: FrameHead::SIZE,
            max_frame_size: max_frame_size.clamp(LEAST_MAX_FRAME_SIZE, MOST_MAX_FRAME_SIZE),
            room: FIRST_ROOM,
            has_failed: false,
        }
    }

    /// Appends a copy of `bytes`.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// The buffer itself, with room for a read: what a host appends to it has been received.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        let spare = self.incoming.capacity() - self.incoming.len();
        if spare < LEAST_ROOM {
            if spare == 0 && self.incoming.capacity() > 0 {
                self.room = (self.room * 2).min(MOST_ROOM);
            }
            // A large frame gets its room in steps as it comes: a length alone must not cost memory.
            let missing = self.needed.saturating_sub(self.incoming.len());
            self.incoming.reserve(missing.min(self.incoming.len().max(MOST_ROOM)).max(self.room));
        }
        &mut self.incoming
    }

    /// Octets received of which no frame has been made.
    pub fn buffered(&self) -> usize {
        self.whole.len() + self.incoming.len()
    }

    /// Bytes of memory that its buffers take.
    pub(crate) fn memory(&self) -> usize {
        self.whole.len() + self.incoming.capacity()
    }

    /// The next frame; `None` if it isn't all here yet.
    ///
    /// An error of a stream is told in the place of its frame. An error of the connection is the last thing told: what
    /// follows can't be understood.
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

    /// The payload of the next frame, if it is one of those already found whole and `wants` it by its head.
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

    /// Takes `expected` off the beginning: whether it is there, or `None` as long as that can't be known.
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

    /// Drops all that was received and not polled.
    pub(crate) fn clear(&mut self) {
        self.incoming = BytesMut::new();
        self.whole = Bytes::new();
        self.has_failed = true;
    }

    fn read(&mut self, head: &FrameHead) -> Result<Frame, FrameError> {
        let size = head.frame_size();
        if let Some(frame) = parse::fixed(head, &self.whole[FrameHead::SIZE..size]) {
            self.whole.advance(size);
            self.let_go();
            return frame;
        }
        if head.length == 0 {
            self.whole.advance(size);
            self.let_go();
            return parse::variable(head, Bytes::new());
        }
        parse::variable(head, self.take_payload(head))
    }

    /// An empty view would keep the buffer from being used again.
    fn let_go(&mut self) {
        if self.whole.is_empty() {
            self.whole = Bytes::new();
        }
    }

    /// Cuts off what is whole; `None` if nothing is.
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
                    let what = "the payload is longer than allowed";
                    return Some(Err(FrameError::connection(&head, ErrorCode::FRAME_SIZE_ERROR, what)));
                }
                // Its turn comes after those before it.
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
