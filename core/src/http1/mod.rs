//! The HTTP/1.1 exchanges that lead to Hot Rod, and nothing else of HTTP.

mod tunnel;

pub use tunnel::{Tunnel, TunnelError};
