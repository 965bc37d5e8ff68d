//! Connection attempts to a host with several addresses.

use hotrod_core::happy_eyeballs::ConnectionAttempts;
use hotrod_core::time::Instant;
use napi_derive::napi;

use crate::machine::time;

/// Decides when a connection to which address of a host is begun.
#[napi]
pub struct NativeConnectionAttempts(ConnectionAttempts);

#[napi]
#[allow(clippy::needless_pass_by_value)] // Node-API passes values
impl NativeConnectionAttempts {
    /// Takes the addresses in the resolver's order: whether each is an IPv6 address.
    #[napi(factory, catch_unwind)]
    pub fn of(is_ipv6: Vec<bool>) -> Self {
        Self(ConnectionAttempts::new(&is_ipv6))
    }

    #[napi(catch_unwind)]
    pub fn poll_attempt(&mut self, now: f64) -> Option<u32> {
        self.0.poll_attempt(Instant::from_micros(time(now))).and_then(|index| u32::try_from(index).ok())
    }

    #[napi(catch_unwind)]
    pub fn poll_timeout(&self) -> Option<f64> {
        self.0.poll_timeout().map(|due| due.as_micros() as f64 / 1000.0)
    }

    #[napi(catch_unwind)]
    pub fn failed(&mut self) {
        self.0.handle_failed();
    }

    #[napi(getter, catch_unwind)]
    pub fn exhausted(&self) -> bool {
        self.0.is_exhausted()
    }
}
