//! The client's role.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::config::{Authentication, Config};
use super::error::{Applied, Disconnect, OperationError, SubmitError};
use super::event::{Counters, Event, Ready, TimeoutReason};
use super::handshake::{Asking, Handshake, Next};
use super::in_flight::{InFlight, InFlightTable, Owner};
use super::messages::Messages;
use crate::send_buffer::wipe_if_unique;
use crate::time::Instant;
use crate::wire::{
    self, Asked, Body, Envelope, Incoming, ListenerEffect, Reply, ReplyDecoder, Request, RequestOptions, SendBuffer,
    Version, write_request,
};

/// An operation of one session, from [`submit`](Session::submit) to its [`Completed`](Event::Completed) event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

/// An operation to be submitted.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The operation.
    pub request: &'a Request,
    /// Cache, flags, media types.
    pub options: &'a RequestOptions,
    /// The topology that the client has of the cache; 0 for none.
    pub topology_id: u32,
    /// How long to wait for the answer; `None` for [`Config::operation_timeout`].
    pub timeout: Option<Duration>,
    /// The host's own name for the operation, which comes back with its answer.
    pub token: u64,
}

impl<'a> Call<'a> {
    /// Without a topology, with the session's timeout and token 0.
    pub fn new(request: &'a Request, options: &'a RequestOptions) -> Self {
        Self { request, options, topology_id: 0, timeout: None, token: 0 }
    }
}

/// Octets of keys and values with which a message surely fits a frame, whose payload has at least 16,384.
const ONE_FRAME: usize = 8 << 10;

/// Time until the next slice of a key derivation is due: the shortest that an [`Instant`] can tell.
///
/// Due at once, and yet after the present call: a host, or the cluster's machine, that serves everything due by now comes
/// to an end, and looks at its other work before the next slice.
const NEXT_SLICE: Duration = Duration::from_micros(1);

enum State {
    Handshake(Box<Handshake>),
    Ready,
    /// No new operations; over when those in flight are done.
    Draining,
    Closed,
}

/// A Hot Rod conversation in the client's role; see the [module](super) for how to drive it.
pub struct Session {
    pub(super) config: Config,
    state: State,
    version: Version,
    pub(super) decoder: ReplyDecoder,
    pub(super) out: SendBuffer,
    pub(super) in_flight: InFlightTable,
    pub(super) events: VecDeque<Event>,
    /// Listeners by their id, with the operation that added each.
    listeners: BTreeMap<Bytes, u64>,
    /// Handshake requests by their message id.
    asking: Vec<(u64, Asking)>,
    authentication: Option<Authentication>,
    started: Instant,
    /// Due time of the next slice of a key derivation; `None` without one.
    next_slice: Option<Instant>,
    /// No operation has an earlier deadline.
    earliest_deadline: Option<Instant>,
    /// Since when nothing was received, while operations are in flight.
    pub(super) quiet_since: Instant,
    /// The host does not read.
    is_held: bool,
    counters: Counters,
    /// Set if its messages travel one by one.
    pub(super) messages: Option<Messages>,
}

impl Session {
    /// Begins the handshake on a link that has just been established.
    ///
    /// All randomness of the session comes from `seed`; give every session another.
    pub fn new(mut config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut handshake = Box::new(Handshake::new(config.version, config.authentication.take(), seed));
        let first = handshake.begin();
        let mut session = Self {
            state: State::Handshake(handshake),
            version: Version::V3_1,
            decoder: ReplyDecoder::new(config.limits.clone()),
            out: SendBuffer::new(),
            in_flight: InFlightTable::default(),
            events: VecDeque::new(),
            listeners: BTreeMap::new(),
            asking: Vec::new(),
            authentication: None,
            started: now,
            next_slice: None,
            earliest_deadline: None,
            quiet_since: now,
            is_held: false,
            counters: Counters::default(),
            messages: None,
            config,
        };
        first.for_each(|(request, version)| session.send_handshake(now, request, version));
        session
    }

