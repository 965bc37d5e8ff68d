//! Derivation of salted passwords in slices.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::hash::{Hash, WipedBytes};
use super::secret::Secret;

/// Iterations per slice.
///
/// The server chooses the cost of PBKDF2, and the client's machine does nothing else during a slice. 10,000 iterations
/// took 1.4 ms (SHA-1) to 4.2 ms (SHA-512) when measured, cover the minimum of RFC 7677 §4 (4,096) in one slice, and
/// Elytron's 20,000 in two.
pub(super) const SLICE: u32 = 10_000;

/// Inputs of a salted password, with a fast hash in place of the password.
#[derive(Clone)]
pub(super) struct Origin {
    hash: Hash,
    username: String,
    salt: Vec<u8>,
    iterations: u32,
    /// HMAC of the password; wiped like the salted password.
    password_mark: WipedBytes,
}

impl Origin {
    /// Creates an origin. All arguments but `password` may come from the peer.
    pub(super) fn new(hash: Hash, username: &str, password: &Secret, salt: &[u8], iterations: u32) -> Self {
        let password_mark = Hash::Sha256.hmac(salt, &[password.expose().as_bytes()]);
        Self { hash, username: username.to_string(), salt: salt.to_vec(), iterations, password_mark }
    }
}

/// Compares the password in constant time.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
            && self.iterations == other.iterations
            && self.username == other.username
            && self.salt == other.salt
            && bool::from(self.password_mark.ct_eq(&other.password_mark))
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.username.zeroize();
        self.salt.zeroize();
    }
}

/// PBKDF2 (RFC 8018 §5.2) with HMAC, one block: `Hi` of RFC 5802 §2.2. Stops after each slice, and can be resumed.
///
/// The state between two slices is as sensitive as the password (an attacker who reads it can verify guesses), so it
/// is wiped when dropped and has no `Debug`. The HMAC key schedule is not kept: recomputing it costs two of 20,000
/// compressions.
pub(super) struct Derivation {
    origin: Origin,
    /// `U` of the last iteration; before the first one, the salt and the block index.
    last: WipedBytes,
    /// XOR of all `U` so far.
    sum: WipedBytes,
    left: u32,
}

impl Derivation {
    /// Creates a derivation before its first iteration.
    pub(super) fn new(origin: Origin) -> Self {
        let last = WipedBytes::from([&origin.salt[..], &1_u32.to_be_bytes()].concat());
        let sum = WipedBytes::from(alloc::vec![0; origin.hash.size()]);
        // As in the crate pbkdf2, 0 iterations count as 1.
        let left = origin.iterations.max(1);
        Self { origin, last, sum, left }
    }

    /// Computes at most `slice` iterations. Returns whether the derivation is finished.
    pub(super) fn advance(&mut self, password: &Secret, slice: u32) -> bool {
        let count = slice.min(self.left);
        self.origin.hash.iterate(password.expose().as_bytes(), &mut self.last, &mut self.sum, count);
        self.left -= count;
        self.left == 0
    }

    /// Origin and salted password of a finished derivation.
    pub(super) fn finish(self) -> (Origin, WipedBytes) {
        debug_assert_eq!(self.left, 0, "iterations are left");
        (self.origin, self.sum)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::ZeroizeOnDrop;

    use super::*;

    fn by_pbkdf2(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
        let (password, mut output) = (password.as_bytes(), alloc::vec![0; hash.size()]);
        match hash {
            Hash::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, salt, iterations, &mut output),
            Hash::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, iterations, &mut output),
            Hash::Sha384 => pbkdf2::pbkdf2_hmac::<sha2::Sha384>(password, salt, iterations, &mut output),
            Hash::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, salt, iterations, &mut output),
            Hash::Md5 | Hash::Sha512_256 => panic!("not a hash of SCRAM"),
        }
        output
    }

    proptest! {
        /// Slices of any size, 0 included, compute the result of the crate pbkdf2.
        #[test]
        fn slices_change_nothing(
            hash in prop_oneof![Just(Hash::Sha1), Just(Hash::Sha256), Just(Hash::Sha384), Just(Hash::Sha512)],
            password in ".{0,200}",
            salt in proptest::collection::vec(any::<u8>(), 0..100),
            iterations in 0_u32..400,
            slices in proptest::collection::vec(0_u32..100, 0..12),
        ) {
            let secret = Secret::from(&*password);
            let mut derivation = Derivation::new(Origin::new(hash, "user", &secret, &salt, iterations));
            let mut done = 0;
            for slice in slices {
                done += slice;
                prop_assert_eq!(derivation.advance(&secret, slice), done >= iterations.max(1));
            }
            prop_assert!(derivation.advance(&secret, SLICE), "400 iterations are less than one slice");
            prop_assert_eq!(&**derivation.finish().1, by_pbkdf2(hash, &password, &salt, iterations));
        }
    }

    /// Covers a derivation that is dropped unfinished; core/tests/allocations inspects the memory.
    #[test]
    fn every_part_of_the_state_is_wiped_on_drop() {
        fn is_wiped<T: ZeroizeOnDrop>(_: &T) {}
        let Derivation { origin, last, sum, left: _ } =
            Derivation::new(Origin::new(Hash::Sha256, "user", &Secret::from("pencil"), b"salt", 1));
        is_wiped(&origin.password_mark);
        is_wiped(&last);
        is_wiped(&sum);
    }
}
