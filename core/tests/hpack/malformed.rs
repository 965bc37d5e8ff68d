//! Errors that end a connection with COMPRESSION_ERROR.

use hotrod_core::http2::hpack::{DecodeError, Field};

use crate::{decoder, indexed_literal, text};

fn refused(block: &[u8]) -> DecodeError {
    let error = decoder().decode(block).expect_err("a fault");
    assert!(error.is_fatal(), "{error}");
    error
}

/// A field with this Huffman-coded value.
fn coded(value: &[u8]) -> Result<Vec<Field>, DecodeError> {
    decoder().decode(&[&[0x00, 1, b'n', 0x80 | value.len() as u8], value].concat())
}

#[test]
fn index_0_and_an_index_beyond_the_tables_are_refused() {
    assert_eq!(refused(&[0x80]), DecodeError::IndexOutOfRange { index: 0, entries: 61 });
    assert_eq!(refused(&[0xbe]), DecodeError::IndexOutOfRange { index: 62, entries: 61 });
    let name = [0x40 | 0x3e, 1, b'v'];
    assert_eq!(refused(&name), DecodeError::IndexOutOfRange { index: 62, entries: 61 });
    let behind_one = [indexed_literal("n", "v"), vec![0xbe, 0xbf]].concat();
    assert_eq!(refused(&behind_one), DecodeError::IndexOutOfRange { index: 63, entries: 62 });
    let largest = [0xff, 0x80, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(refused(&largest), DecodeError::IndexOutOfRange { index: u32::MAX as usize, entries: 61 });
}

/// Every truncated field is detected; a block may end only between fields.
#[test]
fn a_block_that_ends_within_a_field_is_refused() {
    let whole = [
        indexed_literal("name", "value"),
        vec![0x04, 0x83, 0x62, 0x53, 0x9f],
        vec![0xff, 0x00],
        vec![0x1f, 0x09, 0x02, b'a', b'b'],
    ];
    for field in whole {
        // The index 127 does not exist, but that is detected only at its end.
        assert_ne!(decoder().decode(&field), Err(DecodeError::Truncated), "{field:02x?}");
        for end in 1..field.len() {
            assert_eq!(refused(&field[..end]), DecodeError::Truncated, "{:02x?}", &field[..end]);
        }
    }
    assert_eq!(decoder().decode(&[]), Ok(Vec::new()));
}

#[test]
fn a_number_without_an_end_is_refused() {
    assert_eq!(refused(&[0xff; 16]), DecodeError::IntegerTooLarge);
    assert_eq!(refused(&[0x3f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), DecodeError::IntegerTooLarge);
    let length = [&[0x00, 0x7f][..], &[0xff; 9], &[0x01]].concat();
    assert_eq!(refused(&length), DecodeError::IntegerTooLarge);
}

#[test]
fn eos_in_a_string_is_refused() {
    assert_eq!(coded(&[0xff, 0xff, 0xff, 0xff]), Err(DecodeError::HuffmanEos));
    // Behind other symbols, with remaining bits that would be padding.
    assert_eq!(coded(&[0x1c, 0x7f, 0xff, 0xff, 0xff, 0xff]), Err(DecodeError::HuffmanEos));
}

#[test]
fn padding_is_up_to_seven_ones() {
    let zeros = |count: usize| Field::new("n", "0".repeat(count));
    // '0' is five zeros: 5, 10, 15, … bits and the rest of a byte.
    assert_eq!(coded(&[0b0000_0111]), Ok(vec![zeros(1)]));
    assert_eq!(coded(&[0, 0b0011_1111]), Ok(vec![zeros(2)]));
    assert_eq!(coded(&[0, 0b0000_0001]), Ok(vec![zeros(3)]));
    assert_eq!(coded(&[0, 0, 0b0000_1111]), Ok(vec![zeros(4)]));
    assert_eq!(coded(&[0; 5]), Ok(vec![zeros(8)]));
    assert_eq!(coded(&[]), Ok(vec![zeros(0)]));
    let wrong: [&[u8]; 7] = [
        &[0b0000_0110],
        &[0b0000_0011],
        &[0, 0b0010_1111],
        &[0b0000_0111, 0xff],
        &[0; 4],
        &[0xff],
        &[0xff, 0xff, 0xff],
    ];
    for value in wrong {
        assert_eq!(coded(value), Err(DecodeError::HuffmanPadding), "{value:02x?}");
    }
}

#[test]
fn a_size_update_is_at_the_beginning_of_a_block() {
    assert_eq!(decoder().decode(&[0x20, 0x3f, 0xe1, 0x1f, 0x82]).unwrap().len(), 1);
    assert_eq!(refused(&[0x82, 0x20]), DecodeError::SizeUpdateMisplaced);
    assert_eq!(
        refused(&[&[0x00][..], &text("n"), &text("v"), &[0x3f, 0xe1, 0x1f]].concat()),
        DecodeError::SizeUpdateMisplaced
    );
    assert_eq!(refused(&[0x20, 0x20, 0x20]), DecodeError::SizeUpdateRepeated);
}
