//! Charsets of text.

use bytes::Bytes;

/// A charset that texts are converted to and from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Ascii,
    Latin1,
}

impl Charset {
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["UTF-8", "UTF8"]) {
            Some(Self::Utf8)
        } else if is(&["US-ASCII", "ASCII"]) {
            Some(Self::Ascii)
        } else if is(&["ISO-8859-1", "ISO8859_1", "latin1"]) {
            Some(Self::Latin1)
        } else {
            None
        }
    }

    /// Decodes as Java does: U+FFFD stands for bytes that are no character.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => decode_utf8(bytes),
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Ascii => bytes
                .iter()
                .map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER })
                .collect(),
        }
    }

    /// Encodes as Java does: a question mark stands for each character that the charset does not have.
    pub(super) fn encode(self, text: &str) -> Bytes {
        let last = match self {
            Self::Utf8 => return Bytes::copy_from_slice(text.as_bytes()),
            Self::Ascii => '\u{7f}',
            Self::Latin1 => '\u{ff}',
        };
        text.chars().map(|c| if c <= last { c as u8 } else { b'?' }).collect()
    }

    /// Converts a text to another charset. Bytes of the same charset are not looked at.
    pub(super) fn convert(self, text: &Bytes, to: Self) -> Bytes {
        if self == to || text.is_ascii() { text.clone() } else { to.encode(&self.decode(text)) }
    }
}

/// As `from_utf8_lossy`, but a surrogate in three bytes is one wrong character.
fn decode_utf8(bytes: &[u8]) -> String {
    let is_surrogate = |bytes: &[u8]| matches!(bytes, [0xed, 0xa0..=0xbf, 0x80..=0xbf]);
    if !bytes.windows(3).any(is_surrogate) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let (mut rest, mut shortened) = (bytes, Vec::with_capacity(bytes.len()));
    while let Some(first) = rest.first() {
        let surrogate = rest.get(..3).is_some_and(is_surrogate);
        shortened.push(if surrogate { 0xff } else { *first });
        rest = &rest[if surrogate { 3 } else { 1 }..];
    }
    String::from_utf8_lossy(&shortened).into_owned()
}
