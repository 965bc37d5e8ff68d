//! Every option, once: flags, environment and file have the same ones.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hotrod_core::cluster::MemberHosts;
use hotrod_core::sasl::Mechanism;
use hotrod_embedded::NamedCache;
use serde::{Deserialize, Serialize};

use super::server_names::ServerNames;
use super::value::{
    AlpnIds, Given, LinkMemory, ListenAddress, LogFormat, Memory, Networks, RequestSize, Servers, Size,
};

/// What one source says; what it does not say is `None`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Options {
    /// Be an in-memory cluster, for demos and tests
    #[arg(long, help_heading = "Mode", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) embedded: Option<bool>,
    /// Be in front of all members: follow the topology and dial the member that a session asks for
    #[arg(long, help_heading = "Mode", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) front: Option<bool>,
    /// The member that this is a sidecar of; with --front some members to begin with, commas between them
    #[arg(long, help_heading = "Mode", value_name = "HOST:PORT,…")]
    pub(crate) upstream: Option<Given<Servers>>,
    /// The name of that member, by which sessions may ask for it; with --front the gateway's own, for people
    #[arg(long, help_heading = "Mode", value_name = "NAME")]
    pub(crate) node_name: Option<String>,
    /// The member's address as topologies have it, if that is not found out (HOST:PORT); with --embedded the host that
    /// clients are told
    #[arg(long, help_heading = "Mode", value_name = "HOST[:PORT]")]
    pub(crate) advertise: Option<String>,

    /// Where clients are served, by every carriage
    #[arg(long, help_heading = "Listening", value_name = "ADDR")]
    pub(crate) listen: Option<Given<ListenAddress>>,
    /// Where /healthz, /readyz and /metrics are
    #[arg(long, help_heading = "Listening", value_name = "ADDR")]
    pub(crate) admin: Option<Given<ListenAddress>>,
    /// PEM file with the certificate chain; read again on SIGHUP, as all files of certificates
    #[arg(long, help_heading = "Listening", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, help_heading = "Listening", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// PEM file with authorities: a client has to show a certificate of one of them
    #[arg(long, help_heading = "Listening", value_name = "FILE")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// ALPN ids to accept, in order of preference
    #[arg(long, help_heading = "Listening", value_name = "ID,…")]
    pub(crate) alpn: Option<Given<AlpnIds>>,
    /// Names that clients may ask for in TLS, * for any; without it those of the certificate
    #[arg(long, help_heading = "Listening", value_name = "NAME,…")]
    pub(crate) server_names: Option<Given<ServerNames>>,
    /// With TLS, serve clients without it as well
    #[arg(long, help_heading = "Listening", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) allow_plain: Option<bool>,
    /// Networks of routers from which every connection has to begin with a PROXY header, version 1 or 2, which is believed
    #[arg(long, help_heading = "Listening", value_name = "CIDR,…")]
    pub(crate) proxy_protocol: Option<Given<Networks>>,
    /// Connections that the system may hold until they are accepted
    #[arg(long, help_heading = "Listening", value_name = "N")]
    pub(crate) backlog: Option<NonZeroUsize>,

    /// Use TLS towards the members
    #[arg(long, help_heading = "Upstream", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) upstream_tls: Option<bool>,
    /// PEM file with the authorities to trust there, in place of the system's
    #[arg(long, help_heading = "Upstream", value_name = "FILE")]
    pub(crate) upstream_ca: Option<PathBuf>,
    /// The name to ask for and to find in the members' certificates, in place of the host
    #[arg(long, help_heading = "Upstream", value_name = "NAME")]
    pub(crate) upstream_server_name: Option<String>,
    /// PEM file with the certificate chain that clients' sessions show there; they are refused where a member offers EXTERNAL
    #[arg(long, help_heading = "Upstream", value_name = "FILE")]
    pub(crate) upstream_client_cert: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, help_heading = "Upstream", value_name = "FILE")]
    pub(crate) upstream_client_key: Option<PathBuf>,
    /// Time to connect to a member, TLS included
    #[arg(long, help_heading = "Upstream", value_name = "TIME")]
    pub(crate) connect_timeout: Option<Given<Duration>>,
    /// A connection on which nothing came for so long is asked by TCP, clients' included
    #[arg(long, help_heading = "Upstream", value_name = "TIME")]
    pub(crate) keep_alive: Option<Given<Duration>>,

    /// The cache whose topology is followed; empty for none
    #[arg(long, help_heading = "Cluster", value_name = "CACHE")]
    pub(crate) topology_cache: Option<String>,
    /// With --front, hosts of members that may be dialled: names, *.suffix, addresses, blocks (10.0.0.0/8), commas between
    /// them [default: those that --upstream covers]
    #[arg(long, help_heading = "Cluster", value_name = "HOST,…")]
    pub(crate) member_hosts: Option<Given<MemberHosts>>,
    /// How often a member is asked for a new topology, and whether it is there
    #[arg(long, help_heading = "Cluster", value_name = "TIME")]
    pub(crate) topology_interval: Option<Given<Duration>>,
    /// TOML file with the gateway's own account: user, password, and if need be token, mechanism, realm
    #[arg(long, help_heading = "Cluster", value_name = "FILE")]
    pub(crate) account_file: Option<PathBuf>,
    /// PEM file with the certificate chain that the gateway's own connection shows; needs --upstream-tls
    #[arg(long, help_heading = "Cluster", value_name = "FILE")]
    pub(crate) account_cert: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, help_heading = "Cluster", value_name = "FILE")]
    pub(crate) account_key: Option<PathBuf>,
    /// The gateway's own account, with the password in HOTROD_GATEWAY_PASSWORD
    #[arg(long, help_heading = "Cluster", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// How it authenticates, in place of the strongest mechanism that both sides know
    #[arg(long, help_heading = "Cluster", value_name = "NAME")]
    pub(crate) sasl_mechanism: Option<Given<Mechanism>>,

    /// Connections of clients at a time
    #[arg(long, help_heading = "Limits", value_name = "N")]
    pub(crate) max_connections: Option<NonZeroUsize>,
    /// Sessions with members at a time, over all connections
    #[arg(long, help_heading = "Limits", value_name = "N")]
    pub(crate) max_sessions: Option<NonZeroUsize>,
    /// Connections of one source address at a time; of IPv6 a /64 is one source
    #[arg(long, help_heading = "Limits", value_name = "N")]
    pub(crate) max_connections_per_source: Option<NonZeroUsize>,
    /// Sessions of one source address at a time
    #[arg(long, help_heading = "Limits", value_name = "N")]
    pub(crate) max_sessions_per_source: Option<NonZeroUsize>,
    /// Connections that one source address may begin in a second; those of ten seconds may come at once
    #[arg(long, help_heading = "Limits", value_name = "N")]
    pub(crate) max_handshakes_per_source: Option<NonZeroUsize>,
    /// Sessions on one HTTP/2 connection at a time, those within its tunnels included
    #[arg(long, help_heading = "Limits", value_name = "N")]
    pub(crate) max_tunnels: Option<NonZeroUsize>,
    /// The head of an HTTP request, in bytes
    #[arg(long, help_heading = "Limits", value_name = "SIZE")]
    pub(crate) max_header: Option<Given<Size>>,
    /// Size of the largest request: at most the members' max-content-length
    #[arg(long, help_heading = "Limits", value_name = "SIZE")]
    pub(crate) max_request: Option<Given<RequestSize>>,
    /// Bytes held for a side that is slow to take them, in each direction of a session
    #[arg(long, help_heading = "Limits", value_name = "SIZE")]
    pub(crate) buffer: Option<Given<Size>>,
    /// Memory that clients may occupy, over all connections; with --embedded, entries of caches are not counted
    #[arg(long, help_heading = "Limits", value_name = "SIZE")]
    pub(crate) max_memory: Option<Given<Memory>>,
    /// Time for a client to say what it speaks, TLS included, and again for each session's first request
    #[arg(long, help_heading = "Limits", value_name = "TIME")]
    pub(crate) handshake_timeout: Option<Given<Duration>>,
    /// Time for a session to authenticate, where the cluster wants that
    #[arg(long, help_heading = "Limits", value_name = "TIME")]
    pub(crate) authentication_timeout: Option<Given<Duration>>,
    /// Bytes per second at which a request that has begun has to come, beside the time of handshake-timeout
    #[arg(long, help_heading = "Limits", value_name = "SIZE")]
    pub(crate) min_request_rate: Option<Given<Size>>,
    /// A session on which neither side sent anything for so long is closed
    #[arg(long, help_heading = "Limits", value_name = "TIME")]
    pub(crate) idle_timeout: Option<Given<Duration>>,
    /// Time for sessions to end by themselves after SIGTERM
    #[arg(long, help_heading = "Limits", value_name = "TIME")]
    pub(crate) drain_timeout: Option<Given<Duration>>,

    /// The form of log lines: text or json
    #[arg(long, help_heading = "Output", value_name = "FORMAT")]
    pub(crate) log_format: Option<Given<LogFormat>>,
    /// Print one line of JSON with the addresses when all listen
    #[arg(long, help_heading = "Output", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) json: Option<bool>,

    /// Number of members, each at its own port
    #[arg(long, help_heading = "With --embedded", value_name = "N")]
    pub(crate) members: Option<NonZeroUsize>,
    /// A further cache, or a default one made otherwise; may be given more than once
    #[arg(long, help_heading = "With --embedded", value_name = "NAME[:key=value,…]")]
    pub(crate) cache: Option<Vec<Given<NamedCache>>>,
    /// Memory that one connection may occupy, with all its sessions; one that takes more is closed
    #[arg(long, help_heading = "With --embedded", value_name = "SIZE")]
    pub(crate) max_link_memory: Option<Given<LinkMemory>>,
}

