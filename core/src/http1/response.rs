//! What a server says to a request that leads to no tunnel.

use alloc::string::String;

use bytes::Bytes;

use super::{Fields, Misuse};

/// A final answer of a server, with a short content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 599.
    pub status: u16,
    /// Fields beside those that the exchange writes: `Retry-After`, `Content-Type`, `Date` where there is a clock, …
    pub fields: Fields,
    /// What is said. Not sent in answer to HEAD, nor with 204 and 304.
    pub content: Bytes,
}

impl Answer {
    /// Without content.
    pub fn new(status: u16) -> Self {
        Self { status, fields: Fields::new(), content: Bytes::new() }
    }

    /// With a text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        let text: String = text.into();
        let content_type = (Bytes::from_static(b"content-type"), Bytes::from_static(b"text/plain; charset=utf-8"));
        Self { status, fields: Fields::received(alloc::vec![content_type]), content: text.into() }
    }

    /// With content of that media type.
    pub fn with_content(mut self, media_type: &str, content: impl Into<Bytes>) -> Result<Self, Misuse> {
        self.content = content.into();
        self.with("content-type", Bytes::copy_from_slice(media_type.as_bytes()))
    }

    /// With one more field.
    pub fn with(mut self, name: &str, value: impl Into<Bytes>) -> Result<Self, Misuse> {
        self.fields.push(name, value)?;
        Ok(self)
    }
}
