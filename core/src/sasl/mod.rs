//! SASL (RFC 4422) as Hot Rod carries it, in the client's role and the server's.
//!
//! ```text
//!   select ──▶ Client::new ──▶ initial_response ──AUTH──▶ Server::step
//!                 ▲    step ◀──── challenge, complete ──────┘
//!                 └──AUTH──▶ …             until Step::Done
//!                 resume ◀──▶ Step::Resume    between two slices of a long key derivation
//! ```
//!
//! | mechanism | rule | who proves what |
//! |---|---|---|
//! | SCRAM-SHA-1, -256, -384, -512 | RFC 5802, RFC 7677 | both sides, neither reveals the password |
//! | the same with -PLUS | RFC 5802 §6, RFC 5929 §4, RFC 9266 | that nobody in between ends TLS as well |
//! | DIGEST-MD5, DIGEST-SHA, -256, -384, -512, -512-256 | RFC 2831, with Elytron's other hashes | both sides, but cheap to guess from a recording |
//! | PLAIN | RFC 4616 | the client; the password is sent |
//! | OAUTHBEARER | RFC 7628 | the client; the token is sent |
//! | EXTERNAL | RFC 4422 appendix A | nobody: TLS has already done it |
//!
//! Two things about Infinispan that no RFC tells. It says `complete` only with an empty reply (`Encoder2x.authResponse`):
//! a SCRAM server-final or a DIGEST `rspauth` comes with `complete = 0`, ends the exchange nevertheless, and another
//! AUTH would begin a new one. And where its realm keeps passwords in the clear, Elytron makes up a new salt for each
//! exchange: the [`SaltedPasswordCache`] helps only where the realm keeps SCRAM digests.
//!
//! The exchanges of both roles are tried against Elytron 2.7.0 (Infinispan 16.0.7): each mechanism here but EXTERNAL and
//! DIGEST-SHA-512-256, which that release can't do without a further library.
//!
//! The client derives SCRAM's salted password in slices of at most 10,000 iterations, one per call, because their number is
//! the server's choice: see [`Step::Resume`]. The server's role derives it in one call: its number of iterations is its own
//! setting ([`ServerConfig::iterations`]), and an answer that is kept serves the same user again.
//!
//! No clock, no random source: nonces come from the entropy that the caller passes in, once per exchange. Security
//! layers (`qop=auth-int`, `auth-conf`) are not offered: TLS does that job. Infinispan (16.0.7, and its main branch) gives
//! Elytron no channel binding and so never offers `-PLUS`.

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
