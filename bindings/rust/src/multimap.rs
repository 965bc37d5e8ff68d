//! Multimaps: caches whose keys have several values.

use crate::Cache;

/// A multimap in a cache; cheap to clone.
#[derive(Clone)]
pub struct Multimap {
    pub(crate) cache: Cache,
    pub(crate) supports_duplicates: bool,
}

impl Multimap {
    pub(crate) fn new(cache: Cache, supports_duplicates: bool) -> Self {
        Self { cache, supports_duplicates }
    }

    /// Whether a key may have the same value more than once (4.0 and later).
    pub fn supports_duplicates(&self) -> bool {
        self.supports_duplicates
    }
}
