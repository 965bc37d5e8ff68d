//! Sessions: their beginning, events, timeouts and end.

use alloc::boxed::Box;
use alloc::format;

use super::http2::code_of;
use super::link::{Link, LinkId, Stage};
use super::open_session::{OpenSession, Purpose, SessionId};
use super::{Scope, Transport};
use crate::carriage::Form;
use crate::cluster::config::Config;
use crate::cluster::discovery::endpoint::Endpoint;
use crate::cluster::members::MemberId;
use crate::cluster::output::Output;
use crate::session::{self, Disconnect, Session, SubmitError};
use crate::time::Instant;
use crate::wire::{self, Request, RequestOptions};

/// A member whose sessions all have this many operations gets another session, if it may have one.
const FULL_SESSION: usize = 64;

/// A session that was removed.
pub(in crate::cluster) struct Ended {
    pub(in crate::cluster) member: MemberId,
    pub(in crate::cluster) purpose: Purpose,
    pub(in crate::cluster) endpoint: Option<Endpoint>,
    /// Whether the negotiation was over.
    pub(in crate::cluster) was_negotiated: bool,
}

/// A link or a session that is due.
pub(in crate::cluster) enum Due {
    Session(SessionId),
    Link(LinkId),
}

/// What the timeout of a session asks for.
pub(in crate::cluster) enum Timeout {
    Nothing,
    /// Another link is tried for it.
    Moved,
    /// Its link did not come to carry it in time.
    NotConnected,
    /// It was idle, and its member has another session.
    Spare,
    /// It is being established for so long that its operations should not wait for it.
    Late,
    /// Nothing was received for some time although operations are in flight.
    Silent,
    /// Nothing was received for the keep-alive interval. `is_paused` while a listener's queue is full.
    Quiet {
        is_paused: bool,
    },
}

impl Transport {
    /// Begins a session with a member, on a link that the host may have to be asked for. Call [`start`](Self::start) when
    /// discovery knows it.
    pub(in crate::cluster) fn begin(
        &mut self,
        scope: &mut Scope<'_>,
        member: MemberId,
        purpose: Purpose,
        endpoint: Endpoint,
    ) -> SessionId {
        let session = self.insert(scope, member, purpose, endpoint);
        if let Some(sessions) = self.by_member.entry(member).map(slotmap::secondary::Entry::or_default) {
            sessions.add(session, purpose);
        }
        session
    }

    /// Begins a session with whichever member answers at the endpoint of a seed; as [`begin`](Self::begin). It serves no
    /// operations before [`assign`](Self::assign).
    pub(in crate::cluster) fn begin_unassigned(
        &mut self,
        scope: &mut Scope<'_>,
        seed: MemberId,
        endpoint: Endpoint,
    ) -> SessionId {
        let session = self.insert(scope, seed, Purpose::Operations, endpoint);
        if let Some(open) = self.sessions.get_mut(session) {
            open.seed = Some(seed);
        }
        session
    }

    fn insert(&mut self, scope: &mut Scope<'_>, member: MemberId, purpose: Purpose, endpoint: Endpoint) -> SessionId {
        let link = self.link_to(scope, (member, purpose), endpoint, None);
        self.sessions.insert(OpenSession::new(member, purpose, scope.members.site(), link, scope.config, scope.now))
    }

    /// Has the link of a session carry it, at once or when the link is established.
    pub(in crate::cluster) fn start(&mut self, scope: &mut Scope<'_>, session: SessionId) {
        let Some(link) = self.sessions.get(session).map(OpenSession::link) else { return };
        self.join_link(scope, session, link);
        self.set_timeout(scope.config, session);
    }

    /// Makes a session one of a member's.
    pub(in crate::cluster) fn assign(&mut self, session: SessionId, member: MemberId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let (before, purpose) = (core::mem::replace(&mut open.member, member), open.purpose);
        self.unlist(session, before);
        if let Some(sessions) = self.by_member.entry(member).map(slotmap::secondary::Entry::or_default) {
            sessions.add(session, purpose);
        }
    }

    /// Has a session serve no operations until it is known which member answers.
    pub(in crate::cluster) fn unassign(&mut self, session: SessionId, seed: MemberId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let before = core::mem::replace(&mut open.member, seed);
        self.unlist(session, before);
    }

    /// Gives no further operations for a member to a session.
    pub(in crate::cluster) fn unlist(&mut self, session: SessionId, member: MemberId) {
        if let Some(sessions) = self.by_member.get_mut(member) {
            sessions.remove(session);
        }
    }

