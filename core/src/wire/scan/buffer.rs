//! The receive buffer of a scanner: bytes not forwarded yet, and the few that are parsed again.

use alloc::vec::Vec;

use bytes::{Buf, Bytes, BytesMut};

use crate::wire::reader::{Read, Reader, Stop};
use crate::wire::resume::Resume;
use crate::wire::{Limits, Problem, Violation};

/// Minimum spare capacity for a host's next read.
const MIN_SPARE: usize = 4 * 1024;
/// The room made at a time.
const GROWTH: usize = 16 * 1024;
/// Capacity at a stream's beginning, and so of a scanner of an idle link.
const INITIAL_CAPACITY: usize = 6 * 1024;
/// Spare capacity while a long array is forwarded.
const MAX_SPARE: usize = 64 * 1024;

/// Forwards every received byte, and finds the ends of messages.
///
/// When the bytes end inside a message, all of them belong to that message and can be forwarded, and so can the bytes
/// that it lacks. The part that must be parsed again is kept in front of later bytes, as in the
/// [`ReceiveBuffer`](crate::wire::receive_buffer::ReceiveBuffer).
pub(super) struct ScanBuffer {
    /// Bytes received and not examined yet; begins with the part that must be parsed again.
    incoming: BytesMut,
    /// Frozen bytes, so that pieces can share them; during a hole, only the part that must be parsed again after it.
    frame: Bytes,
    /// Number of bytes at the beginning of the frame that have been forwarded before.
    forwarded: usize,
    /// Minimum length of the buffer before parsing is worth another attempt.
    needed: usize,
    /// Number of bytes to forward without parsing.
    hole: usize,
    resume: Resume,
    limits: Limits,
    /// Stream position of the frame; retained bytes end where they ended in the stream.
    stream_offset: u64,
    /// Bytes of the current message that are not parsed again.
    consumed: usize,
    /// Whether a piece of the current message has been forwarded.
    started: bool,
}

/// A contiguous part of one message.
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

impl ScanBuffer {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            incoming: BytesMut::new(),
            frame: Bytes::new(),
            forwarded: 0,
            needed: 0,
            hole: 0,
            resume: Resume::default(),
            limits,
            stream_offset: 0,
            consumed: 0,
            started: false,
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// Buffer with spare capacity for a read of at most `max` bytes.
    pub(super) fn buffer_for_read(&mut self, max: usize) -> &mut BytesMut {
        let missing = if self.hole > 0 { self.hole } else { self.needed.saturating_sub(self.incoming.len()) };
        let minimum = if self.stream_offset < INITIAL_CAPACITY as u64 { INITIAL_CAPACITY } else { GROWTH };
        if self.incoming.capacity() - self.incoming.len() < MIN_SPARE {
            self.incoming.reserve(missing.clamp(minimum, MAX_SPARE).min(max.max(MIN_SPARE)));
        }
        &mut self.incoming
    }

    /// Number of received bytes that are not forwarded yet.
    pub(super) fn len(&self) -> usize {
        self.frame.len() + self.incoming.len() - self.forwarded
    }

    /// Memory of the buffers in bytes, spare capacity included.
    pub(super) fn memory(&self) -> usize {
        self.frame.len() + self.incoming.capacity()
    }

    /// Bytes of the current message so far, if a part of it has been forwarded.
    pub(super) fn message_length(&self) -> usize {
        self.consumed + self.forwarded
    }

