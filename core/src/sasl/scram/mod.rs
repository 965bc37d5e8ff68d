//! SCRAM (RFC 5802, RFC 7677).

mod client;
mod keys;
mod message;
pub(super) mod name;
mod server;

pub(super) use client::ScramClient;
pub(super) use server::ScramServer;
