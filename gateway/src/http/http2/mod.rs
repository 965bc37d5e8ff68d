//! Serves a client's HTTP/2 link: the machine, the socket, and the sessions on its streams, all in one task.

mod io;
mod lifetime;
mod memory;
mod requests;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::time::Duration;

use bytes::BytesMut;
use hotrod_core::carriage::{Offer, ServerConfig, ServerLink};
use hotrod_core::http2::{self, Settings, StreamId};
use hotrod_core::time::Instant;
use tokio::io::DuplexStream;
use tokio::time::{Instant as Clock, sleep_until};

use self::lifetime::{CHECK_INTERVAL, first_session_timeout};
use self::memory::ReceiveLimits;
use super::Link;
use super::context::LinkContext;
use super::session::{Outcome, Session};
use crate::budget::{HTTP2, HTTP2_COVERED, LinkBudget, Reservation};
use crate::connection::ConnectionEnd;
use crate::deadlines::Times;
use crate::drain::Phase;
use crate::gateway::Shared;

/// Message size above which clients should use another session, because a member answers one request after the other. A
/// message of one frame delays no other.
const LANE_THRESHOLD: u32 = 16_000;
/// Upper bound on the bytes queued for a client; above it neither the client nor a member is read.
pub(super) const MAX_UNSENT: usize = 256 << 10;

/// Serves a client that speaks HTTP/2. `first` has the bytes that were read before.
pub(super) async fn serve(
    shared: &Shared,
    stream: &mut impl Link,
    first: BytesMut,
    context: LinkContext<'_>,
) -> ConnectionEnd {
    let _machine = match context.budget.reserve(HTTP2) {
        Ok(machine) => machine,
        Err(why) => {
            shared.metrics.refused("memory");
            return ConnectionEnd::early(why);
        }
    };
    let mut server = Server::new(shared, context);
    server.machine.receive_buffer().extend_from_slice(&first);
    server.machine.handle_filled(server.now());
    let reason = server.run(stream).await;
    server.count_open();
    ConnectionEnd { member: None, to_member: server.to_member, to_client: server.to_client, reason }
}

/// Serves the link within a tunnel.
pub(super) fn serve_inner<'a>(
    shared: &'a Shared,
    mut far: DuplexStream,
    context: LinkContext<'a>,
) -> Pin<Box<dyn Future<Output = ConnectionEnd> + Send + 'a>> {
    Box::pin(async move { serve(shared, &mut far, BytesMut::new(), context).await })
}

struct Server<'a> {
    shared: &'a Shared,
    budget: &'a LinkBudget,
    context: LinkContext<'a>,
    times: Times,
    machine: ServerLink,
    sessions: BTreeMap<StreamId, Session<'a>>,
    /// Bytes of queued requests, of all sessions.
    queued: usize,
    receive_limits: ReceiveLimits,
    /// Whether the client has received the limits after authentication.
    is_grown: bool,
    /// Whether reading is suspended for want of memory.
    is_starved: bool,
    /// Time zero of the machine.
    epoch: Clock,
    /// Time of the last byte read or written.
    moved_at: Clock,
    /// Time of the next check of the deadlines; other events do not move it.
    check_at: Clock,
    /// Time since which the link has had neither a session nor a request.
    empty_since: Clock,
    /// Idle timeout of a link without a session; see [`extend_empty_timeout`](Self::extend_empty_timeout).
    empty_timeout: Duration,
    held: Reservation,
    phase: Phase,
    /// Time at which sessions end that have been cut off.
    sessions_end_at: Option<Clock>,
    /// Reason for the end of the link, once the machine is closed.
    end_reason: Option<String>,
    /// Time at which the link ends even if the machine's last output is not sent.
    close_at: Option<Clock>,
    /// Whether the link ends without sending the machine's last output.
    ends_at_once: bool,
    to_member: u64,
    to_client: u64,
}

