//! Deadlines of a session: its first request, its authentication, the end of each request once begun, and idle time.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::config;

/// Bytes of a first request at which its member is connected even if it is not whole.
pub(crate) const FIRST_REQUEST: u64 = 64 << 10;

/// Timeouts of the settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// Time limit for the first request; and for each request, beside the time of its bytes at the minimum rate.
    pub(crate) handshake: Duration,
    pub(crate) authentication: Duration,
    pub(crate) idle: Duration,
    /// Minimum rate at which a request is received, in bytes per second.
    pub(crate) min_rate: usize,
}

impl Times {
    pub(crate) fn of(limits: &config::Limits) -> Self {
        Self {
            handshake: limits.handshake_timeout,
            authentication: limits.authentication_timeout,
            idle: limits.idle_timeout,
            min_rate: limits.min_request_rate,
        }
    }
}

/// A deadline that has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// No whole request was received.
    FirstRequest,
    /// The member has neither accepted credentials nor executed an operation.
    Authentication,
    /// A request is slower than the minimum rate.
    Request,
    /// No byte was sent by either side.
    Idle,
}

impl Overdue {
    /// Label of the metric `refusals`; `None` for an idle session.
    pub(crate) fn reason(self) -> Option<&'static str> {
        match self {
            Self::FirstRequest => Some("first_request"),
            Self::Authentication => Some("authentication"),
            Self::Request => Some("slow_request"),
            Self::Idle => None,
        }
    }
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstRequest => "no whole request in time (handshake-timeout)",
            Self::Authentication => "not authenticated in time (authentication-timeout)",
            Self::Request => "a request came too slowly (min-request-rate, handshake-timeout)",
            Self::Idle => "idle for too long (idle-timeout)",
        })
    }
}

/// What a session has done so far, as its deadlines see it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Whole requests that have come.
    pub(crate) whole: u64,
    /// A request has begun to come, and the gateway waits for its rest: nothing on this side holds it up.
    pub(crate) is_waiting: bool,
    pub(crate) is_authenticated: bool,
}

/// When a session is over unless it goes on.
#[derive(Debug)]
pub(crate) struct Deadlines {
    times: Times,
    begun: Instant,
    moved: Instant,
    /// Bytes received from the client.
    received: u64,
    is_used: bool,
    is_authenticated: bool,
    request: Option<PartialRequest>,
}

/// A request that is received in part.
#[derive(Debug, Clone, Copy)]
struct PartialRequest {
    since: Instant,
    /// Bytes received since then.
    bytes: u64,
    /// Number of whole requests before it.
    whole: u64,
}

impl PartialRequest {
    fn deadline(&self, times: &Times) -> Instant {
        // A rate of 0 counts as one byte per second.
        self.since + times.handshake + Duration::from_secs(self.bytes / times.min_rate.max(1) as u64)
    }
}

impl Deadlines {
    /// Deadlines of a session that begins at `now`.
    pub(crate) fn new(times: Times, now: Instant) -> Self {
        Self { times, begun: now, moved: now, received: 0, is_used: false, is_authenticated: false, request: None }
    }

    /// Counts bytes received from the client.
    pub(crate) fn received(&mut self, count: usize) {
        self.received += count as u64;
        if let Some(request) = &mut self.request {
            request.bytes += count as u64;
        }
    }

    /// Notes the time of bytes sent to either side.
    pub(crate) fn note_move(&mut self, now: Instant) {
        self.moved = now;
    }

    /// Time of the last byte sent to either side.
    pub(crate) fn moved_at(&self) -> Instant {
        self.moved
    }

    /// Takes what the session has done until now. Reads the clock only when a request starts.
    pub(crate) fn update(&mut self, progress: Progress, now: impl FnOnce() -> Instant) {
        self.is_used |= progress.whole > 0 || self.received >= FIRST_REQUEST;
        self.is_authenticated |= progress.is_authenticated;
        let is_same = |request: &PartialRequest| request.whole == progress.whole;
        if !progress.is_waiting {
            self.request = None;
        } else if !self.request.as_ref().is_some_and(is_same) {
            self.request = Some(PartialRequest { since: now(), bytes: 0, whole: progress.whole });
        }
    }

