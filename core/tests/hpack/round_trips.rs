//! Each end decodes what the other encodes, for any changes of the tables.

use hotrod_core::http2::hpack::{DEFAULT_TABLE_SIZE, DecodeError, Decoder, Encoder, Field};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{block, steps};
use crate::{NO_LIMIT, decoder, encoded};

/// The encoder marks well-known secrets itself.
fn as_sent(field: &Field) -> Field {
    let secret = matches!(&field.name[..], b"authorization" | b"proxy-authorization" | b"cookie");
    if secret { field.clone().sensitive() } else { field.clone() }
}

/// RFC 7541, 6.2.3; spec/hotrod-over-http.md, R-100.
#[test]
fn secrets_are_never_indexed_and_come_again_whole() {
    let fields = [
        Field::new("authorization", "Basic dXNlcjpwYXNz"),
        Field::new("proxy-authorization", "Bearer token"),
        Field::new("cookie", "id=7"),
        Field::new("cookie", "1d3ca1e6fd4d5a5d79a4f1e3f9e9ed23=0c5d"),
        Field::new("x-token", "abc").sensitive(),
        Field::new(":method", "GET").sensitive(),
    ];
    let (mut encoder, mut decoder) = (Encoder::new(), decoder());
    for _ in 0..2 {
        let decoded = decoder.decode(&encoded(&mut encoder, &fields)).unwrap();
        assert!(decoded.iter().all(|field| field.sensitive), "{decoded:?}");
        assert!(decoded.iter().zip(&fields).all(|(one, other)| (&one.name, &one.value) == (&other.name, &other.value)));
    }
    assert!(decoder.decode(&[0xbe]).is_err(), "nothing is in the table");
}

/// The second request of a kind costs one byte per field.
#[test]
fn what_comes_again_is_an_index() {
    let fields = [
        Field::new(":method", "CONNECT"),
        Field::new(":protocol", "hotrod"),
        Field::new(":scheme", "https"),
        Field::new(":path", "/hotrod"),
        Field::new(":authority", "hotrod.example.com"),
        Field::new("hot-rod-node", "infinispan-0"),
    ];
    let mut encoder = Encoder::new();
    encoded(&mut encoder, &fields);
    let block = encoded(&mut encoder, &fields);
    assert_eq!(block.len(), fields.len());
    assert!(block.iter().all(|byte| byte & 0x80 != 0));
}

#[test]
fn what_differs_each_time_does_not_fill_the_table() {
    let (mut encoder, mut decoder) = (Encoder::new(), decoder());
    for number in 0..3 {
        let fields = ["age", "content-length", "etag", "if-modified-since", "if-none-match", "location", "set-cookie"]
            .map(|name| Field::new(name, number.to_string()));
        assert_eq!(decoder.decode(&encoded(&mut encoder, &fields)).unwrap(), fields);
    }
    let large = Field::new("large", "x".repeat(4000));
    assert_eq!(decoder.decode(&encoded(&mut encoder, std::slice::from_ref(&large))).unwrap(), [large]);
    assert!(decoder.decode(&[0xbe]).is_err(), "nothing is in the table");
}

proptest! {
    #[test]
    fn fields_come_back_through_tables_of_any_size(steps in steps()) {
        let (mut encoder, mut decoder) = (Encoder::new(), decoder());
        for step in steps {
            for size in step.table_sizes {
                encoder.set_max_table_size(size);
                decoder.set_max_table_size(size);
            }
            let block = encoded(&mut encoder, &step.fields);
            let expected: Vec<Field> = step.fields.iter().map(as_sent).collect();
            prop_assert_eq!(decoder.decode(&block), Ok(expected));
        }
    }

    /// A limit applies to each list alone: a rejected list does not affect later ones.
    #[test]
    fn a_limit_refuses_exactly_the_lists_that_are_larger(blocks in vec(block(), 0..12), limit in 0_usize..2000) {
        let mut free = decoder();
        let mut limited = Decoder::new(DEFAULT_TABLE_SIZE, limit);
        for block in blocks {
            let result = free.decode(&block);
            let size = result.iter().flatten().map(Field::size).sum::<usize>();
            let expected = if size > limit { Err(DecodeError::ListTooLarge { limit }) } else { result.clone() };
            prop_assert_eq!(limited.decode(&block), expected);
            if result.is_err() {
                break;
            }
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(
        blocks in vec(vec(any::<u8>(), 0..200), 1..8),
        sizes in vec(0_usize..5000, 0..8),
        limit in 0_usize..20_000,
    ) {
        let mut decoder = Decoder::new(DEFAULT_TABLE_SIZE, limit);
        let mut sizes = sizes.into_iter();
        for block in blocks {
            if let Ok(fields) = decoder.decode(&block) {
                prop_assert!(fields.iter().map(Field::size).sum::<usize>() <= limit);
            }
            if let Some(size) = sizes.next() {
                decoder.set_max_table_size(size);
            }
        }
    }
}

#[test]
fn without_a_limit_there_is_none() {
    let mut decoder = Decoder::new(DEFAULT_TABLE_SIZE, NO_LIMIT);
    assert_eq!(decoder.decode(&vec![0x82; 100_000]).unwrap().len(), 100_000);
}
