//! A gateway on real sockets, before an embedded node or before a server that the test plays itself.

mod admin;
mod carriages;
mod common;
mod drain;
mod front;
mod limits;
mod native;
mod program;
mod raw;
mod settings;
mod slow;
mod tls;
