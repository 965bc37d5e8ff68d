//! Writes a `WrappedMessage` as Java's client does, byte for byte: the bytes of a key decide its owner.

use alloc::vec::Vec;

use bytes::BufMut;

use super::error::EncodeError;
use super::fields::{self, WireType};
use super::value::{Container, TypeName, Value};
use crate::wire::primitives::{put_vlong, zigzag, zigzag_long};

/// Containers within each other, at most. The default of [`Limits`](super::Limits) reads as many.
pub(super) const MAX_DEPTH: usize = 32;

/// Encodes a value as the bytes that a ProtoStream cache stores.
///
/// Elements of containers are written as Infinispan 15 and later write them: each one that is no scalar is wrapped in
/// a message of its own. Fails if the value can't be stored; see [`EncodeError`].
pub fn encode(value: &Value<'_>) -> Result<Vec<u8>, EncodeError> {
    if *value == Value::Null {
        return Err(EncodeError::Null);
    }
    let mut out = Vec::with_capacity(FIXED + payload(value));
    put_value(&mut out, value, 0)?;
    Ok(out)
}

/// Bytes of a tag and of a number or a length.
const FIXED: usize = 11;

/// Length of a text or of bytes, so that a key is written with one allocation.
fn payload(value: &Value<'_>) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) | Value::Message { bytes, .. } => bytes.len(),
        _ => 0,
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value<'_>, depth: usize) -> Result<(), EncodeError> {
    match value {
        Value::Null => put_varint(out, fields::EMPTY, 1),
        Value::Double(value) => put_fixed64(out, fields::DOUBLE, value.to_bits()),
        Value::Float(value) => put_fixed32(out, fields::FLOAT, value.to_bits()),
        Value::Int64(value) => put_signed(out, fields::INT64, *value),
        Value::UInt64(value) => put_varint(out, fields::UINT64, *value),
        Value::Int32(value) => put_signed(out, fields::INT32, (*value).into()),
        Value::Fixed64(value) => put_fixed64(out, fields::FIXED64, *value),
        Value::Fixed32(value) => put_fixed32(out, fields::FIXED32, *value),
        Value::Bool(value) => put_varint(out, fields::BOOL, (*value).into()),
        Value::String(value) => put_bytes(out, fields::STRING, value.as_bytes()),
        Value::Bytes(value) => put_bytes(out, fields::BYTES, value),
        Value::UInt32(value) => put_varint(out, fields::UINT32, (*value).into()),
        Value::SFixed32(value) => put_fixed32(out, fields::SFIXED32, *value as u32),
        Value::SFixed64(value) => put_fixed64(out, fields::SFIXED64, *value as u64),
        Value::SInt32(value) => put_varint(out, fields::SINT32, zigzag(*value).into()),
        Value::SInt64(value) => put_varint(out, fields::SINT64, zigzag_long(*value)),
        Value::Char(value) => put_varint(out, fields::CHAR, (*value).into()),
        Value::Short(value) => put_signed(out, fields::SHORT, (*value).into()),
        Value::Byte(value) => put_signed(out, fields::BYTE, (*value).into()),
        Value::DateMillis(value) => put_signed(out, fields::DATE_MILLIS, *value),
        Value::Instant { seconds, nanos } => {
            if *nanos > fields::MAX_NANOS {
                return Err(EncodeError::Nanos { nanos: *nanos });
            }
            put_signed(out, fields::INSTANT_SECONDS, *seconds);
            put_varint(out, fields::INSTANT_NANOS, (*nanos).into());
        }
        Value::Enum { of, number } => {
            put_type(out, of, fields::TYPE_NAME, fields::TYPE_ID)?;
            put_signed(out, fields::ENUM, (*number).into());
        }
        Value::Message { of, bytes } => {
            put_type(out, of, fields::TYPE_NAME, fields::TYPE_ID)?;
            put_bytes(out, fields::MESSAGE, bytes);
        }
        Value::Container(container) => put_container(out, container, depth)?,
    }
    Ok(())
}

fn put_container(out: &mut Vec<u8>, container: &Container<'_>, depth: usize) -> Result<(), EncodeError> {
    if depth >= MAX_DEPTH {
        return Err(EncodeError::TooDeep);
    }
    put_type(out, &container.of, fields::CONTAINER_TYPE_NAME, fields::CONTAINER_TYPE_ID)?;
    let size = i32::try_from(container.elements.len()).map_err(|_| EncodeError::TooManyElements)?;
    put_signed(out, fields::CONTAINER_SIZE, size.into());
    put_bytes(out, fields::CONTAINER_MESSAGE, container.bytes);
    for element in &container.elements {
        if is_scalar(element) {
            put_value(out, element, depth + 1)?;
        } else {
            // The length stands before the bytes. They are copied once per level, of which there are few.
            let mut wrapped = Vec::new();
            put_value(&mut wrapped, element, depth + 1)?;
            put_bytes(out, fields::MESSAGE, &wrapped);
        }
    }
    Ok(())
}

/// Whether Java's client writes an element of a container without a wrapper of its own. Null is one.
fn is_scalar(value: &Value<'_>) -> bool {
    !matches!(value, Value::Instant { .. } | Value::Enum { .. } | Value::Message { .. } | Value::Container(_))
}

fn put_type(out: &mut Vec<u8>, of: &TypeName<'_>, name: u32, id: u32) -> Result<(), EncodeError> {
    match of {
        TypeName::Name(text) if !text.is_empty() => put_bytes(out, name, text.as_bytes()),
        TypeName::Id(number) if *number <= fields::MAX_TYPE_ID => put_varint(out, id, (*number).into()),
        _ => return Err(EncodeError::Type),
    }
    Ok(())
}

fn put_tag(out: &mut Vec<u8>, field: u32, wire_type: WireType) {
    put_vlong(out, (field << 3 | wire_type.number()).into());
}

fn put_varint(out: &mut Vec<u8>, field: u32, value: u64) {
    put_tag(out, field, WireType::Varint);
    put_vlong(out, value);
}

/// Writes a signed number without zigzag: a negative one takes ten bytes, whatever its type.
fn put_signed(out: &mut Vec<u8>, field: u32, value: i64) {
    put_varint(out, field, value as u64);
}

fn put_fixed64(out: &mut Vec<u8>, field: u32, value: u64) {
    put_tag(out, field, WireType::Fixed64);
    out.put_u64_le(value);
}

fn put_fixed32(out: &mut Vec<u8>, field: u32, value: u32) {
    put_tag(out, field, WireType::Fixed32);
    out.put_u32_le(value);
}

fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_tag(out, field, WireType::LengthDelimited);
    put_vlong(out, bytes.len() as u64);
    out.put_slice(bytes);
}
