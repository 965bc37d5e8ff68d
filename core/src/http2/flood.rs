//! Rate limits for frames that cost a peer less than us.
//!
//! Each kind has a token bucket, refilled by the host's time. A peer that empties one gets ENHANCE_YOUR_CALM. The
//! budgets are far above the traffic of well-behaved peers: they bound the work that a hostile peer can cause, and do
//! not shape traffic.

use super::ErrorCode;
use super::fault::Fault;
use crate::time::Instant;

/// Rate limit: a burst, and a sustained rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Maximum burst.
    pub burst: u32,
    /// Sustained rate per second.
    pub per_second: u32,
}

/// Rate limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FloodBudgets {
    /// Streams that the peer opens and resets, or causes us to reset (CVE-2023-44487, CVE-2025-8671), and RST_STREAM
    /// for closed streams. Default: 200, 50 per second.
    pub resets: Budget,
    /// SETTINGS and GOAWAY. Default: 50, 5 per second.
    pub settings: Budget,
    /// PING, replies included. Default: 1,000, 500 per second.
    pub pings: Budget,
    /// DATA, HEADERS and CONTINUATION without content or end flag, and interim responses. Default: 200, 50 per second.
    pub empty: Budget,
    /// WINDOW_UPDATE; each DATA frame sent adds four tokens. Default: 2,000, 500 per second.
    pub window_updates: Budget,
    /// Ignored frames: unknown types, PRIORITY, frames on closed streams. Default: 2,000, 500 per second.
    pub ignored: Budget,
}

impl FloodBudgets {
    /// Creates budgets that are all equal.
    pub fn all(budget: Budget) -> Self {
        Self { resets: budget, settings: budget, pings: budget, empty: budget, window_updates: budget, ignored: budget }
    }
}

impl Default for FloodBudgets {
    fn default() -> Self {
        Self {
            resets: Budget { burst: 200, per_second: 50 },
            settings: Budget { burst: 50, per_second: 5 },
            pings: Budget { burst: 1000, per_second: 500 },
            empty: Budget { burst: 200, per_second: 50 },
            window_updates: Budget { burst: 2000, per_second: 500 },
            ignored: Budget { burst: 2000, per_second: 500 },
        }
    }
}

/// WINDOW_UPDATE frames that a DATA frame may cause: for the stream and the connection, in two halves each.
const WINDOW_UPDATES_PER_DATA: u32 = 4;

/// Token buckets of a connection.
#[derive(Debug)]
pub(crate) struct FloodGuard {
    resets: Bucket,
    settings: Bucket,
    pings: Bucket,
    empty: Bucket,
    window_updates: Bucket,
    ignored: Bucket,
}

impl FloodGuard {
    pub(crate) fn new(budgets: &FloodBudgets, now: Instant) -> Self {
        let bucket = |budget: Budget| Bucket::new(budget, now);
        Self {
            resets: bucket(budgets.resets),
            settings: bucket(budgets.settings),
            pings: bucket(budgets.pings),
            empty: bucket(budgets.empty),
            window_updates: bucket(budgets.window_updates),
            ignored: bucket(budgets.ignored),
        }
    }

    pub(crate) fn reset(&mut self, now: Instant) -> Result<(), Fault> {
        self.resets.take(now, "too many streams are reset")
    }

    pub(crate) fn settings(&mut self, now: Instant) -> Result<(), Fault> {
        self.settings.take(now, "too many SETTINGS or GOAWAY")
    }

    pub(crate) fn ping(&mut self, now: Instant) -> Result<(), Fault> {
        self.pings.take(now, "too many PING")
    }

    pub(crate) fn empty(&mut self, now: Instant) -> Result<(), Fault> {
        self.empty.take(now, "too many frames without content")
    }

    pub(crate) fn window_update(&mut self, now: Instant) -> Result<(), Fault> {
        self.window_updates.take(now, "too many WINDOW_UPDATE")
    }

    pub(crate) fn ignored(&mut self, now: Instant) -> Result<(), Fault> {
        self.ignored.take(now, "too many frames that are of no use")
    }

    /// Adds the tokens for the window updates that a sent DATA frame may cause.
    pub(crate) fn data_sent(&mut self) {
        self.window_updates.earn(WINDOW_UPDATES_PER_DATA);
    }
}

/// Parts of a token: a million, so that a microsecond adds a whole number of parts.
const TOKEN: u64 = 1_000_000;

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    parts: u64,
    /// Capacity of the bucket, in parts.
    max: u64,
    per_second: u64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(budget: Budget, now: Instant) -> Self {
        let max = u64::from(budget.burst) * TOKEN;
        Self { parts: max, max, per_second: budget.per_second.into(), filled: now }
    }

    pub(crate) fn take(&mut self, now: Instant, detail: &'static str) -> Result<(), Fault> {
        let elapsed = u64::try_from((now - self.filled).as_micros()).unwrap_or(u64::MAX);
        self.add(elapsed.saturating_mul(self.per_second));
        self.filled = self.filled.max(now);
        match self.parts.checked_sub(TOKEN) {
            Some(left) => self.parts = left,
            None => return Err(Fault::connection(ErrorCode::ENHANCE_YOUR_CALM, detail)),
        }
        Ok(())
    }

    pub(crate) fn earn(&mut self, tokens: u32) {
        self.add(u64::from(tokens) * TOKEN);
    }

    fn add(&mut self, parts: u64) {
        self.parts = self.parts.saturating_add(parts).min(self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn taken(bucket: &mut Bucket, now: Instant) -> usize {
        (0..1000).take_while(|_| bucket.take(now, "").is_ok()).count()
    }

    #[test]
    fn a_burst_and_then_a_rate() {
        let start = Instant::from_micros(5);
        let mut bucket = Bucket::new(Budget { burst: 10, per_second: 4 }, start);
        assert_eq!(taken(&mut bucket, start), 10);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(1100)), 4);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(1250)), 1, "nothing of a token is lost");
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(1000)), 10, "never more than the burst");
    }

    #[test]
    fn time_that_stands_still_or_goes_back_earns_nothing() {
        let start = Instant::from_micros(5_000_000);
        let mut bucket = Bucket::new(Budget { burst: 1, per_second: 1000 }, start);
        assert_eq!(taken(&mut bucket, start), 1);
        assert_eq!(taken(&mut bucket, Instant::EPOCH), 0);
        assert_eq!(taken(&mut bucket, start), 0);
        bucket.earn(1);
        assert_eq!(taken(&mut bucket, start), 1);
    }
}
