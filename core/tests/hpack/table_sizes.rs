//! Changes of the dynamic table's size (RFC 7541, 4.2 and 4.3).

use hotrod_core::http2::hpack::{DecodeError, Decoder, Encoder, Field};

use crate::{NO_LIMIT, decoder, encoded, indexed_literal};

fn field() -> Field {
    Field::new("custom-key", "custom-value")
}

/// An encoder and a decoder with empty tables.
fn ends() -> (Encoder, Decoder) {
    (Encoder::new(), decoder())
}

#[test]
fn a_smaller_table_is_announced_by_the_next_block_and_only_once() {
    let (mut encoder, mut decoder) = ends();
    encoder.set_max_table_size(100);
    decoder.set_max_table_size(100);
    let block = encoded(&mut encoder, &[field()]);
    assert_eq!(block[..2], [0x3f, 100 - 31]);
    assert_eq!(decoder.decode(&block), Ok(vec![field()]));
    assert_eq!(encoded(&mut encoder, &[field()])[..], [0xbe]);
}

#[test]
fn an_unannounced_smaller_table_is_refused() {
    let mut decoder = decoder();
    decoder.set_max_table_size(100);
    assert_eq!(decoder.decode(&[0x82]), Err(DecodeError::SizeUpdateMissing { max: 100 }));
}

/// The other end must evict what exceeds the smallest size.
#[test]
fn the_smallest_size_between_two_blocks_is_announced_and_then_the_last() {
    let (mut encoder, mut decoder) = ends();
    decoder.decode(&encoded(&mut encoder, &[field()])).unwrap();
    for size in [2000, 0, 3000, 1000] {
        encoder.set_max_table_size(size);
        decoder.set_max_table_size(size);
    }
    let block = encoded(&mut encoder, &[field()]);
    assert_eq!(block[..4], [0x20, 0x3f, 0xc9, 0x07]);
    assert_eq!(decoder.decode(&block), Ok(vec![field()]));
}

#[test]
fn the_first_update_must_be_as_small_as_the_smallest_size() {
    let blocks: [(&[u8], Result<usize, DecodeError>); 5] = [
        (&[0x3f, 0x45, 0x82], Ok(1)),                                                        // 100
        (&[0x3f, 0x45, 0x3f, 0xe1, 0x1f, 0x82], Ok(1)),                                      // 100, 4096
        (&[0x20, 0x82], Ok(1)),                                                              // 0
        (&[0x3f, 0x46, 0x82], Err(DecodeError::SizeUpdateTooLarge { size: 101, max: 100 })), // 101
        (&[0x82], Err(DecodeError::SizeUpdateMissing { max: 100 })),
    ];
    for (block, expected) in blocks {
        let mut decoder = decoder();
        decoder.set_max_table_size(100);
        decoder.set_max_table_size(4096);
        assert_eq!(decoder.decode(block).map(|fields| fields.len()), expected, "{block:02x?}");
    }
}

#[test]
fn a_table_larger_than_allowed_is_refused() {
    let mut decoder = decoder();
    let larger = [0x3f, 0xe2, 0x1f];
    assert_eq!(decoder.decode(&larger), Err(DecodeError::SizeUpdateTooLarge { size: 4097, max: 4096 }));
    decoder.set_max_table_size(4097);
    assert_eq!(decoder.decode(&larger), Ok(Vec::new()));
}

/// A peer whose table is smaller than required needs no update if it still fits.
#[test]
fn a_maximum_above_the_size_in_use_needs_no_update() {
    let mut decoder = decoder();
    decoder.decode(&[0x3f, 0x45]).unwrap();
    decoder.set_max_table_size(100);
    assert_eq!(decoder.decode(&[0x82]).unwrap().len(), 1);
}

#[test]
fn more_than_the_default_is_not_used() {
    let (mut encoder, _) = ends();
    encoder.set_max_table_size(1 << 20);
    assert_eq!(encoded(&mut encoder, &[Field::new(":method", "GET")])[..], [0x82]);
}

#[test]
fn a_table_without_room_indexes_nothing() {
    let (mut encoder, mut decoder) = ends();
    encoder.set_max_table_size(0);
    decoder.set_max_table_size(0);
    for _ in 0..3 {
        let block = encoded(&mut encoder, &[field()]);
        assert_eq!(decoder.decode(&block), Ok(vec![field()]));
    }
    assert!(decoder.decode(&[0xbe]).is_err());
}

/// An entry larger than the table empties it, and is valid (RFC 7541, 4.4).
#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new(40, NO_LIMIT);
    decoder.decode(&indexed_literal("a", "b")).unwrap();
    assert_eq!(decoder.decode(&[0xbe]).unwrap(), [Field::new("a", "b")]);
    assert_eq!(decoder.decode(&indexed_literal("name", "value")).unwrap(), [Field::new("name", "value")]);
    assert_eq!(decoder.decode(&[0xbe]), Err(DecodeError::IndexOutOfRange { index: 62, entries: 61 }));
}

/// The name of a new entry may come from an entry that it evicts (RFC 7541, 4.4).
#[test]
fn a_name_may_be_taken_from_the_entry_that_goes() {
    let mut decoder = Decoder::new(40, NO_LIMIT);
    decoder.decode(&indexed_literal("name", "v")).unwrap();
    let fields = decoder.decode(&[0x40 | 0x3e, 2, b'w', b'x', 0xbe]).unwrap();
    assert_eq!(fields, [Field::new("name", "wx"), Field::new("name", "wx")]);
}
