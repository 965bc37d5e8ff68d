//! EXTERNAL (RFC 4422, appendix A): TLS has proven the client's identity; the message holds at most an authorization
//! identity.

use alloc::vec::Vec;

use super::credentials::Credentials;
use super::error::SaslError;
use super::hash::WipedBytes;
use super::server::{Accounts, Outcome, authorize};

/// Message of the client.
pub(super) fn message(credentials: &Credentials) -> WipedBytes {
    WipedBytes::new(credentials.authorization_id().unwrap_or_default().as_bytes().to_vec())
}

/// Handles a message in the server's role; `certificate_name` is the user authenticated by TLS.
pub(super) fn receive(
    message: &[u8],
    certificate_name: Option<&str>,
    accounts: &dyn Accounts,
) -> Result<Outcome, SaslError> {
    let problem = "the authorization id is not UTF-8";
    let malformed = SaslError::Malformed { message: "the EXTERNAL message", problem };
    let authorization_id = core::str::from_utf8(message).map_err(|_| malformed)?;
    let username = certificate_name.ok_or(SaslError::Denied)?;
    let name = authorize(accounts, username, Some(authorization_id))?;
    // Infinispan's ExternalSaslServer replies with an empty challenge, so the complete flag is not set.
    Ok(Outcome::Authenticated { name, last: Some(Vec::new()) })
}
