//! Table of operations in flight, by message id.

use alloc::vec::Vec;

use crate::time::Instant;
use crate::wire::ReplyContext;

/// An operation without a reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    pub(super) context: ReplyContext,
    pub(super) submitted: Instant,
    pub(super) deadline: Instant,
    /// End of its last byte in the output stream.
    pub(super) sent_at: u64,
    pub(super) owner: Owner,
    /// Value chosen by the host.
    pub(super) token: u64,
}

/// Recipient of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The host.
    Host,
    /// The session itself: a step of its handshake.
    Handshake,
    /// None: the operation timed out or was cancelled. Its reply is dropped.
    Abandoned,
}

/// Ring of operations in flight. Message ids ascend and are never reused; each id has one slot.
///
/// The ring grows when it is more than half full, so that a slot is nearly always free, up to the session's limit.
/// Lookup, insertion and removal take constant time.
#[derive(Default)]
pub(super) struct InFlightTable {
    slots: Vec<Option<(u64, InFlight)>>,
    count: usize,
    last_id: u64,
}

impl InFlightTable {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn slot(&self, id: u64) -> usize {
        id as usize & (self.slots.len() - 1)
    }

    /// Inserts an operation and returns its new id. Ids begin at 1: counter events have 0.
    pub(super) fn insert(&mut self, operation: InFlight) -> u64 {
        if self.count * 2 >= self.slots.len() {
            self.grow();
        }
        loop {
            self.last_id += 1;
            // The id of a carriage's call is the lower half, and 0 is not valid.
            if self.last_id as u32 == 0 {
                continue;
            }
            let slot = self.slot(self.last_id);
            if self.slots[slot].is_none() {
                self.slots[slot] = Some((self.last_id, operation));
                self.count += 1;
                return self.last_id;
            }
        }
    }

    /// Doubles the ring. Ids with different slots keep different slots modulo the double size.
    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(8);
        let mut slots: Vec<Option<(u64, InFlight)>> = Vec::new();
        slots.resize_with(size, || None);
        for (id, operation) in self.slots.drain(..).flatten() {
            slots[id as usize & (size - 1)] = Some((id, operation));
        }
        self.slots = slots;
    }

    pub(super) fn get(&self, id: u64) -> Option<&InFlight> {
        let (found, operation) = self.slots.get(id as usize & self.slots.len().checked_sub(1)?)?.as_ref()?;
        (*found == id).then_some(operation)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut InFlight> {
        let mask = self.slots.len().checked_sub(1)?;
        let (found, operation) = self.slots.get_mut(id as usize & mask)?.as_mut()?;
        (*found == id).then_some(operation)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<InFlight> {
        let mask = self.slots.len().checked_sub(1)?;
        let slot = self.slots.get_mut(id as usize & mask)?;
        let (_, operation) = slot.take_if(|(found, _)| *found == id)?;
        self.count -= 1;
        Some(operation)
    }

    /// All operations, in a deterministic order without meaning.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut InFlight)> {
        self.slots.iter_mut().flatten().map(|(id, operation)| (*id, operation))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &InFlight)> {
        self.slots.iter().flatten().map(|(id, operation)| (*id, operation))
    }

    /// Removes all operations, oldest first.
    pub(super) fn drain(&mut self) -> Vec<(u64, InFlight)> {
        let mut all: Vec<_> = self.slots.iter_mut().filter_map(Option::take).collect();
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
        let context =
            ReplyContext { operation: Operation::Get, version: Version::V4_1, intelligence: Intelligence::Basic };
        InFlight {
            context,
            submitted: Instant::EPOCH,
            deadline: Instant::EPOCH,
            sent_at: tag,
            owner: Owner::Host,
            token: 0,
        }
    }

    proptest! {
        /// Mixes long-lived and short operations: ids stay unique and each finds its own operation.
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
