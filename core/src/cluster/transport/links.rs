//! Links: their buffers, which link a session gets, and their end.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::BytesMut;

use super::dial::{Dial, Tls};
use super::link::{Link, LinkId, Stage};
use super::open_session::{OpenSession, Purpose, SessionId};
use super::{Scope, Transport};
use crate::carriage::{Carriage, Inside};
use crate::cluster::config::Config;
use crate::cluster::discovery::endpoint::Endpoint;
use crate::cluster::members::MemberId;
use crate::cluster::output::Output;
use crate::session::{Disconnect, Session};
use crate::wire::SendBuffer;

/// Room for a read before the host has reported the connection.
const EARLY_READ: usize = 16 << 10;
/// Longest time for the last bytes of a link, such as RST_STREAM and GOAWAY, to be sent.
const LAST_BYTES: Duration = Duration::from_secs(1);

impl Transport {
    /// The receive buffer of a link, with room for a read; `None` if the link is closed.
    pub(in crate::cluster) fn receive_buffer(&mut self, link: LinkId) -> Option<&mut BytesMut> {
        let open = self.links.get_mut(link)?;
        match &mut open.stage {
            // Bytes received on a closing link are dropped.
            Stage::Connecting | Stage::Securing | Stage::Closing(_) => {
                open.early.reserve(EARLY_READ);
                Some(&mut open.early)
            }
            Stage::Tunnelling(tunnel) => Some(tunnel.receive_buffer()),
            Stage::AwaitingResponse(exchange, _) => Some(exchange.receive_buffer()),
            Stage::Raw(session) => Some(self.sessions.get_mut(*session)?.protocol.as_deref_mut()?.receive_buffer()),
            Stage::Carried(carried) => Some(carried.receive_buffer()),
        }
    }

    /// Takes the bytes that were received before the host reported the connection.
    pub(in crate::cluster) fn take_early(&mut self, link: LinkId) -> BytesMut {
        self.links.get_mut(link).map(|open| core::mem::take(&mut open.early)).unwrap_or_default()
    }

    /// The bytes to be sent on a link; `None` if it is not open (any more).
    pub(in crate::cluster) fn transmit(&self, link: LinkId) -> Option<&SendBuffer> {
        match &self.links.get(link)?.stage {
            Stage::Connecting | Stage::Securing => None,
            Stage::Tunnelling(tunnel) => Some(tunnel.transmit()),
            Stage::AwaitingResponse(exchange, _) => Some(exchange.transmit()),
            Stage::Raw(session) => self.sessions.get(*session)?.protocol.as_deref().map(Session::transmit),
            Stage::Carried(carried) => Some(carried.transmit()),
            Stage::Closing(last) => Some(last),
        }
    }

    /// Whether the host should read from a link.
    pub(in crate::cluster) fn wants_read(&self, link: LinkId) -> bool {
        let takes = |open: &OpenSession| open.protocol.as_deref().is_none_or(Session::wants_read);
        match self.links.get(link).map(|open| &open.stage) {
            Some(Stage::Tunnelling(_) | Stage::AwaitingResponse(..) | Stage::Closing(_)) => true,
            Some(Stage::Raw(session)) => {
                self.sessions.get(*session).is_some_and(|open| takes(open) && open.full_listeners == 0)
            }
            // A session that takes no more has events that wait to be polled.
            Some(Stage::Carried(_)) => {
                let with_events = self.with_events.iter().filter_map(|session| self.sessions.get(*session));
                with_events.filter(|open| open.link == link).all(takes)
            }
            _ => false,
        }
    }

    /// Notifies the host, once, that there are bytes to send.
    pub(in crate::cluster) fn report_transmit(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        let is_reported = self.links.get(link).is_none_or(|open| open.is_transmit_reported);
        if !is_reported
            && self.transmit(link).is_some_and(|out| !out.is_empty())
            && let Some(open) = self.links.get_mut(link)
        {
            open.is_transmit_reported = true;
            scope.outputs.push_back(Output::Transmit { link });
        }
    }

    /// The host has sent all bytes: the next ones are reported again.
    pub(in crate::cluster) fn note_all_sent(&mut self, link: LinkId) {
        if self.transmit(link).is_none_or(SendBuffer::is_empty)
            && let Some(open) = self.links.get_mut(link)
        {
            open.is_transmit_reported = false;
        }
    }

