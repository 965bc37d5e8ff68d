//! Pod-side Hot Rod.
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

pub mod embedded;
pub mod host;
