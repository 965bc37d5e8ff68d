//! Texts.

use bytes::Bytes;
use hotrod_core::wire::MediaType;

use super::{Codec, CodecError, Encode};

/// Texts, as `text/plain` in UTF-8. In a ProtoStream cache they are Java's `String`: the server converts them.
///
/// ```no_run
/// use hotrod_tokio::codec::Text;
///
/// # async fn example(client: hotrod_tokio::Client) -> Result<(), hotrod_tokio::Error> {
/// let cache = client.cache("names").with_codecs(Text, Text);
/// cache.put("fr", "Éire").await?;
/// assert_eq!(cache.get("fr").await?.as_deref(), Some("Éire"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text;

/// Number of `text/plain` among the registered media types.
const TEXT_PLAIN: u32 = 13;

impl Codec for Text {
    type Value = String;

    fn media_type(&self) -> MediaType {
        MediaType::Numbered(TEXT_PLAIN, vec![("charset".into(), "UTF-8".into())])
    }

    fn decode(&self, bytes: Bytes) -> Result<String, CodecError> {
        String::from_utf8(bytes.into())
            .map_err(|error| CodecError::NotUtf8 { valid_up_to: error.utf8_error().valid_up_to() })
    }
}

impl Encode<&str> for Text {
    fn encode(&self, value: &str) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(value.as_bytes()))
    }
}

impl Encode<&String> for Text {
    fn encode(&self, value: &String) -> Result<Bytes, CodecError> {
        self.encode(value.as_str())
    }
}

impl Encode<String> for Text {
    fn encode(&self, value: String) -> Result<Bytes, CodecError> {
        Ok(value.into())
    }
}
