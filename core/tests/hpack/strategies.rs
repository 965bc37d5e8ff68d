//! Strategies for fields, and for changes of a connection's header compression.

use bytes::Bytes;
use hotrod_core::http2::hpack::Field;
use proptest::collection::vec;
use proptest::prelude::*;

/// Action of one end.
#[derive(Debug, Clone)]
pub struct Step {
    /// Changes of SETTINGS_HEADER_TABLE_SIZE since the last block.
    pub table_sizes: Vec<usize>,
    /// Fields of the block.
    pub fields: Vec<Field>,
}

/// Names in the tables, names with special treatment, and others.
const NAMES: [&str; 14] = [
    ":method",
    ":path",
    ":status",
    ":protocol",
    "age",
    "authorization",
    "content-length",
    "cookie",
    "etag",
    "location",
    "set-cookie",
    "x-one",
    "x-two",
    "hot-rod-node",
];

fn name() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        8 => prop::sample::select(&NAMES[..]).prop_map(Bytes::from),
        2 => "[a-z-]{0,20}".prop_map(Bytes::from),
        1 => vec(any::<u8>(), 0..40).prop_map(Bytes::from),
    ]
}

/// A few values, so that they recur; any bytes; and some that are large relative to a table.
fn value() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        8 => prop::sample::select(&["", "/", "GET", "hotrod", "200", "text/html", "a cookie of thirty-two bytes, =="][..])
            .prop_map(Bytes::from),
        4 => "[ -~]{0,60}".prop_map(Bytes::from),
        2 => vec(any::<u8>(), 0..300).prop_map(Bytes::from),
        1 => (0_usize..5000, any::<u8>()).prop_map(|(length, byte)| Bytes::from(vec![byte; length])),
    ]
}

pub fn field() -> impl Strategy<Value = Field> {
    (name(), value(), prop::bool::weighted(0.1)).prop_map(|(name, value, sensitive)| Field { name, value, sensitive })
}

pub fn fields() -> impl Strategy<Value = Vec<Field>> {
    vec(field(), 0..16)
}

fn table_size() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(4096), 0_usize..600, 0_usize..10_000]
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let table_sizes = prop_oneof![3 => Just(Vec::new()), 1 => vec(table_size(), 1..4)];
    vec((table_sizes, fields()).prop_map(|(table_sizes, fields)| Step { table_sizes, fields }), 0..12)
}

/// Strings of appendix C, and an empty one.
const CODED: [&[u8]; 3] = [&[0x88, 0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xa9, 0x7d, 0x7f], &[0x82, 0x64, 0x02], &[0x00]];

/// Part of a block: mostly valid, so that later parts are reached.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        vec(any::<u8>(), 0..20).prop_map(|bytes| [&[bytes.len() as u8][..], &bytes].concat()),
        // Huffman-coded: '0', 'a', … have five bits, so any eight of them are five bytes.
        vec(0_u8..0x50, 0..4).prop_map(|bytes| [&[0x80 | bytes.len() as u8][..], &bytes].concat()),
        prop::sample::select(&CODED[..]).prop_map(<[u8]>::to_vec),
    ];
    let text = text.boxed();
    let indexed = prop_oneof![0x81_u8..0xc8, any::<u8>()];
    prop_oneof![
        4 => indexed.prop_map(|index| vec![index]),
        4 => (prop::sample::select(&[0x00_u8, 0x10, 0x40][..]), text.clone(), text.clone())
            .prop_map(|(first, name, value)| [vec![first], name, value].concat()),
        2 => (prop_oneof![0x01_u8..0x0f, 0x11_u8..0x1f, 0x41_u8..0x7f], text).prop_map(|(first, value)| [vec![first], value].concat()),
        1 => (0x20_u8..0x3f).prop_map(|first| vec![first]),
        1 => vec(any::<u8>(), 0..6),
    ]
}

/// A possibly valid block.
pub fn block() -> impl Strategy<Value = Vec<u8>> {
    let begins_with = prop_oneof![6 => Just(Vec::new()), 1 => (0x20_u8..0x3f).prop_map(|first| vec![first])];
    (begins_with, vec(part(), 0..10)).prop_map(|(first, parts)| [first, parts.concat()].concat())
}
