//! Checks that servers still send events, and what follows where they do not.
//!
//! Infinispan (16.0.7) drops the listeners of a removed cache or counter without a message. A cache of the same name that is made
//! later has the same topology id, and REMOVE_CLIENT_LISTENER of a dropped listener succeeds. The one answer that tells is
//! CacheNotFoundException, while there is no cache. So each keep-alive interval the machine reads an entry, or a counter, of whose
//! change it would have been notified: a near cache one that it keeps, a listener that of its last event. A second read after
//! [`SECOND_LOOK`] leaves an event time to arrive. Where there is nothing to read a PING shows at least that the cache exists.
//!
//! Each listener of a cache is checked by the others too: one that is not notified of a change of which another one is.
//!
//! A listener that has had no event, on a cache without a near cache, can't be checked by more than the PING.
//! Entries that the server evicts make no event either: the listener is then registered anew for nothing.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::cluster::cache::{CacheId, ReadFrom};
use crate::cluster::features::listener::{Listener, ListenerId, ListenerKind};
use crate::cluster::machine::Cluster;
use crate::cluster::operations::operation::{Call, Owner, Target};
use crate::cluster::operations::table::Operation;
use crate::cluster::output::ClusterError;
use crate::cluster::transport::open_session::Purpose;
use crate::session::OperationError;
use crate::time::Instant;
use crate::wire::{self, Body, EntryChange, EventData, Interests, ListenerOptions, MediaType, Reply, Request, Status};

/// Pause between the first read that contradicts a listener and the second.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// Part of the error message for a cache that does not exist (`HotRodServer` of Infinispan).
const CACHE_NOT_FOUND: &str = "CacheNotFoundException";

/// Result of the last event or check of a listener.
#[derive(Default)]
pub(in crate::cluster) struct Witness {
    /// Entry of the last event, and its version.
    entry: Option<(Bytes, u64)>,
    /// Value of the counter at an earlier check, if no event came since.
    value: Option<i64>,
    /// Time of the first check in a row that contradicts it.
    doubted_at: Option<Instant>,
    /// Time of the last event of an entry that was there before.
    changed_at: Option<Instant>,
    registered_at: Instant,
}

impl Witness {
    /// Notes that the registration is answered.
    pub(in crate::cluster) fn note_registered(&mut self, now: Instant) {
        self.registered_at = now;
    }

    /// Whether another listener of the cache was notified at `changed`, and this one should have been.
    fn has_missed(&self, changed: Instant) -> bool {
        changed >= self.changed_at.unwrap_or(self.registered_at) + SECOND_LOOK
    }

    /// Learns from an event that the listener exists.
    fn note_event(&mut self) {
        (self.value, self.doubted_at) = (None, None);
    }

    /// Learns whether a check has found the expected state. Returns whether no event can explain the difference any more.
    fn compare(&mut self, is_same: bool, now: Instant) -> bool {
        if is_same {
            self.doubted_at = None;
            return false;
        }
        now - *self.doubted_at.get_or_insert(now) >= SECOND_LOOK
    }
}

/// Subject of a check that several listeners share.
type Watched = (CacheId, Option<String>);

impl Cluster {
    /// Checks the listeners within the keep-alive interval.
    pub(in crate::cluster) fn begin_checks(&mut self) {
        if !self.is_closing() {
            self.listeners.check_within(self.now, self.config.keep_alive);
        }
    }

    /// Checks the listeners sooner, if there are any.
    pub(in crate::cluster) fn check_soon(&mut self) {
        self.listeners.check_by(self.now + SECOND_LOOK);
    }

