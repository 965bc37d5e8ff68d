//! A client's HTTP/2 link: the machine, the socket, and the sessions on its streams, all in one task.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use hotrod_core::carriage::registry::INSIDE_FIELD;
use hotrod_core::carriage::{Asked, Form, Fragment, Offer, Refusal, ServerConfig, ServerEvent, ServerLink};
use hotrod_core::http2::{self, ErrorCode, Settings, StreamId};
use hotrod_core::time::Instant;
use tokio::io::DuplexStream;
use tokio::time::{Instant as Clock, sleep_until};
use tokio_util::io::poll_read_buf;

use super::endpoint::Meant;
use super::place::Place;
use super::session::{Progress, Session};
use super::{HERE, Link};
use crate::budget::{Account, HTTP2, HTTP2_COVERED, LinkBudget, SESSION_COVERED, SHED_AFTER, STREAM};
use crate::config;
use crate::connection::{Ended, REFUSAL_TIMEOUT, Surplus};
use crate::deadlines::{Overdue, Times};
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::pieces::poll_write_slices;

/// Larger messages should go over a session of their own: a member answers one after the other. A message of one frame
/// waits for nobody.
const LANE_THRESHOLD: u32 = 16_000;
/// Octets of fragments on a link that are not forwarded: of requests that wait, and of those whose turn it is. Less if the
/// link may hold less.
const CONNECTION_CREDIT: usize = 16 << 20;
/// The same before the link is admitted. A quarter of it holds the longest AUTH.
const EARLY_CREDIT: usize = 256 << 10;
/// Octets of waiting requests of one link above which one of them is sent away are that part of its credit: the request
/// whose turn it is always gets more (spec, "Credit").
const WAITING_SHARE: usize = 4;
/// Octets of DATA of all tunnels before the link is admitted: the least that there can be (RFC 9113, 6.9.2).
const EARLY_WINDOW: u32 = 65_535;
/// Bytes that a client has not taken above which nothing more is read from it, nor for it from members.
pub(super) const UNTAKEN: usize = 256 << 10;
/// Reads of one turn before other tasks get theirs.
const READS_A_TURN: usize = 16;
/// How often the deadlines of a link and its sessions are looked at.
const CHECK: Duration = Duration::from_secs(1);
/// Time after the grace in which new calls are still answered, with the word that they have to go elsewhere.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Time for a client to take the last words of a link that is over.
const GOODBYE: Duration = Duration::from_secs(10);

/// What a client may have on its way here.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// Octets of DATA, of all tunnels.
    window: u32,
    /// Octets of fragments, of all calls.
    credit: usize,
    /// Octets of fragments of a call far away.
    call: u32,
}

impl Share {
    const EARLY: Self = Self { window: EARLY_WINDOW, credit: EARLY_CREDIT, call: 0 };

    /// Of a link that is admitted.
    fn of(budget: &LinkBudget, tunnels: usize) -> Self {
        let window = http2::Config::default().connection_window;
        let credit = CONNECTION_CREDIT.min(budget.limit());
        // Even when each session has a request that its member does not take, some is left for the others.
        let call = (credit - credit / WAITING_SHARE) / tunnels.max(1);
        Self { window, credit, call: u32::try_from(call).unwrap_or(u32::MAX) }
    }

    fn most_waiting(self) -> usize {
        self.credit / WAITING_SHARE
    }
}

/// Serves a client that speaks HTTP/2; `first` is what it has sent already.
pub(super) async fn serve(shared: &Shared, stream: &mut impl Link, first: BytesMut, place: Place<'_>) -> Ended {
    let _machine = match place.budget.reserve(HTTP2) {
        Ok(machine) => machine,
        Err(why) => {
            shared.metrics.refused("memory");
            return Ended::early(why);
        }
    };
    let mut server = Server::new(shared, place);
    server.machine.receive_buffer().extend_from_slice(&first);
    server.machine.handle_filled(server.now());
    let reason = server.run(stream).await;
    server.count_open();
    Ended { member: None, to_member: server.to_member, to_client: server.to_client, reason }
}

/// Serves what a tunnel carries.
pub(super) fn serve_inside<'a>(
    shared: &'a Shared,
    mut far: DuplexStream,
    place: Place<'a>,
) -> Pin<Box<dyn Future<Output = Ended> + Send + 'a>> {
    Box::pin(async move { serve(shared, &mut far, BytesMut::new(), place).await })
}

