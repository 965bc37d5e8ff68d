//! Owners: the member that owns the key of an operation, as far as that is known.

use alloc::string::ToString;

use crate::cluster::cache::Placement;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::dispatch::{Choice, Route};
use crate::cluster::operations::operation::{OperationId, Owner};
use crate::cluster::operations::table::Operation;
use crate::cluster::output::{Event, Output};
use crate::cluster::stored_form::why_unrouted;
use crate::cluster::transport::open_session::Purpose;
use crate::time::Instant;
use crate::wire::MediaType;

/// Reads are spread over at most this many owners.
const MOST_OWNERS_IN_TURN: usize = 8;

impl Cluster {
    /// The owner of an operation's key, or how the operation reaches it by another member.
    pub(super) fn choose_owner(&self, operation: &Operation, fit: impl Fn(&MemberId) -> bool) -> Result<Choice, Route> {
        let cache = self.caches.get(operation.cache.id());
        let (key, declared) = match &*operation.storage_keys {
            [stored] => (Some(stored), &MediaType::Unspecified),
            _ => (operation.request.routing_key(), &operation.cache.options().key_type),
        };
        // A bulk operation that was not split goes whole: to any member, unless the form of its keys is still to come.
        if key.is_none() && !operation.request.is_splittable() {
            return Err(Route::Any);
        }
        let (view, key) = match cache.placement(key.map(AsRef::as_ref), declared) {
            Placement::Spread(view, key) => (view, key),
            Placement::Unspread => return Err(Route::Any),
            Placement::Unknown => return Err(Route::Unrouted),
            Placement::Requested => {
                let until = operation.submitted + self.config.owner_wait;
                let waits = self.now < until && self.may_wait_for_owner(operation);
                return if waits { Ok(Choice::WaitForOwner(until)) } else { Err(Route::Unrouted) };
            }
        };
        if operation.reads_from_any_owner()
            && let Some(member) = self.next_owner(view.owners_of(&key), &fit)
        {
            return Ok(Choice::Member { member, route: Route::Direct });
        }
        for (rank, member) in view.owners_of(&key).enumerate() {
            if fit(&member) {
                let route = if rank == 0 { Route::Direct } else { Route::Forwarded };
                return Ok(Choice::Member { member, route });
            }
            if rank == 0
                && let Some(until) = self.awaited_until(operation, member)
            {
                return Ok(Choice::WaitForOwner(until));
            }
        }
        Err(Route::Forwarded)
    }

    /// Time until which an operation waits for a session with the owner of its key: while the owner has become known and is
    /// searched for. Where it is dialled the operation waits in the queue of the session.
    pub(super) fn awaited_until(&self, operation: &Operation, owner: MemberId) -> Option<Instant> {
        let known = self.members.get(owner)?;
        let until = known.named_at + self.config.owner_wait;
        let is_awaited = self.now < until
            && known.failures == 0
            && self.may_wait_for_owner(operation)
            && self.discovery.is_searching(self.now)
            && !self.transport.serves(owner, Purpose::Operations)
            && !self.can_be_dialled(owner, known);
        is_awaited.then_some(until)
    }

    /// Whether an operation is one that waits until it can go to the owner of its key.
    fn may_wait_for_owner(&self, operation: &Operation) -> bool {
        operation.attempts == 0
            && operation.refusals == 0
            && operation.avoid.is_none()
            // Discovery's own operations identify the members that would be awaited.
            && matches!(operation.owner, Owner::Host | Owner::Fetch { .. } | Owner::Part(_))
            // Room is left for those that no member can take.
            && self.operations.held() < self.config.max_waiting / 2
    }

    /// Counts an operation whose key has no known owner, and reports the media type of its key.
    pub(super) fn note_unrouted(&mut self, id: OperationId) {
        self.counters.unrouted += 1;
        let Some(operation) = self.operations.get(id) else { return };
        let cache = operation.cache.id();
        let declared = &operation.cache.options().key_type;
        let known = self.caches.get_mut(cache);
        if known.requests_key_type() || !known.report_unrouted(declared) {
            return;
        }
        let stored = known.stored_types().map(|[key_type, _]| key_type);
        let reason = why_unrouted(&known.name, declared, stored);
        let stored = stored.map(ToString::to_string).unwrap_or_default();
        let declared = declared.to_string();
        self.outputs.push_back(Output::Event(Event::KeysNotRouted { cache, declared, stored, reason }));
    }

    /// Round robin over the owners that fit.
    fn next_owner(&self, owners: impl Iterator<Item = MemberId>, fit: impl Fn(&MemberId) -> bool) -> Option<MemberId> {
        let mut fitting = [MemberId::default(); MOST_OWNERS_IN_TURN];
        let mut count = 0;
        for (place, owner) in fitting.iter_mut().zip(owners.filter(|owner| fit(owner))) {
            *place = owner;
            count += 1;
        }
        (count > 0).then(|| fitting[self.operations.round() % count])
    }
}
