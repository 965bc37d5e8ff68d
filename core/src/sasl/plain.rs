//! PLAIN (RFC 4616): one message of the client, `[authzid] NUL authcid NUL passwd`.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::credentials::Credentials;
use super::error::SaslError;
use super::hash::WipedBytes;
use super::mechanism::Mechanism;
use super::secret::Secret;
use super::server::{Accounts, Outcome, authorize};

const MESSAGE: &str = "the PLAIN message";

/// Message of the client.
pub(super) fn message(credentials: &Credentials) -> Result<WipedBytes, SaslError> {
    let (username, password) = credentials.require_password(Mechanism::Plain)?;
    let authorization_id = credentials.authorization_id().unwrap_or_default();
    let password = password.expose();
    if password.is_empty() {
        return Err(SaslError::Credential {
            what: "password",
            problem: "PLAIN does not allow an empty one (RFC 4616 §2)",
        });
    }
    for (what, text) in [("authorization id", authorization_id), ("username", username), ("password", password)] {
        if text.contains('\0') {
            return Err(SaslError::Credential { what, problem: "PLAIN does not allow NUL in it (RFC 4616 §2)" });
        }
    }
    // Allocates the full size at once: a growing vector leaves copies of the password behind.
    let mut message = Zeroizing::new(Vec::with_capacity(authorization_id.len() + username.len() + password.len() + 2));
    message.extend_from_slice(authorization_id.as_bytes());
    message.push(0);
    message.extend_from_slice(username.as_bytes());
    message.push(0);
    message.extend_from_slice(password.as_bytes());
    Ok(message)
}

/// Handles a message in the server's role.
pub(super) fn receive(message: &[u8], accounts: &dyn Accounts) -> Result<Outcome, SaslError> {
    if message.is_empty() {
        return Ok(Outcome::Challenge(Vec::new()));
    }
    let malformed = |problem| SaslError::Malformed { message: MESSAGE, problem };
    let text = core::str::from_utf8(message).map_err(|_| malformed("it is not UTF-8"))?;
    let mut parts = text.split('\0');
    let (Some(authorization_id), Some(username), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed("it does not have three parts"));
    };
    if accounts.password(username) != Some(Secret::from(password)) {
        return Err(SaslError::Denied);
    }
    let name: String = authorize(accounts, username, Some(authorization_id))?;
    Ok(Outcome::Authenticated { name, last: None })
}
