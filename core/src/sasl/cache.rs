//! Salted passwords, kept so that a hundred sessions cost one PBKDF2.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::hash::{Hash, Octets};

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
    hash: Hash,
    username: String,
    salt: Vec<u8>,
    iterations: u32,
    /// A fast hash of the password, to know it by; wiped like the salted password itself.
    password_mark: Octets,
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

    /// The salted password, derived if need be. All but `password` may come from the peer.
    pub(super) fn salted_password(
        &mut self,
        hash: Hash,
        username: &str,
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Octets {
        let password_mark = Hash::Sha256.hmac(salt, &[password.as_bytes()]);
        let found = self.entries.iter().position(|entry| {
            entry.hash == hash
                && entry.iterations == iterations
                && entry.username == username
                && entry.salt == salt
                && bool::from(entry.password_mark.ct_eq(&password_mark))
        });
        if let Some(index) = found {
            let entry = self.entries.remove(index);
            let salted_password = entry.salted_password.clone();
            self.entries.push(entry);
            return salted_password;
        }
        let salted_password = hash.pbkdf2(password.as_bytes(), salt, iterations);
        self.derivations += 1;
        self.keep(Entry {
            hash,
            username: username.to_string(),
            salt: salt.to_vec(),
            iterations,
            password_mark,
            salted_password: salted_password.clone(),
        });
        salted_password
    }

    fn keep(&mut self, entry: Entry) {
        if self.capacity == 0 {
            return;
        }
        if self.entries.len() >= self.capacity {
            self.entries.remove(0);
        }
        self.entries.push(entry);
    }
}

/// With room for 16: users, times hashes, times salts.
impl Default for SaltedPasswordCache {
    fn default() -> Self {
        Self::with_capacity(16)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.username.zeroize();
        self.salt.zeroize();
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
