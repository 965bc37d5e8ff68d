//! Searches both tables for an encoder.

use alloc::collections::VecDeque;

use bytes::Bytes;

use super::dynamic_table::{DynamicTable, Entry};
use super::static_table;

const BUCKETS: usize = 64;

/// A dynamic table with a search index.
///
/// Entries whose names share a bucket form a chain from the newest to the oldest. An entry is identified by its
/// number, counted from the first entry ever added. Evicted entries have numbers below the table's range, so chains
/// need no repair.
#[derive(Debug)]
pub(super) struct Searchable {
    table: DynamicTable,
    /// Number of the newest entry: the count of entries added so far.
    newest: u64,
    /// Number of each bucket's newest entry; 0 for none.
    heads: [u64; BUCKETS],
    /// Number of the next entry in the chain, for each entry of the table in order.
    older: VecDeque<u64>,
}

/// Index of a match in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Match of name and value.
    Field(usize),
    /// Match of the name.
    Name(usize),
    Nothing,
}

impl Searchable {
    pub(super) fn new(max_size: usize) -> Self {
        Self { table: DynamicTable::new(max_size), newest: 0, heads: [0; BUCKETS], older: VecDeque::new() }
    }

    pub(super) fn max_size(&self) -> usize {
        self.table.max_size()
    }

    pub(super) fn set_max_size(&mut self, max_size: usize) {
        self.table.set_max_size(max_size);
        self.older.truncate(self.table.len());
    }

    /// Searches the static table first: its indices are shorter.
    pub(super) fn find(&self, name: &[u8], value: &[u8]) -> Found {
        let hash = hash(name);
        let in_static = static_table::find(hash, name, value);
        if let Found::Field(_) = in_static {
            return in_static;
        }
        let mut found = in_static;
        let mut number = self.heads[bucket(hash)];
        while let Some((place, entry)) = self.entry(number) {
            if entry.name == name {
                let index = static_table::LEN + 1 + place;
                if entry.value == value {
                    return Found::Field(index);
                }
                if found == Found::Nothing {
                    found = Found::Name(index);
                }
            }
            number = self.older[place];
        }
        found
    }

    fn entry(&self, number: u64) -> Option<(usize, &Entry)> {
        let place = (self.newest - number) as usize;
        self.table.get(place).map(|entry| (place, entry))
    }

    /// Adds a field with its match in the tables.
    ///
    /// Copies the new parts: they may be slices of a large buffer.
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8], found: Found) {
        let known = match found {
            Found::Field(index) | Found::Name(index) => self.name(index),
            Found::Nothing => None,
        };
        let entry =
            Entry { name: known.unwrap_or_else(|| Bytes::copy_from_slice(name)), value: Bytes::copy_from_slice(value) };
        if self.table.insert(entry) {
            self.newest += 1;
            let head = &mut self.heads[bucket(hash(name))];
            self.older.push_front(*head);
            *head = self.newest;
        }
        self.older.truncate(self.table.len());
    }

    fn name(&self, index: usize) -> Option<Bytes> {
        let place = index.checked_sub(static_table::LEN + 1);
        place.map_or_else(|| static_table::name(index), |place| self.table.get(place).map(|entry| entry.name.clone()))
    }
}

fn bucket(hash: u32) -> usize {
    hash as usize % BUCKETS
}

/// FNV-1a. Needs no key: a chain is never longer than the table.
pub(super) const fn hash(name: &[u8]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut place = 0;
    while place < name.len() {
        hash = (hash ^ name[place] as u32).wrapping_mul(0x0100_0193);
        place += 1;
    }
    hash
}