    /// Begins the handshake of a session whose link carries it from now on.
    pub(in crate::cluster) fn open_session(&mut self, scope: &mut Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get(session) else { return };
        let seed = scope.entropy.seed();
        let mut config = scope.config.session.clone();
        if let Some(authentication) = &mut config.authentication {
            authentication.channel_binding = self.channel_binding_of(scope.config, open.link);
            if let Some(salted_passwords) = &self.salted_passwords {
                authentication.salted_passwords = salted_passwords.clone();
            }
        }
        let mut protocol = Box::new(Session::new(config, seed, scope.now));
        if self.form_of(open) == Some(Form::Frames) {
            protocol.use_messages();
        }
        if let Some(open) = self.sessions.get_mut(session) {
            open.protocol = Some(protocol);
        }
        self.set_timeout(scope.config, session);
        self.report_bytes_of(scope, session);
    }

    /// The first session that may have events.
    pub(in crate::cluster) fn first_with_events(&self) -> Option<SessionId> {
        self.with_events.front().copied()
    }

    /// The next event of a session. After `None` the next session is the [first](Self::first_with_events).
    pub(in crate::cluster) fn poll_event(&mut self, session: SessionId) -> Option<session::Event> {
        let open = self.sessions.get_mut(session);
        let event = open.and_then(|open| open.protocol.as_deref_mut()).and_then(Session::poll_event);
        if event.is_none() {
            self.with_events.pop_front();
            if let Some(open) = self.sessions.get_mut(session) {
                open.has_events = false;
            }
        }
        event
    }

    /// Has the events of a session polled.
    pub(in crate::cluster) fn schedule_events(&mut self, scope: &Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let is_deriving = open.is_deriving();
        if !open.has_events {
            open.has_events = true;
            self.with_events.push_back(session);
        }
        if is_deriving {
            // Its next slice is due earlier than its timer.
            self.set_timeout(scope.config, session);
        }
    }

    /// Notes the result of a negotiation.
    pub(in crate::cluster) fn note_negotiated(&mut self, session: SessionId, ready: Box<session::Ready>) {
        if let Some(open) = self.sessions.get_mut(session) {
            open.negotiated = Some(ready);
        }
    }

    /// A session is ready for operations.
    pub(in crate::cluster) fn note_ready(&mut self, scope: &Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        open.quiet_since = scope.now;
        // Not before: a server may authenticate slowly.
        open.protocol.iter_mut().for_each(|protocol| protocol.set_stall_timeout(scope.config.longest_silence()));
        if let Some(used) = open.protocol.as_ref().and_then(|protocol| protocol.authentication()) {
            self.salted_passwords = Some(used.salted_passwords.clone());
        }
    }

    /// An operation of a session has ended. Returns whether it is the first one that was answered there.
    pub(in crate::cluster) fn note_ended(&mut self, session: SessionId, is_answered: bool) -> bool {
        let Some(open) = self.sessions.get_mut(session) else { return false };
        open.answered += u64::from(is_answered);
        if is_answered {
            open.isolation.note_answered();
        }
        is_answered && open.answered == 1
    }

    /// Reports that a session has bytes to send, if it has.
    pub(in crate::cluster) fn report_bytes_of(&mut self, scope: &mut Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get(session) else { return };
        let link = open.link;
        if open.channel.is_some() {
            self.send_session(scope, session);
        }
        self.report_transmit(scope, link);
    }

    /// Sets the timer of a session that has none.
    pub(in crate::cluster) fn ensure_timeout(&mut self, config: &Config, session: SessionId) {
        if !self.session_timers.is_set(session) {
            self.set_timeout(config, session);
        }
    }

    /// Sets the timer of a session. It may ring early, never late: whatever may bring it forward (its link, an operation
    /// with an earlier deadline) comes here.
    pub(in crate::cluster) fn set_timeout(&mut self, config: &Config, session: SessionId) {
        let Some(open) = self.sessions.get(session) else { return };
        let late = late_due(open);
        let wanted = match &open.protocol {
            None => [Some(open.until), late].into_iter().flatten().min(),
            Some(protocol) => {
                let quiet = open.is_ready().then(|| open.quiet_since + self.longest_quiet(config, session, open));
                [protocol.poll_timeout(), quiet, late, silence_due(open)].into_iter().flatten().min()
            }
        };
        if let Some(wanted) = wanted {
            self.session_timers.bring_forward(session, wanted);
        }
    }

