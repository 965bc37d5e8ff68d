//! Connection attempts to a host with several addresses.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hotrod_core::happy_eyeballs;
use hotrod_core::time::Instant;
use pyo3::prelude::*;

/// Decides when a connection to which address of a host is begun; documented in `_native.pyi`.
#[pyclass(frozen, module = "libhotrod")]
pub(crate) struct ConnectionAttempts(Mutex<happy_eyeballs::ConnectionAttempts>);

impl ConnectionAttempts {
    fn lock(&self) -> MutexGuard<'_, happy_eyeballs::ConnectionAttempts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
#[allow(clippy::needless_pass_by_value)] // Python arguments
impl ConnectionAttempts {
    #[new]
    fn new(is_ipv6: Vec<bool>) -> Self {
        Self(Mutex::new(happy_eyeballs::ConnectionAttempts::new(&is_ipv6)))
    }

    fn poll_attempt(&self, now: u64) -> Option<usize> {
        self.lock().poll_attempt(Instant::from_micros(now))
    }

    fn poll_timeout(&self) -> Option<u64> {
        self.lock().poll_timeout().map(Instant::as_micros)
    }

    fn failed(&self) {
        self.lock().handle_failed();
    }

    #[getter]
    fn exhausted(&self) -> bool {
        self.lock().is_exhausted()
    }
}
