//! Nonces derived from the caller's entropy.

use alloc::string::String;

use base64ct::{Base64Unpadded, Encoding};

use super::hash::Hash;

/// Purpose of a nonce; nonces for different purposes are independent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Client,
    Server,
}

/// Generates 43 printable characters without comma or quote, valid for SCRAM (RFC 5802 §7) and DIGEST (RFC 2831
/// §2.1.1).
pub(super) fn nonce(entropy: &[u8; 32], purpose: Purpose) -> String {
    let label: &[u8] = match purpose {
        Purpose::Client => b"hotrod sasl client nonce",
        Purpose::Server => b"hotrod sasl server nonce",
    };
    Base64Unpadded::encode_string(&Hash::Sha256.hmac(entropy, &[label]))
}
