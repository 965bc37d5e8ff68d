//! Header fields.

use core::fmt;

use bytes::Bytes;

/// Overhead of an entry in addition to its name and value (RFC 7541, 4.1).
const OVERHEAD: usize = 32;

/// Header field for HPACK: arbitrary bytes, not checked against the rules of HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Name; in lower case for HTTP/2.
    pub name: Bytes,
    /// Value.
    pub value: Bytes,
    /// Never-indexed literal (RFC 7541, 7.1.3): no intermediary may add it to a table. Keep the flag when forwarding a
    /// field.
    pub sensitive: bool,
}

impl Field {
    /// Creates a field that may be added to tables.
    pub fn new(name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self { name: name.into(), value: value.into(), sensitive: false }
    }

    /// Marks the field as never indexed.
    #[must_use]
    pub fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// Size in tables and lists: name, value and 32 bytes (RFC 7541, 4.1; RFC 9113, 6.5.2).
    pub fn size(&self) -> usize {
        size(self.name.len(), self.value.len())
    }
}

/// Size of a field with a name and a value of these lengths.
pub(super) fn size(name: usize, value: usize) -> usize {
    name.saturating_add(value).saturating_add(OVERHEAD)
}

/// Whether a field's value may be secret even if it is not marked.
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
