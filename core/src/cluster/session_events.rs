//! Sessions: which one an operation takes, and what their events mean to the rest of the machine.

use alloc::sync::Arc;

use slotmap::{Key, KeyData};

use super::cache::Cache;
use super::machine::Cluster;
use super::members::MemberId;
use super::operations::operation::OperationId;
use super::operations::table::Place;
use super::output::{ClusterError, Event, Output};
use super::transport::link::LinkId;
use super::transport::open_session::{OpenSession, Purpose, SessionId};
use super::transport::sessions::Timeout;
use crate::session::{self, Disconnect, SubmitError};
use crate::wire;

impl Cluster {
    /// Begins a session with a member. `None` while the member is in back-off, or no endpoint may be asked for it: its
    /// operations are tried again when one may be.
    pub(super) fn begin_session(&mut self, member: MemberId, purpose: Purpose) -> Option<SessionId> {
        let back_off = self.members.get(member)?.retry_at.filter(|retry_at| self.now < *retry_at);
        if let Some(until) = self.paused_until(member).max(back_off) {
            self.operations.retry_by(until);
            return None;
        }
        let endpoint = self.endpoint_of(member)?;
        let (transport, mut scope) = self.transport();
        let session = transport.begin(&mut scope, member, purpose, endpoint);
        self.discovery.session_begins(session, member);
        let (transport, mut scope) = self.transport();
        transport.start(&mut scope, session);
        Some(session)
    }

    /// Handles the next event of a session. Returns false if there is none.
    pub(super) fn poll_sessions(&mut self) -> bool {
        let Some(session) = self.transport.first_with_events() else { return false };
        match self.transport.poll_event(session) {
            Some(event) => self.handle_session_event(session, event),
            None => self.refresh(session),
        }
        true
    }

    fn handle_session_event(&mut self, session: SessionId, event: session::Event) {
        let Some(open) = self.transport.get(session) else { return };
        let (member, link) = (open.member(), open.link());
        match event {
            session::Event::Ready(ready) => {
                self.transport.note_negotiated(session, ready);
                self.handle_ready(session, member);
            }
            session::Event::Completed { token, result, .. } => {
                let id = OperationId::from(KeyData::from_ffi(token));
                if self.operations.get(id).is_some_and(|operation| operation.place().is_in_flight_at(session)) {
                    self.handle_answer(id, session, member, result);
                }
            }
            session::Event::Topology { token, topology, .. } => {
                // That of an operation that is over is dropped: the next one brings it again.
                let id = OperationId::from(KeyData::from_ffi(token));
                if let Some(cache) = self.operations.get(id).map(|operation| operation.cache.id()) {
                    self.apply_topology(cache, session, *topology);
                }
            }
            session::Event::Entry(event) => self.handle_entry_event(session, link, event),
            session::Event::Counter(event) => {
                if let Some(listener) = self.listener_of(&event.listener_id) {
                    self.note_counter_event(listener);
                    self.tell_event(listener, session, Event::Counter { listener, link, event });
                }
            }
            session::Event::Closed(reason) => self.end_session(session, &reason),
        }
    }

    fn handle_entry_event(&mut self, session: SessionId, link: LinkId, event: wire::Event) {
        let Some(listener) = self.listener_of(&event.listener_id) else { return };
        self.note_entry_event(listener, &event);
        match self.near_cache_of(listener) {
            Some(cache) => self.handle_near_event(cache, &event),
            None => self.tell_event(listener, session, Event::Entry { listener, link, event }),
        }
    }

    /// A session with a member is ready.
    pub(super) fn handle_ready(&mut self, session: SessionId, member: MemberId) {
        if self.discovery.is_candidate(session) {
            return self.candidate_is_ready(session);
        }
        let link = self.transport.get(session).map(OpenSession::link);
        let (transport, mut scope) = self.transport();
        transport.note_ready(&scope, session);
        link.into_iter().for_each(|link| transport.report_carriage(&mut scope, link));
        if let Some(known) = self.members.get_mut(member) {
            // Its failures still count: only an answer to an operation ends that.
            known.retry_at = None;
            let address = known.address.clone();
            let alpn = self.transport.alpn_of(session).map(Into::into);
            self.outputs.push_back(Output::Event(Event::MemberReady { member, address, alpn }));
            self.has_started();
        }
        self.transport.set_timeout(&self.config, session);
        self.note_degradation();
        self.report_coverage();
        self.submit_queued(session);
        self.transport.list(session);
        self.drain_leaving(member);
        // After that: this session may itself be one that only its queue has kept.
        self.release_unneeded();
        self.retry_waiting();
    }

    /// Drains the sessions with a member whose endpoint will end, now that there is another.
    fn drain_leaving(&mut self, member: MemberId) {
        let leaving = self.transport.sessions_with(member).filter(|(_, open)| open.is_leaving());
        let leaving: alloc::vec::Vec<SessionId> = leaving.map(|(session, _)| session).collect();
        leaving.into_iter().for_each(|session| self.drain(session));
    }

    /// Gives a session its queued operations, and reports that it has bytes to send. A session for suspects ends when it has
    /// none left.
    pub(super) fn refresh(&mut self, session: SessionId) {
        self.submit_queued(session);
        if self.operations.queued(session) == 0 && self.transport.has_cleared_all(session) {
            return self.drain(session);
        }
        let (transport, mut scope) = self.transport();
        transport.report_bytes_of(&mut scope, session);
        transport.ensure_timeout(scope.config, session);
    }

