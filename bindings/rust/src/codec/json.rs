//! JSON by serde.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use hotrod_core::wire::MediaType;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Codec, CodecError, Encode, JsonProblem};

/// JSON of a type with serde's `Serialize` and `Deserialize`, as `application/json`. Needs the feature `json`.
///
/// NaN and infinities become `null`, as everywhere with serde_json; `f64` does not decode `null`. As a key, a type
/// must serialize equal keys equally: no `HashMap`, whose order is random.
///
/// ```no_run
/// use hotrod_tokio::codec::{Json, Text};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Item {
///     name: String,
///     price: u64,
/// }
///
/// # async fn example(client: hotrod_tokio::Client) -> Result<(), hotrod_tokio::Error> {
/// let items = client.cache("items").with_codecs(Text, Json::<Item>::new());
/// items.put("42", &Item { name: "lamp".into(), price: 1999 }).await?;
/// let price = items.get("42").await?.map(|item| item.price);
/// # Ok(())
/// # }
/// ```
pub struct Json<T>(PhantomData<fn() -> T>);

impl<T> Json<T> {
    /// The codec of `T`.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Json<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Json<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Json<T> {}

impl<T> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json")
    }
}

impl<T: DeserializeOwned + 'static> Codec for Json<T> {
    type Value = T;

    fn media_type(&self) -> MediaType {
        MediaType::JSON
    }

    fn decode(&self, bytes: Bytes) -> Result<T, CodecError> {
        serde_json::from_slice(&bytes).map_err(|error| CodecError::Json {
            problem: match error.classify() {
                Category::Syntax => JsonProblem::Syntax,
                Category::Eof => JsonProblem::Truncated,
                Category::Data | Category::Io => JsonProblem::Type,
            },
            line: error.line(),
            column: error.column(),
        })
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Encode<&T> for Json<T> {
    fn encode(&self, value: &T) -> Result<Bytes, CodecError> {
        let bytes = serde_json::to_vec(value).map_err(|_| CodecError::NotSerializable)?;
        Ok(bytes.into())
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Encode<T> for Json<T> {
    fn encode(&self, value: T) -> Result<Bytes, CodecError> {
        self.encode(&value)
    }
}
