//! Request targets.

use alloc::string::{String, ToString};

use super::Violation;

/// Target of a request, in one of the four forms of RFC 9112, 3.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Origin form: an absolute path with its query.
    Origin {
        /// Path from the first `/`.
        path: String,
    },
    /// Absolute form: a whole URI, as sent to proxies.
    Absolute {
        /// `host` or `host:port`.
        authority: String,
        /// Path from the first `/` behind the authority; `/` if there is none.
        path: String,
    },
    /// Authority form, of CONNECT: the tunnel's target.
    Authority {
        /// `host:port`, an IPv6 address in brackets.
        authority: String,
    },
    /// Asterisk form, of OPTIONS: the server as a whole.
    Asterisk,
}

impl Target {
    /// Parses a target. CONNECT requires the authority form, other methods exclude it; `*` is for OPTIONS.
    pub(super) fn parse(method: &str, target: &str) -> Result<Self, Violation> {
        let parsed = match (method, target) {
            ("CONNECT", authority) if is_authority(authority, Port::Required) => {
                Self::Authority { authority: authority.to_string() }
            }
            ("CONNECT", _) => return Err(Violation::Target),
            ("OPTIONS", "*") => Self::Asterisk,
            (_, path) if is_path(path) => Self::Origin { path: path.to_string() },
            (_, uri) => Self::absolute(uri).ok_or(Violation::Target)?,
        };
        Ok(parsed)
    }

    fn absolute(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = if path.starts_with('/') { path.to_string() } else { alloc::format!("/{path}") };
        // Rejects an empty host, which has no meaning in http URIs (RFC 9110, 4.2.1), and user information (4.2.4).
        let is_valid = is_authority(authority, Port::Optional) && is_path(&path);
        is_valid.then(|| Self::Absolute { authority: authority.to_string(), path })
    }

    /// Path with its query; `None` for the authority and asterisk forms.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Origin { path } | Self::Absolute { path, .. } => Some(path),
            Self::Authority { .. } | Self::Asterisk => None,
        }
    }

    /// Authority; `None` for the origin and asterisk forms, where the Host field has it.
    pub fn authority(&self) -> Option<&str> {
        match self {
            Self::Absolute { authority, .. } | Self::Authority { authority } => Some(authority),
            Self::Origin { .. } | Self::Asterisk => None,
        }
    }
}

/// Whether an authority must have a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// The port may be absent or empty (RFC 3986, 3.2.3).
    Optional,
    /// The port is 1 to 65535 (RFC 9110, 9.3.6).
    Required,
}

/// Whether the text is `host` or `host:port` (RFC 3986, 3.2.2 and 3.2.3), without user information.
pub(super) fn is_authority(authority: &str, rule: Port) -> bool {
    let (host, port) = match authority.rfind(']') {
        Some(end) => {
            (&authority[..=end], authority[end + 1..].strip_prefix(':').or((end + 1 == authority.len()).then_some("")))
        }
        None => authority.split_once(':').map_or((authority, Some("")), |(host, port)| (host, Some(port))),
    };
    let Some(port) = port else { return false };
    let number = if port.bytes().all(|byte| byte.is_ascii_digit()) { port.parse::<u16>().ok() } else { None };
    is_host(host) && (number.is_some_and(|number| number > 0) || port.is_empty() && rule == Port::Optional)
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        // An IPv6 address may have a zone behind a `%`.
        Some(address) => address.strip_suffix(']').is_some_and(|address| {
            !address.is_empty() && address.bytes().all(|byte| is_unreserved(byte) || matches!(byte, b':' | b'%'))
        }),
        // Rejects `,` and other sub-delimiters, which RFC 3986, 3.2.2 allows: no real name has one, and it would look
        // like two hosts.
        None => !host.is_empty() && is_encoded(host, is_unreserved),
    }
}

/// Whether the text is an absolute path with or without a query (RFC 9112, 3.2.1), without a fragment.
pub(super) fn is_path(path: &str) -> bool {
    let allowed = |byte| is_unreserved(byte) || is_sub_delimiter(byte) || b":@/?".contains(&byte);
    path.starts_with('/') && is_encoded(path, allowed)
}

/// Whether every byte is allowed or percent-encoded (RFC 3986, 2.1).
fn is_encoded(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let mut pieces = text.split('%');
    let plain = |piece: &str| piece.bytes().all(&allowed);
    let encoded = |piece: &str| {
        let digits = piece.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) && plain(&piece[2..])
    };
    pieces.next().is_none_or(plain) && pieces.all(encoded)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_sub_delimiter(byte: u8) -> bool {
    b"!$&'()*+,;=".contains(&byte)
}
