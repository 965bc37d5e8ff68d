//! One Hot Rod conversation over one link, in either role, without IO.
//!
//! # The client's role
//!
//! [`Session`] negotiates the protocol version, authenticates, and carries many operations at a time. The host owns the
//! socket and the clock, and drives it so, in any order and as often as it likes:
//!
//! 1. bring the outside in: [`handle_received`](Session::handle_received) (or read into
//!    [`receive_buffer`](Session::receive_buffer) and call [`handle_filled`](Session::handle_filled)),
//!    [`handle_timeout`](Session::handle_timeout), [`handle_link_lost`](Session::handle_link_lost);
//! 2. give commands: [`submit`](Session::submit), [`cancel`](Session::cancel), [`close`](Session::close);
//! 3. take the results: [`poll_event`](Session::poll_event) until it answers `None`, send what
//!    [`transmit`](Session::transmit) holds and say how much of it went with [`transmitted`](Session::transmitted), and
//!    wait until [`poll_timeout`](Session::poll_timeout) or until the socket has something.
//!
//! Receiving never fails: what the server does wrong comes out as the last event, after everything that it did right.
//! A session that has ended answers every call, and does nothing.
//!
//! # The server's role
//!
//! [`ServerSession`] takes requests apart and puts replies and events together; what they mean is its host's business.

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
pub use error::{Applied, Disconnect, OperationError, SubmitError};
pub use event::{Counters, Event, Ready, TimeoutReason};
pub use server::{ServerSession, write_fault};
