//! What a session is told at its beginning.

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use crate::sasl::{self, ChannelBinding, Credentials, Mechanism, SaltedPasswordCache};
use crate::wire::{Intelligence, Limits, Version};

/// Settings of a [`Session`](super::Session).
#[derive(Debug, Clone)]
pub struct Config {
    /// Which protocol version to speak. Default: the newest that both sides know.
    pub version: VersionChoice,
    /// How much of topologies the client understands. Default: members and segment owners.
    pub intelligence: Intelligence,
    /// Who to be; `None` to skip authentication. Default: `None`.
    pub authentication: Option<Authentication>,
    /// Time for negotiation and authentication together. Default 10 s.
    pub handshake_timeout: Duration,
    /// Deadline of an operation whose submitter names none. Default 15 s.
    pub operation_timeout: Duration,
    /// With operations in flight and no byte received for so long, the link is given up. Default 60 s.
    pub stall_timeout: Duration,
    /// Operations in flight, those included that timed out and whose answer is still awaited. Default 1,024.
    pub max_in_flight: usize,
    /// Bytes waiting to be sent above which nothing more is accepted. Default 16 MiB; one operation may exceed it. Where
    /// messages go out in fragments, those that fit a frame do not wait for them.
    pub max_send_bytes: usize,
    /// Events waiting to be polled above which nothing more is decoded. Default 4,096.
    pub max_events: usize,
    /// What a server may ask of us.
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

/// Which protocol version to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionChoice {
    /// The newest that both sides know.
    ///
    /// The handshake is made at 3.1, because an older server takes the longer header of 4.0 for the beginning of a
    /// next request; the server's answer tells what it knows, and the session goes on with that.
    #[default]
    Newest,
    /// This one and no other.
    Exactly(Version),
}

/// How to authenticate.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// Who to be.
    pub credentials: Arc<Credentials>,
    /// The mechanism; `None` for the strongest that both sides know and that [`sasl::Policy`](crate::sasl::Policy) allows.
    pub mechanism: Option<Mechanism>,
    /// SCRAM: the session ends if the server asks for more iterations of the password's hash. 100,000 take about 0.1 s.
    /// The session derives in slices of at most 10,000, one per call: after each it asks for
    /// [`handle_timeout`](super::Session::handle_timeout) at once, so that the host's other work goes on in between.
    /// Default 100,000.
    pub max_iterations: u32,
    /// What the link is known by at both ends; `None` where that is not known, or where TLS ends before the server.
    pub channel_binding: Option<ChannelBinding>,
    /// Whether nothing but SCRAM bound to the link is used. Default: no.
    pub requires_channel_binding: bool,
    /// The server's name in the realm of SASL. Infinispan's default is `infinispan`.
    pub server_name: String,
    /// Whether the host encrypts the link.
    pub encrypted: bool,
    /// Salted passwords of earlier sessions: spares this one the cost of deriving them.
    pub salted_passwords: SaltedPasswordCache,
}

impl Authentication {
    /// With the strongest mechanism that both sides know.
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
