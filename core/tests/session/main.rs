//! Sessions against a scripted server: what must hold in the words of the protocol.

#![allow(unreachable_pub)]

mod authentication;
mod derivation;
mod driving;
mod end;
mod listeners;
mod negotiation;
mod operations;
mod server;