struct Server<'a> {
    shared: &'a Shared,
    budget: &'a LinkBudget,
    place: Place<'a>,
    times: Times,
    machine: ServerLink,
    sessions: BTreeMap<StreamId, Session<'a>>,
    /// Octets of requests that wait for their turn, in all sessions.
    waiting: usize,
    share: Share,
    /// What the client may send has grown with its budget.
    is_grown: bool,
    /// Nothing is read because there is no memory for it.
    is_starved: bool,
    epoch: Clock,
    moved_at: Clock,
    /// When the deadlines are looked at next. It does not move with what else wakes the link.
    check: Clock,
    /// Since when there is no session, and no request either.
    empty_since: Clock,
    /// How long that may be: see [`allow`](Self::allow).
    patience: Duration,
    held: Account,
    phase: Phase,
    /// Until when sessions may say their last words.
    farewell: Option<Clock>,
    /// The machine has said its last word, which is still to be sent.
    over: Option<String>,
    /// Until when that may take.
    gone: Option<Clock>,
    /// And is not waited for.
    ends_at_once: bool,
    to_member: u64,
    to_client: u64,
}

impl<'a> Server<'a> {
    fn new(shared: &'a Shared, place: Place<'a>) -> Self {
        let budget = place.budget;
        let limits = &shared.config.limits;
        let settings = Settings {
            max_concurrent_streams: Some(u32::try_from(limits.tunnels).unwrap_or(u32::MAX)),
            max_header_list_size: Some(u32::try_from(limits.header).unwrap_or(u32::MAX)),
            initial_window_size: u32::try_from(limits.buffer).unwrap_or(u32::MAX).clamp(16 << 10, 1 << 30),
            ..http2::Config::default().settings
        };
        let share = if budget.is_admitted() { Share::of(budget, limits.tunnels) } else { Share::EARLY };
        let http2 = http2::Config {
            settings,
            settings_timeout: limits.handshake_timeout,
            connection_window: share.window,
            ..http2::Config::default()
        };
        let connection_credit = share.credit as u32;
        let frames = Some(Offer { lane_threshold: LANE_THRESHOLD, connection_credit, ..Offer::default() });
        let config = ServerConfig { frames, most_credit: share.call, http2, ..ServerConfig::default() };
        let now = Clock::now();
        Self {
            machine: ServerLink::new(config, Instant::EPOCH),
            shared,
            budget,
            times: Times::of(limits),
            patience: patience(limits, &place),
            place,
            sessions: BTreeMap::new(),
            waiting: 0,
            share,
            is_grown: budget.is_admitted(),
            is_starved: false,
            epoch: now,
            moved_at: now,
            check: now + CHECK,
            empty_since: now,
            held: budget.account(HTTP2_COVERED),
            phase: Phase::Serving,
            farewell: None,
            over: None,
            gone: None,
            ends_at_once: false,
            to_member: 0,
            to_client: 0,
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// When it has to be looked at again.
    fn alarm(&self) -> Clock {
        let wanted = self.machine.poll_timeout().map(|at| self.epoch + Duration::from_micros(at.as_micros()));
        wanted.into_iter().chain(self.farewell).chain(self.gone).fold(self.check, Clock::min)
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
                    if let Some(reason) = self.is_stuck() {
                        self.end_at_once(reason);
                    }
                    self.end_overdue();
                    self.end_in_time();
                    if self.gone.is_some_and(|gone| gone <= Clock::now()) {
                        return self.over.take().unwrap_or_default();
                    }
                }
                phase = drain.beyond(phase) => self.go_on_to(phase),
                Ok(view) = topologies.recv() => {
                    self.sessions.values_mut().for_each(|session| session.tell_topology(&view, &mut self.machine));
                }
                Ok(()) = members.changed() => {
                    self.sessions.values_mut().for_each(|session| session.tell_node(&mut self.machine));
                }
            }
        }
    }

    /// Ends sessions that did not go on in time, and the link if it has had none for too long. What belongs to no session,
    /// such as PING, keeps neither.
    fn end_overdue(&mut self) {
        let (now, source) = (Clock::now(), self.place.source);
        if now < self.check {
            return;
        }
        self.check = now + CHECK;
        let mut ended = Vec::new();
        for (stream, session) in &mut self.sessions {
            if let Some(overdue) = session.end_overdue(&mut self.machine, now) {
                overdue.reason().into_iter().for_each(|reason| self.shared.metrics.refused(reason));
                tracing::info!(client = %source.address(), stream = stream.value(), reason = %overdue, "session ended");
                ended.push(*stream);
            }
        }
        ended.into_iter().for_each(|stream| self.forget(stream));
        if self.sessions.is_empty() && now >= self.empty_since + self.patience && self.over.is_none() {
            let is_unused = self.patience < self.times.idle;
            if is_unused {
                self.shared.metrics.refused("first_request");
            }
            let unused = "no session for too long (handshake-timeout, authentication-timeout)".to_string();
            self.machine.close(ErrorCode::NO_ERROR, b"idle");
            self.end(if is_unused { unused } else { Overdue::Idle.to_string() });
        }
    }

    /// How long a link may be without a session: until it has had one as long as a first request may take, and then for as
    /// long as a session may be idle, if one was let in; else as long as authentication may take.
    fn allow(&mut self, is_authenticated: bool) {
        let is_let_in = is_authenticated || !self.shared.wants_authentication();
        let allowed = if is_let_in { self.times.idle } else { self.times.authentication.min(self.times.idle) };
        self.patience = self.patience.max(allowed);
    }

    /// The link is over, for this reason unless it was so before.
    fn end(&mut self, reason: String) {
        self.over.get_or_insert(reason);
        self.gone.get_or_insert(Clock::now() + GOODBYE);
    }

    /// Whether it holds what nobody takes, while there is no memory.
    fn is_stuck(&self) -> Option<String> {
        let is_stuck = self.is_starved && !self.held.is_empty() && self.moved_at.elapsed() > SHED_AFTER;
        is_stuck.then(|| "takes nothing of what is held while memory is used up (max-memory)".to_string())
    }

    /// The client holds too much to be waited for.
    fn end_at_once(&mut self, reason: String) {
        self.machine.close(ErrorCode::ENHANCE_YOUR_CALM, b"memory");
        self.over.get_or_insert(reason);
        self.ends_at_once = true;
    }

    fn is_let_in(&self) -> bool {
        !self.shared.wants_authentication() || self.sessions.values().any(Session::is_authenticated)
    }

    /// Counts what is held, and has the client send more once a member has served it.
    fn keep_account(&mut self) {
        if !self.budget.is_admitted() && self.is_let_in() {
            self.budget.admit();
        }
        if self.budget.is_admitted() && !self.is_grown {
            self.is_grown = true;
            self.share = Share::of(self.budget, self.shared.config.limits.tunnels);
            self.machine.grow(self.share.window, self.share.credit as u32, self.share.call);
        }
        let machine = &self.machine;
        let sessions = self.sessions.values_mut();
        let sessions: usize = sessions.map(|session| session.memory(machine).saturating_sub(SESSION_COVERED)).sum();
        self.held.set(machine.memory() + sessions);
        if let Some(why) = self.budget.overdrawn() {
            self.end_at_once(why.to_string());
        }
    }

    /// The gateway is about to stop: clients go elsewhere, and what is in flight finishes.
    fn go_on_to(&mut self, phase: Phase) {
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
                        self.forget(stream);
                    }
                }
                self.farewell = Some(Clock::now() + LAST_WORDS);
                self.close_if_done();
            }
        }
    }

    /// After the last words the sessions end, and when none is left so does the link.
    fn end_in_time(&mut self) {
        if self.farewell.is_some_and(|farewell| farewell <= Clock::now()) {
            self.farewell = None;
            let machine = &mut self.machine;
            let ended =
                self.sessions.iter_mut().filter_map(|(stream, session)| session.end(machine).then_some(*stream));
            let ended: Vec<StreamId> = ended.collect();
            ended.into_iter().for_each(|stream| self.forget(stream));
            self.close_if_done();
        }
    }

    fn close_if_done(&mut self) {
        if self.phase == Phase::Closing && self.sessions.is_empty() {
            self.machine.close(ErrorCode::NO_ERROR, b"the grace is over");
            self.end("cut off at the end of the grace".into());
        }
    }

    /// Does something with a session, and keeps count of what waits in it.
    fn with<T>(&mut self, stream: StreamId, act: impl FnOnce(&mut Session<'a>, &mut ServerLink) -> T) -> Option<T> {
        let session = self.sessions.get_mut(&stream)?;
        let before = session.waiting_bytes();
        let done = act(session, &mut self.machine);
        self.waiting = self.waiting - before + session.waiting_bytes();
        Some(done)
    }

    /// The same, with what may end it.
    fn unless_over(&mut self, stream: StreamId, act: impl FnOnce(&mut Session<'a>, &mut ServerLink) -> Progress) {
        if let Some(Progress::Over(reason)) = self.with(stream, act) {
            tracing::info!(?stream, reason, "session ended");
            self.forget(stream);
        }
    }

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

    /// Moves everything that can be moved. Ready with the reason when the link is over.
    fn poll(&mut self, stream: &mut impl Link, cx: &mut Context<'_>) -> Poll<Option<String>> {
        let was_starved = self.is_starved;
        for _ in 0..READS_A_TURN {
            self.is_starved = !self.budget.has_room();
            let read = match self.read(stream, cx) {
                Ok(read) => read,
                Err(reason) => return Poll::Ready(Some(reason)),
            };
            self.handle_events();
            self.poll_sessions(cx);
            self.handle_events();
            let written = match self.write(stream, cx) {
                Ok(written) => written,
                Err(error) => return Poll::Ready(Some(format!("the client's link failed: {error}"))),
            };
            if (self.machine.transmit().is_empty() || self.ends_at_once)
                && let Some(reason) = self.over.take()
            {
                // The client may be gone, and then needs no goodbye.
                let _ = Pin::new(&mut *stream).poll_shutdown(cx);
                return Poll::Ready(Some(reason));
            }
            if read || written {
                self.moved_at = Clock::now();
                continue;
            }
            let waits = self.machine.transmit().len();
            self.keep_account();
            let has_room_again = self.is_starved && self.budget.has_room();
            if !has_room_again && self.machine.transmit().len() == waits && !self.ends_at_once {
                return if self.is_starved && !was_starved { Poll::Ready(None) } else { Poll::Pending };
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Answers whether anything was read.
    fn read(&mut self, stream: &mut impl Link, cx: &mut Context<'_>) -> Result<bool, String> {
        if self.over.is_some()
            || self.is_starved
            || !self.machine.wants_read()
            || self.machine.transmit().len() > UNTAKEN
        {
            return Ok(false);
        }
        match poll_read_buf(Pin::new(stream), cx, self.machine.receive_buffer()) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err("closed by the client".into()),
            Poll::Ready(Ok(_)) => {
                let now = self.now();
                self.machine.handle_filled(now);
                Ok(true)
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err("closed by the client".into())
            }
            Poll::Ready(Err(error)) => Err(format!("the client's link failed: {error}")),
        }
    }

    /// Answers whether anything was written.
    fn write(&mut self, stream: &mut impl Link, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut any = false;
        while !self.machine.transmit().is_empty() {
            match poll_write_slices(Pin::new(&mut *stream), self.machine.transmit().segments(), cx)? {
                Poll::Pending => break,
                Poll::Ready(written) => {
                    self.machine.transmitted(written);
                    any = true;
                }
            }
        }
        if any {
            let _ = Pin::new(stream).poll_flush(cx)?;
        }
        Ok(any)
    }

    fn poll_sessions(&mut self, cx: &mut Context<'_>) {
        let mut ended = Vec::new();
        for (stream, session) in &mut self.sessions {
            let before = session.waiting_bytes();
            if let Progress::Over(reason) = session.poll(&mut self.machine, cx) {
                tracing::info!(?stream, reason, "session ended");
                ended.push(*stream);
            }
            self.waiting = self.waiting - before + session.waiting_bytes();
        }
        ended.into_iter().for_each(|stream| self.forget(stream));
    }

    fn forget(&mut self, stream: StreamId) {
        if let Some(session) = self.sessions.remove(&stream) {
            self.waiting -= session.waiting_bytes();
            self.count(&session);
            self.empty_since = Clock::now();
            if session.has_worked() {
                self.allow(session.is_authenticated());
            }
        }
        self.close_if_done();
    }

    fn handle_events(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                ServerEvent::Asked { stream, asked } => self.begin(stream, asked),
                ServerEvent::Ordinary { stream, method, .. } => self.answer(stream, &method),
                ServerEvent::Request { stream, fragment } => self.request(stream, fragment),
                ServerEvent::Bytes { stream, bytes } => {
                    if let Some(session) = self.sessions.get_mut(&stream) {
                        session.bytes(bytes);
                    }
                }
                ServerEvent::Cancelled { stream, call, .. } => {
                    self.unless_over(stream, |session, machine| session.cancelled(call, machine));
                }
                ServerEvent::Finished { stream } => {
                    self.unless_over(stream, Session::finished);
                }
                ServerEvent::Ended { stream, .. } => self.forget(stream),
                ServerEvent::Writable { .. } => {}
                ServerEvent::Drained => {
                    self.machine.close(ErrorCode::NO_ERROR, b"");
                    self.end("drained".into());
                }
                ServerEvent::Closed(reason) => {
                    self.end(reason.to_string());
                }
            }
        }
    }

    fn request(&mut self, stream: StreamId, fragment: Fragment) {
        let (waiting, most_waiting) = (self.waiting, self.share.most_waiting());
        self.with(stream, |session, machine| {
            let room = (most_waiting + session.waiting_bytes()).saturating_sub(waiting);
            session.request(fragment, room, machine);
        });
    }

    /// A session is asked for.
    fn begin(&mut self, stream: StreamId, asked: Asked) {
        let inside = asked.fields.iter().any(|field| field.name == INSIDE_FIELD.as_bytes() && field.value == "h2");
        if let Some(refusal) = self.refusal(&asked) {
            self.shared.metrics.refused(self.place.surplus.map_or("request", Surplus::reason));
            return refusal.answer_http2(&mut self.machine, stream);
        }
        let Some(counted) = self.place.session() else {
            self.shared.metrics.refused("tunnels");
            let why = "this connection has as many sessions as it may have (max-tunnels)";
            self.shared.sources.complain(self.place.source.address(), "tunnels", &why);
            return Refusal::temporary(429).answer_http2(&mut self.machine, stream);
        };
        let memory = match self.budget.reserve(STREAM) {
            Ok(memory) => memory,
            Err(why) => {
                tracing::debug!(?stream, %why, "session refused");
                self.shared.metrics.refused("memory");
                return Refusal::temporary(429).answer_http2(&mut self.machine, stream);
            }
        };
        let meant = Meant::of(self.shared, asked.node.as_deref(), asked.target.as_deref());
        let meant = match &self.place.inside {
            Some(outer) => meant.or(outer),
            None => meant,
        };
        let is_framed = self.machine.form(stream) == Some(Form::Frames);
        let carriage = match asked.target {
            _ if is_framed => Carriage::Frames,
            Some(_) => Carriage::Connect,
            None => Carriage::ExtendedConnect,
        };
        let mut session = Session::new(self.shared, stream, meant, carriage, self.place.clone(), (counted, memory));
        if inside && !is_framed && self.place.inside.is_none() && self.phase == Phase::Serving {
            session.open(&mut self.machine);
        } else {
            session.connect();
        }
        self.sessions.insert(stream, session);
    }

    /// How it is refused whatever the member says.
    fn refusal(&self, asked: &Asked) -> Option<Refusal> {
        if self.place.surplus.is_some() {
            Some(Refusal::temporary(429))
        } else if asked.is_foreign {
            Some(Refusal::new(501))
        } else if self.place.inside.is_some() && asked.target.is_some() {
            Some(Refusal::new(405))
        } else if asked.is_malformed || asked.has_unknown_inside() {
            Some(Refusal::new(400))
        } else {
            None
        }
    }

    fn answer(&mut self, stream: StreamId, method: &str) {
        self.empty_since = Clock::now();
        match method {
            "GET" => self.machine.answer(stream, 200, HERE, true),
            "HEAD" => self.machine.answer(stream, 200, HERE, false),
            _ => self.machine.answer(stream, 405, "", true),
        }
    }
}

/// How long a link may have no session before its first one.
fn patience(limits: &config::Limits, place: &Place<'_>) -> Duration {
    let patience = limits.handshake_timeout.min(limits.idle_timeout);
    if place.surplus.is_some() { patience.min(REFUSAL_TIMEOUT) } else { patience }
}
