//! One Hot Rod session over one link, in either role, without IO.
//!
//! # Client
//!
//! [`Session`] negotiates the protocol version, authenticates, and pipelines operations. The host owns the socket and
//! the clock, and drives the session in any order and as often as it likes:
//!
//! 1. report input: [`handle_received`](Session::handle_received) (or read into
//!    [`receive_buffer`](Session::receive_buffer) and call [`handle_filled`](Session::handle_filled)),
//!    [`handle_timeout`](Session::handle_timeout), [`handle_link_lost`](Session::handle_link_lost);
//! 2. give commands: [`submit`](Session::submit), [`cancel`](Session::cancel), [`close`](Session::close);
//! 3. handle output: poll [`poll_event`](Session::poll_event) until it returns `None`, send the bytes of
//!    [`transmit`](Session::transmit) and report their number with [`transmitted`](Session::transmitted), and wait until
//!    [`poll_timeout`](Session::poll_timeout) or until the socket is ready.
//!
//! Receiving never fails: a violation is the last event, after the events of everything before it. A closed session
//! accepts every call, and does nothing.
//!
//! # Server
//!
//! [`ServerSession`] decodes requests, and encodes replies and events; its host executes the operations.
//!
//! # Example
//!
//! A link is lost while two operations are in flight: one was sent, the other was not. Each error says whether the
//! server may have executed its operation.
//!
//! ```
//! use hotrod_core::session::{Applied, Call, Config, Event, OperationError, ServerSession, Session};
//! use hotrod_core::time::Instant;
//! use hotrod_core::wire::{Body, Limits, Ping, Reply, Request, RequestOptions, Status};
//!
//! let now = Instant::EPOCH;
//! let mut client = Session::new(Config::default(), [7; 32], now);
//! let mut server = ServerSession::new(Limits::default(), 1 << 20);
//!
//! // The handshake: a PING and its reply.
//! server.handle_received(&client.transmit().to_bytes());
//! client.transmitted(client.transmit().len());
//! let (header, request) = server.poll_request().expect("a PING");
//! let reply = Reply {
//!     message_id: header.message_id,
//!     status: Status::SUCCESS,
//!     topology: None,
//!     body: Body::Ping(Box::new(Ping { server_version: Some(41), ..Ping::default() })),
//! };
//! server.reply(&header, request.operation(), &reply);
//! client.handle_received(now, &server.transmit().to_bytes());
//! assert!(matches!(client.poll_event(), Some(Event::Ready(ready)) if ready.version.to_string() == "4.1"));
//!
//! let options = RequestOptions::cache("dist");
//! let remove = Request::Remove { key: "k".into() };
//! let sent = client.submit(now, Call::new(&remove, &options))?;
//! client.transmitted(client.transmit().len());
//! let unsent = client.submit(now, Call::new(&remove, &options))?;
//!
//! client.handle_link_lost("connection reset by peer");
//! let mut results = Vec::new();
//! while let Some(event) = client.poll_event() {
//!     if let Event::Completed { id, result: Err(OperationError::Disconnected { applied, .. }), .. } = event {
//!         results.push((id, applied));
//!     }
//! }
//! assert_eq!(results, [(sent, Applied::Unknown), (unsent, Applied::No)]);
//! assert!(client.is_closed());
//! # Ok::<(), hotrod_core::session::SubmitError>(())
//! ```

mod client;
mod config;
mod error;
mod event;
mod handshake;
mod in_flight;
mod messages;
mod server;

pub use client::{Call, OperationId, Session};
pub use config::{Authentication, Config, VersionChoice};
pub(crate) use error::Fate;
pub use error::{Applied, Disconnect, OperationError, OtherProtocol, SubmitError};
pub use event::{Counters, Event, Ready, TimeoutReason};
pub use server::{ServerSession, write_fault};
