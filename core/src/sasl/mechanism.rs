//! SASL mechanisms and their order of preference.

use core::fmt;

use super::hash::Hash;

/// A SASL mechanism, in order of preference, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// `PLAIN` (RFC 4616): sends the password.
    Plain,
    /// `DIGEST-MD5` (RFC 2831; declared historic by RFC 6331).
    DigestMd5,
    /// `DIGEST-SHA`: DIGEST-MD5 with SHA-1. The DIGEST mechanisms from here on are Elytron's.
    DigestSha,
    /// `DIGEST-SHA-256`.
    DigestSha256,
    /// `DIGEST-SHA-512-256`.
    DigestSha512_256,
    /// `DIGEST-SHA-384`.
    DigestSha384,
    /// `DIGEST-SHA-512`.
    DigestSha512,
    /// `SCRAM-SHA-1` (RFC 5802).
    ScramSha1,
    /// `SCRAM-SHA-256` (RFC 7677).
    ScramSha256,
    /// `SCRAM-SHA-384`: as RFC 7677, with SHA-384.
    ScramSha384,
    /// `SCRAM-SHA-512`: as RFC 7677, with SHA-512.
    ScramSha512,
    /// `SCRAM-SHA-1-PLUS` (RFC 5802): SCRAM with channel binding.
    ScramSha1Plus,
    /// `SCRAM-SHA-256-PLUS` (RFC 7677).
    ScramSha256Plus,
    /// `SCRAM-SHA-384-PLUS`.
    ScramSha384Plus,
    /// `SCRAM-SHA-512-PLUS`.
    ScramSha512Plus,
    /// `OAUTHBEARER` (RFC 7628): an OAuth 2.0 bearer token.
    OAuthBearer,
    /// `EXTERNAL` (RFC 4422, appendix A): the identity proven by TLS.
    External,
}

/// Kind of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Digest(Hash),
    Scram(Hash),
    OAuthBearer,
    External,
}

impl Mechanism {
    /// All mechanisms, the weakest first.
    pub const ALL: [Self; 17] = [
        Self::Plain,
        Self::DigestMd5,
        Self::DigestSha,
        Self::DigestSha256,
        Self::DigestSha512_256,
        Self::DigestSha384,
        Self::DigestSha512,
        Self::ScramSha1,
        Self::ScramSha256,
        Self::ScramSha384,
        Self::ScramSha512,
        Self::ScramSha1Plus,
        Self::ScramSha256Plus,
        Self::ScramSha384Plus,
        Self::ScramSha512Plus,
        Self::OAuthBearer,
        Self::External,
    ];

    /// Name on the wire, as registered with IANA or as spelt by Elytron.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::DigestMd5 => "DIGEST-MD5",
            Self::DigestSha => "DIGEST-SHA",
            Self::DigestSha256 => "DIGEST-SHA-256",
            Self::DigestSha512_256 => "DIGEST-SHA-512-256",
            Self::DigestSha384 => "DIGEST-SHA-384",
            Self::DigestSha512 => "DIGEST-SHA-512",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha384 => "SCRAM-SHA-384",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha384Plus => "SCRAM-SHA-384-PLUS",
            Self::ScramSha512Plus => "SCRAM-SHA-512-PLUS",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::External => "EXTERNAL",
        }
    }

    /// Mechanism with this name; names are upper case (RFC 4422 §3.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Whether a client may use the mechanism without explicit configuration.
    ///
    /// SCRAM reveals nothing to an eavesdropper or to the server that is cheaper to attack than the password's PBKDF2.
    /// PLAIN reveals the password and DIGEST one fast hash of it: never. OAUTHBEARER reveals the token, and EXTERNAL
    /// requires TLS: both need an encrypted link.
    pub fn needs_no_naming(self, encrypted: bool) -> bool {
        match self.kind() {
            Kind::Scram(_) => true,
            Kind::OAuthBearer | Kind::External => encrypted,
            Kind::Plain | Kind::Digest(_) => false,
        }
    }

    /// Whether the mechanism uses a password and protects it less than SCRAM does.
    pub fn is_weaker_than_scram(self) -> bool {
        matches!(self.kind(), Kind::Plain | Kind::Digest(_))
    }

    /// Whether the mechanism binds the exchange to the TLS connection (RFC 5802 §6).
    pub fn binds_channel(self) -> bool {
        matches!(self, Self::ScramSha1Plus | Self::ScramSha256Plus | Self::ScramSha384Plus | Self::ScramSha512Plus)
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Plain => Kind::Plain,
            Self::DigestMd5 => Kind::Digest(Hash::Md5),
            Self::DigestSha => Kind::Digest(Hash::Sha1),
            Self::DigestSha256 => Kind::Digest(Hash::Sha256),
            Self::DigestSha512_256 => Kind::Digest(Hash::Sha512_256),
            Self::DigestSha384 => Kind::Digest(Hash::Sha384),
            Self::DigestSha512 => Kind::Digest(Hash::Sha512),
            Self::ScramSha1 | Self::ScramSha1Plus => Kind::Scram(Hash::Sha1),
            Self::ScramSha256 | Self::ScramSha256Plus => Kind::Scram(Hash::Sha256),
            Self::ScramSha384 | Self::ScramSha384Plus => Kind::Scram(Hash::Sha384),
            Self::ScramSha512 | Self::ScramSha512Plus => Kind::Scram(Hash::Sha512),
            Self::OAuthBearer => Kind::OAuthBearer,
            Self::External => Kind::External,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