    /// Time of the next deadline, at which [`overdue`](Self::overdue) has to be called.
    pub(crate) fn next(&self) -> Instant {
        let first = (!self.is_used).then(|| self.begun + self.times.handshake);
        let authentication = (!self.is_authenticated).then(|| self.begun + self.times.authentication);
        let request = self.request.map(|request| request.deadline(&self.times));
        let deadlines = [first, authentication, request].into_iter().flatten();
        deadlines.fold(self.moved + self.times.idle, Instant::min)
    }

    /// The deadline that has passed. Calls `wants_authentication`, whether the cluster wants it, only if that decides.
    pub(crate) fn overdue(&mut self, now: Instant, wants_authentication: impl FnOnce() -> bool) -> Option<Overdue> {
        if now >= self.moved + self.times.idle {
            return Some(Overdue::Idle);
        }
        if !self.is_used && now >= self.begun + self.times.handshake {
            return Some(Overdue::FirstRequest);
        }
        if self.request.is_some_and(|request| now >= request.deadline(&self.times)) {
            return Some(Overdue::Request);
        }
        if !self.is_authenticated && now >= self.begun + self.times.authentication {
            // Without authentication in the cluster the deadline does not apply.
            self.is_authenticated = !wants_authentication();
            return (!self.is_authenticated).then_some(Overdue::Authentication);
        }
        None
    }
}

/// Deadlines of the calls of a session in Hot Rod frames.
#[derive(Debug, Default)]
pub(crate) struct CallDeadlines(BTreeMap<u32, PartialRequest>);

impl CallDeadlines {
    /// Counts a received fragment.
    pub(crate) fn fragment(&mut self, call: u32, bytes: usize, is_last: bool, now: Instant) {
        if is_last {
            self.0.remove(&call);
        } else {
            self.0.entry(call).or_insert(PartialRequest { since: now, bytes: 0, whole: 0 }).bytes += bytes as u64;
        }
    }

    /// Removes a cancelled call.
    pub(crate) fn ended(&mut self, call: u32) {
        self.0.remove(&call);
    }

