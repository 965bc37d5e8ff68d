//! The dynamic table (RFC 7541, 2.3.2 and 4).

use alloc::collections::VecDeque;

use bytes::Bytes;

use super::field;

/// An entry of the table.
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

/// Entries in order of insertion, newest first. The oldest are evicted to make space.
///
/// Each entry owns the memory of its new parts, so that the table's memory is what its size says.
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

    /// Maximum size of all entries, in bytes.
    pub(super) fn max_size(&self) -> usize {
        self.max_size
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Memory of the entries: the overhead of RFC 7541, 4.1 is less than that of two views and their allocations.
    pub(super) fn memory(&self) -> usize {
        self.size + self.entries.len() * size_of::<Entry>()
    }

    /// Entry at this position, 0 for the newest.
    pub(super) fn get(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    pub(super) fn set_max_size(&mut self, max_size: usize) {
        self.max_size = max_size;
        self.evict(max_size);
    }

    /// Whether an entry of this size fits into the table.
    pub(super) fn holds(&self, size: usize) -> bool {
        size <= self.max_size
    }

    /// Adds an entry; an entry larger than the table empties it (RFC 7541, 4.4). Returns whether the entry was added.
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

    pub(super) fn clear(&mut self) {
        self.evict(0);
    }

    /// Evicts the oldest entries until the others have at most `size` bytes.
    fn evict(&mut self, size: usize) {
        while self.size > size {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.size -= oldest.size();
        }
    }
}
