//! The grammar of DIGEST messages: `name=token,name="quoted \" text",…` (RFC 2831 §7.1).

use alloc::string::String;
use alloc::vec::Vec;

use crate::sasl::error::SaslError;

/// Directives of a message, in order.
pub(super) struct Directives {
    message: &'static str,
    list: Vec<(String, Vec<u8>)>,
}

impl Directives {
    /// Parses a message; `message` is its name in errors.
    pub(super) fn parse(message: &'static str, mut rest: &[u8]) -> Result<Self, SaslError> {
        let malformed = |problem| SaslError::Malformed { message, problem };
        let mut list = Vec::new();
        loop {
            // Elements of a list may be empty (§7.1, the # rule).
            (_, rest) = split_while(rest, |byte| is_space(byte) || byte == b',');
            if rest.is_empty() {
                return Ok(Self { message, list });
            }
            let (name, behind) = split_while(rest, |byte| byte.is_ascii_graphic() && !b"=,\"".contains(&byte));
            rest = skip_spaces(behind).strip_prefix(b"=").ok_or(malformed("a directive without ="))?;
            rest = skip_spaces(rest);
            let value;
            (value, rest) = read_value(rest).ok_or(malformed("a quoted text that does not end"))?;
            rest = skip_spaces(rest);
            if name.is_empty() || !(rest.is_empty() || rest.starts_with(b",")) {
                return Err(malformed("a directive without a name, or no comma behind one"));
            }
            list.push((name.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect(), value));
        }
    }

    /// All values of a directive that may be repeated.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.list.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_slice())
    }

    /// Value of an optional directive that must not be repeated.
    pub(super) fn one(&self, name: &str) -> Result<Option<&[u8]>, SaslError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(SaslError::Malformed {
                message: self.message,
                problem: "a directive that may come once comes twice",
            }),
        }
    }

    /// Value of a required directive that must not be repeated.
    pub(super) fn required(&self, name: &str, problem: &'static str) -> Result<&[u8], SaslError> {
        let value = self.one(name)?.filter(|value| !value.is_empty());
        value.ok_or(SaslError::Malformed { message: self.message, problem })
    }

    /// Whether the message is in UTF-8; otherwise it is in ISO 8859-1 (§2.1.1).
    pub(super) fn is_utf8(&self) -> Result<bool, SaslError> {
        match self.one("charset")? {
            None => Ok(false),
            Some(charset) if charset.eq_ignore_ascii_case(b"utf-8") => Ok(true),
            Some(_) => Err(SaslError::Malformed { message: self.message, problem: "a charset other than utf-8" }),
        }
    }
}

/// Appends `name="value"`, with a comma before all but the first.
pub(super) fn push_quoted(message: &mut Vec<u8>, name: &str, value: &[u8]) {
    push_token(message, name, "\"");
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            message.push(b'\\');
        }
        message.push(*byte);
    }
    message.push(b'"');
}

/// Appends `name=value`, with a comma before all but the first.
pub(super) fn push_token(message: &mut Vec<u8>, name: &str, value: &str) {
    if !message.is_empty() {
        message.push(b',');
    }
    for part in [name, "=", value] {
        message.extend_from_slice(part.as_bytes());
    }
}

fn split_while(bytes: &[u8], mut belongs: impl FnMut(u8) -> bool) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(|byte| !belongs(*byte)).unwrap_or(bytes.len()))
}

fn skip_spaces(bytes: &[u8]) -> &[u8] {
    split_while(bytes, is_space).1
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Parses a value, quoted or not; returns it and the bytes behind it.
fn read_value(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if let Some(quoted) = bytes.strip_prefix(b"\"") {
        return unquote(quoted);
    }
    let (token, remaining) = split_while(bytes, |byte| !is_space(byte) && byte != b',');
    Some((token.to_vec(), remaining))
}

/// Parses up to the closing quote; returns the text and the bytes behind it.
fn unquote(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        let (byte, remaining) = rest.split_first()?;
        rest = remaining;
        match byte {
            b'"' => return Some((text, rest)),
            b'\\' => {
                let (escaped, remaining) = rest.split_first()?;
                text.push(*escaped);
                rest = remaining;
            }
            byte => text.push(*byte),
        }
    }
}
