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
use crate::sasl::hash::{Hash, Octets};
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
    /// The GS2 header, and behind it what the channel is known by.
    channel: Octets,
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

    /// The channel that a client asks for by its flag (RFC 5802 §6).
    fn binding<'a>(&self, flag: &str, own: &'a [ChannelBinding]) -> Result<Option<&'a ChannelBinding>, SaslError> {
        let wrong = |problem| Err(SaslError::ChannelBinding { problem });
        match (flag.strip_prefix("p="), self.mechanism.binds_channel()) {
            (Some(kind), true) => match own.iter().find(|own| own.kind().name() == kind) {
                None => wrong("the client asks for a type of channel binding that this end does not have"),
                found => Ok(found),
            },
            (Some(_), false) => wrong("the client binds the channel, and its mechanism does not"),
            (None, true) => wrong("the mechanism binds the channel, and the client does not"),
            // Its offer named none, and that was not the one made here.
            (None, false) if flag == "y" && !own.is_empty() => {
                wrong("the client was shown an offer without -PLUS mechanisms, and this end offers them")
            }
            (None, false) => Ok(None),
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
        let binding = self.binding(first.binding_flag, &config.channel_bindings)?;
        let data = binding.map_or(&[][..], ChannelBinding::data);
        let channel = Octets::from([first.gs2_header.as_bytes(), data].concat());
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
        let salted_password = cache.salted_password(self.hash, &first.username, &password, &salt, iterations);
        let nonce = format!("{}{}", first.nonce, self.nonce);
        let server_first = format!("r={nonce},s={},i={iterations}", base64(&salt));
        self.asked = Some(Asked {
            keys: Keys::new(self.hash, &salted_password),
            signed: format!("{},{server_first},", first.bare),
            channel,
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
        // Infinispan doesn't call this complete.
        Ok(Turn::Authenticated { name, last: Some(format!("v={signature}").into_bytes()) })
    }
}