    /// How long a session may be quiet: the idle timeout of a spare one, the keep-alive interval of others.
    fn longest_quiet(&self, config: &Config, session: SessionId, open: &OpenSession) -> core::time::Duration {
        if self.is_spare(session, open) { config.idle_timeout } else { config.keep_alive }
    }

    /// Whether it is a session beyond the first of its member.
    fn is_spare(&self, session: SessionId, open: &OpenSession) -> bool {
        let is_first = || self.first_session(open.member) == Some(session);
        matches!(open.purpose, Purpose::LargeValues | Purpose::Suspects)
            || open.purpose == Purpose::Operations && !is_first()
    }

    /// The next session or link whose timer has rung, sessions first. A session that derives a key is left out, unless
    /// `may_derive`.
    pub(in crate::cluster) fn pop_due(&mut self, now: Instant, may_derive: bool) -> Option<Due> {
        let is_served = |session| may_derive || !self.is_deriving(session);
        let session = self.session_timers.due(now, is_served);
        let link = self.link_timers.due(now, |_| true);
        match (session, link) {
            (Some((at, session)), link) if link.is_none_or(|(other, _)| at <= other) => {
                self.session_timers.remove(session);
                Some(Due::Session(session))
            }
            (_, Some((_, link))) => {
                self.link_timers.remove(link);
                Some(Due::Link(link))
            }
            (_, None) => None,
        }
    }

    pub(in crate::cluster) fn is_deriving(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(OpenSession::is_deriving)
    }

    /// Passes time to the HTTP/2 connection of a link; closes one that could not send its last bytes.
    pub(in crate::cluster) fn handle_link_timeout(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        self.end_closing(scope, link);
        if let Some(carried) = self.links.get_mut(link).and_then(Link::carried_mut) {
            carried.handle_timeout(scope.now);
        }
    }

    /// Passes time to a session.
    pub(in crate::cluster) fn handle_session_timeout(&mut self, scope: &mut Scope<'_>, session: SessionId) -> Timeout {
        let now = scope.now;
        let Some(open) = self.sessions.get(session) else { return Timeout::Nothing };
        let quiet_until = open.quiet_since + self.longest_quiet(scope.config, session, open);
        let is_spare = self.is_spare(session, open);
        let is_late = late_due(open).is_some_and(|due| due <= now);
        let is_too_late = open.protocol.is_none() && open.until <= now;
        if is_too_late {
            let is_moved = self.survive_silence(scope, session);
            return if is_moved { Timeout::Moved } else { Timeout::NotConnected };
        }
        let Some(open) = self.sessions.get_mut(session) else { return Timeout::Nothing };
        open.protocol.iter_mut().for_each(|protocol| protocol.handle_timeout(now));
        if is_late {
            open.late_since = Some(now);
            return Timeout::Late;
        }
        if silence_due(open).is_some_and(|due| due <= now) && self.note_silence(session) {
            return Timeout::Silent;
        }
        let Some(open) = self.sessions.get_mut(session).filter(|open| open.is_ready() && quiet_until <= now) else {
            return Timeout::Nothing;
        };
        if is_spare {
            return Timeout::Spare;
        }
        open.quiet_since = now;
        Timeout::Quiet { is_paused: open.full_listeners > 0 }
    }

    /// Closes a session for events at once: an answer may stand behind events that the application does not take any more.
    /// Lets the operations of others finish. Returns false if it is not carried yet.
    pub(in crate::cluster) fn close_for_good(&mut self, scope: &Scope<'_>, session: SessionId) -> bool {
        if let Some(open) = self.sessions.get_mut(session)
            && let (Purpose::Events, Some(protocol)) = (open.purpose, &mut open.protocol)
        {
            protocol.abort();
        }
        self.close(scope, session)
    }

    /// Notes that a ready session is silent. Returns false if nothing is awaited, or if this silence was noted before.
    pub(in crate::cluster) fn note_silence(&mut self, session: SessionId) -> bool {
        let Some(open) = self.sessions.get_mut(session).filter(|open| open.is_ready()) else { return false };
        let Some(protocol) = &mut open.protocol else { return false };
        let since = protocol.silent_since();
        if since.is_none() || since == open.silence {
            return false;
        }
        protocol.note_silence();
        open.silence = since;
        true
    }

