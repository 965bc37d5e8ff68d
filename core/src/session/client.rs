//! The client's role of a session.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::config::{Authentication, Config};
use super::error::{Applied, Disconnect, OperationError, OtherProtocol, SubmitError};
use super::event::{Counters, Event, Ready, TimeoutReason};
use super::handshake::{Action, Handshake, HandshakeRequest};
use super::in_flight::{InFlight, InFlightTable, Owner};
use super::messages::Messages;
use crate::send_buffer::wipe_if_unique;
use crate::time::Instant;
use crate::wire::{
    self, Body, Envelope, Incoming, ListenerEffect, Reply, ReplyContext, ReplyDecoder, Request, RequestOptions,
    SendBuffer, Version, write_request,
};

/// Id of an operation, from [`submit`](Session::submit) to its [`Completed`](Event::Completed) event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

/// Operation to submit.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Request to send.
    pub request: &'a Request,
    /// Cache, flags, media types.
    pub options: &'a RequestOptions,
    /// Id of the client's topology of the cache; 0 for none.
    pub topology_id: u32,
    /// Timeout of the operation; `None` for [`Config::operation_timeout`].
    pub timeout: Option<Duration>,
    /// Value chosen by the host, returned with the result.
    pub token: u64,
}

impl<'a> Call<'a> {
    /// Creates a call without a topology, with the session's timeout and token 0.
    pub fn new(request: &'a Request, options: &'a RequestOptions) -> Self {
        Self { request, options, topology_id: 0, timeout: None, token: 0 }
    }
}

/// Size of keys and values, in bytes, below which a message certainly fits a frame; a frame's payload is at least
/// 16,384.
const SINGLE_FRAME: usize = 8 << 10;

/// Delay of the next slice of a key derivation: the resolution of [`Instant`].
///
/// The slice is due at once, but after the current call: a host or a cluster that handles everything due now returns,
/// and does its other work before the next slice.
const NEXT_SLICE: Duration = Duration::from_micros(1);

/// Deadline of an operation that the session waits for as long as it lasts.
const NEVER: Instant = Instant::from_micros(u64::MAX);

enum State {
    Handshake(Box<Handshake>),
    Ready,
    /// Accepts no operations; closes after the last one in flight.
    Draining,
    Closed,
}

/// A Hot Rod session in the client's role; the [module](super) describes how to drive it.
pub struct Session {
    pub(super) config: Config,
    state: State,
    version: Version,
    pub(super) decoder: ReplyDecoder,
    pub(super) out: SendBuffer,
    pub(super) in_flight: InFlightTable,
    pub(super) events: VecDeque<Event>,
    /// Listener ids, with the operations that added them.
    listeners: BTreeMap<Bytes, u64>,
    /// Message ids of handshake requests.
    handshake_requests: Vec<(u64, HandshakeRequest)>,
    authentication: Option<Authentication>,
    started: Instant,
    /// Due time of the next slice of a key derivation.
    next_slice: Option<Instant>,
    /// Lower bound of the operations' deadlines.
    earliest_deadline: Option<Instant>,
    /// Time of the last received byte, or of the first request if none was in flight; later while a large request is sent.
    pub(super) last_received: Instant,
    /// Number of bytes sent when silence was noticed, if others were waiting to be sent.
    sent_in_silence: Option<u64>,
    /// Whether the host has paused reading.
    is_held: bool,
    counters: Counters,
    /// Set if messages are sent one by one.
    pub(super) messages: Option<Messages>,
}

