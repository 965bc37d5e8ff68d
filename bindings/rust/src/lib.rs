//! An async Hot Rod client for Infinispan, on tokio and rustls.
//!
//! ```no_run
//! # async fn example() -> Result<(), hotrod_tokio::Error> {
//! let client = hotrod_tokio::Client::connect("hotrod://127.0.0.1:11222").await?;
//! let cache = client.cache("dist");
//! cache.put("greeting", "hello").await?;
//! assert_eq!(cache.get("greeting").await?.as_deref(), Some(&b"hello"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! Applications use [`Client`] and [`Cache`], shared by any number of tasks: each operation goes directly to the
//! member that owns its key, on that member's pipelined link. [`Session`] is the level below: one session on a stream
//! of your own.
//!
//! [`hotrod_core`] makes all protocol decisions and does no IO; this crate moves its bytes.
#![forbid(unsafe_code)]

mod cache;
mod client;
pub mod codec;
mod connect;
mod conversion;
pub mod core;
mod counter;
mod dial;
mod driver;
mod error;
mod generated;
mod iteration;
mod link;
mod listener;
mod multimap;
mod reply;
mod schemas;
mod session;
mod settings;
mod timer;
mod tls;
mod transfer;
mod trust;
mod value_stream;

pub use cache::{Cache, Conditional, Entry, Versioned};
pub use client::Client;
pub use counter::Counter;
pub use error::{Error, Part};
pub use hotrod_core::cluster::{DialError, IterationOptions, NearCacheOptions, ReadFrom, StartError};
pub use iteration::Iteration;
pub use listener::{Listener, ListenerEvent};
pub use multimap::Multimap;
pub use schemas::Schemas;
pub use session::Session;
pub use settings::Settings;
pub use value_stream::{ValueReader, ValueWriter, WriteIf};

/// Shared with hotrod-gateway; no part of the API.
#[doc(hidden)]
pub mod shared {
    pub use crate::connect::connect;
    pub use crate::trust::Trust;
}

/// The README's example is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
