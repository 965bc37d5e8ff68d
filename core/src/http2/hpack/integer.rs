//! Integers with a prefix (RFC 7541, 5.1).

use bytes::{BufMut, BytesMut};

use super::DecodeError;

/// Maximum number of continuation bytes that a 32-bit value needs.
const MAX_CONTINUATION: usize = 5;

/// Reads an integer from the beginning of `input`; its prefix is the `bits` low bits of the first byte.
pub(super) fn take(input: &mut &[u8], bits: u32) -> Result<usize, DecodeError> {
    let (first, mut rest) = input.split_first().ok_or(DecodeError::Truncated)?;
    let prefix = (1 << bits) - 1;
    let mut value = u64::from(*first) & prefix;
    if value == prefix {
        let end = rest.iter().position(|byte| byte & 0x80 == 0);
        let (digits, remaining) = match end {
            Some(end) if end < MAX_CONTINUATION => rest.split_at(end + 1),
            None if rest.len() < MAX_CONTINUATION => return Err(DecodeError::Truncated),
            _ => return Err(DecodeError::IntegerTooLarge),
        };
        value += digits.iter().rev().fold(0, |value, digit| value << 7 | u64::from(digit & 0x7f));
        rest = remaining;
    }
    *input = rest;
    u32::try_from(value).map(|value| value as usize).map_err(|_| DecodeError::IntegerTooLarge)
}

/// Appends an integer; `pattern` are the bits above its prefix of `bits` bits.
pub(super) fn put(out: &mut BytesMut, pattern: u8, bits: u32, value: usize) {
    let prefix = (1 << bits) - 1;
    if value < prefix {
        out.put_u8(pattern | value as u8);
        return;
    }
    out.put_u8(pattern | prefix as u8);
    let mut rest = value - prefix;
    while rest >= 0x80 {
        out.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(mut input: &[u8], bits: u32) -> Result<(usize, usize), DecodeError> {
        take(&mut input, bits).map(|value| (value, input.len()))
    }

    fn written(pattern: u8, bits: u32, value: usize) -> BytesMut {
        let mut out = BytesMut::new();
        put(&mut out, pattern, bits, value);
        out
    }

    #[test]
    fn the_examples_of_rfc_7541_c_1() {
        assert_eq!(written(0, 5, 10)[..], [10]);
        assert_eq!(written(0, 5, 1337)[..], [31, 154, 10]);
        assert_eq!(written(0, 8, 42)[..], [42]);
        assert_eq!(taken(&[0b1110_1010], 5), Ok((10, 0)));
        assert_eq!(taken(&[31, 154, 10], 5), Ok((1337, 0)));
        assert_eq!(taken(&[42], 8), Ok((42, 0)));
    }

    #[test]
    fn a_number_beyond_32_bits_is_refused() {
        assert_eq!(taken(&[0x7f, 0x80, 0xff, 0xff, 0xff, 0x0f], 7), Ok((u32::MAX as usize, 0)));
        assert_eq!(taken(&[0x7f, 0x81, 0xff, 0xff, 0xff, 0x0f], 7), Err(DecodeError::IntegerTooLarge));
        assert_eq!(taken(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 7), Err(DecodeError::IntegerTooLarge));
    }

    #[test]
    fn an_endless_number_is_refused_also_if_it_is_all_zeros() {
        assert_eq!(taken(&[0x7f, 0x80, 0x80, 0x80, 0x80, 0x00], 7), Ok((127, 0)));
        assert_eq!(taken(&[0x7f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 7), Err(DecodeError::IntegerTooLarge));
        assert_eq!(taken(&[0x7f, 0x80, 0x80, 0x80, 0x80, 0x80], 7), Err(DecodeError::IntegerTooLarge));
        assert_eq!(taken(&[0x7f, 0x80, 0x80, 0x80, 0x80], 7), Err(DecodeError::Truncated));
        assert_eq!(taken(&[], 7), Err(DecodeError::Truncated));
    }

    proptest! {
        #[test]
        fn a_number_comes_back(value: u32, bits in 1_u32..=8, pattern: u8) {
            let pattern = if bits == 8 { 0 } else { pattern << bits };
            let mut out = written(pattern, bits, value as usize);
            prop_assert_eq!(out[0] & !((1_u32 << bits) - 1) as u8, pattern);
            out.put_u8(0xaa);
            prop_assert_eq!(taken(&out, bits), Ok((value as usize, 1)));
            prop_assert_eq!(taken(&out[..out.len() - 2], bits), Err(DecodeError::Truncated));
        }
    }
}
