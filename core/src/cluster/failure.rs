//! What happens when a member fails, comes back, joins or leaves.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::access::Endpoint;
use super::cache::CacheId;
use super::carried::code_of;
use super::config::Config;
use super::conversation::{Conversation, Purpose, SessionId};
use super::link::Link;
use super::machine::{Cluster, Timed};
use super::member::{Member, MemberId};
use super::operation::{Operation, OperationId, Place};
use super::output::{ClusterError, Event, Output};
use super::view::{Ownership, View};
use crate::carriage::LinkEnd;
use crate::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE};
use crate::session::{Applied, Disconnect, OperationError};
use crate::wire::Topology;

/// How long a session is kept although it says that it will stop, when another was left for that.
const STAYS: Duration = Duration::from_secs(1);

/// Infinispan's MurmurHash3, the only function that spreads keys.
const MURMUR3: u8 = 3;

impl Cluster {
    /// A session with a member is ready.
    pub(super) fn handle_ready(&mut self, session: SessionId, member: MemberId) {
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

    /// A member has answered an operation: what it failed before is over.
    pub(super) fn trust(&mut self, member: MemberId) {
        if let Some(known) = self.members.get_mut(member) {
            known.failures = 0;
            known.failure = None;
        }
        self.note_degradation();
    }

    /// An attempt has failed: another where that is safe, or the honest answer. With another member, unless this one
    /// `has_moved` to another endpoint.
    pub(super) fn handle_failure(&mut self, id: OperationId, member: MemberId, error: OperationError, has_moved: bool) {
        let closing = self.is_closing();
        let Config { max_retries, repeat_writes, .. } = self.config;
        let now = self.now;
        let Some(operation) = self.operations.get_mut(id) else { return };
        let is_first = operation.attempts <= 1;
        if error.was_not_applied() {
            operation.attempts = operation.attempts.saturating_sub(1);
        }
        let attempts = operation.attempts;
        if !closing
            && attempts <= max_retries
            && now < operation.deadline
            && may_be_sent_again(operation, &error, repeat_writes)
        {
            operation.avoid = (!has_moved).then_some(member);
            self.counters.retries += 1;
            return self.redispatch(id);
        }
        // What an earlier attempt may have done counts as well.
        let error = if is_first { error } else { unknown_of(error) };
        self.complete(id, Some(member), Err(ClusterError::Operation { error, attempts }));
    }

    /// A session refuses everything, as what is behind it is about to stop: it is left. Answers whether the member is
    /// reached by another endpoint from now on.
    ///
    /// Not every time: a server says the same of a cache that has been stopped, and goes on itself.
    pub(super) fn leave_stopping(&mut self, session: SessionId) -> bool {
        let Some(open) = self.sessions.get(session) else { return false };
        let (now, member, link) = (self.now, open.member, open.link);
        if self.members.get(member).is_some_and(|known| !self.can_be_dialled(member, known)) {
            // Whoever is found would be the same.
            return false;
        }
        let Some(endpoint) = self.links.get(link).map(|link| link.endpoint.clone()) else { return false };
        let Some(known) = self.members.get_mut(member) else { return false };
        let (until, was_left) = (now + STAYS, known.waits_for(&endpoint, now).is_some());
        if known.stays_until.is_some_and(|until| now < until) {
            return was_left;
        }
        known.stays_until = Some(until);
        known.wait_for(endpoint.clone(), now, until);
        let has_other = self.waits_for(member).is_none();
        if !has_other && let Some(known) = self.members.get_mut(member) {
            known.wait_no_longer(&endpoint);
        }
        self.drain(session);
        has_other
    }

    /// A session has failed or ended.
    pub(super) fn end_session(&mut self, session: SessionId, reason: Arc<Disconnect>) {
        let Some(mut ended) = self.sessions.remove(session) else { return };
        if let Some(timeout) = ended.timeout {
            self.timeouts.remove(&(timeout, Timed::Session(session)));
        }
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
        let waits_for = self.waits_for(ended.member).map(|until| until - now);
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
                let retry_after = waits_for.map_or(pause, |asked| pause.max(asked));
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
        for id in core::mem::take(&mut ended.queue) {
            self.set_place(id, Place::New);
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
        }
    }

    /// What an endpoint has done to a session that failed: it may have asked not to be asked again, and what never
    /// carried the session is not remembered any more.
    fn note_endpoint_failure(&mut self, ended: &Conversation, endpoint: Endpoint, reason: &Disconnect) {
        if let Disconnect::Carriage(LinkEnd::Refused(refusal)) = reason {
            let Some(seconds) = refusal.retry_after else { return };
            let asked = Duration::from_secs(seconds.into()).min(self.config.max_retry_after);
            let (now, until) = (self.now, self.now + asked);
            if let Some(member) = self.members.get_mut(ended.member) {
                member.wait_for(endpoint, now, until);
            }
        } else if ended.negotiated.is_none() && !is_refusal(reason) {
            self.carriages.remove(&endpoint);
        }
    }

    /// Takes a new view of the cluster over; operations in flight go on under the old one.
    pub(super) fn apply(&mut self, cache: CacheId, session: SessionId, topology: Topology) {
        if self.sessions.get(session).is_none_or(|session| session.site != self.site) {
            // The last words of a cluster that was left.
            return;
        }
        let members: Vec<MemberId> =
            topology.members.iter().map(|address| self.members.named(address, self.site)).collect();
        let spread = topology.hash.filter(|hash| hash.function == MURMUR3 && !hash.owners.is_empty());
        let ownership = spread.map(|hash| Ownership::new(hash.segments, hash.owners));
        let view = View { id: topology.id, members, ownership };
        // That of the probe cache keeps no member that the others do not have.
        let is_probe = self.probe_cache() == Some(cache);
        let view = if is_probe { Arc::new(view) } else { self.caches.share(view) };
        let event = Event::Topology { cache, id: topology.id, members: view.members.len() };
        let others = !is_probe && !view.members.is_empty() && self.current != view.members;
        let are_others = others && !is_same_set(&self.current, &view.members);
        if others {
            self.current.clone_from(&view.members);
        }
        let before = self.caches.get_mut(cache).view.replace(view.clone());
        self.counters.topologies += 1;
        self.outputs.push_back(Output::Event(event));
        if others {
            self.choose_access(session);
        }
        self.report_members_outside(&view.members);
        if others {
            if are_others {
                self.search.begin_anew();
                self.leave_probe_cache();
            }
            self.recognise_strangers();
        }
        // The old view goes here: its members are no longer needed for its sake.
        let differs = before.is_none_or(|before| before.members != view.members);
        if others || differs {
            self.open_ahead();
            self.release_unneeded();
            self.note_coverage();
        }
    }

    /// Sessions to members that have none, ahead of need; to those in their pause when that is over.
    pub(super) fn open_ahead(&mut self) {
        if !self.config.connect_ahead || self.is_closing() {
            return;
        }
        for index in 0..self.current.len() {
            let member = self.current[index];
            if self.sessions.len() >= self.config.max_links_ahead {
                return;
            }
            let Some(known) = self.members.get(member).filter(|_| !self.is_held(member)) else { continue };
            if !self.can_be_dialled(member, known) {
                continue;
            }
            if known.may_be_tried(self.now) {
                self.begin_session(member, Purpose::Operations);
            } else if let Some(at) = known.retry_at {
                self.retry_by(at);
            }
        }
        self.search();
    }

    /// Sessions to members that left drain, and then close. Seeds that are no members under that address are let go once
    /// a member can be reached.
    pub(super) fn release_unneeded(&mut self) {
        if self.current.is_empty() {
            return;
        }
        let needed = self.needed_members();
        let keeps_seeds = !self.reaches_a_member();
        let seeds = self.seeds().to_vec();
        let all: Vec<SessionId> = self.sessions.keys().collect();
        for session in all {
            let Some(open) = self.sessions.get(session) else { continue };
            let is_needed = needed.contains(&open.member)
                || keeps_seeds && seeds.contains(&open.member)
                || self.is_candidate(session);
            if !is_needed {
                self.drain(session);
            }
        }
        self.members.retain(|member| needed.contains(&member));
        self.jar.retain(|member| needed.contains(&member));
    }

    /// The members of every view that a cache has.
    fn needed_members(&self) -> BTreeSet<MemberId> {
        let mut needed: BTreeSet<MemberId> = self.current.iter().copied().collect();
        self.caches.distinct_views().for_each(|view| needed.extend(view.members.iter().copied()));
        needed
    }

    fn reaches_a_member(&self) -> bool {
        self.current.iter().any(|member| self.has_ready_session(*member))
    }

    pub(super) fn has_ready_session(&self, member: MemberId) -> bool {
        let sessions = self.members.get(member).into_iter().flat_map(Member::all_sessions);
        sessions.filter_map(|session| self.sessions.get(session)).any(Conversation::is_ready)
    }

    /// Says when no member of the topology can be reached, and when one can be again.
    fn note_degradation(&mut self) {
        let is_down = |member: &MemberId| {
            self.members.get(*member).is_some_and(|known| known.failures > 0 || self.is_outside(known))
                && !self.has_ready_session(*member)
        };
        let degraded = !self.current.is_empty() && self.current.iter().all(is_down);
        if degraded != self.degraded && (degraded || self.reaches_a_member()) {
            self.degraded = degraded;
            let event = if degraded { Event::Degraded } else { Event::Restored };
            self.outputs.push_back(Output::Event(event));
        }
    }
}

/// Whether an operation that failed so may be sent again.
fn may_be_sent_again(operation: &Operation, error: &OperationError, repeat_writes: bool) -> bool {
    match error {
        // Infinispan's own client repeats any operation then. But a member that was lost or stopped on the way may have
        // done it before, and a condition that was met by the first attempt fails the second.
        OperationError::Server { status, .. } => status.is_retryable() && operation.may_be_repeated(repeat_writes),
        OperationError::Disconnected { reason, .. } if is_refusal(reason) => false,
        // Its deadline is that of all attempts; and what is too large, or unknown, would be as large again.
        OperationError::TimedOut { .. }
        | OperationError::GivenUp { code: HOT_ROD_TOO_LARGE | HOT_ROD_MESSAGE_ERROR, .. } => false,
        OperationError::Disconnected { applied, .. } | OperationError::GivenUp { applied, .. } => {
            *applied == Applied::No || operation.may_be_repeated(repeat_writes)
        }
    }
}

/// Whether another attempt would end the same: the servers do not want this client.
fn is_refusal(reason: &Disconnect) -> bool {
    matches!(reason, Disconnect::AuthenticationFailed { .. } | Disconnect::Sasl(_) | Disconnect::VersionRefused { .. })
}

/// The same error of an operation that an earlier attempt may have executed.
fn unknown_of(error: OperationError) -> OperationError {
    match error {
        OperationError::Disconnected { operation, reason, .. } => {
            OperationError::Disconnected { operation, reason, applied: Applied::Unknown }
        }
        OperationError::GivenUp { operation, code, .. } => {
            OperationError::GivenUp { operation, code, applied: Applied::Unknown }
        }
        other => other,
    }
}

fn is_same_set(some: &[MemberId], others: &[MemberId]) -> bool {
    some.len() == others.len() && some.iter().all(|member| others.contains(member))
}
