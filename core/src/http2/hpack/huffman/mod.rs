//! Huffman-coded strings (RFC 7541, 5.2).

mod code;

use alloc::vec::Vec;

use bytes::{BufMut, BytesMut};

use self::code::{CODES, EOS, GROUPS, MAX_BITS, SYMBOLS};
use super::DecodeError;

/// Codes of up to this many bits are decoded by one table lookup; they cover nearly all header bytes.
const SHORT: usize = 8;

/// Symbol and code length for each value of the next [`SHORT`] bits; length 0 for a longer code.
static SHORTEST: [(u8, u8); 1 << SHORT] = shortest();

const fn shortest() -> [(u8, u8); 1 << SHORT] {
    let mut table = [(0, 0); 1 << SHORT];
    let mut symbol = 0;
    while symbol < CODES.len() {
        let code = CODES[symbol];
        if code.bits as usize <= SHORT {
            let free = SHORT - code.bits as usize;
            let first = (code.code as usize) << free;
            let mut index = first;
            while index < first + (1 << free) {
                table[index] = (symbol as u8, code.bits);
                index += 1;
            }
        }
        symbol += 1;
    }
    table
}

/// Encoded length of `bytes`.
pub(super) fn encoded_len(bytes: &[u8]) -> usize {
    let bits: usize = bytes.iter().map(|byte| usize::from(CODES[usize::from(*byte)].bits)).sum();
    bits.div_ceil(8)
}

/// Appends the encoded bytes.
pub(super) fn encode(bytes: &[u8], out: &mut BytesMut) {
    // `waiting` holds unwritten bits in its low end, fewer than 32 between two symbols.
    let (mut waiting, mut count) = (0_u64, 0);
    for byte in bytes {
        let code = CODES[usize::from(*byte)];
        waiting = waiting << code.bits | u64::from(code.code);
        count += u32::from(code.bits);
        if count >= 32 {
            count -= 32;
            out.put_u32((waiting >> count) as u32);
        }
    }
    while count >= 8 {
        count -= 8;
        out.put_u8((waiting >> count) as u8);
    }
    if count > 0 {
        let padding = 8 - count;
        out.put_u8((waiting << padding) as u8 | ((1 << padding) - 1));
    }
}

/// Bit reader.
struct Bits<'a> {
    rest: &'a [u8],
    /// Next bits, the first one highest, followed by zeros.
    window: u64,
    /// Number of valid bits in `window`.
    count: usize,
}

impl Bits<'_> {
    /// Fills the window with at least [`MAX_BITS`] bits, or with all that are left.
    fn fill(&mut self) {
        if self.count >= MAX_BITS {
            return;
        }
        if let Some((first, rest)) = self.rest.split_first_chunk() {
            self.window |= u64::from(u32::from_be_bytes(*first)) << (32 - self.count);
            self.count += 32;
            self.rest = rest;
            return;
        }
        for byte in self.rest {
            self.window |= u64::from(*byte) << (56 - self.count);
            self.count += 8;
        }
        self.rest = &[];
    }

    fn skip(&mut self, bits: usize) {
        self.window <<= bits;
        self.count -= bits;
    }

    /// Decodes the next symbol; `None` at the end of the string.
    fn symbol(&mut self) -> Result<Option<u8>, DecodeError> {
        self.fill();
        let (symbol, bits) = SHORTEST[(self.window >> (64 - SHORT)) as usize];
        let bits = usize::from(bits);
        if bits > 0 && bits <= self.count {
            self.skip(bits);
            return Ok(Some(symbol));
        }
        if self.count < SHORT { self.end() } else { self.long_symbol().map(Some) }
    }

    /// Decodes a symbol whose code has more than [`SHORT`] bits.
    fn long_symbol(&mut self) -> Result<u8, DecodeError> {
        for (bits, group) in GROUPS.iter().enumerate().take(self.count + 1).skip(SHORT + 1) {
            let code = (self.window >> (64 - bits)) as u32;
            // No shorter code matched, so this one is not below the group's first.
            let index = code.wrapping_sub(group.first);
            if index < group.count {
                let symbol = SYMBOLS[(group.first_symbol + index) as usize];
                self.skip(bits);
                return if symbol == EOS { Err(DecodeError::HuffmanEos) } else { Ok(symbol as u8) };
            }
        }
        // Incomplete code, longer than padding may be.
        Err(DecodeError::HuffmanPadding)
    }

    /// Checks the padding: fewer than eight bits, all of them ones.
    fn end(&mut self) -> Result<Option<u8>, DecodeError> {
        let ones = self.window.leading_ones() as usize;
        if ones == self.count { Ok(None) } else { Err(DecodeError::HuffmanPadding) }
    }
}

/// Decodes `coded` into `out`, up to `max` bytes. Returns the decoded length; bytes beyond `max` are still checked.
pub(super) fn decode(coded: &[u8], max: usize, out: &mut Vec<u8>) -> Result<usize, DecodeError> {
    let mut bits = Bits { rest: coded, window: 0, count: 0 };
    // The shortest codes have five bits.
    out.reserve(max.min(coded.len() * 8 / 5));
    let mut length = 0;
    while let Some(symbol) = bits.symbol()? {
        if length < max {
            out.push(symbol);
        }
        length += 1;
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn coded(bytes: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        encode(bytes, &mut out);
        assert_eq!(out.len(), encoded_len(bytes));
        out
    }

    fn comes_back(bytes: &[u8]) {
        let mut out = Vec::new();
        assert_eq!(decode(&coded(bytes), usize::MAX, &mut out), Ok(bytes.len()));
        assert_eq!(out, bytes);
    }

    /// Covers codes of every length at every bit offset.
    #[test]
    fn every_byte_comes_back_from_every_position() {
        for byte in 0..=u8::MAX {
            (0..8).for_each(|before| comes_back(&[vec![b'0'; before], vec![byte; 3], vec![b'a'; before]].concat()));
        }
    }

    #[test]
    fn of_what_is_too_long_only_the_length_comes_and_faults_are_still_seen() {
        let mut out = Vec::new();
        assert_eq!(decode(&coded(b"www.example.com"), 3, &mut out), Ok(15));
        assert_eq!((&out[..], out.capacity() < 15), (&b"www"[..], true));
        let faulty = [&coded(b"www.example.co")[..], &[0xff; 5]].concat();
        assert_eq!(decode(&faulty, 3, &mut out), Err(DecodeError::HuffmanEos));
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            comes_back(&bytes);
        }

        /// The coding is unique: a decodable string is the encoding of its result.
        #[test]
        fn what_decodes_encodes_to_the_same(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut out = Vec::new();
            if decode(&bytes, usize::MAX, &mut out).is_ok() {
                prop_assert_eq!(coded(&out), bytes);
            }
        }
    }
}
