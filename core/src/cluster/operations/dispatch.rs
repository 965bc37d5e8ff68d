//! Dispatch: the member that an operation goes to, and the session that takes it there.

use alloc::sync::Arc;

use crate::cluster::features::listener::includes_state;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::{OperationId, Owner, Target};
use crate::cluster::operations::table::{Operation, Place};
use crate::cluster::output::{ClusterError, MemberFailure};
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::time::Instant;
use crate::wire::Routing;

/// Result of the choice of a member.
pub(super) enum Choice {
    /// Send it to this member.
    Member { member: MemberId, route: Route },
    /// Every member is in back-off.
    Wait,
    /// Wait until then for a session with the owner of its key.
    WaitForOwner(Instant),
    /// The only member that could execute it is gone.
    Gone,
    /// The only member that could execute it is outside `member_hosts`.
    Outside(MemberId),
}

#[derive(Clone, Copy)]
pub(super) enum Route {
    /// To the primary owner of its key.
    Direct,
    /// To a member that has to forward it.
    Forwarded,
    /// The owner of its key is not known, because the stored form of the key is not.
    Unrouted,
    /// The operation has no key.
    Any,
}

impl Cluster {
    /// Sends an operation to its member, or has it wait for one.
    pub(in crate::cluster) fn dispatch(&mut self, id: OperationId) {
        let Some(operation) = self.operations.get(id) else { return };
        if self.is_closing() {
            let (applied, operation) = (operation.applied(), operation.request.operation());
            return self.complete(id, None, Err(ClusterError::Closed { operation, applied }));
        }
        if let Some(limit) = self.exceeded_limit(operation.bytes) {
            let (applied, bytes) = (operation.applied(), operation.bytes);
            let operation = operation.request.operation();
            return self.complete(id, None, Err(ClusterError::RequestTooLarge { operation, bytes, limit, applied }));
        }
        if let Target::Session(session) = operation.target {
            return self.send_by(session, id);
        }
        if self.operations.sizes().is_suspicious(operation.bytes) && operation.may_begin_isolated() {
            if let Some(operation) = self.operations.get_mut(id) {
                operation.purpose = Purpose::Suspects;
            }
            return self.dispatch(id);
        }
        if operation.may_be_split() && self.split(id) {
            return;
        }
        let Some(operation) = self.operations.get(id) else { return };
        match self.choose(operation) {
            Choice::Member { member, route } => {
                if operation.avoid == Some(member) {
                    // It has just failed there, and there is no other member: try again after a pause.
                    if let Some(operation) = self.operations.get_mut(id) {
                        operation.avoid = None;
                    }
                    return self.dispatch_later(id);
                }
                match route {
                    // Not an operation of the application.
                    _ if matches!(operation.owner, Owner::Check(_)) => {}
                    Route::Direct => self.counters.direct += 1,
                    Route::Forwarded => self.counters.forwarded += 1,
                    Route::Unrouted => self.note_unrouted(id),
                    Route::Any => {}
                }
                self.send_to(member, id);
            }
            Choice::Wait => {
                self.wait(id);
                let pauses = self.members.iter().filter_map(|(_, member)| member.retry_at);
                if let Some(earliest) = pauses.filter(|retry_at| *retry_at > self.now).min() {
                    self.operations.retry_by(earliest);
                }
            }
            Choice::WaitForOwner(until) => {
                self.wait(id);
                self.operations.retry_by(until);
            }
            Choice::Gone => {
                let (applied, operation) = (operation.applied(), operation.request.operation());
                self.complete(id, None, Err(ClusterError::MemberGone { operation, applied }));
            }
            Choice::Outside(member) => self.fail_outside(id, member),
        }
    }

    /// Fails an operation for a member that is not dialled.
    fn fail_outside(&mut self, id: OperationId, member: MemberId) {
        let Some(operation) = self.operations.get(id) else { return };
        let after = self.now - operation.submitted;
        let (applied, operation) = (operation.applied(), operation.request.operation());
        let failure = self.members.get(member).map(|known| MemberFailure {
            server: known.address.clone(),
            reason: Arc::new(self.discovery.not_allowed(&known.address)),
        });
        let failures = failure.into_iter().collect();
        self.complete(id, Some(member), Err(ClusterError::Unreachable { operation, after, applied, failures }));
    }

