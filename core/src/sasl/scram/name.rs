//! Names in comma-separated messages, and their GS2 header (RFC 5801 §4, RFC 5802 §5.1).

use alloc::string::String;

/// Escapes `,` and `=` for a `saslname`.
pub(in crate::sasl) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// Decodes a `saslname`.
pub(in crate::sasl) fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('=');
    let mut name: String = parts.next()?.into();
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return None,
        };
        name.push(character);
        name.push_str(rest);
    }
    Some(name)
}

/// Writes the GS2 header with a channel binding flag, including the trailing comma.
pub(in crate::sasl) fn gs2_header(flag: &str, authorization_id: Option<&str>) -> String {
    match authorization_id {
        Some(id) => [flag, ",a=", &escape(id), ","].concat(),
        None => [flag, ",,"].concat(),
    }
}

/// Parses a GS2 header: its channel binding flag (`n`, `y`, or `p=` and a type), and its authorization identity, empty
/// if absent; `None` if it is invalid.
pub(in crate::sasl) fn gs2_parts(header: &str) -> Option<(&str, String)> {
    let (flag, id) = header.strip_suffix(',')?.split_once(',')?;
    let is_type =
        |kind: &str| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if !(matches!(flag, "n" | "y") || flag.strip_prefix("p=").is_some_and(is_type)) {
        return None;
    }
    let id = if id.is_empty() { String::new() } else { unescape(id.strip_prefix("a=")?)? };
    Some((flag, id))
}
