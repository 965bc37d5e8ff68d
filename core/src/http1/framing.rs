//! Length of a request's content (RFC 9112, 6.3).

use super::{Fields, Violation};

/// Content of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Content of this length in bytes; 0 for none.
    Length(u64),
    /// Chunked content, which is never read.
    Chunked,
}

impl Content {
    /// Content of a request of HTTP/1.`minor` by its fields.
    pub(super) fn of(fields: &Fields, minor: u8) -> Result<Self, Violation> {
        let mut lengths = fields.all("content-length");
        let length = lengths.next();
        if lengths.next().is_some() {
            return Err(Violation::ContentLength);
        }
        match (length, fields.get("transfer-encoding")) {
            (Some(_), Some(_)) => Err(Violation::LengthAndEncoding),
            (Some(length), None) => number(length).map(Self::Length).ok_or(Violation::ContentLength),
            (None, None) => Ok(Self::Length(0)),
            // A proxy that supports only 1.0 may have forwarded it without reading it (RFC 9112, 6.1).
            (None, Some(_)) if minor == 0 => Err(Violation::TransferEncoding),
            (None, Some(_)) => chunked(fields),
        }
    }
}

fn chunked(fields: &Fields) -> Result<Content, Violation> {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let count = fields.list("transfer-encoding").count();
    let last = fields.list("transfer-encoding").last();
    let mut others = fields.list("transfer-encoding").take(count.saturating_sub(1));
    match last {
        Some(last) if is_chunked(&last) && count == 1 => Ok(Content::Chunked),
        Some(last) if is_chunked(&last) && !others.any(|coding| is_chunked(&coding)) => Err(Violation::UnknownCoding),
        _ => Err(Violation::TransferEncoding),
    }
}

/// Parses decimal digits without sign or list (RFC 9110, 8.6).
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(digits).ok()?.parse().ok()
}
