//! Protocol Buffers messages by prost.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use hotrod_core::protostream::{self, Kind, Limits, TypeName, Value};
use hotrod_core::wire::MediaType;
use prost::{Message, Name};

use super::protostream::encoded;
use super::{Codec, CodecError, Encode};

/// Protocol Buffers messages of one type, as `application/x-protostream`: what Infinispan's Java client stores for a
/// class with a schema. Needs the feature `prost`.
///
/// The type is written by its full name (`shop.Item`, from [`prost::Name`], which `prost_build` generates with
/// `enable_type_names`), or by the number that its schema gives to it (`@TypeId`), with
/// [`with_type_id`](Self::with_type_id).
///
/// ```no_run
/// use hotrod_tokio::codec::{Protobuf, Text};
///
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct Item {
///     #[prost(string, tag = "1")]
///     name: String,
/// }
///
/// impl prost::Name for Item {
///     const PACKAGE: &'static str = "shop";
///     const NAME: &'static str = "Item";
/// }
///
/// # async fn example(client: hotrod_tokio::Client) -> Result<(), hotrod_tokio::Error> {
/// let items = client.cache("items").with_codecs(Text, Protobuf::<Item>::new());
/// items.put("42", &Item { name: "lamp".into() }).await?;
/// # Ok(())
/// # }
/// ```
pub struct Protobuf<M> {
    type_id: Option<u32>,
    message: PhantomData<fn() -> M>,
}

/// Longest type name in an error, in characters.
const LONGEST_NAME: usize = 200;

impl<M> Protobuf<M> {
    /// The codec of `M`, by its full name.
    pub const fn new() -> Self {
        Self { type_id: None, message: PhantomData }
    }

    /// Writes the type by its number, at most 2,147,483,647. Messages with its full name are decoded too.
    #[must_use]
    pub const fn with_type_id(self, type_id: u32) -> Self {
        Self { type_id: Some(type_id), ..self }
    }
}

impl<M> Default for Protobuf<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> Clone for Protobuf<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Protobuf<M> {}

impl<M> fmt::Debug for Protobuf<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protobuf").field("type_id", &self.type_id).finish_non_exhaustive()
    }
}

impl<M: Message + Name + Default + 'static> Protobuf<M> {
    fn check_type(self, found: TypeName<'_>) -> Result<(), CodecError> {
        let name = M::full_name();
        let is_expected = match found {
            TypeName::Name(found) => found == name,
            TypeName::Id(found) => Some(found) == self.type_id,
        };
        if is_expected {
            return Ok(());
        }
        let expected = self.type_id.map_or_else(|| described(TypeName::Name(&name)), |id| described(TypeName::Id(id)));
        Err(CodecError::MessageType { expected, found: described(found) })
    }
}

fn described(of: TypeName<'_>) -> String {
    match of {
        // A name from the network may contain anything.
        TypeName::Name(name) => name.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect(),
        TypeName::Id(id) => format!("with id {id}"),
    }
}

impl<M: Message + Name + Default + 'static> Codec for Protobuf<M> {
    type Value = M;

    fn media_type(&self) -> MediaType {
        MediaType::PROTOSTREAM
    }

    fn decode(&self, bytes: Bytes) -> Result<M, CodecError> {
        match protostream::decode(&bytes, &Limits::default())? {
            Value::Message { of, bytes: message } => {
                self.check_type(of)?;
                // prost's errors name fields and wire types, and no content.
                M::decode(bytes.slice_ref(message)).map_err(CodecError::other)
            }
            value => Err(CodecError::Kind { expected: Kind::Message, found: value.kind() }),
        }
    }
}

impl<M: Message + Name + Default + 'static> Encode<&M> for Protobuf<M> {
    fn encode(&self, value: &M) -> Result<Bytes, CodecError> {
        let name = M::full_name();
        let of = self.type_id.map_or(TypeName::Name(&name), TypeName::Id);
        encoded(&Value::Message { of, bytes: &value.encode_to_vec() })
    }
}

impl<M: Message + Name + Default + 'static> Encode<M> for Protobuf<M> {
    fn encode(&self, value: M) -> Result<Bytes, CodecError> {
        self.encode(&value)
    }
}
