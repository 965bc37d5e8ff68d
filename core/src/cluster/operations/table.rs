//! The table of operations: every operation between its submission and its end, and where it is.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use slotmap::{SecondaryMap, SlotMap};

use crate::cluster::cache::{CacheHandle, ReadFrom};
use crate::cluster::members::MemberId;
use crate::cluster::operations::bulk::BulkId;
use crate::cluster::operations::operation::{Call, OperationId, Owner, Target};
use crate::cluster::operations::session_queue::SessionQueue;
use crate::cluster::operations::suspects::RequestSizes;
use crate::cluster::operations::transactions::PreparedTransactions;
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::session;
use crate::time::Instant;
use crate::wire::{Effect, Request};

/// An operation that was submitted and has not ended.
pub(in crate::cluster) struct Operation {
    pub(in crate::cluster) request: Request,
    /// Approximate size of its keys and values.
    pub(in crate::cluster) bytes: usize,
    pub(in crate::cluster) cache: CacheHandle,
    /// As [`Call::storage_keys`].
    pub(in crate::cluster) storage_keys: Box<[Bytes]>,
    pub(in crate::cluster) owner: Owner,
    pub(in crate::cluster) target: Target,
    pub(in crate::cluster) purpose: Purpose,
    pub(in crate::cluster) submitted: Instant,
    pub(in crate::cluster) deadline: Instant,
    /// Attempts that have reached a member.
    pub(in crate::cluster) attempts: u8,
    /// Attempts that an endpoint has refused without effect, in addition.
    pub(in crate::cluster) refusals: u8,
    /// Attempts that do not count for the limit of retries: they ended with a session of suspects, in company.
    pub(in crate::cluster) uncounted: u8,
    /// Lost sessions to which it was sent whole, beside others that are no suspects.
    pub(in crate::cluster) losses: u8,
    /// Lost sessions on which it was alone.
    pub(in crate::cluster) lost_alone: u8,
    /// The member that failed last; another is preferred.
    pub(in crate::cluster) avoid: Option<MemberId>,
    /// Changed by the table alone.
    pub(super) place: Place,
}

/// Where an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::cluster) enum Place {
    /// Not dispatched yet, or taken out of its last place.
    #[default]
    New,
    /// No member can be tried now; with its position among the waiting operations.
    Waiting(u64),
    /// Every member has refused it: it is dispatched again at this time.
    Paced(Instant),
    /// In the queue of a session.
    Queued(SessionId),
    /// In flight on a session.
    InFlight(SessionId, session::OperationId),
    /// Split into parts, which are in the table themselves.
    Split(BulkId),
}

impl Place {
    /// Whether no session has the operation, so that the table watches its deadline.
    fn is_held(self) -> bool {
        matches!(self, Self::Waiting(_) | Self::Paced(_) | Self::Queued(_))
    }

    /// The session that has the operation, or will.
    pub(in crate::cluster) fn session(self) -> Option<SessionId> {
        match self {
            Self::Queued(session) | Self::InFlight(session, _) => Some(session),
            Self::New | Self::Waiting(_) | Self::Paced(_) | Self::Split(_) => None,
        }
    }

    pub(in crate::cluster) fn is_in_flight_at(self, session: SessionId) -> bool {
        matches!(self, Self::InFlight(at, _) if at == session)
    }
}

impl Operation {
    /// The operation of a call that is submitted now.
    #[inline]
    pub(in crate::cluster) fn new(
        call: Call,
        owner: Owner,
        target: Target,
        purpose: Purpose,
        submitted: Instant,
        default_timeout: Duration,
    ) -> Self {
        Self {
            bytes: call.request.value_bytes(),
            request: call.request,
            cache: call.cache,
            storage_keys: call.storage_keys,
            owner,
            target,
            purpose,
            submitted,
            deadline: submitted + call.timeout.unwrap_or(default_timeout),
            attempts: 0,
            refusals: 0,
            uncounted: 0,
            losses: 0,
            lost_alone: 0,
            avoid: None,
            place: Place::New,
        }
    }

