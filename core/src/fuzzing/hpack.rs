//! Field blocks of a connection, in both directions.

use alloc::vec::Vec;

use bytes::BytesMut;

use super::input::Input;
use super::seeds::Seed;
use crate::http2::hpack::{DEFAULT_TABLE_SIZE, Decoder, Encoder, Field};

/// Limits of a block's fields: reached never, sometimes, or always.
const LIMITS: [usize; 3] = [1 << 20, 4096, 100];

/// Choices before a block: changes of our SETTINGS, and of those of the peer to which fields are forwarded.
const OUR_SIZE: u8 = 1;
const THEIR_SIZE: u8 = 2;

/// Decodes a peer's blocks, encodes the fields with other tables, decodes them again, and asserts that they are
/// unchanged.
pub fn hpack(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = input.pick(&LIMITS);
    let mut decoder = Decoder::new(DEFAULT_TABLE_SIZE, limit);
    let mut onward = (Encoder::new(), Decoder::new(DEFAULT_TABLE_SIZE, usize::MAX));
    while !input.is_empty() {
        let changed = input.byte();
        if changed & OUR_SIZE != 0 {
            decoder.set_max_table_size(input.size());
        }
        if changed & THEIR_SIZE != 0 {
            let size = input.size();
            onward.0.set_max_table_size(size);
            onward.1.set_max_table_size(size);
        }
        let length = usize::from(input.byte()) << 8 | usize::from(input.byte());
        match decoder.decode(input.slice(length)) {
            Ok(fields) => {
                assert!(fields.iter().map(Field::size).sum::<usize>() <= limit);
                comes_back(&fields, &mut onward);
            }
            Err(error) if error.is_fatal() => return,
            Err(_) => {}
        }
    }
}

fn comes_back(fields: &[Field], (encoder, decoder): &mut (Encoder, Decoder)) {
    let mut block = BytesMut::new();
    encoder.encode(fields, &mut block);
    let again = decoder.decode(&block).expect("encoded by us");
    assert_eq!(again.len(), fields.len());
    for (again, field) in again.iter().zip(fields) {
        assert_eq!((&again.name, &again.value), (&field.name, &field.value));
        assert!(again.sensitive || !field.sensitive, "{field:?} is put into tables");
    }
}

/// Input for these blocks of one connection.
pub fn hpack_seed(blocks: &[Vec<u8>]) -> Vec<u8> {
    let block = |block: &Vec<u8>| [&[0][..], &(block.len() as u16).to_be_bytes(), block].concat();
    [&[0][..], &blocks.iter().flat_map(block).collect::<Vec<u8>>()].concat()
}

/// Typical requests and responses, and invalid blocks.
pub(super) fn seeds() -> Vec<Seed> {
    let seed = |name: &str, bytes| Seed { target: "hpack", name: name.into(), bytes };
    let mut encoder = Encoder::new();
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for (number, node) in ["infinispan-0", "infinispan-1", "infinispan-0"].into_iter().enumerate() {
        encoder.set_max_table_size([4096, 150, 2000][number]);
        let mut block = BytesMut::new();
        encoder.encode(&request(node), &mut block);
        blocks.push(block.to_vec());
    }
    let large = [&[0x40, 1, b'n', 0x7f, 0x81, 0x0f][..], &[b'v'; 2048]].concat();
    let resized = [&[0, OUR_SIZE, 0, 0, 1, 0x20][..], &[THEIR_SIZE, 40, 0, 1, 0x82], &[0, 0, 2, 0x20, 0x82]].concat();
    [
        seed("requests", hpack_seed(&blocks)),
        seed("bomb", hpack_seed(&[large, [0xbe; 300].to_vec()])),
        seed("never-indexed", hpack_seed(&[[&[0x10, 1, b'n', 1, b'v'][..], &[0x1f, 8, 1, b'w']].concat()])),
        seed("eos", hpack_seed(&[[0x00, 1, b'n', 0x84, 0xff, 0xff, 0xff, 0xff].to_vec()])),
        seed("endless-number", hpack_seed(&[[0xff; 12].to_vec()])),
        seed("resized", resized),
    ]
    .into()
}

fn request(node: &'static str) -> [Field; 7] {
    [
        Field::new(":method", "CONNECT"),
        Field::new(":protocol", "hotrod"),
        Field::new(":scheme", "https"),
        Field::new(":path", "/"),
        Field::new(":authority", "hotrod.example.com"),
        Field::new("hot-rod-node", node),
        Field::new("authorization", "Basic dXNlcjpwYXNz"),
    ]
}
