//! Copies of the caller's bytes.

use bytes::{Bytes, BytesMut};

/// Size of the buffer that small pieces share.
const ROOM: usize = 4 * 1024;
/// Upper bound of a small piece. A small piece keeps its whole buffer alive; the machine keeps such pieces only in
/// pending requests, not in its near cache.
const SMALL: usize = 512;

/// Copies arguments that outlive a call, without an allocation for each small one.
#[derive(Default)]
pub(crate) struct Copier {
    room: BytesMut,
}

impl Copier {
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Bytes {
        if bytes.len() > SMALL {
            return Bytes::copy_from_slice(bytes);
        }
        if self.room.capacity() < bytes.len() {
            // Reuses the buffer if all of its pieces were dropped.
            self.room.reserve(ROOM);
        }
        self.room.extend_from_slice(bytes);
        self.room.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_what_was_given_and_share_a_buffer() {
        let mut copier = Copier::default();
        let first = copier.copy(b"first");
        let second = copier.copy(b"second");
        let large = copier.copy(&[7; 10_000]);
        assert_eq!((&first[..], &second[..], large.len()), (&b"first"[..], &b"second"[..], 10_000));
        assert_eq!(first.as_ptr().wrapping_add(first.len()), second.as_ptr());
        assert!(copier.copy(b"").is_empty());
    }
}
