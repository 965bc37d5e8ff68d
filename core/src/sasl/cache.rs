//! Salted passwords, kept so that a hundred sessions cost one PBKDF2.

use alloc::vec::Vec;
use core::fmt;

use super::derivation::{Derivation, Origin};
use super::hash::{Hash, Octets};
use super::secret::Secret;

/// Salted passwords of earlier SCRAM exchanges (RFC 5802 §5.1 recommends to keep them).
///
/// Bounded: the one that was not asked for longest makes room. An entry serves only the password that it was derived
/// from. Everything is wiped when dropped; `Debug` shows only how many there are.
#[derive(Clone)]
pub struct SaltedPasswordCache {
    /// The one asked for last comes last.
    entries: Vec<Entry>,
    capacity: usize,
    derivations: u64,
}

#[derive(Clone)]
struct Entry {
    origin: Origin,
    salted_password: Octets,
}

impl SaltedPasswordCache {
    /// With room for so many; 0 for none.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::new(), capacity, derivations: 0 }
    }

    /// How many it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How often a salted password had to be derived because it wasn't here.
    pub fn derivations(&self) -> u64 {
        self.derivations
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The salted password of an earlier derivation from `origin`.
    pub(super) fn find(&mut self, origin: &Origin) -> Option<Octets> {
        let index = self.entries.iter().position(|entry| entry.origin == *origin)?;
        let entry = self.entries.remove(index);
        let salted_password = entry.salted_password.clone();
        self.entries.push(entry);
        Some(salted_password)
    }

    /// Keeps the salted password of a finished derivation, and returns it.
    pub(super) fn keep(&mut self, finished: Derivation) -> Octets {
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

    /// The salted password, derived in one call if need be: for the server's role, whose iterations are its own setting.
    pub(super) fn salted_password(
        &mut self,
        hash: Hash,
        username: &str,
        password: &Secret,
        salt: &[u8],
        iterations: u32,
    ) -> Octets {
        let origin = Origin::new(hash, username, password, salt, iterations);
        self.find(&origin).unwrap_or_else(|| {
            let mut derivation = Derivation::new(origin);
            derivation.advance(password, u32::MAX);
            self.keep(derivation)
        })
    }
}

/// With room for 16: users, times hashes, times salts.
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
