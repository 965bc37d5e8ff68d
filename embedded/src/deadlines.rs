//! Deadlines of clients: for the first request, for the rest of one that has begun, and while idle.

use std::time::Duration;

use hotrod_core::time::Instant;

/// Minimum rate of an incomplete request, in bytes per second: its deadline grows by a second for each of these.
const BYTES_A_SECOND: u64 = 16 << 10;

/// Deadlines of clients. Each session of a link is measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadlines {
    /// Time for the first request of a link or session to arrive whole, and for each further one from its first byte to its
    /// last. Each 16 KiB of a request add a second. Default: `None`, unlimited.
    pub request: Option<Duration>,
    /// Idle timeout of a link or session: it ends after this time without Hot Rod traffic; HTTP/2 PING does not count.
    /// Default: `None`, unlimited.
    pub idle: Option<Duration>,
}

/// The deadline that a client missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Late {
    /// No complete request arrived.
    #[error("has not sent a whole request in time")]
    First,
    /// The rest of a request did not arrive.
    #[error("has not sent the rest of a request in time")]
    Rest,
    /// No Hot Rod traffic in either direction.
    #[error("has been idle for too long")]
    Idle,
}

/// Traffic of a link, of a session, or of a request in fragments. Counts are totals since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Activity {
    /// Complete requests.
    pub(crate) requests: u64,
    /// Whether a part of a further request has arrived.
    pub(crate) is_partial: bool,
    /// Whether the node reads nothing from it at present. Its deadlines for requests stop meanwhile.
    pub(crate) is_held: bool,
    /// Bytes of Hot Rod received.
    pub(crate) received: u64,
    /// Bytes of Hot Rod sent.
    pub(crate) sent: u64,
}

impl Activity {
    /// Adds the traffic of another session of the same link.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            received: self.received + other.received,
            sent: self.sent + other.sent,
            ..self
        }
    }
}

/// Compares the traffic of a link, session or request with its deadlines.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    last: Activity,
    /// Start of the wait for a request, and the bytes received until then.
    waits: Option<(Instant, u64)>,
    active: Option<Instant>,
}

impl Progress {
    /// Returns the deadline that has passed, if any.
    pub(crate) fn check(&mut self, deadlines: Deadlines, now: Instant, activity: Activity) -> Option<Late> {
        let is_new = activity.requests != self.last.requests;
        if is_new || (activity.received, activity.sent) != (self.last.received, self.last.sent) {
            self.active = Some(now);
        }
        self.last = activity;
        let waits = activity.requests == 0 || activity.is_partial;
        if is_new || !waits || activity.is_held {
            self.waits = None;
        }
        if waits && !activity.is_held {
            let (since, before) = *self.waits.get_or_insert((now, activity.received));
            let more = Duration::from_secs((activity.received - before) / BYTES_A_SECOND);
            if deadlines.request.is_some_and(|time| now.since(since) > time + more) {
                return Some(if activity.requests == 0 { Late::First } else { Late::Rest });
            }
        }
        let active = *self.active.get_or_insert(now);
        deadlines.idle.filter(|time| now.since(active) > *time).map(|_| Late::Idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINES: Deadlines =
        Deadlines { request: Some(Duration::from_secs(10)), idle: Some(Duration::from_secs(100)) };

    fn at(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    fn after(looks: &[(u64, Activity)]) -> Option<Late> {
        let mut progress = Progress::default();
        looks.iter().find_map(|(second, activity)| progress.check(DEADLINES, at(*second), *activity))
    }

    fn received(received: u64) -> Activity {
        Activity { received, ..Activity::default() }
    }

    #[test]
    fn the_first_request_is_waited_for_from_the_beginning() {
        assert_eq!(after(&[(0, received(0)), (9, received(1)), (11, received(2))]), Some(Late::First));
        assert_eq!(
            after(&[
                (0, received(0)),
                (9, Activity { requests: 1, ..received(9) }),
                (50, Activity { requests: 1, ..received(9) })
            ]),
            None
        );
    }

    #[test]
    fn a_request_that_goes_on_fast_enough_may_take_long() {
        let fast = |second: u64| (second, received(second * BYTES_A_SECOND));
        assert_eq!(after(&(0..1000).map(fast).collect::<Vec<_>>()), None);
        let slow = |second: u64| (second, received(second * BYTES_A_SECOND / 2));
        assert_eq!(after(&(0..1000).map(slow).collect::<Vec<_>>()), Some(Late::First));
    }

    #[test]
    fn the_rest_of_a_request_is_waited_for_but_not_while_nothing_is_read() {
        let partial = |received| Activity { requests: 7, is_partial: true, received, ..Activity::default() };
        assert_eq!(after(&[(0, partial(10)), (9, partial(11)), (11, partial(12))]), Some(Late::Rest));
        let held = Activity { is_held: true, ..partial(10) };
        assert_eq!(after(&[(0, partial(10)), (9, held), (15, held), (16, partial(11)), (25, partial(12))]), None);
    }

    #[test]
    fn what_neither_gets_nor_sends_anything_is_idle() {
        let activity = |sent| Activity { requests: 1, sent, ..Activity::default() };
        assert_eq!(after(&[(0, activity(0)), (90, activity(1)), (180, activity(1))]), None);
        assert_eq!(after(&[(0, activity(0)), (90, activity(1)), (191, activity(1))]), Some(Late::Idle));
    }
}
