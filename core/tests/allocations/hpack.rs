//! Memory of field blocks stays within their limits, for any content.

use bytes::BytesMut;
use hotrod_core::http2::hpack::{DecodeError, Decoder, Encoder, Field};

use crate::counting::{Count, measure};

const TABLE: usize = 4096;
const LIMIT: usize = 16 << 10;
/// Maximum memory of a list: a field counted as 32 bytes is larger in memory, and the vector has spare capacity.
const LIST: i64 = (LIMIT / 32 * size_of::<Field>() * 3) as i64;
/// Memory of a table beyond its counted size.
const HELD_FOR_TABLE: i64 = 32 << 10;

fn decoder() -> Decoder {
    Decoder::new(TABLE, LIMIT)
}

/// A string of at least 127 bytes; `coded` is 0x80 for a Huffman-coded one.
fn text(coded: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![coded | 0x7f];
    let mut rest = bytes.len() - 127;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    [&out, bytes].concat()
}

/// A literal with a one-byte name.
fn literal(first: u8, value: &[u8]) -> Vec<u8> {
    [&[first, 1, b'n'][..], value].concat()
}

fn decode(decoder: &mut Decoder, block: &[u8]) -> (Count, Result<Vec<Field>, DecodeError>) {
    measure(|| decoder.decode(block))
}

#[test]
fn a_block_of_static_fields_allocates_its_list_only() {
    let (count, fields) = decode(&mut decoder(), &[0x82, 0x84, 0x86, 0x88]);
    assert_eq!((count.calls, fields.unwrap().len()), (1, 4));
}

/// 16 kB of references to a 4 kB entry are 64 MB of copies; here they are a limited list of shared values.
#[test]
fn references_are_not_copies() {
    let mut decoder = decoder();
    decoder.decode(&literal(0x40, &text(0, &[b'v'; TABLE - 33]))).unwrap();
    let (count, result) = decode(&mut decoder, &[0xbe; 16 << 10]);
    assert_eq!(result, Err(DecodeError::ListTooLarge { limit: LIMIT }));
    assert!(count.bytes < 2048, "{count:?}");
    assert!(count.held == 0, "{count:?}");
}

/// The smallest fields: an empty entry, a static one, an empty literal.
#[test]
fn many_small_fields_take_what_the_limit_allows() {
    for (entry, part) in [(&[0x40, 0, 0][..], &[0xbe][..]), (&[], &[0x90]), (&[], &[0x00, 0, 0]), (&[], &[0x40, 0, 0])]
    {
        let mut decoder = decoder();
        decoder.decode(entry).unwrap();
        for times in [LIMIT / 40, 16 << 10] {
            let (count, _) = decode(&mut decoder, &part.repeat(times));
            assert!(count.peak < LIST + HELD_FOR_TABLE, "{part:02x?}: {count:?}");
        }
    }
}

/// Also for a literal to be indexed.
#[test]
fn a_string_beyond_the_limit_is_not_allocated() {
    let long = vec![0; 1_000_000];
    for first in [0x00, 0x10, 0x40] {
        let (count, result) = decode(&mut decoder(), &literal(first, &text(0, &long)));
        assert_eq!(result, Err(DecodeError::ListTooLarge { limit: LIMIT }));
        assert!(count.bytes < 2048, "{count:?}");
        // Zeros are the code of '0', five bits each. Their number is known only at their end.
        let (count, result) = decode(&mut decoder(), &literal(first, &text(0x80, &long)));
        assert_eq!(result, Err(DecodeError::ListTooLarge { limit: LIMIT }));
        assert!(count.peak < 2 * LIMIT as i64, "{count:?}");
    }
}

/// Evicted entries are not kept alive by later ones: here by names that arrived with a long value each.
#[test]
fn a_table_holds_what_its_size_says() {
    let mut decoder = decoder();
    let (count, ()) = measure(|| {
        for round in 0..2000_u32 {
            let name = format!("{round:08}");
            let long = [&[0x40, 8][..], name.as_bytes(), &text(0, &[b'v'; 1500])].concat();
            // Reuses the names of some entries, so that they outlive their values.
            let again: Vec<u8> = (0..20).flat_map(|_| [0x40 | (62 + 20), 0]).collect();
            decoder.decode(&long).unwrap();
            let _ = decoder.decode(&again);
        }
    });
    assert!(count.held < TABLE as i64 + HELD_FOR_TABLE, "{count:?}");
}

#[test]
fn an_encoder_s_table_holds_what_its_size_says() {
    let mut encoder = Encoder::new();
    let large = vec![b'x'; 64 << 10];
    let (count, ()) = measure(|| {
        let mut out = BytesMut::new();
        for round in 0..2000_usize {
            // Small parts of a large buffer.
            let buffer = bytes::Bytes::copy_from_slice(&large);
            let field = Field::new(format!("name {}", round % 300), buffer.slice(..round % 100));
            encoder.encode(&[field], &mut out);
            out.clear();
        }
    });
    assert!(count.held < TABLE as i64 + HELD_FOR_TABLE, "{count:?}");
}

/// A repeated request costs only the list.
#[test]
fn what_comes_again_is_not_copied() {
    let fields = [
        Field::new(":method", "CONNECT"),
        Field::new(":protocol", "hotrod"),
        Field::new(":authority", "hotrod.example.com"),
        Field::new("hot-rod-node", "infinispan-0"),
    ];
    let (mut encoder, mut decoder) = (Encoder::new(), decoder());
    let mut out = BytesMut::with_capacity(1024);
    for round in 0..10 {
        let (encoding, ()) = measure(|| encoder.encode(&fields, &mut out));
        let (decoding, decoded) = decode(&mut decoder, &out);
        assert_eq!(decoded.unwrap(), fields);
        out.clear();
        if round > 1 {
            assert_eq!((encoding.calls, decoding.calls), (0, 1));
        }
    }
}
