//! DIGEST in the client's role (RFC 2831 §2.1): the server sends the first message.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::directives::{Directives, push_quoted, push_token};
use super::{NONCE_COUNT, Proof};
use crate::sasl::client::Step;
use crate::sasl::credentials::Credentials;
use crate::sasl::error::SaslError;
use crate::sasl::hash::Hash;
use crate::sasl::mechanism::Mechanism;
use crate::sasl::secret::Secret;
use crate::sasl::text::printable;

const CHALLENGE: &str = "the DIGEST challenge";

/// One exchange in the client's role.
pub(in crate::sasl) struct DigestClient {
    hash: Hash,
    username: String,
    password: Secret,
    realm: Option<String>,
    authorization_id: Option<String>,
    digest_uri: String,
    nonce: String,
    /// Expected `rspauth` of the server, once the client's proof is sent.
    awaited_proof: Option<Secret>,
}

impl DigestClient {
    /// Creates an exchange; `digest_uri` is the protocol and the server's name, separated by `/`.
    pub(in crate::sasl) fn new(
        mechanism: Mechanism,
        hash: Hash,
        credentials: &Credentials,
        digest_uri: String,
        nonce: String,
    ) -> Result<Self, SaslError> {
        let (username, password) = credentials.require_password(mechanism)?;
        Ok(Self {
            hash,
            username: username.to_string(),
            password: password.clone(),
            realm: credentials.realm().map(ToString::to_string),
            authorization_id: credentials.authorization_id().map(ToString::to_string),
            digest_uri,
            nonce,
            awaited_proof: None,
        })
    }

    pub(in crate::sasl) fn step(&mut self, challenge: &[u8], complete: bool) -> Result<Step, SaslError> {
        if challenge.is_empty() && complete {
            return Err(SaslError::ServerUnproven);
        }
        let directives = Directives::parse(CHALLENGE, challenge)?;
        match &self.awaited_proof {
            Some(awaited) => {
                let proof = directives.required("rspauth", "no proof of the server (rspauth)")?;
                // Independent of the complete flag: Infinispan does not set it.
                let right: bool = proof.ct_eq(awaited.expose().as_bytes()).into();
                if right { Ok(Step::Done) } else { Err(SaslError::ServerProofWrong) }
            }
            None if complete => Err(SaslError::ServerUnproven),
            None => self.prove(&directives),
        }
    }

    fn prove(&mut self, challenge: &Directives) -> Result<Step, SaslError> {
        let malformed = |problem| SaslError::Malformed { message: CHALLENGE, problem };
        let server_nonce = challenge.required("nonce", "no nonce")?;
        if challenge.one("qop")?.is_some_and(|offered| !offers_authentication(offered)) {
            return Err(malformed("the server insists on a security layer (qop), which is left to TLS"));
        }
        if !challenge.one("algorithm")?.is_none_or(|name| name.eq_ignore_ascii_case(b"md5-sess")) {
            return Err(malformed("an algorithm other than md5-sess"));
        }
        let utf8 = challenge.is_utf8()?;
        let realm = self.choose_realm(challenge, utf8)?;
        let proof = Proof {
            hash: self.hash,
            username: &self.username,
            realm: realm.as_deref().unwrap_or_default(),
            password: self.password.expose(),
            authorization_id: self.authorization_id.as_deref(),
            nonce: server_nonce,
            client_nonce: self.nonce.as_bytes(),
            digest_uri: self.digest_uri.as_bytes(),
        };
        let mut response = Vec::new();
        if utf8 {
            push_token(&mut response, "charset", "utf-8");
        }
        push_quoted(&mut response, "username", &encode("username", &self.username, utf8)?);
        if let Some(realm) = &realm {
            push_quoted(&mut response, "realm", &encode("realm", realm, utf8)?);
        }
        push_quoted(&mut response, "nonce", server_nonce);
        push_token(&mut response, "nc", NONCE_COUNT);
        push_quoted(&mut response, "cnonce", self.nonce.as_bytes());
        push_quoted(&mut response, "digest-uri", self.digest_uri.as_bytes());
        push_token(&mut response, "response", &proof.of_client());
        push_token(&mut response, "qop", "auth");
        if let Some(id) = &self.authorization_id {
            push_quoted(&mut response, "authzid", id.as_bytes());
        }
        self.awaited_proof = Some(Secret::from(proof.of_server()));
        Ok(Step::Respond(response))
    }

    /// Chooses the realm: the configured one if it is offered or none is; the first offered one if none is configured.
    fn choose_realm(&self, challenge: &Directives, utf8: bool) -> Result<Option<String>, SaslError> {
        let offered: Vec<String> = challenge.all("realm").map(|realm| decode(realm, utf8)).collect();
        match &self.realm {
            None => Ok(offered.into_iter().next()),
            Some(realm) if offered.is_empty() || offered.contains(realm) => Ok(Some(realm.clone())),
            Some(realm) => {
                let offered = printable(format!("{offered:?}").as_bytes(), 400);
                Err(SaslError::RealmNotOffered { realm: realm.clone(), offered })
            }
        }
    }
}

fn offers_authentication(qop: &[u8]) -> bool {
    qop.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(b"auth"))
}

/// Encodes text as the server requests: UTF-8, or else ISO 8859-1 (RFC 2831 §2.1.1, charset).
fn encode(what: &'static str, text: &str, utf8: bool) -> Result<Vec<u8>, SaslError> {
    if utf8 {
        return Ok(text.as_bytes().to_vec());
    }
    let problem = "the server takes only ISO 8859-1, and it has other characters in it";
    let latin1: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    latin1.map_err(|_| SaslError::Credential { what, problem })
}

/// Decodes the server's text, to compare and to show it.
pub(super) fn decode(text: &[u8], utf8: bool) -> String {
    if utf8 { String::from_utf8_lossy(text).into_owned() } else { text.iter().copied().map(char::from).collect() }
}
