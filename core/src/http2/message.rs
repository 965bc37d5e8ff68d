//! Rules for the fields of requests, responses and trailers (RFC 9113, 8.2 and 8.3; RFC 8441, 4).

use super::hpack::Field;

/// Description of the violated rule.
type Malformed = &'static str;

/// Properties of a request that the connection needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) is_head: bool,
    pub(crate) is_connect: bool,
    /// Whether the request is CONNECT with `:protocol` (RFC 8441).
    pub(crate) is_extended_connect: bool,
    pub(crate) content_length: Option<u64>,
}

/// Properties of a response that the connection needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    pub(crate) content_length: Option<u64>,
}

impl ResponseHead {
    /// Whether the status is 1xx: another response follows.
    pub(crate) fn is_interim(&self) -> bool {
        self.status < 200
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the response has no content in spite of its length field (RFC 9110, 6.4.1).
    pub(crate) fn has_no_content(&self) -> bool {
        matches!(self.status, 204 | 304)
    }
}

#[derive(Default)]
struct RequestPseudo<'a> {
    method: Option<&'a [u8]>,
    scheme: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
}

/// Checks a request (RFC 9113, 8.3.1 and 8.5; RFC 8441, 4).
pub(crate) fn check_request(fields: &[Field]) -> Result<RequestHead, Malformed> {
    let mut pseudo = RequestPseudo::default();
    let regular = split(fields, |name, value| {
        let place = match name {
            b":method" => &mut pseudo.method,
            b":scheme" => &mut pseudo.scheme,
            b":authority" => &mut pseudo.authority,
            b":path" => &mut pseudo.path,
            b":protocol" => &mut pseudo.protocol,
            _ => return Err("an unknown pseudo-header field"),
        };
        once(place, value)
    })?;
    let regular = check_regular(regular)?;
    let method = pseudo.method.ok_or("no :method")?;
    if !is_token(method) {
        return Err(":method is not a token");
    }
    let is_connect = method == b"CONNECT";
    if is_connect && pseudo.protocol.is_none() {
        check_connect(&pseudo)?;
    } else {
        check_target(&pseudo, regular.host)?;
    }
    if let Some(protocol) = pseudo.protocol {
        if !is_connect {
            return Err(":protocol with another method than CONNECT");
        }
        if !is_token(protocol) {
            return Err(":protocol is not a token");
        }
    }
    Ok(RequestHead {
        is_head: method == b"HEAD",
        is_connect,
        is_extended_connect: pseudo.protocol.is_some(),
        content_length: regular.content_length,
    })
}

/// Checks the pseudo-header fields of CONNECT (RFC 9113, 8.5).
fn check_connect(pseudo: &RequestPseudo<'_>) -> Result<(), Malformed> {
    if pseudo.scheme.is_some() || pseudo.path.is_some() {
        return Err("CONNECT with :scheme or :path");
    }
    match pseudo.authority {
        Some(authority) if !authority.is_empty() => Ok(()),
        _ => Err("CONNECT without :authority"),
    }
}

/// Checks the target of other methods (RFC 9113, 8.3.1).
fn check_target(pseudo: &RequestPseudo<'_>, host: Option<&[u8]>) -> Result<(), Malformed> {
    let scheme = pseudo.scheme.ok_or("no :scheme")?;
    let path = pseudo.path.ok_or("no :path")?;
    if scheme.is_empty() || path.is_empty() {
        return Err("an empty :scheme or :path");
    }
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Ok(());
    }
    // "*" means the server as a whole, and only OPTIONS may use it (RFC 9110, 7.1).
    if path[0] != b'/' && (path != b"*" || pseudo.method != Some(b"OPTIONS")) {
        return Err(":path does not begin with a slash");
    }
    let authority = pseudo.authority.or(host).ok_or("neither :authority nor host")?;
    if authority.is_empty() || host.is_some_and(<[u8]>::is_empty) {
        return Err("an empty :authority or host");
    }
    if authority.contains(&b'@') {
        return Err(":authority with userinfo");
    }
    Ok(())
}

