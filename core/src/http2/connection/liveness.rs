//! Timeouts: settings, and keep-alive.

use core::time::Duration;

use super::{Connection, Role};
use crate::http2::config::{Config, KeepAlive};
use crate::http2::event::Reason;
use crate::http2::frame::put_ping;
use crate::http2::{ErrorCode, StreamId};
use crate::time::Instant;

/// Deadlines for frames that the peer must send.
#[derive(Debug)]
pub(super) struct Liveness {
    /// Deadline for SETTINGS and their acknowledgement.
    settings_deadline: Option<Instant>,
    has_peer_settings: bool,
    is_acknowledged: bool,
    keep_alive: Option<KeepAlive>,
    last_received: Instant,
    /// Last PING without a reply.
    ping: Option<Ping>,
    next_ping: u64,
    round_trip: Option<Duration>,
    shortest_round_trip: Option<Duration>,
    /// Time at which SETTINGS were sent.
    started: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Ping {
    opaque: u64,
    sent: Instant,
    /// Whether a missing reply ends the connection.
    is_probe: bool,
}

impl Liveness {
    pub(super) fn new(config: &Config, now: Instant) -> Self {
        Self {
            settings_deadline: Some(now + config.settings_timeout),
            has_peer_settings: false,
            is_acknowledged: false,
            keep_alive: config.keep_alive,
            last_received: now,
            ping: None,
            next_ping: 1,
            round_trip: None,
            shortest_round_trip: None,
            started: now,
        }
    }

    pub(super) fn received(&mut self, now: Instant) {
        self.last_received = now;
    }

    pub(super) fn peer_settings_received(&mut self) {
        self.has_peer_settings = true;
        self.settle();
    }

    /// Returns whether an acknowledgement was outstanding.
    pub(super) fn settings_acknowledged(&mut self, now: Instant) -> bool {
        let was_acknowledged = core::mem::replace(&mut self.is_acknowledged, true);
        self.record_round_trip(now - self.started);
        self.settle();
        !was_acknowledged
    }

    fn settle(&mut self) {
        if self.has_peer_settings && self.is_acknowledged {
            self.settings_deadline = None;
        }
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    pub(super) fn ping_answered(&mut self, now: Instant, opaque: u64) {
        if let Some(Ping { sent, .. }) = self.ping.take_if(|ping| ping.opaque == opaque) {
            self.round_trip = Some(now - sent);
            self.record_round_trip(now - sent);
        }
    }

    fn record_round_trip(&mut self, took: Duration) {
        self.shortest_round_trip = Some(self.shortest_round_trip.map_or(took, |shortest| shortest.min(took)));
    }

    pub(super) fn shortest_round_trip(&self) -> Option<Duration> {
        self.shortest_round_trip
    }

    fn settings_deadline(&self) -> Option<Instant> {
        self.settings_deadline
    }

    /// Time at which to send a PING, or to end the connection after one.
    fn keep_alive_deadline(&self) -> Option<Instant> {
        let KeepAlive { interval, timeout } = self.keep_alive?;
        Some(match self.ping.filter(|ping| ping.is_probe) {
            None => self.last_received + interval,
            // Any received byte proves that the peer is alive: a reply may be queued behind other frames.
            Some(Ping { sent, .. }) => self.last_received.max(sent) + timeout,
        })
    }
}

impl Connection {
    /// Sends a PING, unless one is outstanding; the result is in [`round_trip`](Self::round_trip).
    pub fn ping(&mut self, now: Instant) {
        self.now = now;
        if !self.is_closed && self.liveness.ping.is_none() {
            self.send_ping(false);
        }
    }

    fn send_ping(&mut self, is_probe: bool) {
        let opaque = self.liveness.next_ping;
        self.liveness.next_ping += 1;
        self.liveness.ping = Some(Ping { opaque, sent: self.now, is_probe });
        put_ping(&mut self.output.buffer, false, opaque);
    }

    /// Deadline for the next call of [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_closed {
            return None;
        }
        let deadlines = [self.liveness.settings_deadline(), self.liveness.keep_alive_deadline(), self.drain_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Handles expired deadlines; early and late calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed {
            return;
        }
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| now >= deadline);
        if is_over(self.liveness.settings_deadline()) {
            return self.give_up(ErrorCode::SETTINGS_TIMEOUT, Reason::SettingsTimeout);
        }
        if is_over(self.liveness.keep_alive_deadline()) {
            if !self.wants_read() {
                // The host reads nothing, so the peer is not idle.
                self.liveness.received(now);
            } else if self.liveness.ping.is_some_and(|ping| ping.is_probe) {
                return self.give_up(ErrorCode::NO_ERROR, Reason::KeepAliveTimeout);
            } else {
                self.send_ping(true);
            }
        }
        if is_over(self.drain_deadline()) {
            self.finish_drain();
        }
    }

    fn give_up(&mut self, code: ErrorCode, reason: Reason) {
        self.send_goaway(code, b"");
        self.end(reason);
    }

    /// Last stream to name in GOAWAY: higher ones were never accepted and can be retried elsewhere.
    pub(super) fn last_stream(&self) -> StreamId {
        match self.role {
            // Servers open no streams.
            Role::Client => StreamId::CONNECTION,
            Role::Server => self.streams.highest(),
        }
    }
}
