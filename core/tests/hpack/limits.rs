//! Limits of a decoded block.

use hotrod_core::http2::hpack::{DecodeError, Decoder, Field};

use crate::{indexed_literal, text};

const TABLE: usize = 4096;
const LIMIT: usize = 16 << 10;
const TOO_LARGE: DecodeError = DecodeError::ListTooLarge { limit: LIMIT };

fn decoder() -> Decoder {
    Decoder::new(TABLE, LIMIT)
}

/// A literal string of this length without Huffman coding, 127 to 16,510 bytes.
fn long_text(length: usize) -> Vec<u8> {
    let rest = length - 127;
    [&[0x7f, rest as u8 | 0x80, (rest >> 7) as u8][..], &vec![b'a'; length]].concat()
}

/// A literal with a one-byte name and a value of this length.
fn long_field(first: u8, length: usize) -> Vec<u8> {
    [vec![first], text("n"), long_text(length)].concat()
}

#[test]
fn a_list_may_be_exactly_as_large_as_the_limit() {
    let fits = long_field(0x00, LIMIT - 33);
    assert_eq!(decoder().decode(&fits).unwrap()[0].size(), LIMIT);
    assert_eq!(decoder().decode(&long_field(0x00, LIMIT - 32)), Err(TOO_LARGE));
    assert_eq!(decoder().decode(&[&fits[..], &[0x82]].concat()), Err(TOO_LARGE));
    assert!(!TOO_LARGE.is_fatal());
}

/// 16 kB of references to a 4 kB entry: 64 MB without a limit.
#[test]
fn references_count_for_all_that_they_stand_for() {
    let mut decoder = decoder();
    decoder.decode(&long_field(0x40, TABLE - 33)).unwrap();
    assert_eq!(decoder.decode(&[0xbe; 4]).unwrap().len(), 4);
    assert_eq!(decoder.decode(&[0xbe; 5]), Err(TOO_LARGE));
    assert_eq!(decoder.decode(&[0xbe; 16 << 10]), Err(TOO_LARGE));
}

#[test]
fn fields_without_a_name_and_a_value_count_too() {
    let empty = [0x00, 0x00, 0x00];
    assert_eq!(decoder().decode(&empty.repeat(LIMIT / 32)).unwrap().len(), LIMIT / 32);
    assert_eq!(decoder().decode(&empty.repeat(LIMIT / 32 + 1)), Err(TOO_LARGE));
}

#[test]
fn a_block_that_is_too_large_leaves_the_table_in_step() {
    let mut decoder = decoder();
    let block = [long_field(0x00, LIMIT), indexed_literal("behind", "it")].concat();
    assert_eq!(decoder.decode(&block), Err(TOO_LARGE));
    assert_eq!(decoder.decode(&[0xbe]).unwrap(), [Field::new("behind", "it")]);
    // Also if the list is full, and the field fits only into the table.
    let block = [vec![0x82; LIMIT / 32], long_field(0x40, TABLE - 33)].concat();
    assert_eq!(decoder.decode(&block), Err(TOO_LARGE));
    assert_eq!(decoder.decode(&[0xbe]).unwrap()[0].size(), TABLE);
    // A field that fits into neither empties the table.
    assert_eq!(decoder.decode(&long_field(0x40, LIMIT)), Err(TOO_LARGE));
    assert_eq!(decoder.decode(&[0xbe]), Err(DecodeError::IndexOutOfRange { index: 62, entries: 61 }));
    let long_name = [vec![0x40], long_text(LIMIT), text("v")].concat();
    decoder.decode(&indexed_literal("a", "b")).unwrap();
    assert_eq!(decoder.decode(&long_name), Err(TOO_LARGE));
    assert_eq!(decoder.decode(&[0xbe]), Err(DecodeError::IndexOutOfRange { index: 62, entries: 61 }));
}

#[test]
fn faults_behind_the_limit_are_still_fatal() {
    let large = long_field(0x00, LIMIT);
    let faults: [(&[u8], DecodeError); 4] = [
        (&[0x80], DecodeError::IndexOutOfRange { index: 0, entries: 61 }),
        (&[0x00, 0x01], DecodeError::Truncated),
        (&[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00], DecodeError::HuffmanEos),
        (&[0x20], DecodeError::SizeUpdateMisplaced),
    ];
    for (fault, error) in faults {
        assert_eq!(decoder().decode(&[&large[..], fault].concat()), Err(error));
        assert!(error.is_fatal());
    }
}

/// The table is larger than the limit of a list: entries may be too large for any list.
#[test]
fn an_entry_may_be_larger_than_a_list() {
    let mut decoder = Decoder::new(TABLE, 100);
    assert_eq!(decoder.decode(&long_field(0x40, 200)), Err(DecodeError::ListTooLarge { limit: 100 }));
    assert_eq!(decoder.decode(&[0xbe]), Err(DecodeError::ListTooLarge { limit: 100 }));
    assert_eq!(decoder.decode(&[0x0f, 0x2f, 0x01, b'v']).unwrap(), [Field::new("n", "v")]);
}
