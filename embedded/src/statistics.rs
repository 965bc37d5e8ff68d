//! Statistics of caches and members.

use std::ops::AddAssign;

/// Counts of operations on one cache that one member received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Entries written.
    pub stores: u64,
    /// Entries read and found.
    pub hits: u64,
    /// Reads of keys that do not exist.
    pub misses: u64,
    /// Entries removed.
    pub remove_hits: u64,
    /// Removals of keys that do not exist.
    pub remove_misses: u64,
    /// Direct hits: keyed operations whose primary owner is this member. In a local cache, all keyed operations.
    pub direct_hits: u64,
    /// Keyed operations whose key has another primary owner.
    pub forwarded: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.stores += other.stores;
        self.hits += other.hits;
        self.misses += other.misses;
        self.remove_hits += other.remove_hits;
        self.remove_misses += other.remove_misses;
        self.direct_hits += other.direct_hits;
        self.forwarded += other.forwarded;
    }
}

/// Content of an answer to STATS.
pub(crate) struct Report {
    pub(crate) seconds_since_start: u64,
    pub(crate) here: Counts,
    pub(crate) everywhere: Counts,
    /// Entries in segments that this member owns.
    pub(crate) owned: u64,
    /// Entries in segments that this member is the primary owner of.
    pub(crate) primary: u64,
    /// Entries of the whole cache.
    pub(crate) all: u64,
    /// Copies of entries over all owners.
    pub(crate) copies: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    /// Whether the answer includes the statistics of the whole cluster (since 2.4).
    pub(crate) with_global: bool,
}

impl Report {
    /// Returns names and values. The names are the server's (`Encoder2x`), but `directHits` and `forwarded` are our own.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = vec![
            ("timeSinceStart", self.seconds_since_start),
            ("currentNumberOfEntries", self.owned),
            ("stores", self.here.stores),
            ("retrievals", self.here.hits + self.here.misses),
            ("hits", self.here.hits),
            ("misses", self.here.misses),
            ("removeHits", self.here.remove_hits),
            ("removeMisses", self.here.remove_misses),
            ("approximateEntries", self.owned),
            ("approximateEntriesUnique", self.primary),
            ("totalBytesRead", self.bytes_read),
            ("totalBytesWritten", self.bytes_written),
            ("directHits", self.here.direct_hits),
            ("forwarded", self.here.forwarded),
        ];
        if self.with_global {
            pairs.extend([
                ("globalCurrentNumberOfEntries", self.all),
                ("globalStores", self.everywhere.stores),
                ("globalRetrievals", self.everywhere.hits + self.everywhere.misses),
                ("globalHits", self.everywhere.hits),
                ("globalMisses", self.everywhere.misses),
                ("globalRemoveHits", self.everywhere.remove_hits),
                ("globalRemoveMisses", self.everywhere.remove_misses),
                ("globalApproximateEntries", self.copies),
                ("globalApproximateEntriesUnique", self.all),
                ("globalDirectHits", self.everywhere.direct_hits),
                ("globalForwarded", self.everywhere.forwarded),
            ]);
        }
        pairs.into_iter().map(|(name, value)| (name.into(), value.to_string())).collect()
    }
}
