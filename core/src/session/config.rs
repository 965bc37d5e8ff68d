//! Configuration of a session.

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use crate::sasl::{self, ChannelBinding, Credentials, Mechanism, SaltedPasswordCache};
use crate::wire::{Intelligence, Limits, Version};

/// Settings of a [`Session`](super::Session).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Choice of the protocol version. Default: the newest supported by both sides.
    pub version: VersionChoice,
    /// Amount of topology information to request. Default: members and segment owners.
    pub intelligence: Intelligence,
    /// Authentication; `None` skips it. Default: `None`.
    pub authentication: Option<Authentication>,
    /// Timeout of negotiation and authentication together. Default 10 s.
    pub handshake_timeout: Duration,
    /// Default timeout of an operation. Default 15 s.
    pub operation_timeout: Duration,
    /// Timeout for a link without received bytes while operations are in flight. Default 60 s.
    pub stall_timeout: Duration,
    /// Maximum number of operations in flight, including expired ones without a reply. Default 1,024.
    pub max_in_flight: usize,
    /// Size of the send queue, in bytes, above which operations are rejected. Default 16 MiB; one operation may exceed
    /// it. Fragments of large messages do not count for messages that fit a frame.
    pub max_send_bytes: usize,
    /// Number of queued events above which decoding pauses. Default 4,096.
    pub max_events: usize,
    /// Limits on the server's messages.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VersionChoice::Newest,
            intelligence: Intelligence::HashDistributionAware,
            authentication: None,
            handshake_timeout: Duration::from_secs(10),
            operation_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(60),
            max_in_flight: 1024,
            max_send_bytes: 16 << 20,
            max_events: 4096,
            limits: Limits::default(),
        }
    }
}

/// Choice of the protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum VersionChoice {
    /// The newest supported by both sides.
    ///
    /// The handshake uses 3.1, because an older server would read the longer header of 4.0 as the beginning of another
    /// request. The server's reply contains its newest version, with which the session continues.
    #[default]
    Newest,
    /// Exactly this version.
    Exactly(Version),
}

/// Authentication settings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Authentication {
    /// Credentials of the user.
    pub credentials: Arc<Credentials>,
    /// SASL mechanism; `None` for the strongest one that both sides support and [`sasl::Policy`](crate::sasl::Policy)
    /// allows.
    pub mechanism: Option<Mechanism>,
    /// Maximum number of SCRAM hash iterations; the session ends if the server requires more. 100,000 take about 0.1
    /// s. The session derives in slices of at most 10,000, one per call: after each slice
    /// [`handle_timeout`](super::Session::handle_timeout) is due at once, so that the host can do other work in
    /// between. Default 100,000.
    pub max_iterations: u32,
    /// Channel binding data of the TLS connection; `None` if it is unknown, or if TLS ends before the server.
    pub channel_binding: Option<ChannelBinding>,
    /// Whether to require SCRAM with channel binding. Default: no.
    pub requires_channel_binding: bool,
    /// Server name in SASL. Infinispan's default is `infinispan`.
    pub server_name: String,
    /// Whether the link is encrypted.
    pub encrypted: bool,
    /// Salted passwords of earlier sessions, which save this session the derivation.
    pub salted_passwords: SaltedPasswordCache,
}

impl Authentication {
    /// Creates settings for the strongest mechanism that both sides support.
    pub fn new(credentials: Arc<Credentials>, encrypted: bool) -> Self {
        Self {
            credentials,
            mechanism: None,
            max_iterations: sasl::ClientLimits::default().max_iterations,
            channel_binding: None,
            requires_channel_binding: false,
            server_name: "infinispan".into(),
            encrypted,
            salted_passwords: SaltedPasswordCache::default(),
        }
    }
}