    pub(in crate::cluster) fn place(&self) -> Place {
        self.place
    }

    /// Whether it is a bulk operation of the application that has not been sent, whole or in parts.
    pub(in crate::cluster) fn may_be_split(&self) -> bool {
        self.owner == Owner::Host
            && self.target == Target::Key
            && self.attempts == 0
            && self.avoid.is_none()
            && self.request.is_splittable()
    }

    /// Whether any owner of its key may answer it.
    pub(in crate::cluster) fn reads_from_any_owner(&self) -> bool {
        self.cache.read_from() == ReadFrom::AnyOwner && self.request.operation().row().effect == Effect::Reads
    }
}

/// All operations, and the queues in which they wait.
#[derive(Default)]
pub(in crate::cluster) struct OperationTable {
    all: SlotMap<OperationId, Operation>,
    /// Operations for which no member can be tried now, by position: each is removed at the same cost, wherever it stands.
    waiting: BTreeMap<u64, OperationId>,
    next_position: u64,
    /// Operations that every member has refused, by the time at which each is dispatched again.
    paced: BTreeSet<(Instant, OperationId)>,
    /// Time at which the waiting operations are dispatched again.
    retry_at: Option<Instant>,
    queues: SecondaryMap<SessionId, SessionQueue>,
    /// Members that prepared transactions.
    prepared: PreparedTransactions,
    /// Sizes of requests that were answered, and of those that have cost a session.
    sizes: RequestSizes,
    /// Number of dispatched operations, for round robin over the members that can execute one.
    round: usize,
    /// Deadlines of the operations that no session has; a session watches those of its own.
    deadlines: BTreeSet<(Instant, OperationId)>,
}

impl OperationTable {
    #[inline]
    pub(in crate::cluster) fn insert(&mut self, operation: Operation) -> OperationId {
        self.all.insert(operation)
    }

    pub(in crate::cluster) fn get(&self, id: OperationId) -> Option<&Operation> {
        self.all.get(id)
    }

    pub(in crate::cluster) fn get_mut(&mut self, id: OperationId) -> Option<&mut Operation> {
        self.all.get_mut(id)
    }

    /// An operation, and the sizes of requests that were answered or lost.
    pub(in crate::cluster) fn get_with_sizes(
        &mut self,
        id: OperationId,
    ) -> Option<(&mut Operation, &mut RequestSizes)> {
        Some((self.all.get_mut(id)?, &mut self.sizes))
    }

    pub(in crate::cluster) fn sizes(&self) -> &RequestSizes {
        &self.sizes
    }

    pub(in crate::cluster) fn sizes_mut(&mut self) -> &mut RequestSizes {
        &mut self.sizes
    }

    /// Position of the round robin.
    pub(in crate::cluster) fn round(&self) -> usize {
        self.round
    }