impl Session {
    /// Creates a session on a new link and begins the handshake.
    ///
    /// All randomness comes from `seed`; use a different seed for each session.
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
            handshake_requests: Vec::new(),
            authentication: None,
            started: now,
            next_slice: None,
            earliest_deadline: None,
            last_received: now,
            sent_in_silence: None,
            is_held: false,
            counters: Counters::default(),
            messages: None,
            config,
        };
        first.for_each(|(request, version)| session.send_handshake(now, request, version));
        session
    }

    /// Negotiated version; during the handshake, the version of the handshake.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether operations can be submitted.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// Whether the session is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Number of operations without a reply, including those that timed out or were cancelled.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether the host should read from the link; false while the queue of events is full.
    pub fn wants_read(&self) -> bool {
        !self.is_closed() && self.events.len() < self.config.max_events
    }

    /// Reports that the host has paused reading: the stall timeout stops.
    pub fn hold(&mut self) {
        self.is_held = true;
    }

    /// Reports that the host reads again.
    pub fn resume(&mut self, now: Instant) {
        self.is_held = false;
        self.last_received = now;
    }

    /// Counters of the session.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Number of bytes received from the server.
    pub fn received(&self) -> u64 {
        self.decoder.received()
    }

    /// Authentication data with salted passwords, which save the next session the derivation; `None` before the
    /// session is ready, and without credentials.
    pub fn authentication(&self) -> Option<&Authentication> {
        self.authentication.as_ref()
    }

    /// Copies and handles received bytes.
    pub fn handle_received(&mut self, now: Instant, bytes: &[u8]) {
        if !self.is_closed() {
            self.decoder.receive(bytes);
            self.handle_filled(now);
        }
    }

    /// Receive buffer with spare capacity, for reading without a copy; call [`handle_filled`](Self::handle_filled)
    /// afterwards.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.decoder.receive_buffer()
    }

    /// Handles the bytes appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant) {
        self.last_received = now;
        self.decode(now);
    }

    /// Reports the loss of the link; `why` is a message for the user.
    pub fn handle_link_lost(&mut self, why: impl Into<String>) {
        self.handle_lost(Disconnect::LinkLost(why.into()));
    }

    /// Ends the session with the reason for which its carrier ended.
    pub(crate) fn handle_lost(&mut self, reason: Disconnect) {
        self.end(reason);
    }

    /// Handles expired deadlines; early and late calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Handshake(handshake) = &self.state
            && now >= self.started + self.config.handshake_timeout
        {
            let stage = handshake.stage();
            return self.end(Disconnect::HandshakeTimedOut { stage, after: now - self.started });
        }
        if self.earliest_deadline.is_some_and(|deadline| now >= deadline) {
            self.expire(now);
        }
        if self.stall_deadline().is_some_and(|deadline| now >= deadline) && !self.is_still_sending(now) {
            let in_flight = self.in_flight.len();
            return self.end(Disconnect::Stalled { in_flight, after: now - self.last_received });
        }
        if self.next_slice.take_if(|due| now >= *due).is_some()
            && let State::Handshake(handshake) = &mut self.state
        {
            let next = handshake.resume();
            self.proceed(now, next);
        }
        self.end_if_drained();
    }

    /// Whether a key derivation has further slices.
    pub(crate) fn is_deriving(&self) -> bool {
        self.next_slice.is_some()
    }

    /// Submits an operation: writes it at once, to be sent with the next [`transmit`](Self::transmit).
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
        if !row.operation.is_read_at(self.version) {
            return Err(SubmitError::GoneInVersion { operation: row.operation, version: self.version });
        }
        if let Request::GetStream { offset: offset @ 1.., .. } = *call.request {
            return Err(SubmitError::OffsetBreaksStream { offset });
        }
        if let Some(milliseconds) = call.request.lifetime_read_as_date(self.version) {
            let (operation, version) = (row.operation, self.version);
            return Err(SubmitError::LifetimeNotInVersion { operation, milliseconds, version });
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

    /// Bytes in fragments that this request must wait for: only requests larger than a frame wait for fragments.
    fn fragments_before(&self, request: &Request) -> usize {
        let fragments = self.messages.as_ref().filter(|_| request.value_bytes() > SINGLE_FRAME);
        fragments.map_or(0, Messages::in_fragments)
    }

    /// Whether a request is rejected only because of queued fragments; a message that fits a frame would be accepted.
    pub(crate) fn waits_for_fragments(&self, request: &Request) -> bool {
        let own = self.out.len();
        !self.is_full(own) && self.is_full(own + self.fragments_before(request))
    }

    /// Removes the deadline of an operation: the stall timeout still ends it with the session.
    pub(crate) fn lift_deadline(&mut self, id: OperationId) {
        self.in_flight.get_mut(id.0).into_iter().for_each(|operation| operation.deadline = NEVER);
    }

    /// Cancels an operation: no event follows, and its reply is dropped. The server may execute it all the same.
    ///
    /// Returns false if the operation is not in flight.
    pub fn cancel(&mut self, id: OperationId) -> bool {
        match self.in_flight.get_mut(id.0) {
            Some(operation) if operation.owner == Owner::Host => {
                operation.owner = Owner::Abandoned;
                self.messages.iter_mut().for_each(|messages| messages.cancel(id.0));
                self.remove_listener_of(id.0);
                self.end_if_drained();
                true
            }
            _ => false,
        }
    }

    /// Rejects further operations, and closes the session after the last one in flight.
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

    /// Closes the session immediately; operations in flight fail.
    pub fn abort(&mut self) {
        self.end(Disconnect::Closed);
    }

    /// Returns the next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() && self.decoder.buffered() > 0 {
            // Decoding may have paused at the limit.
            self.decode(self.last_received);
        }
        event.or_else(|| self.events.pop_front())
    }

    /// Bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// Reports that the host sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }

    /// Deadline for the next call of [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timeout_reason().map(|(deadline, _)| deadline)
    }

    /// Deadline of [`poll_timeout`](Self::poll_timeout), with its reason.
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

    /// Whether the carriage delimits messages, so that the peer executes none before its last byte.
    pub(crate) fn delimits_messages(&self) -> bool {
        self.messages.is_some()
    }

    /// Time since which nothing was received although operations are in flight; `None` if nothing is awaited.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        (!self.is_held && self.in_flight.len() > 0).then_some(self.last_received)
    }

    /// Sets the stall timeout from now on.
    pub(crate) fn set_stall_timeout(&mut self, timeout: Duration) {
        self.config.stall_timeout = timeout;
    }

    /// Notes that silence was noticed. While bytes of a large request are being sent it is no reason to end the session.
    pub(crate) fn note_silence(&mut self) {
        let has_unsent =
            !self.out.is_empty() || self.messages.as_ref().is_some_and(|messages| messages.in_fragments() > 0);
        self.sent_in_silence = has_unsent.then(|| self.link_sent());
    }

    /// Restarts the stall timeout if bytes have been sent since silence was noticed.
    fn is_still_sending(&mut self, now: Instant) -> bool {
        let is_sending = self.sent_in_silence.take().is_some_and(|sent| self.link_sent() > sent);
        if is_sending {
            self.last_received = now;
        }
        is_sending
    }

    /// Number of bytes sent on the link, as far as it matters for the session's messages.
    fn link_sent(&self) -> u64 {
        self.messages.as_ref().map_or(self.out.sent(), Messages::link_sent)
    }

    fn stall_deadline(&self) -> Option<Instant> {
        self.silent_since().map(|since| since + self.config.stall_timeout)
    }

    fn send(&mut self, now: Instant, call: Call<'_>, version: Version, deadline: Instant, owner: Owner) -> u64 {
        if self.in_flight.len() == 0 {
            self.last_received = now;
        }
        let context =
            ReplyContext { operation: call.request.operation(), version, intelligence: self.config.intelligence };
        let token = call.token;
        let id = self.in_flight.insert(InFlight { context, submitted: now, deadline, sent_at: u64::MAX, owner, token });
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
        let kind = match &request {
            Request::Ping {} => HandshakeRequest::Ping,
            Request::AuthMechList {} => HandshakeRequest::Offer,
            _ => HandshakeRequest::Step,
        };
        let options = RequestOptions::default();
        let deadline = self.started + self.config.handshake_timeout;
        let id = self.send(now, Call::new(&request, &options), version, deadline, Owner::Handshake);
        self.handshake_requests.push((id, kind));
        if let Request::Auth { response, .. } = request {
            self.out.wipe_when_sent();
            wipe_if_unique(response.0);
        }
    }

    /// Ends the session after an incomplete message.
    pub(super) fn end_incomplete(&mut self) {
        let violation = self.decoder.incomplete();
        self.end(Disconnect::Violation(violation));
    }

    pub(super) fn decode(&mut self, now: Instant) {
        while !self.is_closed() && self.events.len() < self.config.max_events {
            let in_flight = &self.in_flight;
            match self.decoder.poll(|id| in_flight.get(id).map(|operation| operation.context)) {
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
                Some(Err(violation)) => {
                    let other = OtherProtocol::of(&violation);
                    self.end(other.map_or(Disconnect::Violation(violation), Disconnect::OtherProtocol));
                }
            }
            // Closes before decoding more: bytes behind the last reply must not turn a clean end into a violation.
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
            Owner::Abandoned => {
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
            self.remove_listener_of(id.0);
        }
        let token = operation.token;
        let result = match reply.body {
            Body::Error(message) => {
                if let Some(topology) = reply.topology {
                    self.events.push_back(Event::Topology { id, token, topology });
                }
                Err(OperationError::Server { operation: operation.context.operation, status: reply.status, message })
            }
            _ => Ok(reply),
        };
        self.events.push_back(Event::Completed { id, token, result });
    }

    /// Handles an error without a request in flight: the server could not read a request.
    fn handle_stray_error(&mut self, reply: Reply) {
        // During negotiation, the unreadable request is the PING, in a version unknown to the server.
        if let State::Handshake(handshake) = &self.state
            && handshake.version().is_none()
            && let Some((ping, _)) =
                self.handshake_requests.iter().find(|(_, request)| *request == HandshakeRequest::Ping)
        {
            let message_id = *ping;
            self.in_flight.remove(message_id);
            return self.continue_handshake(self.last_received, Reply { message_id, ..reply });
        }
        let message = match reply.body {
            Body::Error(message) => message,
            _ => String::new(),
        };
        self.end(Disconnect::ServerLostTrack { status: reply.status, message });
    }

    fn continue_handshake(&mut self, now: Instant, reply: Reply) {
        let State::Handshake(handshake) = &mut self.state else { return };
        let Some(index) = self.handshake_requests.iter().position(|(id, _)| *id == reply.message_id) else { return };
        let (_, request) = self.handshake_requests.swap_remove(index);
        let next = handshake.handle_reply(request, reply);
        self.proceed(now, next);
    }

    fn proceed(&mut self, now: Instant, next: Result<Action, Disconnect>) {
        match next {
            Ok(Action::Send(request, version)) => self.send_handshake(now, request, version),
            Ok(Action::Wait) => {}
            Ok(Action::Resume) => self.next_slice = Some(now + NEXT_SLICE),
            Ok(Action::Ready) => self.finish_handshake(now),
            Err(reason) => self.end(reason),
        }
    }

    fn finish_handshake(&mut self, now: Instant) {
        let State::Handshake(handshake) = core::mem::replace(&mut self.state, State::Ready) else { return };
        self.version = handshake.version().unwrap_or(self.version);
        // A reply to AUTH_MECH_LIST may be outstanding if the list was not needed.
        for (id, _) in self.handshake_requests.drain(..) {
            if let Some(operation) = self.in_flight.get_mut(id) {
                operation.owner = Owner::Abandoned;
            }
        }
        self.last_received = now;
        let (ping, authentication) = handshake.into_results();
        self.authentication = authentication;
        let wire::Ping { key_type, value_type, server_version, operations } = ping;
        let version = self.version;
        self.events.push_back(Event::Ready(Box::new(Ready {
            version,
            server_version,
            operations,
            key_type,
            value_type,
        })));
    }

    fn expire(&mut self, now: Instant) {
        let mut earliest: Option<Instant> = None;
        for (id, operation) in self.in_flight.iter_mut().filter(|(_, operation)| operation.owner == Owner::Host) {
            if operation.deadline == NEVER {
                continue;
            }
            if operation.deadline > now {
                earliest = Some(earliest.map_or(operation.deadline, |earliest| earliest.min(operation.deadline)));
                continue;
            }
            operation.owner = Owner::Abandoned;
            self.messages.iter_mut().for_each(|messages| messages.cancel(id));
            // Unsent bytes are sent all the same: they are in the middle of the stream.
            let applied = Applied::Unknown;
            let after = now - operation.submitted;
            let error = OperationError::TimedOut { operation: operation.context.operation, after, applied };
            self.events.push_back(Event::Completed { id: OperationId(id), token: operation.token, result: Err(error) });
        }
        self.earliest_deadline = earliest;
    }

    pub(super) fn remove_listener_of(&mut self, id: u64) {
        self.listeners.retain(|_, added_by| *added_by != id);
    }

    pub(super) fn end_if_drained(&mut self) {
        let waiting = |in_flight: &InFlightTable| in_flight.iter().any(|(_, operation)| operation.owner == Owner::Host);
        if matches!(self.state, State::Draining) && !waiting(&self.in_flight) {
            self.end(Disconnect::Closed);
        }
    }

    /// Ends the session, and completes every operation in flight with an error.
    pub(super) fn end(&mut self, reason: Disconnect) {
        if self.is_closed() {
            return;
        }
        self.state = State::Closed;
        let reason = Arc::new(reason);
        let sent = self.link_sent();
        for (id, operation) in self.in_flight.drain() {
            if operation.owner != Owner::Host {
                continue;
            }
            let applied = if operation.sent_at > sent { Applied::No } else { Applied::Unknown };
            let error = OperationError::Disconnected {
                operation: operation.context.operation,
                reason: reason.clone(),
                applied,
            };
            self.events.push_back(Event::Completed { id: OperationId(id), token: operation.token, result: Err(error) });
        }
        self.events.push_back(Event::Closed(reason));
        self.out.clear();
        if let Some(messages) = &mut self.messages {
            messages.clear();
        }
        self.listeners.clear();
        self.handshake_requests.clear();
        self.next_slice = None;
        self.earliest_deadline = None;
    }
}
