//! The servers' clock, as far as entries with a lifetime show it.
//!
//! A reply dates a lifetime by the server's clock, and the machine has another one. An entry that a server still returns has not
//! expired there: the end of its lifetime is an upper bound of the server's time. The lowest of these bounds says until when
//! another entry certainly exists. It needs no clock of the host, and assumes no synchronisation with the servers. The first
//! entry that is read says nothing beyond the read itself, and the bound tightens with each entry that is read late in its
//! lifetime.

use core::time::Duration;

use crate::time::Instant;
use crate::wire::{LifetimeLeft, Metadata};

/// Microseconds in which the server's clock may gain one on the client's: twice what NTP corrects a clock by.
const DRIFT: i128 = 1_000;
/// Replies have whole seconds of a lifetime (Infinispan 16.0.7 cuts 4.5 s to 4).
const SECOND: i128 = 1_000_000;

/// Upper bound of the servers' time.
#[derive(Default)]
pub(in crate::cluster) struct ServerClock {
    bound: Option<Bound>,
}

/// At `at` the servers' clock was less than `ahead` microseconds ahead of the machine's.
#[derive(Clone, Copy)]
struct Bound {
    ahead: i128,
    at: Instant,
}

impl ServerClock {
    /// Learns from an entry that a server has returned to a read submitted at `asked`.
    pub(super) fn note_alive(&mut self, metadata: &Metadata, asked: Instant, now: Instant) {
        let lifetimes = || [metadata.lifespan, metadata.max_idle].into_iter().flatten();
        let Some(newest) = lifetimes().map(|left| start(&left)).max() else { return };
        if self.ahead(now).is_some_and(|ahead| micros(now) + ahead < newest) {
            // The servers' clock was set forward.
            self.bound = None;
        }
        let Some(end) = lifetimes().map(|left| end(&left) + SECOND).min() else { return };
        let ahead = end - micros(asked);
        if self.ahead(now).is_none_or(|known| ahead < known) {
            self.bound = Some(Bound { ahead, at: asked });
        }
    }

    /// Time until which the entry certainly exists on the server, if it is not changed; in the past where that is unknown.
    pub(super) fn lives_until(&self, metadata: &Metadata, now: Instant) -> Instant {
        let lifetimes = [metadata.lifespan, metadata.max_idle].into_iter().flatten();
        let Some(end) = lifetimes.map(|left| end(&left)).min() else { return Instant::from_micros(u64::MAX) };
        let Some(ahead) = self.ahead(now) else { return now };
        let left = end - micros(now) - ahead;
        now + Duration::from_micros(u64::try_from(left - left / DRIFT).unwrap_or_default())
    }

    fn ahead(&self, now: Instant) -> Option<i128> {
        self.bound.map(|bound| bound.ahead + micros(now.max(bound.at)).saturating_sub(micros(bound.at)) / DRIFT)
    }
}

fn micros(at: Instant) -> i128 {
    at.as_micros().into()
}

/// Start of a lifetime by the server's clock, in microseconds.
fn start(left: &LifetimeLeft) -> i128 {
    i128::from(left.since) * 1_000
}

/// End of a lifetime by the server's clock, in microseconds: the true one is less than a second later.
fn end(left: &LifetimeLeft) -> i128 {
    start(left) + i128::from(left.seconds) * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: u64 = 1_800_000_000_000;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    /// An entry that was written at a server's time of so many milliseconds.
    fn written(millis: u64, seconds: u32) -> Metadata {
        let lifespan = Some(LifetimeLeft { since: SERVER + millis, seconds });
        Metadata { version: 1, lifespan, max_idle: None }
    }

    /// Milliseconds that an entry is kept for.
    fn kept(clock: &ServerClock, metadata: &Metadata, now: u64) -> u64 {
        (clock.lives_until(metadata, at(now)) - at(now)).as_millis() as u64
    }

    #[test]
    fn an_entry_that_was_read_first_is_not_kept() {
        let mut clock = ServerClock::default();
        assert_eq!(kept(&clock, &written(0, 60), 1_000), 0);
        clock.note_alive(&written(0, 60), at(1_000), at(1_000));
        assert_eq!(kept(&clock, &written(0, 60), 1_000), 0);
        assert_eq!(clock.lives_until(&Metadata::default(), at(1_000)), Instant::from_micros(u64::MAX), "immortal");
    }

    /// The server's time is the machine's plus [`SERVER`].
    #[test]
    fn an_entry_that_is_read_late_tells_the_time() {
        let mut clock = ServerClock::default();
        clock.note_alive(&written(0, 4), at(3_900), at(3_910));
        // Uncertain are the 100 ms that were left, and the fraction of a second.
        let left = kept(&clock, &written(5_000, 60), 10_000);
        assert!((53_700..=53_900).contains(&left), "{left} of 55,000");
        // A bound that is weaker changes nothing.
        clock.note_alive(&written(9_000, 60), at(10_000), at(10_000));
        assert_eq!(kept(&clock, &written(5_000, 60), 10_000), left);
        // A day later the clocks may have gone apart.
        let left = kept(&clock, &written(86_400_000, 600), 86_400_000);
        assert!((500_000..=515_000).contains(&left), "{left} of 600,000");
    }

    #[test]
    fn a_maximum_idle_time_counts_from_the_last_access() {
        let mut clock = ServerClock::default();
        clock.note_alive(&written(0, 4), at(3_900), at(3_900));
        let max_idle = Some(LifetimeLeft { since: SERVER + 5_000, seconds: 10 });
        let left = kept(&clock, &Metadata { max_idle, ..written(0, 60) }, 5_000);
        assert!((8_800..=9_000).contains(&left), "{left} of 10,000");
    }

    #[test]
    fn a_clock_that_was_set_forward_is_noticed() {
        let mut clock = ServerClock::default();
        clock.note_alive(&written(0, 4), at(3_900), at(3_900));
        let newer = written(3_600_000, 60);
        clock.note_alive(&newer, at(5_000), at(5_000));
        assert_eq!(kept(&clock, &newer, 5_000), 0);
    }

    #[test]
    fn times_of_any_size_do_no_harm() {
        let mut clock = ServerClock::default();
        let lifespan = Some(LifetimeLeft { since: u64::MAX, seconds: u32::MAX });
        for metadata in [Metadata { lifespan, ..Metadata::default() }, written(0, 0)] {
            for now in [Instant::EPOCH, Instant::from_micros(u64::MAX)] {
                clock.note_alive(&metadata, now, now);
                clock.lives_until(&metadata, now);
            }
        }
    }
}
