//! Infinispan's ProtoStream encoding of keys and values, `application/x-protostream`.
//!
//! A cache that stores ProtoStream, the default of Infinispan's Java clients, holds every key and value as a
//! `WrappedMessage`: a Protocol Buffers message that says which type it holds. This module reads and writes that
//! wrapper. Messages of an application keep their bytes, unknown fields included; a Protocol Buffers library reads
//! them, by the name or the number of their type.
//!
//! ```
//! use hotrod_core::protostream::{Limits, TypeName, Value, decode, encode};
//!
//! // The key that Java's client writes for the string "k".
//! assert_eq!(encode(&Value::String("k"))?, b"\x4a\x01k");
//!
//! // A message `shop.Item` whose bytes were made by a Protocol Buffers library.
//! let item = Value::Message { of: TypeName::Name("shop.Item"), bytes: b"\x08\x2a" };
//! let stored = encode(&item)?;
//! assert_eq!(decode(&stored, &Limits::default())?, item);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! Source: `message-wrapping.proto` and `WrappedMessage.java` of ProtoStream 6.0.4, which Infinispan 16.0.7 contains,
//! and the vectors of spec/vectors/protostream.json, which that version wrote.

mod error;
mod fields;
mod kind;
mod read;
mod value;
mod write;

pub use error::{DecodeError, DecodeProblem, EncodeError};
pub use kind::{Content, ContentKind, Kind};
pub use read::{Limits, decode};
pub use value::{Container, TypeName, Value};
pub use write::encode;
