//! ProtoStream values as arrays: the name of the kind, then the parts of the content. protostream.js builds them, and makes
//! JavaScript values of them.
//!
//! | content | parts |
//! |---|---|
//! | a number | a number, or a bigint for kinds of 64 bits |
//! | a text, a truth value, bytes | one |
//! | an instant | seconds as a bigint, nanoseconds |
//! | an enum's constant, a message | name or number of the type; number or bytes |
//! | a container | name or number of the type, bytes of its own fields, array of its elements |

use bytes::Bytes;
use hotrod_core::protostream::{
    Container, Content, ContentKind, EncodeError, Kind, Limits, TypeName, Value, decode, encode,
};
use napi::bindgen_prelude::{Array, BigInt, BufferSlice, Either, Env, Error, FromNapiValue, Result, Status};
use napi_derive::napi;

use crate::memory::Copied;

/// Greatest number below which every whole number has a 64-bit float of its own.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Encodes a value. Fails with the status `InvalidArg` if a content is of the wrong type, and with another status if it is
/// out of range.
#[napi(catch_unwind)]
pub fn encode_protostream<'env>(env: &'env Env, value: Array<'_>) -> Result<BufferSlice<'env>> {
    let value = OwnedValue::read(&value, 0)?;
    let bytes = value.borrow().and_then(|value| encode(&value)).map_err(refused)?;
    BufferSlice::from_data(env, bytes)
}

/// Decodes a value.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)] // Node-API passes values
pub fn decode_protostream(env: &Env, data: Copied) -> Result<Array<'_>> {
    let invalid = |error| Error::new(Status::InvalidArg, format!("{error}"));
    write(env, decode(&data.0, &Limits::default()).map_err(invalid)?)
}

fn refused(error: EncodeError) -> Error {
    let status = match error {
        EncodeError::Content { .. } | EncodeError::Null => Status::InvalidArg,
        _ => Status::GenericFailure,
    };
    Error::new(status, error.to_string())
}

/// A value that owns what [`Value`] borrows.
struct OwnedValue {
    kind: Kind,
    content: OwnedContent,
}

enum OwnedContent {
    Nothing,
    Float(f64),
    Signed(i64),
    Unsigned(u64),
    Flag(bool),
    Text(String),
    Bytes(Bytes),
    Instant { seconds: i64, nanos: u32 },
    Enum { of: OwnedType, number: i32 },
    Message { of: OwnedType, bytes: Bytes },
    Container { of: OwnedType, bytes: Bytes, elements: Vec<OwnedValue> },
}

enum OwnedType {
    Name(String),
    Id(u32),
}

impl OwnedType {
    fn borrow(&self) -> TypeName<'_> {
        match self {
            Self::Name(name) => TypeName::Name(name),
            Self::Id(id) => TypeName::Id(*id),
        }
    }
}

impl OwnedValue {
    /// Reads a value within `depth` containers.
    fn read(parts: &Array<'_>, depth: usize) -> Result<Self> {
        let kind = parts.get::<String>(0)?.and_then(|name| Kind::from_name(&name));
        let kind = kind.ok_or_else(|| Error::new(Status::InvalidArg, "expected the name of a kind"))?;
        let parts = Parts { kind, parts };
        let content = match kind.content() {
            ContentKind::Float => OwnedContent::Float(parts.get(1)?),
            ContentKind::Signed => OwnedContent::Signed(parts.signed(1)?),
            ContentKind::Unsigned => OwnedContent::Unsigned(parts.unsigned(1)?),
            ContentKind::Flag => OwnedContent::Flag(parts.get(1)?),
            ContentKind::Text => OwnedContent::Text(parts.get(1)?),
            ContentKind::Bytes => OwnedContent::Bytes(parts.bytes(1)?),
            ContentKind::Instant => OwnedContent::Instant { seconds: parts.signed(1)?, nanos: parts.int(2)? },
            ContentKind::Enum => OwnedContent::Enum { of: parts.type_name(1)?, number: parts.int(2)? },
            ContentKind::Message => OwnedContent::Message { of: parts.type_name(1)?, bytes: parts.bytes(2)? },
            ContentKind::Container => {
                if depth == Limits::default().depth {
                    return Err(refused(EncodeError::TooDeep));
                }
                let list: Array<'_> = parts.get(3)?;
                let element = |index| Self::read(&Parts { kind, parts: &list }.get(index)?, depth + 1);
                let elements = (0..list.len()).map(element).collect::<Result<_>>()?;
                OwnedContent::Container { of: parts.type_name(1)?, bytes: parts.bytes(2)?, elements }
            }
            ContentKind::Nothing => OwnedContent::Nothing,
            _ => return Err(refused(EncodeError::Content { kind })),
        };
        Ok(Self { kind, content })
    }

