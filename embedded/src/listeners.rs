//! Listeners of a cache and what they are told.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::routing::BloomFilter;
use hotrod_core::wire::{EntryChange, Event, EventData, Interests};

use crate::members::MemberId;
use crate::post::{ConnectionId, Letter, Post};
use crate::store::Place;

/// A listener.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) connection: ConnectionId,
    pub(crate) member: MemberId,
    pub(crate) interests: Interests,
    /// Tells only of keys that this may contain.
    pub(crate) bloom: Option<BloomFilter>,
    /// How far the entries that were there before have been told; `None` when all have, or were not asked for.
    pub(crate) told: Option<Told>,
    /// Bytes that are counted for it.
    pub(crate) held: usize,
}

/// A position in the order of segments, then keys: everything up to and with it has been told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Told {
    pub(crate) segment: u32,
    pub(crate) key: Option<Bytes>,
}

impl Told {
    fn includes(&self, place: &Place) -> bool {
        place.segment < self.segment
            || (place.segment == self.segment && self.key.as_ref().is_some_and(|key| place.key <= *key))
    }
}

/// The listeners of a cache: by the member that serves them and the id that their client chose.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    all: BTreeMap<(MemberId, Bytes), Listener>,
    blooms: usize,
}

impl Listeners {
    /// Adds a listener in place of one with the same id, which is the answer.
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

    /// The near-cache filter of a connection.
    pub(crate) fn bloom_of(&mut self, connection: ConnectionId) -> Option<&mut BloomFilter> {
        if self.blooms == 0 {
            return None;
        }
        let mut listeners = self.all.values_mut().filter(|listener| listener.connection == connection);
        listeners.find_map(|listener| listener.bloom.as_mut())
    }

    /// Tells everybody who wants to know. `only_of`: only the listeners that this member serves.
    pub(crate) fn publish(
        &self,
        change: EntryChange,
        place: &Place,
        version: u64,
        only_of: Option<MemberId>,
        post: &mut Post,
    ) {
        for ((member, id), listener) in &self.all {
            let elsewhere = only_of.is_some_and(|only| only != *member);
            if elsewhere || !listener.wants(change, place) {
                continue;
            }
            post.send(listener.connection, Letter::Entry(event(0, id, change, &place.key, version)));
        }
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
        // What has not been told yet will be, as it then is.
        let will_be_told = self.told.as_ref().is_some_and(|told| !told.includes(place));
        self.interests.includes(kind)
            && !will_be_told
            && self.bloom.as_ref().is_none_or(|bloom| bloom.may_contain(&place.key))
    }
}

/// An event of an entry. The message id is that of the request for entries that were there before it, else 0.
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
