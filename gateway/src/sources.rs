//! Limits per source address: connections, sessions, and handshakes per second.
//!
//! A source is an IPv4 address, or the first 64 bits of an IPv6 address: a host can choose any address of its /64
//! (RFC 4291, 2.5.1).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::config;

/// Size of the token bucket in seconds of handshakes: after a restart all clients behind one router connect at once.
pub(crate) const BURST: f64 = 10.0;
/// Lower bound on the number of remembered sources, which is twice `max-connections`. When the table is full, sources without
/// a connection are forgotten, and have a full bucket again.
const LEAST_ROOM: usize = 16 << 10;
/// Interval between two log lines about refusals for one reason.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The limit that a source exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SourceLimit {
    #[error("this source has {0} connections, as many as it may have (max-connections-per-source)")]
    Connections(usize),
    #[error("this source has {0} sessions, as many as it may have (max-sessions-per-source)")]
    Sessions(usize),
    #[error("this source connects more than {0} times a second (max-handshakes-per-source)")]
    Handshakes(usize),
}

impl SourceLimit {
    /// Label of the metric `refusals`.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Connections(_) => "source_connections",
            Self::Sessions(_) => "source_sessions",
            Self::Handshakes(_) => "source_handshakes",
        }
    }
}

/// Sources with a present or recent connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sources(Arc<Inner>);

struct Inner {
    connections: usize,
    sessions: usize,
    /// Handshakes per second.
    handshakes: usize,
    /// Upper bound on remembered sources.
    room: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    sources: HashMap<IpAddr, Counts>,
    /// By reason.
    refusal_logs: BTreeMap<&'static str, RefusalLog>,
}

/// Log lines about refusals for one reason.
struct RefusalLog {
    /// Time of the last line.
    at: Instant,
    /// Refusals since then.
    unlogged: u64,
}

struct Counts {
    connections: usize,
    sessions: usize,
    /// Memory of its links that have not authenticated, in bytes; see [`budget`](crate::budget).
    early: Arc<AtomicUsize>,
    /// Tokens for handshakes, at the time of `refilled`.
    tokens: f64,
    refilled: Instant,
}

impl Counts {
    fn is_idle(&self) -> bool {
        self.connections == 0 && self.sessions == 0
    }
}

/// A connection of a source, counted until dropped.
pub(crate) struct Source {
    sources: Sources,
    address: SocketAddr,
    early: Arc<AtomicUsize>,
    /// False for a connection beyond the limit, which is refused in its protocol.
    is_counted: bool,
}

/// A session of a source, counted until dropped.
pub(crate) struct SourceSession {
    sources: Sources,
    key: IpAddr,
}

impl Sources {
    pub(crate) fn new(limits: &config::Limits) -> Self {
        Self(Arc::new(Inner {
            connections: limits.connections_per_source,
            sessions: limits.sessions_per_source,
            handshakes: limits.handshakes_per_source,
            room: LEAST_ROOM.max(limits.connections.saturating_mul(2)),
            table: Mutex::default(),
        }))
    }

