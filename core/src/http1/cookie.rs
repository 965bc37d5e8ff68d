//! Cookies: parses `Set-Cookie` as a user agent, and writes `Cookie` (RFC 6265). Stores nothing.

use alloc::string::{String, ToString};
use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Fields, Misuse, date};

/// Maximum length of a cookie's name and value together, in bytes; longer cookies are ignored. The limit of browsers.
pub const MAX_COOKIE: usize = 4096;
/// Maximum length of an attribute's value, in bytes; longer attributes are ignored.
pub const MAX_ATTRIBUTE: usize = 1024;
/// Maximum number of cookies in one `Cookie` field (RFC 6265, 6.1).
pub const MAX_COOKIES: usize = 50;
/// Maximum length of a `Cookie` field, in bytes: gateways and routers reject longer ones.
pub const MAX_FIELD: usize = 8192;

/// Beginning of 2020: a server that sets an earlier date deletes the cookie.
const LONG_AGO: i64 = 1_577_836_800;

/// Name and value of a cookie. `Debug` omits the value, which may be a session or sticky-route secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    name: Bytes,
    value: Bytes,
}

impl Cookie {
    /// Creates a cookie. The name must not be empty or contain `=`; neither part may have a control character, a `;`,
    /// or whitespace at its beginning or end.
    pub fn new(name: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<Self, Misuse> {
        let (name, value) = (name.into(), value.into());
        let text = || String::from_utf8_lossy(&name).to_string();
        if name.is_empty() || name.contains(&b'=') || !can_be_written(&name) {
            return Err(Misuse::FieldName(text()));
        }
        if !can_be_written(&value) {
            return Err(Misuse::FieldValue(text()));
        }
        Ok(Self { name, value })
    }

    /// Name of the cookie; case-sensitive.
    pub fn name(&self) -> &Bytes {
        &self.name
    }

    /// Value of the cookie, with its quotes if there are any.
    pub fn value(&self) -> &Bytes {
        &self.value
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A cookie as set by a server. Other attributes (`SameSite`, …) have no meaning for a client that is not a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    /// Cookie to send back.
    pub cookie: Cookie,
    /// `Path` if it is absolute; with `None` the request's default path applies.
    pub path: Option<Bytes>,
    /// `Domain` in lower case, without a leading dot; `None` restricts the cookie to the host of the request.
    pub domain: Option<Bytes>,
    /// `Max-Age` in seconds; 0 or less deletes the cookie. Takes precedence over `expires`.
    pub max_age: Option<i64>,
    /// `Expires` in seconds since 1970.
    pub expires: Option<i64>,
    /// `Secure`: send over TLS only.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
}

impl SetCookie {
    /// Parses the value of one `Set-Cookie` field (RFC 6265, 5.2). `None` if it holds no cookie, or one longer than
    /// [`MAX_COOKIE`].
    pub fn parse(field: &Bytes) -> Option<Self> {
        let mut parts = field.split(|byte| *byte == b';');
        let (name, value) = split_at_equals(parts.next()?)?;
        if name.len() + value.len() > MAX_COOKIE {
            return None;
        }
        let cookie = Cookie::new(field.slice_ref(name), field.slice_ref(value)).ok()?;
        let mut set =
            Self { cookie, path: None, domain: None, max_age: None, expires: None, secure: false, http_only: false };
        parts.for_each(|attribute| set.take(attribute, field));
        Some(set)
    }

    /// Remaining lifetime in seconds, relative to the response's `Date`: 0 or less deletes the cookie, `None` keeps it
    /// until the client ends (RFC 6265, 5.3). Without a `Date` in the response, a cookie with `Expires` is kept until
    /// the client ends too, unless it expires before 2020.
    pub fn lifetime(&self, date: Option<&Bytes>) -> Option<i64> {
        let until = |expires: i64| match date.and_then(|date| date::parse(date)) {
            Some(now) => Some(expires.saturating_sub(now)),
            None => (expires < LONG_AGO).then_some(0),
        };
        self.max_age.or_else(|| self.expires.and_then(until))
    }

    /// All cookies of a response, in order (RFC 6265, 3: one field each).
    pub fn all(fields: &Fields) -> impl Iterator<Item = Self> {
        fields.all("set-cookie").filter_map(Self::parse)
    }

    /// Applies an attribute: the last of a name wins, and invalid ones are ignored (RFC 6265, 5.2.1 to 5.2.6).
    fn take(&mut self, attribute: &[u8], field: &Bytes) {
        let (name, value) = split_at_equals(attribute).unwrap_or((attribute.trim_ascii(), b""));
        if value.len() > MAX_ATTRIBUTE {
            return;
        }
        match name.to_ascii_lowercase().as_slice() {
            b"path" => self.path = value.starts_with(b"/").then(|| field.slice_ref(value)),
            b"domain" => {
                let domain = value.strip_prefix(b".").unwrap_or(value);
                if !domain.is_empty() {
                    self.domain = Some(domain.to_ascii_lowercase().into());
                }
            }
            b"max-age" => self.max_age = seconds(value).or(self.max_age),
            b"expires" => self.expires = date::parse(value).or(self.expires),
            b"secure" => self.secure = true,
            b"httponly" => self.http_only = true,
            _ => {}
        }
    }
}

/// Value of a `Cookie` field with these cookies in order (RFC 6265, 5.4); empty for none.
///
/// Omits cookies that would exceed [`MAX_COOKIES`] or [`MAX_FIELD`].
pub fn write<'a>(cookies: impl IntoIterator<Item = &'a Cookie>) -> Bytes {
    let mut field = BytesMut::new();
    let mut count = 0;
    for Cookie { name, value } in cookies {
        let separator: &[u8] = if field.is_empty() { b"" } else { b"; " };
        let length = separator.len() + name.len() + 1 + value.len();
        if count == MAX_COOKIES || field.len() + length > MAX_FIELD {
            continue;
        }
        count += 1;
        field.reserve(length);
        [separator, name, b"=", value].into_iter().for_each(|part| field.put_slice(part));
    }
    field.freeze()
}

/// Splits at the first `=`, and trims whitespace around both parts.
fn split_at_equals(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    Some((pair[..at].trim_ascii(), pair[at + 1..].trim_ascii()))
}

/// Parses digits with an optional minus sign (RFC 6265, 5.2.2); saturates.
fn seconds(value: &[u8]) -> Option<i64> {
    let (digits, sign) = value.strip_prefix(b"-").map_or((value, 1), |digits| (digits, -1));
    let are_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let add = |sum: i64, digit: &u8| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    are_digits.then(|| sign * digits.iter().fold(0, add))
}

fn can_be_written(part: &[u8]) -> bool {
    let allowed = |byte: &u8| matches!(byte, b' '..=0x7e | 0x80..) && *byte != b';';
    part.iter().all(allowed) && part.trim_ascii().len() == part.len()
}
