//! How long clients may take: for their first request, for the rest of one that they have begun, and with nothing.

use std::time::Duration;

use hotrod_core::time::Instant;

/// Bytes of a request that is not all here, by each of which its time grows by a second: the least rate at which one comes.
const BYTES_A_SECOND: u64 = 16 << 10;

/// How long clients may take. Sessions that a link carries are measured each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadlines {
    /// For the first request of a link, and of a session, to be there whole; and for each further one from its first byte to
    /// its last. For every 16 KiB of it there is a second more. Default: `None`, without end.
    pub request: Option<Duration>,
    /// A link, or a session, on which nothing of Hot Rod came or went for so long ends: PING of HTTP/2 does not count.
    /// Default: `None`, never.
    pub idle: Option<Duration>,
}

/// What a client took too long for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Late {
    /// It has sent no whole request.
    #[error("has not sent a whole request in time")]
    First,
    /// It has begun one.
    #[error("has not sent the rest of a request in time")]
    Rest,
    /// Nothing came and nothing went.
    #[error("has been idle for too long")]
    Idle,
}

/// A link, a session, or a request in fragments, as it is at a moment. Counts are since its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Requests that were there whole.
    pub(crate) requests: u64,
    /// Whether there is some of a further one.
    pub(crate) is_partial: bool,
    /// Whether nothing is read from it at present: it can't go on then.
    pub(crate) is_held: bool,
    /// Bytes of Hot Rod that were received.
    pub(crate) received: u64,
    /// Those that were sent.
    pub(crate) sent: u64,
}

impl Seen {
    /// All sessions of a link together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            received: self.received + other.received,
            sent: self.sent + other.sent,
            ..self
        }
    }
}

/// Measures one against its deadlines.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    last: Seen,
    /// Since when a request is waited for, and what had been received then.
    waits: Option<(Instant, u64)>,
    active: Option<Instant>,
}

impl Progress {
    /// What took too long, by now.
    pub(crate) fn look(&mut self, deadlines: Deadlines, now: Instant, seen: Seen) -> Option<Late> {
        let is_new = seen.requests != self.last.requests;
        if is_new || (seen.received, seen.sent) != (self.last.received, self.last.sent) {
            self.active = Some(now);
        }
        self.last = seen;
        let waits = seen.requests == 0 || seen.is_partial;
        if is_new || !waits || seen.is_held {
            self.waits = None;
        }
        if waits && !seen.is_held {
            let (since, before) = *self.waits.get_or_insert((now, seen.received));
            let more = Duration::from_secs((seen.received - before) / BYTES_A_SECOND);
            if deadlines.request.is_some_and(|time| now.since(since) > time + more) {
                return Some(if seen.requests == 0 { Late::First } else { Late::Rest });
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

    fn after(looks: &[(u64, Seen)]) -> Option<Late> {
        let mut progress = Progress::default();
        looks.iter().find_map(|(second, seen)| progress.look(DEADLINES, at(*second), *seen))
    }

    fn received(received: u64) -> Seen {
        Seen { received, ..Seen::default() }
    }

    #[test]
    fn the_first_request_is_waited_for_from_the_beginning() {
        assert_eq!(after(&[(0, received(0)), (9, received(1)), (11, received(2))]), Some(Late::First));
        assert_eq!(
            after(&[
                (0, received(0)),
                (9, Seen { requests: 1, ..received(9) }),
                (50, Seen { requests: 1, ..received(9) })
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
        let partial = |received| Seen { requests: 7, is_partial: true, received, ..Seen::default() };
        assert_eq!(after(&[(0, partial(10)), (9, partial(11)), (11, partial(12))]), Some(Late::Rest));
        let held = Seen { is_held: true, ..partial(10) };
        assert_eq!(after(&[(0, partial(10)), (9, held), (15, held), (16, partial(11)), (25, partial(12))]), None);
    }

    #[test]
    fn what_neither_gets_nor_sends_anything_is_idle() {
        let seen = |sent| Seen { requests: 1, sent, ..Seen::default() };
        assert_eq!(after(&[(0, seen(0)), (90, seen(1)), (180, seen(1))]), None);
        assert_eq!(after(&[(0, seen(0)), (90, seen(1)), (191, seen(1))]), Some(Late::Idle));
    }
}
