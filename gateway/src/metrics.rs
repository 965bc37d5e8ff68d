//! Metrics of the gateway, in Prometheus's text form.

use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// Carriage of a connection or session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Carriage {
    /// A connection before its first bytes.
    Undetermined,
    /// Plain Hot Rod.
    Raw,
    /// Any HTTP/1.1.
    Http1,
    /// Any HTTP/2.
    Http2,
    /// A session in an HTTP/1.1 tunnel made by Upgrade.
    Upgrade,
    /// A session in a tunnel made by CONNECT, of either HTTP version.
    Connect,
    /// A session in an HTTP/2 tunnel made by Extended CONNECT.
    ExtendedConnect,
    /// A session in Hot Rod frames.
    Frames,
}

impl Carriage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Undetermined => "undetermined",
            Self::Raw => "raw",
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::Upgrade => "upgrade",
            Self::Connect => "connect",
            Self::ExtendedConnect => "extended_connect",
            Self::Frames => "frames",
        }
    }
}

impl EncodeLabelValue for Carriage {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.name().encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCarriage {
    carriage: Carriage,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDirection {
    direction: &'static str,
}

/// All metrics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    connections_open: Family<ByCarriage, Gauge>,
    connections: Family<ByCarriage, Counter>,
    sessions_open: Family<ByCarriage, Gauge>,
    sessions: Family<ByCarriage, Counter>,
    upstream_connects: Counter,
    upstream_failures: Family<ByReason, Counter>,
    bytes_to_members: Counter,
    bytes_to_clients: Counter,
    buffered: Gauge,
    refusals: Family<ByReason, Counter>,
    handshake_failures: Family<ByReason, Counter>,
    draining: Gauge,
    members: Gauge,
    reloads: Counter,
    reload_failures: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let relayed = Family::<ByDirection, Counter>::default();
        let direction = |direction| relayed.get_or_create(&ByDirection { direction }).clone();
        let mut inner = Inner {
            bytes_to_members: direction("to_member"),
            bytes_to_clients: direction("to_client"),
            registry: Registry::with_prefix("hotrod_gateway"),
            connections_open: Family::default(),
            connections: Family::default(),
            sessions_open: Family::default(),
            sessions: Family::default(),
            upstream_connects: Counter::default(),
            upstream_failures: Family::default(),
            buffered: Gauge::default(),
            refusals: Family::default(),
            handshake_failures: Family::default(),
            draining: Gauge::default(),
            members: Gauge::default(),
            reloads: Counter::default(),
            reload_failures: Counter::default(),
        };
        inner.register(relayed);
        Self(Arc::new(inner))
    }

    /// Encodes all metrics as [`CONTENT_TYPE`].
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.0.registry);
        text
    }

    /// Counts a connection of a client.
    pub(crate) fn connection(&self) -> OpenConnection {
        let carriage = Carriage::Undetermined;
        self.0.connections_open.get_or_create(&ByCarriage { carriage }).inc();
        OpenConnection { metrics: self.clone(), carriage }
    }

    /// Counts a session with a member.
    pub(crate) fn session(&self, carriage: Carriage) -> OpenSession {
        let open = self.0.sessions_open.get_or_create(&ByCarriage { carriage }).clone();
        open.inc();
        self.0.sessions.get_or_create(&ByCarriage { carriage }).inc();
        OpenSession(open)
    }

    pub(crate) fn upstream_connected(&self) {
        self.0.upstream_connects.inc();
    }

    pub(crate) fn upstream_failed(&self, reason: &'static str) {
        self.0.upstream_failures.get_or_create(&ByReason { reason }).inc();
    }

    /// Counts a refusal, for a reason of [`crate::upstream::NoUpstream`] or of a handler.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.0.refusals.get_or_create(&ByReason { reason }).inc();
    }

    pub(crate) fn handshake_failed(&self, reason: &'static str) {
        self.0.handshake_failures.get_or_create(&ByReason { reason }).inc();
    }

    pub(crate) fn sent_to_member(&self, bytes: usize) {
        self.0.bytes_to_members.inc_by(bytes as u64);
    }

    pub(crate) fn sent_to_client(&self, bytes: usize) {
        self.0.bytes_to_clients.inc_by(bytes as u64);
    }

    /// Bytes that the [`Budget`](crate::budget::Budget) counts.
    pub(crate) fn held(&self) -> Gauge {
        self.0.buffered.clone()
    }

    pub(crate) fn set_draining(&self) {
        self.0.draining.set(1);
    }

    pub(crate) fn set_members(&self, count: usize) {
        self.0.members.set(count as i64);
    }

    pub(crate) fn reloaded(&self, done: bool) {
        if done {
            self.0.reloads.inc()
        } else {
            self.0.reload_failures.inc()
        };
    }
}

/// Content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Inner {
    fn register(&mut self, relayed: Family<ByDirection, Counter>) {
        let registry = &mut self.registry;
        registry.register("connections_open", "Connections of clients", self.connections_open.clone());
        registry.register("connections", "Connections of clients that were told apart", self.connections.clone());
        registry.register("sessions_open", "Sessions with members", self.sessions_open.clone());
        registry.register("sessions", "Sessions with members that were begun", self.sessions.clone());
        let help = "Connections to members that were established";
        registry.register("upstream_connects", help, self.upstream_connects.clone());
        let help = "Connections to members that could not be established";
        registry.register("upstream_failures", help, self.upstream_failures.clone());
        registry.register_with_unit("relayed", "Bytes of Hot Rod that were passed on", Unit::Bytes, relayed);
        let help = "Bytes of memory that clients have the gateway hold";
        registry.register_with_unit("buffered", help, Unit::Bytes, self.buffered.clone());
        registry.register("refusals", "Clients and sessions that were turned away", self.refusals.clone());
        let help = "Connections that ended before they were told apart";
        registry.register("handshake_failures", help, self.handshake_failures.clone());
        registry.register("draining", "1 while sessions are to end by themselves", self.draining.clone());
        registry.register("members", "Members of the cluster that are known", self.members.clone());
        registry.register("reloads", "Certificates that were read again", self.reloads.clone());
        let help = "Certificates that could not be read again";
        registry.register("reload_failures", help, self.reload_failures.clone());
    }
}

/// A connection of a client, counted until dropped.
pub(crate) struct OpenConnection {
    metrics: Metrics,
    carriage: Carriage,
}

impl OpenConnection {
    pub(crate) fn carriage(&self) -> Carriage {
        self.carriage
    }

    /// Sets the carriage once it is known.
    pub(crate) fn set_carriage(&mut self, carriage: Carriage) {
        let Inner { connections_open: open, connections, .. } = &*self.metrics.0;
        open.get_or_create(&ByCarriage { carriage: self.carriage }).dec();
        open.get_or_create(&ByCarriage { carriage }).inc();
        connections.get_or_create(&ByCarriage { carriage }).inc();
        self.carriage = carriage;
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.metrics.0.connections_open.get_or_create(&ByCarriage { carriage: self.carriage }).dec();
    }
}

/// A session with a member, counted until dropped.
pub(crate) struct OpenSession(Gauge);

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.dec();
    }
}
