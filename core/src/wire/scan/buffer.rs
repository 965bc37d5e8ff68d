//! The bytes received and not yet handed on, and the few that are read more than once.

use alloc::vec::Vec;

use bytes::{Buf, Bytes, BytesMut};

use crate::wire::reader::{Read, Reader, Stop};
use crate::wire::resume::Resume;
use crate::wire::{Limits, Problem, Violation};

/// The least room that a host finds for its next read.
const LEAST_ROOM: usize = 4 * 1024;
/// The room made at a time.
const ROOM: usize = 16 * 1024;
/// The room at a stream's beginning: a scanner of a quiet link holds no more.
const FIRST_ROOM: usize = 6 * 1024;
/// The room made while something long passes by.
const MOST_ROOM: usize = 64 * 1024;

/// Hands on every byte received, and finds where messages end.
///
/// When the bytes end inside a message, all of them belong to it and can go on; so can those that it lacks. What has
/// to be read again stays, as in the [`ReceiveBuffer`](crate::wire::receive_buffer::ReceiveBuffer), before what comes
/// next.
pub(super) struct ScanBuffer {
    /// Received, and not looked at since; begins with what has to be read again.
    incoming: BytesMut,
    /// Frozen, so that pieces can share it; while a hole passes, only what has to be read again after it.
    frame: Bytes,
    /// So many bytes at the beginning of the above have been handed on before.
    handed: usize,
    /// No use in looking again before there are so many bytes.
    needed: usize,
    /// Bytes to come that go on unlooked-at.
    hole: usize,
    resume: Resume,
    limits: Limits,
    /// Position of the frame in the stream; what is read again stands where its last byte was.
    stream_offset: u64,
    /// Bytes of the present message that are not read again.
    passed: usize,
    /// Whether a piece of the present message has been handed on.
    begun: bool,
}

/// Some bytes of one message.
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
            handed: 0,
            needed: 0,
            hole: 0,
            resume: Resume::default(),
            limits,
            stream_offset: 0,
            passed: 0,
            begun: false,
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// The buffer with room for a read of at most `most` bytes.
    pub(super) fn room(&mut self, most: usize) -> &mut BytesMut {
        let missing = if self.hole > 0 { self.hole } else { self.needed.saturating_sub(self.incoming.len()) };
        let least = if self.stream_offset < FIRST_ROOM as u64 { FIRST_ROOM } else { ROOM };
        if self.incoming.capacity() - self.incoming.len() < LEAST_ROOM {
            self.incoming.reserve(missing.clamp(least, MOST_ROOM).min(most.max(LEAST_ROOM)));
        }
        &mut self.incoming
    }

    /// Bytes received and not handed on.
    pub(super) fn len(&self) -> usize {
        self.frame.len() + self.incoming.len() - self.handed
    }

    /// Bytes of memory that its buffers take, the room for the next read included.
    pub(super) fn memory(&self) -> usize {
        self.frame.len() + self.incoming.capacity()
    }

    /// Bytes of the present message so far, if some of it has been handed on.
    pub(super) fn message_length(&self) -> usize {
        self.passed + self.handed
    }

    /// The next bytes of one message; `None` until more has come.
    ///
    /// `read` reads a whole message, from where it is to be read again, and leaves in `head` what it knows of it.
    /// Before there is a head nothing goes on.
    pub(super) fn next<H, F: From<Violation>>(
        &mut self,
        head: &mut Option<H>,
        mut read: impl FnMut(&mut Option<H>, &mut Reader<'_>) -> Read<Result<(), F>>,
    ) -> Option<Result<Part, F>> {
        let hole = if self.hole > 0 { self.pass_hole()? } else { Bytes::new() };
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
                Err(Stop::Incomplete(more)) => (self.keep_for_later(more, head.is_some()), false),
            };
            match new {
                Err(violation) => return Some(Err(violation.into())),
                // The end of a hole comes alone: what was read was read again, and nothing new.
                Ok(_) if !hole.is_empty() => return Some(Ok(self.part(hole, is_last))),
                // What came while the frame was taken apart may complete the head.
                Ok(new) if new.is_empty() => {}
                Ok(new) => return Some(Ok(self.part(new, is_last))),
            }
        }
    }

    fn part(&mut self, bytes: Bytes, is_last: bool) -> Part {
        let is_first = !self.begun;
        self.begun = !is_last;
        Part { bytes, is_first, is_last }
    }

    fn pass_hole(&mut self) -> Option<Bytes> {
        let count = self.hole.min(self.incoming.len());
        self.hole -= count;
        (count > 0).then(|| self.incoming.split_to(count).freeze())
    }

    /// The new bytes of a message that ends after `length` bytes of the frame.
    fn complete(&mut self, length: usize) -> Result<Bytes, Violation> {
        self.within("message", self.passed + length, self.limits.message)?;
        self.resume.clear();
        let mut new = self.frame.split_to(length);
        new.advance(core::mem::take(&mut self.handed));
        if self.frame.is_empty() {
            // An empty view would keep the whole buffer from being used again.
            self.frame = Bytes::new();
        }
        self.stream_offset += length as u64;
        self.needed = 0;
        if core::mem::take(&mut self.passed) > ROOM && self.incoming.is_empty() {
            // A quiet link must not hold the room that something long once needed.
            self.incoming = BytesMut::new();
        }
        Ok(new)
    }

    /// Keeps what has to be read again. Answers the new bytes, all of which go on if there is a head, else none.
    fn keep_for_later(&mut self, more: usize, has_head: bool) -> Result<Bytes, Violation> {
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
            // Bytes may have come behind the frame, and stay there.
            let behind = if self.incoming.is_empty() { None } else { Some(self.incoming.split()) };
            self.resume.take_retained(before, |range| self.incoming.extend_from_slice(&new[range]));
            retained = self.incoming.len();
            if let Some(behind) = behind {
                self.incoming.extend_from_slice(&behind);
            }
            self.needed = retained + more;
        }
        let gone = before - retained + self.hole;
        self.passed += gone;
        self.stream_offset += gone as u64;
        self.within("message", self.passed + self.needed, self.limits.message)?;
        if has_head {
            new.advance(core::mem::replace(&mut self.handed, retained));
            Ok(new)
        } else {
            Ok(Bytes::new())
        }
    }

    /// Holds the length of the present message, as far as it is known, against a limit.
    pub(super) fn within(&self, field: &'static str, announced: usize, limit: usize) -> Result<(), Violation> {
        if announced <= limit {
            return Ok(());
        }
        let problem = Problem::OverLimit { announced: announced as u64, limit: limit as u64 };
        Err(Violation { offset: self.stream_offset - self.passed as u64, field, problem })
    }
}
