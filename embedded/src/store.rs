//! The entries of a cache, by segment.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use hotrod_core::routing::segment_of;

use crate::entry::Entry;

/// Time to check an entry for expiry, in milliseconds since 1970, and a number that makes the timer unique.
type Timer = (u64, u64);

/// A key and the segment that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) key: Bytes,
}

struct Slot {
    entry: Entry,
    timer: Option<Timer>,
}

/// Entries in the order of segments, then keys, with their expiry timers.
pub(crate) struct Store {
    segments: Vec<BTreeMap<Bytes, Slot>>,
    timers: BTreeMap<Timer, Place>,
    next_timer: u64,
    entries: u64,
    bytes: u64,
}

impl Store {
    pub(crate) fn new(segments: u32) -> Self {
        Self {
            segments: (0..segments).map(|_| BTreeMap::new()).collect(),
            timers: BTreeMap::new(),
            next_timer: 0,
            entries: 0,
            bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.entries
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts the entries of a segment.
    pub(crate) fn len_of(&self, segment: u32) -> u64 {
        self.segments[segment as usize].len() as u64
    }

    pub(crate) fn place(&self, key: &Bytes) -> Place {
        self.place_of(key, key)
    }

    /// Place of a key of which other bytes are hashed.
    pub(crate) fn place_of(&self, key: &Bytes, hashed: &[u8]) -> Place {
        Place { segment: segment_of(hashed, self.segments.len() as u32), key: key.clone() }
    }

    /// Returns an entry, expired or not.
    pub(crate) fn get(&self, place: &Place) -> Option<&Entry> {
        self.segments[place.segment as usize].get(&place.key).map(|slot| &slot.entry)
    }

    /// Restarts an entry's idle time. Its timer stays, and computes the new expiry when it fires.
    pub(crate) fn touch(&mut self, place: &Place, unix_ms: u64) {
        if let Some(slot) = self.segments[place.segment as usize].get_mut(&place.key) {
            slot.entry.last_used = unix_ms;
        }
    }

    /// Stores an entry; returns the one that it replaces.
    pub(crate) fn insert(&mut self, place: &Place, entry: Entry) -> Option<Entry> {
        let previous = self.remove(place);
        let timer = entry.due().map(|due| self.arm(due, place.clone()));
        self.entries += 1;
        self.bytes += entry.weight(&place.key);
        self.segments[place.segment as usize].insert(place.key.clone(), Slot { entry, timer });
        previous
    }

    pub(crate) fn remove(&mut self, place: &Place) -> Option<Entry> {
        let slot = self.segments[place.segment as usize].remove(&place.key)?;
        if let Some(timer) = slot.timer {
            self.timers.remove(&timer);
        }
        self.entries -= 1;
        self.bytes -= slot.entry.weight(&place.key);
        Some(slot.entry)
    }

    /// Returns the entries of a segment after a key, in the order of keys.
    pub(crate) fn scan(&self, segment: u32, after: Option<&Bytes>) -> impl Iterator<Item = (&Bytes, &Entry)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let segment = &self.segments[segment as usize];
        segment.range::<Bytes, _>((start, Bound::Unbounded)).map(|(key, slot)| (key, &slot.entry))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Entry)> {
        self.segments.iter().flatten().map(|(key, slot)| (key, &slot.entry))
    }

    /// Drops all entries of a segment, without events.
    pub(crate) fn lose(&mut self, segment: u32) {
        for (key, slot) in std::mem::take(&mut self.segments[segment as usize]) {
            self.entries -= 1;
            self.bytes -= slot.entry.weight(&key);
            if let Some(timer) = slot.timer {
                self.timers.remove(&timer);
            }
        }
    }

    /// Time of the next timer, in milliseconds since 1970.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.timers.first_key_value().map(|((due, _), _)| *due)
    }

    /// Removes one expired entry; returns its place.
    pub(crate) fn remove_expired(&mut self, unix_ms: u64) -> Option<Place> {
        while self.next_due().is_some_and(|due| due <= unix_ms) {
            let (_, place) = self.timers.pop_first()?;
            let Some(slot) = self.segments[place.segment as usize].get_mut(&place.key) else { continue };
            slot.timer = None;
            let due = slot.entry.due().unwrap_or(u64::MAX);
            if due <= unix_ms {
                self.remove(&place);
                return Some(place);
            }
            // The entry was used after the timer was set.
            slot.timer = Some((due, self.next_timer));
            self.arm(due, place);
        }
        None
    }

    fn arm(&mut self, due: u64, place: Place) -> Timer {
        let timer = (due, self.next_timer);
        self.next_timer += 1;
        self.timers.insert(timer, place);
        timer
    }
}
