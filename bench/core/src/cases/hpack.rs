//! Header compression of the request that opens a tunnel (RFC 8441).

use std::hint::black_box;

use bytes::BytesMut;
use hotrod_core::http2::hpack::{DEFAULT_TABLE_SIZE, Decoder, Encoder, Field};

use super::Case;

const MAX_LIST: usize = 16 << 10;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("hpack.encode.connect_first", encode_first),
        Case::new("hpack.encode.connect", encode),
        Case::new("hpack.decode.connect_first", decode_first),
        Case::new("hpack.decode.connect", decode),
    ]
}

fn connect() -> [Field; 8] {
    [
        Field::new(":method", "CONNECT"),
        Field::new(":protocol", "hotrod"),
        Field::new(":scheme", "https"),
        Field::new(":path", "/hotrod"),
        Field::new(":authority", "hotrod.apps.example.com"),
        Field::new("hot-rod-node", "infinispan-0"),
        Field::new("user-agent", "libhotrod/0.1.0"),
        Field::new("cookie", "1d3ca1e6fd4d5a5d79a4f1e3f9e9ed23=0c5d7f8e"),
    ]
}

/// The first of a connection: everything is a literal, and becomes an entry.
fn encode_first() -> Box<dyn FnMut()> {
    let (fields, mut out) = (connect(), BytesMut::with_capacity(1024));
    Box::new(move || {
        Encoder::new().encode(black_box(&fields), &mut out);
        black_box(&mut out).clear();
    })
}

/// A later one, to the same member.
fn encode() -> Box<dyn FnMut()> {
    let (fields, mut out, mut encoder) = (connect(), BytesMut::with_capacity(1024), Encoder::new());
    Box::new(move || {
        encoder.encode(black_box(&fields), &mut out);
        black_box(&mut out).clear();
    })
}

fn decode_first() -> Box<dyn FnMut()> {
    let mut block = BytesMut::new();
    Encoder::new().encode(&connect(), &mut block);
    Box::new(move || {
        let fields = Decoder::new(DEFAULT_TABLE_SIZE, MAX_LIST).decode(black_box(&block)).expect("encoded by us");
        assert_eq!(black_box(fields).len(), 8);
    })
}

fn decode() -> Box<dyn FnMut()> {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(DEFAULT_TABLE_SIZE, MAX_LIST));
    let mut block = BytesMut::new();
    encoder.encode(&connect(), &mut block);
    decoder.decode(&block).expect("encoded by us");
    block.clear();
    encoder.encode(&connect(), &mut block);
    Box::new(move || {
        let fields = decoder.decode(black_box(&block)).expect("encoded by us");
        assert_eq!(black_box(fields).len(), 8);
    })
}
