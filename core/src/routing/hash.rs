//! Infinispan's hash function for keys.
//!
//! Infinispan adopted a draft of MurmurHash3 x64_128 in 2010 and has kept it: its initial values, its rotations, and
//! its multipliers, which change with every block, differ from the published function. The bytes behind the last whole
//! block are sign-extended. No other implementation of MurmurHash3 returns these values. (commons, `MurmurHash3.java`
//! of the server.)

/// Block size in bytes.
const BLOCK: usize = 16;
/// Infinispan's seed for keys.
const KEY_SEED: i32 = 9001;

/// Hash of a key, which determines its segment.
///
/// `key` is in its stored form. Hash function 3 of a [`Topology`](crate::wire::Topology).
pub fn key_hash(key: &[u8]) -> i32 {
    murmur3(key, KEY_SEED)
}

/// Upper 32 bits of the first half of Infinispan's MurmurHash3 x64_128.
///
/// With other seeds than [`key_hash`]'s, it computes the Bloom filters of near caches.
pub fn murmur3(bytes: &[u8], seed: i32) -> i32 {
    let mut state = State::new(seed);
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    for block in blocks {
        let (low, high) = block.split_at(BLOCK / 2);
        state.mix(little_endian(low), little_endian(high));
    }
    if !tail.is_empty() {
        let (low, high) = tail.split_at(tail.len().min(BLOCK / 2));
        state.mix(sign_extended(low), sign_extended(high));
    }
    (state.finish(bytes.len()) >> 32) as i32
}

struct State {
    h1: u64,
    h2: u64,
    c1: u64,
    c2: u64,
}

impl State {
    fn new(seed: i32) -> Self {
        // Java sign-extends the seed.
        let seed = i64::from(seed) as u64;
        Self {
            h1: 0x9368_e53c_2f6a_f274 ^ seed,
            h2: 0x586d_cd20_8f7c_d3fd ^ seed,
            c1: 0x87c3_7b91_1142_53d5,
            c2: 0x4cf5_ad43_2745_937f,
        }
    }

    #[inline]
    fn mix(&mut self, k1: u64, k2: u64) {
        let k1 = k1.wrapping_mul(self.c1).rotate_left(23).wrapping_mul(self.c2);
        self.h1 = (self.h1 ^ k1).wrapping_add(self.h2);
        let k2 = k2.wrapping_mul(self.c2).rotate_left(23).wrapping_mul(self.c1);
        self.h2 = (self.h2.rotate_left(41) ^ k2).wrapping_add(self.h1);

        self.h1 = self.h1.wrapping_mul(3).wrapping_add(0x52dc_e729);
        self.h2 = self.h2.wrapping_mul(3).wrapping_add(0x3849_5ab5);
        self.c1 = self.c1.wrapping_mul(5).wrapping_add(0x7b7d_159c);
        self.c2 = self.c2.wrapping_mul(5).wrapping_add(0x6bce_6396);
    }

    /// Returns the first half of the 128 bits.
    fn finish(self, length: usize) -> u64 {
        let h2 = self.h2 ^ length as u64;
        let h1 = self.h1.wrapping_add(h2);
        let h2 = h2.wrapping_add(h1);
        avalanche(h1).wrapping_add(avalanche(h2))
    }
}

fn avalanche(mut k: u64) -> u64 {
    k = (k ^ k >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    k = (k ^ k >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ k >> 33
}

/// Reads up to eight bytes as a number, zero-extended.
#[inline]
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Reads bytes as [`little_endian`], but sign-extends each byte first: one above 0x7f inverts all bits above it.
#[inline]
fn sign_extended(bytes: &[u8]) -> u64 {
    let widened = |byte: u8| i64::from(byte as i8) as u64;
    bytes.iter().enumerate().fold(0, |number, (index, byte)| number ^ widened(*byte) << (8 * index))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of FACTS.md, confirmed with Infinispan's own code.
    #[test]
    fn vectors_of_the_server() {
        assert_eq!(key_hash(b""), 89_125_410);
        assert_eq!(key_hash(b"hello"), 1_671_093_224);
        assert_eq!(key_hash(b"infinispan"), -2_031_786_003);
        assert_eq!(key_hash(&[0x00]), -787_121_744);
        assert_eq!(key_hash(&[0xff]), -29_042_976);
        assert_eq!(key_hash(&[0x80, 0xfe, 0x7f, 0x01]), -99_048_400);
    }
}