    /// The version agreed on; during the handshake, that of the handshake.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether operations can be submitted.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Operations whose answer is awaited, those included that timed out or were cancelled.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether the host should read from the link: not while events wait to be polled beyond their limit.
    pub fn wants_read(&self) -> bool {
        !self.is_closed() && self.events.len() < self.config.max_events
    }

    /// The host does not read from the link for the time being, so that nothing comes is no sign of a stall.
    pub fn hold(&mut self) {
        self.is_held = true;
    }

    /// The host reads again.
    pub fn resume(&mut self, now: Instant) {
        self.is_held = false;
        self.quiet_since = now;
    }

    /// What the session has done.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Bytes received from the server.
    pub fn received(&self) -> u64 {
        self.decoder.received()
    }

    /// How it authenticated, with salted passwords that spare the next session their derivation; `None` before the
    /// session is ready, and without credentials.
    pub fn authentication(&self) -> Option<&Authentication> {
        self.authentication.as_ref()
    }

    /// Takes bytes from the server.
    pub fn handle_received(&mut self, now: Instant, bytes: &[u8]) {
        if !self.is_closed() {
            self.decoder.receive(bytes);
            self.handle_filled(now);
        }
    }

    /// The receive buffer, with room for a read: a host that reads straight into it, and then calls
    /// [`handle_filled`](Self::handle_filled), saves a copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.decoder.receive_buffer()
    }

    /// Takes what the host has appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant) {
        self.quiet_since = now;
        self.decode(now);
    }

    /// The link is gone; `why` is for people.
    pub fn handle_link_lost(&mut self, why: impl Into<String>) {
        self.handle_lost(Disconnect::LinkLost(why.into()));
    }

    /// What carried it is gone, for that reason.
    pub(crate) fn handle_lost(&mut self, reason: Disconnect) {
        self.end(reason);
    }

    /// Time has passed; early and late calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Handshake(handshake) = &self.state
            && now >= self.started + self.config.handshake_timeout
        {
            let stage = handshake.stage();
            return self.end(Disconnect::HandshakeTimedOut { stage, after: now - self.started });
        }
        if self.stall_deadline().is_some_and(|deadline| now >= deadline) {
            let in_flight = self.in_flight.len();
            return self.end(Disconnect::Stalled { in_flight, after: now - self.quiet_since });
        }
        if self.earliest_deadline.is_some_and(|deadline| now >= deadline) {
            self.expire(now);
        }
        if self.next_slice.take_if(|due| now >= *due).is_some()
            && let State::Handshake(handshake) = &mut self.state
        {
            let next = handshake.resume();
            self.proceed(now, next);
        }
        self.end_if_drained();
    }

    /// Whether the handshake is between two slices of a key derivation.
    pub(crate) fn is_deriving(&self) -> bool {
        self.next_slice.is_some()
    }

    /// Submits an operation: it is written at once and goes out with the next [`transmit`](Self::transmit).
    pub fn submit(&mut self, now: Instant, call: Call<'_>) -> Result<OperationId, SubmitError> {
        match self.state {
            State::Ready => {}
            State::Handshake(_) => return Err(SubmitError::NotReady),
            State::Draining | State::Closed => return Err(SubmitError::Closed),
        }
        let row = call.request.operation().row();
        if row.since > self.version {
            let (operation, since, version) = (row.operation, row.since, self.version);
            return Err(SubmitError::NotInVersion { operation, since, version });
        }
        if let Request::GetStream { offset: offset @ 1.., .. } = *call.request {
            return Err(SubmitError::OffsetBreaksStream { offset });
        }
        call.request.fits().map_err(|wire::Oversize { field, size, limit }| SubmitError::TooLarge {
            field,
            size,
            limit,
        })?;
        let send_bytes = self.out.len() + self.fragments_before(call.request);
        if self.is_full(send_bytes) {
            return Err(SubmitError::Full { in_flight: self.in_flight.len(), send_bytes });
        }
        let deadline = now + call.timeout.unwrap_or(self.config.operation_timeout);
        let id = self.send(now, call, self.version, deadline, Owner::Host);
        self.earliest_deadline = Some(self.earliest_deadline.map_or(deadline, |earliest| earliest.min(deadline)));
        match call.request.listener() {
            ListenerEffect::None => {}
            ListenerEffect::Adds(listener) => drop(self.listeners.insert(listener.clone(), id)),
            // Events of a listener that is being removed are dropped.
            ListenerEffect::Removes(listener) => drop(self.listeners.remove(listener)),
        }
        Ok(OperationId(id))
    }

    fn is_full(&self, send_bytes: usize) -> bool {
        self.in_flight.len() >= self.config.max_in_flight || send_bytes >= self.config.max_send_bytes
    }

    /// Octets that go out in fragments and that this request has to wait for: they let pass what fits a frame, and are
    /// waited for only by others of their kind.
    fn fragments_before(&self, request: &Request) -> usize {
        let fragments = self.messages.as_ref().filter(|_| request.value_bytes() > ONE_FRAME);
        fragments.map_or(0, Messages::held)
    }

    /// Whether a request is not taken now only because others of its kind are not out yet: what fits a frame would be.
    pub(crate) fn holds_back(&self, request: &Request) -> bool {
        let own = self.out.len();
        !self.is_full(own) && self.is_full(own + self.fragments_before(request))
    }

    /// Gives an operation up: no event will come for it, and its answer is dropped. It may be executed all the same.
    ///
    /// Answers false if it isn't in flight (any more).
    pub fn cancel(&mut self, id: OperationId) -> bool {
        match self.in_flight.get_mut(id.0) {
            Some(operation) if operation.owner == Owner::Host => {
                operation.owner = Owner::Nobody;
                self.messages.iter_mut().for_each(|messages| messages.give_up(id.0));
                self.forget_listener_of(id.0);
                self.end_if_drained();
                true
            }
            _ => false,
        }
    }

    /// Accepts no more operations, and ends the session when those in flight are done.
    pub fn close(&mut self) {
        match self.state {
            State::Handshake(_) => self.end(Disconnect::Closed),
            State::Ready => {
                self.state = State::Draining;
                self.end_if_drained();
            }
            State::Draining | State::Closed => {}
        }
    }

    /// Ends the session now; operations in flight fail.
    pub fn abort(&mut self) {
        self.end(Disconnect::Closed);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() && self.decoder.buffered() > 0 {
            // Decoding may have paused at the limit.
            self.decode(self.quiet_since);
        }
        event.or_else(|| self.events.pop_front())
    }

    /// What is to be sent.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timeout_reason().map(|(deadline, _)| deadline)
    }

    /// As [`poll_timeout`](Self::poll_timeout), and why.
    pub fn timeout_reason(&self) -> Option<(Instant, TimeoutReason)> {
        let mut first = self.stall_deadline().map(|deadline| (deadline, TimeoutReason::Stall));
        let mut consider = |deadline: Option<Instant>, reason| {
            if let Some(deadline) = deadline
                && first.is_none_or(|(present, _)| deadline <= present)
            {
                first = Some((deadline, reason));
            }
        };
        consider(self.earliest_deadline, TimeoutReason::Operation);
        consider(self.next_slice, TimeoutReason::Derivation);
        if let State::Handshake(_) = self.state {
            consider(Some(self.started + self.config.handshake_timeout), TimeoutReason::Handshake);
        }
        first
    }

    fn stall_deadline(&self) -> Option<Instant> {
        (self.in_flight.len() > 0 && !self.is_held).then(|| self.quiet_since + self.config.stall_timeout)
    }

    fn send(&mut self, now: Instant, call: Call<'_>, version: Version, deadline: Instant, owner: Owner) -> u64 {
        if self.in_flight.len() == 0 {
            self.quiet_since = now;
        }
        let asked = Asked { operation: call.request.operation(), version, intelligence: self.config.intelligence };
        let token = call.token;
        let id = self.in_flight.insert(InFlight { asked, submitted: now, deadline, sent_at: u64::MAX, owner, token });
        let intelligence = self.config.intelligence;
        let envelope = Envelope { message_id: id, version, intelligence, topology_id: call.topology_id };
        write_request(envelope, call.options, call.request, &mut self.out);
        let end = self.out.end();
        if let Some(messages) = &mut self.messages {
            messages.written(id, end);
        } else if let Some(operation) = self.in_flight.get_mut(id) {
            operation.sent_at = end;
        }
        self.counters.requests += 1;
        id
    }

    fn send_handshake(&mut self, now: Instant, request: Request, version: Version) {
        let asking = match &request {
            Request::Ping {} => Asking::Ping,
            Request::AuthMechList {} => Asking::Offer,
            _ => Asking::Step,
        };
        let options = RequestOptions::default();
        let deadline = self.started + self.config.handshake_timeout;
        let id = self.send(now, Call::new(&request, &options), version, deadline, Owner::Handshake);
        self.asking.push((id, asking));
        if let Request::Auth { response, .. } = request {
            self.out.wipe_when_sent();
            wipe_if_unique(response.0);
        }
    }

    /// A message that is no whole one.
    pub(super) fn end_incomplete(&mut self) {
        let violation = self.decoder.incomplete();
        self.end(Disconnect::Violation(violation));
    }

    pub(super) fn decode(&mut self, now: Instant) {
        while !self.is_closed() && self.events.len() < self.config.max_events {
            let in_flight = &self.in_flight;
            match self.decoder.poll(|id| in_flight.get(id).map(|operation| operation.asked)) {
                None => break,
                Some(Ok(Incoming::Reply(reply))) => self.handle_reply(now, reply),
                Some(Ok(Incoming::Event(event))) => {
                    if self.has_listener(&event.listener_id) {
                        self.events.push_back(Event::Entry(event));
                    }
                }
                Some(Ok(Incoming::CounterEvent(event))) => {
                    if self.has_listener(&event.listener_id) {
                        self.events.push_back(Event::Counter(event));
                    }
                }
                Some(Err(violation)) => self.end(Disconnect::Violation(violation)),
            }
            // At once: what follows the last reply is nobody's, and must not turn a clean end into a violation.
            self.end_if_drained();
        }
    }

    fn has_listener(&mut self, listener_id: &Bytes) -> bool {
        let known = self.listeners.contains_key(listener_id);
        if known {
            self.counters.events += 1;
        } else {
            self.counters.stray_events += 1;
        }
        known
    }

    fn handle_reply(&mut self, now: Instant, reply: Reply) {
        let Some(operation) = self.in_flight.remove(reply.message_id) else {
            return self.handle_stray_error(reply);
        };
        self.counters.replies += 1;
        match operation.owner {
            Owner::Host => self.complete(reply, operation),
            Owner::Handshake => self.continue_handshake(now, reply),
            Owner::Nobody => {
                self.counters.late_replies += 1;
                if let Some(topology) = reply.topology {
                    let (id, token) = (OperationId(reply.message_id), operation.token);
                    self.events.push_back(Event::Topology { id, token, topology });
                }
            }
        }
    }

    fn complete(&mut self, reply: Reply, operation: InFlight) {
        let id = OperationId(reply.message_id);
        if reply.status.is_error() {
            self.forget_listener_of(id.0);
        }
        let token = operation.token;
        let result = match reply.body {
            Body::Error(message) => {
                if let Some(topology) = reply.topology {
                    self.events.push_back(Event::Topology { id, token, topology });
                }
                Err(OperationError::Server { operation: operation.asked.operation, status: reply.status, message })
            }
            _ => Ok(reply),
        };
        self.events.push_back(Event::Completed { id, token, result });
    }

    /// An error that answers nothing in flight: the server could not read something that was sent to it.
    fn handle_stray_error(&mut self, reply: Reply) {
        // During negotiation that something is the PING, in a version that the server doesn't know.
        if let State::Handshake(handshake) = &self.state
            && handshake.version().is_none()
            && let Some((ping, _)) = self.asking.iter().find(|(_, asking)| *asking == Asking::Ping)
        {
            let message_id = *ping;
            self.in_flight.remove(message_id);
            return self.continue_handshake(self.quiet_since, Reply { message_id, ..reply });
        }
        let message = match reply.body {
            Body::Error(message) => message,
            _ => String::new(),
        };
        self.end(Disconnect::ServerLostTrack { status: reply.status, message });
    }

    fn continue_handshake(&mut self, now: Instant, reply: Reply) {
        let State::Handshake(handshake) = &mut self.state else { return };
        let Some(index) = self.asking.iter().position(|(id, _)| *id == reply.message_id) else { return };
        let (_, asking) = self.asking.swap_remove(index);
        let next = handshake.handle_reply(asking, reply);
        self.proceed(now, next);
    }

    fn proceed(&mut self, now: Instant, next: Result<Next, Disconnect>) {
        match next {
            Ok(Next::Send(request, version)) => self.send_handshake(now, request, version),
            Ok(Next::Wait) => {}
            Ok(Next::Resume) => self.next_slice = Some(now + NEXT_SLICE),
            Ok(Next::Ready) => self.become_ready(now),
            Err(reason) => self.end(reason),
        }
    }

    fn become_ready(&mut self, now: Instant) {
        let State::Handshake(handshake) = core::mem::replace(&mut self.state, State::Ready) else { return };
        self.version = handshake.version().unwrap_or(self.version);
        // The offer asked for beside the PING may not have come, if it turned out not to be needed.
        for (id, _) in self.asking.drain(..) {
            if let Some(operation) = self.in_flight.get_mut(id) {
                operation.owner = Owner::Nobody;
            }
        }
        self.quiet_since = now;
        let (ping, authentication) = handshake.into_results();
        self.authentication = authentication;
        let wire::Ping { key_type, value_type, server_version, operations } = ping;
        let version = self.version;
        self.events.push_back(Event::Ready(Ready { version, server_version, operations, key_type, value_type }));
    }

    fn expire(&mut self, now: Instant) {
        let mut earliest: Option<Instant> = None;
        for (id, operation) in self.in_flight.iter_mut().filter(|(_, operation)| operation.owner == Owner::Host) {
            if operation.deadline > now {
                earliest = Some(earliest.map_or(operation.deadline, |earliest| earliest.min(operation.deadline)));
                continue;
            }
            operation.owner = Owner::Nobody;
            self.messages.iter_mut().for_each(|messages| messages.give_up(id));
            // What has not gone out yet still will: its bytes stand between others.
            let applied = Applied::Unknown;
            let after = now - operation.submitted;
            let error = OperationError::TimedOut { operation: operation.asked.operation, after, applied };
            self.events.push_back(Event::Completed { id: OperationId(id), token: operation.token, result: Err(error) });
        }
        self.earliest_deadline = earliest;
    }

    pub(super) fn forget_listener_of(&mut self, id: u64) {
        self.listeners.retain(|_, added_by| *added_by != id);
    }

    pub(super) fn end_if_drained(&mut self) {
        let waiting = |in_flight: &InFlightTable| in_flight.iter().any(|(_, operation)| operation.owner == Owner::Host);
        if matches!(self.state, State::Draining) && !waiting(&self.in_flight) {
            self.end(Disconnect::Closed);
        }
    }

    /// Ends the session: every operation in flight learns what may have become of it.
    pub(super) fn end(&mut self, reason: Disconnect) {
        if self.is_closed() {
            return;
        }
        self.state = State::Closed;
        let reason = Arc::new(reason);
        let sent = self.messages.as_ref().map_or(self.out.sent(), Messages::link_sent);
        for (id, operation) in self.in_flight.drain() {
            if operation.owner != Owner::Host {
                continue;
            }
            let applied = if operation.sent_at > sent { Applied::No } else { Applied::Unknown };
            let error =
                OperationError::Disconnected { operation: operation.asked.operation, reason: reason.clone(), applied };
            self.events.push_back(Event::Completed { id: OperationId(id), token: operation.token, result: Err(error) });
        }
        self.events.push_back(Event::Closed(reason));
        self.out.clear();
        if let Some(messages) = &mut self.messages {
            messages.clear();
        }
        self.listeners.clear();
        self.asking.clear();
        self.next_slice = None;
        self.earliest_deadline = None;
    }
}
