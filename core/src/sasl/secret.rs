//! Secret text.

use alloc::string::{String, ToString};
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::hash::Hash;

/// A password or a token: hidden from `Debug`, compared in constant time, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Exposes the text. Copies of it are not wiped.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_string()))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

/// Compares hashes, so that the time does not even depend on the secret's length.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let hash = |secret: &Self| Hash::Sha256.digest(&[secret.0.as_bytes()]);
        hash(self).ct_eq(&hash(other)).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
