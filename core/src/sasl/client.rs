//! The client's side of one exchange, whatever the mechanism.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use super::binding::Binding;
use super::cache::SaltedPasswordCache;
use super::credentials::Credentials;
use super::digest::DigestClient;
use super::error::SaslError;
use super::hash::Octets;
use super::mechanism::{Kind, Mechanism};
use super::nonce::{Purpose, nonce};
use super::scram::ScramClient;
use super::{external, oauthbearer, plain};

/// What a server may ask of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// SCRAM: fewer iterations are refused, because a listener could then find the password by trying. Default 4,096
    /// (RFC 5802 §5.1, RFC 7677 §4).
    pub min_iterations: u32,
    /// SCRAM: more iterations are refused, because the server has the client compute them: 100,000 take about 0.1 s, in
    /// ten slices. Default 100,000.
    pub max_iterations: u32,
    /// SCRAM: bytes of salt. Default 256.
    pub max_salt: usize,
    /// Bytes of any one challenge. Default 8,192.
    pub max_challenge: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self { min_iterations: 4096, max_iterations: 100_000, max_salt: 256, max_challenge: 8192 }
    }
}

/// What the client does next.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this in another AUTH.
    Respond(Vec<u8>),
    /// Call [`Client::resume`]: the derivation of the salted password has more iterations than one call does. Other
    /// work may go first, and an exchange that is dropped meanwhile wipes what it has derived.
    Resume,
    /// Nothing: both sides have proven what the mechanism has them prove. Send no further AUTH.
    Done,
}

/// The client's side of one exchange (RFC 4422 §3).
///
/// Take [`initial_response`](Self::initial_response), then [`step`](Self::step) for each answer until it is
/// [`Step::Done`] or fails; after [`Step::Resume`] comes [`resume`](Self::resume). An exchange is used once: the next session needs a new one, with new entropy.
pub struct Client {
    mechanism: Mechanism,
    limits: ClientLimits,
    exchange: Exchange,
}

enum Exchange {
    Scram(ScramClient),
    Digest(DigestClient),
    /// PLAIN and EXTERNAL say one thing, and the server has nothing to say to it.
    OneMessage(Octets),
    OAuthBearer {
        message: Octets,
        refusal: Option<SaslError>,
    },
    Done,
    Failed(SaslError),
}

impl Client {
    /// An exchange of that mechanism.
    ///
    /// `server_name` and `protocol` name the service for DIGEST; with Infinispan they are `infinispan` and `hotrod`.
    /// `entropy` is random, used for no other exchange.
    ///
    /// # Errors
    ///
    /// If the credentials lack something, or something in them can't be used in this mechanism.
    pub fn new(
        mechanism: Mechanism,
        credentials: &Credentials,
        server_name: &str,
        protocol: &str,
        entropy: [u8; 32],
        limits: ClientLimits,
    ) -> Result<Self, SaslError> {
        let service = (server_name, protocol);
        Self::with_binding(mechanism, credentials, service, entropy, limits, Binding::Unsupported)
    }

    /// As [`new`](Self::new), with what the client knows of channel binding; `service` is the server's name and the
    /// protocol.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`SaslError::NoChannelBinding`] for a -PLUS mechanism without a channel.
    pub fn with_binding(
        mechanism: Mechanism,
        credentials: &Credentials,
        (server_name, protocol): (&str, &str),
        entropy: [u8; 32],
        limits: ClientLimits,
        binding: Binding<'_>,
    ) -> Result<Self, SaslError> {
        let nonce = || nonce(&entropy, Purpose::Client);
        let exchange = match mechanism.kind() {
            Kind::Scram(hash) => Exchange::Scram(ScramClient::new(mechanism, hash, credentials, nonce(), binding)?),
            Kind::Digest(hash) => {
                let uri = format!("{protocol}/{server_name}");
                Exchange::Digest(DigestClient::new(mechanism, hash, credentials, uri, nonce())?)
            }
            Kind::Plain => Exchange::OneMessage(plain::message(credentials)?),
            Kind::External => Exchange::OneMessage(external::message(credentials)),
            Kind::OAuthBearer => Exchange::OAuthBearer { message: oauthbearer::message(credentials)?, refusal: None },
        };
        Ok(Self { mechanism, limits, exchange })
    }

