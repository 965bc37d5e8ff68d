//! Primitive rules of the Hot Rod grammar: nom streaming parsers and their writers.
//!
//! Source: the intrinsics of the server's grammar (hotrod.gr: `vInt`, `vLong`, `signedVInt`, `long`, `int`).

use bytes::BufMut;
use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Needed};

/// Parses seven bits per byte, least significant group first, at most 5 bytes; the value is any 32-bit pattern.
pub(crate) fn vint<'a, E: ParseError<&'a [u8]>>(input: &'a [u8]) -> IResult<&'a [u8], u32, E> {
    let (rest, value) = variable::<E>(input, 5)?;
    u32::try_from(value).map(|value| (rest, value)).map_err(|_| too_long(input))
}

/// Parses seven bits per byte, least significant group first, at most 10 bytes; the value is any 64-bit pattern.
///
/// The server writes at most 9 bytes but reads a tenth.
pub(crate) fn vlong<'a, E: ParseError<&'a [u8]>>(input: &'a [u8]) -> IResult<&'a [u8], u64, E> {
    variable(input, 10)
}

fn variable<'a, E: ParseError<&'a [u8]>>(input: &'a [u8], longest: usize) -> IResult<&'a [u8], u64, E> {
    let mut value = 0u64;
    for (index, byte) in input.iter().take(longest).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shift = 7 * index as u32;
        // Only one bit of the tenth byte fits.
        if shift == 63 && bits > 1 {
            return Err(too_long(input));
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok((&input[index + 1..], value));
        }
    }
    if input.len() >= longest { Err(too_long(input)) } else { Err(Err::Incomplete(Needed::new(1))) }
}

fn too_long<'a, E: ParseError<&'a [u8]>>(input: &'a [u8]) -> Err<E> {
    Err::Failure(E::from_error_kind(input, ErrorKind::TooLarge))
}

/// Decodes zigzag, with the sign in the lowest bit (`signedVInt` of hotrod.gr).
pub(crate) fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Encodes zigzag; the inverse of [`unzigzag`].
pub(crate) fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// Decodes zigzag of 64 bits.
pub(crate) fn unzigzag_long(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Encodes zigzag of 64 bits; the inverse of [`unzigzag_long`].
pub(crate) fn zigzag_long(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Appends `value` as a vInt.
pub(crate) fn put_vint(out: &mut impl BufMut, value: u32) {
    put_vlong(out, u64::from(value));
}

/// Appends `value` as a vLong.
pub(crate) fn put_vlong(out: &mut impl BufMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use nom::error::Error;
    use proptest::prelude::*;

    type Failure<'a> = Error<&'a [u8]>;

    #[test]
    fn an_endless_varint_is_refused_and_not_waited_for() {
        assert!(matches!(vint::<Failure<'_>>(&[0x80; 5]), Err(Err::Failure(_))));
        assert!(matches!(vlong::<Failure<'_>>(&[0xff; 10]), Err(Err::Failure(_))));
        assert!(matches!(vint::<Failure<'_>>(&[0x80; 4]), Err(Err::Incomplete(_))));
    }

    #[test]
    fn a_vint_of_more_than_32_bits_is_refused() {
        assert!(matches!(vint::<Failure<'_>>(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(Err::Failure(_))));
        assert_eq!(vint::<Failure<'_>>(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok((&[][..], u32::MAX)));
    }

    proptest! {
        #[test]
        fn variable_numbers_come_back(int: u32, long: u64, signed: i32, signed_long: i64) {
            let mut out = Vec::new();
            put_vint(&mut out, int);
            put_vlong(&mut out, long);
            let (rest, first) = vint::<Failure<'_>>(&out).unwrap();
            let (rest, second) = vlong::<Failure<'_>>(rest).unwrap();
            prop_assert_eq!((first, second, rest.len()), (int, long, 0));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
            prop_assert_eq!(unzigzag_long(zigzag_long(signed_long)), signed_long);
        }
    }
}
