//! Sessions: their events, their timeouts, and what is handed to them.

use alloc::boxed::Box;
use alloc::sync::Arc;

use slotmap::{Key, KeyData};

use crate::carriage::Form;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::OperationId;
use crate::cluster::operations::table::Place;
use crate::cluster::output::{ClusterError, Event, Output};
use crate::cluster::transport::conversation::{Conversation, Purpose, SessionId};
use crate::cluster::transport::link::{Link, LinkId};
use crate::session::{self, Disconnect, Session, SubmitError};
use crate::wire;

/// A member whose sessions all have so many operations to do gets another session, if it may have one.
const FULL_SESSION: usize = 64;

impl Cluster {
    /// A session for a member, on a link of which the host may have to be asked for. `None` while no endpoint may be asked
    /// for that member: then what waits for it is tried again when one may be.
    pub(in crate::cluster) fn begin_session(&mut self, member: MemberId, purpose: Purpose) -> Option<SessionId> {
        let (now, timeout) = (self.now, self.config.connect_timeout);
        if let Some(until) = self.paused_until(member) {
            self.operations.retry_by(until);
            return None;
        }
        let endpoint = self.endpoint_of(member)?;
        let link = self.link_to(member, endpoint, None);
        let mut open = Conversation::new(member, purpose, self.site, link, now + timeout, now);
        if let Some((_, cookies)) = self.jar.of(member) {
            open.cookies = cookies.clone();
        }
        let session = self.sessions.insert(open);
        self.join_link(session, link);
        if let Some(known) = self.members.get_mut(member) {
            known.take_session(session, purpose);
        }
        self.set_timeout(session);
        Some(session)
    }

    /// Its link carries it from now on.
    pub(in crate::cluster) fn open_session(&mut self, session: SessionId) {
        let seed = self.entropy.seed();
        let Some(open) = self.sessions.get(session) else { return };
        let mut config = self.config.session.clone();
        if let Some(authentication) = &mut config.authentication {
            authentication.channel_binding = self.channel_of(open.link);
        }
        let mut machine = Box::new(Session::new(config, seed, self.now));
        let carried = self.links.get(open.link).and_then(Link::carried);
        if let (Some(channel), Some(carried)) = (open.channel, carried)
            && carried.form(channel) == Some(Form::Frames)
        {
            machine.use_messages();
        }
        if let Some(open) = self.sessions.get_mut(session) {
            open.machine = Some(machine);
        }
        self.set_timeout(session);
        self.refresh(session);
    }

    /// The next event of a session, if there is one; what it brings goes where it belongs.
    pub(in crate::cluster) fn poll_sessions(&mut self) -> bool {
        let Some(&session) = self.with_events.front() else { return false };
        let machine = self.sessions.get_mut(session).and_then(|open| open.machine.as_mut());
        let event = machine.and_then(|machine| machine.poll_event());
        if let Some(event) = event {
            self.handle_session_event(session, event);
        } else {
            self.with_events.pop_front();
            if let Some(session) = self.sessions.get_mut(session) {
                session.has_events = false;
            }
            self.refresh(session);
        }
        true
    }

    fn handle_session_event(&mut self, session: SessionId, event: session::Event) {
        let Some((member, link)) = self.sessions.get(session).map(|open| (open.member, open.link)) else { return };
        match event {
            session::Event::Ready(ready) => {
                if let Some(open) = self.sessions.get_mut(session) {
                    open.negotiated = Some(Box::new(ready));
                }
                self.handle_ready(session, member);
            }
            session::Event::Completed { token, result, .. } => {
                let id = OperationId::from(KeyData::from_ffi(token));
                if self.operations.get(id).is_some_and(|operation| operation.place().is_in_flight_at(session)) {
                    self.handle_answer(id, session, member, result);
                }
            }
            session::Event::Topology { token, topology, .. } => {
                // Of an operation that is over there is nothing to know any more: the next one brings it again.
                let id = OperationId::from(KeyData::from_ffi(token));
                if let Some(cache) = self.operations.get(id).map(|operation| operation.cache) {
                    self.apply(cache, session, *topology);
                }
            }
            session::Event::Entry(event) => self.handle_entry_event(session, link, event),
            session::Event::Counter(event) => {
                if let Some(listener) = self.listener_of(&event.listener_id) {
                    self.tell_event(listener, session, Event::Counter { listener, link, event });
                }
            }
            session::Event::Closed(reason) => self.end_session(session, reason),
        }
    }

    fn handle_entry_event(&mut self, session: SessionId, link: LinkId, event: wire::Event) {
        let Some(listener) = self.listener_of(&event.listener_id) else { return };
        match self.near_cache_of(listener) {
            Some(cache) => self.handle_near_event(cache, &event),
            None => self.tell_event(listener, session, Event::Entry { listener, link, event }),
        }
    }

