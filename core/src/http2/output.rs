//! Output to the peer, with a count of the replies that the peer caused.

use alloc::collections::VecDeque;

use crate::send_buffer::SendBuffer;

/// Bytes to send, with a count of the replies among them.
///
/// A peer can make us reply (PING, SETTINGS, streams that must be reset) without reading the replies; their count
/// detects it, whatever else is queued.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) buffer: SendBuffer,
    /// Stream positions of the ends of replies that are not fully sent.
    replies: VecDeque<u64>,
    /// Stream position of the end of the last frame with content: DATA, or an extension frame.
    content_end: u64,
}

impl Output {
    /// Marks the frame just written as a reply.
    pub(crate) fn mark_reply(&mut self) {
        self.replies.push_back(self.buffer.end());
    }

    /// Marks content of `length` bytes that is written next, or of 0 bytes for the frame just written.
    pub(crate) fn mark_content(&mut self, length: usize) {
        self.content_end = self.buffer.end() + length as u64;
    }

    /// Whether frames with content are not fully sent.
    pub(crate) fn has_unsent_content(&self) -> bool {
        self.content_end > self.buffer.sent()
    }

    /// Number of replies that are not fully sent.
    pub(crate) fn pending_replies(&self) -> usize {
        self.replies.len()
    }

    pub(crate) fn advance(&mut self, count: usize) {
        self.buffer.advance(count);
        while self.replies.front().is_some_and(|end| *end <= self.buffer.sent()) {
            self.replies.pop_front();
        }
    }

    /// Memory of the queued bytes.
    pub(crate) fn memory(&self) -> usize {
        self.buffer.len() + self.replies.len() * size_of::<u64>()
    }

    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.replies.clear();
    }
}
