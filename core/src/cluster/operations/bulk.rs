//! Bulk operations (PUT_ALL, GET_ALL): split by the owners of their keys, and joined again.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use slotmap::new_key_type;

use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::{OperationId, Owner, Target};
use crate::cluster::operations::table::{Operation, Place};
use crate::cluster::output::{ClusterError, PartFailure, Partial};
use crate::cluster::stored_form::StoredForm;
use crate::cluster::view::View;
use crate::wire::{Body, Reply, ReplyShape, Request, Status};

new_key_type! {
    /// A bulk operation that was split.
    pub(in crate::cluster) struct BulkId;
}

/// A bulk operation whose parts are in flight.
pub(in crate::cluster) struct Bulk {
    whole: OperationId,
    /// Parts without an answer.
    parts: Vec<OperationId>,
    /// Entries that the parts have read.
    entries: Vec<(Bytes, Bytes)>,
    failures: Vec<PartFailure>,
    status: Status,
}

impl Cluster {
    /// Splits an operation if it has keys of several owners. Returns false if it goes whole: to the owner, if it has one.
    pub(in crate::cluster) fn split(&mut self, id: OperationId) -> bool {
        let Some(whole) = self.operations.get(id) else { return false };
        let cache = self.caches.get(whole.cache.id());
        let Some(view) = cache.view.clone().filter(|view| view.segments() > 0) else { return false };
        let form = cache.stored_form(&whole.cache.options().key_type);
        let form = if whole.storage_keys.is_empty() { form } else { Some(StoredForm::SAME) };
        let Some(form) = form.filter(|form| form.is_known()) else { return false };
        let requests = split_request(whole, &view, form);
        if requests.len() < 2 {
            if let (Some((&owner, _)), Some(whole)) = (requests.first_key_value(), self.operations.get_mut(id)) {
                whole.target = Target::Owner(owner);
            }
            return false;
        }
        let part_of = |bulk, member, request: Request| Operation {
            bytes: request.value_bytes(),
            request,
            cache: whole.cache.clone(),
            storage_keys: Box::default(),
            owner: Owner::Part(bulk),
            target: Target::Owner(member),
            purpose: whole.purpose,
            submitted: whole.submitted,
            deadline: whole.deadline,
            attempts: 0,
            refusals: 0,
            uncounted: 0,
            losses: 0,
            lost_alone: 0,
            avoid: None,
            place: Place::New,
        };
        let entries = Vec::new();
        let bulk = self.bulks.insert(Bulk {
            whole: id,
            parts: Vec::new(),
            entries,
            failures: Vec::new(),
            status: Status::SUCCESS,
        });
        let parts: Vec<Operation> =
            requests.into_iter().map(|(member, request)| part_of(bulk, member, request)).collect();
        self.operations.place(id, Place::Split(bulk));
        let parts: Vec<OperationId> = parts.into_iter().map(|part| self.operations.insert(part)).collect();
        if let Some(bulk) = self.bulks.get_mut(bulk) {
            bulk.parts.clone_from(&parts);
        }
        parts.into_iter().for_each(|part| self.dispatch(part));
        true
    }

    /// Notes the result of a part; with the last one the whole operation ends.
    pub(in crate::cluster) fn part_done(
        &mut self,
        bulk: BulkId,
        part: OperationId,
        request: Request,
        member: Option<MemberId>,
        result: Result<Reply, ClusterError>,
    ) {
        let Some(open) = self.bulks.get_mut(bulk) else { return };
        open.parts.retain(|id| *id != part);
        match result {
            Ok(reply) => {
                if !reply.status.is_success() {
                    open.status = reply.status;
                }
                if let Body::Entries(mut entries) = reply.body {
                    open.entries.append(&mut entries);
                }
            }
            Err(error) => open.failures.push(PartFailure { member, keys: request.split_keys(), error }),
        }
        if !open.parts.is_empty() {
            return;
        }
        let Some(done) = self.bulks.remove(bulk) else { return };
        let operation = self.operations.get(done.whole).map(|whole| whole.request.operation());
        let Some(operation) = operation else { return };
        let result = if done.failures.is_empty() {
            let reads = operation.row().reply == ReplyShape::Entries;
            let body = if reads { Body::Entries(done.entries) } else { Body::Nothing };
            Ok(Reply { message_id: 0, status: done.status, topology: None, body })
        } else {
            let (failures, entries) = (done.failures, done.entries);
            Err(ClusterError::Partial(Arc::new(Partial { operation, failures, entries })))
        };
        self.complete(done.whole, member, result);
    }

    /// Cancels the parts of a bulk operation.
    pub(in crate::cluster) fn cancel_parts(&mut self, bulk: BulkId) {
        for part in self.bulks.remove(bulk).map(|bulk| bulk.parts).unwrap_or_default() {
            self.cancel(part);
        }
    }
}

/// The request for each owner; one or none if it need not be split.
fn split_request(whole: &Operation, view: &View, form: StoredForm) -> BTreeMap<MemberId, Request> {
    let Some(anyone) = view.members.first() else { return BTreeMap::new() };
    // A segment without an owner, or a key whose stored form is not certain: any member forwards it.
    let owner = |key: Cow<'_, [u8]>| view.owners_of(&key).next();
    let mut storage_keys = whole.storage_keys.iter();
    whole.request.split_by(|key| {
        let stored = storage_keys.next().map_or_else(|| form.of(key), |stored| Some(Cow::Borrowed(stored)));
        stored.and_then(owner).unwrap_or(*anyone)
    })
}
