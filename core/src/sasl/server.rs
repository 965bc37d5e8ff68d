//! The server's side of one exchange with any mechanism: for the embedded node, the simulation and the tests.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::binding::ChannelBinding;
use super::cache::SaltedPasswordCache;
use super::digest::DigestServer;
use super::error::SaslError;
use super::mechanism::{Kind, Mechanism};
use super::nonce::{Purpose, nonce};
use super::scram::ScramServer;
use super::secret::Secret;
use super::{external, oauthbearer, plain};

/// User database of a server.
pub trait Accounts {
    /// Password of a user; `None` if the user does not exist.
    fn password(&self, username: &str) -> Option<Secret>;

    /// User of a token; `None` if the token is unknown or expired. By default there are no tokens.
    fn bearer(&self, token: &str) -> Option<String> {
        let _ = token;
        None
    }

    /// Whether a user may act as another identity (RFC 4422 §3.4.1). By default none may.
    fn may_act_as(&self, username: &str, authorization_id: &str) -> bool {
        let _ = (username, authorization_id);
        false
    }
}

/// Configuration of a server.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Protocol name in a DIGEST digest-uri. Default `hotrod`.
    pub protocol: String,
    /// Server name in a DIGEST digest-uri. Default `infinispan`.
    pub server_name: String,
    /// Realm of DIGEST. Default `default`, as Infinispan's.
    pub realm: String,
    /// SCRAM: number of hash iterations. Default 4,096.
    pub iterations: u32,
    /// SCRAM: seed of the users' salts. Must be random and persistent, so that clients can cache salted passwords.
    /// Default: zeros, for tests only.
    pub salt_seed: [u8; 32],
    /// SCRAM: channel bindings of the link, one of each available type. If there are any, the -PLUS mechanisms must be
    /// offered. Default: none.
    pub channel_bindings: Vec<ChannelBinding>,
    /// EXTERNAL: user authenticated by TLS. Default: none.
    pub certificate_name: Option<String>,
    /// Maximum length of a response, in bytes. Default 65,536: tokens are long.
    pub max_response: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            protocol: "hotrod".into(),
            server_name: "infinispan".into(),
            realm: "default".into(),
            iterations: 4096,
            salt_seed: [0; 32],
            channel_bindings: Vec::new(),
            certificate_name: None,
            max_response: 65_536,
        }
    }
}

/// Omits the seed.
impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("protocol", &self.protocol)
            .field("server_name", &self.server_name)
            .field("realm", &self.realm)
            .field("iterations", &self.iterations)
            .field("certificate_name", &self.certificate_name)
            .finish_non_exhaustive()
    }
}

/// Reply to an AUTH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStep {
    /// Challenge; may be empty.
    pub challenge: Vec<u8>,
    /// Complete flag of the reply, set as Infinispan does: only if the mechanism sends no data at all, so not with the
    /// last message of SCRAM or DIGEST.
    pub complete: bool,
    /// Authenticated user, if the exchange is finished, independent of `complete`.
    pub authenticated: Option<String>,
}

/// The server's side of one exchange (RFC 4422 §3).
///
/// An exchange is used once: a client that begins again gets a new one, with new entropy.
pub struct Server {
    mechanism: Mechanism,
    config: ServerConfig,
    exchange: Exchange,
}

enum Exchange {
    Scram(ScramServer),
    Digest(DigestServer),
    Plain,
    OAuthBearer { refused: bool },
    External,
    Finished { name: String },
    Failed(SaslError),
}

/// Outcome of one message.
pub(super) enum Outcome {
    Challenge(Vec<u8>),
    Authenticated { name: String, last: Option<Vec<u8>> },
}

impl Server {
    /// Creates an exchange with this mechanism. `entropy` must be random, and used for no other exchange.
    pub fn new(mechanism: Mechanism, config: ServerConfig, entropy: [u8; 32]) -> Self {
        let nonce = || nonce(&entropy, Purpose::Server);
        let exchange = match mechanism.kind() {
            Kind::Scram(hash) => Exchange::Scram(ScramServer::new(mechanism, hash, nonce())),
            Kind::Digest(hash) => Exchange::Digest(DigestServer::new(hash, nonce())),
            Kind::Plain => Exchange::Plain,
            Kind::OAuthBearer => Exchange::OAuthBearer { refused: false },
            Kind::External => Exchange::External,
        };
        Self { mechanism, config, exchange }
    }

    /// Mechanism of the exchange.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Handles the response in an AUTH. The cache saves SCRAM the derivations of earlier exchanges.
    ///
    /// After the end of the exchange, the reply to an empty response is `complete`, as Infinispan's from 16.2 on.
    ///
    /// # Errors
    ///
    /// If the client does not prove its identity, or violates the mechanism's rules. The exchange is over then.
    pub fn step(
        &mut self,
        response: &[u8],
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<ServerStep, SaslError> {
        match self.receive(response, accounts, cache) {
            Ok(Outcome::Challenge(challenge)) => Ok(ServerStep { challenge, complete: false, authenticated: None }),
            Ok(Outcome::Authenticated { name, last }) => {
                self.exchange = Exchange::Finished { name: name.clone() };
                let complete = last.is_none();
                Ok(ServerStep { challenge: last.unwrap_or_default(), complete, authenticated: Some(name) })
            }
            Err(error) => {
                self.exchange = Exchange::Failed(error.clone());
                Err(error)
            }
        }
    }

    fn receive(
        &mut self,
        response: &[u8],
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Outcome, SaslError> {
        let limit = self.config.max_response;
        if response.len() > limit {
            return Err(SaslError::TooLong { message: "a response", length: response.len(), limit });
        }
        match &mut self.exchange {
            Exchange::Scram(scram) => scram.receive(response, &self.config, accounts, cache),
            Exchange::Digest(digest) => digest.receive(response, &self.config, accounts),
            Exchange::Plain => plain::receive(response, accounts),
            Exchange::OAuthBearer { refused } => oauthbearer::receive(response, refused, accounts),
            Exchange::External => external::receive(response, self.config.certificate_name.as_deref(), accounts),
            Exchange::Finished { name } if response.is_empty() => {
                Ok(Outcome::Authenticated { name: name.clone(), last: None })
            }
            Exchange::Finished { .. } => Err(SaslError::Unexpected { mechanism: self.mechanism }),
            Exchange::Failed(error) => Err(error.clone()),
        }
    }
}

/// Identity of a user that asks to act as `authorization_id`; the user itself if that is empty or absent.
pub(super) fn authorize(
    accounts: &dyn Accounts,
    username: &str,
    authorization_id: Option<&str>,
) -> Result<String, SaslError> {
    match authorization_id.filter(|id| !id.is_empty() && *id != username) {
        None => Ok(username.to_string()),
        Some(id) if accounts.may_act_as(username, id) => Ok(id.to_string()),
        Some(id) => Err(SaslError::NotAuthorized { username: username.into(), authorization_id: id.into() }),
    }
}

/// Shows the mechanism only.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}
