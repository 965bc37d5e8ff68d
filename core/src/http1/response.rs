//! Responses that establish no tunnel.

use alloc::string::String;

use bytes::Bytes;

use super::{Fields, Misuse};

/// A final response with short content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status: 200 to 599.
    pub status: u16,
    /// Fields beside those of the exchange: `Retry-After`, `Content-Type`, `Date` if the host has a clock, …
    pub fields: Fields,
    /// Content. Not sent in response to HEAD, nor with 204 and 304.
    pub content: Bytes,
}

impl Response {
    /// Creates a response without content.
    pub fn new(status: u16) -> Self {
        Self { status, fields: Fields::new(), content: Bytes::new() }
    }

    /// Creates a response with a text as its content.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        let text: String = text.into();
        let content_type = (Bytes::from_static(b"content-type"), Bytes::from_static(b"text/plain; charset=utf-8"));
        Self { status, fields: Fields::received(alloc::vec![content_type]), content: text.into() }
    }

    /// Sets the content and its media type.
    pub fn with_content(mut self, media_type: &str, content: impl Into<Bytes>) -> Result<Self, Misuse> {
        self.content = content.into();
        self.with("content-type", Bytes::copy_from_slice(media_type.as_bytes()))
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: impl Into<Bytes>) -> Result<Self, Misuse> {
        self.fields.push(name, value)?;
        Ok(self)
    }
}
