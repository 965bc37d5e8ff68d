//! Discovery: where members are reached, and which member answers where they can't be addressed.
//!
//! [`Discovery`] takes facts (a session was accepted, is ready, has ended; the topology has changed; time) and returns
//! [`Action`]s and findings. It opens nothing and sends nothing: the cluster takes the actions, in `discover.rs`.

pub(super) mod access;
pub(super) mod balancing;
pub(super) mod cookies;
pub(super) mod coverage;
pub(super) mod endpoint;
pub(super) mod host_template;
mod identity;
pub(super) mod member_hosts;
mod path;
mod permitted;
pub(super) mod probe_cache;
mod recognition;
mod search;

#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::string::String;

use bytes::Bytes;
use slotmap::SecondaryMap;

use self::access::AccessPath;
use self::cookies::{Cookies, Jar, RequestTarget};
use self::endpoint::Endpoint;
use self::identity::Identity;
use self::permitted::Permitted;
use self::probe_cache::ProbeCache;
pub(super) use self::recognition::Finding;
use self::search::Search;
use super::config::Config;
use super::members::{MemberId, Members};
use super::output::Event;
use super::transport::Transport;
use super::transport::open_session::SessionId;
use crate::time::Instant;
use crate::wire;

/// Finds members and identifies them.
pub(super) struct Discovery {
    /// The access path in use: the configured one, or the one that the first answers have suggested.
    path: AccessPath,
    /// The path to change to if a gateway refuses to route to other members than its own.
    fallback: Option<AccessPath>,
    /// Endpoints that the application has found while running.
    discovered: BTreeMap<wire::Member, Endpoint>,
    permitted: Permitted,
    /// The other ends of sessions; none for a session whose other end has sent nothing about itself.
    peers: SecondaryMap<SessionId, Peer>,
    jar: Jar,
    search: Search,
    probe_cache: ProbeCache,
    /// The last reported coverage: covered members, members, and the reason for a difference.
    reported_coverage: (usize, usize, String),
}

/// The other end of a session.
#[derive(Default)]
struct Peer {
    identity: Identity,
    /// The endpoint that has accepted the session, where its cookies are kept.
    endpoint: Option<Endpoint>,
    /// The cookies that lead to it.
    cookies: Cookies,
}

/// The part of the cluster's state that discovery reads.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) now: Instant,
    pub(super) config: &'a Config,
    pub(super) members: &'a Members,
    pub(super) transport: &'a Transport,
}

/// An action for the cluster to take. Actions are taken in order.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// Open a session at this seed, for whichever member answers, and pass it to [`Discovery::add_candidate`].
    Open(MemberId),
    /// Make this the session of a member.
    Adopt { session: SessionId, member: MemberId },
    /// End a session that is not needed.
    Dismiss(SessionId),
    /// Call [`Discovery::search`] again at this time, or earlier.
    RetryAt(Instant),
    /// Have operations not wait any longer for members that are searched for.
    EndWaits,
    /// Share each open link with all members.
    ShareLinks,
    /// Report an event to the application.
    Report(Event),
    /// Report the coverage if it has changed.
    ReportCoverage,
}

impl Discovery {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            path: config.access.path,
            fallback: None,
            discovered: BTreeMap::new(),
            permitted: Permitted::new(config),
            peers: SecondaryMap::new(),
            jar: Jar::default(),
            search: Search::default(),
            probe_cache: ProbeCache::default(),
            reported_coverage: (0, 0, String::new()),
        }
    }

    /// The access path in use.
    pub(super) fn path(&self) -> AccessPath {
        self.path
    }

    /// Sets or removes the endpoint at which the application has found a member.
    pub(super) fn set_discovered(&mut self, member: &wire::Member, endpoint: Option<Endpoint>) {
        match endpoint {
            Some(endpoint) => drop(self.discovered.insert(member.clone(), endpoint)),
            None => drop(self.discovered.remove(member)),
        }
    }

    /// Forgets the cookies of members that are not needed any more.
    pub(super) fn retain_members(&mut self, needed: impl Fn(MemberId) -> bool) {
        self.jar.retain(needed);
    }

    /// Forgets the cookies of a member that has failed with them: without a cookie a router may lead to it.
    pub(super) fn forget_cookies(&mut self, member: MemberId) {
        self.jar.forget(member);
    }

    /// Prepares a new session with a member: its request carries the cookies that lead there.
    pub(super) fn session_begins(&mut self, session: SessionId, member: MemberId) {
        if let Some((_, cookies)) = self.jar.of(member) {
            self.peers.insert(session, Peer { cookies: cookies.clone(), ..Peer::default() });
        }
    }

    /// The value of the field `Cookie` in the request of a session; `None` if it has no cookies.
    pub(super) fn cookies_for(&self, session: SessionId, target: RequestTarget<'_>, now: Instant) -> Option<Bytes> {
        self.peers.get(session)?.cookies.field(now, target)
    }

    /// What the other end of a session has sent about itself.
    fn identity(&self, session: SessionId) -> &Identity {
        self.peers.get(session).map_or(&Identity::NONE, |peer| &peer.identity)
    }

    /// The peer of a session; `None` if the session has ended.
    fn peer_mut(&mut self, session: SessionId) -> Option<&mut Peer> {
        Some(self.peers.entry(session)?.or_default())
    }
}

impl<'a> Facts<'a> {
    pub(super) fn new(now: Instant, config: &'a Config, members: &'a Members, transport: &'a Transport) -> Self {
        Self { now, config, members, transport }
    }

    /// Whether a member has a session, or gets one, that stays.
    pub(super) fn is_held(&self, member: MemberId) -> bool {
        self.transport.has_lasting_session(member)
    }

    /// Whether this is a seed that has not been identified as a member.
    pub(super) fn is_stranger(&self, member: MemberId) -> bool {
        self.members.get(member).is_some_and(|known| known.is_seed) && !self.members.current().contains(&member)
    }
}
