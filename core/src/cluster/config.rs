//! What a cluster machine is told at its beginning.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::discovery::access::Access;
use super::discovery::member_hosts::MemberHosts;
use super::transport::binding::BindingPolicy;
use super::transport::carriages::CarriageConfig;
use super::transport::dial::{Proxy, TlsConfig};
use crate::session;
use crate::wire::Member;

/// Settings of a [`Cluster`](super::Cluster).
#[derive(Debug, Clone)]
pub struct Config {
    /// Servers to begin with, and to come back to when every member that is known is gone.
    pub seeds: Vec<Member>,
    /// Other clusters with the same caches, in the order in which they are tried when no member of the present one can
    /// be reached. Default: none.
    pub sites: Vec<Site>,
    /// So many failures in a row of every member and every seed, and the next site is taken. Default 3.
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
    /// Deadline of an operation over all its attempts, if its submitter names none. Default 15 s.
    pub operation_timeout: Duration,
    /// How often an operation that has reached a member is sent again. Default 3. Attempts that reached nobody do not
    /// count: only the deadline ends them.
    pub max_retries: u8,
    /// Whether a plain write (PUT, PUT_ALL, CLEAR, …) whose outcome is unknown is sent again, as Infinispan's own client
    /// does. Executing it twice equals once while nobody else writes the same key; if somebody does, a first attempt that
    /// is executed late undoes what came in between. With false such a write fails and says that it may have been
    /// applied. Default true.
    pub repeat_writes: bool,
    /// Pause after the first failure of a member; it doubles with each further one. Default 100 ms.
    pub min_backoff: Duration,
    /// The longest pause. Default 10 s.
    pub max_backoff: Duration,
    /// The longest time for which an endpoint is heeded that asks not to be asked again for a member (Retry-After).
    /// Default 5 min.
    pub max_retry_after: Duration,
    /// Whether links are opened to members as soon as a topology names them, and not with the first operation that
    /// needs one. Default true.
    pub connect_ahead: bool,
    /// With so many links none is opened ahead of need: a topology may name any number of members. Default 1,000.
    pub max_links_ahead: usize,
    /// Links for operations to one member; more than the first are opened when all have plenty to do. Listeners have a
    /// link of their own beside them. Default 1.
    pub links_per_member: usize,
    /// A link beyond a member's first that had nothing to do for so long is closed. Default 60 s.
    pub idle_timeout: Duration,
    /// A ready link on which nothing was sent or received for so long is asked with a PING. Default 30 s.
    pub keep_alive: Duration,
    /// Events of a listener that the application has not [taken](super::Cluster::events_taken) before its link is no
    /// longer read. Default 1,024.
    pub listener_queue: usize,
    /// Operations that wait for a link, or that a session is too full for. Default 10,000.
    pub max_waiting: usize,
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
            max_links_ahead: 1_000,
            links_per_member: 1,
            idle_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(30),
            listener_queue: 1_024,
            max_waiting: 10_000,
        }
    }
}

/// Another cluster with the same caches, kept alike by Infinispan's cross-site replication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name, for people and for [`switch_site`](super::Cluster::switch_site).
    pub name: String,
    /// Its servers to begin with.
    pub seeds: Vec<Member>,
}
