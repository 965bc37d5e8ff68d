//! Discovery in the cluster: passes facts to [`Discovery`] and takes the actions that it returns.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::backoff::Entropy;
use super::cache::CacheId;
use super::discovery::access::AccessPath;
use super::discovery::coverage::{Coverage, Uncovered};
use super::discovery::endpoint::Endpoint;
use super::discovery::probe_cache::Step;
use super::discovery::{Action, Discovery, Facts, Finding};
use super::machine::Cluster;
use super::members::{Member, MemberId};
use super::operations::operation::{Call, Owner, Target};
use super::output::{ClusterError, Event, Output};
use super::transport::link::LinkId;
use super::transport::open_session::{Purpose, SessionId};
use super::view::View;
use crate::carriage::{LinkEnd, Node};
use crate::http1::Fields;
use crate::session::Disconnect;
use crate::time::Instant;
use crate::wire::{self, Reply, Request};

/// Facts and actions.
impl Cluster {
    /// The part, the state that it reads, and the source of its randomness.
    fn discovery_parts(&mut self) -> (&mut Discovery, Facts<'_>, &mut Entropy) {
        let facts = Facts::new(self.now, &self.config, &self.members, &self.transport);
        (&mut self.discovery, facts, &mut self.entropy)
    }

    fn facts(&self) -> Facts<'_> {
        Facts::new(self.now, &self.config, &self.members, &self.transport)
    }

    fn take_actions(&mut self, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            match action {
                Action::Open(seed) => self.open_candidate(seed),
                Action::Adopt { session, member } => self.adopt(session, member),
                Action::Dismiss(session) => self.drain(session),
                Action::RetryAt(at) => self.operations.retry_by(at),
                Action::EndWaits => self.operations.retry_by(self.now),
                Action::ShareLinks => self.transport.share_all_links(),
                Action::Report(event) => self.outputs.push_back(Output::Event(event)),
                Action::ReportCoverage => self.report_coverage(),
            }
        }
    }

    /// Opens a session at a seed, for whichever member answers.
    fn open_candidate(&mut self, seed: MemberId) {
        let Some(endpoint) = self.endpoint_of(seed) else { return };
        let (transport, mut scope) = self.transport();
        let session = transport.begin_unassigned(&mut scope, seed, endpoint);
        self.discovery.add_candidate(session);
        self.counters.tries += 1;
        let (transport, mut scope) = self.transport();
        transport.start(&mut scope, session);
    }

    /// Makes a session the member's own, from now on.
    fn adopt(&mut self, session: SessionId, member: MemberId) {
        if self.transport.get(session).is_none() {
            return;
        }
        let queued = self.operations.take_queue(session);
        self.transport.assign(session, member);
        if self.transport.is_ready(session) {
            self.handle_ready(session, member);
        }
        queued.into_iter().for_each(|id| self.redispatch(id));
    }
}

/// The search and its sessions.
impl Cluster {
    /// Looks for members without a session.
    pub(super) fn search(&mut self) {
        if self.is_closing() {
            return;
        }
        let (discovery, facts, entropy) = self.discovery_parts();
        let actions = discovery.search(&facts, entropy);
        self.take_actions(actions);
    }

    fn end_round(&mut self, reason: Uncovered) {
        let (discovery, facts, entropy) = self.discovery_parts();
        let actions = discovery.end_round(reason, &facts, entropy);
        self.take_actions(actions);
    }

    /// Takes note of the end of a session. Returns whether its member was unknown.
    pub(super) fn discovery_session_ended(&mut self, session: SessionId, is_failure: bool) -> bool {
        let (discovery, facts, entropy) = self.discovery_parts();
        discovery.session_ended(session, is_failure, &facts, entropy)
    }

    /// An endpoint has accepted a session: its answer is read before the first byte of Hot Rod is sent.
    pub(super) fn handle_accepted(&mut self, session: SessionId, answer: &Fields) {
        let Some(open) = self.transport.get(session) else { return };
        let endpoint = self.transport.endpoint_of(open.link()).cloned();
        let (discovery, facts, _) = self.discovery_parts();
        discovery.accepted(session, endpoint.as_ref(), answer, &facts);
        self.recognise(session);
    }

