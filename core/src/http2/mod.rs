//! HTTP/2 (RFC 9113), with Extended CONNECT (RFC 8441) and extension frames, in either role, without IO.
//!
//! [`Connection`] is an endpoint. The host owns the socket and the clock, and drives it so, in any order and as often as
//! it likes:
//!
//! 1. bring the outside in: [`handle_received`](Connection::handle_received) (or read into
//!    [`receive_buffer`](Connection::receive_buffer) and call [`handle_filled`](Connection::handle_filled)),
//!    [`handle_timeout`](Connection::handle_timeout), [`handle_link_lost`](Connection::handle_link_lost);
//! 2. give commands: a client's [`request`](Connection::request), a server's [`respond`](Connection::respond), and on
//!    both sides [`send_data`](Connection::send_data), [`send_trailers`](Connection::send_trailers),
//!    [`release`](Connection::release), [`reset`](Connection::reset), [`send_extension`](Connection::send_extension),
//!    [`ping`](Connection::ping), [`drain`](Connection::drain), [`close`](Connection::close);
//! 3. take the results: [`poll_event`](Connection::poll_event) until it answers `None`, send what
//!    [`transmit`](Connection::transmit) holds and say how much of it went with
//!    [`transmitted`](Connection::transmitted), and wait until [`poll_timeout`](Connection::poll_timeout) or until the
//!    socket has something.
//!
//! Receiving never fails: what the peer does wrong comes out as the last event, after everything that it did right, and
//! [`transmit`](Connection::transmit) holds the GOAWAY that tells it. What it does wrong on one stream ends that stream.
//! A connection that is over answers every call, and does nothing.
//!
//! Content is under flow control in both directions. What is received counts against the peer's windows until it is
//! [released](Connection::release); what is sent waits in a bounded queue of its stream for the windows and for its
//! turn. No more than 64 KiB of it are in the output at a time, so that nothing waits behind megabytes.
//!
//! [`frame`] and [`hpack`] can be used on their own.

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
