//! The bytes received and not yet understood.

use bytes::{Buf, Bytes, BytesMut};

use super::reader::{Read, Reader, Stop};
use super::resume::Resume;
use super::{Limits, Problem, Violation};

/// The least room that a host finds for its next read.
const LEAST_ROOM: usize = 4 * 1024;
/// The least room made at a time. More than the above, so that it is mostly used before there is new room: a value may
/// keep its whole room alive, and small reads must not cost a room each.
const NEW_ROOM: usize = 16 * 1024;
/// The room at a stream's beginning: a session that is only kept ready holds no more.
const FIRST_ROOM: usize = 6 * 1024;
/// The most room offered before the bytes that will fill it have begun to come.
const MOST_ROOM: usize = 1024 * 1024;
/// A message that needs more room than is kept for ever.
const LARGE: usize = 4 * 1024 * 1024;
/// After so many smaller messages the room of a large one is given back.
const SMALL_UNTIL_GIVEN_BACK: u32 = 16;

/// Collects bytes, hands out whole messages as slices of them, and knows what to keep when a message is not all here.
pub(crate) struct ReceiveBuffer {
    /// Received, and not looked at since.
    incoming: BytesMut,
    /// Frozen, so that messages can share it: begins where the next message does.
    frame: Bytes,
    /// No use in looking again before the buffer holds so many bytes.
    needed: usize,
    resume: Resume,
    limits: Limits,
    /// Position of the frame in the stream.
    stream_offset: u64,
    /// Bytes of the present message that were cut out because they need not be parsed again.
    cut: usize,
    /// Smaller messages to come before the room of a large one is given back; 0 if there was none.
    small_until_given_back: u32,
}

impl ReceiveBuffer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            incoming: BytesMut::new(),
            frame: Bytes::new(),
            needed: 0,
            resume: Resume::default(),
            limits,
            stream_offset: 0,
            cut: 0,
            small_until_given_back: 0,
        }
    }

    /// Appends a copy of `bytes`.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// The buffer itself, with room for a read; what is appended to it has been received.
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        // A large value gets its room in steps as it comes: a length alone must not cost memory.
        let missing = self.needed.saturating_sub(self.incoming.len());
        let least = if self.stream_offset < FIRST_ROOM as u64 { FIRST_ROOM } else { NEW_ROOM };
        let room = missing.min(self.incoming.len().max(MOST_ROOM)).max(least);
        let spare = self.incoming.capacity() - self.incoming.len();
        // The end of a large value needs no more than its own room: more would move all of it once again.
        let ends_here = (1..=spare).contains(&missing) && self.incoming.len() >= NEW_ROOM;
        if spare < LEAST_ROOM && !ends_here {
            self.incoming.reserve(room);
        }
        &mut self.incoming
    }

    /// Bytes received that no message has been made of.
    pub(crate) fn len(&self) -> usize {
        self.frame.len() + self.incoming.len() + self.cut
    }

    /// Bytes ever received.
    pub(crate) fn received(&self) -> u64 {
        self.stream_offset + (self.frame.len() + self.incoming.len()) as u64
    }

    /// Parses one message; `None` if it isn't all here yet.
    ///
    /// `parse` is called again from the message's beginning when more has come, see [`Reader`].
    pub(crate) fn next<T>(
        &mut self,
        mut parse: impl FnMut(&mut Reader<'_>) -> Read<T>,
    ) -> Option<Result<T, Violation>> {
        loop {
            if self.frame.is_empty() {
                if self.incoming.is_empty() || self.incoming.len() < self.needed {
                    return None;
                }
                self.frame = self.incoming.split().freeze();
            }
            let mut reader = Reader::new(&self.frame, &[], self.stream_offset, &self.limits, &mut self.resume);
            match parse(&mut reader) {
                Ok(message) => {
                    let length = reader.position();
                    if let Err(violation) = self.within_limit(self.cut + length) {
                        return Some(Err(violation));
                    }
                    self.complete(length);
                    return Some(Ok(message));
                }
                Err(Stop::Violation(violation)) => return Some(Err(violation)),
                // What came while the frame was taken apart may complete it.
                Err(Stop::Incomplete(more)) => {
                    if let Err(violation) = self.keep_for_later(more) {
                        return Some(Err(violation));
                    }
                }
            }
        }
    }

    fn complete(&mut self, length: usize) {
        self.resume.clear();
        self.frame.advance(length);
        self.stream_offset += length as u64;
        self.needed = 0;
        self.cut = 0;
        if self.frame.is_empty() {
            // An empty view would keep the whole buffer from being used again.
            self.frame = Bytes::new();
        }
        self.give_back(length);
    }

    /// A quiet session must not hold what one large value once needed; one that reads large values must not ask for
    /// fresh memory every time.
    fn give_back(&mut self, length: usize) {
        if length > LARGE {
            self.small_until_given_back = SMALL_UNTIL_GIVEN_BACK;
        } else if self.small_until_given_back > 0 && self.incoming.is_empty() {
            self.small_until_given_back -= 1;
            if self.small_until_given_back == 0 {
                self.incoming = BytesMut::new();
            }
        }
    }

    /// Moves what has to be parsed again before whatever comes next.
    fn keep_for_later(&mut self, more: usize) -> Result<(), Violation> {
        let frame = core::mem::take(&mut self.frame);
        let before = frame.len();
        // Bytes may have come while the frame was taken apart; they stand behind it.
        let behind = if self.incoming.is_empty() { None } else { Some(self.incoming.split()) };
        let incoming = &mut self.incoming;
        self.resume.take_retained(before, |range| incoming.extend_from_slice(&frame[range]));
        let retained = incoming.len();
        if let Some(behind) = behind {
            incoming.extend_from_slice(&behind);
        }
        self.cut += before - retained;
        self.stream_offset += (before - retained) as u64;
        self.needed = retained + more;
        self.within_limit(self.cut + self.needed)
    }

    /// Holds the length of the present message, as far as it is known, against the limit.
    fn within_limit(&self, announced: usize) -> Result<(), Violation> {
        if announced <= self.limits.message {
            return Ok(());
        }
        let problem = Problem::OverLimit { announced: announced as u64, limit: self.limits.message as u64 };
        Err(Violation { offset: self.stream_offset - self.cut as u64, field: "message", problem })
    }
}