    /// A session with a member is ready.
    pub(in crate::cluster) fn handle_ready(&mut self, session: SessionId, member: MemberId) {
        if self.is_candidate(session) {
            return self.candidate_is_ready(session);
        }
        let used = self.sessions.get(session).and_then(|open| open.machine.as_ref()?.authentication());
        if let (Some(settings), Some(used)) = (&mut self.config.session.authentication, used) {
            // Spares the next session the derivation of the salted password.
            settings.salted_passwords = used.salted_passwords.clone();
        }
        if let Some(open) = self.sessions.get_mut(session) {
            open.quiet_since = self.now;
        }
        if let Some(link) = self.sessions.get(session).map(|open| open.link) {
            self.tell_found(link);
        }
        if let Some(known) = self.members.get_mut(member) {
            // It failed the last time, and a session says little: only an answer ends that.
            known.retry_at = None;
            let address = known.address.clone();
            let alpn = self.sessions.get(session).and_then(|open| self.links.get(open.link)?.alpn.clone());
            self.outputs.push_back(Output::Event(Event::MemberReady { member, address, alpn }));
            self.has_started();
        }
        self.set_timeout(session);
        self.note_degradation();
        self.note_coverage();
        self.submit_queued(session);
        self.leave_draining(member);
        // After that: this session may itself be one that only its queue has kept.
        self.release_unneeded();
        self.retry_waiting();
    }

    /// Has the events of a session looked at by the next poll.
    pub(in crate::cluster) fn look_at(&mut self, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let is_deriving = open.is_deriving();
        if !open.has_events {
            open.has_events = true;
            self.with_events.push_back(session);
        }
        if is_deriving {
            // Its next slice is due earlier than what it stands in the table with.
            self.set_timeout(session);
        }
    }

    /// Gives a session what waits for it, and tells the host what has changed.
    pub(in crate::cluster) fn refresh(&mut self, session: SessionId) {
        self.submit_queued(session);
        self.tell_bytes_of(session);
        if !self.session_timers.is_set(session) {
            self.set_timeout(session);
        }
    }

    /// Tells the host that a session has bytes to send, if it has.
    pub(in crate::cluster) fn tell_bytes_of(&mut self, session: SessionId) {
        let Some(open) = self.sessions.get(session) else { return };
        let link = open.link;
        if open.channel.is_some() {
            self.carry(session);
        }
        self.tell_to_transmit(link);
    }

    /// Has the session looked at when it wants to be. Its time in the table may be earlier, never later: whatever may
    /// bring it forward (its link, an operation with an earlier deadline) comes here.
    pub(in crate::cluster) fn set_timeout(&mut self, session: SessionId) {
        let Some(open) = self.sessions.get(session) else { return };
        let wanted = match &open.machine {
            None => Some(open.until),
            Some(machine) => {
                let quiet = open.is_ready().then(|| open.quiet_since + self.longest_quiet(session, open));
                [machine.poll_timeout(), quiet].into_iter().flatten().min()
            }
        };
        if let Some(wanted) = wanted {
            self.session_timers.bring_forward(session, wanted);
        }
    }

    /// How long a session may be quiet until something is done about it.
    fn longest_quiet(&self, session: SessionId, open: &Conversation) -> core::time::Duration {
        if self.is_spare(session, open) { self.config.idle_timeout } else { self.config.keep_alive }
    }

    /// Whether it is a session beyond the first of its member.
    fn is_spare(&self, session: SessionId, open: &Conversation) -> bool {
        open.purpose == Purpose::Bulk
            || open.purpose == Purpose::Operations
                && self.members.get(open.member).is_some_and(|member| member.sessions.first() != Some(&session))
    }

    pub(in crate::cluster) fn handle_session_timeout(&mut self, session: SessionId) {
        let now = self.now;
        let Some(open) = self.sessions.get(session) else { return };
        let quiet_until = open.quiet_since + self.longest_quiet(session, open);
        let is_spare = self.is_spare(session, open);
        let is_late = open.machine.is_none() && open.until <= now;
        if is_late && self.survives_silence(session) {
            return;
        }
        let Some(open) = self.sessions.get_mut(session) else { return };
        match &mut open.machine {
            None if open.until <= now => {
                let timeout = self.config.connect_timeout.as_millis();
                let reason = Disconnect::LinkLost(alloc::format!("no connection within {timeout} ms"));
                return self.end_session(session, Arc::new(reason));
            }
            None => {}
            Some(machine) => {
                machine.handle_timeout(now);
                if machine.is_ready() && quiet_until <= now {
                    if is_spare {
                        return self.drain(session);
                    }
                    open.quiet_since = now;
                    let (member, purpose) = (open.member, open.purpose);
                    if open.full_listeners == 0 {
                        self.probe_by(member, purpose);
                    }
                }
            }
        }
        self.refresh(session);
        self.look_at(session);
    }

