//! Nonces, from the entropy that the caller gives.

use alloc::string::String;

use base64ct::{Base64Unpadded, Encoding};

use super::hash::Hash;

/// What a nonce is for; nonces for different purposes don't depend on each other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Client,
    Server,
}

/// 43 printable characters without comma or quote: fit for SCRAM (RFC 5802 §7) and DIGEST (RFC 2831 §2.1.1) alike.
pub(super) fn nonce(entropy: &[u8; 32], purpose: Purpose) -> String {
    let label: &[u8] = match purpose {
        Purpose::Client => b"hotrod sasl client nonce",
        Purpose::Server => b"hotrod sasl server nonce",
    };
    Base64Unpadded::encode_string(&Hash::Sha256.hmac(entropy, &[label]))
}
