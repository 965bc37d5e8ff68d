//! The end of a session: the back-off of its member, and what becomes of its operations and listeners.

use alloc::sync::Arc;
use core::time::Duration;

use crate::carriage::LinkEnd;
use crate::cluster::discovery::access::Endpoint;
use crate::cluster::machine::Cluster;
use crate::cluster::operations::retry::is_refusal;
use crate::cluster::operations::table::Place;
use crate::cluster::output::{ClusterError, Event, Output};
use crate::cluster::transport::conversation::{Conversation, SessionId};
use crate::cluster::transport::http2::code_of;
use crate::cluster::transport::link::Link;
use crate::session::{Disconnect, OperationError};

/// How long a session is kept although it says that it will stop, when another was left for that.
const STAYS: Duration = Duration::from_secs(1);

impl Cluster {
    /// A session refuses everything, as what is behind it is about to stop: it is left. Answers whether the member is
    /// reached by another endpoint from now on.
    ///
    /// Not every time: a server says the same of a cache that has been stopped, and goes on itself.
    pub(in crate::cluster) fn leave_stopping(&mut self, session: SessionId) -> bool {
        let Some(open) = self.sessions.get(session) else { return false };
        let (now, member, link) = (self.now, open.member, open.link);
        if self.members.get(member).is_some_and(|known| !self.can_be_dialled(member, known)) {
            // Whoever is found would be the same.
            return false;
        }
        let Some(endpoint) = self.links.get(link).map(|link| link.endpoint.clone()) else { return false };
        let Some(known) = self.members.get_mut(member) else { return false };
        let was_left = self.endpoints.paused_until(member, &endpoint, now).is_some();
        let until = now + STAYS;
        if known.stays_until.is_some_and(|until| now < until) {
            return was_left;
        }
        known.stays_until = Some(until);
        self.endpoints.pause(member, endpoint.clone(), now, until);
        let has_other = self.paused_until(member).is_none();
        if !has_other {
            self.endpoints.end_pause(member, &endpoint);
        }
        self.drain(session);
        has_other
    }

    /// A session has failed or ended.
    pub(in crate::cluster) fn end_session(&mut self, session: SessionId, reason: Arc<Disconnect>) {
        let Some(ended) = self.sessions.remove(session) else { return };
        self.session_timers.remove(session);
        if let (Some(channel), Some(carried)) =
            (ended.channel, self.links.get_mut(ended.link).and_then(Link::carried_mut))
        {
            carried.close(channel, code_of(&reason));
            self.tell_to_transmit(ended.link);
        }
        let endpoint = self.links.get(ended.link).map(|link| link.endpoint.clone());
        self.leave_link(ended.link, session);
        if let Some(machine) = &ended.machine {
            self.counters.bytes_sent += machine.transmit().sent();
            self.counters.bytes_received += machine.received();
        }
        let is_failure = *reason != Disconnect::Closed;
        let was_candidate = self.note_candidate_end(session, is_failure);
        if let Some(endpoint) = endpoint.filter(|_| is_failure) {
            self.note_endpoint_failure(&ended, endpoint, &reason);
        }
        let now = self.now;
        let paused_for = self.paused_until(ended.member).map(|until| until - now);
        if let Some(member) = self.members.get_mut(ended.member) {
            member.forget_session(session);
            // Tries that fail together are one failure of who does not answer.
            let is_counted = was_candidate && !member.may_be_tried(now);
            if is_failure && !is_counted {
                member.failures = member.failures.saturating_add(1);
                if member.failures > 1 {
                    // Its cookies lead nowhere: whoever has no such cookie may be led to it.
                    self.jar.forget(ended.member);
                }
                let (first, longest) = (self.config.min_backoff, self.config.max_backoff);
                let pause = self.entropy.pause(member.failures, first, longest);
                let retry_after = paused_for.map_or(pause, |asked| pause.max(asked));
                member.retry_at = Some(self.now + retry_after);
                member.failure = Some(reason.clone());
                self.counters.disconnects += 1;
                let (member, address) = (ended.member, member.address.clone());
                self.note_start_failure(member, &address, &reason);
                let reason = reason.clone();
                let event = Event::MemberUnavailable { member, address, reason, retry_after };
                self.outputs.push_back(Output::Event(event));
            }
        }
        self.note_degradation();
        for id in self.operations.take_queue(session) {
            self.operations.place(id, Place::New);
            let Some(operation) = self.operations.get_mut(id) else { continue };
            if is_refusal(&reason) {
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
        self.move_listeners(session);
        self.leave_lost_site();
        if is_failure {
            self.open_ahead();
        } else {
            self.search();
        }
        self.note_coverage();
        // Of all members only this one may have become one that nobody needs.
        let member = ended.member;
        if !self.current.contains(&member) && !self.caches.distinct_views().any(|view| view.members.contains(&member)) {
            self.members.forget(member);
            self.forget_lost_members();
        }
    }

    /// What an endpoint has done to a session that failed: it may have asked not to be asked again, and what never
    /// carried the session is not remembered any more.
    fn note_endpoint_failure(&mut self, ended: &Conversation, endpoint: Endpoint, reason: &Disconnect) {
        if let Disconnect::Carriage(LinkEnd::Refused(refusal)) = reason {
            let Some(seconds) = refusal.retry_after else { return };
            let asked = Duration::from_secs(seconds.into()).min(self.config.max_retry_after);
            let (now, until) = (self.now, self.now + asked);
            if self.members.get(ended.member).is_some() {
                self.endpoints.pause(ended.member, endpoint, now, until);
            }
        } else if ended.negotiated.is_none() && !is_refusal(reason) {
            self.endpoints.forget_carriage(&endpoint);
        }
    }
}
