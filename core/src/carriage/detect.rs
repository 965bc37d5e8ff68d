//! Detection of a client's protocol by its first bytes.

use crate::http1::is_token_byte;
use crate::wire::REQUEST_MAGIC;

/// Connection preface of HTTP/2 (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Content type of a TLS handshake record, and the first byte of every version since SSL 3.0 (RFC 8446, 5.1).
const HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// Protocol of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detected {
    /// Hot Rod, of any version.
    HotRod,
    /// HTTP/2 with prior knowledge (RFC 9113, 3.3).
    Http2,
    /// HTTP/1.x.
    Http1,
    /// TLS.
    Tls,
    /// No known protocol.
    Unknown,
    /// Undecided: more bytes are needed.
    NeedMore,
}

/// Detects a client's protocol from the first bytes of its link.
///
/// Most protocols are detected by the first byte. TLS needs 2 bytes, and HTTP/2 all 24 of its preface, which begins
/// like an HTTP/1 request.
pub fn detect(first_bytes: &[u8]) -> Detected {
    match first_bytes {
        [] | [0x16] => Detected::NeedMore,
        [REQUEST_MAGIC, ..] => Detected::HotRod,
        bytes if bytes.starts_with(&HANDSHAKE) => Detected::Tls,
        bytes if bytes.starts_with(PREFACE) => Detected::Http2,
        bytes if PREFACE.starts_with(bytes) => Detected::NeedMore,
        [byte, ..] if is_token_byte(*byte) => Detected::Http1,
        _ => Detected::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Envelope, Intelligence, Request, RequestOptions, SendBuffer, Version, write_request};

    #[test]
    fn a_request_of_every_version_is_hot_rod() {
        for version in Version::ALL {
            let envelope = Envelope { message_id: 1, version, intelligence: Intelligence::Basic, topology_id: 0 };
            let mut out = SendBuffer::new();
            write_request(envelope, &RequestOptions::cache(""), &Request::Ping {}, &mut out);
            let bytes = out.to_bytes();
            (1..bytes.len()).for_each(|end| assert_eq!(detect(&bytes[..end]), Detected::HotRod, "{version}"));
        }
    }

    #[test]
    fn http_2_is_known_by_its_whole_preface_and_by_nothing_less() {
        (0..PREFACE.len()).for_each(|end| assert_eq!(detect(&PREFACE[..end]), Detected::NeedMore, "{end}"));
        assert_eq!(detect(PREFACE), Detected::Http2);
        assert_eq!(detect(&[PREFACE, &[0, 0, 0, 4]].concat()), Detected::Http2);
        for at in 1..PREFACE.len() {
            let other = [&PREFACE[..at], b"~"].concat();
            assert_eq!(detect(&other), Detected::Http1, "{other:?}");
        }
    }

    #[test]
    fn a_method_begins_http_1() {
        for method in ["GET / HTTP/1.1", "CONNECT", "P", "PO", "PROPFIND", "g", "!"] {
            let detected = if PREFACE.starts_with(method.as_bytes()) { Detected::NeedMore } else { Detected::Http1 };
            assert_eq!(detect(method.as_bytes()), detected, "{method}");
        }
    }

    #[test]
    fn a_handshake_begins_tls() {
        assert_eq!(detect(&[0x16]), Detected::NeedMore);
        for minor in 0..=4 {
            assert_eq!(detect(&[0x16, 3, minor]), Detected::Tls);
        }
        assert_eq!(detect(&[0x16, 2]), Detected::Unknown);
        assert_eq!(detect(&[0x15, 3]), Detected::Unknown);
    }

    #[test]
    fn every_other_first_byte_is_nothing_that_is_known() {
        for byte in 0..=255 {
            let known = byte == 0xa0 || byte == 0x16 || is_token_byte(byte);
            assert_eq!(detect(&[byte, b' ']) == Detected::Unknown, !known || byte == 0x16, "{byte:#04x}");
        }
    }
}
