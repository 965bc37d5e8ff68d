//! Bloom filter of near-cached keys, by which a server selects the events to send.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::hash::murmur3;

/// Seeds of the hashes (commons, `MurmurHash3BloomFilter` of the server; it uses the first three).
const SEEDS: [i32; 3] = [239, 1847, 2719];

/// Bloom filter, bit for bit that of Infinispan's clients and servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BloomFilter {
    bits: u32,
    set: Vec<u8>,
}

impl BloomFilter {
    /// Creates an empty filter with `bits` bits, at least 1.
    pub fn new(bits: u32) -> Self {
        let bits = bits.max(1);
        Self { bits, set: vec![0; bits.div_ceil(8) as usize] }
    }

    /// Adds a key in its stored form.
    pub fn add(&mut self, key: &[u8]) {
        for bit in self.bits_of(key) {
            self.set[bit / 8] |= 1 << (bit % 8);
        }
    }

    /// Whether the key may have been added; false positives are possible, false negatives are not.
    pub fn may_contain(&self, key: &[u8]) -> bool {
        self.bits_of(key).into_iter().all(|bit| self.set[bit / 8] & 1 << (bit % 8) != 0)
    }

    /// Replaces all bits by the output of [`to_bytes`](Self::to_bytes). Missing bits are cleared, excess bits are
    /// ignored.
    pub fn replace(&mut self, set: &[u8]) {
        let length = self.set.len();
        self.set.clear();
        self.set.extend_from_slice(&set[..set.len().min(length)]);
        self.set.resize(length, 0);
    }

    /// Encodes one bit each, least significant first, without trailing zero bytes.
    pub fn to_bytes(&self) -> Bytes {
        let length = self.set.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Bytes::copy_from_slice(&self.set[..length])
    }

    fn bits_of(&self, key: &[u8]) -> [usize; 3] {
        // Java's `Math.abs` returns a negative number for the smallest integer, and the server fails; this result is
        // 2³¹.
        SEEDS.map(|seed| (murmur3(key, seed).unsigned_abs() % self.bits) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_may_be_there_and_what_was_cleared_is_not() {
        let mut filter = BloomFilter::new(1000);
        assert_eq!(filter.to_bytes(), Bytes::new());
        assert!(!filter.may_contain(b"key"));
        filter.add(b"key");
        assert!(filter.may_contain(b"key"));
        let set = filter.to_bytes();
        assert!(set.iter().map(|byte| byte.count_ones()).sum::<u32>() <= 3);
        filter.replace(&[]);
        assert!(!filter.may_contain(b"key"));
        filter.replace(&set);
        assert!(filter.may_contain(b"key"));
        assert!(!filter.may_contain(b"another key"));
    }
}
