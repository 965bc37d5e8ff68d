//! Pod-side Hot Rod.
//!
//! [`gateway`] stands before Infinispan, as a sidecar of one member or in front of all, and is what the program
//! `hotrod-gateway` runs, by the settings of [`config`].
//!
//! [`embedded`] is an in-memory Hot Rod cluster as a machine without IO: bytes and time in, bytes out. A simulation
//! drives it directly. [`host`] gives it sockets and a clock, for demos and tests:
//!
//! ```no_run
//! # async fn demo() -> std::io::Result<()> {
//! use hotrod_gateway::host::{Embedded, EmbeddedOptions};
//!
//! let node = Embedded::start(EmbeddedOptions { members: 3, ..EmbeddedOptions::default() }).await?;
//! println!("{:?}", node.addresses());
//! node.stop().await;
//! # Ok(())
//! # }
//! ```

pub mod config;
pub mod embedded;
pub mod gateway;
pub mod host;

mod admin;
mod authenticated;
mod budget;
mod connection;
mod deadlines;
mod drain;
mod files;
mod follow;
mod http;
mod listen;
mod loss;
mod mechanisms;
mod membership;
mod metrics;
mod opening;
mod pieces;
mod proxy_protocol;
mod raw;
mod relay;
#[cfg(test)]
mod samples;
mod sources;
mod stream;
mod tls;
mod upstream;
mod watch;

pub use tls::TlsError;
