//! Kinds of values, and the content of a value without its kind: what hosts in other languages convert.

use alloc::boxed::Box;

use super::error::EncodeError;
use super::fields;
use super::value::{Container, TypeName, Value};

/// Content of a value without its [`Kind`]: several kinds of numbers have the same one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// Nothing.
    Nothing,
    /// A floating-point number.
    Float(f64),
    /// A number with a sign.
    Signed(i64),
    /// A number without a sign.
    Unsigned(u64),
    /// A truth value.
    Flag(bool),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A point in time, as in [`Value::Instant`].
    Instant {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
        /// Nanoseconds after `seconds`: 0 to 999,999,999.
        nanos: u32,
    },
    /// A constant of an enum.
    Enum {
        /// Type of the enum.
        of: TypeName<'a>,
        /// Number of the constant.
        number: i32,
    },
    /// A message of an application.
    Message {
        /// Type of the message.
        of: TypeName<'a>,
        /// The encoded message.
        bytes: &'a [u8],
    },
    /// A list, set or array.
    Container(Box<Container<'a>>),
}

/// Variants of [`Content`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentKind {
    /// [`Content::Nothing`].
    Nothing,
    /// [`Content::Float`].
    Float,
    /// [`Content::Signed`].
    Signed,
    /// [`Content::Unsigned`].
    Unsigned,
    /// [`Content::Flag`].
    Flag,
    /// [`Content::Text`].
    Text,
    /// [`Content::Bytes`].
    Bytes,
    /// [`Content::Instant`].
    Instant,
    /// [`Content::Enum`].
    Enum,
    /// [`Content::Message`].
    Message,
    /// [`Content::Container`].
    Container,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $field:ident, $name:literal, $content:ident $($bits:literal)?;)+) => {
        /// Kind of a [`Value`]: one per field of `WrappedMessage` that can be a value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// All kinds, by their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Number of the field that holds the value.
            pub fn number(self) -> u32 {
                match self {
                    $(Self::$kind => fields::$field,)+
                }
            }

            /// Name in other languages, such as `int32`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// Documentation of the kind.
            pub fn doc(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// Variant of [`Content`] that its values have.
            pub fn content(self) -> ContentKind {
                match self {
                    $(Self::$kind => ContentKind::$content,)+
                }
            }

            /// Size of a number; `None` for other contents.
            pub fn bits(self) -> Option<u8> {
                match self {
                    $(Self::$kind => [$($bits)?].first().copied(),)+
                }
            }
        }
    };
}

kinds! {
    /// Java's `double`.
    Double = DOUBLE, "double", Float 64;
    /// Java's `float`.
    Float = FLOAT, "float", Float 32;
    /// Java's `long`.
    Int64 = INT64, "int64", Signed 64;
    /// Not written by Java's client.
    UInt64 = UINT64, "uint64", Unsigned 64;
    /// Java's `int`.
    Int32 = INT32, "int32", Signed 32;
    /// Not written by Java's client.
    Fixed64 = FIXED64, "fixed64", Unsigned 64;
    /// Not written by Java's client.
    Fixed32 = FIXED32, "fixed32", Unsigned 32;
    /// Java's `boolean`.
    Bool = BOOL, "bool", Flag;
    /// Java's `String`.
    String = STRING, "string", Text;
    /// Java's `byte[]`.
    Bytes = BYTES, "bytes", Bytes;
    /// Not written by Java's client.
    UInt32 = UINT32, "uint32", Unsigned 32;
    /// Not written by Java's client.
    SFixed32 = SFIXED32, "sfixed32", Signed 32;
    /// Not written by Java's client.
    SFixed64 = SFIXED64, "sfixed64", Signed 64;
    /// Not written by Java's client.
    SInt32 = SINT32, "sint32", Signed 32;
    /// Not written by Java's client.
    SInt64 = SINT64, "sint64", Signed 64;
    /// A message of an application: its type and its bytes.
    Message = MESSAGE, "message", Message;
    /// A constant of an enum: its type and its number.
    Enum = ENUM, "enum", Enum;
    /// Java's `char`, a UTF-16 code unit.
    Char = CHAR, "char", Unsigned 16;
    /// Java's `short`.
    Short = SHORT, "short", Signed 16;
    /// Java's `byte`.
    Byte = BYTE, "byte", Signed 8;
    /// Java's `java.util.Date`: milliseconds since 1970-01-01T00:00:00Z.
    DateMillis = DATE_MILLIS, "date_millis", Signed 64;
    /// Java's `java.time.Instant`: seconds since 1970-01-01T00:00:00Z, and nanoseconds.
    Instant = INSTANT_SECONDS, "instant", Instant;
    /// Java's `null`: an element of a container only.
    Null = EMPTY, "null", Nothing;
    /// A list, set or array: its type, its own fields and its elements.
    Container = CONTAINER_SIZE, "container", Container;
}