    /// Whether a call has missed its deadline. `waits` returns whether the client of an incomplete call has credit to continue
    /// it; `None` if the call has ended.
    pub(crate) fn is_overdue(&mut self, times: &Times, now: Instant, waits: impl Fn(u32) -> Option<bool>) -> bool {
        self.0.retain(|call, request| match waits(*call) {
            Some(true) => true,
            Some(false) => {
                // Time in which the client has no credit does not count.
                *request = PartialRequest { since: now, bytes: 0, whole: 0 };
                true
            }
            None => false,
        });
        self.0.values().any(|request| now >= request.deadline(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const TIMES: Times = Times {
        handshake: Duration::from_secs(10),
        authentication: Duration::from_secs(30),
        idle: Duration::from_secs(3600),
        min_rate: 1024,
    };

    const WAITING: Progress = Progress { whole: 0, is_waiting: true, is_authenticated: false };

    fn wanted(deadlines: &mut Deadlines) -> Option<Overdue> {
        deadlines.overdue(Instant::now(), || true)
    }

    async fn pass(seconds: u64) {
        advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_says_nothing_ends_at_the_first_deadline() {
        let mut deadlines = Deadlines::new(TIMES, Instant::now());
        assert_eq!(deadlines.next(), Instant::now() + TIMES.handshake);
        pass(9).await;
        assert_eq!(wanted(&mut deadlines), None);
        pass(1).await;
        assert_eq!(wanted(&mut deadlines), Some(Overdue::FirstRequest));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_without_a_whole_request_do_not_move_the_first_deadline() {
        let mut deadlines = Deadlines::new(TIMES, Instant::now());
        for _ in 0..9 {
            pass(1).await;
            deadlines.received(1);
            deadlines.note_move(Instant::now());
            deadlines.update(WAITING, Instant::now);
            assert_eq!(wanted(&mut deadlines), None);
        }
        pass(1).await;
        assert_eq!(wanted(&mut deadlines), Some(Overdue::FirstRequest));
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_first_request_has_to_keep_to_the_rate_and_no_more() {
        let mut deadlines = Deadlines::new(TIMES, Instant::now());
        deadlines.received(1);
        deadlines.update(WAITING, Instant::now);
        for _ in 0..25 {
            pass(1).await;
            deadlines.received(8 << 10);
            deadlines.update(WAITING, Instant::now);
            assert_eq!(wanted(&mut deadlines), None);
        }
        // 200 KiB have come: ten seconds and 200 more since its beginning.
        deadlines.update(Progress { is_authenticated: true, ..WAITING }, Instant::now);
        pass(184).await;
        assert_eq!(wanted(&mut deadlines), None);
        pass(1).await;
        assert_eq!(wanted(&mut deadlines), Some(Overdue::Request));
    }

    #[tokio::test(start_paused = true)]
    async fn each_request_has_its_own_deadline_and_none_while_this_side_holds_it_up() {
        let mut deadlines = Deadlines::new(TIMES, Instant::now());
        let progress = |whole, is_waiting| Progress { whole, is_waiting, is_authenticated: true };
        for whole in 1..10 {
            deadlines.update(progress(whole, true), Instant::now);
            pass(9).await;
            deadlines.received(1);
            assert_eq!(wanted(&mut deadlines), None);
        }
        deadlines.update(progress(9, false), Instant::now);
        pass(1000).await;
        assert_eq!(wanted(&mut deadlines), None);
        deadlines.update(progress(9, true), Instant::now);
        pass(10).await;
        assert_eq!(wanted(&mut deadlines), Some(Overdue::Request));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_authenticated_ends_where_the_cluster_wants_it() {
        for (wants, is_authenticated, overdue) in
            [(true, false, Some(Overdue::Authentication)), (true, true, None), (false, false, None)]
        {
            let mut deadlines = Deadlines::new(TIMES, Instant::now());
            deadlines.update(Progress { whole: 1, is_waiting: false, is_authenticated }, Instant::now);
            pass(29).await;
            assert_eq!(deadlines.overdue(Instant::now(), || wants), None);
            pass(1).await;
            assert_eq!(deadlines.overdue(Instant::now(), || wants), overdue);
            assert!(overdue.is_some() || deadlines.next() > Instant::now(), "it is not asked again and again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_let_in_is_idle_after_its_time() {
        let mut deadlines = Deadlines::new(TIMES, Instant::now());
        deadlines.update(Progress { whole: 1, is_waiting: false, is_authenticated: true }, Instant::now);
        pass(3599).await;
        deadlines.note_move(Instant::now());
        pass(3599).await;
        assert_eq!(wanted(&mut deadlines), None);
        pass(1).await;
        assert_eq!(wanted(&mut deadlines), Some(Overdue::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_calls_the_slowest_counts() {
        let mut calls = CallDeadlines::default();
        calls.fragment(1, 1, false, Instant::now());
        pass(5).await;
        calls.fragment(2, 1, false, Instant::now());
        calls.fragment(1, 1, true, Instant::now());
        calls.fragment(3, 1, true, Instant::now());
        pass(9).await;
        assert!(!calls.is_overdue(&TIMES, Instant::now(), |_| Some(true)));
        pass(1).await;
        assert!(calls.is_overdue(&TIMES, Instant::now(), |_| Some(true)));
        assert!(!calls.is_overdue(&TIMES, Instant::now(), |_| Some(false)), "its client may not send more");
        pass(9).await;
        assert!(!calls.is_overdue(&TIMES, Instant::now(), |_| Some(true)));
        pass(1).await;
        assert!(!calls.is_overdue(&TIMES, Instant::now(), |_| None), "it is over");
    }
}
