//! SCRAM in the server's role (RFC 5802 §5).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::keys::Keys;
use super::message::{ClientFinal, ClientFirst};
use crate::sasl::binding::ChannelBinding;
use crate::sasl::cache::SaltedPasswordCache;
use crate::sasl::error::SaslError;
use crate::sasl::hash::{Hash, WipedBytes};
use crate::sasl::mechanism::Mechanism;
use crate::sasl::saslprep::prepare;
use crate::sasl::secret::Secret;
use crate::sasl::server::{Accounts, Outcome, ServerConfig, authorize};
use crate::sasl::text::base64;

/// One exchange in the server's role.
pub(in crate::sasl) struct ScramServer {
    mechanism: Mechanism,
    hash: Hash,
    nonce: String,
    state: Option<ChallengeState>,
}

/// State after the client-first message.
struct ChallengeState {
    username: String,
    known: bool,
    authorization_id: String,
    /// GS2 header followed by the channel binding data.
    channel: WipedBytes,
    nonce: String,
    keys: Keys,
    /// `client-first-bare,server-first,`: the beginning of the text that both sides sign.
    signed: String,
}

impl ScramServer {
    pub(in crate::sasl) fn new(mechanism: Mechanism, hash: Hash, nonce: String) -> Self {
        Self { mechanism, hash, nonce, state: None }
    }

    pub(in crate::sasl) fn receive(
        &mut self,
        response: &[u8],
        config: &ServerConfig,
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Outcome, SaslError> {
        match &self.state {
            Some(state) => state.check(response, accounts),
            None if response.is_empty() => Ok(Outcome::Challenge(Vec::new())),
            None => self.challenge(response, config, accounts, cache),
        }
    }

    /// Channel that the client requests by its flag (RFC 5802 §6).
    fn binding<'a>(&self, flag: &str, own: &'a [ChannelBinding]) -> Result<Option<&'a ChannelBinding>, SaslError> {
        let wrong = |problem| Err(SaslError::ChannelBinding { problem });
        match (flag.strip_prefix("p="), self.mechanism.binds_channel()) {
            (Some(kind), true) => match own.iter().find(|own| own.kind().name() == kind) {
                None => wrong("the client asks for a type of channel binding that this end does not have"),
                found => Ok(found),
            },
            (Some(_), false) => wrong("the client binds the channel, and its mechanism does not"),
            (None, true) => wrong("the mechanism binds the channel, and the client does not"),
            // The client received an offer without -PLUS, which this server did not make.
            (None, false) if flag == "y" && !own.is_empty() => {
                wrong("the client was shown an offer without -PLUS mechanisms, and this end offers them")
            }
            (None, false) => Ok(None),
        }
    }

    /// Creates the server-first message from the client-first message.
    fn challenge(
        &mut self,
        response: &[u8],
        config: &ServerConfig,
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Outcome, SaslError> {
        let first = ClientFirst::parse(response)?;
        let binding = self.binding(first.binding_flag, &config.channel_bindings)?;
        let data = binding.map_or(&[][..], ChannelBinding::data);
        let channel = WipedBytes::from([first.gs2_header.as_bytes(), data].concat());
        let username = prepare("username", &first.username)?.into_owned();
        // An unknown user gets a challenge too, and fails at the end like one with a wrong password; so does one whose
        // password SASLprep prohibits.
        let password = accounts.password(&username);
        let password = password.as_ref().and_then(|password| prepare("password", password.expose()).ok());
        let known = password.is_some();
        let password = Secret::from(password.unwrap_or_default().into_owned());
        // The salt is constant for a user, so that clients can cache salted passwords.
        let seed = [self.mechanism.name().as_bytes(), b" ", username.as_bytes()];
        let mut salt = Hash::Sha256.hmac(&config.salt_seed, &seed);
        salt.truncate(16);
        let iterations = config.iterations.max(1);
        let salted_password = cache.salted_password(self.hash, &username, &password, &salt, iterations);
        let nonce = format!("{}{}", first.nonce, self.nonce);
        let server_first = format!("r={nonce},s={},i={iterations}", base64(&salt));
        self.state = Some(ChallengeState {
            keys: Keys::new(self.hash, &salted_password),
            signed: format!("{},{server_first},", first.bare),
            channel,
            username,
            known,
            authorization_id: first.authorization_id,
            nonce,
        });
        Ok(Outcome::Challenge(server_first.into_bytes()))
    }
}

impl ChallengeState {
    /// Creates the server-final message from the client-final message.
    fn check(&self, response: &[u8], accounts: &dyn Accounts) -> Result<Outcome, SaslError> {
        let last = ClientFinal::parse(response)?;
        let is_same: bool = last.channel_binding.ct_eq(&self.channel).into();
        if !is_same {
            let problem =
                "the client is at the end of another channel, or its GS2 header is not the one of its first message";
            return Err(SaslError::ChannelBinding { problem });
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
        // Infinispan does not set the complete flag here.
        Ok(Outcome::Authenticated { name, last: Some(format!("v={signature}").into_bytes()) })
    }
}