    /// The link that is to carry a session with a member: one that leads there and takes more, or a new one. A session for
    /// suspects has a link of its own.
    ///
    /// A new one has the carriage, if one is given, and otherwise the one that the endpoint was found to offer, or the best.
    pub(super) fn link_to(
        &mut self,
        scope: &mut Scope<'_>,
        (member, purpose): (MemberId, Purpose),
        endpoint: Endpoint,
        carriage: Option<Carriage>,
    ) -> LinkId {
        let is_isolated = purpose == Purpose::Suspects;
        if !is_isolated && let Some(link) = self.link_with_room(scope, member, &endpoint) {
            return link;
        }
        let dial = self.dial(scope.config, &endpoint, carriage);
        let link = self.links.insert(Link {
            carriage,
            takes_sessions: !is_isolated,
            ..Link::new(scope.members.site(), endpoint.clone())
        });
        let is_http2 = carriage.unwrap_or_else(|| self.carriage_of(scope.config, &endpoint, None)).is_http2();
        if is_http2 && !is_isolated && !self.leads_to_one(scope, &endpoint) {
            self.endpoints.share(scope.members.site(), endpoint, link);
        }
        scope.counters.connects += 1;
        scope.outputs.push_back(Output::Connect {
            link,
            member,
            dial: Box::new(dial),
            timeout: scope.config.connect_timeout,
        });
        link
    }

    /// A link that leads to a member and takes one more session.
    fn link_with_room(&self, scope: &Scope<'_>, member: MemberId, endpoint: &Endpoint) -> Option<LinkId> {
        let usual = self.endpoints.max_sessions(endpoint);
        let has_room = |link: &LinkId| self.links.get(*link).is_some_and(|open| open.has_room(usual));
        if self.leads_to_one(scope, endpoint) {
            scope.members.get(member).filter(|known| !known.is_seed)?;
            let links = self.sessions_with(member).map(|(_, open)| open.link);
            let is_there = |link: &LinkId| self.endpoint_of(*link) == Some(endpoint);
            return links.filter(is_there).find(has_room);
        }
        self.endpoints.shared_link(scope.members.site(), endpoint).filter(has_room)
    }

    fn leads_to_one(&self, scope: &Scope<'_>, endpoint: &Endpoint) -> bool {
        scope.discovery.path().is_searched()
            && (scope.config.carriage.inside == Inside::Frames || self.endpoints.has_one_member_links(endpoint))
    }

    /// The carriage for an endpoint: the one that it was found to offer, or the best.
    pub(super) fn carriage_of(&self, config: &Config, endpoint: &Endpoint, alpn: Option<&[u8]>) -> Carriage {
        self.endpoints.carriage_of(endpoint).unwrap_or_else(|| config.carriage.choice.initial(alpn))
    }

    /// Settings of TLS with an endpoint, for a link that is to have that carriage, or the one that was found there.
    ///
    /// Where the carriage is decided only its ALPN ids are offered: another that the server selects would not be spoken.
    pub(super) fn tls_for(&self, config: &Config, endpoint: &Endpoint, carriage: Option<Carriage>) -> Option<Tls> {
        let decided = carriage.or_else(|| self.endpoints.carriage_of(endpoint));
        let mut tls =
            config.tls_for(endpoint, decided.map_or(config.carriage.choice, crate::carriage::Choice::Only))?;
        if self.endpoints.is_without_alpn(endpoint) {
            tls.alpn.clear();
        }
        Some(tls)
    }

    fn dial(&self, config: &Config, endpoint: &Endpoint, carriage: Option<Carriage>) -> Dial {
        config.dial(endpoint, self.tls_for(config, endpoint, carriage))
    }

    /// Has a link carry a session.
    pub(super) fn join_link(&mut self, scope: &mut Scope<'_>, session: SessionId, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.sessions.push(session);
        if open.carried().is_some() {
            self.open_channel(scope, session);
            self.report_transmit(scope, link);
        }
    }

