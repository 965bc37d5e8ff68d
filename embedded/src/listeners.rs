//! Listeners of a cache and their events.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::routing::BloomFilter;
use hotrod_core::wire::{EntryChange, Event, EventData, Interests};

use crate::answer::Failure;
use crate::event_queues::{ConnectionId, EventQueues, QueuedEvent};
use crate::members::MemberId;
use crate::store::Place;
use crate::transcoding::Transcoding;

/// A client listener of a cache.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) connection: ConnectionId,
    pub(crate) member: MemberId,
    pub(crate) interests: Interests,
    /// Filter of a near cache: the listener receives only events of keys that it may contain.
    pub(crate) bloom: Option<BloomFilter>,
    /// Position in the transfer of the initial state; `None` when it is complete or was not requested.
    pub(crate) cursor: Option<StateCursor>,
    /// Conversions that its request declares, for the keys of events.
    pub(crate) transcoding: Transcoding,
    /// Bytes counted in [`StateMemory`](crate::memory::StateMemory).
    pub(crate) held: usize,
}

/// A position in the order of segments, then keys: everything up to and including it has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StateCursor {
    pub(crate) segment: u32,
    pub(crate) key: Option<Bytes>,
}

impl StateCursor {
    fn includes(&self, place: &Place) -> bool {
        place.segment < self.segment
            || (place.segment == self.segment && self.key.as_ref().is_some_and(|key| place.key <= *key))
    }
}

/// The listeners of a cache, by the member that serves them and the id that their client chose.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    all: BTreeMap<(MemberId, Bytes), Listener>,
    blooms: usize,
}

impl Listeners {
    /// Adds a listener; returns the one with the same id that it replaces.
    pub(crate) fn add(&mut self, id: Bytes, listener: Listener) -> Option<Listener> {
        let replaced = self.remove(listener.member, &id);
        self.blooms += usize::from(listener.bloom.is_some());
        self.all.insert((listener.member, id), listener);
        replaced
    }

    pub(crate) fn remove(&mut self, member: MemberId, id: &Bytes) -> Option<Listener> {
        let removed = self.all.remove(&(member, id.clone()))?;
        self.blooms -= usize::from(removed.bloom.is_some());
        Some(removed)
    }

    pub(crate) fn get_mut(&mut self, member: MemberId, id: &Bytes) -> Option<&mut Listener> {
        self.all.get_mut(&(member, id.clone()))
    }

    pub(crate) fn count_of(&self, connection: ConnectionId) -> usize {
        self.all.values().filter(|listener| listener.connection == connection).count()
    }

    pub(crate) fn remove_all_of(&mut self, connection: ConnectionId) {
        self.all.retain(|_, listener| listener.connection != connection);
        self.blooms = self.all.values().filter(|listener| listener.bloom.is_some()).count();
    }

    /// Returns the near-cache filter of a connection.
    pub(crate) fn bloom_of(&mut self, connection: ConnectionId) -> Option<&mut BloomFilter> {
        if self.blooms == 0 {
            return None;
        }
        let mut listeners = self.all.values_mut().filter(|listener| listener.connection == connection);
        listeners.find_map(|listener| listener.bloom.as_mut())
    }

    /// Sends an event to the interested listeners; with `only_of` only to those that this member serves. Fails if the key can't
    /// be converted for one of them.
    pub(crate) fn publish(
        &self,
        change: EntryChange,
        place: &Place,
        version: u64,
        only_of: Option<MemberId>,
        queues: &mut EventQueues,
    ) -> Result<(), Failure> {
        let mut outcome = Ok(());
        for ((member, id), listener) in &self.all {
            let elsewhere = only_of.is_some_and(|only| only != *member);
            if elsewhere || !listener.wants(change, place) {
                continue;
            }
            match listener.transcoding.key_of_event(&place.key) {
                Ok(key) if listener.bloom.as_ref().is_some_and(|bloom| !bloom.may_contain(&key)) => {}
                Ok(key) => queues.send(listener.connection, QueuedEvent::Entry(event(0, id, change, &key, version))),
                Err(failure) => outcome = Err(failure),
            }
        }
        outcome
    }
}

impl Listener {
    fn wants(&self, change: EntryChange, place: &Place) -> bool {
        let kind = match change {
            EntryChange::Created => Interests::CREATED,
            EntryChange::Modified => Interests::MODIFIED,
            EntryChange::Removed => Interests::REMOVED,
            EntryChange::Expired => Interests::EXPIRED,
        };
        // An entry beyond the cursor is sent later, in its state of that time.
        let will_be_sent = self.cursor.as_ref().is_some_and(|cursor| !cursor.includes(place));
        self.interests.includes(kind) && !will_be_sent
    }
}

/// Creates an event of an entry. The message id is that of the listener's request for its initial state, and 0 otherwise.
pub(crate) fn event(message_id: u64, id: &Bytes, change: EntryChange, key: &Bytes, version: u64) -> Event {
    let versioned = matches!(change, EntryChange::Created | EntryChange::Modified);
    Event {
        message_id,
        listener_id: id.clone(),
        retried: false,
        change,
        data: EventData::Key { key: key.clone(), version: versioned.then_some(version) },
    }
}
