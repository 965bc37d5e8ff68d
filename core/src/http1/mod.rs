//! The HTTP/1.1 exchanges that lead to Hot Rod, and nothing else of HTTP.
//!
//! ```text
//!   ClientExchange ── GET /path, Upgrade: hotrod ──▶ ServerExchange      RFC 9110, 7.8
//!                  ◀── 101, Upgrade: hotrod ────────
//!                  ── CONNECT host:port ───────────▶                     RFC 9110, 9.3.6
//!                  ◀── 2xx ─────────────────────────
//!                  ◀══ the tunnel: any bytes ══════▶
//! ```
//!
//! Strict where lenience would let two readers see two messages in the same bytes (RFC 9112, 11.2): lines end with CRLF,
//! nothing is folded, no whitespace before a colon, one Content-Length and never beside Transfer-Encoding. The bytes
//! behind the head of an accepted request or answer belong to the tunnel, and those behind a refused request to nobody:
//! the link is closed.
//!
//! Neither machine has a clock: how long an exchange may take is its host's to say.

mod answer;
mod client;
pub mod cookie;
mod date;
mod fields;
mod framing;
mod head;
mod incoming;
mod limits;
mod misuse;
mod request;
mod server;
mod target;
mod tunnel;
mod violation;
mod write;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use client::{Accepted, ClientEvent, ClientExchange, Refused, Trailing};
pub use fields::Fields;
pub use limits::Limits;
pub use misuse::Misuse;
pub use request::{Kind, Request};
pub use server::{ServerEvent, ServerExchange};
pub use target::Target;
pub use tunnel::{Tunnel, TunnelError};
pub use violation::Violation;

pub(crate) use fields::is_token_byte;

/// The protocol that an Upgrade asks for (RFC 9110, 7.8; compared without regard to case).
pub const HOTROD: &str = "hotrod";
