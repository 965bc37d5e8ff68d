//! Requests that open sessions, at both ends.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::registry::{NODE_FIELD, PROTOCOL};
use crate::http2::hpack::Field;

/// Form of a session's bytes on its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A byte stream in DATA frames.
    Bytes,
    /// Messages in Hot Rod frames.
    Frames,
}

/// A client's request for a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionRequest {
    /// Whether the link is encrypted, which selects `:scheme`.
    pub encrypted: bool,
    /// Authority of the endpoint, `host:port`.
    pub authority: String,
    /// `:path` of Extended CONNECT.
    pub path: String,
    /// Name or advertised address of the member; `None` for any.
    pub node: Option<String>,
    /// Further header fields, such as a cookie.
    pub fields: Vec<Field>,
}

impl SessionRequest {
    /// Returns the header fields: of Extended CONNECT, or of ordinary CONNECT, whose target is the member.
    pub(super) fn fields(&self, ordinary: bool) -> Vec<Field> {
        let text = |name: &'static str, value: &str| {
            Field::new(Bytes::from_static(name.as_bytes()), Bytes::copy_from_slice(value.as_bytes()))
        };
        let mut fields = Vec::with_capacity(6 + self.fields.len());
        fields.push(text(":method", "CONNECT"));
        if ordinary {
            fields.push(text(":authority", self.node.as_ref().unwrap_or(&self.authority)));
        } else {
            fields.push(text(":protocol", PROTOCOL));
            fields.push(text(":scheme", if self.encrypted { "https" } else { "http" }));
            fields.push(text(":path", &self.path));
            fields.push(text(":authority", &self.authority));
        }
        if let Some(node) = &self.node {
            fields.push(text(NODE_FIELD, node));
        }
        fields.extend(self.fields.iter().cloned());
        fields
    }
}

/// Returns the value of the first field of this name, if it is UTF-8.
pub(super) fn text_of<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|field| field.name == name.as_bytes())?;
    core::str::from_utf8(&field.value).ok()
}

/// Returns the member that a request or a response names.
pub(super) fn node_of(fields: &[Field]) -> Option<&str> {
    text_of(fields, NODE_FIELD)
}

/// Returns whether a request has at most one `Hot-Rod-Node`, of 1 to 255 visible ASCII characters
/// (spec/hotrod-over-http.md, R-80).
pub fn names_at_most_one_node<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> bool {
    let is_well = |value: &[u8]| (1..=255).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    values.next().is_none_or(is_well) && values.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(request: &SessionRequest, ordinary: bool) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.into()).unwrap();
        request
            .fields(ordinary)
            .iter()
            .map(|field| alloc::format!("{}={}", text(&field.name), text(&field.value)))
            .collect()
    }

    #[test]
    fn extended_connect_names_the_endpoint_and_the_member() {
        let request = SessionRequest {
            encrypted: true,
            authority: "gate:443".into(),
            path: "/".into(),
            node: Some("10.0.0.7:11222".into()),
            fields: Vec::new(),
        };
        let wanted = [
            ":method=CONNECT",
            ":protocol=hotrod",
            ":scheme=https",
            ":path=/",
            ":authority=gate:443",
            "hot-rod-node=10.0.0.7:11222",
        ];
        assert_eq!(lines(&request, false), wanted);
    }

    #[test]
    fn ordinary_connect_has_the_member_as_its_target() {
        let request = SessionRequest { node: Some("10.0.0.7:11222".into()), ..SessionRequest::default() };
        assert_eq!(
            lines(&request, true),
            [":method=CONNECT", ":authority=10.0.0.7:11222", "hot-rod-node=10.0.0.7:11222"]
        );
    }
}
