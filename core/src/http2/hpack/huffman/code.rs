//! The Huffman code (RFC 7541, appendix B), and its tables.
//!
//! The code is canonical: codes of one length are consecutive in the order of their symbols, and longer ones follow
//! shorter ones. So the code lengths define it.

/// End-of-string symbol; its code occurs only as padding, not in strings (RFC 7541, 5.2).
pub(super) const EOS: u16 = 256;

/// Length of the longest code, in bits.
pub(super) const MAX_BITS: usize = 30;

/// Code length of each byte, and of EOS at the end, in bits.
#[rustfmt::skip]
const BITS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// A symbol's code, right-aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) code: u32,
    pub(super) bits: u8,
}

/// Group of the codes of one length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// First code of the group.
    pub(super) first: u32,
    /// Number of codes in the group.
    pub(super) count: u32,
    /// Index of the group's first symbol in [`SYMBOLS`].
    pub(super) first_symbol: u32,
}

/// Symbols in the order of their codes.
pub(super) static SYMBOLS: [u16; 257] = symbols();

/// Groups by code length, from 0 to [`MAX_BITS`].
pub(super) static GROUPS: [Group; MAX_BITS + 1] = groups();

/// Code of each symbol.
pub(super) static CODES: [Code; 257] = codes();

const fn symbols() -> [u16; 257] {
    let mut symbols = [0; 257];
    let (mut first_symbol, mut bits) = (0, 0);
    while bits <= MAX_BITS {
        let mut symbol = 0;
        while symbol < BITS.len() {
            if BITS[symbol] as usize == bits {
                symbols[first_symbol] = symbol as u16;
                first_symbol += 1;
            }
            symbol += 1;
        }
        bits += 1;
    }
    symbols
}

const fn groups() -> [Group; MAX_BITS + 1] {
    let mut groups = [Group { first: 0, count: 0, first_symbol: 0 }; MAX_BITS + 1];
    let mut symbol = 0;
    while symbol < BITS.len() {
        groups[BITS[symbol] as usize].count += 1;
        symbol += 1;
    }
    let mut bits = 1;
    while bits <= MAX_BITS {
        let shorter = groups[bits - 1];
        groups[bits].first = (shorter.first + shorter.count) << 1;
        groups[bits].first_symbol = shorter.first_symbol + shorter.count;
        bits += 1;
    }
    groups
}

const fn codes() -> [Code; 257] {
    let mut codes = [Code { code: 0, bits: 0 }; 257];
    let mut first_symbol = 0;
    while first_symbol < SYMBOLS.len() {
        let symbol = SYMBOLS[first_symbol] as usize;
        let group = GROUPS[BITS[symbol] as usize];
        codes[symbol] = Code { code: group.first + first_symbol as u32 - group.first_symbol, bits: BITS[symbol] };
        first_symbol += 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of appendix B: the first and the last code of some lengths.
    #[test]
    fn codes_are_those_of_appendix_b() {
        let rows: [(u16, u32, u8); 16] = [
            (b'0'.into(), 0x0, 5),
            (b't'.into(), 0x9, 5),
            (b' '.into(), 0x14, 6),
            (b'u'.into(), 0x2d, 6),
            (b':'.into(), 0x5c, 7),
            (b'z'.into(), 0x7b, 7),
            (b'&'.into(), 0xf8, 8),
            (b'!'.into(), 0x3f8, 10),
            (b'|'.into(), 0x7fc, 11),
            (0, 0x1ff8, 13),
            (b'\\'.into(), 0x7fff0, 19),
            (128, 0xf_ffe6, 20),
            (9, 0xff_ffea, 24),
            (255, 0x3ff_ffee, 26),
            (22, 0x3fff_fffe, 30),
            (EOS, 0x3fff_ffff, 30),
        ];
        for (symbol, code, bits) in rows {
            assert_eq!(CODES[usize::from(symbol)], Code { code, bits }, "{symbol}");
        }
    }

    /// Every bit string decodes: the code satisfies Kraft's equality.
    #[test]
    fn the_code_is_complete() {
        let shares: u64 = CODES.iter().map(|code| 1 << (MAX_BITS as u32 - u32::from(code.bits))).sum();
        assert_eq!(shares, 1 << MAX_BITS);
    }
}