    /// Checks the listeners, if that is due.
    pub(in crate::cluster) fn check_listeners(&mut self) {
        if !self.listeners.take_due_check(self.now) {
            return;
        }
        self.deaf_listeners().into_iter().for_each(|id| self.lose_registration(id));
        for (id, request) in self.checks() {
            let Some(listener) = self.listeners.get(id) else { continue };
            let cache = listener.cache().with_reads_from(ReadFrom::PrimaryOwner);
            let call = Call::new(&cache, request);
            let operation = self.take_in(call, Owner::Check(id), Target::Key, Purpose::Operations);
            self.dispatch(operation);
        }
        if !self.listeners.is_empty() {
            self.begin_checks();
        }
    }

    /// Listeners that the server has forgotten, while another one of the same cache, registered later, is notified of changes.
    fn deaf_listeners(&self) -> Vec<ListenerId> {
        let heard = || self.listeners.iter().filter(|(_, listener)| self.is_heard(listener));
        let mut changed: BTreeMap<CacheId, Instant> = BTreeMap::new();
        for (_, listener) in heard().filter(|(_, listener)| listener.counter().is_none()) {
            if let Some(at) = listener.witness.changed_at.filter(|at| self.now - *at >= SECOND_LOOK) {
                let newest = changed.entry(listener.cache().id()).or_insert(at);
                *newest = at.max(*newest);
            }
        }
        let is_deaf = |listener: &Listener| {
            let changed = changed.get(&listener.cache().id());
            let is_notified = listener.hears_all_changes() || listener.hears_all_keys();
            is_notified && changed.is_some_and(|changed| listener.witness.has_missed(*changed))
        };
        heard().filter(|(_, listener)| is_deaf(listener)).map(|(id, _)| id).collect()
    }

    /// The request that checks each cache or counter with listeners, by one of them.
    fn checks(&self) -> Vec<(ListenerId, Request)> {
        let mut checks: BTreeMap<Watched, (ListenerId, Request)> = BTreeMap::new();
        for (id, listener) in self.listeners.iter().filter(|(_, listener)| self.is_heard(listener)) {
            let request = self.check_of(listener);
            let present = checks.entry(listener.watched()).or_insert_with(|| (id, request.clone()));
            if present.1 == (Request::Ping {}) {
                *present = (id, request);
            }
        }
        checks.into_values().collect()
    }

    /// Whether events of a listener would be read now.
    fn is_heard(&self, listener: &Listener) -> bool {
        listener.at.and_then(|session| self.transport.get(session)).is_some_and(|open| !open.is_paused())
    }

    fn check_of(&self, listener: &Listener) -> Request {
        if let Some(counter) = listener.counter() {
            return Request::CounterGet { counter: counter.into() };
        }
        let key = match &self.caches.get(listener.cache().id()).near {
            Some(near) if listener.is_for_near_cache() => near.witness().cloned(),
            _ => listener.witness.entry.as_ref().map(|(key, _)| key.clone()),
        };
        key.map_or(Request::Ping {}, |key| Request::GetWithMetadata { key })
    }

    /// Learns from an event of a listener.
    pub(in crate::cluster) fn note_entry_event(&mut self, id: ListenerId, event: &wire::Event) {
        let Some(listener) = self.listeners.get_mut(id) else { return };
        listener.witness.note_event();
        if event.change != EntryChange::Created {
            listener.witness.changed_at = Some(self.now);
        }
        if !listener.hears_all_changes() {
            return;
        }
        let EventData::Key { key, version } = &event.data else { return };
        match version {
            // A slice of the receive buffer, which is one for each listener: a copy would be one for each event.
            Some(version) => listener.witness.entry = Some((key.clone(), *version)),
            None => drop(listener.witness.entry.take_if(|(known, _)| known == key)),
        }
    }

    /// Learns from an event of a counter listener.
    pub(in crate::cluster) fn note_counter_event(&mut self, id: ListenerId) {
        self.listeners.get_mut(id).into_iter().for_each(|listener| listener.witness.note_event());
    }

