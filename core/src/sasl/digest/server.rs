//! DIGEST in the server's role (RFC 2831 §2.1).

use alloc::string::String;
use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::client::decode;
use super::directives::{Directives, push_quoted, push_token};
use super::{NONCE_COUNT, Proof};
use crate::sasl::error::SaslError;
use crate::sasl::hash::Hash;
use crate::sasl::secret::Secret;
use crate::sasl::server::{Accounts, Outcome, ServerConfig, authorize};

const RESPONSE: &str = "the DIGEST response";

/// One exchange in the server's role.
pub(in crate::sasl) struct DigestServer {
    hash: Hash,
    nonce: String,
    is_challenged: bool,
}

impl DigestServer {
    pub(in crate::sasl) fn new(hash: Hash, nonce: String) -> Self {
        Self { hash, nonce, is_challenged: false }
    }

    pub(in crate::sasl) fn receive(
        &mut self,
        response: &[u8],
        config: &ServerConfig,
        accounts: &dyn Accounts,
    ) -> Result<Outcome, SaslError> {
        if self.is_challenged {
            return self.check(&Directives::parse(RESPONSE, response)?, config, accounts);
        }
        if !response.is_empty() {
            let problem = "it comes before the challenge";
            return Err(SaslError::Malformed { message: RESPONSE, problem });
        }
        self.is_challenged = true;
        let mut challenge = Vec::new();
        push_quoted(&mut challenge, "realm", config.realm.as_bytes());
        push_quoted(&mut challenge, "nonce", self.nonce.as_bytes());
        push_quoted(&mut challenge, "qop", b"auth");
        push_token(&mut challenge, "charset", "utf-8");
        push_token(&mut challenge, "algorithm", "md5-sess");
        Ok(Outcome::Challenge(challenge))
    }

    fn check(
        &self,
        response: &Directives,
        config: &ServerConfig,
        accounts: &dyn Accounts,
    ) -> Result<Outcome, SaslError> {
        let malformed = |problem| SaslError::Malformed { message: RESPONSE, problem };
        let utf8 = response.is_utf8()?;
        let username = decode(response.required("username", "no username")?, utf8);
        let realm = decode(response.one("realm")?.unwrap_or_default(), utf8);
        let digest_uri = response.required("digest-uri", "no digest-uri")?;
        if response.required("nonce", "no nonce")? != self.nonce.as_bytes() {
            return Err(SaslError::WrongNonce);
        }
        if response.required("nc", "no nonce count (nc)")? != NONCE_COUNT.as_bytes() {
            return Err(malformed("a nonce count (nc) other than 1"));
        }
        if response.one("qop")?.is_some_and(|qop| qop != b"auth") {
            return Err(malformed("a security layer (qop) that was not offered"));
        }
        if !is_uri_of(config, digest_uri) {
            return Err(malformed("a digest-uri for another protocol or another server"));
        }
        if realm != config.realm {
            return Err(malformed("a realm that was not offered"));
        }
        let authorization_id = response.one("authzid")?.map(String::from_utf8_lossy);
        // An unknown user takes as long as any other.
        let password = accounts.password(&username);
        let known = password.is_some();
        let password = password.unwrap_or(Secret::from(""));
        let proof = Proof {
            hash: self.hash,
            username: &username,
            realm: &realm,
            password: password.expose(),
            authorization_id: authorization_id.as_deref(),
            nonce: self.nonce.as_bytes(),
            client_nonce: response.required("cnonce", "no nonce of the client (cnonce)")?,
            digest_uri,
        };
        let given = response.required("response", "no proof (response)")?;
        let right: bool = proof.of_client().as_bytes().ct_eq(given).into();
        if !(right && known) {
            return Err(SaslError::Denied);
        }
        let name = authorize(accounts, &username, authorization_id.as_deref())?;
        let mut last = Vec::new();
        push_token(&mut last, "rspauth", &proof.of_server());
        // Infinispan does not set the complete flag here.
        Ok(Outcome::Authenticated { name, last: Some(last) })
    }
}

/// Whether the text is `protocol/host` or `protocol/host/name`, in any case (RFC 2831 §2.1.2, digest-uri).
fn is_uri_of(config: &ServerConfig, digest_uri: &[u8]) -> bool {
    let mut parts = digest_uri.split(|byte| *byte == b'/');
    let mut next_is = |text: &str| parts.next().is_some_and(|part| part.eq_ignore_ascii_case(text.as_bytes()));
    next_is(&config.protocol) && next_is(&config.server_name)
}
