//! Which member an operation goes to, and how it gets there.

use slotmap::Key;

use super::cache::CacheId;
use super::link::{Link, LinkId};
use super::machine::Cluster;
use super::member::MemberId;
use super::operation::{Operation, OperationId, Owner, Place};
use super::output::{ClusterError, Output};
use crate::session::{self, SubmitError};
use crate::wire::{Body, Reply};

/// Where an operation can go now.
enum Choice {
    /// To this member.
    Member { member: MemberId, route: Route },
    /// Nowhere: every member is in its pause.
    Wait,
    /// Nowhere ever: the only member that could execute it is gone.
    Gone,
}

#[derive(Clone, Copy)]
enum Route {
    /// To the primary owner of its key.
    Direct,
    /// To a member that has to forward it.
    Forwarded,
    /// It has no owner.
    Any,
}

impl Cluster {
    /// Sends an operation to the member that it belongs to, or has it wait for one.
    pub(super) fn dispatch(&mut self, id: OperationId) {
        let Some(operation) = self.operations.get(id) else { return };
        match self.choose(operation) {
            Choice::Member { member, route } => {
                if operation.avoid == Some(member) {
                    // It has just failed there and there is no other: not at once again.
                    let at = self.now + self.config.min_backoff;
                    if let Some(operation) = self.operations.get_mut(id) {
                        operation.avoid = None;
                    }
                    self.wait(id);
                    self.retry_at = Some(self.retry_at.map_or(at, |known| known.min(at)));
                    return;
                }
                match route {
                    Route::Direct => self.counters.direct += 1,
                    Route::Forwarded => self.counters.forwarded += 1,
                    Route::Any => {}
                }
                self.send_to(member, id);
            }
            Choice::Wait => {
                self.wait(id);
                let pauses = self.members.iter().filter_map(|(_, member)| member.retry_at);
                let earliest = pauses.filter(|retry_at| *retry_at > self.now).min();
                self.retry_at = [self.retry_at, earliest].into_iter().flatten().min();
            }
            Choice::Gone => {
                let (applied, operation) = (operation.applied(), operation.request.operation());
                self.complete(id, None, Err(ClusterError::MemberGone { operation, applied }));
            }
        }
    }

    fn choose(&self, operation: &Operation) -> Choice {
        if let Some(member) = operation.pinned {
            return match self.members.get(member) {
                None => Choice::Gone,
                Some(_) if self.is_usable(member) => Choice::Member { member, route: Route::Any },
                Some(_) => Choice::Wait,
            };
        }
        let fit = |member: &MemberId| self.is_usable(*member) && operation.avoid != Some(*member);
        let mut route = Route::Any;
        if let Some(key) = operation.request.routing_key() {
            let cache = self.caches.get(operation.cache);
            if let Some(view) = cache.view.as_ref().filter(|_| cache.hashes(&operation.options.key_type)) {
                let mut owners = view.owners_of(key).enumerate().filter(|(_, member)| fit(member));
                if let Some((rank, member)) = owners.next() {
                    let route = if rank == 0 { Route::Direct } else { Route::Forwarded };
                    return Choice::Member { member, route };
                }
                if view.ownership.is_some() {
                    route = Route::Forwarded;
                }
            }
        }
        // The one that has just failed comes last.
        let (current, seeds) = (&self.current, &self.seeds);
        let usable = |member: &MemberId| self.is_usable(*member);
        let member = self
            .next_of(current, fit)
            .or_else(|| self.next_of(seeds, fit))
            .or_else(|| self.next_of(current, usable))
            .or_else(|| self.next_of(seeds, usable));
        member.map_or(Choice::Wait, |member| Choice::Member { member, route })
    }

    /// Whose turn it is among those that fit.
    fn next_of(&self, members: &[MemberId], fit: impl Fn(&MemberId) -> bool) -> Option<MemberId> {
        let start = if members.is_empty() { 0 } else { self.turn % members.len() };
        let (before, after) = members.split_at(start);
        after.iter().chain(before).find(|member| fit(member)).copied()
    }

    fn is_usable(&self, member: MemberId) -> bool {
        self.members.get(member).is_some_and(|member| member.link.is_some() || member.may_be_tried(self.now))
    }

