//! When operations were completed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Width of a bucket.
pub(crate) const BUCKET: Duration = Duration::from_millis(100);

/// What all workers note together.
pub struct Progress {
    started: Instant,
    started_unix_ms: u128,
    noted: Mutex<Noted>,
}

struct Noted {
    last: Instant,
    longest_pause: Duration,
    longest_pause_at: Duration,
    longest_operation: Duration,
    buckets: Vec<u64>,
}

impl Progress {
    /// Begins now.
    pub fn start() -> Self {
        let now = Instant::now();
        Self {
            started: now,
            started_unix_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis()),
            noted: Mutex::new(Noted {
                last: now,
                longest_pause: Duration::ZERO,
                longest_pause_at: Duration::ZERO,
                longest_operation: Duration::ZERO,
                buckets: Vec::new(),
            }),
        }
    }

    /// An operation that began at that time has succeeded.
    pub fn succeeded(&self, began: Instant) {
        let now = Instant::now();
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = now.duration_since(noted.last);
        if pause > noted.longest_pause {
            noted.longest_pause = pause;
            noted.longest_pause_at = noted.last.duration_since(self.started);
        }
        noted.last = noted.last.max(now);
        noted.longest_operation = noted.longest_operation.max(now.duration_since(began));
        let bucket = (now.duration_since(self.started).as_millis() / BUCKET.as_millis()) as usize;
        if noted.buckets.len() <= bucket {
            noted.buckets.resize(bucket + 1, 0);
        }
        noted.buckets[bucket] += 1;
    }

    /// When it began, in milliseconds since 1970.
    pub fn started_unix_ms(&self) -> u128 {
        self.started_unix_ms
    }

    /// The longest time in which no operation of the whole application succeeded, and when it began.
    pub fn longest_pause(&self) -> (Duration, Duration) {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        (noted.longest_pause, noted.longest_pause_at)
    }

    /// The longest time that one operation took to succeed.
    pub fn longest_operation(&self) -> Duration {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).longest_operation
    }

    /// Operations that succeeded in each 100 ms.
    pub fn buckets(&self) -> Vec<u64> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).buckets.clone()
    }
}
