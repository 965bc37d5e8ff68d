//! The filter with which a client's near cache says what it may hold.

use hotrod_core::routing::murmur3;

/// `MurmurHash3BloomFilter` of the server: three functions, the key hash with three seeds.
const SEEDS: [i32; 3] = [239, 1847, 2719];

/// A bloom filter over keys, bit for bit that of client and server.
#[derive(Debug, Clone)]
pub(super) struct Bloom {
    bits: u32,
    set: Vec<u8>,
}

impl Bloom {
    /// An empty filter of so many bits, at least 1.
    pub(super) fn new(bits: u32) -> Self {
        let bits = bits.max(1);
        Self { bits, set: vec![0; bits.div_ceil(8) as usize] }
    }

    pub(super) fn add(&mut self, key: &[u8]) {
        for bit in self.bits_of(key) {
            self.set[bit / 8] |= 1 << (bit % 8);
        }
    }

    pub(super) fn may_contain(&self, key: &[u8]) -> bool {
        self.bits_of(key).into_iter().all(|bit| self.set[bit / 8] & 1 << (bit % 8) != 0)
    }

    /// Replaces all bits: `set` has the first eight in its first byte, lowest first. What is missing is not set.
    pub(super) fn replace(&mut self, set: &[u8]) {
        let length = self.set.len();
        self.set.clear();
        self.set.extend_from_slice(&set[..set.len().min(length)]);
        self.set.resize(length, 0);
    }

    fn bits_of(&self, key: &[u8]) -> [usize; 3] {
        // Java's `Math.abs` leaves the smallest number negative; the server fails on it, here it is 2³¹.
        SEEDS.map(|seed| (murmur3(key, seed).unsigned_abs() % self.bits) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_may_be_there_and_what_was_cleared_is_not() {
        let mut bloom = Bloom::new(1000);
        assert!(!bloom.may_contain(b"key"));
        bloom.add(b"key");
        assert!(bloom.may_contain(b"key"));
        let bits = bloom.set.clone();
        bloom.replace(&[]);
        assert!(!bloom.may_contain(b"key"));
        bloom.replace(&bits);
        assert!(bloom.may_contain(b"key"));
        assert!(!bloom.may_contain(b"another key"));
    }
}
