//! The send buffer: bytes waiting to be sent to the peer.

use alloc::collections::VecDeque;
use core::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use zeroize::Zeroize;

/// Values up to this size are copied behind the fields before them; larger ones stay the caller's buffer.
///
/// Below this size one `memcpy` costs less than another element in the host's `writev`.
const COPY_UP_TO: usize = 4 * 1024;

/// Copied bytes above this size release their capacity once all of them are sent, so that an idle link does not keep
/// memory for a past burst.
const KEEP_UP_TO: usize = 16 * 1024;

/// Queue of bytes to send, written once: small fields are copied into one growing buffer, large values stay the
/// caller's buffers.
///
/// A host sends [`segments`](Self::segments) with one vectored write and reports the number of bytes sent with
/// [`advance`](Self::advance), which may be fewer than were offered.
///
/// ```
/// use hotrod_core::wire::{Envelope, Intelligence, Operation, Request, RequestOptions, SendBuffer, Version};
/// use hotrod_core::wire::write_request;
///
/// let mut out = SendBuffer::new();
/// let envelope = Envelope {
///     message_id: 1,
///     version: Version::V4_1,
///     intelligence: Intelligence::Basic,
///     topology_id: 0,
/// };
/// write_request(envelope, &RequestOptions::default(), &Request::Stats {}, &mut out);
///
/// // The socket takes three bytes, and the rest with the next write.
/// let length = out.len();
/// out.advance(3);
/// assert_eq!((out.sent(), out.len()), (3, length - 3));
/// out.advance(length - 3);
/// assert!(out.is_empty());
/// ```
#[derive(Default)]
pub struct SendBuffer {
    /// Oldest bytes; all of them precede `tail`.
    segments: VecDeque<Bytes>,
    tail: BytesMut,
    /// More was copied than [`KEEP_UP_TO`].
    is_large: bool,
    pending: usize,
    sent: u64,
    /// Stream position before which bytes may hold credentials; they are wiped once they are sent.
    secret_until: u64,
}

impl SendBuffer {
    /// Creates an empty buffer; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of bytes waiting to be sent.
    pub fn len(&self) -> usize {
        self.pending
    }

    /// Whether no bytes wait to be sent.
    pub fn is_empty(&self) -> bool {
        self.pending == 0
    }

    /// Stream position of the next byte to be written: the number of bytes written so far.
    pub fn end(&self) -> u64 {
        self.sent + self.pending as u64
    }

    /// Number of bytes sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Unsent bytes, oldest first, in contiguous segments.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        let tail: &[u8] = &self.tail;
        self.segments.iter().map(|segment| &segment[..]).chain((!tail.is_empty()).then_some(tail))
    }

    /// First contiguous segment; empty only if no bytes wait.
    pub fn first(&self) -> &[u8] {
        self.segments.front().map_or(&self.tail[..], |segment| &segment[..])
    }

    /// Wipes all bytes waiting now when they are sent or dropped.
    pub(crate) fn wipe_when_sent(&mut self) {
        // Only the unsent part of a segment can still be reached.
        if !self.segments.is_empty() {
            let mut all = BytesMut::with_capacity(self.pending);
            self.segments().for_each(|segment| all.put_slice(segment));
            self.segments.drain(..).for_each(wipe_if_unique);
            self.tail.zeroize();
            self.tail = all;
        }
        self.secret_until = self.end();
    }

    /// Wipes the first `count` bytes, as far as they may hold credentials.
    fn wipe_first(&mut self, count: usize) {
        let secret = usize::try_from(self.secret_until.saturating_sub(self.sent)).unwrap_or(usize::MAX);
        let count = secret.min(count).min(self.tail.len());
        self.tail[..count].zeroize();
    }

    /// Drops the first `count` bytes after the host has sent them; a count above [`len`](Self::len) drops all.
    pub fn advance(&mut self, count: usize) {
        let mut left = count.min(self.pending);
        if self.secret_until > self.sent {
            self.wipe_first(left);
        }
        self.pending -= left;
        self.sent += left as u64;
        while let Some(segment) = self.segments.front_mut() {
            if left < segment.len() {
                segment.advance(left);
                return;
            }
            left -= segment.len();
            self.segments.pop_front();
        }
        self.is_large |= self.tail.len() > KEEP_UP_TO;
        self.tail.advance(left);
        if self.is_large && self.pending == 0 {
            self.tail = BytesMut::new();
            self.is_large = false;
        }
    }

    /// Removes the first `count` bytes, in contiguous segments, and counts them as sent.
    pub(crate) fn split_to(&mut self, count: usize) -> VecDeque<Bytes> {
        let mut left = count.min(self.pending);
        let mut taken = VecDeque::new();
        self.pending -= left;
        self.sent += left as u64;
        while left > 0 {
            let piece = match self.segments.front_mut() {
                None => self.tail.split_to(left).freeze(),
                Some(segment) if segment.len() > left => segment.split_to(left),
                Some(_) => self.segments.pop_front().unwrap_or_default(),
            };
            left -= piece.len();
            taken.push_back(piece);
        }
        taken
    }

    /// Appends the first `count` bytes to `other`: copies small ones and moves large values.
    pub(crate) fn move_to(&mut self, count: usize, other: &mut Self) {
        if self.segments.is_empty() {
            let count = count.min(self.pending);
            other.put_slice(&self.tail[..count]);
            if self.secret_until > self.sent {
                self.wipe_first(count);
                other.secret_until = other.end();
            }
            self.pending -= count;
            self.sent += count as u64;
            if self.pending == 0 {
                // Clears instead of advancing: the next write reuses the capacity from its beginning.
                self.tail.clear();
            } else {
                self.tail.advance(count);
            }
            return;
        }
        self.split_to(count).iter().for_each(|piece| other.put_raw(piece));
    }

    /// Drops all waiting bytes.
    pub fn clear(&mut self) {
        self.wipe_first(self.pending);
        self.segments.clear();
        self.tail.clear();
        self.pending = 0;
    }

    pub(crate) fn put_u8(&mut self, value: u8) {
        self.pending += 1;
        self.tail.put_u8(value);
    }

    pub(crate) fn put_u16(&mut self, value: u16) {
        self.pending += 2;
        self.tail.put_u16(value);
    }

    pub(crate) fn put_i32(&mut self, value: i32) {
        self.pending += 4;
        self.tail.put_i32(value);
    }

    pub(crate) fn put_u32(&mut self, value: u32) {
        self.pending += 4;
        self.tail.put_u32(value);
    }

    pub(crate) fn put_u64(&mut self, value: u64) {
        self.pending += 8;
        self.tail.put_u64(value);
    }

    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        self.pending += bytes.len();
        self.tail.put_slice(bytes);
    }

    /// Appends `bytes` without a length before them.
    pub(crate) fn put_raw(&mut self, bytes: &Bytes) {
        if bytes.len() <= COPY_UP_TO {
            return self.put_slice(bytes);
        }
        if !self.tail.is_empty() {
            self.segments.push_back(self.tail.split().freeze());
        }
        self.pending += bytes.len();
        self.segments.push_back(bytes.clone());
    }

    /// Appends the output of `write`, contiguous with the bytes copied before it.
    pub(crate) fn put_with(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let before = self.tail.len();
        write(&mut self.tail);
        self.pending += self.tail.len() - before;
    }

    /// Copies all waiting bytes into one buffer, for tests and for hosts without vectored writes.
    pub fn to_bytes(&self) -> Bytes {
        let mut all = BytesMut::with_capacity(self.pending);
        self.segments().for_each(|segment| all.put_slice(segment));
        all.freeze()
    }
}

