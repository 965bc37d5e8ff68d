//! Limits on received Hot Rod frames that carry no work (spec/hotrod-over-http.md, R-97).
//!
//! As in HTTP/2 ([`FloodBudgets`](crate::http2::FloodBudgets)), each kind has a token bucket that is refilled by time
//! and by work: a peer that is sent much data may grant much credit, and a peer whose calls are answered may cancel
//! others. Frames that cross the end of their call or session in flight are no violation; for those the burst covers
//! all that can be in flight.

use crate::http2::{Bucket, Budget, Fault};
use crate::time::Instant;

/// Token buckets of a link, by kind of frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameBudgets {
    /// Fragments without bytes and without FIN, except those that begin a message, which are limited by the calls. Each
    /// fragment with bytes earns one. Default: 200, 50 per second.
    pub empty: Budget,
    /// Calls cancelled within a second of their beginning. Each response earns one. Default: 10,000, 1,000 per second.
    pub cancelled: Budget,
    /// Calls above SETTINGS_HOT_ROD_MAX_CALLS. Each response earns one. Default: 200, 50 per second.
    pub refused: Budget,
    /// CREDIT. Each message or fragment sent earns 8, and one more per 64 bytes. Default: 20,000, 500 per second.
    pub credits: Budget,
    /// DRAIN, and NODE except the first of each session. Default: 1,000, 50 per second.
    pub notices: Budget,
    /// Ignored frames: those of closed calls and streams. Each response earns one. Default: 100,000, 1,000 per second.
    pub ignored: Budget,
}

impl Default for FrameBudgets {
    fn default() -> Self {
        Self {
            empty: Budget { burst: 200, per_second: 50 },
            cancelled: Budget { burst: 10_000, per_second: 1_000 },
            refused: Budget { burst: 200, per_second: 50 },
            credits: Budget { burst: 20_000, per_second: 500 },
            notices: Budget { burst: 1_000, per_second: 50 },
            ignored: Budget { burst: 100_000, per_second: 1_000 },
        }
    }
}

/// CREDIT frames that a fragment may cause: up to four for the call and four for the connection, each for a quarter of
/// the window.
const CREDITS_PER_FRAGMENT: u32 = 8;
/// Bytes of a fragment for which the peer may send a further CREDIT.
const BYTES_PER_CREDIT: usize = 64;

/// Kind of a frame that carries no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overhead {
    Empty,
    Cancelled,
    Refused,
    Credit,
    Notice,
    Ignored,
}

/// Token buckets of a link.
#[derive(Debug)]
pub(super) struct FrameGuard {
    empty: Bucket,
    cancelled: Bucket,
    refused: Bucket,
    credits: Bucket,
    notices: Bucket,
    ignored: Bucket,
}

impl FrameGuard {
    pub(super) fn new(budgets: &FrameBudgets, now: Instant) -> Self {
        let bucket = |budget: Budget| Bucket::new(budget, now);
        Self {
            empty: bucket(budgets.empty),
            cancelled: bucket(budgets.cancelled),
            refused: bucket(budgets.refused),
            credits: bucket(budgets.credits),
            notices: bucket(budgets.notices),
            ignored: bucket(budgets.ignored),
        }
    }

    /// Takes a token for a received frame; fails with ENHANCE_YOUR_CALM if there is none left.
    pub(super) fn note(&mut self, frame: Overhead, now: Instant) -> Result<(), Fault> {
        match frame {
            Overhead::Empty => self.empty.take(now, "too many fragments without octets"),
            Overhead::Cancelled => self.cancelled.take(now, "too many calls are given up at once"),
            Overhead::Refused => self.refused.take(now, "too many calls above the limit"),
            Overhead::Credit => self.credits.take(now, "too many CREDIT"),
            Overhead::Notice => self.notices.take(now, "too many NODE or DRAIN"),
            Overhead::Ignored => self.ignored.take(now, "too many Hot Rod frames that are of no use"),
        }
    }

    /// Earns CREDIT tokens for a sent message or fragment.
    pub(super) fn sent(&mut self, bytes: usize) {
        let credits = u32::try_from(bytes / BYTES_PER_CREDIT).unwrap_or(u32::MAX);
        self.credits.earn(credits.saturating_add(CREDITS_PER_FRAGMENT));
    }

    /// Earns a token for a received fragment with bytes.
    pub(super) fn received(&mut self) {
        self.empty.earn(1);
    }

    /// Earns tokens for a response.
    pub(super) fn answered(&mut self) {
        self.cancelled.earn(1);
        self.refused.earn(1);
        self.ignored.earn(1);
    }
}