    /// Moves the round robin on by one.
    pub(in crate::cluster) fn begin_round(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    pub(in crate::cluster) fn prepared(&self) -> &PreparedTransactions {
        &self.prepared
    }

    pub(in crate::cluster) fn prepared_mut(&mut self) -> &mut PreparedTransactions {
        &mut self.prepared
    }

    pub(in crate::cluster) fn len(&self) -> usize {
        self.all.len()
    }

    /// Number of operations that no session has.
    pub(in crate::cluster) fn held(&self) -> usize {
        self.deadlines.len()
    }

    /// The operations that no session has, by their deadline.
    pub(in crate::cluster) fn all_held(&self) -> Vec<OperationId> {
        self.deadlines.iter().map(|(_, id)| *id).collect()
    }

    /// Moves an operation to another place; into a queue it goes last.
    pub(in crate::cluster) fn place(&mut self, id: OperationId, place: Place) {
        let Some(operation) = self.all.get_mut(id) else { return };
        let deadline = operation.deadline;
        let before = core::mem::replace(&mut operation.place, place);
        self.leave(id, before, deadline);
        match place {
            Place::Waiting(position) => drop(self.waiting.insert(position, id)),
            Place::Paced(at) => drop(self.paced.insert((at, id))),
            Place::Queued(session) => match self.queues.get_mut(session) {
                Some(queue) => queue.push(id),
                None => drop(self.queues.insert(session, SessionQueue::of(id))),
            },
            Place::New | Place::InFlight(..) | Place::Split(_) => {}
        }
        if place.is_held() {
            self.deadlines.insert((deadline, id));
        }
    }

    /// Has an operation wait for a member, after the others that wait.
    pub(in crate::cluster) fn wait(&mut self, id: OperationId) {
        let position = self.next_position;
        self.next_position += 1;
        self.place(id, Place::Waiting(position));
    }

    /// Removes an operation that has ended.
    pub(in crate::cluster) fn remove(&mut self, id: OperationId) -> Option<Operation> {
        let Operation { place, deadline, .. } = *self.all.get(id)?;
        self.leave(id, place, deadline);
        // Last, so that the operation is moved once: it is large.
        self.all.remove(id)
    }

    fn leave(&mut self, id: OperationId, place: Place, deadline: Instant) {
        match place {
            Place::Waiting(position) => drop(self.waiting.remove(&position)),
            Place::Paced(at) => drop(self.paced.remove(&(at, id))),
            Place::Queued(session) => {
                if let Some(queue) = self.queues.get_mut(session) {
                    queue.remove(id);
                }
            }
            Place::New | Place::InFlight(..) | Place::Split(_) => {}
        }
        if place.is_held() {
            self.deadlines.remove(&(deadline, id));
        }
    }

    /// The next operation whose deadline has passed before any session had it; each is returned once.
    pub(in crate::cluster) fn expire(&mut self, now: Instant) -> Option<OperationId> {
        let (deadline, id) = *self.deadlines.first()?;
        (deadline <= now).then(|| {
            self.deadlines.pop_first();
            id
        })
    }

    /// Has the waiting operations dispatched again at that time, if no earlier one is set.
    pub(in crate::cluster) fn retry_by(&mut self, at: Instant) {
        self.retry_at = Some(self.retry_at.map_or(at, |known| known.min(at)));
    }

    pub(in crate::cluster) fn is_retry_due(&self, now: Instant) -> bool {
        self.retry_at.is_some_and(|retry_at| now >= retry_at)
    }

    /// The waiting operations, oldest first, to be dispatched again.
    pub(in crate::cluster) fn take_waiting(&mut self) -> impl Iterator<Item = OperationId> + use<> {
        self.retry_at = None;
        core::mem::take(&mut self.waiting).into_values()
    }

    /// The next operation that was refused and is to be dispatched again.
    pub(in crate::cluster) fn next_paced(&self, now: Instant) -> Option<OperationId> {
        self.paced.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// The earliest deadline, or the time of the next retry.
    pub(in crate::cluster) fn next_timeout(&self) -> Option<Instant> {
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let paced = self.paced.first().map(|(at, _)| *at);
        [deadline, paced, self.retry_at].into_iter().flatten().min()
    }

    /// Number of operations in the queue of a session.
    pub(in crate::cluster) fn queued(&self, session: SessionId) -> usize {
        self.queues.get(session).map_or(0, SessionQueue::len)
    }

    /// The operation that a session is offered next, before those in order (see [`SessionQueue`]).
    pub(in crate::cluster) fn first_held_back(&self, session: SessionId) -> Option<OperationId> {
        self.queues.get(session)?.first_held_back()
    }

    pub(in crate::cluster) fn first_in_order(&self, session: SessionId) -> Option<OperationId> {
        self.queues.get(session)?.first_in_order()
    }

    /// Lets further operations overtake the first one in the queue of a session.
    pub(in crate::cluster) fn hold_back_first(&mut self, session: SessionId) {
        if let Some(queue) = self.queues.get_mut(session) {
            queue.hold_back_first();
        }
    }

    /// The operations in the queue of a session that ends or drains, to be placed elsewhere.
    pub(in crate::cluster) fn take_queue(&mut self, session: SessionId) -> SessionQueue {
        self.queues.remove(session).unwrap_or_default()
    }
}
