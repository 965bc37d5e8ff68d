//! The bloom filter by which a server knows which keys a near cache may hold.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::routing::murmur3;

/// Seeds of the hashes (commons, `MurmurHash3BloomFilter` of the server; it uses the first three).
const SEEDS: [i32; 3] = [239, 1847, 2719];

/// A set of keys that may claim to hold others too; the same bits as the server's.
pub(super) struct BloomFilter {
    bits: u32,
    bytes: Vec<u8>,
}

impl BloomFilter {
    pub(super) fn new(bits: u32) -> Self {
        let bits = bits.max(1);
        Self { bits, bytes: vec![0; bits.div_ceil(8) as usize] }
    }

    pub(super) fn add(&mut self, key: &[u8]) {
        for bit in self.bits_of(key) {
            self.bytes[(bit / 8) as usize] |= 1 << (bit % 8);
        }
    }

    fn bits_of(&self, key: &[u8]) -> impl Iterator<Item = u32> + use<> {
        let bits = self.bits;
        // Java's absolute value; of the smallest number it has none, and neither has the server an index then.
        let hashes = SEEDS.map(|seed| murmur3(key, seed).unsigned_abs());
        hashes.into_iter().map(move |hash| hash % bits)
    }

    /// One bit each, least significant first, without zero bytes at the end.
    pub(super) fn into_bytes(mut self) -> Bytes {
        let length = self.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.bytes.truncate(length);
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_added_is_found() {
        let mut filter = BloomFilter::new(64);
        filter.add(b"key");
        assert!(filter.bits_of(b"key").all(|bit| filter.bytes[(bit / 8) as usize] & 1 << (bit % 8) != 0));
        assert!(filter.bytes.iter().map(|byte| byte.count_ones()).sum::<u32>() <= 3);
    }

    #[test]
    fn an_empty_filter_has_no_bytes() {
        assert_eq!(BloomFilter::new(1000).into_bytes(), Bytes::new());
    }
}
