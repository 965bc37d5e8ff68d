//! Settings of the machine.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::discovery::access::Access;
use super::discovery::member_hosts::MemberHosts;
use super::transport::binding::BindingPolicy;
use super::transport::carriages::CarriageConfig;
use super::transport::dial::{Proxy, TlsConfig};
use crate::session;
use crate::wire::{MediaType, Member};

/// Servers pause: however short the operations' timeout is, no link is given up after less silence.
const SHORTEST_SILENCE: Duration = Duration::from_secs(1);

/// Settings of a [`Cluster`](super::Cluster).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Initial servers, tried again when no known member can be reached.
    pub seeds: Vec<Member>,
    /// Other clusters with the same caches, in the order in which they are tried when no member of the present one can
    /// be reached. Default: none.
    pub sites: Vec<Site>,
    /// Consecutive failures of every member and every seed before the client switches to the next site. Default 3.
    pub site_failures: u32,
    /// How members are dialled. Default: at the addresses that they advertise.
    pub access: Access,
    /// The hosts at which members are dialled, beside those of seeds, sites and [`access`](Self::access). A member of
    /// another host is not dialled. `None` for what the seeds cover ([`MemberHosts::default_for_seeds`]), where there are
    /// credentials or TLS, and for every host otherwise. Default: none.
    pub member_hosts: Option<MemberHosts>,
    /// TLS to every member; `None` for none. Default: none.
    pub tls: Option<TlsConfig>,
    /// When SCRAM is bound to the TLS connection. Default: where the server offers it and nothing is between.
    pub channel_binding: BindingPolicy,
    /// A proxy through which every member is reached. Default: none.
    pub proxy: Option<Proxy>,
    /// How sessions travel. Default: as raw Hot Rod.
    pub carriage: CarriageConfig,
    /// Settings of every session.
    pub session: session::Config,
    /// Time for the host to establish a link. Default 5 s.
    pub connect_timeout: Duration,
    /// Deadline of an operation over all its attempts, if its submitter names none. A session with operations in flight on
    /// which nothing is received for a third of this time sends a PING, and ends after two thirds, at most
    /// [`session::Config::stall_timeout`] and at least 1 s. Operations do not wait for a third of this time for a link that is being
    /// established, where there is another. Default 15 s.
    pub operation_timeout: Duration,
    /// Maximum number of retries of an operation that has reached a member. Default 3. Attempts that reached no member do not
    /// count; only the deadline ends them.
    pub max_retries: u8,
    /// Whether a plain write (PUT, PUT_ALL, CLEAR, …) whose outcome is unknown is sent again, as Infinispan's own client
    /// does. It is idempotent while the key is not written in between. A first attempt that is executed late overwrites
    /// later writes, of other clients and of this one. With false such a write fails with an error that says it may have
    /// been applied. Default true.
    pub repeat_writes: bool,
    /// Back-off after the first failure of a member; it doubles with each further one. Default 100 ms.
    pub min_backoff: Duration,
    /// Maximum back-off. Default 10 s.
    pub max_backoff: Duration,
    /// Upper bound on an honoured Retry-After. Default 5 min.
    pub max_retry_after: Duration,
    /// Whether sessions with members are begun as soon as a topology names them, instead of with the first operation that
    /// needs one. Default true.
    pub connect_ahead: bool,
    /// How long operations wait for a session with the owner of their key, while another member could forward them: from when
    /// that session is begun, or while the owner is searched for, from when the first topology names it. Zero for not at
    /// all. Default 1 s.
    pub owner_wait: Duration,
    /// Number of sessions from which on none is begun ahead of need, however many share a link: a topology may name any number
    /// of members. Default 1,000.
    pub max_links_ahead: usize,
    /// Maximum number of sessions for operations with one member; further ones are opened when all have 64 operations. Each has
    /// a link of its own, unless the carriage shares links. Listeners and large messages have sessions beside them. Default 1.
    pub links_per_member: usize,
    /// Idle timeout of sessions beyond a member's first. Default 60 s.
    pub idle_timeout: Duration,
    /// Keep-alive interval: a session on which nothing was sent or received for this time sends a PING. Default 30 s.
    pub keep_alive: Duration,
    /// Number of events of a listener that the application has not [taken](super::Cluster::events_taken) from which on its
    /// link is not read. Default 1,024.
    pub listener_queue: usize,
    /// Size of the largest request that is sent, in bytes of keys and values; larger ones are refused. `None` for no limit.
    /// Default: none.
    pub max_request_size: Option<usize>,
    /// Maximum number of operations that wait for a link or for room in a session. Default 10,000.
    pub max_waiting: usize,
    /// Media type of the keys of a [cache handle](super::Cluster::cache) that declares none. Default: none, so keys are
    /// taken as the cache stores them.
    pub key_media_type: MediaType,
    /// Media type of the values of a cache handle that declares none. Default: none, as for keys.
    pub value_media_type: MediaType,
}

impl Config {
    /// Creates the default settings for these initial servers.
    pub fn new(seeds: Vec<Member>) -> Self {
        Self { seeds, ..Self::default() }
    }

    /// How long a session with operations in flight may be silent: two thirds of the operations' timeout, so that there is
    /// time left for an attempt elsewhere, and at most [`session::Config::stall_timeout`].
    pub(super) fn longest_silence(&self) -> Duration {
        (self.operation_timeout * 2 / 3).max(SHORTEST_SILENCE).min(self.session.stall_timeout)
    }

    /// Silence after which a PING asks whether the link still leads somewhere.
    pub(super) fn suspicious_silence(&self) -> Duration {
        self.longest_silence() / 2
    }

    /// How long operations wait for a session that is being established, where another member can be reached.
    pub(super) fn longest_establishment(&self) -> Duration {
        self.owner_wait.min(self.suspicious_silence())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            sites: Vec::new(),
            site_failures: 3,
            access: Access::default(),
            member_hosts: None,
            tls: None,
            channel_binding: BindingPolicy::default(),
            proxy: None,
            carriage: CarriageConfig::default(),
            session: session::Config { stall_timeout: Duration::from_secs(10), ..session::Config::default() },
            connect_timeout: Duration::from_secs(5),
            operation_timeout: Duration::from_secs(15),
            max_retries: 3,
            repeat_writes: true,
            min_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(300),
            connect_ahead: true,
            owner_wait: Duration::from_secs(1),
            max_links_ahead: 1_000,
            links_per_member: 1,
            idle_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(30),
            listener_queue: 1_024,
            max_request_size: None,
            max_waiting: 10_000,
            key_media_type: MediaType::Unspecified,
            value_media_type: MediaType::Unspecified,
        }
    }
}

/// Another cluster with the same caches, kept in step by Infinispan's cross-site replication.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Site {
    /// Name in events and for [`switch_site`](super::Cluster::switch_site).
    pub name: String,
    /// Its initial servers.
    pub seeds: Vec<Member>,
}

impl Site {
    /// Creates a site with these initial servers.
    pub fn new(name: impl Into<String>, seeds: Vec<Member>) -> Self {
        Self { name: name.into(), seeds }
    }
}