    pub(super) fn handle_node(&mut self, session: SessionId, node: &Node) {
        self.discovery.node_received(session, node);
        self.recognise(session);
    }

    /// Compares the member that a session has reached with the one that it was opened for.
    fn recognise(&mut self, session: SessionId) {
        let (discovery, facts, _) = self.discovery_parts();
        match discovery.recognise(session, &facts) {
            Some(Finding::Identified(member)) => self.settle(session, member),
            Some(Finding::OtherMember { expected, found, by_cookie }) => {
                self.handle_other_member(session, expected, found, by_cookie);
            }
            Some(Finding::Unknown { seed }) => self.make_candidate(session, seed),
            Some(Finding::CookieKept(event)) => self.outputs.push_back(Output::Event(event)),
            None => {}
        }
    }

    /// Recognises the members of sessions with seeds: a new topology may name them.
    pub(super) fn recognise_strangers(&mut self) {
        let facts = self.facts();
        let strangers: Vec<SessionId> = self
            .transport
            .sessions()
            .filter(|(_, open)| open.purpose() == Purpose::Operations && open.site() == self.members.site())
            .filter(|(_, open)| facts.is_stranger(open.member()))
            .map(|(session, _)| session)
            .collect();
        for session in strangers {
            self.recognise(session);
            if self.discovery.is_unidentified(session, &self.facts()) {
                if !self.discovery.is_candidate(session) {
                    self.discovery.add_candidate(session);
                }
                self.identify(session);
            }
        }
    }

    /// The member of a session that was opened to an unknown one is known.
    fn settle(&mut self, session: SessionId, member: MemberId) {
        let (discovery, facts, entropy) = self.discovery_parts();
        // The round ends before this session does, which would have another one opened.
        let actions = discovery.identified(session, member, &facts, entropy);
        self.take_actions(actions);
        self.place(session, member);
        self.search();
        self.report_coverage();
    }

    /// Keeps the session of an identified member if the member has no other, and ends it otherwise.
    fn place(&mut self, session: SessionId, member: MemberId) {
        let (discovery, facts, _) = self.discovery_parts();
        let action = discovery.place(session, member, &facts);
        self.take_actions([action]);
    }

    /// Takes a session from its member, which has not answered: the member that has is unknown.
    fn make_candidate(&mut self, session: SessionId, seed: MemberId) {
        self.transport.unassign(session, seed);
        let queued = self.operations.take_queue(session);
        self.discovery.add_candidate(session);
        queued.into_iter().for_each(|id| self.redispatch(id));
        self.report_coverage();
    }

    /// A session has reached another member than the expected one.
    fn handle_other_member(&mut self, session: SessionId, expected: MemberId, found: MemberId, by_cookie: bool) {
        let reason = Arc::new(Disconnect::OtherMember { answered: self.discovery.peer_text(session) });
        self.transport.unlist(session, expected);
        if !by_cookie {
            self.pause_member(expected, &reason, Duration::ZERO);
        } else if let Some(known) = self.members.get_mut(expected) {
            known.failure = Some(reason);
        }
        self.place(session, found);
        self.open_ahead();
        self.report_coverage();
    }
}

/// The access path.
impl Cluster {
    /// Chooses the access path, if that is left open: a session has received the first topology.
    pub(super) fn choose_access(&mut self, session: SessionId) {
        let (discovery, facts, _) = self.discovery_parts();
        let actions = discovery.choose_path(session, &facts);
        self.take_actions(actions);
    }

    /// Changes the access path if an endpoint has refused a session because it does not route to other members.
    pub(super) fn note_access_refused(&mut self, end: &LinkEnd) {
        let (discovery, facts, _) = self.discovery_parts();
        let actions = discovery.session_refused(end, &facts);
        self.take_actions(actions);
    }
}

/// Identification by the probe cache.
impl Cluster {
    /// A session with an unknown member is ready, and its server has not stated who it is.
    pub(super) fn candidate_is_ready(&mut self, session: SessionId) {
        self.transport.set_timeout(&self.config, session);
        self.identify(session);
    }

