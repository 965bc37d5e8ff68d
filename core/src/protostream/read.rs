//! Reads a `WrappedMessage`.

use alloc::vec::Vec;

use nom::error::Error;

use super::error::{DecodeError, DecodeProblem};
use super::fields::{self, WireType};
use super::value::{Container, TypeName, Value};
use super::write::MAX_DEPTH;
use crate::wire::primitives::{unzigzag, unzigzag_long, vlong};

/// Upper bounds on a decoded value, checked before memory is allocated.
///
/// Its bytes have the limits of the message that brought them ([`wire::Limits`](crate::wire::Limits)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Containers within each other. Default and maximum 32.
    pub depth: usize,
    /// Elements of all containers together, 40 bytes each. Default 1,048,576.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: MAX_DEPTH, elements: 1 << 20 }
    }
}

/// Decodes the bytes that a ProtoStream cache stores. Texts and bytes of the value are slices of `bytes`.
///
/// The fields may have any order. A container's elements may have wrappers of their own or not: Infinispan 15 and
/// later write them with, older versions without. Fails as [`DecodeError`] says; a field that `WrappedMessage` does
/// not have is an error too, as in Java's client, because it may be the value.
pub fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, DecodeError> {
    let mut elements = limits.elements;
    let mut reader = Reader { bytes, at: 0, offset: 0, elements: &mut elements };
    match reader.whole(limits.depth.min(MAX_DEPTH))? {
        Value::Null => Err(reader.error(DecodeProblem::Null)),
        value => Ok(value),
    }
}

type Read<T> = Result<T, DecodeError>;

/// Cursor over one `WrappedMessage`.
struct Reader<'a, 'b> {
    bytes: &'a [u8],
    at: usize,
    /// Position of `bytes` in the outermost message.
    offset: usize,
    /// Number of further elements allowed.
    elements: &'b mut usize,
}

/// Fields read so far that form one value together.
#[derive(Default)]
struct Fields<'a> {
    /// A value of one field, or a container.
    value: Option<Value<'a>>,
    of: Option<TypeName<'a>>,
    enum_number: Option<i32>,
    message: Option<&'a [u8]>,
    seconds: Option<i64>,
    nanos: Option<u32>,
    container_of: Option<TypeName<'a>>,
    container_size: Option<usize>,
    container_bytes: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn is_empty(&self) -> bool {
        let Self { value, of, enum_number, message, seconds, nanos, .. } = self;
        let numbers = enum_number.is_none() && seconds.is_none() && nanos.is_none();
        value.is_none() && of.is_none() && message.is_none() && numbers && !self.has_container_field()
    }

    fn has_container_field(&self) -> bool {
        self.container_of.is_some() || self.container_size.is_some() || self.container_bytes.is_some()
    }

    /// Whether nothing is missing, and further fields belong to the next element.
    fn is_complete(&self) -> bool {
        let typed = self.of.is_some() && (self.enum_number.is_some() || self.message.is_some());
        self.value.is_some() || typed || (self.seconds.is_some() && self.nanos.is_some())
    }

    /// Type, size and own fields of a container, once all three are there.
    fn take_container(&mut self) -> Option<(TypeName<'a>, usize, &'a [u8])> {
        let container = self.container_of.zip(self.container_size).zip(self.container_bytes);
        let ((of, size), bytes) = container?;
        (self.container_of, self.container_size, self.container_bytes) = (None, None, None);
        Some((of, size, bytes))
    }

    /// The value, if exactly the fields of one value are there.
    fn into_value(self) -> Option<Value<'a>> {
        if self.is_empty() {
            return Some(Value::Null);
        }
        if self.has_container_field() {
            return None;
        }
        match self {
            Fields {
                value: Some(value),
                of: None,
                enum_number: None,
                message: None,
                seconds: None,
                nanos: None,
                ..
            } => Some(value),
            Fields { value: None, of: Some(of), enum_number, message, seconds: None, nanos: None, .. } => {
                match (enum_number, message) {
                    (Some(number), None) => Some(Value::Enum { of, number }),
                    (None, Some(bytes)) => Some(Value::Message { of, bytes }),
                    _ => None,
                }
            }
            Fields { value: None, of: None, enum_number: None, message: None, seconds, nanos, .. } => {
                seconds.zip(nanos).map(|(seconds, nanos)| Value::Instant { seconds, nanos })
            }
            _ => None,
        }
    }
}

