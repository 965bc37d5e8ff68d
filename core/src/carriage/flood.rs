//! Hot Rod frames that do no work, and how many of them the other end may send (spec/hotrod-over-http.md, R-97).
//!
//! As in HTTP/2 ([`FloodBudgets`](crate::http2::FloodBudgets)), each kind has a bucket that time fills, and so does work: who
//! is sent much may grant much, and whose calls are answered may give others up. What crosses an end on its way is nobody's
//! fault, and there the bursts are as large as what may be on its way.

use crate::http2::{Bucket, Budget, Fault};
use crate::time::Instant;

/// The budgets of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameBudgets {
    /// Fragments without octets and without FIN; but for those that begin a message, of which there are no more than
    /// calls. Each fragment with octets earns one. Default: 200, 50 a second.
    pub empty: Budget,
    /// Calls that are given up within a second. Each answer earns one. Default: 10,000, 1,000 a second.
    pub cancelled: Budget,
    /// Calls above SETTINGS_HOT_ROD_MAX_CALLS. Each answer earns one. Default: 200, 50 a second.
    pub refused: Budget,
    /// CREDIT. Each message or fragment sent earns four, and one for each 64 octets. Default: 20,000, 500 a second.
    pub credits: Budget,
    /// DRAIN, and NODE but for the first of each session. Default: 1,000, 50 a second.
    pub news: Budget,
    /// What is ignored: frames of calls and streams that are closed. Each answer earns one. Default: 100,000, 1,000 a
    /// second.
    pub ignored: Budget,
}

impl Default for FrameBudgets {
    fn default() -> Self {
        Self {
            empty: Budget { burst: 200, per_second: 50 },
            cancelled: Budget { burst: 10_000, per_second: 1_000 },
            refused: Budget { burst: 200, per_second: 50 },
            credits: Budget { burst: 20_000, per_second: 500 },
            news: Budget { burst: 1_000, per_second: 50 },
            ignored: Budget { burst: 100_000, per_second: 1_000 },
        }
    }
}

/// CREDIT frames that a fragment may be answered with: for the call and the connection, in four quarters each.
const CREDITS_PER_FRAGMENT: u32 = 8;
/// Octets of a fragment that may be granted by a frame of their own.
const OCTETS_PER_CREDIT: usize = 64;

/// A frame that does no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    Empty,
    Cancelled,
    Refused,
    Credit,
    News,
    Ignored,
}

/// What is left of the budgets.
#[derive(Debug)]
pub(super) struct FrameGuard {
    empty: Bucket,
    cancelled: Bucket,
    refused: Bucket,
    credits: Bucket,
    news: Bucket,
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
            news: bucket(budgets.news),
            ignored: bucket(budgets.ignored),
        }
    }

    /// Such a frame has come: ENHANCE_YOUR_CALM if it is one too many.
    pub(super) fn note(&mut self, frame: Idle, now: Instant) -> Result<(), Fault> {
        match frame {
            Idle::Empty => self.empty.take(now, "too many fragments without octets"),
            Idle::Cancelled => self.cancelled.take(now, "too many calls are given up at once"),
            Idle::Refused => self.refused.take(now, "too many calls above the limit"),
            Idle::Credit => self.credits.take(now, "too many CREDIT"),
            Idle::News => self.news.take(now, "too many NODE or DRAIN"),
            Idle::Ignored => self.ignored.take(now, "too many Hot Rod frames that are of no use"),
        }
    }

    /// A message or a fragment of one was sent.
    pub(super) fn sent(&mut self, octets: usize) {
        let credits = u32::try_from(octets / OCTETS_PER_CREDIT).unwrap_or(u32::MAX);
        self.credits.earn(credits.saturating_add(CREDITS_PER_FRAGMENT));
    }

    /// A fragment with octets has come.
    pub(super) fn received(&mut self) {
        self.empty.earn(1);
    }

    /// A call was answered.
    pub(super) fn answered(&mut self) {
        self.cancelled.earn(1);
        self.refused.earn(1);
        self.ignored.earn(1);
    }
}