    /// Lets a session go: what it has finishes there, what waits for it goes elsewhere, and nothing new comes.
    pub(in crate::cluster) fn drain(&mut self, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let queued = self.operations.take_queue(session);
        let member = open.member;
        match &mut open.machine {
            Some(machine) => {
                machine.close();
                self.look_at(session);
                if let Some(member) = self.members.get_mut(member) {
                    member.forget_session(session);
                }
            }
            None => self.end_session(session, Arc::new(Disconnect::Closed)),
        }
        queued.into_iter().for_each(|id| self.redispatch(id));
    }

    /// The session to a member that an operation takes; a new one if there is none. `same` is for operations that speak of
    /// a state in the server: they all take one session.
    pub(in crate::cluster) fn session_for(
        &mut self,
        member: MemberId,
        purpose: Purpose,
        same: bool,
    ) -> Option<SessionId> {
        let known = self.members.get(member)?;
        let present = match purpose {
            Purpose::Events => known.events,
            Purpose::Bulk => known.bulk,
            Purpose::Operations if same || known.sessions.len() < 2 && self.config.links_per_member < 2 => {
                known.sessions.first().copied()
            }
            Purpose::Operations => self.least_loaded(&known.sessions),
        };
        // Where members are searched for there is no second session with the same one.
        let may_be_shared = purpose != Purpose::Events || !self.can_be_dialled(member, known);
        let other = known.sessions.first().copied().filter(|_| may_be_shared);
        // Where the endpoint gives no further session now, one that is there has to do.
        present.or_else(|| self.begin_session(member, purpose)).or(other)
    }

    /// The session with the least to do; `None` if another may and should be opened.
    fn least_loaded(&self, sessions: &[SessionId]) -> Option<SessionId> {
        let open = sessions.iter().filter_map(|id| Some((*id, self.sessions.get(*id)?)));
        // One that is being established takes its share when it is ready.
        let (session, load) = open
            .map(|(id, session)| (id, session.in_flight + self.operations.queued(id)))
            .min_by_key(|(_, load)| *load)?;
        (load < FULL_SESSION || sessions.len() >= self.config.links_per_member).then_some(session)
    }

    /// Hands a session what is queued for it, as far as it takes it.
    pub(in crate::cluster) fn submit_queued(&mut self, session: SessionId) {
        let is_ready = |cluster: &Self| cluster.sessions.get(session).is_some_and(Conversation::is_ready);
        while let Some(id) = self.operations.first_held_back(session)
            && is_ready(self)
            && self.submit_to(session, id)
        {}
        while let Some(id) = self.operations.first_in_order(session)
            && is_ready(self)
        {
            if !(self.submit_to(session, id) || self.hold_back(session, id)) {
                return;
            }
        }
    }

    /// Lets others pass the first operation in the queue of a session, if that does not take it because of those of its kind
    /// alone. Answers whether it is so.
    fn hold_back(&mut self, session: SessionId, id: OperationId) -> bool {
        let (Some(operation), Some(open)) = (self.operations.get(id), self.sessions.get_mut(session)) else {
            return false;
        };
        let is_held_back = open.machine.as_ref().is_some_and(|machine| machine.holds_back(&operation.request));
        if is_held_back {
            self.operations.hold_back_first(session);
        }
        is_held_back
    }

    /// Hands an operation to a session. Answers false if the session can't take it now.
    pub(in crate::cluster) fn submit_to(&mut self, session: SessionId, id: OperationId) -> bool {
        let (Some(operation), Some(open)) = (self.operations.get_mut(id), self.sessions.get_mut(session)) else {
            return false;
        };
        let member = open.member;
        let call = session::Call {
            request: &operation.request,
            options: &operation.options,
            topology_id: self.caches.view(operation.cache).map_or(0, |view| view.id),
            timeout: Some(operation.deadline - self.now),
            token: id.data().as_ffi(),
        };
        match open.machine.as_mut().map(|machine| machine.submit(self.now, call)) {
            Some(Ok(in_session)) => {
                operation.attempts = operation.attempts.saturating_add(1);
                open.in_flight += 1;
                open.quiet_since = self.now;
                let deadline = operation.deadline.min(self.now + self.config.session.stall_timeout);
                self.operations.place(id, Place::InFlight(session, in_session));
                self.session_timers.bring_forward(session, deadline);
            }
            None | Some(Err(SubmitError::Full { .. } | SubmitError::NotReady | SubmitError::Closed)) => return false,
            Some(Err(error)) => {
                let operation = operation.request.operation();
                self.complete(id, Some(member), Err(ClusterError::Refused { operation, error }));
            }
        }
        true
    }
}
