//! Pod-side Hot Rod.
//!
//! [`gateway`] stands before Infinispan, as a sidecar of one member or in front of all, and is what the program
//! `hotrod-gateway` runs, by the settings of [`config`].

pub mod config;
pub mod gateway;

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
mod monitor;
mod opening;
mod pieces;
mod proxy_protocol;
mod raw;
mod relay;
#[cfg(test)]
mod samples;
mod scratch;
mod sources;
mod stream;
mod tls;
mod upstream;

pub use tls::TlsError;
