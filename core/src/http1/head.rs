//! Parses heads with httparse.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::{Bytes, BytesMut};
use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::incoming::RawHead;
use super::{Fields, Violation};

pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) target: String,
    /// Minor version: the x of HTTP/1.x.
    pub(super) minor: u8,
    pub(super) fields: Fields,
}

pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) reason: String,
    /// Minor version: the x of HTTP/1.x.
    pub(super) minor: u8,
    pub(super) fields: Fields,
}

impl RequestHead {
    pub(super) fn parse(head: RawHead) -> Result<Self, Violation> {
        let mut headers = vec![EMPTY_HEADER; head.fields];
        let mut request = httparse::Request::new(&mut headers);
        complete(request.parse(&head.bytes)).map_err(|error| violation(error, &head.bytes))?;
        let method = request.method.unwrap_or_default().to_string();
        let target = request.path.unwrap_or_default().to_string();
        let minor = request.version.unwrap_or_default();
        let ranges = ranges(request.headers, &head.bytes);
        Ok(Self { method, target, minor, fields: extract_fields(head.bytes, &ranges) })
    }
}

impl ResponseHead {
    pub(super) fn parse(head: RawHead) -> Result<Self, Violation> {
        let mut headers = vec![EMPTY_HEADER; head.fields];
        let mut response = httparse::Response::new(&mut headers);
        complete(response.parse(&head.bytes)).map_err(|error| violation(error, &head.bytes))?;
        let status = response.code.unwrap_or_default();
        let reason = response.reason.unwrap_or_default().to_string();
        let minor = response.version.unwrap_or_default();
        let ranges = ranges(response.headers, &head.bytes);
        if status < 100 {
            return Err(Violation::Status(status));
        }
        Ok(Self { status, reason, minor, fields: extract_fields(head.bytes, &ranges) })
    }
}

/// The head is complete: the receive buffer splits off whole heads only.
fn complete(parsed: httparse::Result<usize>) -> Result<usize, Error> {
    match parsed? {
        Status::Complete(length) => Ok(length),
        Status::Partial => Err(Error::NewLine),
    }
}

fn violation(error: Error, head: &[u8]) -> Violation {
    match error {
        Error::HeaderName | Error::HeaderValue | Error::TooManyHeaders => Violation::FieldName,
        // An unsupported version gets a status of its own.
        Error::Version if has_unsupported_version(head) => Violation::Version,
        Error::Version | Error::NewLine | Error::Status | Error::Token => Violation::FirstLine,
    }
}

/// Whether the first line begins or ends with an unsupported version: `HTTP/`, a digit, a dot and a digit (RFC 9112,
/// 2.3).
fn has_unsupported_version(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\r').next().unwrap_or_default();
    let is_version = |word: &[u8]| matches!(word, [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']);
    let words = line.split(|byte| *byte == b' ');
    let count = words.clone().count();
    let is_other = |word: &[u8]| is_version(word) && !matches!(word, b"HTTP/1.0" | b"HTTP/1.1");
    words.enumerate().any(|(index, word)| (index == 0 || index == 2 && count == 3) && is_other(word))
}

/// Ranges of a field's name and value in the head.
type FieldRanges = (Range<usize>, Range<usize>);

fn ranges(headers: &[Header<'_>], head: &[u8]) -> Vec<FieldRanges> {
    let start = head.as_ptr() as usize;
    let place = |part: &[u8]| {
        let from = part.as_ptr() as usize - start;
        from..from + part.len()
    };
    headers.iter().map(|header| (place(header.name.as_bytes()), place(header.value))).collect()
}

/// Converts names to lower case in place; all fields share the head's bytes.
fn extract_fields(mut head: BytesMut, ranges: &[FieldRanges]) -> Fields {
    ranges.iter().for_each(|(name, _)| head[name.clone()].make_ascii_lowercase());
    let head = head.freeze();
    let cut = |range: &Range<usize>| -> Bytes { head.slice(range.clone()) };
    Fields::received(ranges.iter().map(|(name, value)| (cut(name), cut(value))).collect())
}