    fn send_to(&mut self, member: MemberId, id: OperationId) {
        self.turn = self.turn.wrapping_add(1);
        let Some(link) = self.link_to(member) else { return self.wait(id) };
        let goes_first = self.links.get(link).is_some_and(|open| open.is_ready() && open.queue.is_empty());
        if !(goes_first && self.submit_to(link, id)) {
            self.set_place(id, Place::Queued(link));
            if let Some(open) = self.links.get_mut(link) {
                open.queue.push_back(id);
            }
        }
        self.refresh(link);
    }

    /// The link to a member; a new one if there is none.
    pub(super) fn link_to(&mut self, member: MemberId) -> Option<LinkId> {
        let (now, timeout) = (self.now, self.config.connect_timeout);
        let known = self.members.get_mut(member)?;
        if let Some(link) = known.link {
            return Some(link);
        }
        let link = self.links.insert(Link::new(member, now + timeout, now));
        known.link = Some(link);
        let address = known.address.clone();
        self.counters.connects += 1;
        self.outputs.push_back(Output::Connect { link, member, address, timeout });
        self.refresh(link);
        Some(link)
    }

    /// Hands a session what is queued for it, as far as it takes it.
    pub(super) fn submit_queued(&mut self, link: LinkId) {
        while let Some(open) = self.links.get(link)
            && open.is_ready()
            && let Some(&id) = open.queue.front()
        {
            if !self.submit_to(link, id) {
                return;
            }
        }
    }

    /// Hands an operation to a session. Answers false if the session can't take it now.
    fn submit_to(&mut self, link: LinkId, id: OperationId) -> bool {
        let (Some(operation), Some(open)) = (self.operations.get_mut(id), self.links.get_mut(link)) else {
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
        match open.session_mut().map(|session| session.submit(self.now, call)) {
            Some(Ok(in_session)) => {
                operation.attempts = operation.attempts.saturating_add(1);
                open.in_flight += 1;
                open.quiet_since = self.now;
                self.set_place(id, Place::InFlight(link, in_session));
            }
            None | Some(Err(SubmitError::Full { .. } | SubmitError::NotReady | SubmitError::Closed)) => return false,
            Some(Err(error)) => {
                let operation = operation.request.operation();
                self.complete(id, Some(member), Err(ClusterError::Refused { operation, error }));
            }
        }
        true
    }

    fn wait(&mut self, id: OperationId) {
        self.set_place(id, Place::Waiting);
        self.waiting.push_back(id);
    }

    /// Tries everything again that found no member.
    pub(super) fn retry_waiting(&mut self) {
        self.retry_at = None;
        for id in core::mem::take(&mut self.waiting) {
            self.dispatch(id);
        }
    }

    /// Takes an operation out of where it is, and notes where it is going: what no session has is in the table of
    /// deadlines, and nothing else is.
    pub(super) fn set_place(&mut self, id: OperationId, place: Place) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        let deadline = operation.deadline;
        let before = core::mem::replace(&mut operation.place, place);
        match before {
            Place::Waiting => self.waiting.retain(|waiting| *waiting != id),
            Place::Queued(link) => {
                if let Some(open) = self.links.get_mut(link) {
                    match open.queue.front() {
                        Some(first) if *first == id => {
                            open.queue.pop_front();
                        }
                        _ => open.queue.retain(|queued| *queued != id),
                    }
                }
            }
            Place::New | Place::InFlight(..) => {}
        }
        let is_held = |place| matches!(place, Place::Waiting | Place::Queued(_));
        match (is_held(before), is_held(place)) {
            (false, true) => self.deadlines.insert((deadline, id)),
            (true, false) => self.deadlines.remove(&(deadline, id)),
            _ => false,
        };
    }

    /// An operation is over.
    pub(super) fn complete(&mut self, id: OperationId, member: Option<MemberId>, result: Result<Reply, ClusterError>) {
        self.set_place(id, Place::New);
        let Some(operation) = self.operations.remove(id) else { return };
        match operation.owner {
            Owner::Host => {
                self.counters.operations += 1;
                self.outputs.push_back(Output::Completed { id, member, result });
            }
            Owner::Probe => self.learn(operation.cache, result),
        }
    }

    /// What a cache is like. If it does not say, its keys are taken as they come.
    fn learn(&mut self, cache: CacheId, result: Result<Reply, ClusterError>) {
        if let Ok(Reply { body: Body::Ping(ping), .. }) = result {
            self.caches.get_mut(cache).key_type = Some(ping.key_type);
        }
    }
}
