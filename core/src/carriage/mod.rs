//! How sessions travel: Hot Rod over HTTP (spec/hotrod-over-http.md), both ends, without IO.
//!
//! A *link* is one transport connection. Without HTTP it carries one session and does not use this module. Over HTTP/2
//! it carries many sessions, each on its own stream, which leads to one member: as messages in Hot Rod frames where
//! both ends support them, otherwise as plain bytes in DATA. [`ClientLink`] and [`ServerLink`] are the two ends.
//!
//! # Example
//!
//! An endpoint serves every carriage on one port. The first bytes of a link select its state machine.
//!
//! ```
//! use hotrod_core::carriage::{Detected, ServerConfig, ServerLink, detect};
//! use hotrod_core::time::Instant;
//! use hotrod_core::{http1, http2, session};
//!
//! let now = Instant::EPOCH;
//! let raw = session::Session::new(session::Config::default(), [7; 32], now);
//! let fields = http1::Fields::new();
//! let upgrade = http1::ClientExchange::upgrade("gateway:80", "/hotrod", &fields, http1::Limits::default())?;
//! let shared = http2::Connection::client(http2::Config::default(), now);
//! assert_eq!(detect(&raw.transmit().to_bytes()), Detected::HotRod);
//! assert_eq!(detect(&upgrade.transmit().to_bytes()), Detected::Http1);
//!
//! // An HTTP/2 preface begins like an HTTP/1.1 request, so the decision needs all of it.
//! let first_bytes = shared.transmit().to_bytes();
//! assert_eq!(detect(&first_bytes[..3]), Detected::NeedMore);
//! assert_eq!(detect(&first_bytes), Detected::Http2);
//!
//! let mut link = ServerLink::new(ServerConfig::default(), now);
//! link.receive_buffer().extend_from_slice(&first_bytes);
//! link.handle_filled(now);
//! assert!(link.poll_event().is_none(), "no session is requested yet");
//! assert!(link.wants_read() && !link.transmit().is_empty());
//! # Ok::<(), http1::Misuse>(())
//! ```

mod calls;
mod choice;
mod client;
mod credit;
mod credit_tuner;
mod detect;
mod endpoint;
mod endpoint_session;
mod error;
mod event;
mod flood;
mod frame;
mod node_selector;
mod outgoing;
mod ready;
pub mod registry;
mod request;
mod scheduler;
mod server;
mod terms;
mod writing;

pub use choice::{Carriage, Choice, Inside};
pub use client::{ChannelId, ClientConfig, ClientLink};
pub use detect::{Detected, detect};
pub use endpoint::{answer_ordinary, answer_ordinary_http2, check_tunnel_fields};
pub use error::{LinkEnd, Refusal};
pub use event::ClientEvent;
pub use flood::FrameBudgets;
pub use frame::{Fragment, Frame, Knowledge, Mode, Node};
pub use node_selector::{NodeSelector, first_label};
pub use request::{Form, SessionRequest, names_at_most_one_node};
pub use server::{ReceivedSessionRequest, ServerConfig, ServerEvent, ServerLink};
pub use terms::Offer;

#[cfg(test)]
mod tests;
