//! Hash functions for SCRAM and DIGEST, selected at run time.

use alloc::vec::Vec;

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Digest as _;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that are wiped when dropped: hash outputs here are nearly always as sensitive as a password.
pub(super) type WipedBytes = Zeroizing<Vec<u8>>;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Sha512_256,
}

/// Evaluates the expression with `$H` as the type of the hash.
macro_rules! with_hash {
    ($hash:expr, $H:ident => $body:expr) => {
        match $hash {
            Hash::Md5 => with_hash!(@ md5::Md5, $H, $body),
            Hash::Sha1 => with_hash!(@ sha1::Sha1, $H, $body),
            Hash::Sha256 => with_hash!(@ sha2::Sha256, $H, $body),
            Hash::Sha384 => with_hash!(@ sha2::Sha384, $H, $body),
            Hash::Sha512 => with_hash!(@ sha2::Sha512, $H, $body),
            Hash::Sha512_256 => with_hash!(@ sha2::Sha512_256, $H, $body),
        }
    };
    (@ $type:ty, $H:ident, $body:expr) => {{
        type $H = $type;
        $body
    }};
}

impl Hash {
    /// Hashes the concatenation of the parts.
    pub(super) fn digest(self, parts: &[&[u8]]) -> WipedBytes {
        with_hash!(self, H => {
            let mut hasher = H::new();
            parts.iter().for_each(|part| hasher.update(part));
            wiped(&mut hasher.finalize())
        })
    }

    /// HMAC (RFC 2104) of the concatenation of the parts.
    pub(super) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> WipedBytes {
        with_hash!(self, H => hmac::<H>(key, parts))
    }

    /// Loop of PBKDF2 (RFC 8018 §5.2) with `count` iterations: replaces `last` by its HMAC and XORs the result into
    /// `sum`.
    ///
    /// `sum` has the hash's [size](Self::size).
    pub(super) fn iterate(self, key: &[u8], last: &mut WipedBytes, sum: &mut [u8], count: u32) {
        if count > 0 {
            with_hash!(self, H => iterate::<H>(key, last, sum, count));
        }
    }

    /// Size of the output, in bytes.
    pub(super) fn size(self) -> usize {
        with_hash!(self, H => H::output_size())
    }
}

fn hmac<H: EagerHash>(key: &[u8], parts: &[&[u8]]) -> WipedBytes
where
    Hmac<H>: KeyInit + Mac,
{
    let mut mac = <Hmac<H> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    wiped(&mut mac.finalize().into_bytes())
}

/// Uses fixed-size arrays: the cost of an iteration is two compressions.
fn iterate<H: EagerHash>(key: &[u8], last: &mut WipedBytes, sum: &mut [u8], count: u32)
where
    Hmac<H>: KeyInit + Mac + Clone,
{
    let keyed = <Hmac<H> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    let next = |last: &[u8]| {
        let mut mac = keyed.clone();
        mac.update(last);
        mac.finalize().into_bytes()
    };
    let mut output = next(last);
    let mut slice_sum = output.clone();
    for _ in 1..count {
        output = next(&output);
        xor(&mut slice_sum, &output);
    }
    xor(sum, &slice_sum);
    slice_sum.zeroize();
    *last = wiped(&mut output);
}

fn xor(sum: &mut [u8], bytes: &[u8]) {
    sum.iter_mut().zip(bytes).for_each(|(sum, byte)| *sum ^= byte);
}

/// Moves the bytes into a wiped buffer, and wipes their source.
fn wiped(bytes: &mut [u8]) -> WipedBytes {
    let kept = Zeroizing::new(bytes.to_vec());
    bytes.zeroize();
    kept
}
