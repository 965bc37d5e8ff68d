//! Which member a session has reached, compared with the member that it was opened for.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::access::AccessPath;
use super::cookies::RequestTarget;
use super::endpoint::Endpoint;
use super::{Discovery, Facts, Peer};
use crate::carriage::Node;
use crate::cluster::members::MemberId;
use crate::cluster::output::Event;
use crate::cluster::transport::open_session::{OpenSession, Purpose, SessionId};
use crate::http1::Fields;
use crate::wire;

/// A session has reached another member than expected, or an unknown one.
#[derive(Debug, PartialEq)]
pub(in crate::cluster) enum Finding {
    /// A session that was opened at a seed has reached this member.
    Identified(MemberId),
    /// A session with `expected` has reached another member. `by_cookie` if a cookie has led there.
    OtherMember { expected: MemberId, found: MemberId, by_cookie: bool },
    /// A cookie has led to a server that is no known member: it has to be identified. The session belongs to `seed` until
    /// then.
    Unknown { seed: MemberId },
    /// A cookie has led to its member: reported once.
    CookieKept(Event),
}

impl Discovery {
    /// An endpoint has accepted a session, with these fields in its answer.
    pub(in crate::cluster) fn accepted(
        &mut self,
        session: SessionId,
        endpoint: Option<&Endpoint>,
        answer: &Fields,
        facts: &Facts<'_>,
    ) {
        let is_searched = self.path.is_searched();
        let Some(peer) = self.peer_mut(session) else { return };
        let access = &facts.config.access;
        peer.identity.read(answer, &access.connect_header);
        if let Some(endpoint) = endpoint.filter(|_| is_searched) {
            let (path, encrypted) = (facts.config.carriage.path.as_str(), facts.config.tls.is_some());
            peer.cookies.store(facts.now, RequestTarget { endpoint, path, encrypted }, answer, &access.cookie_names);
            peer.endpoint = Some(endpoint.clone());
        }
    }

    /// A session has received NODE.
    pub(in crate::cluster) fn node_received(&mut self, session: SessionId, node: &Node) {
        if let Some(peer) = self.peer_mut(session) {
            peer.identity.read_node(node);
        }
    }

    /// The probe cache has identified the member of a session.
    pub(in crate::cluster) fn address_found(&mut self, session: SessionId, address: wire::Member) {
        if let Some(peer) = self.peer_mut(session) {
            peer.identity.set_address(address);
        }
    }

    /// Compares the member that a session has reached with the one that it was opened for.
    pub(in crate::cluster) fn recognise(&mut self, session: SessionId, facts: &Facts<'_>) -> Option<Finding> {
        let (open, identity) = (facts.transport.get(session)?, self.identity(session));
        let expected = open.member();
        let by_cookie = self.jar.of(expected).is_some();
        let is_stranger = facts.is_stranger(expected);
        let Some(found) = identity.member(facts) else {
            let is_unknown = identity.is_given() && !is_stranger && by_cookie;
            let seed = *facts.members.seeds().first().filter(|_| is_unknown)?;
            self.jar.forget(expected);
            return Some(Finding::Unknown { seed });
        };
        if self.is_candidate(session) {
            // Also at a seed that is a member itself.
            return Some(Finding::Identified(found));
        }
        if found == expected {
            self.learn_cookies(session, found);
            let event = by_cookie.then(|| self.search.answers.cookie_event()).flatten();
            return event.map(Finding::CookieKept);
        }
        if !is_stranger {
            self.jar.forget(expected);
            if by_cookie {
                self.search.answers.note(found);
            }
            return Some(Finding::OtherMember { expected, found, by_cookie });
        }
        self.may_serve_a_member(open).then_some(Finding::Identified(found))
    }

    /// Whether a session with a seed, opened for operations, may become the session of the member that it has reached.
    fn may_serve_a_member(&self, open: &OpenSession) -> bool {
        open.purpose() == Purpose::Operations && self.path != AccessPath::Direct
    }

    /// Whether a ready session with a seed has to be identified by the probe cache.
    pub(in crate::cluster) fn is_unidentified(&self, session: SessionId, facts: &Facts<'_>) -> bool {
        let open = facts.transport.get(session);
        self.path.is_searched() && open.is_some_and(|open| facts.is_stranger(open.member()) && open.is_ready())
    }

    /// The other end of a session, for people.
    pub(in crate::cluster) fn peer_text(&self, session: SessionId) -> String {
        self.identity(session).to_string()
    }

    /// Stores the cookies of all sessions whose member is known: the access path goes by cookies from now on.
    pub(super) fn learn_all_cookies(&mut self, facts: &Facts<'_>) {
        let found = |session| Some((session, self.identity(session).member(facts)?));
        let known: Vec<_> = self.peers.keys().filter_map(found).collect();
        known.into_iter().for_each(|(session, member)| self.learn_cookies(session, member));
    }

    /// Stores the cookies that have led a session to a member.
    pub(super) fn learn_cookies(&mut self, session: SessionId, member: MemberId) {
        if self.path.goes_by_cookie()
            && let Some(Peer { endpoint: Some(endpoint), cookies, .. }) = self.peers.get(session)
        {
            self.jar.learn(member, endpoint.clone(), cookies.clone());
        }
    }
}
