//! HTTP/2 (RFC 9113) with Extended CONNECT (RFC 8441) and extension frames, in both roles, without IO.
//!
//! [`Connection`] is an endpoint. The host owns the socket and the clock, and drives the connection in any order and
//! as often as it likes:
//!
//! 1. report input: [`handle_received`](Connection::handle_received) (or read into
//!    [`receive_buffer`](Connection::receive_buffer) and call [`handle_filled`](Connection::handle_filled)),
//!    [`handle_timeout`](Connection::handle_timeout), [`handle_link_lost`](Connection::handle_link_lost);
//! 2. give commands: a client's [`request`](Connection::request), a server's [`respond`](Connection::respond), and in
//!    both roles [`send_data`](Connection::send_data), [`send_trailers`](Connection::send_trailers),
//!    [`release`](Connection::release), [`reset`](Connection::reset), [`send_extension`](Connection::send_extension),
//!    [`ping`](Connection::ping), [`drain`](Connection::drain), [`close`](Connection::close);
//! 3. handle output: poll [`poll_event`](Connection::poll_event) until it returns `None`, send the bytes of
//!    [`transmit`](Connection::transmit) and report their number with [`transmitted`](Connection::transmitted), and wait
//!    until [`poll_timeout`](Connection::poll_timeout) or until the socket is ready.
//!
//! Receiving never fails: a violation is the last event, after the events of everything before it, and
//! [`transmit`](Connection::transmit) holds the GOAWAY. A stream error ends only its stream. A closed connection
//! accepts every call, and does nothing.
//!
//! Content is under flow control in both directions. Received content counts against the peer's windows until it is
//! [released](Connection::release); content to send waits in a bounded queue of its stream for the peer's windows and
//! its turn in the round robin. At most 64 KiB of it are in the output at a time, so that no other frame waits behind
//! megabytes.
//!
//! [`frame`] and [`hpack`] can be used on their own.
//!
//! # Example
//!
//! A client sends a request with content, and the server responds, over two byte vectors.
//!
//! ```
//! use hotrod_core::http2::hpack::Field;
//! use hotrod_core::http2::{Config, Connection, Event};
//! use hotrod_core::time::Instant;
//!
//! let now = Instant::EPOCH;
//! let mut client = Connection::client(Config::default(), now);
//! let mut server = Connection::server(Config::default(), now);
//!
//! let request = [(":method", "POST"), (":scheme", "https"), (":authority", "cache.example"), (":path", "/echo")];
//! let request = request.map(|(name, value)| Field::new(name, value));
//! let stream = client.request(now, &request, false)?;
//! client.send_data(stream, "ping".into(), true)?;
//!
//! let mut response = Vec::new();
//! loop {
//!     // What a host does with its socket: move the bytes that wait at each end to the other.
//!     let (up, down) = (client.transmit().to_bytes(), server.transmit().to_bytes());
//!     if up.is_empty() && down.is_empty() {
//!         break;
//!     }
//!     client.transmitted(up.len());
//!     server.transmitted(down.len());
//!     server.handle_received(now, &up);
//!     client.handle_received(now, &down);
//!
//!     while let Some(event) = server.poll_event() {
//!         match event {
//!             Event::Request { stream, .. } => server.respond(stream, &[Field::new(":status", "200")], false)?,
//!             Event::Data { stream, data, end_stream } => {
//!                 server.release(stream, data.len());
//!                 server.send_data(stream, data, end_stream)?;
//!             }
//!             _ => {}
//!         }
//!     }
//!     while let Some(event) = client.poll_event() {
//!         if let Event::Data { stream, data, .. } = event {
//!             client.release(stream, data.len());
//!             response.extend_from_slice(&data);
//!         }
//!     }
//! }
//! assert_eq!(response, b"ping");
//! assert_eq!((client.open_streams(), server.open_streams()), (0, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod connection;
mod error_code;
mod event;
mod event_queue;
mod fault;
mod flood;
mod flow;
pub mod frame;
pub mod hpack;
mod message;
mod misuse;
mod output;
mod settings;
mod stream;
mod stream_id;
mod stream_map;
mod streams;

pub use crate::send_buffer::SendBuffer;
pub use config::{Config, KeepAlive};
pub use connection::{Connection, Role};
pub use error_code::ErrorCode;
pub use event::{Event, Place, Reason};
pub(crate) use fault::Fault;
pub(crate) use flood::Bucket;
pub use flood::{Budget, FloodBudgets};
pub use misuse::{Misuse, RequestError};
pub use settings::{Settings, setting};
pub use stream_id::StreamId;
pub(crate) use stream_map::StreamMap;