    /// Lets the operations of a session finish, and closes it then. Returns false if it is not carried yet: there is
    /// nothing to finish.
    pub(in crate::cluster) fn close(&mut self, scope: &Scope<'_>, session: SessionId) -> bool {
        let Some(open) = self.sessions.get_mut(session) else { return false };
        let Some(protocol) = &mut open.protocol else { return false };
        if open.purpose == Purpose::Events && open.full_listeners > 0 {
            // Answers stand behind events that the application does not take.
            protocol.abort();
        } else {
            protocol.close();
        }
        self.schedule_events(scope, session);
        true
    }

    /// Notifies a session that what carried it is gone. Returns false if nothing had carried it yet.
    pub(in crate::cluster) fn lose(&mut self, scope: &Scope<'_>, session: SessionId, reason: &Disconnect) -> bool {
        let Some(open) = self.sessions.get_mut(session) else { return true };
        let Some(protocol) = &mut open.protocol else { return false };
        protocol.handle_lost(reason.clone());
        self.schedule_events(scope, session);
        true
    }

    /// Removes a session that has ended. Its place with its member is kept until [`unlist`](Self::unlist).
    pub(in crate::cluster) fn remove(
        &mut self,
        scope: &mut Scope<'_>,
        session: SessionId,
        reason: &Disconnect,
    ) -> Option<Ended> {
        let ended = self.sessions.remove(session)?;
        self.session_timers.remove(session);
        if let (Some(channel), Some(carried)) =
            (ended.channel, self.links.get_mut(ended.link).and_then(Link::carried_mut))
        {
            carried.close(channel, code_of(reason));
            self.report_transmit(scope, ended.link);
        }
        let endpoint = self.endpoint_of(ended.link).cloned();
        self.leave_link(scope, ended.link, session);
        if let Some(protocol) = &ended.protocol {
            scope.counters.bytes_sent += protocol.transmit().sent();
            scope.counters.bytes_received += protocol.received();
        }
        let (member, purpose) = (ended.member, ended.purpose);
        Some(Ended { member, purpose, endpoint, was_negotiated: ended.negotiated.is_some() })
    }

    /// Picks the session with a member for an operation; `None` if another should be begun. `queued` is the number of
    /// operations in the queue of a session; `same` pins stateful operations to one session; `alone` has a registration not
    /// wait behind another.
    pub(in crate::cluster) fn session_for(
        &self,
        config: &Config,
        member: MemberId,
        purpose: Purpose,
        (same, alone): (bool, bool),
        queued: impl Fn(SessionId) -> usize,
    ) -> Option<SessionId> {
        let sessions = self.by_member.get(member)?;
        match purpose {
            Purpose::Events => {
                sessions.events.iter().copied().find(|session| self.takes_registration(*session, alone, &queued))
            }
            Purpose::LargeValues => sessions.large_values,
            Purpose::Suspects => sessions.suspects,
            Purpose::Operations if same || sessions.operations.len() < 2 && config.links_per_member < 2 => {
                sessions.operations.first().copied()
            }
            Purpose::Operations => self.least_loaded(config, &sessions.operations, queued),
        }
    }

    /// Whether a registration is answered by a session without waiting for an application that takes events slowly.
    fn takes_registration(&self, session: SessionId, alone: bool, queued: impl Fn(SessionId) -> usize) -> bool {
        self.sessions.get(session).is_some_and(|open| {
            let is_idle = open.in_flight() + queued(session) == 0;
            open.full_listeners == 0 && (is_idle || !alone)
        })
    }

    /// The session with the fewest operations; `None` if another may and should be begun.
    fn least_loaded(
        &self,
        config: &Config,
        sessions: &[SessionId],
        queued: impl Fn(SessionId) -> usize,
    ) -> Option<SessionId> {
        let open = sessions.iter().filter_map(|id| Some((*id, self.sessions.get(*id)?)));
        // One that is being established takes its share when it is ready.
        let loads = open.map(|(id, session)| (id, session.in_flight() + queued(id)));
        let (session, load) = loads.min_by_key(|(_, load)| *load)?;
        (load < FULL_SESSION || sessions.len() >= config.links_per_member).then_some(session)
    }

