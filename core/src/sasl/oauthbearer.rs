//! OAUTHBEARER (RFC 7628): one message of the client, with a bearer token.
//!
//! Elytron, and so Infinispan, reads the `%x01` of the RFC's grammar literally: it splits the message at these four
//! characters instead of at the byte 0x01 (`OAuth2Server.KV_DELIMITER`), and refuses a message that follows the RFC
//! (tried on 2.7.0, the one in Infinispan 16.0.7: "ELY05045: Invalid client message"). So the client's message
//! contains the token twice: the second time as the value of a key that a server of the RFC ignores. Elytron finds its
//! `auth` between the literal delimiters, other servers find theirs. Our server accepts both, because Infinispan's own
//! clients follow Elytron.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::client::Step;
use super::credentials::Credentials;
use super::error::SaslError;
use super::hash::WipedBytes;
use super::mechanism::Mechanism;
use super::scram::name;
use super::server::{Accounts, Outcome, authorize};
use super::text::{from_base64, printable};

/// Byte between key/value pairs, and the whole response to a refusal (RFC 7628 §3.1, §3.2.3).
const SEPARATOR: &str = "\u{1}";

/// Elytron's separator.
const ELYTRON_SEPARATOR: &str = "%x01";

const MESSAGE: &str = "the OAUTHBEARER message";

/// Message of the client (RFC 7628 §3.1).
pub(super) fn message(credentials: &Credentials) -> Result<WipedBytes, SaslError> {
    let token = credentials.require_token(Mechanism::OAuthBearer)?.expose();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "it must be printable ASCII without spaces (RFC 6750 §2.1)";
        return Err(SaslError::Credential { what: "token", problem });
    }
    let id = match credentials.authorization_id().unwrap_or(credentials.username()) {
        "" => String::new(),
        id => format!("a={}", name::escape(id)),
    };
    // Allocates the full size at once: a growing string leaves copies of the token behind.
    let mut message = String::with_capacity(id.len() + 2 * token.len() + 64);
    for part in ["n,", &id, ",\u{1}auth=Bearer ", token, "\u{1}elytron=%x01auth=Bearer ", token, "%x01\u{1}\u{1}"] {
        message.push_str(part);
    }
    Ok(WipedBytes::new(message.into_bytes()))
}

/// Handles a challenge in the client's role: an empty one is success, any other a refusal to acknowledge.
pub(super) fn answer(challenge: &[u8], complete: bool, refusal: &mut Option<SaslError>) -> Result<Step, SaslError> {
    if let Some(refusal) = refusal {
        return Err(refusal.clone());
    }
    if challenge.is_empty() {
        return Ok(Step::Done);
    }
    let refused = SaslError::Refused { reason: status(challenge) };
    if complete {
        return Err(refused);
    }
    *refusal = Some(refused);
    Ok(Step::Respond(SEPARATOR.into()))
}

/// Status of a JSON refusal (RFC 7628 §3.2.2), or the whole text if it has none. Elytron encodes it in base64.
fn status(challenge: &[u8]) -> String {
    let decoded = core::str::from_utf8(challenge).ok().and_then(from_base64);
    let json = String::from_utf8_lossy(decoded.as_deref().unwrap_or(challenge));
    let status = json.split("\"status\"").skip(1).find_map(|rest| {
        let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        value.split_once('"').map(|(status, _)| status)
    });
    printable(status.unwrap_or(&json).as_bytes(), 200)
}

/// Handles a message in the server's role.
pub(super) fn receive(message: &[u8], refused: &mut bool, accounts: &dyn Accounts) -> Result<Outcome, SaslError> {
    if *refused {
        return Err(SaslError::Denied);
    }
    if message.is_empty() {
        return Ok(Outcome::Challenge(Vec::new()));
    }
    let malformed = |problem| SaslError::Malformed { message: MESSAGE, problem };
    let text = core::str::from_utf8(message).map_err(|_| malformed("it is not UTF-8"))?;
    let separator = if text.contains(SEPARATOR) { SEPARATOR } else { ELYTRON_SEPARATOR };
    let (header, pairs) = text.split_once(separator).ok_or(malformed("it has no key/value pairs"))?;
    // A token can't be bound to a channel (RFC 7628 §3.1).
    let parts = name::gs2_parts(header).filter(|(flag, _)| matches!(*flag, "n" | "y"));
    let (_, authorization_id) = parts.ok_or(malformed("its GS2 header is not n,… or y,…"))?;
    let auth = pairs.split(separator).find_map(|pair| pair.strip_prefix("auth="));
    let (scheme, token) = auth.and_then(|auth| auth.split_once(' ')).ok_or(malformed("it has no token"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(malformed("its token is not a bearer token"));
    }
    let Some(bearer) = accounts.bearer(token) else {
        *refused = true;
        return Ok(Outcome::Challenge(b"{\"status\":\"invalid_token\"}".to_vec()));
    };
    let name = authorize(accounts, &bearer, Some(&authorization_id))?;
    // Elytron replies with an empty challenge, so the complete flag is not set.
    Ok(Outcome::Authenticated { name, last: Some(Vec::new()) })
}