    fn borrow(&self) -> std::result::Result<Value<'_>, EncodeError> {
        let content = match &self.content {
            OwnedContent::Nothing => Content::Nothing,
            OwnedContent::Float(number) => Content::Float(*number),
            OwnedContent::Signed(number) => Content::Signed(*number),
            OwnedContent::Unsigned(number) => Content::Unsigned(*number),
            OwnedContent::Flag(flag) => Content::Flag(*flag),
            OwnedContent::Text(text) => Content::Text(text),
            OwnedContent::Bytes(bytes) => Content::Bytes(bytes),
            OwnedContent::Instant { seconds, nanos } => Content::Instant { seconds: *seconds, nanos: *nanos },
            OwnedContent::Enum { of, number } => Content::Enum { of: of.borrow(), number: *number },
            OwnedContent::Message { of, bytes } => Content::Message { of: of.borrow(), bytes },
            OwnedContent::Container { of, bytes, elements } => {
                let elements = elements.iter().map(Self::borrow).collect::<std::result::Result<_, _>>()?;
                Content::Container(Box::new(Container { of: of.borrow(), bytes, elements }))
            }
        };
        Value::new(self.kind, content)
    }
}

/// The parts of a value of a known kind.
struct Parts<'a, 'env> {
    kind: Kind,
    parts: &'a Array<'env>,
}

impl Parts<'_, '_> {
    fn get<T: FromNapiValue>(&self, index: u32) -> Result<T> {
        let part = self.parts.get::<T>(index).ok().flatten();
        part.ok_or_else(|| refused(EncodeError::Content { kind: self.kind }))
    }

    fn bytes(&self, index: u32) -> Result<Bytes> {
        self.get::<Copied>(index).map(|data| data.0)
    }

    fn out_of_range(&self) -> Error {
        refused(EncodeError::OutOfRange { kind: self.kind })
    }

    fn signed(&self, index: u32) -> Result<i64> {
        match self.get::<Either<BigInt, f64>>(index)? {
            Either::A(number) if number.words.is_empty() => Ok(0),
            Either::A(number) => match number.get_i64() {
                (value, true) => Ok(value),
                _ => Err(self.out_of_range()),
            },
            Either::B(number) => self.whole(number),
        }
    }

    fn unsigned(&self, index: u32) -> Result<u64> {
        match self.get::<Either<BigInt, f64>>(index)? {
            Either::A(number) if number.words.is_empty() => Ok(0),
            Either::A(number) => match number.get_u64() {
                (false, value, true) => Ok(value),
                _ => Err(self.out_of_range()),
            },
            Either::B(number) => u64::try_from(self.whole(number)?).map_err(|_| self.out_of_range()),
        }
    }

    /// Reads a number of at most 32 bits beside a type or seconds.
    fn int<T: TryFrom<i64>>(&self, index: u32) -> Result<T> {
        self.whole(self.get(index)?)?.try_into().map_err(|_| self.out_of_range())
    }

    fn whole(&self, number: f64) -> Result<i64> {
        let problem = match number {
            _ if number.fract() != 0.0 => "takes whole numbers",
            _ if number.abs() > MAX_SAFE_INTEGER => "takes a bigint for more than 53 bits",
            _ => return Ok(number as i64),
        };
        Err(Error::new(Status::GenericFailure, format!("{} {problem}", self.kind.name())))
    }

    fn type_name(&self, index: u32) -> Result<OwnedType> {
        match self.get::<Either<String, f64>>(index)? {
            Either::A(name) => Ok(OwnedType::Name(name)),
            Either::B(id) if id.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&id) => {
                Ok(OwnedType::Id(id as u32))
            }
            Either::B(_) => Err(refused(EncodeError::Type)),
        }
    }
}

fn write<'env>(env: &'env Env, value: Value<'_>) -> Result<Array<'env>> {
    let kind = value.kind();
    let mut parts = env.create_array(0)?;
    parts.insert(kind.name())?;
    match value.into_content() {
        Content::Nothing => {}
        Content::Float(number) => parts.insert(number)?,
        Content::Signed(number) if kind.bits() == Some(64) => parts.insert(BigInt::from(number))?,
        Content::Signed(number) => parts.insert(number as f64)?,
        Content::Unsigned(number) if kind.bits() == Some(64) => parts.insert(BigInt::from(number))?,
        Content::Unsigned(number) => parts.insert(number as f64)?,
        Content::Flag(flag) => parts.insert(flag)?,
        Content::Text(text) => parts.insert(text)?,
        Content::Bytes(bytes) => parts.insert(&BufferSlice::copy_from(env, bytes)?)?,
        Content::Instant { seconds, nanos } => {
            parts.insert(BigInt::from(seconds))?;
            parts.insert(nanos)?;
        }
        Content::Enum { of, number } => {
            insert_type(&mut parts, of)?;
            parts.insert(number)?;
        }
        Content::Message { of, bytes } => {
            insert_type(&mut parts, of)?;
            parts.insert(&BufferSlice::copy_from(env, bytes)?)?;
        }
        Content::Container(container) => {
            insert_type(&mut parts, container.of)?;
            parts.insert(&BufferSlice::copy_from(env, container.bytes)?)?;
            let mut elements = env.create_array(0)?;
            for element in container.elements {
                elements.insert(write(env, element)?)?;
            }
            parts.insert(elements)?;
        }
        _ => return Err(Error::from_reason("a content that this version does not know")),
    }
    Ok(parts)
}

fn insert_type(parts: &mut Array<'_>, of: TypeName<'_>) -> Result<()> {
    match of {
        TypeName::Name(name) => parts.insert(name),
        TypeName::Id(id) => parts.insert(id),
    }
}
