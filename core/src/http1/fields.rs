//! Header fields.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::Misuse;

/// Fields whose values are not shown: they hold credentials, or may become credentials.
const SECRET: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// Fields that an exchange writes itself, and fields of the connection (RFC 9110, 7.6.1; RFC 9112, 6).
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Header fields in order: names in lower case, values as bytes without surrounding whitespace.
///
/// Received fields share the bytes of their head, and keep all of them alive. `Debug` omits the values of
/// `Authorization`, `Cookie`, `Proxy-Authorization` and `Set-Cookie`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Bytes, Bytes)>);

impl Fields {
    /// Creates an empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Wraps fields that the parser has checked.
    pub(crate) fn received(fields: Vec<(Bytes, Bytes)>) -> Self {
        Self(fields)
    }

    /// Appends a field. The name is a token in any case; the value has no control character but HTAB (RFC 9110, 5.5).
    pub fn push(&mut self, name: &str, value: impl Into<Bytes>) -> Result<(), Misuse> {
        let value = value.into();
        if !is_token(name.as_bytes()) {
            return Err(Misuse::FieldName(name.to_string()));
        }
        if !is_value(&value) {
            return Err(Misuse::FieldValue(name.to_string()));
        }
        self.0.push((name.to_ascii_lowercase().into(), value));
        Ok(())
    }

    /// Value of the first field with this name, in any case.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Value of [`get`](Self::get), if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        core::str::from_utf8(self.get(name)?).ok()
    }

    /// Values of all fields with this name, in any case. `Set-Cookie`, for one, is repeated for each cookie.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Non-empty members of a list that may be spread over several fields (RFC 9110, 5.6.1).
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Bytes> + 'a {
        self.all(name).flat_map(|value| {
            let members = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            members.filter(|member| !member.is_empty()).map(|member| value.slice_ref(member))
        })
    }

    /// Whether the list of that name has this member, in any case.
    pub fn has(&self, name: &str, member: &str) -> bool {
        self.list(name).any(|known| known.eq_ignore_ascii_case(member.as_bytes()))
    }

    /// Iterates over names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that the caller may write all of these fields.
    pub(super) fn not_reserved(&self) -> Result<(), Misuse> {
        let reserved = self.0.iter().find(|(name, _)| RESERVED.iter().any(|reserved| reserved.as_bytes() == name));
        match reserved {
            Some((name, _)) => Err(Misuse::ReservedField(alloc::string::String::from_utf8_lossy(name).to_string())),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| {
            let secret = SECRET.iter().any(|secret| secret.as_bytes() == name);
            (name, if secret { Bytes::from_static("…".as_bytes()) } else { value.clone() })
        });
        f.debug_map().entries(shown).finish()
    }
}

/// `token` of RFC 9110, 5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_value(value: &[u8]) -> bool {
    let allowed = |byte: &u8| matches!(byte, b'\t' | b' '..=0x7e | 0x80..);
    value.iter().all(allowed) && value.trim_ascii().len() == value.len()
}
