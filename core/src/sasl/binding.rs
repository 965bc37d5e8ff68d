//! Channel binding (RFC 5056): binds an authentication exchange to its TLS connection.
//!
//! A man in the middle with a certificate that the client trusts terminates TLS on both sides, and the two ends see
//! different connections: the exchange fails, and the attacker learns nothing.

use core::fmt;

use subtle::ConstantTimeEq;

use super::hash::{Hash, WipedBytes};

/// Label of the TLS exporter for channel binding (RFC 9266 §2). The context is present and empty, the length 32.
pub const EXPORTER_LABEL: &str = "EXPORTER-Channel-Binding";
/// Length of the exporter's output for channel binding, in bytes (RFC 9266 §2).
pub const EXPORTER_LENGTH: usize = 32;

/// Identity of a TLS connection, or of the server at its other end.
#[derive(Clone)]
pub struct ChannelBinding {
    kind: BindingKind,
    data: WipedBytes,
}

/// Type of channel binding, as registered with IANA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingKind {
    /// `tls-exporter` (RFC 9266): the connection, from TLS 1.3 on.
    TlsExporter,
    /// `tls-server-end-point` (RFC 5929 §4): the server's certificate.
    TlsServerEndPoint,
}

/// Channel binding of a client in one exchange (RFC 5802 §6).
#[derive(Debug, Clone, Copy, Default)]
pub enum Binding<'a> {
    /// The client does not support channel binding, or does not know the server's offer: `n`.
    #[default]
    Unsupported,
    /// The client supports channel binding, and the server does not offer it: `y`. A server that does offer it detects
    /// that its offer was changed.
    NotOffered,
    /// The exchange is bound to this channel: `p`.
    Channel(&'a ChannelBinding),
}

impl BindingKind {
    /// Name of the type on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }
}

impl ChannelBinding {
    /// Creates `tls-exporter` from the TLS library's output for [`EXPORTER_LABEL`]; `None` if its length is not
    /// [`EXPORTER_LENGTH`]. Only TLS 1.3 provides it without further conditions (RFC 9266 §3).
    pub fn tls_exporter(exported: &[u8]) -> Option<Self> {
        let data = WipedBytes::from(exported.to_vec());
        (data.len() == EXPORTER_LENGTH).then_some(Self { kind: BindingKind::TlsExporter, data })
    }

    /// Creates `tls-server-end-point` from the server's certificate in DER; `None` if its signature has no hash
    /// function, as Ed25519, or an unknown one.
    pub fn tls_server_end_point(certificate: &[u8]) -> Option<Self> {
        let data = signature_hash(certificate)?.digest(&[certificate]);
        Some(Self { kind: BindingKind::TlsServerEndPoint, data })
    }

    /// Type of the channel binding.
    pub fn kind(&self) -> BindingKind {
        self.kind
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }
}

/// Compares in constant time.
impl PartialEq for ChannelBinding {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && bool::from(self.data.ct_eq(&other.data))
    }
}

impl Eq for ChannelBinding {}

/// Shows the type only.
impl fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChannelBinding").field(&self.kind).finish()
    }
}

/// Hash function for `tls-server-end-point`: that of the certificate's signature, but SHA-256 instead of MD5 and
/// SHA-1.
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_, remaining) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(remaining, SEQUENCE)?;
    let (id, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    if id == RSASSA_PSS {
        return pss_hash(parameters);
    }
    hash_of(id)
}

/// Hash function in the parameters of RSASSA-PSS (RFC 4055 §3.1); SHA-1 by default.
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

/// Object identifiers of signature algorithms (RFC 8017, RFC 5758) and hash functions (RFC 8017).
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

/// Splits a DER element with this tag off `bytes` (X.690 §8.1): returns its content, and the bytes behind it.
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
