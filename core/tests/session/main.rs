//! Sessions with a scripted server: the guarantees in the protocol's terms.

#![allow(unreachable_pub)]

mod authentication;
mod derivation;
mod driving;
mod end;
mod listeners;
mod negotiation;
mod operations;
mod server;
mod stray_bytes;
