//! SASL (RFC 4422) as used by Hot Rod, in both roles.
//!
//! ```text
//!   select ──▶ Client::new ──▶ initial_response ──AUTH──▶ Server::step
//!                 ▲    step ◀──── challenge, complete ──────┘
//!                 └──AUTH──▶ …             until Step::Done
//!                 resume ◀──▶ Step::Resume    between two slices of a long key derivation
//! ```
//!
//! | mechanism | standard | proof |
//! |---|---|---|
//! | SCRAM-SHA-1, -256, -384, -512 | RFC 5802, RFC 7677 | of both sides; neither reveals the password |
//! | the same with -PLUS | RFC 5802 §6, RFC 5929 §4, RFC 9266 | also against a man in the middle of TLS |
//! | DIGEST-MD5, DIGEST-SHA, -256, -384, -512, -512-256 | RFC 2831, with Elytron's other hashes | of both sides, but a recording allows cheap guesses |
//! | PLAIN | RFC 4616 | of the client; sends the password |
//! | OAUTHBEARER | RFC 7628 | of the client; sends the token |
//! | EXTERNAL | RFC 4422 appendix A | none: TLS has authenticated the client |
//!
//! Two properties of Infinispan are in no RFC. It sets `complete` only with an empty reply (`Encoder2x.authResponse`):
//! a SCRAM server-final or a DIGEST `rspauth` has `complete = 0` but ends the exchange, and another AUTH would begin a
//! new one. And if its realm stores clear-text passwords, Elytron generates a new salt for each exchange: the
//! [`SaltedPasswordCache`] helps only if the realm stores SCRAM digests.
//!
//! The exchanges of both roles are tested with Elytron 2.7.0 (Infinispan 16.0.7): each mechanism here except EXTERNAL
//! and DIGEST-SHA-512-256, which that release does not support without a further library.
//!
//! The client derives SCRAM's salted password in slices of at most 10,000 iterations, one per call, because the server
//! chooses their number: see [`Step::Resume`]. The server derives it in one call, because its number of iterations is
//! its own setting ([`ServerConfig::iterations`]), and caches the result.
//!
//! There is no clock and no random source: nonces come from the caller's entropy, once per exchange. Security layers
//! (`qop=auth-int`, `auth-conf`) are not offered: TLS replaces them. Infinispan (16.0.7, and its main branch) gives
//! Elytron no channel binding and so never offers `-PLUS`.
//!
//! # Example
//!
//! A client and a server authenticate each other by SCRAM, and a client with a wrong password is refused.
//!
//! ```
//! use hotrod_core::sasl::{
//!     Accounts, Client, ClientLimits, Credentials, Policy, SaltedPasswordCache, Secret, Server, ServerConfig, Step, select,
//! };
//!
//! struct OneUser;
//!
//! impl Accounts for OneUser {
//!     fn password(&self, username: &str) -> Option<Secret> {
//!         (username == "user").then(|| "pencil".into())
//!     }
//! }
//!
//! fn authenticate(password: &str) -> Result<Option<String>, hotrod_core::sasl::SaslError> {
//!     let credentials = Credentials::password("user", password);
//!     let mechanism = select(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].into_iter(), &credentials, &Policy::default())?;
//!     assert_eq!(mechanism.name(), "SCRAM-SHA-512");
//!
//!     // The seeds must be random; a machine takes its own from its host.
//!     let mut client = Client::new(mechanism, &credentials, "infinispan", "hotrod", [1; 32], ClientLimits::default())?;
//!     let mut server = Server::new(mechanism, ServerConfig::default(), [2; 32]);
//!     let (mut at_client, mut at_server) = (SaltedPasswordCache::default(), SaltedPasswordCache::default());
//!
//!     let mut response = client.initial_response();
//!     loop {
//!         let reply = server.step(&response, &OneUser, &mut at_server)?;
//!         let mut step = client.step(&reply.challenge, reply.complete, &mut at_client)?;
//!         while let Step::Resume = step {
//!             step = client.resume(&mut at_client)?;
//!         }
//!         match step {
//!             Step::Respond(next) => response = next,
//!             _ => return Ok(reply.authenticated),
//!         }
//!     }
//! }
//!
//! assert_eq!(authenticate("pencil")?.as_deref(), Some("user"));
//! assert!(authenticate("pencils").is_err());
//! # Ok::<(), hotrod_core::sasl::SaslError>(())
//! ```

mod binding;
mod cache;
mod client;
mod credentials;
mod derivation;
mod digest;
mod error;
mod external;
mod hash;
mod mechanism;
mod nonce;
mod oauthbearer;
mod plain;
mod saslprep;
mod scram;
mod secret;
mod select;
mod server;
mod text;

#[cfg(test)]
mod tests;

pub use binding::{Binding, BindingKind, ChannelBinding, EXPORTER_LABEL, EXPORTER_LENGTH};
pub use cache::SaltedPasswordCache;
pub use client::{Client, ClientLimits, Step};
pub use credentials::Credentials;
pub use error::SaslError;
pub use mechanism::Mechanism;
pub use secret::Secret;
pub use select::{Policy, select};
pub use server::{Accounts, Server, ServerConfig, ServerStep};