impl<'a> Reader<'a, '_> {
    fn error(&self, problem: DecodeProblem) -> DecodeError {
        DecodeError { offset: self.offset + self.at, problem }
    }

    /// Reads a message to its end.
    fn whole(&mut self, depth: usize) -> Read<Value<'a>> {
        let mut fields = Fields::default();
        while self.at < self.bytes.len() {
            self.field(&mut fields, depth)?;
        }
        fields.into_value().ok_or_else(|| self.error(DecodeProblem::Incomplete))
    }

    /// Reads one element of a container.
    fn element(&mut self, depth: usize) -> Read<Value<'a>> {
        let mut fields = Fields::default();
        while !fields.is_complete() {
            if self.at == self.bytes.len() {
                return Err(self.error(DecodeProblem::Truncated));
            }
            self.field(&mut fields, depth)?;
            if let Fields { message: Some(wrapped), of: None, .. } = fields {
                return self.wrapped(wrapped, depth);
            }
        }
        fields.into_value().ok_or_else(|| self.error(DecodeProblem::Incomplete))
    }

    /// Reads the element that a message just read holds.
    fn wrapped(&mut self, bytes: &'a [u8], depth: usize) -> Read<Value<'a>> {
        let offset = self.offset + self.at - bytes.len();
        Reader { bytes, at: 0, offset, elements: self.elements }.whole(depth)
    }

    fn container(&mut self, of: TypeName<'a>, size: usize, bytes: &'a [u8], depth: usize) -> Read<Value<'a>> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.error(DecodeProblem::TooDeep))?;
        // The shortest element has a tag and a byte.
        if size > (self.bytes.len() - self.at) / 2 {
            return Err(self.error(DecodeProblem::Truncated));
        }
        *self.elements = self.elements.checked_sub(size).ok_or_else(|| self.error(DecodeProblem::TooManyElements))?;
        let mut elements = Vec::with_capacity(size);
        for _ in 0..size {
            elements.push(self.element(depth)?);
        }
        Ok(Container { of, bytes, elements }.into())
    }

    /// Reads one field, and the elements of a container behind its last one.
    fn field(&mut self, fields: &mut Fields<'a>, depth: usize) -> Read<()> {
        let start = self.at;
        let (number, wire_type) = self.tag()?;
        let is_new = match wire_type {
            WireType::Varint => self.varint_field(number, fields)?,
            WireType::LengthDelimited => self.delimited_field(number, fields)?,
            WireType::Fixed64 | WireType::Fixed32 => {
                let value = self.fixed_field(number, wire_type)?;
                fields.value.replace(value).is_none()
            }
        };
        if let Some((of, size, bytes)) = fields.take_container() {
            let container = self.container(of, size, bytes, depth)?;
            if fields.value.replace(container).is_none() {
                return Ok(());
            }
        } else if is_new {
            return Ok(());
        }
        self.at = start;
        Err(self.error(DecodeProblem::Repeated { number }))
    }

    fn tag(&mut self) -> Read<(u32, WireType)> {
        let start = self.at;
        let tag = self.varint()?;
        let unknown = |number, wire_type| DecodeProblem::UnknownField { number, wire_type };
        let fault = match u32::try_from(tag) {
            Ok(tag) => match WireType::of_tag(tag) {
                Some(wire_type) => return Ok((tag >> 3, wire_type)),
                None => unknown(tag >> 3, (tag & 7) as u8),
            },
            Err(_) => DecodeProblem::NumberTooLong,
        };
        self.at = start;
        Err(self.error(fault))
    }

    /// Reads a field that is a variable-length number. Returns whether it stands there for the first time.
    fn varint_field(&mut self, number: u32, fields: &mut Fields<'a>) -> Read<bool> {
        let start = self.at;
        let bits = self.varint()?;
        // Protocol Buffers drops the bits beyond those of the type.
        let (signed, int) = (bits as i64, bits as i32);
        let in_range = |value: Option<Value<'a>>| {
            value.ok_or(DecodeError { offset: self.offset + start, problem: DecodeProblem::OutOfRange { number } })
        };
        let out_of_range =
            |_| DecodeError { offset: self.offset + start, problem: DecodeProblem::OutOfRange { number } };
        let value = match number {
            fields::INT64 => Value::Int64(signed),
            fields::UINT64 => Value::UInt64(bits),
            fields::INT32 => Value::Int32(int),
            fields::BOOL => Value::Bool(bits != 0),
            fields::UINT32 => Value::UInt32(bits as u32),
            fields::SINT32 => Value::SInt32(unzigzag(bits as u32)),
            fields::SINT64 => Value::SInt64(unzigzag_long(bits)),
            fields::CHAR => in_range(u16::try_from(int).ok().map(Value::Char))?,
            fields::SHORT => in_range(i16::try_from(int).ok().map(Value::Short))?,
            fields::BYTE => in_range(i8::try_from(int).ok().map(Value::Byte))?,
            fields::DATE_MILLIS => Value::DateMillis(signed),
            fields::EMPTY => Value::Null,
            fields::ENUM => return Ok(fields.enum_number.replace(int).is_none()),
            fields::INSTANT_SECONDS => return Ok(fields.seconds.replace(signed).is_none()),
            fields::INSTANT_NANOS => {
                let nanos = u32::try_from(int).map_err(out_of_range)?;
                in_range((nanos <= fields::MAX_NANOS).then_some(Value::Null))?;
                return Ok(fields.nanos.replace(nanos).is_none());
            }
            fields::TYPE_ID | fields::CONTAINER_TYPE_ID => {
                let id = u32::try_from(int).map_err(out_of_range)?;
                let of = if number == fields::TYPE_ID { &mut fields.of } else { &mut fields.container_of };
                return Ok(of.replace(TypeName::Id(id)).is_none());
            }
            fields::CONTAINER_SIZE => {
                let size = u32::try_from(int).map_err(out_of_range)? as usize;
                return Ok(fields.container_size.replace(size).is_none());
            }
            _ => return Err(self.unknown(number, WireType::Varint)),
        };
        Ok(fields.value.replace(value).is_none())
    }

    /// Reads a field with a length. Returns whether it stands there for the first time.
    fn delimited_field(&mut self, number: u32, fields: &mut Fields<'a>) -> Read<bool> {
        let bytes = self.delimited()?;
        Ok(match number {
            fields::STRING => fields.value.replace(Value::String(self.text(bytes)?)).is_none(),
            fields::BYTES => fields.value.replace(Value::Bytes(bytes)).is_none(),
            fields::TYPE_NAME => fields.of.replace(self.type_name(bytes)?).is_none(),
            fields::CONTAINER_TYPE_NAME => fields.container_of.replace(self.type_name(bytes)?).is_none(),
            fields::MESSAGE => fields.message.replace(bytes).is_none(),
            fields::CONTAINER_MESSAGE => fields.container_bytes.replace(bytes).is_none(),
            _ => return Err(self.unknown(number, WireType::LengthDelimited)),
        })
    }

    fn fixed_field(&mut self, number: u32, wire_type: WireType) -> Read<Value<'a>> {
        Ok(match (number, wire_type) {
            (fields::DOUBLE, WireType::Fixed64) => Value::Double(f64::from_le_bytes(self.array()?)),
            (fields::FIXED64, WireType::Fixed64) => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            (fields::SFIXED64, WireType::Fixed64) => Value::SFixed64(i64::from_le_bytes(self.array()?)),
            (fields::FLOAT, WireType::Fixed32) => Value::Float(f32::from_le_bytes(self.array()?)),
            (fields::FIXED32, WireType::Fixed32) => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            (fields::SFIXED32, WireType::Fixed32) => Value::SFixed32(i32::from_le_bytes(self.array()?)),
            _ => return Err(self.unknown(number, wire_type)),
        })
    }

    fn unknown(&self, number: u32, wire_type: WireType) -> DecodeError {
        self.error(DecodeProblem::UnknownField { number, wire_type: wire_type.number() as u8 })
    }

    fn varint(&mut self) -> Read<u64> {
        let input = &self.bytes[self.at..];
        match vlong::<Error<&[u8]>>(input) {
            Ok((rest, value)) => {
                self.at += input.len() - rest.len();
                Ok(value)
            }
            Err(nom::Err::Incomplete(_)) => Err(self.error(DecodeProblem::Truncated)),
            Err(_) => Err(self.error(DecodeProblem::NumberTooLong)),
        }
    }

    fn delimited(&mut self) -> Read<&'a [u8]> {
        let length = self.varint()?;
        let length = usize::try_from(length).map_err(|_| self.error(DecodeProblem::Truncated))?;
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let (taken, _) =
            self.bytes[self.at..].split_at_checked(length).ok_or_else(|| self.error(DecodeProblem::Truncated))?;
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (array, _) =
            self.bytes[self.at..].split_first_chunk().ok_or_else(|| self.error(DecodeProblem::Truncated))?;
        self.at += N;
        Ok(*array)
    }

    fn type_name(&self, bytes: &'a [u8]) -> Read<TypeName<'a>> {
        match self.text(bytes)? {
            "" => Err(self.error(DecodeProblem::Incomplete)),
            name => Ok(TypeName::Name(name)),
        }
    }

    fn text(&self, bytes: &'a [u8]) -> Read<&'a str> {
        str::from_utf8(bytes).map_err(|_| self.error(DecodeProblem::NotUtf8))
    }
}
