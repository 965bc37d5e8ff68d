//! Parses the messages of SCRAM (RFC 5802 §7).

use alloc::string::String;
use alloc::vec::Vec;

use super::name;
use crate::sasl::error::SaslError;
use crate::sasl::text::{from_base64, printable};

/// `r=nonce,s=salt,i=iterations`
#[derive(Debug)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    /// Number of iterations; saturates at `u64::MAX`.
    pub(super) iterations: u64,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, SaslError> {
        let malformed = |problem| SaslError::Malformed { message: "the SCRAM server-first message", problem };
        // Extensions may follow and must be ignored (§5.1); a mandatory one comes first and is an error.
        let mut attributes = text.split(',');
        let nonce = attribute(attributes.next(), "r=").ok_or(malformed("no nonce (r=)"))?;
        let salt = attribute(attributes.next(), "s=").ok_or(malformed("no salt (s=)"))?;
        let count = attribute(attributes.next(), "i=").ok_or(malformed("no iteration count (i=)"))?;
        if count.is_empty() || count.starts_with('0') || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed("the iteration count is not a number above 0"));
        }
        if !is_nonce(nonce) {
            return Err(malformed("the nonce has other characters than printable ASCII"));
        }
        let salt = from_base64(salt).ok_or(malformed("the salt is not base64"))?;
        if salt.is_empty() {
            return Err(malformed("the salt is empty"));
        }
        Ok(Self { nonce, salt, iterations: count.parse().unwrap_or(u64::MAX) })
    }
}

/// Parses the signature of `v=signature`.
pub(super) fn server_signature(text: &str) -> Result<Vec<u8>, SaslError> {
    let malformed = |problem| SaslError::Malformed { message: "the SCRAM server-final message", problem };
    let signature = attribute(text.split(',').next(), "v=").ok_or(malformed("no proof of the server (v=)"))?;
    from_base64(signature).ok_or(malformed("the server's proof is not base64"))
}

/// Text of a server's message; an error for `e=…`.
pub(super) fn server_text(challenge: &[u8]) -> Result<&str, SaslError> {
    let problem = "it is not UTF-8";
    let text =
        core::str::from_utf8(challenge).map_err(|_| SaslError::Malformed { message: "the SCRAM message", problem })?;
    match text.strip_prefix("e=") {
        Some(error) => Err(SaslError::Refused { reason: printable(error.as_bytes(), 200) }),
        None => Ok(text),
    }
}

/// `gs2-header n=username,r=nonce`
#[derive(Debug)]
pub(super) struct ClientFirst<'a> {
    pub(super) gs2_header: &'a str,
    /// `n`, `y`, or `p=` and the type of channel binding.
    pub(super) binding_flag: &'a str,
    pub(super) authorization_id: String,
    /// Text behind the GS2 header: a part of the signed text.
    pub(super) bare: &'a str,
    pub(super) username: String,
    pub(super) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, SaslError> {
        let malformed = |problem| SaslError::Malformed { message: "the SCRAM client-first message", problem };
        let text = core::str::from_utf8(message).map_err(|_| malformed("it is not UTF-8"))?;
        let header_end =
            text.match_indices(',').nth(1).map(|(comma, _)| comma + 1).ok_or(malformed("no GS2 header"))?;
        let (gs2_header, bare) = text.split_at(header_end);
        let (binding_flag, authorization_id) =
            name::gs2_parts(gs2_header).ok_or(malformed("its GS2 header is not n,…, y,… or p=…,…"))?;
        let mut attributes = bare.split(',');
        let username =
            attribute(attributes.next(), "n=").and_then(name::unescape).ok_or(malformed("no username (n=)"))?;
        let nonce = attribute(attributes.next(), "r=").ok_or(malformed("no nonce (r=)"))?;
        if !is_nonce(nonce) {
            return Err(malformed("the nonce has other characters than printable ASCII"));
        }
        Ok(Self { gs2_header, binding_flag, authorization_id, bare, username, nonce })
    }
}

/// `c=channel-binding,r=nonce,p=proof`
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    pub(super) channel_binding: Vec<u8>,
    pub(super) nonce: &'a str,
    /// Text before the proof: a part of the signed text.
    pub(super) without_proof: &'a str,
    pub(super) proof: Vec<u8>,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, SaslError> {
        let malformed = |problem| SaslError::Malformed { message: "the SCRAM client-final message", problem };
        let text = core::str::from_utf8(message).map_err(|_| malformed("it is not UTF-8"))?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(malformed("no proof (p=)"))?;
        let mut attributes = without_proof.split(',');
        let binding = attribute(attributes.next(), "c=").ok_or(malformed("no channel binding (c=)"))?;
        let nonce = attribute(attributes.next(), "r=").ok_or(malformed("no nonce (r=)"))?;
        let channel_binding = from_base64(binding).ok_or(malformed("the channel binding is not base64"))?;
        let proof = from_base64(proof).ok_or(malformed("the proof is not base64"))?;
        Ok(Self { channel_binding, nonce, without_proof, proof })
    }
}

fn attribute<'a>(part: Option<&'a str>, name: &str) -> Option<&'a str> {
    part?.strip_prefix(name)
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