    /// Takes an ended session from its link, which is closed if it carries no other.
    pub(super) fn leave_link(&mut self, scope: &mut Scope<'_>, link: LinkId, session: SessionId) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.sessions.retain(|other| *other != session);
        if open.sessions.is_empty() {
            self.close_link(scope, link);
        }
    }

    /// Closes a link that carries no session: now, or when its last bytes are sent.
    fn close_link(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        self.link_timers.remove(link);
        self.endpoints.unshare(open.site, &open.endpoint, link);
        if open.begin_closing() {
            self.link_timers.bring_forward(link, scope.now + LAST_BYTES);
            self.report_transmit(scope, link);
        } else {
            self.remove_link(scope, link);
        }
    }

    fn remove_link(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        self.link_timers.remove(link);
        if self.links.remove(link).is_some() {
            scope.outputs.push_back(Output::Close { link });
        }
    }

    /// Closes a link whose last bytes are sent, or were not sent in time.
    pub(in crate::cluster) fn end_closing(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        if self.links.get(link).is_some_and(|open| matches!(open.stage, Stage::Closing(_))) {
            self.remove_link(scope, link);
        }
    }

    /// Notes that the host has lost a link.
    pub(in crate::cluster) fn note_lost(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        self.end_closing(scope, link);
        self.links.get_mut(link).into_iter().for_each(|open| open.is_lost = true);
    }

    /// Reason for the loss of a link: it was never established, or it is gone.
    pub(in crate::cluster) fn reason_of_loss(&self, link: LinkId, why: String) -> Disconnect {
        match self.links.get(link) {
            Some(Link { endpoint, stage: Stage::Connecting | Stage::Tunnelling(_) | Stage::Securing, .. }) => {
                Disconnect::NotConnected { endpoint: endpoint.authority(), why }
            }
            _ => Disconnect::LinkLost(why),
        }
    }

    /// Lets no further session on a link. Returns those that it carries.
    pub(in crate::cluster) fn stop_sharing(&mut self, link: LinkId) -> Vec<SessionId> {
        let Some(open) = self.links.get_mut(link) else { return Vec::new() };
        open.takes_sessions = false;
        open.sessions.clone()
    }

    /// Ends a link and has its sessions carried by others, as if they had never been on it.
    pub(super) fn move_to_new_links(&mut self, scope: &mut Scope<'_>, link: LinkId, carriage: Option<Carriage>) {
        let Some(left) = self.links.get_mut(link) else { return };
        let (sessions, endpoint) = (core::mem::take(&mut left.sessions), left.endpoint.clone());
        self.close_link(scope, link);
        for session in sessions {
            if let Some(open) = self.sessions.get_mut(session) {
                open.channel = None;
                open.protocol = None;
            }
            self.carry_elsewhere(scope, session, endpoint.clone(), carriage);
        }
    }

    /// Has another link carry a session for which its own has no stream, as if it had never been on it. Returns false if its
    /// own carries no other session: the endpoint takes none at all.
    pub(in crate::cluster) fn leave_full_link(
        &mut self,
        scope: &mut Scope<'_>,
        session: SessionId,
        max_sessions: u32,
    ) -> bool {
        let Some(open) = self.sessions.get_mut(session) else { return false };
        let Some(full) = self.links.get_mut(open.link).filter(|full| max_sessions > 0 && full.sessions.len() > 1)
        else {
            return false;
        };
        full.sessions.retain(|other| *other != session);
        let (endpoint, carriage) = (full.endpoint.clone(), full.carriage);
        open.channel = None;
        self.endpoints.note_max_sessions(&endpoint, max_sessions);
        self.carry_elsewhere(scope, session, endpoint, carriage);
        true
    }

    /// Gives a session without a link one.
    pub(super) fn carry_elsewhere(
        &mut self,
        scope: &mut Scope<'_>,
        session: SessionId,
        endpoint: Endpoint,
        carriage: Option<Carriage>,
    ) {
        let Some(open) = self.sessions.get(session) else { return };
        let wanted = (open.member, open.purpose);
        let link = self.link_to(scope, wanted, endpoint, carriage);
        if let Some(open) = self.sessions.get_mut(session) {
            open.link = link;
            open.until = scope.now + scope.config.connect_timeout;
        }
        self.set_timeout(scope.config, session);
        self.join_link(scope, session, link);
    }
}