    /// Returns the next bytes of one message; `None` until more are received.
    ///
    /// `read` parses a whole message, from the beginning of the retained bytes, and stores its head in `head`. Nothing
    /// is forwarded before the head is complete.
    pub(super) fn next<H, F: From<Violation>>(
        &mut self,
        head: &mut Option<H>,
        mut read: impl FnMut(&mut Option<H>, &mut Reader<'_>) -> Read<Result<(), F>>,
    ) -> Option<Result<Part, F>> {
        let hole = if self.hole > 0 { self.forward_hole()? } else { Bytes::new() };
        if self.hole > 0 {
            return Some(Ok(self.part(hole, false)));
        }
        loop {
            if self.frame.is_empty() {
                if self.incoming.is_empty() || self.incoming.len() < self.needed {
                    return None;
                }
                self.frame = self.incoming.split().freeze();
            }
            let views = if self.resume.has_holes() { self.resume.views(&self.frame) } else { Vec::new() };
            let (frame, after_hole) = views.split_first().unwrap_or((&self.frame, &[]));
            let mut reader = Reader::new(frame, after_hole, self.stream_offset, &self.limits, &mut self.resume);
            let (new, is_last) = match read(head, &mut reader) {
                Ok(Ok(())) => {
                    let length = reader.position();
                    (self.complete(length), true)
                }
                Ok(Err(fault)) => return Some(Err(fault)),
                Err(Stop::Violation(violation)) => return Some(Err(violation.into())),
                Err(Stop::Incomplete(more)) => (self.retain_unparsed(more, head.is_some()), false),
            };
            match new {
                Err(violation) => return Some(Err(violation.into())),
                // The end of a hole is a part of its own: `read` parsed only retained bytes.
                Ok(_) if !hole.is_empty() => return Some(Ok(self.part(hole, is_last))),
                // Bytes received while the frame was parsed may complete the head.
                Ok(new) if new.is_empty() => {}
                Ok(new) => return Some(Ok(self.part(new, is_last))),
            }
        }
    }

    fn part(&mut self, bytes: Bytes, is_last: bool) -> Part {
        let is_first = !self.started;
        self.started = !is_last;
        Part { bytes, is_first, is_last }
    }

    fn forward_hole(&mut self) -> Option<Bytes> {
        let count = self.hole.min(self.incoming.len());
        self.hole -= count;
        (count > 0).then(|| self.incoming.split_to(count).freeze())
    }

    /// New bytes of a message that ends after `length` bytes of the frame.
    fn complete(&mut self, length: usize) -> Result<Bytes, Violation> {
        self.within("message", self.consumed + length, self.limits.message)?;
        self.resume.clear();
        let mut new = self.frame.split_to(length);
        new.advance(core::mem::take(&mut self.forwarded));
        if self.frame.is_empty() {
            // An empty view would prevent reuse of the whole buffer.
            self.frame = Bytes::new();
        }
        self.stream_offset += length as u64;
        self.needed = 0;
        if core::mem::take(&mut self.consumed) > GROWTH && self.incoming.is_empty() {
            // Releases the allocation of a long message, so that an idle link does not keep it.
            self.incoming = BytesMut::new();
        }
        Ok(new)
    }

    /// Retains the part that must be parsed again. Returns the new bytes to forward: all if there is a head, else
    /// none.
    fn retain_unparsed(&mut self, more: usize, has_head: bool) -> Result<Bytes, Violation> {
        let mut new = core::mem::take(&mut self.frame);
        let before = new.len();
        let retained;
        if self.resume.is_in_hole() {
            let mut again = Vec::new();
            self.resume.take_retained(before, |range| again.extend_from_slice(&new[range]));
            retained = again.len();
            self.frame = again.into();
            self.hole = more;
            self.needed = retained;
        } else {
            // Later bytes stay behind the frame.
            let newer = if self.incoming.is_empty() { None } else { Some(self.incoming.split()) };
            self.resume.take_retained(before, |range| self.incoming.extend_from_slice(&new[range]));
            retained = self.incoming.len();
            if let Some(newer) = newer {
                self.incoming.extend_from_slice(&newer);
            }
            self.needed = retained + more;
        }
        let removed = before - retained + self.hole;
        self.consumed += removed;
        self.stream_offset += removed as u64;
        self.within("message", self.consumed + self.needed, self.limits.message)?;
        if has_head {
            new.advance(core::mem::replace(&mut self.forwarded, retained));
            Ok(new)
        } else {
            Ok(Bytes::new())
        }
    }

    /// Checks the length of the current message, as far as it is known, against a limit.
    pub(super) fn within(&self, field: &'static str, announced: usize, limit: usize) -> Result<(), Violation> {
        if announced <= limit {
            return Ok(());
        }
        let problem = Problem::OverLimit { announced: announced as u64, limit: limit as u64 };
        Err(Violation { offset: self.stream_offset - self.consumed as u64, field, problem })
    }
}