impl Kind {
    /// The kind with a number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }

    /// The kind with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl<'a> Value<'a> {
    /// A value of a kind. Fails if the content is not that of the kind, or a number exceeds its range.
    pub fn new(kind: Kind, content: Content<'a>) -> Result<Self, EncodeError> {
        let out_of_range = EncodeError::OutOfRange { kind };
        Ok(match (kind, content) {
            (Kind::Null, Content::Nothing) => Self::Null,
            (Kind::Double, Content::Float(value)) => Self::Double(value),
            (Kind::Float, Content::Float(value)) => Self::Float(narrowed(value).ok_or(out_of_range)?),
            (Kind::Bool, Content::Flag(value)) => Self::Bool(value),
            (Kind::String, Content::Text(value)) => Self::String(value),
            (Kind::Bytes, Content::Bytes(value)) => Self::Bytes(value),
            (Kind::Instant, Content::Instant { seconds, nanos }) => Self::Instant { seconds, nanos },
            (Kind::Enum, Content::Enum { of, number }) => Self::Enum { of, number },
            (Kind::Message, Content::Message { of, bytes }) => Self::Message { of, bytes },
            (Kind::Container, Content::Container(container)) => Self::Container(container),
            (kind, Content::Signed(value)) => return signed(kind, value),
            (kind, Content::Unsigned(value)) => return unsigned(kind, value),
            (kind, _) => return Err(EncodeError::Content { kind }),
        })
    }

    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Double(_) => Kind::Double,
            Self::Float(_) => Kind::Float,
            Self::Int64(_) => Kind::Int64,
            Self::UInt64(_) => Kind::UInt64,
            Self::Int32(_) => Kind::Int32,
            Self::Fixed64(_) => Kind::Fixed64,
            Self::Fixed32(_) => Kind::Fixed32,
            Self::Bool(_) => Kind::Bool,
            Self::String(_) => Kind::String,
            Self::Bytes(_) => Kind::Bytes,
            Self::UInt32(_) => Kind::UInt32,
            Self::SFixed32(_) => Kind::SFixed32,
            Self::SFixed64(_) => Kind::SFixed64,
            Self::SInt32(_) => Kind::SInt32,
            Self::SInt64(_) => Kind::SInt64,
            Self::Char(_) => Kind::Char,
            Self::Short(_) => Kind::Short,
            Self::Byte(_) => Kind::Byte,
            Self::DateMillis(_) => Kind::DateMillis,
            Self::Instant { .. } => Kind::Instant,
            Self::Enum { .. } => Kind::Enum,
            Self::Message { .. } => Kind::Message,
            Self::Container(_) => Kind::Container,
        }
    }

    /// The content of the value.
    pub fn into_content(self) -> Content<'a> {
        match self {
            Self::Null => Content::Nothing,
            Self::Double(value) => Content::Float(value),
            Self::Float(value) => Content::Float(value.into()),
            Self::Bool(value) => Content::Flag(value),
            Self::String(value) => Content::Text(value),
            Self::Bytes(value) => Content::Bytes(value),
            Self::Int64(value) | Self::SFixed64(value) | Self::SInt64(value) | Self::DateMillis(value) => {
                Content::Signed(value)
            }
            Self::Int32(value) | Self::SFixed32(value) | Self::SInt32(value) => Content::Signed(value.into()),
            Self::Short(value) => Content::Signed(value.into()),
            Self::Byte(value) => Content::Signed(value.into()),
            Self::UInt64(value) | Self::Fixed64(value) => Content::Unsigned(value),
            Self::UInt32(value) | Self::Fixed32(value) => Content::Unsigned(value.into()),
            Self::Char(value) => Content::Unsigned(value.into()),
            Self::Instant { seconds, nanos } => Content::Instant { seconds, nanos },
            Self::Enum { of, number } => Content::Enum { of, number },
            Self::Message { of, bytes } => Content::Message { of, bytes },
            Self::Container(container) => Content::Container(container),
        }
    }
}

