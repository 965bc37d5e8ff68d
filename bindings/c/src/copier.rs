//! Bytes of the caller's, copied.

use bytes::{Bytes, BytesMut};

/// Small pieces share a buffer of that size.
const ROOM: usize = 4 * 1024;
/// Pieces up to that size are small. A small one that the machine keeps for long keeps the buffer; it keeps none in its
/// near cache, only in requests that wait for an answer.
const SMALL: usize = 512;

/// Copies what the machine keeps beyond a call, without an allocation for each small piece.
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
            // Takes the buffer over again when nobody has a piece of it any more.
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