impl<'a> Server<'a> {
    fn new(shared: &'a Shared, context: LinkContext<'a>) -> Self {
        let budget = context.budget;
        let limits = &shared.config.limits;
        let settings = Settings {
            max_concurrent_streams: Some(u32::try_from(limits.tunnels).unwrap_or(u32::MAX)),
            max_header_list_size: Some(u32::try_from(limits.header).unwrap_or(u32::MAX)),
            initial_window_size: u32::try_from(limits.buffer).unwrap_or(u32::MAX).clamp(16 << 10, 1 << 30),
            ..http2::Config::default().settings
        };
        let receive_limits = if budget.is_admitted() {
            ReceiveLimits::after_authentication(budget, limits.tunnels)
        } else {
            ReceiveLimits::BEFORE_AUTHENTICATION
        };
        let mut http2 = http2::Config::default();
        http2.settings = settings;
        http2.settings_timeout = limits.handshake_timeout;
        http2.connection_window = receive_limits.window;
        let connection_credit = receive_limits.credit as u32;
        let max_message_size = u32::try_from(limits.request).unwrap_or(u32::MAX).min(i32::MAX as u32);
        let frames =
            Some(Offer { lane_threshold: LANE_THRESHOLD, connection_credit, max_message_size, ..Offer::default() });
        let mut config = ServerConfig::default();
        config.frames = frames;
        config.max_call_credit = receive_limits.call;
        config.http2 = http2;
        let now = Clock::now();
        Self {
            machine: ServerLink::new(config, Instant::EPOCH),
            shared,
            budget,
            times: Times::of(limits),
            empty_timeout: first_session_timeout(limits, &context),
            context,
            sessions: BTreeMap::new(),
            queued: 0,
            receive_limits,
            is_grown: budget.is_admitted(),
            is_starved: false,
            epoch: now,
            moved_at: now,
            check_at: now + CHECK_INTERVAL,
            empty_since: now,
            held: budget.account(HTTP2_COVERED),
            phase: Phase::Serving,
            sessions_end_at: None,
            end_reason: None,
            close_at: None,
            ends_at_once: false,
            to_member: 0,
            to_client: 0,
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Time of the next timeout.
    fn alarm(&self) -> Clock {
        let wanted = self.machine.poll_timeout().map(|at| self.epoch + Duration::from_micros(at.as_micros()));
        wanted.into_iter().chain(self.sessions_end_at).chain(self.close_at).fold(self.check_at, Clock::min)
    }

    async fn run(&mut self, stream: &mut impl Link) -> String {
        let budget = self.budget;
        let mut drain = self.shared.drain.clone();
        let mut topologies = self.shared.topologies.subscribe();
        let mut members = self.shared.membership.subscribe();
        loop {
            let (alarm, phase) = (self.alarm(), self.phase);
            tokio::select! {
                reason = poll_fn(|cx| self.poll(stream, cx)) => if let Some(reason) = reason {
                    return reason;
                },
                () = budget.wait_for_room(), if self.is_starved => self.is_starved = false,
                () = sleep_until(alarm) => {
                    self.machine.handle_timeout(self.now());
                    self.shed_if_stuck();
                    self.check_deadlines();
                    self.end_cut_sessions();
                    if self.close_at.is_some_and(|close_at| close_at <= Clock::now()) {
                        return self.end_reason.take().unwrap_or_default();
                    }
                }
                phase = drain.beyond(phase) => self.enter_phase(phase),
                Ok(view) = topologies.recv() => {
                    self.sessions.values_mut().for_each(|session| session.send_topology(&view, &mut self.machine));
                }
                Ok(()) = members.changed() => {
                    self.sessions.values_mut().for_each(|session| session.send_node(&mut self.machine));
                }
            }
        }
    }

    /// Applies `act` to a session, and keeps the count of queued bytes.
    fn with<T>(&mut self, stream: StreamId, act: impl FnOnce(&mut Session<'a>, &mut ServerLink) -> T) -> Option<T> {
        let session = self.sessions.get_mut(&stream)?;
        let before = session.queued_bytes();
        let result = act(session, &mut self.machine);
        self.queued = self.queued - before + session.queued_bytes();
        Some(result)
    }

    /// Applies `act`, which may end the session, to a session.
    fn with_end(&mut self, stream: StreamId, act: impl FnOnce(&mut Session<'a>, &mut ServerLink) -> Outcome) {
        if let Some(Outcome::Over(reason)) = self.with(stream, act) {
            tracing::info!(?stream, reason, "session ended");
            self.remove(stream);
        }
    }

    /// Adds the bytes of a session that ends.
    fn count(&mut self, session: &Session<'_>) {
        let (to_member, to_client) = session.moved();
        self.to_member += to_member;
        self.to_client += to_client;
    }

    /// Counts the sessions that end with the link.
    fn count_open(&mut self) {
        for session in std::mem::take(&mut self.sessions).values() {
            self.count(session);
        }
    }

    /// Removes a session that has ended.
    fn remove(&mut self, stream: StreamId) {
        if let Some(session) = self.sessions.remove(&stream) {
            self.queued -= session.queued_bytes();
            self.count(&session);
            self.empty_since = Clock::now();
            if session.has_request() {
                self.extend_empty_timeout(session.is_authenticated());
            }
        }
        self.close_if_done();
    }
}
