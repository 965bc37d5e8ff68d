//! Points in time, supplied by the host with every call.
//!
//! ```
//! use core::time::Duration;
//! use hotrod_core::time::Instant;
//!
//! // A host converts its monotonic clock once, where it calls a machine.
//! let start = std::time::Instant::now();
//! let now = Instant::from_micros(start.elapsed().as_micros() as u64);
//!
//! let deadline = now + Duration::from_millis(250);
//! assert_eq!(deadline - now, Duration::from_millis(250));
//! assert_eq!(now.since(deadline), Duration::ZERO);
//! assert!(now + Duration::MAX > deadline);
//! ```

use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time: microseconds since an epoch of the host's choosing, the same epoch for all calls to one machine.
///
/// Machines have no clock; every call that needs the time takes it as an argument. Time may stand still but must not
/// go backwards. Use the host's monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The host's epoch.
    pub const EPOCH: Self = Self(0);

    /// The point `micros` microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Duration since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the largest representable time, so that an endless timeout never expires.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}
