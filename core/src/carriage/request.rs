//! The request that opens a session, as both ends of a carriage see it.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::registry::{NODE_FIELD, PROTOCOL};
use crate::http2::hpack::Field;

/// How a session's bytes travel on its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a stream of bytes in DATA.
    Bytes,
    /// As messages in Hot Rod frames.
    Frames,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionRequest {
    /// Whether the link is encrypted: `:scheme`.
    pub encrypted: bool,
    /// The endpoint's authority, `host:port`.
    pub authority: String,
    /// `:path` of Extended CONNECT.
    pub path: String,
    /// The member's name or advertised address; `None` for any.
    pub node: Option<String>,
    /// What else is to be told, such as a cookie.
    pub fields: Vec<Field>,
}

impl SessionRequest {
    /// The fields of the request: of Extended CONNECT, or of an ordinary one, which names the member as its target.
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

/// The value of the first field of that name, if it is text.
pub(super) fn text_of<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|field| field.name == name.as_bytes())?;
    core::str::from_utf8(&field.value).ok()
}

/// The member that a request asks for, or that an answer names.
pub(super) fn node_of(fields: &[Field]) -> Option<&str> {
    text_of(fields, NODE_FIELD)
}

/// Whether the values of all `Hot-Rod-Node` of a request name a member once or not at all, by 1 to 255 visible ASCII
/// characters (spec/hotrod-over-http.md, R-80).
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
