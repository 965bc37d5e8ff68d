//! ProtoStream values.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::seeds::Seed;
use crate::protostream::{Container, Limits, TypeName, Value, decode, encode};

/// Decodes a value, encodes it, and asserts that it is unchanged, and that its encoding has one form.
pub fn protostream(data: &[u8]) {
    let limits = Limits { elements: 1 << 10, ..Limits::default() };
    let value = match decode(data, &limits) {
        Ok(value) => value,
        Err(error) => {
            assert!(error.offset <= data.len(), "{error}");
            return;
        }
    };
    let bytes = encode(&value).expect("each decoded value can be encoded");
    let again = decode(&bytes, &limits).expect("written by us");
    // NaN differs from itself, and not in its bytes.
    assert_eq!(encode(&again).expect("encoded before"), bytes);
}

/// A value of every wire type and kind, and a fault of nesting.
pub(super) fn seeds() -> Vec<Seed> {
    let mixed = vec![
        Value::Null,
        Value::String("text"),
        Value::Int32(-1),
        Value::Enum { of: TypeName::Name("E"), number: 1 },
        Value::Message { of: TypeName::Id(1005), bytes: b"\x08\x01" },
        Container::new(Container::HASH_SET, vec![Value::Bool(true)]).into(),
    ];
    let values = [
        Value::Double(1.5),
        Value::Float(-0.0),
        Value::SInt64(i64::MIN),
        Value::Char(0xffff),
        Value::Bytes(b"\0\xff"),
        Value::Instant { seconds: -5, nanos: 999_999_999 },
        Container::new(Container::ARRAY_LIST, mixed).into(),
    ];
    let seed = |(index, bytes): (usize, Vec<u8>)| Seed { target: "protostream", name: index.to_string(), bytes };
    let nested = b"\xe2\x01\x01L\xd8\x01\x01\xf2\x01\x00".repeat(40);
    values.iter().filter_map(|value| encode(value).ok()).chain([nested]).enumerate().map(seed).collect()
}