    fn identify(&mut self, session: SessionId) {
        let view = self.probe_view();
        let (discovery, facts, _) = self.discovery_parts();
        let step = discovery.identify(session, view.as_ref(), &facts);
        step.into_iter().for_each(|step| self.take_step(step));
    }

    fn take_step(&mut self, step: Step) {
        match step {
            Step::Request(request) => self.ask_probe_cache(request, Owner::ProbeCache, Target::Key),
            Step::Create(request) => {
                if let Some(first) = self.caches.after(None) {
                    self.ask_cache(first, request, Owner::ProbeCache, Target::Key);
                }
            }
            Step::Read(sessions) => sessions.into_iter().for_each(|session| self.read_entries(session)),
            Step::Identified { session, member } => self.identified_by_probe(session, member),
            Step::Identify(session) => self.identify(session),
            Step::Unidentified { session, reason } => self.leave_unidentified(session, reason),
            Step::Fail(why) => self.probe_failed(&why),
        }
    }

    fn ask_probe_cache(&mut self, request: Request, owner: Owner, target: Target) {
        let Some(name) = &self.config.access.probe_cache else { return };
        let cache = self.caches.named(name).0;
        self.discovery.set_probe_cache(cache);
        self.ask_cache(cache, request, owner, target);
    }

    fn ask_cache(&mut self, cache: CacheId, request: Request, owner: Owner, target: Target) {
        let cache = self.caches.plain(cache);
        let id = self.take_in(Call::new(&cache, request), owner, target, Purpose::Operations);
        self.dispatch(id);
    }

    /// Counts the entries of the probe cache by a session.
    fn read_entries(&mut self, session: SessionId) {
        if self.transport.get(session).is_none() {
            return;
        }
        self.discovery.reading_begins(session);
        let (owner, target) = (Owner::ProbeReading(session), Target::Session(session));
        self.ask_probe_cache(Request::Stats {}, owner, target);
        self.ask_probe_cache(Request::Size {}, owner, target);
    }

    /// A request to the probe cache, or for it, was answered.
    pub(super) fn handle_probe_cache(&mut self, result: Result<Reply, ClusterError>) {
        let view = self.probe_view();
        let (discovery, facts, _) = self.discovery_parts();
        let step = discovery.probe_answered(result, view.as_ref(), &facts);
        self.take_step(step);
    }

    /// A session has counted the entries of the probe cache: those of its server, or of all.
    pub(super) fn handle_reading(&mut self, session: SessionId, result: Result<Reply, ClusterError>) {
        let step = self.discovery.reading_answered(session, result);
        step.into_iter().for_each(|step| self.take_step(step));
    }

    fn identified_by_probe(&mut self, session: SessionId, member: MemberId) {
        let address = self.members.get(member).map(|known| known.address.clone());
        if let Some(address) = address.filter(|_| self.transport.get(session).is_some()) {
            self.discovery.address_found(session, address);
            self.recognise(session);
        }
        if self.discovery.is_candidate(session) {
            let reason = "the probe cache has other members than the topology".into();
            self.leave_unidentified(session, Uncovered::NotTold(reason));
        }
    }

    /// The member of a session can't be identified.
    fn leave_unidentified(&mut self, session: SessionId, reason: Uncovered) {
        self.leave_all_unidentified([session], reason);
    }

    /// The members of sessions can't be identified, for one reason: it ends one round.
    fn leave_all_unidentified(&mut self, sessions: impl IntoIterator<Item = SessionId>, reason: Uncovered) {
        let (discovery, facts, _) = self.discovery_parts();
        let leave = |session| discovery.leave_unidentified(session, &facts);
        let actions: Vec<Action> = sessions.into_iter().filter_map(leave).collect();
        // The round ends before the sessions do, which would have others opened.
        self.end_round(reason);
        self.take_actions(actions);
    }

    /// The probe cache identifies no session.
    fn probe_failed(&mut self, why: &str) {
        self.drop_probe_view();
        let (discovery, facts, _) = self.discovery_parts();
        let reason = discovery.probe_failed(why, &facts);
        let candidates = self.discovery.candidates();
        if !candidates.is_empty() {
            self.leave_all_unidentified(candidates, reason);
        }
        self.release_unneeded();
    }

