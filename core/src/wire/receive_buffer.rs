//! The receive buffer of a decoder.

use bytes::{Buf, Bytes, BytesMut};

use super::reader::{Read, Reader, Stop};
use super::resume::Resume;
use super::{Limits, Problem, Violation};

/// Minimum spare capacity for a host's next read.
const MIN_SPARE: usize = 4 * 1024;
/// Minimum growth. Larger than [`MIN_SPARE`] so that most of it is used before the next allocation: a value may keep
/// its whole allocation alive.
const GROWTH: usize = 16 * 1024;
/// Capacity at a stream's beginning, and so of a session that is kept ready without traffic.
const INITIAL_CAPACITY: usize = 6 * 1024;
/// Maximum spare capacity that a length alone can cause, before bytes arrive to fill it.
const MAX_SPARE: usize = 1024 * 1024;
/// A message above this size causes an allocation that is not kept for ever.
const LARGE: usize = 4 * 1024 * 1024;
/// Number of smaller messages after which a large message's allocation is released.
const SMALL_UNTIL_RELEASE: u32 = 16;

/// Collects bytes, returns whole messages as slices of them, and retains the unparsed part of an incomplete message.
pub(crate) struct ReceiveBuffer {
    /// Bytes received and not examined yet.
    incoming: BytesMut,
    /// Bytes that messages can share; begins at the next message.
    frozen: Bytes,
    /// Minimum length of the buffer before parsing is worth another attempt.
    needed: usize,
    resume: Resume,
    limits: Limits,
    /// Stream offset of the first byte of `frozen`.
    stream_offset: u64,
    /// Bytes of the current message that were cut out because they are already parsed.
    cut: usize,
    /// Remaining smaller messages before a large message's allocation is released; 0 if there is none.
    small_until_release: u32,
}

impl ReceiveBuffer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            incoming: BytesMut::new(),
            frozen: Bytes::new(),
            needed: 0,
            resume: Resume::default(),
            limits,
            stream_offset: 0,
            cut: 0,
            small_until_release: 0,
        }
    }

    /// Appends a copy of `bytes`.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// Takes a whole message without copying it, if the buffer is empty.
    pub(crate) fn receive_message(&mut self, message: Bytes) {
        if self.frozen.is_empty() && self.incoming.is_empty() {
            self.frozen = message;
        } else {
            self.incoming.extend_from_slice(&message);
        }
    }

    /// Buffer with spare capacity for a read; bytes appended to it count as received.
    pub(crate) fn buffer_for_read(&mut self) -> &mut BytesMut {
        // Grows in steps as a large value arrives: an announced length alone must not allocate memory.
        let missing = self.needed.saturating_sub(self.incoming.len());
        let minimum = if self.stream_offset < INITIAL_CAPACITY as u64 { INITIAL_CAPACITY } else { GROWTH };
        let growth = missing.min(self.incoming.len().max(MAX_SPARE)).max(minimum);
        let spare = self.incoming.capacity() - self.incoming.len();
        // Allocates only the missing bytes for the end of a large value; a larger growth would move the value again.
        let ends_here = (1..=spare).contains(&missing) && self.incoming.len() >= GROWTH;
        if spare < MIN_SPARE && !ends_here {
            self.incoming.reserve(growth);
        }
        &mut self.incoming
    }

    /// Number of buffered bytes that belong to no returned message.
    pub(crate) fn len(&self) -> usize {
        self.frozen.len() + self.incoming.len() + self.cut
    }

    /// Number of bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.stream_offset + (self.frozen.len() + self.incoming.len()) as u64
    }

    /// Parses one message; `None` if it is incomplete.
    ///
    /// Calls `parse` again from the message's beginning when more bytes have arrived; see [`Reader`].
    pub(crate) fn next<T>(
        &mut self,
        mut parse: impl FnMut(&mut Reader<'_>) -> Read<T>,
    ) -> Option<Result<T, Violation>> {
        loop {
            if self.frozen.is_empty() {
                if self.incoming.is_empty() || self.incoming.len() < self.needed {
                    return None;
                }
                self.frozen = self.incoming.split().freeze();
            }
            let mut reader = Reader::new(&self.frozen, &[], self.stream_offset, &self.limits, &mut self.resume);
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
                // Bytes received while those were parsed may complete it.
                Err(Stop::Incomplete(more)) => {
                    if let Err(violation) = self.retain_unparsed(more) {
                        return Some(Err(violation));
                    }
                }
            }
        }
    }

    /// Skips the first byte of a message that `parse` has refused.
    pub(crate) fn skip_byte(&mut self) {
        self.complete(1);
    }

    fn complete(&mut self, length: usize) {
        self.resume.clear();
        self.frozen.advance(length);
        self.stream_offset += length as u64;
        self.needed = 0;
        self.cut = 0;
        if self.frozen.is_empty() {
            // An empty view would prevent reuse of the whole buffer.
            self.frozen = Bytes::new();
        }
        self.release_large(length);
    }

    /// Releases a large message's allocation after [`SMALL_UNTIL_RELEASE`] small ones, so that an idle session does
    /// not keep it and a session that reads large values does not allocate for each.
    fn release_large(&mut self, length: usize) {
        if length > LARGE {
            self.small_until_release = SMALL_UNTIL_RELEASE;
        } else if self.small_until_release > 0 && self.incoming.is_empty() {
            self.small_until_release -= 1;
            if self.small_until_release == 0 {
                self.incoming = BytesMut::new();
            }
        }
    }

    /// Moves the unparsed bytes in front of those received later.
    fn retain_unparsed(&mut self, more: usize) -> Result<(), Violation> {
        let frozen = core::mem::take(&mut self.frozen);
        let before = frozen.len();
        // Bytes received while those were parsed belong behind it.
        let newer = if self.incoming.is_empty() { None } else { Some(self.incoming.split()) };
        let incoming = &mut self.incoming;
        self.resume.take_retained(before, |range| incoming.extend_from_slice(&frozen[range]));
        let retained = incoming.len();
        if let Some(newer) = newer {
            incoming.extend_from_slice(&newer);
        }
        self.cut += before - retained;
        self.stream_offset += (before - retained) as u64;
        self.needed = retained + more;
        self.within_limit(self.cut + self.needed)
    }

    /// Checks the length of the current message, as far as it is known, against the limit.
    fn within_limit(&self, announced: usize) -> Result<(), Violation> {
        if announced <= self.limits.message {
            return Ok(());
        }
        let problem = Problem::OverLimit { announced: announced as u64, limit: self.limits.message as u64 };
        Err(Violation { offset: self.stream_offset - self.cut as u64, field: "message", problem })
    }
}
