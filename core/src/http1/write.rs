//! Writes message heads.

use alloc::format;

use super::Fields;
use crate::send_buffer::SendBuffer;

/// Writes a head: its first line, the exchange's own fields, and the caller's fields.
pub(super) fn head<'a>(
    out: &mut SendBuffer,
    first_line: &str,
    own: impl IntoIterator<Item = (&'a str, &'a str)>,
    fields: &Fields,
) {
    out.put_slice(first_line.as_bytes());
    out.put_slice(b"\r\n");
    own.into_iter().for_each(|(name, value)| field(out, name.as_bytes(), value.as_bytes()));
    fields.iter().for_each(|(name, value)| field(out, name, value));
    out.put_slice(b"\r\n");
}

/// Writes names in their usual case, `Hot-Rod-Node`: some peers do not recognise other cases.
fn field(out: &mut SendBuffer, name: &[u8], value: &[u8]) {
    let mut begins = true;
    for byte in name {
        out.put_u8(if begins { byte.to_ascii_uppercase() } else { *byte });
        begins = *byte == b'-';
    }
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// First line of a response.
pub(super) fn status_line(status: u16) -> alloc::string::String {
    format!("HTTP/1.1 {status} {}", reason(status))
}

/// Reason phrase (RFC 9110, 15) of the statuses that a gateway sends; empty for others.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
