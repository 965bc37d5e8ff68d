//! A gateway on real sockets, before an embedded node or before a server that the test plays itself.

mod admin;
mod broken;
mod cancel;
mod carriages;
mod common;
mod contradictions;
mod deadlines;
mod drain;
mod external;
mod front;
mod inside;
mod knowledge;
mod limits;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod load_limits;
#[cfg(target_os = "linux")]
mod memory;
mod peer;
mod program;
mod proxy_protocol;
mod raw;
mod secrets;
mod settings;
mod slow;
mod sources;
mod tls;
mod tunnels;
