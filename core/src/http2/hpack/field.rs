//! A header field.

use core::fmt;

use bytes::Bytes;

/// What an entry costs beside its name and value (RFC 7541, 4.1).
const OVERHEAD: usize = 32;

/// A header field as HPACK carries it: any bytes. What HTTP allows in a field is not looked at here.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// The name; HTTP/2 wants it in lower case.
    pub name: Bytes,
    /// The value.
    pub value: Bytes,
    /// Sent, or to be sent, as a never-indexed literal (RFC 7541, 7.1.3): no one on the way may put it into a table. Who
    /// passes a field on must keep it.
    pub sensitive: bool,
}

impl Field {
    /// A field that may be put into tables.
    pub fn new(name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self { name: name.into(), value: value.into(), sensitive: false }
    }

    /// The same field, never to be put into a table.
    #[must_use]
    pub fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// What it counts for in tables and lists, in bytes: its name, its value and 32 (RFC 7541, 4.1; RFC 9113, 6.5.2).
    pub fn size(&self) -> usize {
        size(self.name.len(), self.value.len())
    }
}

/// The size of a field with a name and a value of these lengths.
pub(super) fn size(name: usize, value: usize) -> usize {
    name.saturating_add(value).saturating_add(OVERHEAD)
}

/// Values of these may be secrets even when nobody has said so.
fn is_secret(name: &[u8]) -> bool {
    [&b"authorization"[..], b"proxy-authorization", b"cookie", b"set-cookie"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Field");
        debug.field("name", &self.name);
        if self.sensitive || is_secret(&self.name) {
            debug.field("value", &format_args!("({} bytes)", self.value.len()));
        } else {
            debug.field("value", &self.value);
        }
        debug.field("sensitive", &self.sensitive).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_secret_is_not_in_debug() {
        for name in ["authorization", "Proxy-Authorization", "cookie", "set-cookie"] {
            let shown = format!("{:?}", Field::new(name, "s3cret"));
            assert!(shown.contains(name) && !shown.contains("s3cret"), "{shown}");
        }
        let shown = format!("{:?}", Field::new("x-token", "s3cret").sensitive());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(format!("{:?}", Field::new(":path", "/seen")).contains("/seen"));
    }

    #[test]
    fn a_field_s_size_is_that_of_its_name_and_value_and_32() {
        assert_eq!(Field::new("custom-key", "custom-header").size(), 55);
    }
}