    pub(super) fn handle_session_timeout(&mut self, session: SessionId) {
        let (transport, mut scope) = self.transport();
        match transport.handle_session_timeout(&mut scope, session) {
            Timeout::Moved => return,
            Timeout::NotConnected => {
                let timeout = self.config.connect_timeout.as_millis();
                let why = alloc::format!("no connection within {timeout} ms");
                let link = self.transport.get(session).map(OpenSession::link).unwrap_or_default();
                let reason = self.transport.reason_of_loss(link, why);
                return self.end_session(session, &Arc::new(reason));
            }
            Timeout::Spare => return self.drain(session),
            Timeout::Late => self.leave_queue(session),
            Timeout::Silent | Timeout::Quiet { is_paused: false } => self.keep_alive(session),
            Timeout::Quiet { is_paused: true } | Timeout::Nothing => {}
        }
        self.refresh(session);
        let (transport, scope) = self.transport();
        transport.schedule_events(&scope, session);
    }

    /// Sends the queued operations of a session that is not ready yet to other members, where one is ready.
    fn leave_queue(&mut self, session: SessionId) {
        let Some(member) = self.transport.get(session).map(OpenSession::member) else { return };
        if !self.reaches_a_member() {
            return;
        }
        for id in self.operations.take_queue(session) {
            self.operations.place(id, Place::New);
            if let Some(operation) = self.operations.get_mut(id) {
                operation.avoid = Some(member);
            }
            self.dispatch(id);
        }
    }

    /// Drains a session: its operations in flight finish there, its queued ones go elsewhere, and it takes no new ones.
    pub(super) fn drain(&mut self, session: SessionId) {
        let Some(member) = self.transport.get(session).map(OpenSession::member) else { return };
        let queued = self.operations.take_queue(session);
        let (transport, scope) = self.transport();
        if transport.close(&scope, session) {
            transport.unlist(session, member);
        } else {
            self.end_session(session, &Arc::new(Disconnect::Closed));
        }
        queued.into_iter().for_each(|id| self.redispatch(id));
    }

    /// Picks or begins the session with a member for an operation; `same` pins stateful operations to one session; `alone`
    /// has a registration not wait behind another.
    pub(super) fn session_for(
        &mut self,
        member: MemberId,
        purpose: Purpose,
        (same, alone): (bool, bool),
    ) -> Option<SessionId> {
        let queued = |session| self.operations.queued(session);
        let present = self.transport.session_for(&self.config, member, purpose, (same, alone), queued);
        if present.is_some() {
            return present;
        }
        let known = self.members.get(member)?;
        // Where members are searched for there is no second session with the same one.
        let may_be_shared = match purpose {
            Purpose::Events => !self.can_be_dialled(member, known),
            Purpose::Suspects => false,
            Purpose::Operations | Purpose::LargeValues => true,
        };
        let other = self.transport.first_session(member).filter(|_| may_be_shared);
        // Where the endpoint gives no further session now, one that is there has to do.
        self.begin_session(member, purpose).or(other)
    }

    /// Submits the queued operations of a session, as far as it takes them.
    pub(super) fn submit_queued(&mut self, session: SessionId) {
        while let Some(id) = self.operations.first_held_back(session)
            && self.transport.is_ready(session)
            && self.submit_to(session, id)
        {}
        while let Some(id) = self.operations.first_in_order(session)
            && self.transport.is_ready(session)
        {
            if !(self.submit_to(session, id) || self.hold_back(session, id)) {
                return;
            }
        }
    }

    /// Lets others overtake the first operation in the queue of a session, if the session refuses it because of those of
    /// its kind alone. Returns whether it does.
    fn hold_back(&mut self, session: SessionId, id: OperationId) -> bool {
        let Some(operation) = self.operations.get(id) else { return false };
        let is_held_back = self.transport.waits_for_fragments(session, &operation.request);
        if is_held_back {
            self.operations.hold_back_first(session);
        }
        is_held_back
    }

    /// Submits an operation to a session. Returns false if the session can't take it now.
    pub(super) fn submit_to(&mut self, session: SessionId, id: OperationId) -> bool {
        let (transport, scope, operations, caches) = self.transport_and_operations();
        let (Some((operation, sizes)), Some(open)) = (operations.get_with_sizes(id), transport.get(session)) else {
            return false;
        };
        let is_exclusive = sizes.may_cost_a_session(operation.bytes);
        let member = open.member();
        let call = session::Call {
            request: &operation.request,
            options: operation.cache.options(),
            topology_id: caches.find(operation.cache.id()).map_or(0, Cache::topology_id),
            timeout: Some(operation.deadline - scope.now),
            token: id.data().as_ffi(),
        };
        match transport.submit(&scope, session, (operation.deadline, is_exclusive), call) {
            Ok(in_session) => {
                operation.attempts = operation.attempts.saturating_add(1);
                operations.place(id, Place::InFlight(session, in_session));
            }
            Err(SubmitError::Full { .. } | SubmitError::NotReady | SubmitError::Closed) => return false,
            Err(error) => {
                let operation = operation.request.operation();
                self.complete(id, Some(member), Err(ClusterError::Refused { operation, error }));
            }
        }
        true
    }
}
