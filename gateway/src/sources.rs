//! Limits per source address: connections, sessions, and handshakes per second.
//!
//! An IPv4 address is one source; of an IPv6 address the first 64 bits are, because a host has all addresses of its /64
//! to choose from (RFC 4291, 2.5.1).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::config;

/// Seconds of handshakes that a source may have saved up: after a restart all clients behind one router come at once.
pub(crate) const BURST: f64 = 10.0;
/// Sources that are remembered at least. There is room for twice as many as may have a connection; when it is full, those
/// without one are forgotten, which gives each a full bucket again.
const LEAST_ROOM: usize = 16 << 10;
/// Shortest time between two log lines about refusals of sources.
const COMPLAINT_PAUSE: Duration = Duration::from_secs(1);

/// Why a source gets no connection or no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SourceLimit {
    /// It has as many connections as it may have.
    #[error("this source has {0} connections, as many as it may have (max-connections-per-source)")]
    Connections(usize),
    /// It has as many sessions as it may have.
    #[error("this source has {0} sessions, as many as it may have (max-sessions-per-source)")]
    Sessions(usize),
    /// It connects more often than it may.
    #[error("this source connects more than {0} times a second (max-handshakes-per-source)")]
    Handshakes(usize),
}

impl SourceLimit {
    /// Label value of the metric of refusals.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Connections(_) => "source_connections",
            Self::Sessions(_) => "source_sessions",
            Self::Handshakes(_) => "source_handshakes",
        }
    }
}

/// The sources that have, or lately had, a connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sources(Arc<Inner>);

struct Inner {
    connections: usize,
    sessions: usize,
    /// Handshakes per second.
    handshakes: usize,
    /// Sources that are remembered at most.
    room: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    sources: HashMap<IpAddr, Counts>,
    /// By the reason.
    complaints: BTreeMap<&'static str, Complaint>,
}

/// Log lines about refusals for one reason.
struct Complaint {
    /// When the last line was written.
    at: Instant,
    /// Refusals since then.
    unlogged: u64,
}

struct Counts {
    connections: usize,
    sessions: usize,
    /// Handshakes that may still come at once, at the time of `refilled`.
    tokens: f64,
    refilled: Instant,
}

impl Counts {
    fn is_idle(&self) -> bool {
        self.connections == 0 && self.sessions == 0
    }
}

/// One connection of a source; it counts until it is dropped.
pub(crate) struct Source {
    sources: Sources,
    address: SocketAddr,
    /// False for a connection beyond the limit, which is only told so.
    is_counted: bool,
}

/// One session of a source; it counts until it is dropped.
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

    /// Counts a new connection. The limit that it goes beyond, if any, comes with the source of a connection that is to
    /// be refused politely; `Err` refuses the handshake itself.
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
            Entry::Vacant(entry) => entry.insert(Counts { connections: 0, sessions: 0, tokens: burst, refilled: now }),
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
        Ok((Source { sources: self.clone(), address, is_counted }, beyond))
    }

    /// Says in the log that a connection or a session was refused. A flood of refusals is no flood of lines: there is at
    /// most one a second for each reason.
    pub(crate) fn complain(&self, client: SocketAddr, reason: &'static str, why: &dyn fmt::Display) {
        if let Some(refusals) = self.complaint(reason, Instant::now()) {
            warn!(%client, refusals, reason = %why, "refused");
        }
    }

    /// Refusals to report now, this one included.
    fn complaint(&self, reason: &'static str, now: Instant) -> Option<u64> {
        let mut table = self.table();
        let Some(last) = table.complaints.get_mut(reason) else {
            table.complaints.insert(reason, Complaint { at: now, unlogged: 0 });
            return Some(1);
        };
        last.unlogged += 1;
        let is_due = now.saturating_duration_since(last.at) >= COMPLAINT_PAUSE;
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
    /// Forgets sources without a connection: those with a full bucket, and all of them if more than `most` are left.
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
    /// The client's address, as the PROXY protocol has it where that is believed.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
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
        let complaint = |reason| sources.complaint(reason, Instant::now());
        assert_eq!(complaint("sessions"), Some(1));
        for _ in 0..100 {
            assert_eq!(complaint("sessions"), None);
        }
        assert_eq!(complaint("connections"), Some(1), "another reason has its own lines");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(complaint("sessions"), Some(101));
    }
}
