//! The dynamic table (RFC 7541, 2.3.2 and 4).

use alloc::collections::VecDeque;

use bytes::Bytes;

use super::field;

/// A field in the table.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: Bytes,
    pub(super) value: Bytes,
}

impl Entry {
    fn size(&self) -> usize {
        field::size(self.name.len(), self.value.len())
    }
}

/// Entries in the order in which they were added: the newest is the first. The oldest go when there is no room.
///
/// Each entry has memory of its own for what is new in it, so that what the table holds is what its size says.
#[derive(Debug)]
pub(super) struct DynamicTable {
    entries: VecDeque<Entry>,
    size: usize,
    max_size: usize,
}

impl DynamicTable {
    pub(super) fn new(max_size: usize) -> Self {
        Self { entries: VecDeque::new(), size: 0, max_size }
    }

    /// The most bytes that its entries may have.
    pub(super) fn max_size(&self) -> usize {
        self.max_size
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of memory that its entries take: the sizes of RFC 7541, 4.1, count less than two views and their allocations.
    pub(super) fn memory(&self) -> usize {
        self.size + self.entries.len() * size_of::<Entry>()
    }

    /// The entry at this place, 0 for the newest.
    pub(super) fn get(&self, place: usize) -> Option<&Entry> {
        self.entries.get(place)
    }

    pub(super) fn set_max_size(&mut self, max_size: usize) {
        self.max_size = max_size;
        self.evict(max_size);
    }

    /// Whether an entry of this size can be in the table at all.
    pub(super) fn holds(&self, size: usize) -> bool {
        size <= self.max_size
    }

    /// Adds an entry. One that is larger than the table leaves it empty (RFC 7541, 4.4). Answers whether it is there.
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        let size = entry.size();
        self.evict(self.max_size.saturating_sub(size));
        if !self.holds(size) {
            return false;
        }
        self.size += size;
        self.entries.push_front(entry);
        true
    }

    /// Nothing is left in it.
    pub(super) fn clear(&mut self) {
        self.evict(0);
    }

    /// Removes the oldest entries until the others have at most so many bytes.
    fn evict(&mut self, room: usize) {
        while self.size > room {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.size -= oldest.size();
        }
    }
}