    /// Counts a new connection. With a limit in the result the connection is to be refused in its protocol; `Err` refuses the
    /// handshake itself.
    pub(crate) fn admit(
        &self,
        address: SocketAddr,
        now: Instant,
    ) -> Result<(Source, Option<SourceLimit>), SourceLimit> {
        let rate = self.0.handshakes as f64;
        let burst = rate * BURST;
        let mut table = self.table();
        let key = key(address.ip());
        if table.sources.len() >= self.0.room && !table.sources.contains_key(&key) {
            table.forget_idle(rate, self.0.room / 2, now);
        }
        let counts = match table.sources.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Counts {
                connections: 0,
                sessions: 0,
                early: Arc::default(),
                tokens: burst,
                refilled: now,
            }),
        };
        let refill = now.saturating_duration_since(counts.refilled).as_secs_f64() * rate;
        counts.tokens = (counts.tokens + refill).min(burst);
        counts.refilled = now;
        if counts.tokens < 1.0 {
            return Err(SourceLimit::Handshakes(self.0.handshakes));
        }
        counts.tokens -= 1.0;
        let is_counted = counts.connections < self.0.connections;
        counts.connections += usize::from(is_counted);
        let beyond = (!is_counted).then_some(SourceLimit::Connections(self.0.connections));
        let source = Source { sources: self.clone(), address, early: counts.early.clone(), is_counted };
        Ok((source, beyond))
    }

    /// Logs the refusal of a connection or session, at most once per [`LOG_INTERVAL`] for each reason.
    pub(crate) fn log_refusal(&self, client: SocketAddr, reason: &'static str, why: &dyn fmt::Display) {
        if let Some(refusals) = self.refusals_to_log(reason, Instant::now()) {
            warn!(%client, refusals, reason = %why, "refused");
        }
    }

    /// Number of refusals to log now, the present one included; `None` if the last line is too recent.
    fn refusals_to_log(&self, reason: &'static str, now: Instant) -> Option<u64> {
        let mut table = self.table();
        let Some(last) = table.refusal_logs.get_mut(reason) else {
            table.refusal_logs.insert(reason, RefusalLog { at: now, unlogged: 0 });
            return Some(1);
        };
        last.unlogged += 1;
        let is_due = now.saturating_duration_since(last.at) >= LOG_INTERVAL;
        is_due.then(|| {
            last.at = now;
            std::mem::take(&mut last.unlogged)
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, key: IpAddr, release: impl FnOnce(&mut Counts)) {
        if let Some(counts) = self.table().sources.get_mut(&key) {
            release(counts);
        }
    }
}

impl Table {
    /// Forgets sources without a connection and with a full bucket; also those with another bucket if more than `most` are left.
    fn forget_idle(&mut self, rate: f64, most: usize, now: Instant) {
        let is_full = |counts: &Counts| {
            let since = now.saturating_duration_since(counts.refilled).as_secs_f64();
            counts.tokens + since * rate >= rate * BURST
        };
        self.sources.retain(|_, counts| !counts.is_idle() || !is_full(counts));
        if self.sources.len() > most {
            self.sources.retain(|_, counts| !counts.is_idle());
        }
    }
}

impl Source {
    /// Address of the client, from the PROXY header of a trusted router if there is one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counter of the memory of its links that have not authenticated, in bytes.
    pub(crate) fn early_memory(&self) -> Arc<AtomicUsize> {
        self.early.clone()
    }

    /// Counts a session.
    pub(crate) fn session(&self) -> Result<SourceSession, SourceLimit> {
        let limit = self.sources.0.sessions;
        let key = key(self.address.ip());
        let mut table = self.sources.table();
        // A refused connection has no sessions, and without its connection counted its entry may be gone.
        let counts = table.sources.get_mut(&key).filter(|counts| counts.sessions < limit);
        counts.ok_or(SourceLimit::Sessions(limit))?.sessions += 1;
        Ok(SourceSession { sources: self.sources.clone(), key })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if self.is_counted {
            self.sources.release(key(self.address.ip()), |counts| counts.connections -= 1);
        }
    }
}

impl Drop for SourceSession {
    fn drop(&mut self) {
        self.sources.release(self.key, |counts| counts.sessions -= 1);
    }
}

/// What an address counts as.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(connections: usize, sessions: usize, handshakes: usize) -> Sources {
        Sources(Arc::new(Inner { connections, sessions, handshakes, room: LEAST_ROOM, table: Mutex::default() }))
    }

    fn at(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 1)
    }

    fn admit(sources: &Sources, address: &str) -> Option<Source> {
        let admitted = sources.admit(at(address), Instant::now());
        admitted.ok().and_then(|(source, beyond)| beyond.is_none().then_some(source))
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_has_its_connections_and_no_more_until_one_ends() {
        let sources = sources(2, 10, 1000);
        let (one, _two) = (admit(&sources, "192.0.2.1").unwrap(), admit(&sources, "192.0.2.1").unwrap());
        let (refused, beyond) = sources.admit(at("192.0.2.1"), Instant::now()).ok().unwrap();
        assert_eq!(beyond, Some(SourceLimit::Connections(2)));
        drop(refused);
        assert!(admit(&sources, "192.0.2.1").is_none(), "a refused connection gives nothing back");
        assert!(admit(&sources, "192.0.2.2").is_some(), "another source");
        assert!(admit(&sources, "::ffff:192.0.2.1").is_none(), "the same address in IPv6");
        drop(one);
        assert!(admit(&sources, "192.0.2.1").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_of_one_ipv6_network_are_one_source() {
        let sources = sources(1, 10, 1000);
        let _one = admit(&sources, "2001:db8:0:1::1").unwrap();
        assert!(admit(&sources, "2001:db8:0:1:ffff:ffff:ffff:ffff").is_none());
        assert!(admit(&sources, "2001:db8:0:2::1").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_count_over_all_connections_of_a_source() {
        let sources = sources(10, 2, 1000);
        let (one, two) = (admit(&sources, "192.0.2.1").unwrap(), admit(&sources, "192.0.2.1").unwrap());
        let (session, _other) = (one.session().ok().unwrap(), two.session().ok().unwrap());
        assert_eq!(one.session().err(), Some(SourceLimit::Sessions(2)));
        assert!(admit(&sources, "192.0.2.2").unwrap().session().is_ok());
        drop(session);
        assert!(two.session().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn handshakes_are_counted_by_the_second_behind_a_burst() {
        let sources = sources(10_000, 10, 3);
        let burst = 3 * BURST as usize;
        for _ in 0..burst {
            assert!(admit(&sources, "192.0.2.1").is_some());
        }
        let refused = |sources: &Sources| sources.admit(at("192.0.2.1"), Instant::now()).err();
        assert_eq!(refused(&sources), Some(SourceLimit::Handshakes(3)));
        assert!(admit(&sources, "192.0.2.2").is_some(), "another source");
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..3 {
            assert!(admit(&sources, "192.0.2.1").is_some());
        }
        assert_eq!(refused(&sources), Some(SourceLimit::Handshakes(3)), "refusals cost the source nothing more");
        tokio::time::advance(Duration::from_secs(3600)).await;
        for _ in 0..burst {
            assert!(admit(&sources, "192.0.2.1").is_some());
        }
        assert!(refused(&sources).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded_and_forgets_no_connection() {
        let sources = sources(1, 10, 1);
        let _kept = admit(&sources, "192.0.2.1").unwrap();
        for number in 0..3 * LEAST_ROOM as u32 {
            let address = Ipv6Addr::from_bits(u128::from(number) << 64 | 0x2001 << 112);
            assert!(admit(&sources, &address.to_string()).is_some());
            assert!(sources.table().sources.len() <= LEAST_ROOM);
        }
        assert!(admit(&sources, "192.0.2.1").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_refusals_is_one_line_a_second() {
        let sources = sources(1, 1, 1);
        let complaint = |reason| sources.refusals_to_log(reason, Instant::now());
        assert_eq!(complaint("sessions"), Some(1));
        for _ in 0..100 {
            assert_eq!(complaint("sessions"), None);
        }
        assert_eq!(complaint("connections"), Some(1), "another reason has its own lines");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(complaint("sessions"), Some(101));
    }
}