    /// The mechanism.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// What to send in the first AUTH; empty where the server speaks first (DIGEST).
    ///
    /// With PLAIN and OAUTHBEARER it has the secret in it.
    pub fn initial_response(&mut self) -> Vec<u8> {
        match &self.exchange {
            Exchange::Scram(scram) => scram.first().into_bytes(),
            Exchange::OneMessage(message) | Exchange::OAuthBearer { message, .. } => message.to_vec(),
            Exchange::Digest(_) | Exchange::Done | Exchange::Failed(_) => Vec::new(),
        }
    }

    /// Takes the server's answer to an AUTH. `complete` is the flag in it. Does one slice of work at most.
    ///
    /// # Errors
    ///
    /// If the server refuses, breaks the mechanism's rules or fails to prove itself. The exchange is over then, and
    /// each further step says the same.
    pub fn step(
        &mut self,
        challenge: &[u8],
        complete: bool,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Step, SaslError> {
        let next = self.next(challenge, complete, cache);
        self.settle(next)
    }

    /// Does the next slice of work after [`Step::Resume`].
    ///
    /// # Errors
    ///
    /// If there is nothing to resume. The exchange is over then, and each further step says the same.
    pub fn resume(&mut self, cache: &mut SaltedPasswordCache) -> Result<Step, SaslError> {
        let next = match &mut self.exchange {
            Exchange::Scram(scram) => scram.resume(cache),
            Exchange::Failed(error) => Err(error.clone()),
            _ => Err(SaslError::Unexpected { mechanism: self.mechanism }),
        };
        self.settle(next)
    }

    fn settle(&mut self, next: Result<Step, SaslError>) -> Result<Step, SaslError> {
        // What the exchange holds is wiped as soon as it is over, not when the session is.
        match &next {
            Ok(Step::Respond(_) | Step::Resume) => {}
            Ok(Step::Done) => self.exchange = Exchange::Done,
            Err(error) => self.exchange = Exchange::Failed(error.clone()),
        }
        next
    }

    /// What the server has said within the mechanism before it refuses the AUTH that acknowledges it.
    ///
    /// That is so with OAUTHBEARER (RFC 7628 §3.2.3): the reason comes in a challenge, and after the client's answer
    /// to it the server fails the exchange with an error that says less. Once an exchange has failed, this is the
    /// error.
    pub fn refusal(&self) -> Option<&SaslError> {
        match &self.exchange {
            Exchange::OAuthBearer { refusal, .. } => refusal.as_ref(),
            Exchange::Failed(error) => Some(error),
            _ => None,
        }
    }

    fn next(&mut self, challenge: &[u8], complete: bool, cache: &mut SaltedPasswordCache) -> Result<Step, SaslError> {
        let limit = self.limits.max_challenge;
        if challenge.len() > limit {
            return Err(SaslError::TooLong { message: "a challenge", length: challenge.len(), limit });
        }
        match &mut self.exchange {
            Exchange::Scram(scram) => scram.step(challenge, complete, &self.limits, cache),
            Exchange::Digest(digest) => digest.step(challenge, complete),
            Exchange::OAuthBearer { refusal, .. } => oauthbearer::answer(challenge, complete, refusal),
            // Infinispan answers EXTERNAL with an empty challenge that it doesn't call complete; it is.
            Exchange::OneMessage(_) | Exchange::Done if challenge.is_empty() => Ok(Step::Done),
            Exchange::OneMessage(_) | Exchange::Done => Err(SaslError::Unexpected { mechanism: self.mechanism }),
            Exchange::Failed(error) => Err(error.clone()),
        }
    }
}

/// The mechanism only.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// The length of a response, not the response: a proof is nothing for a log.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Respond(response) => write!(f, "Respond({} bytes)", response.len()),
            Self::Resume => f.write_str("Resume"),
            Self::Done => f.write_str("Done"),
        }
    }
}