    fn choose(&self, operation: &Operation) -> Choice {
        let usable = |member: &MemberId| self.is_usable(*member, operation.purpose);
        let fit =
            |member: &MemberId| usable(member) && operation.avoid != Some(*member) && !self.transport.is_late(*member);
        let mut route = Route::Any;
        match operation.target {
            Target::Only(member) => return self.choose_only(operation, member),
            Target::Prefer(member) if fit(&member) => return Choice::Member { member, route },
            Target::Owner(member) if fit(&member) => return Choice::Member { member, route: Route::Direct },
            Target::Prefer(_) | Target::Session(_) => {}
            Target::Owner(member) => match self.awaited_until(operation, member) {
                Some(until) => return Choice::WaitForOwner(until),
                None => route = Route::Forwarded,
            },
            Target::Key => match self.choose_owner(operation, fit) {
                Ok(choice) => return choice,
                Err(other) => route = other,
            },
        }
        // The member that has just failed comes last.
        let (current, seeds) = (self.members.current(), self.members.seeds());
        let member = self
            .next_of(current, fit)
            .or_else(|| self.next_of(seeds, fit))
            .or_else(|| self.next_of(current, usable))
            .or_else(|| self.next_of(seeds, usable));
        member.map_or(Choice::Wait, |member| Choice::Member { member, route })
    }

    fn choose_only(&self, operation: &Operation, member: MemberId) -> Choice {
        match self.members.get(member) {
            None => Choice::Gone,
            // A session with it would lead back to the site that was left.
            Some(known) if known.site != self.members.site() => Choice::Gone,
            Some(_) if self.is_usable(member, operation.purpose) => Choice::Member { member, route: Route::Any },
            // Iterations do not wait: other members have the same entries.
            Some(_) if matches!(operation.owner, Owner::Iteration(..)) => Choice::Gone,
            Some(known) if self.is_outside(known) => Choice::Outside(member),
            Some(_) => Choice::Wait,
        }
    }

    /// Round robin over the members that fit.
    fn next_of(&self, members: &[MemberId], fit: impl Fn(&MemberId) -> bool) -> Option<MemberId> {
        let start = if members.is_empty() { 0 } else { self.operations.round() % members.len() };
        let (before, after) = members.split_at(start);
        after.iter().chain(before).find(|member| fit(member)).copied()
    }

    /// Whether an operation of this purpose can go to a member: it has a session there, or may begin one.
    fn is_usable(&self, member: MemberId, purpose: Purpose) -> bool {
        let Some(known) = self.members.get(member).filter(|known| known.site == self.members.site()) else {
            return false;
        };
        if self.transport.serves(member, purpose) {
            return true;
        }
        if self.can_be_dialled(member, known) {
            return known.may_be_tried(self.now);
        }
        // Where members are searched for there is no second session with the same one: suspects go to a seed.
        purpose != Purpose::Suspects && self.transport.serves(member, Purpose::Operations)
    }

    /// Sends an operation by a given session, unless that has ended.
    fn send_by(&mut self, session: SessionId, id: OperationId) {
        if self.transport.get(session).is_none() {
            let Some(operation) = self.operations.get(id) else { return };
            let (applied, operation) = (operation.applied(), operation.request.operation());
            return self.complete(id, None, Err(ClusterError::MemberGone { operation, applied }));
        }
        self.put_in(session, id);
    }

    fn send_to(&mut self, member: MemberId, id: OperationId) {
        self.operations.begin_round();
        let Some(operation) = self.operations.get(id) else { return };
        let row = operation.request.operation().row();
        // The listener of a near cache must not stand on a session that the idle timeout closes.
        let same = row.routing == Routing::Same
            || matches!(operation.target, Target::Only(_) | Target::Prefer(_))
            || matches!(operation.owner, Owner::Listener(_));
        let purpose = if same { operation.purpose } else { self.transport.purpose_of(&self.config, member, operation) };
        let alone = includes_state(&operation.request);
        let Some(session) = self.session_for(member, purpose, (same, alone)) else { return self.wait(id) };
        self.put_in(session, id);
    }

    /// Gives an operation to a session, after the queued ones.
    fn put_in(&mut self, session: SessionId, id: OperationId) {
        let goes_first = self.transport.is_ready(session) && self.operations.queued(session) == 0;
        if goes_first && self.submit_to(session, id) {
            let (transport, mut scope) = self.transport();
            return transport.report_bytes_of(&mut scope, session);
        }
        self.operations.place(id, Place::Queued(session));
        self.refresh(session);
    }

    /// Sends an operation after a pause.
    pub(in crate::cluster) fn dispatch_later(&mut self, id: OperationId) {
        let at = self.now + self.config.min_backoff;
        self.wait(id);
        self.operations.retry_by(at);
    }

    fn wait(&mut self, id: OperationId) {
        self.operations.wait(id);
    }

    /// Dispatches the waiting operations again, and begins sessions with members that have none, or only leaving ones.
    pub(in crate::cluster) fn retry_waiting(&mut self) {
        for id in self.operations.take_waiting() {
            self.dispatch(id);
        }
        for member in self.transport.take_to_replace() {
            self.replace_leaving(member);
        }
        self.open_ahead();
    }

    /// Takes an operation out of its place and dispatches it again.
    pub(in crate::cluster) fn redispatch(&mut self, id: OperationId) {
        self.operations.place(id, Place::New);
        self.dispatch(id);
    }
}
