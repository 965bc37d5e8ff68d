//! The client's side of one exchange with any mechanism.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use super::binding::Binding;
use super::cache::SaltedPasswordCache;
use super::credentials::Credentials;
use super::digest::DigestClient;
use super::error::SaslError;
use super::hash::WipedBytes;
use super::mechanism::{Kind, Mechanism};
use super::nonce::{Purpose, nonce};
use super::scram::ScramClient;
use super::{external, oauthbearer, plain};

/// Limits on the server's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientLimits {
    /// SCRAM: minimum number of iterations; with fewer, an eavesdropper could find the password by trying. Default
    /// 4,096 (RFC 5802 §5.1, RFC 7677 §4).
    pub min_iterations: u32,
    /// SCRAM: maximum number of iterations, because the client has to compute them: 100,000 take about 0.1 s, in ten
    /// slices. Default 100,000.
    pub max_iterations: u32,
    /// SCRAM: maximum length of the salt, in bytes. Default 256.
    pub max_salt: usize,
    /// Maximum length of a challenge, in bytes. Default 8,192.
    pub max_challenge: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self { min_iterations: 4096, max_iterations: 100_000, max_salt: 256, max_challenge: 8192 }
    }
}

/// Next action of the client.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this response in another AUTH.
    Respond(Vec<u8>),
    /// Call [`Client::resume`]: the key derivation has more iterations than one call computes. Other work may be done
    /// first; dropping the exchange wipes the partial result.
    Resume,
    /// The exchange is complete, with every proof that the mechanism requires. Send no further AUTH.
    Done,
}

/// The client's side of one exchange (RFC 4422 §3).
///
/// Send [`initial_response`](Self::initial_response), then call [`step`](Self::step) for each reply until it returns
/// [`Step::Done`] or fails; after [`Step::Resume`] call [`resume`](Self::resume). An exchange is used once: the next
/// session needs a new one, with new entropy.
pub struct Client {
    mechanism: Mechanism,
    limits: ClientLimits,
    exchange: Exchange,
}

enum Exchange {
    Scram(ScramClient),
    Digest(DigestClient),
    /// PLAIN and EXTERNAL: one message, without a challenge.
    OneMessage(WipedBytes),
    OAuthBearer {
        message: WipedBytes,
        refusal: Option<SaslError>,
    },
    Done,
    Failed(SaslError),
}

impl Client {
    /// Creates an exchange with this mechanism.
    ///
    /// `server_name` and `protocol` name the service for DIGEST; with Infinispan they are `infinispan` and `hotrod`.
    /// `entropy` must be random, and used for no other exchange.
    ///
    /// # Errors
    ///
    /// If the credentials are incomplete, or not valid for the mechanism.
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

    /// Creates an exchange as [`new`](Self::new) does, with channel binding; `service` is the server's name and the
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

    /// Mechanism of the exchange.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Response for the first AUTH; empty if the server sends the first message (DIGEST).
    ///
    /// Contains the secret with PLAIN and OAUTHBEARER.
    pub fn initial_response(&mut self) -> Vec<u8> {
        match &self.exchange {
            Exchange::Scram(scram) => scram.first().into_bytes(),
            Exchange::OneMessage(message) | Exchange::OAuthBearer { message, .. } => message.to_vec(),
            Exchange::Digest(_) | Exchange::Done | Exchange::Failed(_) => Vec::new(),
        }
    }

    /// Handles the server's reply to an AUTH; `complete` is its flag. Computes at most one slice of a key derivation.
    ///
    /// # Errors
    ///
    /// If the server refuses, violates the mechanism's rules or fails to prove its identity. The exchange is over
    /// then, and each further step returns the same error.
    pub fn step(
        &mut self,
        challenge: &[u8],
        complete: bool,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Step, SaslError> {
        let next = self.next(challenge, complete, cache);
        self.settle(next)
    }

    /// Computes the next slice after [`Step::Resume`].
    ///
    /// # Errors
    ///
    /// If there is nothing to resume. The exchange is over then, and each further step returns the same error.
    pub fn resume(&mut self, cache: &mut SaltedPasswordCache) -> Result<Step, SaslError> {
        let next = match &mut self.exchange {
            Exchange::Scram(scram) => scram.resume(cache),
            Exchange::Failed(error) => Err(error.clone()),
            _ => Err(SaslError::Unexpected { mechanism: self.mechanism }),
        };
        self.settle(next)
    }

    fn settle(&mut self, next: Result<Step, SaslError>) -> Result<Step, SaslError> {
        // Wipes the exchange's secrets at its end, not at the session's.
        match &next {
            Ok(Step::Respond(_) | Step::Resume) => {}
            Ok(Step::Done) => self.exchange = Exchange::Done,
            Err(error) => self.exchange = Exchange::Failed(error.clone()),
        }
        next
    }

    /// Reason of a refusal that the server sent before it refuses the acknowledging AUTH.
    ///
    /// OAUTHBEARER does so (RFC 7628 §3.2.3): a challenge contains the reason, and after the client's acknowledgement
    /// the server fails the exchange with a less specific error. After a failed exchange, returns its error.
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
            // Infinispan replies to EXTERNAL with an empty challenge without the complete flag; the exchange is
            // complete.
            Exchange::OneMessage(_) | Exchange::Done if challenge.is_empty() => Ok(Step::Done),
            Exchange::OneMessage(_) | Exchange::Done => Err(SaslError::Unexpected { mechanism: self.mechanism }),
            Exchange::Failed(error) => Err(error.clone()),
        }
    }
}

/// Shows the mechanism only.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// Shows the length of a response only: a proof must not be logged.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Respond(response) => write!(f, "Respond({} bytes)", response.len()),
            Self::Resume => f.write_str("Resume"),
            Self::Done => f.write_str("Done"),
        }
    }
}
