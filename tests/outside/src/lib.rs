//! "From outside", on real parts: three Infinispan servers, our gateways beside and before them, and the routers that
//! platforms have, all on loopback, started and stopped by this crate. The client is the one that applications use, and
//! is given nothing but a URI.
//!
//! [`Outside`] holds the running parts. [`paths`] has the rows: a row is a URI, and what may be expected of it. [`rows`]
//! measures one, [`table`] shows them all.

pub mod certificates;
pub mod coverage;
pub mod demo;
pub mod discovery;
pub mod failures;
pub mod gateways;
mod http;
pub mod languages;
pub mod outside;
pub mod paths;
pub mod process;
pub mod relay;
pub mod routers;
pub mod rows;
pub mod sockets;
pub mod table;
pub mod workload;

pub use outside::Outside;

/// Why something of the test's own parts could not be had. What a row finds out about the client is no failure of these.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
