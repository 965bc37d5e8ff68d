//! Codecs of keys and values.
//!
//! A cache has a codec for keys and one for values. Each declares a media type to the server, encodes the arguments of
//! operations and decodes their results. A cache without codecs has [`Raw`] for both: bytes.
//!
//! | codec | arguments | results | media type |
//! |---|---|---|---|
//! | [`Raw`] | `impl Into<Bytes>` | [`Bytes`] | that of the cache's configuration |
//! | [`Octets`] | `impl Into<Bytes>` | [`Bytes`] | `application/octet-stream` |
//! | [`Text`] | `&str`, `String`, `&String` | `String` | `text/plain;charset=UTF-8` |
#![cfg_attr(feature = "json", doc = "| [`Json<T>`](Json) | `&T`, `T` | `T` | `application/json` |")]
#![cfg_attr(
    not(feature = "json"),
    doc = "| `Json<T>`, with the feature `json` | `&T`, `T` | `T` | `application/json` |"
)]
//! | [`ProtoStream<T>`](ProtoStream) | `&T`, `T` | `T`, a [`Scalar`] | `application/x-protostream` |
#![cfg_attr(feature = "prost", doc = "| [`Protobuf<M>`](Protobuf) | `&M`, `M` | `M` | `application/x-protostream` |")]
#![cfg_attr(
    not(feature = "prost"),
    doc = "| `Protobuf<M>`, with the feature `prost` | `&M`, `M` | `M` | `application/x-protostream` |"
)]
//!
//! ```no_run
//! use hotrod_tokio::codec::{ProtoStream, Text};
//!
//! # async fn example() -> Result<(), hotrod_tokio::Error> {
//! let client = hotrod_tokio::Client::connect("hotrod://127.0.0.1:11222").await?;
//! // Java's `Cache<String, Long>`.
//! let visits = client.cache("visits").with_codecs(Text, ProtoStream::<i64>::new());
//! visits.put("home", 1).await?;
//! assert_eq!(visits.get("home").await?, Some(1));
//! # Ok(())
//! # }
//! ```
//!
//! A value that its codec can't encode fails with [`Error::Encode`](crate::Error::Encode) before anything is sent; one
//! that it can't decode fails with [`Error::Decode`](crate::Error::Decode).

mod error;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "prost")]
mod protobuf;
mod protostream;
mod text;

use bytes::Bytes;
use hotrod_core::wire::MediaType;

pub use error::{CodecError, JsonProblem};
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "prost")]
pub use protobuf::Protobuf;
pub use protostream::{ProtoStream, Scalar};
pub use text::Text;

/// Decodes the keys or the values of a cache, and declares their media type. What it encodes are its
/// implementations of [`Encode`].
///
/// A codec of your own is a type with both traits:
///
/// ```
/// use bytes::Bytes;
/// use hotrod_tokio::codec::{Codec, CodecError, Encode};
/// use hotrod_tokio::core::wire::MediaType;
///
/// /// Numbers as four bytes.
/// #[derive(Clone)]
/// struct BigEndian;
///
/// impl Codec for BigEndian {
///     type Value = u32;
///
///     fn media_type(&self) -> MediaType {
///         MediaType::OCTET_STREAM
///     }
///
///     fn decode(&self, bytes: Bytes) -> Result<u32, CodecError> {
///         let bytes = bytes[..].try_into().map_err(|_| CodecError::other("not four bytes"))?;
///         Ok(u32::from_be_bytes(bytes))
///     }
/// }
///
/// impl Encode<u32> for BigEndian {
///     fn encode(&self, value: u32) -> Result<Bytes, CodecError> {
///         Ok(Bytes::copy_from_slice(&value.to_be_bytes()))
///     }
/// }
/// ```
pub trait Codec: Clone + Send + Sync + 'static {
    /// Type of decoded keys or values.
    type Value;

    /// Media type that requests declare; the server converts from and to it.
    /// [`MediaType::Unspecified`] stands for the storage media type of the cache.
    fn media_type(&self) -> MediaType;

    /// Decodes the bytes of a key or a value.
    fn decode(&self, bytes: Bytes) -> Result<Self::Value, CodecError>;

    /// The bytes that servers store for a key, which is encoded here. Operations go to the owner of these bytes.
    ///
    /// `None`, the default, leaves it to the client, which derives them where no schema is needed; see
    /// [`Event::KeysNotRouted`](crate::core::cluster::Event::KeysNotRouted). Wrong bytes cost a hop, and nothing else.
    fn storage_key(&self, encoded: &Bytes) -> Option<Bytes> {
        let _ = encoded;
        None
    }
}

/// Encodes keys or values of type `T`. A codec implements it for each type of arguments that it accepts.
///
/// Servers compare keys by their bytes: a codec of keys encodes equal keys equally.
pub trait Encode<T>: Codec {
    /// Encodes a key or a value.
    fn encode(&self, value: T) -> Result<Bytes, CodecError>;
}

/// Bytes as the cache stores them: no media type is declared, unless the client's settings or
/// [`Cache::with_media_types`](crate::Cache::with_media_types) declare one. The default of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Raw;

/// Bytes, declared as `application/octet-stream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Octets;

impl Codec for Raw {
    type Value = Bytes;

    fn media_type(&self) -> MediaType {
        MediaType::Unspecified
    }

    fn decode(&self, bytes: Bytes) -> Result<Bytes, CodecError> {
        Ok(bytes)
    }
}

impl<T: Into<Bytes>> Encode<T> for Raw {
    fn encode(&self, value: T) -> Result<Bytes, CodecError> {
        Ok(value.into())
    }
}

impl Codec for Octets {
    type Value = Bytes;

    fn media_type(&self) -> MediaType {
        MediaType::OCTET_STREAM
    }

    fn decode(&self, bytes: Bytes) -> Result<Bytes, CodecError> {
        Ok(bytes)
    }
}

impl<T: Into<Bytes>> Encode<T> for Octets {
    fn encode(&self, value: T) -> Result<Bytes, CodecError> {
        Ok(value.into())
    }
}