    /// Handles the answer to a check.
    pub(in crate::cluster) fn check_answered(
        &mut self,
        id: ListenerId,
        checked: &Operation,
        result: Result<Reply, ClusterError>,
    ) {
        let Ok(reply) = result else { return };
        let Some(listener) = self.listeners.get(id).filter(|listener| self.is_heard(listener)) else { return };
        let watched = listener.watched();
        let is_lost = match &checked.request {
            Request::GetWithMetadata { key } => self.compare_entry(id, key, &reply.body),
            Request::CounterGet { .. } => self.compare_counter(id, &reply.body),
            _ => self.listeners.get_mut(id).is_some_and(|listener| listener.witness.compare(true, self.now)),
        };
        if is_lost {
            self.lose_watched(&watched);
        } else if self.listeners.get(id).is_some_and(|listener| listener.witness.doubted_at.is_some()) {
            self.check_soon();
        }
    }

    fn compare_entry(&mut self, id: ListenerId, key: &Bytes, body: &Body) -> bool {
        let now = self.now;
        let Some(listener) = self.listeners.get_mut(id) else { return false };
        let present = match body {
            Body::ValueWithMetadata { metadata, .. } => Some(**metadata),
            _ => None,
        };
        let expected = match &self.caches.get(listener.cache().id()).near {
            Some(near) if listener.is_for_near_cache() => near.version_of(key),
            _ => listener.witness.entry.as_ref().filter(|(known, _)| known == key).map(|(_, version)| *version),
        };
        // An event came meanwhile.
        let Some(expected) = expected else { return listener.witness.compare(true, now) };
        let is_same = present.is_some_and(|metadata| metadata.version == expected);
        let is_lost = listener.witness.compare(is_same, now);
        if present.is_some_and(|metadata| metadata.lifespan.is_some() || metadata.max_idle.is_some()) {
            // It will expire, and reading it is an access.
            listener.witness.entry = None;
        }
        is_lost
    }

    fn compare_counter(&mut self, id: ListenerId, body: &Body) -> bool {
        let present = match body {
            Body::CounterValue(value) => Some(*value),
            _ => None,
        };
        let Some(listener) = self.listeners.get_mut(id) else { return false };
        // A counter that is not defined has no listeners.
        let is_same = present.is_some_and(|value| *listener.witness.value.get_or_insert(value) == value);
        listener.witness.compare(is_same, self.now)
    }

    /// The server has said that the cache does not exist: it has forgotten its listeners.
    pub(in crate::cluster) fn lose_cache(&mut self, cache: CacheId) {
        self.lose_watched(&(cache, None));
    }

    /// Registers the listeners of a cache or counter anew.
    fn lose_watched(&mut self, watched: &Watched) {
        if self.is_closing() {
            return;
        }
        let all = self.listeners.iter().filter(|(_, listener)| listener.at.is_some() && listener.watched() == *watched);
        let lost: Vec<ListenerId> = all.map(|(id, _)| id).collect();
        lost.into_iter().for_each(|id| self.lose_registration(id));
    }
}

impl Listener {
    fn watched(&self) -> Watched {
        (self.cache().id(), self.counter().map(Into::into))
    }

    /// Whether every change of an entry that it has heard of makes an event with the key as reads name it.
    fn hears_all_changes(&self) -> bool {
        let all = Interests::MODIFIED | Interests::REMOVED | Interests::EXPIRED;
        let Some(ListenerKind::Cache(ListenerOptions {
            filter: None, converter: None, use_raw_data, interests, ..
        })) = self.host_kind()
        else {
            return false;
        };
        let is_all = *interests == Interests::ALL || interests.0 & all.0 == all.0;
        is_all && (!use_raw_data || self.cache().options().key_type == MediaType::Unspecified)
    }
}

/// Whether the server has no cache of the name.
pub(in crate::cluster) fn is_cache_missing(error: &OperationError) -> bool {
    matches!(error, OperationError::Server { status: Status::PARSE_ERROR | Status::SERVER_ERROR, message, .. }
        if message.contains(CACHE_NOT_FOUND))
}
