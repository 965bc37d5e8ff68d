//! Parsed requests.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::framing::Content;
use super::head::RequestHead;
use super::target::{Port, is_authority};
use super::{Fields, HOTROD, Target, Violation};

/// A client's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method, such as `GET` or `CONNECT`; case-sensitive.
    pub method: String,
    /// Target of the request.
    pub target: Target,
    /// Host of the request, `host` or `host:port`: from the target if that has an authority, else from the Host field
    /// (RFC 9112, 3.2.2). Empty if the field is empty, or absent in HTTP/1.0.
    pub host: String,
    /// All header fields, Host included.
    pub fields: Fields,
    /// Kind of the request, which determines the response.
    pub kind: Kind,
}

/// Kind of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// GET with `Upgrade: hotrod`: accept or refuse it.
    Upgrade {
        /// Protocols of the Upgrade field, in the client's order (RFC 9110, 7.8): includes `hotrod`, excludes `h2c`.
        protocols: Vec<Bytes>,
    },
    /// CONNECT: accept or refuse it.
    Connect {
        /// Target of the tunnel: `host:port`.
        authority: String,
    },
    /// Any other request: respond to it.
    Ordinary,
}

/// Properties of a request that the exchange needs until its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PendingRequest {
    pub(super) tunnel: Option<TunnelKind>,
    pub(super) is_head: bool,
    /// Length of the content to skip; `None` if no further request may follow.
    pub(super) content_to_skip: Option<u64>,
}

/// Way in which a request asks for a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TunnelKind {
    Upgrade,
    Connect,
}

impl Request {
    /// Parses a request whose content of up to `limit` bytes will be skipped.
    pub(super) fn of(head: RequestHead, limit: u64) -> Result<(Self, PendingRequest), Violation> {
        let RequestHead { method, target, minor, fields } = head;
        let target = Target::parse(&method, &target)?;
        let host = host(&fields, minor)?;
        let host = target.authority().map_or(host, ToString::to_string);
        let content = Content::of(&fields, minor)?;
        let kind = kind(&method, &target, minor, &fields);
        let tunnel = match &kind {
            Kind::Upgrade { .. } => Some(TunnelKind::Upgrade),
            Kind::Connect { .. } => Some(TunnelKind::Connect),
            Kind::Ordinary => None,
        };
        // Rejects a request for Hot Rod with content, for any method: its bytes might be taken for the tunnel's.
        if content != Content::Length(0) && (tunnel.is_some() || minor > 0 && requests_hotrod(&fields)) {
            return Err(Violation::TunnelWithContent);
        }
        let content_to_skip = match content {
            Content::Length(length) if length <= limit && is_persistent(&fields, minor, length) => Some(length),
            _ => None,
        };
        let pending = PendingRequest { tunnel, is_head: method == "HEAD", content_to_skip };
        Ok((Self { method, target, host, fields, kind }, pending))
    }
}

/// Whether the connection persists after this request (RFC 9112, 9.3).
///
/// False for a client that waits for "100 Continue": it may or may not send its content after a final response (RFC
/// 9110, 10.1.1).
fn is_persistent(fields: &Fields, minor: u8, content: u64) -> bool {
    minor > 0 && !fields.has("connection", "close") && (content == 0 || fields.get("expect").is_none())
}

fn host(fields: &Fields, minor: u8) -> Result<String, Violation> {
    let mut hosts = fields.all("host");
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => core::str::from_utf8(host).map_err(|_| Violation::Host)?,
        (None, None) if minor == 0 => "",
        _ => return Err(Violation::Host),
    };
    let is_valid = host.is_empty() || is_authority(host, Port::Optional);
    is_valid.then(|| host.to_string()).ok_or(Violation::Host)
}

fn kind(method: &str, target: &Target, minor: u8, fields: &Fields) -> Kind {
    match (method, target) {
        (_, Target::Authority { authority }) => Kind::Connect { authority: authority.clone() },
        // HTTP/1.0 has no Upgrade (RFC 9110, 7.8).
        ("GET", _) if minor > 0 && requests_hotrod(fields) => Kind::Upgrade {
            protocols: fields.list("upgrade").filter(|protocol| !protocol.eq_ignore_ascii_case(b"h2c")).collect(),
        },
        _ => Kind::Ordinary,
    }
}

fn requests_hotrod(fields: &Fields) -> bool {
    fields.has("connection", "upgrade") && fields.has("upgrade", HOTROD)
}