    /// Submits an operation to a session, which watches its deadline from now on. `is_exclusive` if nothing may be in flight
    /// beside it, where the session is one for suspects.
    pub(in crate::cluster) fn submit(
        &mut self,
        scope: &Scope<'_>,
        session: SessionId,
        (deadline, is_exclusive): (Instant, bool),
        call: session::Call<'_>,
    ) -> Result<session::OperationId, SubmitError> {
        let Some(open) = self.sessions.get_mut(session) else { return Err(SubmitError::Closed) };
        let Some(protocol) = open.protocol.as_deref_mut() else { return Err(SubmitError::NotReady) };
        let in_flight = protocol.in_flight();
        let is_paced = open.purpose == Purpose::Suspects && call.request.operation() != wire::Operation::Ping;
        if is_paced && !open.isolation.has_room(in_flight, is_exclusive) {
            return Err(SubmitError::Full { in_flight, send_bytes: 0 });
        }
        let id = protocol.submit(scope.now, call)?;
        if is_paced {
            open.isolation.note_submitted(in_flight, is_exclusive);
        }
        open.quiet_since = scope.now;
        let silent = scope.now + open.suspicious_silence;
        self.session_timers.bring_forward(session, deadline.min(silent));
        Ok(id)
    }

    /// Submits an operation whose answer nobody waits for. Returns false if the session is too full for it.
    pub(in crate::cluster) fn submit_unanswered(
        &mut self,
        now: Instant,
        session: SessionId,
        request: &Request,
        options: &RequestOptions,
    ) -> bool {
        let Some(open) = self.sessions.get_mut(session) else { return true };
        let Some(protocol) = &mut open.protocol else { return true };
        let submitted = protocol.submit(now, session::Call::new(request, options));
        submitted.map(|id| protocol.cancel(id)).is_ok()
    }

    /// Waits for the answer to an operation in flight as long as the session lasts.
    pub(in crate::cluster) fn lift_deadline(&mut self, session: SessionId, operation: session::OperationId) {
        let protocol = self.sessions.get_mut(session).and_then(|open| open.protocol.as_deref_mut());
        protocol.into_iter().for_each(|protocol| protocol.lift_deadline(operation));
    }

    /// Gives up an operation in flight.
    pub(in crate::cluster) fn cancel(&mut self, session: SessionId, operation: session::OperationId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        if let Some(protocol) = &mut open.protocol {
            protocol.cancel(operation);
        }
        self.list(session);
    }

    /// Returns whether a session rejects this request only because of queued fragments.
    pub(in crate::cluster) fn waits_for_fragments(&self, session: SessionId, request: &Request) -> bool {
        let protocol = self.sessions.get(session).and_then(|open| open.protocol.as_ref());
        protocol.is_some_and(|protocol| protocol.waits_for_fragments(request))
    }

    /// Stops reading a session because the queue of one more listener is full.
    pub(in crate::cluster) fn pause(&mut self, scope: &mut Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        open.full_listeners += 1;
        if open.full_listeners == 1 {
            open.protocol.as_mut().into_iter().for_each(|protocol| protocol.hold());
            self.hold(scope, session, true);
        }
    }

    /// Reads a session again when no listener's queue is full any more.
    pub(in crate::cluster) fn resume(&mut self, scope: &mut Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        open.full_listeners -= 1;
        if open.full_listeners == 0 {
            open.quiet_since = scope.now;
            open.protocol.as_mut().into_iter().for_each(|protocol| protocol.resume(scope.now));
            self.hold(scope, session, false);
            self.set_timeout(scope.config, session);
        }
    }

    /// Has the host not read the link of a session, or the link give no credit for its stream.
    fn hold(&mut self, scope: &mut Scope<'_>, session: SessionId, hold: bool) {
        let Some(open) = self.sessions.get(session) else { return };
        let link = open.link;
        match (self.links.get_mut(link).and_then(Link::carried_mut), open.channel) {
            (Some(carried), Some(channel)) => {
                carried.pause(channel, hold);
                self.report_transmit(scope, link);
            }
            _ if hold => scope.outputs.push_back(Output::Pause { link }),
            _ => scope.outputs.push_back(Output::Resume { link }),
        }
    }

