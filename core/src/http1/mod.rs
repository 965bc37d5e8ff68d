//! The HTTP/1.1 exchanges that establish Hot Rod tunnels; other uses of HTTP are not supported.
//!
//! ```text
//!   ClientExchange ── GET /path, Upgrade: hotrod ──▶ ServerExchange      RFC 9110, 7.8
//!                  ◀── 101, Upgrade: hotrod ────────
//!                  ── CONNECT host:port ───────────▶                     RFC 9110, 9.3.6
//!                  ◀── 2xx ─────────────────────────
//!                  ◀══ the tunnel: any bytes ══════▶
//! ```
//!
//! Parsing is strict wherever lenience would let two readers see two messages in the same bytes (RFC 9112, 11.2):
//! lines end with CRLF, no field is folded, no whitespace precedes a colon, Content-Length is unique and excludes
//! Transfer-Encoding. The bytes behind the head of an accepted request or response belong to the tunnel; those behind
//! a refused request are dropped, and the link is closed.
//!
//! Neither machine has a clock: the host sets the timeout of an exchange.
//!
//! # Example
//!
//! A client upgrades a connection to Hot Rod at a server that has only one path.
//!
//! ```
//! use hotrod_core::http1::{ClientEvent, ClientExchange, Fields, Limits, Response, ServerEvent, ServerExchange};
//!
//! let limits = Limits::default;
//! for (path, status) in [("/hotrod", 101), ("/other", 404)] {
//!     let mut client = ClientExchange::upgrade("cache.example:80", path, &Fields::new(), limits())?;
//!     let mut server = ServerExchange::new(limits());
//!
//!     server.handle_received(&client.transmit().to_bytes());
//!     client.transmitted(client.transmit().len());
//!     let Some(ServerEvent::Request(request)) = server.poll_event() else { panic!("a whole request") };
//!     assert_eq!(request.host, "cache.example:80");
//!     if request.target.path() == Some("/hotrod") {
//!         let first_bytes = server.accept(&Fields::new())?;
//!         assert!(first_bytes.is_empty());
//!     } else {
//!         server.respond(&Response::text(404, "no such path"), true)?;
//!     }
//!
//!     client.handle_received(&server.transmit().to_bytes());
//!     match client.poll_event() {
//!         Some(ClientEvent::Accepted(accepted)) => assert_eq!(accepted.status, status),
//!         Some(ClientEvent::Refused(refused)) => assert_eq!(refused.status, status),
//!         other => panic!("{other:?}"),
//!     }
//! }
//! # Ok::<(), hotrod_core::http1::Misuse>(())
//! ```

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
mod response;
mod server;
mod target;
mod tunnel;
mod violation;
mod write;

#[cfg(test)]
mod tests;

pub use client::{Accepted, ClientEvent, ClientExchange, Refused, Trailing};
pub use fields::Fields;
pub use limits::Limits;
pub use misuse::Misuse;
pub use request::{Kind, Request};
pub use response::Response;
pub use server::{ServerEvent, ServerExchange};
pub use target::Target;
pub use tunnel::{Tunnel, TunnelError};
pub use violation::Violation;

pub(crate) use fields::is_token_byte;

/// Protocol name in the Upgrade field (RFC 9110, 7.8; compared without regard to case).
pub const HOTROD: &str = "hotrod";
