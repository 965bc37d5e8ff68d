//! SCRAM in the server's role (RFC 5802 §5).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::keys::Keys;
use super::message::{ClientFinal, ClientFirst};
use crate::sasl::cache::SaltedPasswordCache;
use crate::sasl::error::SaslError;
use crate::sasl::hash::Hash;
use crate::sasl::mechanism::Mechanism;
use crate::sasl::saslprep::prepare;
use crate::sasl::secret::Secret;
use crate::sasl::server::{Accounts, ServerConfig, Turn, authorize};
use crate::sasl::text::base64;

/// One exchange.
pub(in crate::sasl) struct ScramServer {
    mechanism: Mechanism,
    hash: Hash,
    nonce: String,
    asked: Option<Asked>,
}

/// What the client said first, and what it was asked.
struct Asked {
    username: String,
    known: bool,
    authorization_id: String,
    gs2_header: String,
    nonce: String,
    keys: Keys,
    /// `client-first-bare,server-first,`: what both sides sign, up to the client's final message.
    signed: String,
}

impl ScramServer {
    pub(in crate::sasl) fn new(mechanism: Mechanism, hash: Hash, nonce: String) -> Self {
        Self { mechanism, hash, nonce, asked: None }
    }

    pub(in crate::sasl) fn receive(
        &mut self,
        response: &[u8],
        config: &ServerConfig,
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Turn, SaslError> {
        match &self.asked {
            Some(asked) => asked.check(response, accounts),
            None if response.is_empty() => Ok(Turn::Challenge(Vec::new())),
            None => self.ask(response, config, accounts, cache),
        }
    }

    /// Answers the client-first message with the server-first message.
    fn ask(
        &mut self,
        response: &[u8],
        config: &ServerConfig,
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Turn, SaslError> {
        let first = ClientFirst::parse(response)?;
        prepare("username", &first.username)?;
        // An unknown user is asked like any other, and fails only in the end, like one with a wrong password.
        let password = accounts.password(&first.username);
        let known = password.is_some();
        let password = password.unwrap_or(Secret::from(""));
        // The same for the same user, so that clients can keep what they have derived.
        let seed = [self.mechanism.name().as_bytes(), b" ", first.username.as_bytes()];
        let mut salt = Hash::Sha256.hmac(&config.salt_seed, &seed);
        salt.truncate(16);
        let iterations = config.iterations.max(1);
        let salted_password = cache.salted_password(self.hash, &first.username, password.expose(), &salt, iterations);
        let nonce = format!("{}{}", first.nonce, self.nonce);
        let server_first = format!("r={nonce},s={},i={iterations}", base64(&salt));
        self.asked = Some(Asked {
            keys: Keys::new(self.hash, &salted_password),
            signed: format!("{},{server_first},", first.bare),
            gs2_header: first.gs2_header.into(),
            username: first.username,
            known,
            authorization_id: first.authorization_id,
            nonce,
        });
        Ok(Turn::Challenge(server_first.into_bytes()))
    }
}

impl Asked {
    /// Answers the client-final message with the server-final message.
    fn check(&self, response: &[u8], accounts: &dyn Accounts) -> Result<Turn, SaslError> {
        let last = ClientFinal::parse(response)?;
        if last.channel_binding != self.gs2_header.as_bytes() {
            let problem = "the GS2 header is not the one of the first message";
            return Err(SaslError::Malformed { message: "the SCRAM client-final message", problem });
        }
        if last.nonce != self.nonce {
            return Err(SaslError::WrongNonce);
        }
        let signed = [self.signed.as_bytes(), last.without_proof.as_bytes()];
        let right: bool = self.keys.client_proof(&signed).ct_eq(&last.proof).into();
        if !(right && self.known) {
            return Err(SaslError::Denied);
        }
        let name = authorize(accounts, &self.username, Some(&self.authorization_id))?;
        let signature = base64(&self.keys.server_signature(&signed));
        // Infinispan doesn't call this complete.
        Ok(Turn::Authenticated { name, last: Some(format!("v={signature}").into_bytes()) })
    }
}
