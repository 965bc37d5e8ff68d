//! Transport: links, the sessions that they carry, and how each link carries them.
//!
//! [`Transport`] owns all of it. It is called with a [`Scope`]: the settings and members that it reads, and the outputs and
//! counters that it adds to. Whatever concerns operations, listeners or discovery it returns to its caller.

pub(super) mod binding;
pub(super) mod carriages;
pub(super) mod dial;
pub(super) mod endpoints;
pub(super) mod http2;
pub(super) mod isolation;
mod large_values;
pub(super) mod link;
pub(super) mod links;
pub(super) mod open_session;
mod requests;
pub(super) mod sessions;
pub(super) mod timers;
pub(super) mod tunnels;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;

use slotmap::{SecondaryMap, SlotMap};

use self::endpoints::Endpoints;
use self::large_values::LargeKeys;
use self::link::{Link, LinkId};
use self::open_session::{MemberSessions, OpenSession, Purpose, SessionId};
use self::timers::Timers;
use super::backoff::Entropy;
use super::config::Config;
use super::counters::Counters;
use super::discovery::Discovery;
use super::discovery::endpoint::Endpoint;
use super::members::{MemberId, Members};
use super::output::Output;
use crate::sasl::SaltedPasswordCache;
use crate::session::Ready;
use crate::time::Instant;

/// All links and sessions.
#[derive(Default)]
pub(super) struct Transport {
    links: SlotMap<LinkId, Link>,
    sessions: SlotMap<SessionId, OpenSession>,
    by_member: SecondaryMap<MemberId, MemberSessions>,
    /// Sessions that may have events, in the order in which they are polled.
    with_events: VecDeque<SessionId>,
    endpoints: Endpoints,
    session_timers: Timers<SessionId>,
    link_timers: Timers<LinkId>,
    large_keys: LargeKeys,
    /// Members whose leaving session is replaced when their back-off is over.
    to_replace: BTreeSet<MemberId>,
    /// Derived by the last authentication: spares the next session the derivation.
    salted_passwords: Option<SaltedPasswordCache>,
}

/// The parts of the machine that transport reads, and those that it adds to.
pub(super) struct Scope<'a> {
    pub(super) config: &'a Config,
    pub(super) now: Instant,
    pub(super) members: &'a Members,
    pub(super) discovery: &'a Discovery,
    pub(super) outputs: &'a mut VecDeque<Output>,
    pub(super) counters: &'a mut Counters,
    pub(super) entropy: &'a mut Entropy,
}