    /// Takes bytes that the host has appended to the receive buffer of a link. Returns the reason for which the link ends,
    /// if it does.
    pub(in crate::cluster) fn handle_filled(
        &mut self,
        scope: &mut Scope<'_>,
        link: LinkId,
    ) -> Result<Filled, Disconnect> {
        let Some(open) = self.links.get_mut(link) else { return Ok(Filled::Nothing) };
        match &mut open.stage {
            Stage::Connecting | Stage::Securing if open.early.len() > MAX_EARLY => {
                let reason = format!("{} bytes came before the connection was established", open.early.len());
                return Err(Disconnect::LinkLost(reason));
            }
            Stage::Connecting | Stage::Securing => {}
            Stage::Closing(_) => open.early.clear(),
            Stage::Tunnelling(_) => self.handle_proxy_filled(scope, link)?,
            Stage::AwaitingResponse(exchange, _) => {
                exchange.handle_filled();
                return Ok(Filled::Exchange);
            }
            Stage::Raw(session) => {
                let session = *session;
                if let Some(open) = self.sessions.get_mut(session)
                    && let Some(protocol) = open.protocol.as_deref_mut()
                {
                    open.quiet_since = scope.now;
                    protocol.handle_filled(scope.now);
                    self.schedule_events(scope, session);
                }
            }
            Stage::Carried(carried) => {
                carried.handle_filled(scope.now);
                return Ok(Filled::Carried);
            }
        }
        Ok(Filled::Nothing)
    }

    /// The host has sent the first `count` bytes. Returns which sessions may have room again.
    pub(in crate::cluster) fn note_transmitted(&mut self, link: LinkId, count: usize) -> Sent {
        let Some(open) = self.links.get_mut(link) else { return Sent::Nothing };
        match &mut open.stage {
            Stage::Connecting | Stage::Securing => return Sent::Nothing,
            Stage::Tunnelling(tunnel) => tunnel.transmitted(count),
            Stage::AwaitingResponse(exchange, _) => exchange.transmitted(count),
            Stage::Raw(session) => {
                let session = *session;
                let Some(open) = self.sessions.get_mut(session) else { return Sent::Nothing };
                open.protocol.as_deref_mut().into_iter().for_each(|protocol| protocol.transmitted(count));
                return Sent::Raw(session);
            }
            Stage::Carried(carried) => {
                carried.transmitted(count);
                self.note_sent(link);
                return Sent::Carried;
            }
            Stage::Closing(last) => {
                last.advance(count);
                return if last.is_empty() { Sent::Last } else { Sent::Handshake };
            }
        }
        Sent::Handshake
    }
}

/// Time at which operations no longer wait for a session that is being established; `None` once they do not.
fn late_due(open: &OpenSession) -> Option<Instant> {
    (open.late_since.is_none() && open.negotiated.is_none()).then_some(open.late_from)
}

/// Time at which a ready session is asked for a sign of life; `None` if nothing is awaited, or if it was asked.
fn silence_due(open: &OpenSession) -> Option<Instant> {
    let since = open.protocol.as_ref().filter(|protocol| protocol.is_ready())?.silent_since()?;
    (open.silence != Some(since)).then(|| since + open.suspicious_silence)
}

/// Most bytes that are kept of a link before the host reports the connection. A server that sends first sends SETTINGS; a
/// host may report the connection one read later.
const MAX_EARLY: usize = 1 << 20;

/// Result of [`Transport::handle_filled`].
pub(in crate::cluster) enum Filled {
    Nothing,
    /// Poll [`Transport::poll_exchange`].
    Exchange,
    /// Poll [`Transport::poll_carried`].
    Carried,
}

/// Result of [`Transport::note_transmitted`].
pub(in crate::cluster) enum Sent {
    /// The link carries nothing (any more).
    Nothing,
    /// Bytes before the first of a session, or behind its last.
    Handshake,
    /// The last bytes of a link.
    Last,
    Raw(SessionId),
    /// Those of [`Transport::next_served`], when the link's events are handled.
    Carried,
}

#[cfg(test)]
mod tests {
    use alloc::collections::VecDeque;

    use super::*;
    use crate::cluster::backoff::Entropy;
    use crate::cluster::counters::Counters;
    use crate::cluster::discovery::Discovery;
    use crate::cluster::members::Members;

    /// Otherwise a run would depend on when its host notices the end of a link.
    #[test]
    fn a_session_that_is_gone_takes_no_randomness() {
        let (config, mut entropy) = (Config::default(), Entropy::new([7; 32]));
        let mut scope = Scope {
            config: &config,
            now: Instant::EPOCH,
            members: &Members::default(),
            discovery: &Discovery::new(&config),
            outputs: &mut VecDeque::new(),
            counters: &mut Counters::default(),
            entropy: &mut entropy,
        };
        Transport::default().open_session(&mut scope, SessionId::default());
        assert_eq!(entropy.number(), Entropy::new([7; 32]).number());
    }
}
