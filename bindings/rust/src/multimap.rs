//! Multimaps: caches whose keys have several values.

use crate::Cache;
use crate::codec::{Codec, Raw};

/// A multimap in a cache; cheap to clone. `K` is the [codec](crate::codec) of its keys, `V` that of its values;
/// without codecs both are bytes. Errors of codecs are those of a [`Cache`].
#[derive(Clone)]
pub struct Multimap<K = Raw, V = Raw> {
    pub(crate) cache: Cache<K, V>,
    pub(crate) supports_duplicates: bool,
}

impl<K: Codec, V: Codec> Multimap<K, V> {
    pub(crate) fn new(cache: Cache<K, V>, supports_duplicates: bool) -> Self {
        Self { cache, supports_duplicates }
    }

    /// The same multimap with codecs, whose media types its requests declare.
    #[must_use]
    pub fn with_codecs<L: Codec, W: Codec>(&self, keys: L, values: W) -> Multimap<L, W> {
        Multimap::new(self.cache.with_codecs(keys, values), self.supports_duplicates)
    }

    /// Whether a key may have the same value more than once (4.0 and later).
    pub fn supports_duplicates(&self) -> bool {
        self.supports_duplicates
    }
}