/// Options that mean something only with `--embedded`.
pub(super) const ONLY_EMBEDDED: [&str; 3] = ["members", "cache", "max-link-memory"];

/// Options that mean something with `--embedded` and without.
pub(super) const ALWAYS: [&str; 11] = [
    "embedded",
    "front",
    "listen",
    "advertise",
    "max-connections",
    "max-request",
    "max-memory",
    "handshake-timeout",
    "idle-timeout",
    "log-format",
    "json",
];

impl Options {
    /// Fills in the defaults that depend on other options: no source, and with `--embedded` no link, takes more than half.
    pub(super) fn derive(&mut self, embedded: bool) {
        if embedded {
            let half = self.max_memory.as_ref().map(|all| LinkMemory(all.value.0 / 2));
            let given = half.map(|value| Given { text: value.0.to_string(), value });
            self.max_link_memory = self.max_link_memory.take().or(given);
            return;
        }
        let half = |all: Option<NonZeroUsize>| all.and_then(|all| NonZeroUsize::new(usize::from(all).div_ceil(2)));
        self.max_connections_per_source = self.max_connections_per_source.or(half(self.max_connections));
        self.max_sessions_per_source = self.max_sessions_per_source.or(half(self.max_sessions));
    }

    /// What holds where nothing is said.
    pub(super) fn defaults(embedded: bool) -> Self {
        // A wrong one would be a mistake in this table; the tests go through all of it.
        fn given<T: super::value::Kind>(text: &str) -> Option<Given<T>> {
            text.parse().ok()
        }
        let both = Self {
            max_connections: NonZeroUsize::new(10_000),
            handshake_timeout: given("10s"),
            log_format: given("text"),
            ..Self::default()
        };
        if embedded {
            return Self {
                listen: given("127.0.0.1:11222"),
                members: NonZeroUsize::new(1),
                max_request: given("1GiB"),
                max_memory: given("1GiB"),
                ..both
            };
        }
        Self {
            alpn: given("h2,http/1.1,hotrod,HR"),
            backlog: NonZeroUsize::new(1024),
            connect_timeout: given("5s"),
            keep_alive: given("60s"),
            topology_cache: Some("___protobuf_metadata".into()),
            topology_interval: given("5s"),
            max_sessions: NonZeroUsize::new(10_000),
            max_handshakes_per_source: NonZeroUsize::new(500),
            max_tunnels: NonZeroUsize::new(100),
            max_header: given("16KiB"),
            max_request: given("10MB"),
            buffer: given("64KiB"),
            max_memory: given("192MiB"),
            authentication_timeout: given("30s"),
            min_request_rate: given("1KiB"),
            idle_timeout: given("1h"),
            drain_timeout: given("30s"),
            ..both
        }
    }
}
