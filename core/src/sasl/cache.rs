//! Cache of salted passwords, so that a hundred sessions cost one PBKDF2.

use alloc::vec::Vec;
use core::fmt;

use super::derivation::{Derivation, Origin};
use super::hash::{Hash, WipedBytes};
use super::secret::Secret;

/// Cache of salted passwords from SCRAM exchanges (recommended by RFC 5802 §5.1).
///
/// Bounded: the least recently used entry is evicted. An entry is valid only for the password from which it was
/// derived. Entries are wiped when dropped; `Debug` shows only their number.
#[derive(Clone)]
pub struct SaltedPasswordCache {
    /// Entries in order of use, the most recently used last.
    entries: Vec<Entry>,
    capacity: usize,
    derivations: u64,
}

#[derive(Clone)]
struct Entry {
    origin: Origin,
    salted_password: WipedBytes,
}

impl SaltedPasswordCache {
    /// Creates a cache with this capacity; 0 disables it.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::new(), capacity, derivations: 0 }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the cache is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of derivations that the cache could not save.
    pub fn derivations(&self) -> u64 {
        self.derivations
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Salted password of an earlier derivation from `origin`.
    pub(super) fn find(&mut self, origin: &Origin) -> Option<WipedBytes> {
        let index = self.entries.iter().position(|entry| entry.origin == *origin)?;
        let entry = self.entries.remove(index);
        let salted_password = entry.salted_password.clone();
        self.entries.push(entry);
        Some(salted_password)
    }

    /// Stores the salted password of a finished derivation, and returns it.
    pub(super) fn keep(&mut self, finished: Derivation) -> WipedBytes {
        let (origin, salted_password) = finished.finish();
        self.derivations += 1;
        if self.capacity > 0 {
            if self.entries.len() >= self.capacity {
                self.entries.remove(0);
            }
            self.entries.push(Entry { origin, salted_password: salted_password.clone() });
        }
        salted_password
    }

    /// Salted password, derived in one call if it is not cached; for the server's role, which chooses the iterations
    /// itself.
    pub(super) fn salted_password(
        &mut self,
        hash: Hash,
        username: &str,
        password: &Secret,
        salt: &[u8],
        iterations: u32,
    ) -> WipedBytes {
        let origin = Origin::new(hash, username, password, salt, iterations);
        self.find(&origin).unwrap_or_else(|| {
            let mut derivation = Derivation::new(origin);
            derivation.advance(password, u32::MAX);
            self.keep(derivation)
        })
    }
}

/// Creates a cache with capacity for 16 entries: users, times hashes, times salts.
impl Default for SaltedPasswordCache {
    fn default() -> Self {
        Self::with_capacity(16)
    }
}

impl fmt::Debug for SaltedPasswordCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaltedPasswordCache")
            .field("entries", &self.entries.len())
            .field("capacity", &self.capacity)
            .field("derivations", &self.derivations)
            .finish()
    }
}