/// A number as one of 32 bits; infinity and NaN stay what they are.
fn narrowed(value: f64) -> Option<f32> {
    let narrowed = value as f32;
    (narrowed.is_finite() || !value.is_finite()).then_some(narrowed)
}

fn signed(kind: Kind, value: i64) -> Result<Value<'static>, EncodeError> {
    let out_of_range = |_| EncodeError::OutOfRange { kind };
    Ok(match kind {
        Kind::Int64 => Value::Int64(value),
        Kind::SFixed64 => Value::SFixed64(value),
        Kind::SInt64 => Value::SInt64(value),
        Kind::DateMillis => Value::DateMillis(value),
        Kind::Int32 => Value::Int32(value.try_into().map_err(out_of_range)?),
        Kind::SFixed32 => Value::SFixed32(value.try_into().map_err(out_of_range)?),
        Kind::SInt32 => Value::SInt32(value.try_into().map_err(out_of_range)?),
        Kind::Short => Value::Short(value.try_into().map_err(out_of_range)?),
        Kind::Byte => Value::Byte(value.try_into().map_err(out_of_range)?),
        _ => return Err(EncodeError::Content { kind }),
    })
}

fn unsigned(kind: Kind, value: u64) -> Result<Value<'static>, EncodeError> {
    let out_of_range = |_| EncodeError::OutOfRange { kind };
    Ok(match kind {
        Kind::UInt64 => Value::UInt64(value),
        Kind::Fixed64 => Value::Fixed64(value),
        Kind::UInt32 => Value::UInt32(value.try_into().map_err(out_of_range)?),
        Kind::Fixed32 => Value::Fixed32(value.try_into().map_err(out_of_range)?),
        Kind::Char => Value::Char(value.try_into().map_err(out_of_range)?),
        _ => return Err(EncodeError::Content { kind }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protostream::{Limits, decode, encode};

    #[test]
    fn a_value_is_its_kind_and_its_content() {
        for (kind, content) in [
            (Kind::Byte, Content::Signed(-128)),
            (Kind::Char, Content::Unsigned(0xd800)),
            (Kind::Float, Content::Float(f64::INFINITY)),
            (Kind::UInt64, Content::Unsigned(u64::MAX)),
            (Kind::DateMillis, Content::Signed(i64::MIN)),
            (Kind::Instant, Content::Instant { seconds: -1, nanos: 999_999_999 }),
            (Kind::Enum, Content::Enum { of: TypeName::Id(9), number: -1 }),
        ] {
            let value = Value::new(kind, content.clone()).expect("it is of that kind");
            let encoded = encode(&value).expect("it can be stored");
            let decoded = decode(&encoded, &Limits::default()).expect("it is valid");
            assert_eq!((decoded.kind(), decoded.into_content()), (kind, content));
        }
    }

    #[test]
    fn what_a_kind_does_not_hold_is_refused() {
        for (kind, content) in [
            (Kind::Byte, Content::Signed(128)),
            (Kind::Short, Content::Signed(-32_769)),
            (Kind::Int32, Content::Signed(1 << 31)),
            (Kind::UInt32, Content::Unsigned(1 << 32)),
            (Kind::Char, Content::Unsigned(1 << 16)),
            (Kind::Float, Content::Float(1e39)),
        ] {
            assert_eq!(Value::new(kind, content).unwrap_err(), EncodeError::OutOfRange { kind });
        }
        for content in [Content::Signed(1), Content::Unsigned(1), Content::Text("1"), Content::Nothing] {
            assert_eq!(Value::new(Kind::Bool, content).unwrap_err(), EncodeError::Content { kind: Kind::Bool });
        }
    }

    #[test]
    fn names_and_numbers_are_unique() {
        for kind in Kind::ALL {
            assert_eq!((Kind::from_name(kind.name()), Kind::from_number(kind.number())), (Some(*kind), Some(*kind)));
        }
    }
}
