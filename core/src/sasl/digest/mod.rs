//! DIGEST-MD5 (RFC 2831), and Elytron's variants with other hashes; `qop=auth` only.
//!
//! Follows Elytron instead of the RFC in three places, with MD5 too. `algorithm` is `md5-sess` for every hash. Name,
//! realm and password are hashed as UTF-8, where the RFC requires ISO 8859-1 for text that it can represent. And the
//! exchange ends with `rspauth`, without a response.

mod client;
mod directives;
mod server;

use alloc::string::String;

pub(super) use client::DigestClient;
pub(super) use server::DigestServer;

use super::hash::Hash;
use super::text::hex;

/// Nonce count (`nc`): always the first, because each exchange uses a new nonce.
const NONCE_COUNT: &str = "00000001";

/// Inputs of a proof (RFC 2831 §2.1.2.1).
struct Proof<'a> {
    hash: Hash,
    username: &'a str,
    realm: &'a str,
    password: &'a str,
    authorization_id: Option<&'a str>,
    nonce: &'a [u8],
    client_nonce: &'a [u8],
    digest_uri: &'a [u8],
}

impl Proof<'_> {
    /// `response`: proves that the client knows the password.
    fn of_client(&self) -> String {
        self.compute("AUTHENTICATE")
    }

    /// `rspauth`: proves that the server knows the password (§2.1.3).
    fn of_server(&self) -> String {
        self.compute("")
    }

    fn compute(&self, method: &str) -> String {
        let hash = self.hash;
        let account = [self.username, ":", self.realm, ":", self.password].map(str::as_bytes);
        let account = hash.digest(&account);
        let mut a1: alloc::vec::Vec<&[u8]> = alloc::vec![&account, b":", self.nonce, b":", self.client_nonce];
        if let Some(id) = self.authorization_id {
            a1.extend([b":", id.as_bytes()]);
        }
        let key = zeroize::Zeroizing::new(hex(&hash.digest(&a1)));
        let a2 = hex(&hash.digest(&[method.as_bytes(), b":", self.digest_uri]));
        let parts: [&[u8]; 11] = [
            key.as_bytes(),
            b":",
            self.nonce,
            b":",
            NONCE_COUNT.as_bytes(),
            b":",
            self.client_nonce,
            b":",
            b"auth",
            b":",
            a2.as_bytes(),
        ];
        hex(&hash.digest(&parts))
    }
}
