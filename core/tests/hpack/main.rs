//! HPACK by RFC 7541: decoding, rejected blocks, and both ends in step.

#![allow(unreachable_pub)]

mod limits;
mod malformed;
mod oracle;
mod round_trips;
mod strategies;
mod table_sizes;
mod vectors;

use bytes::BytesMut;
use hotrod_core::http2::hpack::{DEFAULT_TABLE_SIZE, Decoder, Encoder, Field};

/// No limit, for tests about other properties.
const NO_LIMIT: usize = usize::MAX;

fn decoder() -> Decoder {
    Decoder::new(DEFAULT_TABLE_SIZE, NO_LIMIT)
}

fn encoded(encoder: &mut Encoder, fields: &[Field]) -> BytesMut {
    let mut out = BytesMut::new();
    encoder.encode(fields, &mut out);
    out
}

/// A literal string without Huffman coding, of fewer than 127 bytes.
fn text(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

/// A literal field with incremental indexing and a new name.
fn indexed_literal(name: &str, value: &str) -> Vec<u8> {
    [vec![0x40], text(name), text(value)].concat()
}
