//! Cookies: `Set-Cookie` read as a user agent does, and `Cookie` written (RFC 6265). Nothing is kept here.

use alloc::string::{String, ToString};
use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Fields, Misuse, date};

/// Bytes of a cookie's name and value together, beyond which it is passed over: as many as browsers keep.
pub const MAX_COOKIE: usize = 4096;
/// Bytes of the value of an attribute, beyond which the attribute is.
pub const MAX_ATTRIBUTE: usize = 1024;
/// Cookies in one `Cookie` field (RFC 6265, 6.1), and its bytes: more than a gateway or router takes would be of no use.
pub const MAX_COOKIES: usize = 50;
/// See [`MAX_COOKIES`].
pub const MAX_FIELD: usize = 8192;

/// 2020 began: who sets a cookie to before wants it gone.
const LONG_AGO: i64 = 1_577_836_800;

/// A name and a value. `Debug` does not show the value: sessions and sticky routes hang on it.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    name: Bytes,
    value: Bytes,
}

impl Cookie {
    /// The name is not empty; neither has a control character, a `;` or whitespace at an end, nor the name a `=`.
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

    /// The name; case matters.
    pub fn name(&self) -> &Bytes {
        &self.name
    }

    /// The value, with its quotes if it has any.
    pub fn value(&self) -> &Bytes {
        &self.value
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A cookie as a server sets it. Attributes that are not here (`SameSite`, …) mean nothing to a client that no web page
/// directs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    /// What is to be sent back.
    pub cookie: Cookie,
    /// `Path`, if it is absolute; otherwise the default path of the request holds.
    pub path: Option<Bytes>,
    /// `Domain` in lower case, without a dot before it; `None` for the host that was asked alone.
    pub domain: Option<Bytes>,
    /// `Max-Age` in seconds: 0 or less for a cookie that is to be forgotten. Counts for more than `expires`.
    pub max_age: Option<i64>,
    /// `Expires` in seconds since 1970.
    pub expires: Option<i64>,
    /// `Secure`: over TLS alone.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
}

impl SetCookie {
    /// Reads the value of one `Set-Cookie` field (RFC 6265, 5.2). `None` if there is no cookie in it, or one longer than
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

    /// How many seconds it lives from now on, where the answer's `Date` tells what its sender takes for now: 0 or less for
    /// one that is to be forgotten, `None` for as long as the client runs (RFC 6265, 5.3). A cookie with a date in an
    /// answer without one lives as long, unless the date is that of a past that every clock agrees on.
    pub fn lifetime(&self, date: Option<&Bytes>) -> Option<i64> {
        let until = |expires: i64| match date.and_then(|date| date::parse(date)) {
            Some(now) => Some(expires.saturating_sub(now)),
            None => (expires < LONG_AGO).then_some(0),
        };
        self.max_age.or_else(|| self.expires.and_then(until))
    }

    /// Those of an answer, in their order (RFC 6265, 3: one field each).
    pub fn all(fields: &Fields) -> impl Iterator<Item = Self> {
        fields.all("set-cookie").filter_map(Self::parse)
    }

    /// The last one of a name counts; one that can't be read does not (RFC 6265, 5.2.1 to 5.2.6).
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

/// The value of a `Cookie` field with these cookies in their order (RFC 6265, 5.4); empty for none.
///
/// Those that would exceed [`MAX_COOKIES`] or [`MAX_FIELD`] are left out.
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

/// What is before and behind the first `=`, without whitespace around them.
fn split_at_equals(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    Some((pair[..at].trim_ascii(), pair[at + 1..].trim_ascii()))
}

/// Digits with or without a minus before them (RFC 6265, 5.2.2); too many are very many.
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
