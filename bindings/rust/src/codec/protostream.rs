//! Scalars in ProtoStream.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hotrod_core::protostream::{self, Kind, Limits, Value};
use hotrod_core::wire::MediaType;

use super::{Codec, CodecError, Encode};

/// Scalars as Infinispan's Java client stores them, as `application/x-protostream`.
///
/// Each Rust type is one [kind](Scalar::KIND) of value: `ProtoStream<i32>` reads and writes Java's `int`, and a Java
/// `long` is an error for it.
///
/// ```no_run
/// use hotrod_tokio::codec::ProtoStream;
///
/// # async fn example(client: hotrod_tokio::Client) -> Result<(), hotrod_tokio::Error> {
/// // Java's `Cache<Integer, String>`.
/// let cache = client.cache("names").with_codecs(ProtoStream::<i32>::new(), ProtoStream::<String>::new());
/// cache.put(7, "seven").await?;
/// # Ok(())
/// # }
/// ```
pub struct ProtoStream<T>(PhantomData<fn() -> T>);

impl<T> ProtoStream<T> {
    /// The codec of `T`.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for ProtoStream<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for ProtoStream<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ProtoStream<T> {}

impl<T> fmt::Debug for ProtoStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProtoStream")
    }
}

/// A type that is one kind of ProtoStream value. Sealed: further kinds are in `hotrod_core::protostream`.
///
/// | Rust | kind | Java |
/// |---|---|---|
/// | `bool` | `bool` | `boolean` |
/// | `i8`, `i16` | `byte`, `short` | `byte`, `short` |
/// | `i32`, `i64` | `int32`, `int64` | `int`, `long` |
/// | `u32`, `u64` | `uint32`, `uint64` | none |
/// | `f32`, `f64` | `float`, `double` | `float`, `double` |
/// | `String` (encodes `&str` too) | `string` | `String` |
/// | `Bytes`, `Vec<u8>` (encode `&[u8]` too) | `bytes` | `byte[]` |
/// | `SystemTime` (what its platform can represent) | `instant` | `java.time.Instant` |
pub trait Scalar: convert::Convert + 'static {
    /// Kind of the type's values.
    const KIND: Kind;
}

mod convert {
    use bytes::Bytes;
    use hotrod_core::protostream::Value;

    /// Conversion of a scalar from and to a value.
    pub trait Convert: Sized {
        fn to_value(&self) -> Value<'_>;

        /// Converts a value, which borrows from `stored`. Fails if it has another kind or exceeds the type's range.
        fn from_value(value: &Value<'_>, stored: &Bytes) -> Option<Self>;
    }
}

impl<T: Scalar> Codec for ProtoStream<T> {
    type Value = T;

    fn media_type(&self) -> MediaType {
        MediaType::PROTOSTREAM
    }

    fn decode(&self, bytes: Bytes) -> Result<T, CodecError> {
        let value = protostream::decode(&bytes, &Limits::default())?;
        T::from_value(&value, &bytes).ok_or_else(|| match value.kind() {
            kind if kind == T::KIND => CodecError::OutOfRange { kind },
            found => CodecError::Kind { expected: T::KIND, found },
        })
    }
}

impl<T: Scalar> Encode<T> for ProtoStream<T> {
    fn encode(&self, value: T) -> Result<Bytes, CodecError> {
        encoded(&value.to_value())
    }
}

impl<T: Scalar> Encode<&T> for ProtoStream<T> {
    fn encode(&self, value: &T) -> Result<Bytes, CodecError> {
        encoded(&value.to_value())
    }
}

impl Encode<&str> for ProtoStream<String> {
    fn encode(&self, value: &str) -> Result<Bytes, CodecError> {
        encoded(&Value::String(value))
    }
}

impl Encode<&[u8]> for ProtoStream<Bytes> {
    fn encode(&self, value: &[u8]) -> Result<Bytes, CodecError> {
        encoded(&Value::Bytes(value))
    }
}

impl Encode<&[u8]> for ProtoStream<Vec<u8>> {
    fn encode(&self, value: &[u8]) -> Result<Bytes, CodecError> {
        encoded(&Value::Bytes(value))
    }
}

pub(super) fn encoded(value: &Value<'_>) -> Result<Bytes, CodecError> {
    Ok(protostream::encode(value)?.into())
}

macro_rules! numbers {
    ($($number:ty: $kind:ident;)+) => {$(
        impl Scalar for $number {
            const KIND: Kind = Kind::$kind;
        }

        impl convert::Convert for $number {
            fn to_value(&self) -> Value<'_> {
                Value::$kind(*self)
            }

            fn from_value(value: &Value<'_>, _stored: &Bytes) -> Option<Self> {
                match value {
                    Value::$kind(number) => Some(*number),
                    _ => None,
                }
            }
        }
    )+};
}

numbers! {
    bool: Bool;
    i8: Byte;
    i16: Short;
    i32: Int32;
    i64: Int64;
    u32: UInt32;
    u64: UInt64;
    f32: Float;
    f64: Double;
}

impl Scalar for String {
    const KIND: Kind = Kind::String;
}

impl convert::Convert for String {
    fn to_value(&self) -> Value<'_> {
        Value::String(self)
    }

    fn from_value(value: &Value<'_>, _stored: &Bytes) -> Option<Self> {
        match value {
            Value::String(text) => Some((*text).into()),
            _ => None,
        }
    }
}

impl Scalar for Vec<u8> {
    const KIND: Kind = Kind::Bytes;
}

impl convert::Convert for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }

    fn from_value(value: &Value<'_>, _stored: &Bytes) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some((*bytes).into()),
            _ => None,
        }
    }
}

impl Scalar for Bytes {
    const KIND: Kind = Kind::Bytes;
}

impl convert::Convert for Bytes {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }

    fn from_value(value: &Value<'_>, stored: &Bytes) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(stored.slice_ref(bytes)),
            _ => None,
        }
    }
}

impl Scalar for SystemTime {
    const KIND: Kind = Kind::Instant;
}

impl convert::Convert for SystemTime {
    fn to_value(&self) -> Value<'_> {
        let (seconds, nanos) = match self.duration_since(UNIX_EPOCH) {
            Ok(after) => (after.as_secs() as i64, after.subsec_nanos()),
            Err(error) => floor(error.duration()),
        };
        Value::Instant { seconds, nanos }
    }

    fn from_value(value: &Value<'_>, _stored: &Bytes) -> Option<Self> {
        let Value::Instant { seconds, nanos } = *value else { return None };
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let second = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        second?.checked_add(Duration::from_nanos(nanos.into()))
    }
}

/// Converts a time before 1970: the nanoseconds count forward from the second.
fn floor(before: Duration) -> (i64, u32) {
    let seconds = 0i64.saturating_sub_unsigned(before.as_secs());
    match before.subsec_nanos() {
        0 => (seconds, 0),
        nanos => (seconds.saturating_sub(1), 1_000_000_000 - nanos),
    }
}
