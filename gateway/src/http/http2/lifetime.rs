//! The end of a link: deadlines, drain, and close.

use std::time::Duration;

use hotrod_core::http2::{ErrorCode, StreamId};
use tokio::time::Instant as Clock;

use super::Server;
use crate::config;
use crate::connection::REFUSAL_TIMEOUT;
use crate::deadlines::Overdue;
use crate::drain::Phase;
use crate::http::context::LinkContext;
use crate::http::session::Session;

/// Interval between two checks of the deadlines of a link and its sessions.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Time after the drain timeout in which new calls are rejected with an error that has the client try another server.
const CUT_SESSION: Duration = Duration::from_millis(300);
/// Time limit for a client to receive the last output of a closed link.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

impl Server<'_> {
    /// Ends sessions that have missed a deadline, and the link if it has had no session for too long. Frames of no session,
    /// such as PING, prolong neither.
    pub(super) fn check_deadlines(&mut self) {
        let (now, source) = (Clock::now(), self.context.source);
        if now < self.check_at {
            return;
        }
        self.check_at = now + CHECK_INTERVAL;
        let mut ended = Vec::new();
        for (stream, session) in &mut self.sessions {
            if let Some(overdue) = session.end_overdue(&mut self.machine, now) {
                overdue.reason().into_iter().for_each(|reason| self.shared.metrics.refused(reason));
                tracing::info!(client = %source.address(), stream = stream.value(), reason = %overdue, "session ended");
                ended.push(*stream);
            }
        }
        ended.into_iter().for_each(|stream| self.remove(stream));
        if self.sessions.is_empty() && now >= self.empty_since + self.empty_timeout && self.end_reason.is_none() {
            let is_unused = self.empty_timeout < self.times.idle;
            if is_unused {
                self.shared.metrics.refused("first_request");
            }
            let unused = "no session for too long (handshake-timeout, authentication-timeout)".to_string();
            self.machine.close(ErrorCode::NO_ERROR, b"idle");
            self.end(if is_unused { unused } else { Overdue::Idle.to_string() });
        }
    }

    /// Extends the idle timeout of a link without a session: to the idle timeout of sessions if one was authenticated, else
    /// to the authentication timeout.
    pub(super) fn extend_empty_timeout(&mut self, is_authenticated: bool) {
        let is_authenticated = is_authenticated || !self.shared.wants_authentication();
        let idle = self.times.idle;
        let timeout = if is_authenticated { idle } else { self.times.authentication.min(idle) };
        self.empty_timeout = self.empty_timeout.max(timeout);
    }

    /// Ends the link once the machine's output is sent. The first reason counts.
    pub(super) fn end(&mut self, reason: String) {
        self.end_reason.get_or_insert(reason);
        self.close_at.get_or_insert(Clock::now() + CLOSE_TIMEOUT);
    }

    /// Drains the link, or cuts its sessions off.
    pub(super) fn enter_phase(&mut self, phase: Phase) {
        self.phase = phase;
        let now = self.now();
        match phase {
            Phase::Serving => {}
            Phase::Draining => {
                let grace = self.shared.config.drain_timeout.as_millis();
                self.machine.drain(now, u32::try_from(grace).unwrap_or(u32::MAX));
            }
            Phase::Closing => {
                let streams: Vec<StreamId> = self.sessions.keys().copied().collect();
                for stream in streams {
                    if !self.with(stream, Session::cut).unwrap_or(true) {
                        self.remove(stream);
                    }
                }
                self.sessions_end_at = Some(Clock::now() + CUT_SESSION);
                self.close_if_done();
            }
        }
    }

    /// Ends sessions some time after they were cut off, and then the link.
    pub(super) fn end_cut_sessions(&mut self) {
        if self.sessions_end_at.is_some_and(|at| at <= Clock::now()) {
            self.sessions_end_at = None;
            let machine = &mut self.machine;
            let ended =
                self.sessions.iter_mut().filter_map(|(stream, session)| session.end(machine).then_some(*stream));
            let ended: Vec<StreamId> = ended.collect();
            ended.into_iter().for_each(|stream| self.remove(stream));
            self.close_if_done();
        }
    }

    /// Closes the link if its last session has been cut off and has ended.
    pub(super) fn close_if_done(&mut self) {
        if self.phase == Phase::Closing && self.sessions.is_empty() {
            self.machine.close(ErrorCode::NO_ERROR, b"the grace is over");
            self.end("cut off at the end of the grace".into());
        }
    }
}

/// Time limit for a link's first session.
pub(super) fn first_session_timeout(limits: &config::Limits, context: &LinkContext<'_>) -> Duration {
    let timeout = limits.handshake_timeout.min(limits.idle_timeout);
    if context.over_limit.is_some() { timeout.min(REFUSAL_TIMEOUT) } else { timeout }
}