/// Checks a response (RFC 9113, 8.3.2).
pub(crate) fn check_response(fields: &[Field]) -> Result<ResponseHead, Malformed> {
    let mut status = None;
    let regular = split(fields, |name, value| match name {
        b":status" => once(&mut status, value),
        _ => Err("an unknown pseudo-header field"),
    })?;
    let regular = check_regular(regular)?;
    let status = match status.ok_or("no :status")? {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => return Err(":status is not three digits"),
    };
    if status == 101 {
        return Err("status 101, which HTTP/2 does not have");
    }
    Ok(ResponseHead { status, content_length: regular.content_length })
}

/// Checks trailers, which have no pseudo-header fields (RFC 9113, 8.1).
pub(crate) fn check_trailers(fields: &[Field]) -> Result<(), Malformed> {
    let regular = split(fields, |_, _| Err("a pseudo-header field in trailers"))?;
    check_regular(regular).map(|_| ())
}

/// Passes the pseudo-header fields, which must come first, to `take`, and returns the regular fields.
fn split<'a>(
    fields: &'a [Field],
    mut pseudo: impl FnMut(&'a [u8], &'a [u8]) -> Result<(), Malformed>,
) -> Result<&'a [Field], Malformed> {
    let count = fields.iter().take_while(|field| field.name.first() == Some(&b':')).count();
    let (before, regular) = fields.split_at(count);
    for field in before {
        // Rejects white space in pseudo-header fields: none may contain it, and splitting a line at it would change
        // the message.
        if field.value.iter().fold(false, |found, byte| found | matches!(byte, 0..=b' ' | 0x7f)) {
            return Err("a pseudo-header field with white space or a control");
        }
        pseudo(&field.name, &field.value)?;
    }
    Ok(regular)
}

fn once<'a>(place: &mut Option<&'a [u8]>, value: &'a [u8]) -> Result<(), Malformed> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("a pseudo-header field twice"),
    }
}

#[derive(Default)]
struct Regular<'a> {
    host: Option<&'a [u8]>,
    content_length: Option<u64>,
}

/// Checks regular fields (RFC 9113, 8.2).
fn check_regular(fields: &[Field]) -> Result<Regular<'_>, Malformed> {
    let mut regular = Regular::default();
    for field in fields {
        check_name(&field.name)?;
        check_value(&field.value)?;
        match &field.name[..] {
            b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" => {
                return Err("a field of the connection, which HTTP/2 does not have");
            }
            b"te" if !field.value.eq_ignore_ascii_case(b"trailers") => return Err("te other than trailers"),
            b"content-length" => {
                let length = content_length(&field.value).ok_or("content-length is not a number")?;
                if regular.content_length.replace(length).is_some_and(|other| other != length) {
                    return Err("two lengths of content");
                }
            }
            b"host" if regular.host.replace(&field.value).is_some() => return Err("host twice"),
            _ => {}
        }
    }
    Ok(regular)
}

/// Parses digits to a number of at most 63 bits.
fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}

/// Checks that a name is a token without upper case (RFC 9113, 8.2.1; RFC 9110, 5.1).
fn check_name(name: &[u8]) -> Result<(), Malformed> {
    if name.first() == Some(&b':') {
        return Err("a pseudo-header field after others");
    }
    if !name.is_empty() && name.iter().all(|byte| TOKEN_BYTES[usize::from(*byte)] && !byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err("a field name that is not a token in lower case")
}

/// Checks a field value (RFC 9113, 8.2.1).
fn check_value(value: &[u8]) -> Result<(), Malformed> {
    // Without an early exit the compiler vectorises the loop.
    if value.iter().fold(false, |found, byte| found | matches!(byte, 0 | b'\r' | b'\n')) {
        return Err("a field value with NUL, CR or LF");
    }
    if [value.first(), value.last()].iter().any(|byte| matches!(byte, Some(b' ' | b'\t'))) {
        return Err("a field value that begins or ends with white space");
    }
    Ok(())
}

/// Whether the value is a token (RFC 9110, 5.6.2).
fn is_token(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| TOKEN_BYTES[usize::from(*byte)])
}

/// Whether each byte may be part of a token.
const TOKEN_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        bytes[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut index = 0;
    while index < others.len() {
        bytes[others[index] as usize] = true;
        index += 1;
    }
    bytes
};
