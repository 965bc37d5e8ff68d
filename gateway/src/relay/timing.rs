//! Deadlines of a relay, and its own timeouts.

use std::time::Duration;

use tokio::time::Instant;

use super::{End, Relay};
use crate::budget::SHED_AFTER;
use crate::drain::Phase;

/// Time without a request in flight after which a draining session ends: meanwhile new requests are rejected with an error
/// that has the client try another server.
pub(super) const QUIET: Duration = Duration::from_secs(1);
/// Idle timeout of a session of which one side is at its end of file.
pub(super) const HALF_CLOSED: Duration = Duration::from_secs(10);

impl Relay<'_> {
    /// Time at which the session ends if no byte is moved before.
    pub(super) fn deadline(&self) -> Instant {
        let own = match self.first_end {
            _ if self.phase >= Phase::Draining && self.monitor.is_quiet() => Some(self.used_at + QUIET),
            Some(_) => Some(self.deadlines.moved_at() + HALF_CLOSED),
            None if self.is_stuck() => Some(self.deadlines.moved_at() + SHED_AFTER),
            None => None,
        };
        let next = self.deadlines.next();
        own.map_or(next, |own| own.min(next))
    }

    /// Whether the session holds bytes while reading is suspended for want of memory.
    fn is_stuck(&self) -> bool {
        self.is_starved && !self.held.is_empty()
    }

    /// End of the session if a deadline has passed. Deadlines may have moved since the alarm was set.
    pub(super) fn passed_deadline(&mut self) -> Option<End> {
        let now = Instant::now();
        if let Some(overdue) = self.deadlines.overdue(now, &self.config.wants_authentication) {
            overdue.reason().into_iter().for_each(|reason| self.config.metrics.refused(reason));
            return Some(self.first_end.take().unwrap_or(End::Overdue(overdue)));
        }
        let own = if self.phase == Phase::Serving { End::Shed } else { End::Drained };
        (self.deadline() <= now).then(|| self.first_end.take().unwrap_or(own))
    }
}
