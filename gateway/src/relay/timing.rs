//! Deadlines of a relay, and its own timeouts.

use std::time::Duration;

use tokio::time::Instant;

use super::{End, Relay};
use crate::budget::SHED_AFTER;

/// Time for which a draining session still reads requests. It ends as soon as none is in flight; one whose client pipelines
/// requests without a pause is not read any more after this time.
pub(super) const LAST_REQUESTS: Duration = Duration::from_secs(1);
/// Idle timeout of a session of which one side is at its end of file.
pub(super) const HALF_CLOSED: Duration = Duration::from_secs(10);

impl Relay<'_> {
    /// Time at which the session ends if no byte is moved before.
    pub(super) fn deadline(&self) -> Instant {
        let own = match self.first_end {
            Some(_) => Some(self.deadlines.moved_at() + HALF_CLOSED),
            None if self.is_stuck() => Some(self.deadlines.moved_at() + SHED_AFTER),
            None => None,
        };
        let next = self.deadlines.next();
        [own, self.reads_until].into_iter().flatten().fold(next, Instant::min)
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
        if self.reads_until.take_if(|until| *until <= now).is_some() {
            self.has_stopped_reading = true;
        }
        (self.deadline() <= now).then(|| self.first_end.take().unwrap_or(End::Shed))
    }
}