/// What the rest of the machine asks about sessions.
impl Transport {
    pub(super) fn get(&self, session: SessionId) -> Option<&OpenSession> {
        self.sessions.get(session)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = (SessionId, &OpenSession)> {
        self.sessions.iter()
    }

    pub(super) fn all_sessions(&self) -> Vec<SessionId> {
        self.sessions.keys().collect()
    }

    pub(super) fn session_count(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    /// The endpoint of a link.
    pub(super) fn endpoint_of(&self, link: LinkId) -> Option<&Endpoint> {
        Some(&self.links.get(link)?.endpoint)
    }

    /// Sets the address to which a link to a seed is connected.
    pub(super) fn set_seed_address(&mut self, link: LinkId, address: IpAddr) {
        if let Some(open) = self.links.get_mut(link) {
            open.seed_address = Some(address);
        }
    }

    /// The addresses of the open links to seeds.
    pub(super) fn seed_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.links.values().filter_map(|open| open.seed_address)
    }

    /// The ALPN id that the server selected on the link of a session.
    pub(super) fn alpn_of(&self, session: SessionId) -> Option<&str> {
        self.links.get(self.sessions.get(session)?.link)?.alpn.as_deref()
    }

    pub(super) fn is_ready(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(OpenSession::is_ready)
    }

    /// The sessions with a member, those for operations first.
    pub(super) fn sessions_with(&self, member: MemberId) -> impl Iterator<Item = (SessionId, &OpenSession)> {
        let ids = self.by_member.get(member).into_iter().flat_map(MemberSessions::all);
        ids.filter_map(|id| Some((id, self.sessions.get(id)?)))
    }

    /// Whether there is a session with a member, ready or not.
    pub(super) fn has_session(&self, member: MemberId) -> bool {
        self.by_member.get(member).is_some_and(|sessions| !sessions.is_empty())
    }

    /// Whether this session may become one of a member's.
    pub(super) fn has_place_for(&self, session: SessionId, member: MemberId) -> bool {
        let purpose = self.sessions.get(session).map(OpenSession::purpose);
        purpose.zip(self.by_member.get(member)).is_none_or(|(purpose, sessions)| sessions.has_place(purpose))
    }

    /// Whether operations of a purpose have a session with a member, ready or not, without another being begun.
    pub(super) fn serves(&self, member: MemberId, purpose: Purpose) -> bool {
        self.by_member.get(member).is_some_and(|sessions| sessions.serve(purpose))
    }

    pub(super) fn has_ready_session(&self, member: MemberId) -> bool {
        self.sessions_with(member).any(|(_, open)| open.is_ready())
    }

    /// Whether the session of a member is being established for so long that operations should go to another member.
    pub(super) fn is_late(&self, member: MemberId) -> bool {
        let first = self.first_session(member).and_then(|session| self.sessions.get(session));
        first.is_some_and(|open| open.late_since.is_some() && !open.is_ready())
    }

    /// Whether a member has a session for operations that stays, or gets one.
    pub(super) fn has_lasting_session(&self, member: MemberId) -> bool {
        let sessions = self.by_member.get(member).map_or(&[][..], |sessions| &sessions.operations);
        sessions.iter().any(|session| self.sessions.get(*session).is_some_and(|open| !open.is_leaving))
    }

    /// Has the leaving session of a member replaced later.
    pub(super) fn replace_later(&mut self, member: MemberId) {
        self.to_replace.insert(member);
    }

    /// The members whose leaving session is to be replaced, each once.
    pub(super) fn take_to_replace(&mut self) -> BTreeSet<MemberId> {
        core::mem::take(&mut self.to_replace)
    }

    /// The oldest session for operations with a member.
    pub(super) fn first_session(&self, member: MemberId) -> Option<SessionId> {
        self.by_member.get(member)?.operations.first().copied()
    }

    /// Whether a session is one of its member's for operations; one that only looks for members is not.
    pub(super) fn serves_operations(&self, session: SessionId) -> bool {
        let member = self.sessions.get(session).and_then(|open| self.by_member.get(open.member));
        member.is_some_and(|sessions| sessions.operations.contains(&session))
    }

    /// Result of the negotiation of the first ready session with a member.
    pub(super) fn negotiated(&self, member: MemberId) -> Option<&Ready> {
        let (_, ready) = self.sessions_with(member).find(|(_, open)| open.is_ready())?;
        ready.negotiated.as_deref()
    }

    /// Operations in flight with each member, on sessions that drain as well. The requests that establish a session are none:
    /// a search has several sessions at one address before it knows whose they are.
    pub(super) fn in_flight_by_member(&self) -> SecondaryMap<MemberId, usize> {
        let mut in_flight = SecondaryMap::new();
        for open in self.sessions.values().filter(|open| open.is_ready()) {
            let before = in_flight.get(open.member).copied().unwrap_or_default();
            in_flight.insert(open.member, before + open.in_flight());
        }
        in_flight
    }

    /// Bytes sent and received by the present sessions.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let protocols = self.sessions.values().filter_map(|open| open.protocol.as_deref());
        protocols.fold((0, 0), |(sent, received), protocol| {
            (sent + protocol.transmit().sent(), received + protocol.received())
        })
    }

    /// When a session or a link is due first.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        [self.session_timers.next(), self.link_timers.next()].into_iter().flatten().min()
    }

    /// Time before which this endpoint is not asked for a member; `None` if it may be asked now.
    pub(super) fn paused_until(&self, member: MemberId, endpoint: &Endpoint, now: Instant) -> Option<Instant> {
        self.endpoints.paused_until(member, endpoint, now)
    }

    /// The end of the first pause of any endpoint for a member.
    pub(super) fn first_pause(&self, member: MemberId, now: Instant) -> Option<Instant> {
        self.endpoints.first_pause(member, now)
    }

    /// Has an endpoint not asked for a member before `until`.
    pub(super) fn pause_endpoint(&mut self, member: MemberId, endpoint: Endpoint, now: Instant, until: Instant) {
        self.endpoints.pause(member, endpoint, now, until);
    }

    pub(super) fn end_pause(&mut self, member: MemberId, endpoint: &Endpoint) {
        self.endpoints.end_pause(member, endpoint);
    }

    /// Has the next link to an endpoint try the best carriage again.
    pub(super) fn forget_carriage(&mut self, endpoint: &Endpoint) {
        self.endpoints.forget_carriage(endpoint);
    }

    /// Forgets what is kept for members that are no longer known.
    pub(super) fn retain_members(&mut self, is_known: impl Fn(MemberId) -> bool) {
        self.endpoints.retain_members(&is_known);
        self.by_member.retain(|member, _| is_known(member));
    }

    /// Number of kept facts about endpoints.
    pub(super) fn endpoint_facts(&self) -> usize {
        self.endpoints.len()
    }

    /// Forgets endpoints at which no member is dialled and no link is open.
    pub(super) fn retain_endpoints(&mut self, is_used: impl Fn(&Endpoint) -> bool) {
        let links = &self.links;
        self.endpoints.retain(|endpoint| is_used(endpoint) || links.values().any(|link| link.endpoint == *endpoint));
    }

    /// Has members share the links that can carry sessions with all of them.
    pub(super) fn share_all_links(&mut self) {
        self.endpoints.forget_one_member_links();
        for (link, open) in &self.links {
            if open.carried().is_some() {
                self.endpoints.share_if_none(open.site, open.endpoint.clone(), link);
            }
        }
    }
}
