//! Things that cost a peer less than us, and how many of them it may do.
//!
//! Each kind has a token bucket that the time given by the host fills. A peer that empties one is told
//! ENHANCE_YOUR_CALM. The budgets are far above what well-behaved peers do: a bucket is there to bound the work that a
//! hostile one can make, not to shape traffic.

use super::ErrorCode;
use super::fault::Fault;
use crate::time::Instant;

/// How often something may happen: a burst, and a rate after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How often at once.
    pub burst: u32,
    /// How often a second in the long run.
    pub per_second: u32,
}

/// The budgets of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloodBudgets {
    /// Streams that the peer opens and resets, or that it makes us reset (CVE-2023-44487, CVE-2025-8671); RST_STREAM
    /// for streams that are gone. Default: 200, 50 a second.
    pub resets: Budget,
    /// SETTINGS and GOAWAY. Default: 50, 5 a second.
    pub settings: Budget,
    /// PING, answers included. Default: 1,000, 500 a second.
    pub pings: Budget,
    /// Frames without content that end nothing: DATA, HEADERS and CONTINUATION; interim responses. Default: 200, 50 a
    /// second.
    pub empty: Budget,
    /// WINDOW_UPDATE; each DATA frame sent earns four more. Default: 2,000, 500 a second.
    pub window_updates: Budget,
    /// Frames to be ignored: unknown types, PRIORITY, whatever comes for streams that are gone. Default: 2,000, 500 a
    /// second.
    pub ignored: Budget,
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

/// WINDOW_UPDATE frames that a DATA frame may be answered with: for the stream and the connection, in two halves each.
const WINDOW_UPDATES_PER_DATA: u32 = 4;

/// What is left of the budgets.
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

    /// A DATA frame has been sent, which the peer may answer.
    pub(crate) fn data_sent(&mut self) {
        self.window_updates.earn(WINDOW_UPDATES_PER_DATA);
    }
}

/// A token is a million parts, so that a microsecond earns a whole number of them.
const TOKEN: u64 = 1_000_000;

/// What is left of a budget.
#[derive(Debug)]
pub(crate) struct Bucket {
    parts: u64,
    /// What it holds when it is full.
    most: u64,
    per_second: u64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(budget: Budget, now: Instant) -> Self {
        let most = u64::from(budget.burst) * TOKEN;
        Self { parts: most, most, per_second: budget.per_second.into(), filled: now }
    }

    pub(crate) fn take(&mut self, now: Instant, what: &'static str) -> Result<(), Fault> {
        let elapsed = u64::try_from((now - self.filled).as_micros()).unwrap_or(u64::MAX);
        self.add(elapsed.saturating_mul(self.per_second));
        self.filled = self.filled.max(now);
        match self.parts.checked_sub(TOKEN) {
            Some(left) => self.parts = left,
            None => return Err(Fault::connection(ErrorCode::ENHANCE_YOUR_CALM, what)),
        }
        Ok(())
    }

    pub(crate) fn earn(&mut self, tokens: u32) {
        self.add(u64::from(tokens) * TOKEN);
    }

    fn add(&mut self, parts: u64) {
        self.parts = self.parts.saturating_add(parts).min(self.most);
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
