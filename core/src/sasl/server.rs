//! The server's side of one exchange, whatever the mechanism: for the embedded node, the simulation and the tests.

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

/// Who there is, and what proves it.
pub trait Accounts {
    /// The user's password; `None` if there is no such user.
    fn password(&self, username: &str) -> Option<Secret>;

    /// Whose token it is; `None` if it is nobody's or not valid any more. Nobody has one unless this is implemented.
    fn bearer(&self, token: &str) -> Option<String> {
        let _ = token;
        None
    }

    /// Whether a user may act as someone else (RFC 4422 §3.4.1). Nobody may unless this is implemented.
    fn may_act_as(&self, username: &str, authorization_id: &str) -> bool {
        let _ = (username, authorization_id);
        false
    }
}

/// What a server is, to its clients.
#[derive(Clone)]
pub struct ServerConfig {
    /// The protocol's name in a DIGEST digest-uri. Default `hotrod`.
    pub protocol: String,
    /// The server's name in a DIGEST digest-uri. Default `infinispan`.
    pub server_name: String,
    /// The realm of DIGEST. Default `default`, as Infinispan's.
    pub realm: String,
    /// SCRAM: iterations of the password's hash. Default 4,096.
    pub iterations: u32,
    /// SCRAM: what users' salts are derived from. Random and kept, so that clients can keep what they derive from a
    /// salt. Default: zeros, fit for tests only.
    pub salt_seed: [u8; 32],
    /// SCRAM: what the link is known by, of each type that there is. Where there are some the -PLUS mechanisms have to be
    /// offered. Default: none.
    pub channel_bindings: Vec<ChannelBinding>,
    /// EXTERNAL: whom the link's TLS has authenticated. Default: nobody.
    pub certificate_name: Option<String>,
    /// Bytes of any one response. Default 65,536: tokens are long.
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

/// Without the seed.
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

/// What to answer an AUTH with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStep {
    /// The challenge; may be empty.
    pub challenge: Vec<u8>,
    /// The flag of the answer, as Infinispan sets it: only where the mechanism has nothing at all to answer, so not
    /// with the last message of SCRAM or DIGEST.
    pub complete: bool,
    /// Whom to take the client for. The exchange is finished when this is there, whatever `complete` says.
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

/// What one message leads to.
pub(super) enum Turn {
    Challenge(Vec<u8>),
    Authenticated { name: String, last: Option<Vec<u8>> },
}

impl Server {
    /// An exchange of that mechanism. `entropy` is random, used for no other exchange.
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

    /// The mechanism.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Takes the response in an AUTH. The cache spares SCRAM the derivation of what other exchanges have derived.
    ///
    /// Once finished, an empty response is answered with `complete`, as Infinispan does from 16.2 on.
    ///
    /// # Errors
    ///
    /// If the client isn't who it says, or breaks the mechanism's rules. The exchange is over then.
    pub fn step(
        &mut self,
        response: &[u8],
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<ServerStep, SaslError> {
        match self.turn(response, accounts, cache) {
            Ok(Turn::Challenge(challenge)) => Ok(ServerStep { challenge, complete: false, authenticated: None }),
            Ok(Turn::Authenticated { name, last }) => {
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

    fn turn(
        &mut self,
        response: &[u8],
        accounts: &dyn Accounts,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Turn, SaslError> {
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
                Ok(Turn::Authenticated { name: name.clone(), last: None })
            }
            Exchange::Finished { .. } => Err(SaslError::Unexpected { mechanism: self.mechanism }),
            Exchange::Failed(error) => Err(error.clone()),
        }
    }
}

/// Whom to take a user for who asks to act as `authorization_id`; as itself if that is empty or absent.
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

/// The mechanism only.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}
