//! The operations in flight, by message id.

use alloc::vec::Vec;

use crate::time::Instant;
use crate::wire::Asked;

/// An operation whose answer has not come.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    pub(super) asked: Asked,
    pub(super) submitted: Instant,
    pub(super) deadline: Instant,
    /// Position behind its last byte in the stream of what is sent.
    pub(super) sent_at: u64,
    pub(super) owner: Owner,
    /// The host's name for it.
    pub(super) token: u64,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The host.
    Host,
    /// The session itself: a step of its handshake.
    Handshake,
    /// Nobody any more: it timed out or was cancelled. The answer, if it comes, is consumed and dropped.
    Nobody,
}

/// Message ids count up and never come again; the table is a ring in which an id has one place.
///
/// The ring grows while it is more than half full, so that a place is nearly always free, and it holds no more than
/// the session lets in. Looking up, adding and removing cost the same however many operations are in flight.
#[derive(Default)]
pub(super) struct InFlightTable {
    places: Vec<Option<(u64, InFlight)>>,
    count: usize,
    last_id: u64,
}

impl InFlightTable {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn place(&self, id: u64) -> usize {
        id as usize & (self.places.len() - 1)
    }

    /// Takes in an operation and gives it an id; ids begin at 1, since 0 is that of counter events.
    pub(super) fn insert(&mut self, operation: InFlight) -> u64 {
        if self.count * 2 >= self.places.len() {
            self.grow();
        }
        loop {
            self.last_id += 1;
            // A call of a carriage has the lower half for its id, and 0 is none.
            if self.last_id as u32 == 0 {
                continue;
            }
            let place = self.place(self.last_id);
            if self.places[place].is_none() {
                self.places[place] = Some((self.last_id, operation));
                self.count += 1;
                return self.last_id;
            }
        }
    }

    /// Ids that differ modulo the old size differ modulo twice that size: none can meet another.
    fn grow(&mut self) {
        let size = (self.places.len() * 2).max(8);
        let mut places: Vec<Option<(u64, InFlight)>> = Vec::new();
        places.resize_with(size, || None);
        for (id, operation) in self.places.drain(..).flatten() {
            places[id as usize & (size - 1)] = Some((id, operation));
        }
        self.places = places;
    }

    pub(super) fn get(&self, id: u64) -> Option<&InFlight> {
        let (found, operation) = self.places.get(id as usize & self.places.len().checked_sub(1)?)?.as_ref()?;
        (*found == id).then_some(operation)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut InFlight> {
        let mask = self.places.len().checked_sub(1)?;
        let (found, operation) = self.places.get_mut(id as usize & mask)?.as_mut()?;
        (*found == id).then_some(operation)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<InFlight> {
        let mask = self.places.len().checked_sub(1)?;
        let place = self.places.get_mut(id as usize & mask)?;
        let (_, operation) = place.take_if(|(found, _)| *found == id)?;
        self.count -= 1;
        Some(operation)
    }

    /// All operations, in no order that means anything but always the same.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut InFlight)> {
        self.places.iter_mut().flatten().map(|(id, operation)| (*id, operation))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &InFlight)> {
        self.places.iter().flatten().map(|(id, operation)| (*id, operation))
    }

    /// Takes all operations out, oldest first.
    pub(super) fn drain(&mut self) -> Vec<(u64, InFlight)> {
        let mut all: Vec<_> = self.places.iter_mut().filter_map(Option::take).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        self.count = 0;
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Intelligence, Operation, Version};
    use proptest::prelude::*;

    fn operation(tag: u64) -> InFlight {
        let asked = Asked { operation: Operation::Get, version: Version::V4_1, intelligence: Intelligence::Basic };
        InFlight {
            asked,
            submitted: Instant::EPOCH,
            deadline: Instant::EPOCH,
            sent_at: tag,
            owner: Owner::Host,
            token: 0,
        }
    }

    proptest! {
        /// Long-lived operations among many short ones: ids stay unique, each finds its own.
        #[test]
        fn each_id_finds_its_own_operation(keep in proptest::collection::vec(any::<bool>(), 1..400)) {
            let mut table = InFlightTable::default();
            let mut kept = Vec::new();
            for (tag, keep) in keep.into_iter().enumerate() {
                let id = table.insert(operation(tag as u64));
                prop_assert!(kept.last().is_none_or(|(last, _)| *last < id));
                if keep {
                    kept.push((id, tag as u64));
                } else {
                    prop_assert_eq!(table.remove(id).unwrap().sent_at, tag as u64);
                    prop_assert!(table.get(id).is_none());
                }
            }
            prop_assert_eq!(table.len(), kept.len());
            for (id, tag) in &kept {
                prop_assert_eq!(table.get(*id).unwrap().sent_at, *tag);
            }
            let drained: Vec<_> = table.drain().into_iter().map(|(id, operation)| (id, operation.sent_at)).collect();
            prop_assert_eq!(drained, kept);
        }
    }
}
