//! Names within comma-separated messages, and the GS2 header that begins them (RFC 5801 §4, RFC 5802 §5.1).

use alloc::string::String;

/// `,` and `=` as a `saslname` writes them.
pub(in crate::sasl) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// The name that a `saslname` stands for.
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

/// The GS2 header of a client without channel binding, the comma at its end included.
pub(in crate::sasl) fn gs2_header(authorization_id: Option<&str>) -> String {
    match authorization_id {
        Some(id) => ["n,a=", &escape(id), ","].concat(),
        None => "n,,".into(),
    }
}

/// Whom a GS2 header asks to act as, empty if nobody else; `None` for a header that asks for channel binding or isn't
/// one.
pub(in crate::sasl) fn gs2_authorization_id(header: &str) -> Option<String> {
    // `y`: the client could bind the channel, but has seen that the server doesn't offer it.
    let id = header.strip_prefix("n,").or_else(|| header.strip_prefix("y,"))?.strip_suffix(',')?;
    if id.is_empty() {
        return Some(String::new());
    }
    unescape(id.strip_prefix("a=")?)
}
