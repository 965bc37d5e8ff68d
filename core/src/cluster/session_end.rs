//! The end of a session: the back-off of its member, and what becomes of its operations and listeners.

use alloc::sync::Arc;
use core::time::Duration;

use super::machine::Cluster;
use super::members::MemberId;
use super::operations::retry::is_refusal;
use super::operations::table::Place;
use super::output::{ClusterError, Event, Output};
use super::transport::open_session::{Purpose, SessionId};
use super::transport::sessions::Ended;
use crate::carriage::LinkEnd;
use crate::session::{Disconnect, OperationError};

/// How long a session is kept although it says that it will stop, when another was left for that.
const STAYS: Duration = Duration::from_secs(1);

impl Cluster {
    /// Drains a session that refuses everything because the server behind it is about to stop. Returns whether the member
    /// is reached by another endpoint from now on.
    ///
    /// Not every time: a server refuses operations in the same way for a cache that was stopped, and goes on itself.
    pub(super) fn leave_stopping(&mut self, session: SessionId) -> bool {
        let Some((member, link)) = self.transport.get(session).map(|open| (open.member(), open.link())) else {
            return false;
        };
        let now = self.now;
        if self.members.get(member).is_some_and(|known| !self.can_be_dialled(member, known)) {
            // A search would find the same member.
            return false;
        }
        let Some(endpoint) = self.transport.endpoint_of(link).cloned() else { return false };
        let Some(known) = self.members.get_mut(member) else { return false };
        let was_left = self.transport.paused_until(member, &endpoint, now).is_some();
        if known.stays_until.is_some_and(|until| now < until) {
            return was_left;
        }
        let until = now + STAYS;
        known.stays_until = Some(until);
        self.transport.pause_endpoint(member, endpoint.clone(), now, until);
        let has_other = self.paused_until(member).is_none();
        if !has_other {
            self.transport.end_pause(member, &endpoint);
        }
        self.drain(session);
        has_other
    }

    /// A session has failed or ended.
    pub(super) fn end_session(&mut self, session: SessionId, reason: &Arc<Disconnect>) {
        let (transport, mut scope) = self.transport();
        let Some(ended) = transport.remove(&mut scope, session, reason) else { return };
        let is_failure = **reason != Disconnect::Closed;
        let was_candidate = self.discovery_session_ended(session, is_failure);
        if was_candidate {
            // It may have led to a member that operations wait for.
            self.operations.retry_by(self.now);
        }
        if is_failure {
            self.note_endpoint_failure(&ended, reason);
        }
        if ended.purpose == Purpose::Suspects && ended.was_negotiated {
            // A suspect has cost it, and the member can be reached.
            self.transport.unlist(session, ended.member);
        } else {
            self.back_off(session, &ended, reason, was_candidate);
        }
        self.note_degradation();
        self.requeue(session, &ended, reason);
        self.move_listeners(session);
        self.leave_lost_site();
        if is_failure {
            self.open_ahead();
        } else {
            self.search();
        }
        self.report_coverage();
        // Of all members only this one may have become one that nobody needs.
        let member = ended.member;
        if !self.members.current().contains(&member)
            && !self.caches.distinct_views().any(|view| view.members.contains(&member))
        {
            self.members.forget(member, &self.transport);
            self.forget_lost_members();
        }
    }

    /// Takes a session from its member, which gets a pause if the session failed.
    fn back_off(&mut self, session: SessionId, ended: &Ended, reason: &Arc<Disconnect>, was_candidate: bool) {
        let now = self.now;
        let paused_for = self.paused_until(ended.member).map(|until| until - now);
        let Some(member) = self.members.get_mut(ended.member) else { return };
        self.transport.unlist(session, ended.member);
        // Tries that fail together are one failure of the server that does not answer.
        let is_counted = was_candidate && !member.may_be_tried(now);
        if **reason == Disconnect::Closed || is_counted {
            return;
        }
        let (address, has_failed_before) = (member.address.clone(), member.failures > 0);
        if has_failed_before {
            // Its cookies lead nowhere; a connection without them may be led to it.
            self.discovery.forget_cookies(ended.member);
        }
        self.counters.disconnects += 1;
        self.note_start_failure(ended.member, &address, reason);
        self.pause_member(ended.member, reason, paused_for.unwrap_or_default());
    }

    /// Counts a failure of a member, which gets a back-off of at least that long, and reports it.
    pub(super) fn pause_member(&mut self, member: MemberId, reason: &Arc<Disconnect>, at_least: Duration) {
        let has_other = self.has_ready_session(member);
        let Some(known) = self.members.get_mut(member) else { return };
        let count = if has_other { &mut known.further_failures } else { &mut known.failures };
        *count = count.saturating_add(1);
        known.failure = Some(reason.clone());
        let (first, longest) = (self.config.min_backoff, self.config.max_backoff);
        let retry_after = self.entropy.pause(known.all_failures(), first, longest).max(at_least);
        known.retry_at = Some(self.now + retry_after);
        let (address, reason) = (known.address.clone(), reason.clone());
        self.outputs.push_back(Output::Event(Event::MemberUnavailable { member, address, reason, retry_after }));
    }

    /// Places the queued operations of an ended session elsewhere, or fails them where every member would refuse the client.
    fn requeue(&mut self, session: SessionId, ended: &Ended, reason: &Arc<Disconnect>) {
        for id in self.operations.take_queue(session) {
            self.operations.place(id, Place::New);
            let Some(operation) = self.operations.get_mut(id) else { continue };
            if is_refusal(reason) {
                // An earlier attempt may have been executed.
                let (applied, attempts) = (operation.applied(), operation.attempts);
                let (operation, reason) = (operation.request.operation(), reason.clone());
                let error = OperationError::Disconnected { operation, reason, applied };
                self.complete(id, Some(ended.member), Err(ClusterError::Operation { error, attempts }));
            } else {
                operation.avoid = Some(ended.member);
                self.dispatch(id);
            }
        }
    }

    /// Notes that an endpoint has failed a session: it may have asked for a pause, and a carriage that never carried
    /// the session is forgotten.
    fn note_endpoint_failure(&mut self, ended: &Ended, reason: &Disconnect) {
        let Some(endpoint) = &ended.endpoint else { return };
        if let Disconnect::Carriage(LinkEnd::Refused(refusal)) = reason {
            let Some(seconds) = refusal.retry_after else { return };
            let asked = Duration::from_secs(seconds.into()).min(self.config.max_retry_after);
            if self.members.get(ended.member).is_some() {
                self.transport.pause_endpoint(ended.member, endpoint.clone(), self.now, self.now + asked);
            }
        } else if !ended.was_negotiated && !is_refusal(reason) {
            self.transport.forget_carriage(endpoint);
        }
    }
}
