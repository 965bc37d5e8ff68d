//! What goes to the peer, and how much of it are answers that nobody here asked for.

use alloc::collections::VecDeque;

use crate::send_buffer::SendBuffer;

/// The bytes on their way, with a count of the answers among them.
///
/// A peer can have us answer (PING, SETTINGS, streams that must be reset) and not read the answers; their number is
/// what shows it, whatever else waits.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) buffer: SendBuffer,
    /// Where in the stream of bytes the answers end that are not wholly sent.
    replies: VecDeque<u64>,
}

impl Output {
    /// What was just written is an answer.
    pub(crate) fn mark_reply(&mut self) {
        self.replies.push_back(self.buffer.end());
    }

    /// Answers that are not wholly sent.
    pub(crate) fn pending_replies(&self) -> usize {
        self.replies.len()
    }

    pub(crate) fn advance(&mut self, count: usize) {
        self.buffer.advance(count);
        while self.replies.front().is_some_and(|end| *end <= self.buffer.sent()) {
            self.replies.pop_front();
        }
    }

    /// Bytes of memory that what waits takes.
    pub(crate) fn memory(&self) -> usize {
        self.buffer.len() + self.replies.len() * size_of::<u64>()
    }

    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.replies.clear();
    }
}
