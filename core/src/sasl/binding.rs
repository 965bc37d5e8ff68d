//! Channel binding (RFC 5056): what ties an exchange to the TLS connection that it runs on.
//!
//! A peer in between that has a certificate which the client trusts ends TLS on both sides of itself, and each side sees
//! another connection: the exchange fails, and the peer in between has learned nothing.

use core::fmt;

use subtle::ConstantTimeEq;

use super::hash::{Hash, Octets};

/// The label of a TLS exporter for channel binding (RFC 9266 §2). The context is empty and present, the length 32.
pub const EXPORTER_LABEL: &str = "EXPORTER-Channel-Binding";
/// Bytes that the exporter gives for channel binding (RFC 9266 §2).
pub const EXPORTER_LENGTH: usize = 32;

/// What identifies a TLS connection, or the server at its other end.
#[derive(Clone)]
pub struct ChannelBinding {
    kind: BindingKind,
    data: Octets,
}

/// A type of channel binding, as registered with IANA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingKind {
    /// `tls-exporter` (RFC 9266): the connection itself, from TLS 1.3 on.
    TlsExporter,
    /// `tls-server-end-point` (RFC 5929 §4): the server's certificate.
    TlsServerEndPoint,
}

/// What a client knows of channel binding in one exchange (RFC 5802 §6).
#[derive(Debug, Clone, Copy, Default)]
pub enum Binding<'a> {
    /// The client can't bind the channel, or does not know what the server offers: `n`.
    #[default]
    Unsupported,
    /// The client could bind the channel, and the server does not offer it: `y`. A server that does knows then that
    /// somebody has changed its offer.
    NotOffered,
    /// The exchange is bound to this channel: `p`.
    Channel(&'a ChannelBinding),
}

impl BindingKind {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }
}

impl ChannelBinding {
    /// `tls-exporter`, of what the TLS library has exported with [`EXPORTER_LABEL`]; `None` if that is not
    /// [`EXPORTER_LENGTH`] bytes. Only TLS 1.3 gives it without further conditions (RFC 9266 §3).
    pub fn tls_exporter(exported: &[u8]) -> Option<Self> {
        let data = Octets::from(exported.to_vec());
        (data.len() == EXPORTER_LENGTH).then_some(Self { kind: BindingKind::TlsExporter, data })
    }

    /// `tls-server-end-point`, of the server's certificate in DER; `None` if its signature goes without a hash function,
    /// as Ed25519 does, or the hash is not known.
    pub fn tls_server_end_point(certificate: &[u8]) -> Option<Self> {
        let data = signature_hash(certificate)?.digest(&[certificate]);
        Some(Self { kind: BindingKind::TlsServerEndPoint, data })
    }

    /// Its type.
    pub fn kind(&self) -> BindingKind {
        self.kind
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }
}

/// In constant time.
impl PartialEq for ChannelBinding {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && bool::from(self.data.ct_eq(&other.data))
    }
}

impl Eq for ChannelBinding {}

/// The type only.
impl fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChannelBinding").field(&self.kind).finish()
    }
}

/// The hash function for `tls-server-end-point`: that of the certificate's signature, SHA-256 in place of MD5 and SHA-1.
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_, behind) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(behind, SEQUENCE)?;
    let (id, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    if id == RSASSA_PSS {
        return pss_hash(parameters);
    }
    hash_of(id)
}

/// The hash function in the parameters of RSASSA-PSS (RFC 4055 §3.1); SHA-1 if none is named.
fn pss_hash(parameters: &[u8]) -> Option<Hash> {
    let (parameters, _) = element(parameters, SEQUENCE)?;
    let Some((tagged, _)) = element(parameters, FIRST_FIELD) else { return Some(Hash::Sha256) };
    let (algorithm, _) = element(tagged, SEQUENCE)?;
    hash_of(element(algorithm, OBJECT_IDENTIFIER)?.0)
}

fn hash_of(id: &[u8]) -> Option<Hash> {
    SIGNATURES.iter().find(|(known, _)| *known == id).map(|(_, hash)| *hash)
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const FIRST_FIELD: u8 = 0xa0;

const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

/// Signature algorithms (RFC 8017, RFC 5758) and hash functions (RFC 8017) by their object identifiers.
const SIGNATURES: [(&[u8], Hash); 14] = [
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], Hash::Sha384),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], Hash::Sha512),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], Hash::Sha384),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], Hash::Sha512),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2], Hash::Sha256),
    (&[0x2b, 0x0e, 3, 2, 0x1a], Hash::Sha256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1], Hash::Sha256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2], Hash::Sha384),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3], Hash::Sha512),
];

/// The content of a DER element of that tag at the beginning of `bytes` (X.690 §8.1), and what stands behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, bytes) = bytes.split_first()?;
    if first != tag {
        return None;
    }
    let (&first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(first), bytes),
        0x81..=0x83 => {
            let (length, bytes) = bytes.split_at_checked(usize::from(first & 3))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), bytes)
        }
        _ => return None,
    };
    bytes.split_at_checked(length)
}
