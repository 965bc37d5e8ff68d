//! One request, understood.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::framing::Content;
use super::head::RequestHead;
use super::target::{Port, is_authority};
use super::{Fields, HOTROD, Target, Violation};

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `CONNECT`, …; case matters.
    pub method: String,
    /// What it is about.
    pub target: Target,
    /// Whom the client means, `host` or `host:port`: from the target where that has an authority, and from the Host
    /// field otherwise (RFC 9112, 3.2.2). Empty if the client says so, and in HTTP/1.0 if it says nothing.
    pub host: String,
    /// Every field, Host included.
    pub fields: Fields,
    /// What has to be done with it.
    pub kind: Kind,
}

/// What has to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// GET with `Upgrade: hotrod`: accept it or refuse it.
    Upgrade {
        /// What the client would like to change to, in its order (RFC 9110, 7.8): `hotrod` is among them, `h2c` is left
        /// out.
        protocols: Vec<Bytes>,
    },
    /// CONNECT: accept it or refuse it.
    Connect {
        /// Where the tunnel is to lead: `host:port`.
        authority: String,
    },
    /// Anything else: answer it.
    Ordinary,
}

/// What the exchange has to know of a request until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) tunnel: Option<Tunnelled>,
    pub(super) is_head: bool,
    /// Content to be skipped, if another request may follow.
    pub(super) next_behind: Option<u64>,
}

/// How a tunnel is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tunnelled {
    Upgrade,
    Connect,
}

impl Request {
    /// Skips up to `limit` bytes of content.
    pub(super) fn of(head: RequestHead, limit: u64) -> Result<(Self, Asked), Violation> {
        let RequestHead { method, target, minor, fields } = head;
        let target = Target::parse(&method, &target)?;
        let host = host(&fields, minor)?;
        let host = target.authority().map_or(host, ToString::to_string);
        let content = Content::of(&fields, minor)?;
        let kind = kind(&method, &target, minor, &fields);
        let tunnel = match &kind {
            Kind::Upgrade { .. } => Some(Tunnelled::Upgrade),
            Kind::Connect { .. } => Some(Tunnelled::Connect),
            Kind::Ordinary => None,
        };
        // Whoever asks for Hot Rod behind content means something that can't be: also by POST, say, which can't have it.
        if content != Content::Length(0) && (tunnel.is_some() || minor > 0 && asks_for_hotrod(&fields)) {
            return Err(Violation::TunnelWithContent);
        }
        let next_behind = match content {
            Content::Length(length) if length <= limit && goes_on(&fields, minor, length) => Some(length),
            _ => None,
        };
        let asked = Asked { tunnel, is_head: method == "HEAD", next_behind };
        Ok((Self { method, target, host, fields, kind }, asked))
    }
}

/// Whether the client would send another request on this link (RFC 9112, 9.3).
///
/// One that waits for "100 Continue" may or may not send its content after a final answer (RFC 9110, 10.1.1).
fn goes_on(fields: &Fields, minor: u8, content: u64) -> bool {
    minor > 0 && !fields.has("connection", "close") && (content == 0 || fields.get("expect").is_none())
}

fn host(fields: &Fields, minor: u8) -> Result<String, Violation> {
    let mut hosts = fields.all("host");
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => core::str::from_utf8(host).map_err(|_| Violation::Host)?,
        (None, None) if minor == 0 => "",
        _ => return Err(Violation::Host),
    };
    let well = host.is_empty() || is_authority(host, Port::MayBe);
    well.then(|| host.to_string()).ok_or(Violation::Host)
}

fn kind(method: &str, target: &Target, minor: u8, fields: &Fields) -> Kind {
    match (method, target) {
        (_, Target::Authority { authority }) => Kind::Connect { authority: authority.clone() },
        // HTTP/1.0 knows no Upgrade (RFC 9110, 7.8).
        ("GET", _) if minor > 0 && asks_for_hotrod(fields) => Kind::Upgrade {
            protocols: fields.list("upgrade").filter(|protocol| !protocol.eq_ignore_ascii_case(b"h2c")).collect(),
        },
        _ => Kind::Ordinary,
    }
}

fn asks_for_hotrod(fields: &Fields) -> bool {
    fields.has("connection", "upgrade") && fields.has("upgrade", HOTROD)
}
