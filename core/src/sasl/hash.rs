//! The hash functions behind SCRAM and DIGEST, chosen at run time.

use alloc::vec::Vec;

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Digest as _;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that are wiped when dropped: what comes out of a hash here is nearly always worth a password.
pub(super) type Octets = Zeroizing<Vec<u8>>;

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

/// Runs the expression with `$H` standing for the type of the hash.
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
    /// The hash of the parts, one after the other.
    pub(super) fn digest(self, parts: &[&[u8]]) -> Octets {
        with_hash!(self, H => {
            let mut hasher = H::new();
            parts.iter().for_each(|part| hasher.update(part));
            wiped(&mut hasher.finalize())
        })
    }

    /// HMAC (RFC 2104) of the parts, one after the other.
    pub(super) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Octets {
        with_hash!(self, H => hmac::<H>(key, parts))
    }

    /// The loop of PBKDF2 (RFC 8018 §5.2), `count` times: replaces `last` by its HMAC and adds that to `sum`.
    ///
    /// `sum` has the hash's [size](Self::size).
    pub(super) fn iterate(self, key: &[u8], last: &mut Octets, sum: &mut [u8], count: u32) {
        if count > 0 {
            with_hash!(self, H => iterate::<H>(key, last, sum, count));
        }
    }

    /// Bytes of the hash's output.
    pub(super) fn size(self) -> usize {
        with_hash!(self, H => H::output_size())
    }
}

fn hmac<H: EagerHash>(key: &[u8], parts: &[&[u8]]) -> Octets
where
    Hmac<H>: KeyInit + Mac,
{
    let mut mac = <Hmac<H> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    wiped(&mut mac.finalize().into_bytes())
}

/// Stays within arrays of the hash's size: each iteration is two compressions and nothing else that counts.
fn iterate<H: EagerHash>(key: &[u8], last: &mut Octets, sum: &mut [u8], count: u32)
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

/// Moves the bytes to where they will be wiped, and wipes them where they were.
fn wiped(bytes: &mut [u8]) -> Octets {
    let kept = Zeroizing::new(bytes.to_vec());
    bytes.zeroize();
    kept
}
