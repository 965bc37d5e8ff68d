//! EXTERNAL (RFC 4422, appendix A): the client says at most whom to act as; TLS has proven who it is.

use alloc::vec::Vec;

use super::credentials::Credentials;
use super::error::SaslError;
use super::hash::Octets;
use super::server::{Accounts, Turn, authorize};

/// The client's message.
pub(super) fn message(credentials: &Credentials) -> Octets {
    Octets::new(credentials.authorization_id().unwrap_or_default().as_bytes().to_vec())
}

/// The server's turn; `certificate_name` is whom TLS has authenticated.
pub(super) fn receive(
    message: &[u8],
    certificate_name: Option<&str>,
    accounts: &dyn Accounts,
) -> Result<Turn, SaslError> {
    let problem = "the authorization id is not UTF-8";
    let malformed = SaslError::Malformed { message: "the EXTERNAL message", problem };
    let authorization_id = core::str::from_utf8(message).map_err(|_| malformed)?;
    let username = certificate_name.ok_or(SaslError::Denied)?;
    let name = authorize(accounts, username, Some(authorization_id))?;
    // Infinispan's ExternalSaslServer answers with nothing rather than not at all, so `complete` is not set.
    Ok(Turn::Authenticated { name, last: Some(Vec::new()) })
}
