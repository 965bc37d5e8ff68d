//! Keys of SCRAM (RFC 5802 §3).

use crate::sasl::hash::{Hash, WipedBytes};

/// Keys derived from the salted password.
pub(super) struct Keys {
    hash: Hash,
    client_key: WipedBytes,
    stored_key: WipedBytes,
    server_key: WipedBytes,
}

impl Keys {
    pub(super) fn new(hash: Hash, salted_password: &[u8]) -> Self {
        let client_key = hash.hmac(salted_password, &[b"Client Key"]);
        let stored_key = hash.digest(&[&client_key]);
        let server_key = hash.hmac(salted_password, &[b"Server Key"]);
        Self { hash, client_key, stored_key, server_key }
    }

    /// Proof that the client knows the password. `auth_message` is passed in parts.
    pub(super) fn client_proof(&self, auth_message: &[&[u8]]) -> WipedBytes {
        let mut proof = self.hash.hmac(&self.stored_key, auth_message);
        proof.iter_mut().zip(self.client_key.iter()).for_each(|(byte, key)| *byte ^= key);
        proof
    }

    /// Proof that the server knows the password.
    pub(super) fn server_signature(&self, auth_message: &[&[u8]]) -> WipedBytes {
        self.hash.hmac(&self.server_key, auth_message)
    }
}