/// Wipes a buffer of credentials unless it is shared.
pub(crate) fn wipe_if_unique(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.zeroize();
    }
}

impl Drop for SendBuffer {
    fn drop(&mut self) {
        self.wipe_first(self.pending);
    }
}

/// Shows sizes only: the bytes may hold passwords.
impl fmt::Debug for SendBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendBuffer").field("pending", &self.pending).field("sent", &self.sent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn a_large_value_is_handed_over_and_not_copied() {
        let value = Bytes::from(vec![7; COPY_UP_TO + 1]);
        let mut out = SendBuffer::new();
        out.put_u8(1);
        out.put_raw(&value);
        out.put_u8(2);
        let segments: Vec<_> = out.segments().collect();
        assert_eq!(segments.len(), 3);
        assert_eq!(segments[1].as_ptr(), value.as_ptr());
    }

    /// Inspects the bytes before they are dropped; sent bytes can't be inspected.
    #[test]
    fn credentials_are_wiped_when_they_are_sent() {
        let token = vec![7; COPY_UP_TO + 1];
        let mut out = SendBuffer::new();
        out.put_slice(b"head");
        out.put_raw(&Bytes::from(token.clone()));
        out.wipe_when_sent();
        assert_eq!(out.to_bytes(), [&b"head"[..], &token].concat());
        out.advance(2);
        out.put_slice(b"later");
        out.wipe_first(3);
        assert_eq!(out.to_bytes()[..4], [0, 0, 0, 7]);
        out.wipe_first(out.len());
        assert_eq!(out.to_bytes(), [&vec![0; token.len() + 2][..], b"later"].concat());
        // Covers the way through a link's buffer too.
        let (mut session, mut link) = (SendBuffer::new(), SendBuffer::new());
        session.put_slice(b"secret");
        session.wipe_when_sent();
        session.move_to(6, &mut link);
        link.wipe_first(6);
        assert_eq!(link.to_bytes(), [0; 6][..]);
    }

    proptest! {
        #[test]
        fn what_is_sent_in_any_pieces_is_what_was_written(
            sizes in proptest::collection::vec(0usize..3 * COPY_UP_TO, 1..8),
            step in 1usize..10_000,
        ) {
            let mut out = SendBuffer::new();
            for (index, size) in sizes.iter().enumerate() {
                out.put_u8(index as u8);
                out.put_raw(&Bytes::from(vec![index as u8; *size]));
            }
            let (whole, end) = (out.to_bytes(), out.end());
            let mut sent = Vec::new();
            while !out.is_empty() {
                let take = out.first().len().min(step);
                sent.extend_from_slice(&out.first()[..take]);
                out.advance(take);
            }
            prop_assert_eq!(sent, whole);
            prop_assert_eq!(out.sent(), end);
        }
    }
}