    /// Drops the view of the probe cache: its entries are those of another topology.
    pub(super) fn drop_probe_view(&mut self) {
        if let Some(cache) = self.discovery.probe_cache() {
            self.caches.get_mut(cache).view = None;
        }
        self.discovery.probe_entries_outdated();
    }

    fn probe_view(&self) -> Option<Arc<View>> {
        self.caches.view(self.discovery.probe_cache()?).cloned()
    }
}

/// Coverage.
impl Cluster {
    /// The number of members that are reached directly, and the reason if that is not all.
    pub fn coverage(&self) -> Coverage {
        let members = self.members.current().len();
        let uncovered =
            || self.members.current().iter().copied().filter(|member| !self.transport.has_ready_session(*member));
        let covered = members - uncovered().count();
        let reason = (covered < members).then(|| self.discovery.why_uncovered(uncovered(), &self.members));
        Coverage { covered, members, reason }
    }

    /// Reports the coverage if it has changed, where members are not simply dialled.
    pub(super) fn report_coverage(&mut self) {
        let access = &self.config.access;
        if access.path == AccessPath::Direct && access.template.is_none() || self.is_closing() {
            return;
        }
        let event = self.discovery.coverage_event(self.coverage());
        self.outputs.extend(event.map(Output::Event));
    }
}

/// Endpoints of members.
impl Cluster {
    /// Sets the endpoint at which a member was discovered by the host; `None` removes it. The explicit map and the template
    /// of [`Config::access`](super::Config::access) take precedence. Present links stay as they are.
    pub fn set_discovered(&mut self, member: &wire::Member, endpoint: Option<Endpoint>) {
        self.discovery.set_discovered(member, endpoint);
    }

    /// Adds the address of a seed's endpoint to the permitted hosts, where the user has set none.
    pub(super) fn note_peer(&mut self, link: LinkId, address: IpAddr) {
        // Through a proxy the address is the proxy's.
        if !self.discovery.permits_seed_addresses() || self.config.proxy.is_some() {
            return;
        }
        let Some(endpoint) = self.transport.endpoint_of(link) else { return };
        let mut seeds = self.members.all_seeds().filter_map(|seed| self.members.get(seed));
        if seeds.any(|seed| self.config.access.seed_endpoint(&seed.address) == *endpoint) {
            let endpoint = endpoint.clone();
            self.transport.set_seed_address(link, address);
            self.discovery.permit_seed_address(endpoint, address, self.transport.seed_addresses());
        }
    }

    /// Whether a topology may name that host.
    pub fn allows_member_host(&self, host: &str) -> bool {
        self.discovery.allows_host(host)
    }

    /// The endpoint at which a member is dialled; `None` if it is not known, or may not be dialled.
    pub(super) fn endpoint_of(&self, member: MemberId) -> Option<Endpoint> {
        self.discovery.endpoint_of(&self.facts(), member)
    }

    /// The time until which no endpoint may be dialled for a member; `None` if one may be now.
    pub(super) fn paused_until(&self, member: MemberId) -> Option<Instant> {
        self.discovery.paused_until(&self.facts(), member)
    }

    /// Whether a session for this member can be requested.
    pub(super) fn can_be_dialled(&self, id: MemberId, member: &Member) -> bool {
        self.discovery.can_be_dialled(&self.config.access, id, member)
    }

    /// Whether a member would be dialled at a host that only a server has named, and that is not permitted.
    pub(super) fn is_outside(&self, member: &Member) -> bool {
        self.discovery.is_outside(&self.config.access, member)
    }

    /// Reports, once for each, the members that are not dialled.
    pub(super) fn report_members_outside(&mut self, members: &[MemberId]) {
        for &id in members {
            let Some(known) = self.members.get(id).filter(|known| !known.is_reported_outside) else { continue };
            if !self.is_outside(known) {
                continue;
            }
            let (address, reason) = (known.address.clone(), Arc::new(self.discovery.not_allowed(&known.address)));
            if let Some(known) = self.members.get_mut(id) {
                known.is_reported_outside = true;
                known.failure = Some(reason.clone());
            }
            let reason = reason.to_string();
            self.outputs.push_back(Output::Event(Event::MemberNotAllowed { member: id, address, reason }));
        }
    }
}
