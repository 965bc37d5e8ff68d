//! The search for members that can't be asked for: a session is opened to whoever answers, and kept if that is a member that
//! has none yet.
//!
//! As many are opened at once as members are missing: so many it takes at least, however the balancer chooses.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::access::AccessPath;
use super::balancing::{Answers, most_tries};
use super::cookies::Asked;
use super::coverage::Uncovered;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::open_session::{OpenSession, Purpose, SessionId};
use crate::http1::Fields;
use crate::session::Disconnect;
use crate::time::Instant;

/// Sessions that look for members at the same time.
const MOST_AT_ONCE: usize = 32;
/// The pause after a round that did not find all members; doubled with each further one, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is known of the search.
#[derive(Default)]
pub(in crate::cluster) struct Search {
    /// Sessions that may turn out to be with a member that has none.
    pub(in crate::cluster) candidates: Vec<SessionId>,
    /// Who has answered in this round.
    pub(in crate::cluster) answers: Answers,
    /// Sessions opened in this round.
    tries: u32,
    /// Rounds in a row that did not find all members.
    rounds: u32,
    /// When the next round may begin.
    not_before: Option<Instant>,
    /// The member to which every try of the last round led, and how many there were in all.
    only: Option<(MemberId, u32)>,
    /// Why the last round ended without all members; `None` while it goes on.
    pub(in crate::cluster) gave_up: Option<Uncovered>,
}

impl Search {
    /// Something has changed: a new beginning, at once.
    pub(in crate::cluster) fn begin_anew(&mut self) {
        self.answers.forget();
        (self.tries, self.rounds, self.not_before, self.gave_up, self.only) = (0, 0, None, None, None);
    }

    /// Somebody has answered. Answers how often in a row it was the same member, if that is more than chance.
    fn note_answer(&mut self, member: MemberId, members: usize) -> Option<u32> {
        self.answers.note(member);
        if let Some((only, tries)) = &mut self.only
            && *only == member
        {
            *tries = tries.saturating_add(1);
            return None;
        }
        let is_one = self.answers.are_all_of_one(members);
        self.only = is_one.then(|| (member, self.answers.in_a_row()));
        self.only.map(|(_, tries)| tries)
    }

    /// Sessions that a round may open. Where all tries have led to one member a few are enough to see that they still do.
    fn most_tries(&self, missing: usize, members: usize) -> u32 {
        if self.only.is_some() { missing as u32 } else { most_tries(members) }
    }

    /// Why the round ends without all members.
    fn what_it_came_to(&self) -> Uncovered {
        let tries = self.tries;
        self.only.map_or(Uncovered::NotFound { tries }, |(_, tries)| Uncovered::OneMember { tries })
    }

    fn forget(&mut self, session: SessionId) -> bool {
        let before = self.candidates.len();
        self.candidates.retain(|candidate| *candidate != session);
        self.candidates.len() != before
    }
}

impl Cluster {
    /// Looks for members without a session, as far as there are some and the round allows it.
    pub(in crate::cluster) fn search(&mut self) {
        if !self.config.access.path.is_searched() || self.is_closing() {
            return;
        }
        // One with a cookie is asked for by that, when it may be.
        let is_missing = |member: &&MemberId| !self.is_held(**member) && self.jar.of(**member).is_none();
        let missing = self.current.iter().filter(is_missing).count();
        if missing == 0 {
            self.note_balancing();
            self.search.begin_anew();
            return;
        }
        if let Some(at) = self.search.not_before {
            if self.now < at {
                self.operations.retry_by(at);
                return;
            }
            self.search.answers.forget();
            (self.search.not_before, self.search.gave_up, self.search.tries) = (None, None, 0);
            self.note_coverage();
        }
        let most = self.search.most_tries(missing, self.current.len());
        while self.search.candidates.len() < missing.min(MOST_AT_ONCE) {
            if self.search.tries >= most {
                if self.search.candidates.is_empty() {
                    self.end_round(self.search.what_it_came_to());
                }
                return;
            }
            if !self.open_candidate() {
                return;
            }
        }
    }

    /// Opens a session to whoever answers at a seed. Answers false if no seed may be asked now.
    fn open_candidate(&mut self) -> bool {
        let seeds = self.seeds().to_vec();
        let start = self.search.tries as usize % seeds.len().max(1);
        let in_turn = seeds.iter().cycle().skip(start).take(seeds.len());
        let free = in_turn.copied().find(|seed| self.may_be_asked(*seed));
        let Some(seed) = free else {
            let earliest = seeds.iter().filter_map(|seed| self.members.get(*seed)?.retry_at).min();
            let at = earliest.unwrap_or(self.now + FIRST_PAUSE);
            self.search.not_before = Some(at);
            self.operations.retry_by(at);
            return false;
        };
        let Some(endpoint) = self.endpoint_of(seed) else { return false };
        let (transport, mut scope) = self.transport();
        let session = transport.begin_unassigned(&mut scope, seed, endpoint);
        self.search.candidates.push(session);
        self.search.tries += 1;
        self.counters.tries += 1;
        true
    }

    fn may_be_asked(&self, seed: MemberId) -> bool {
        self.paused_until(seed).is_none() && self.members.get(seed).is_some_and(|known| known.may_be_tried(self.now))
    }

    /// Nothing more is tried for a while.
    pub(in crate::cluster) fn end_round(&mut self, reason: Uncovered) {
        self.note_balancing();
        self.search.rounds = self.search.rounds.saturating_add(1);
        let pause = self.entropy.pause(self.search.rounds, FIRST_PAUSE, LONGEST_PAUSE);
        let at = self.now + pause;
        self.search.not_before = Some(at);
        self.search.gave_up = Some(reason);
        self.operations.retry_by(at);
        for candidate in core::mem::take(&mut self.search.candidates) {
            self.dismiss(candidate);
        }
        self.note_coverage();
    }

    /// Whether a member has a session, or gets one, that stays.
    pub(in crate::cluster) fn is_held(&self, member: MemberId) -> bool {
        self.transport.has_lasting_session(member)
    }

    /// Whether it is an endpoint of which nobody knows which member answers there.
    pub(in crate::cluster) fn is_stranger(&self, member: MemberId) -> bool {
        self.members.get(member).is_some_and(|known| known.is_seed) && !self.current.contains(&member)
    }

    pub(in crate::cluster) fn is_candidate(&self, session: SessionId) -> bool {
        self.search.candidates.contains(&session)
    }

    /// An endpoint has accepted a session: what its answer says is taken in before a byte of Hot Rod goes.
    pub(in crate::cluster) fn handle_accepted(&mut self, session: SessionId, answer: &Fields) {
        let access = &self.config.access;
        let Some(link) = self.transport.get(session).map(OpenSession::link) else { return };
        let endpoint = self.transport.endpoint_of(link).cloned();
        let Some(open) = self.transport.get_mut(session) else { return };
        open.identity.read(answer, &access.connect_header);
        if let Some(endpoint) = endpoint.filter(|_| access.path.is_searched()) {
            let (path, encrypted) = (self.config.carriage.path.as_str(), self.config.tls.is_some());
            let asked = Asked { endpoint: &endpoint, path, encrypted };
            open.cookies.take(self.now, asked, answer, &access.cookie_names);
        }
        self.recognise(session);
    }

    /// Looks who is at the other end of a session, and whether that is who was asked for.
    pub(in crate::cluster) fn recognise(&mut self, session: SessionId) {
        let Some(open) = self.transport.get(session) else { return };
        let asked = open.member();
        let Some(found) = self.member_of(&open.identity) else {
            if open.identity.says_something() && !self.is_stranger(asked) && self.jar.of(asked).is_some() {
                self.doubt(session, asked);
            }
            return;
        };
        if found == asked {
            if self.jar.of(asked).is_some() {
                self.note_cookie_kept();
            }
            self.learn_cookies(session, found);
        } else if !self.is_stranger(asked) {
            self.handle_other_member(session, asked, found);
        } else if self.is_candidate(session) || self.may_be_settled(session) {
            self.settle(session, found);
        }
    }

    /// A session with a seed that served to begin with may be that of the member that it turned out to be.
    fn may_be_settled(&self, session: SessionId) -> bool {
        let is_for_operations = self.transport.get(session).is_some_and(|open| open.purpose() == Purpose::Operations);
        is_for_operations && self.config.access.path != AccessPath::Direct
    }

    /// After a new topology: who is at the other end of sessions with seeds may be known now.
    pub(in crate::cluster) fn recognise_strangers(&mut self) {
        let strangers: Vec<SessionId> = self
            .transport
            .sessions()
            .filter(|(_, open)| open.purpose() == Purpose::Operations && open.site() == self.site)
            .filter(|(_, open)| self.is_stranger(open.member()))
            .map(|(session, _)| session)
            .collect();
        for session in strangers {
            self.recognise(session);
            let is_unknown = self.transport.get(session).is_some_and(|open| self.is_stranger(open.member()));
            let is_ready = self.transport.is_ready(session);
            if is_unknown && is_ready && self.config.access.path.is_searched() {
                if !self.is_candidate(session) {
                    self.search.candidates.push(session);
                }
                self.ask_who_is_there(session);
            }
        }
    }

    /// It is known with whom a session is that was opened to anybody: it is kept if that member has none.
    pub(in crate::cluster) fn settle(&mut self, session: SessionId, found: MemberId) {
        self.search.forget(session);
        self.learn_cookies(session, found);
        if let Some(tries) = self.search.note_answer(found, self.current.len()) {
            // Before this session ends, which would have another one tried.
            self.end_round(Uncovered::OneMember { tries });
        }
        if self.is_held(found) {
            self.dismiss(session);
        } else {
            self.adopt(session, found);
        }
        self.search();
        self.note_coverage();
    }

    /// A session is with that member from now on.
    fn adopt(&mut self, session: SessionId, found: MemberId) {
        if self.transport.get(session).is_none() {
            return;
        }
        let queued = self.operations.take_queue(session);
        self.transport.assign(session, found);
        if self.transport.is_ready(session) {
            self.handle_ready(session, found);
        }
        queued.into_iter().for_each(|id| self.redispatch(id));
    }

    /// A session that nobody needs ends; what waits for it goes elsewhere.
    pub(in crate::cluster) fn dismiss(&mut self, session: SessionId) {
        self.search.forget(session);
        self.drain(session);
    }

    /// A cookie has led to somebody who does not say, or not know yet, which member that is: it has to be found out.
    fn doubt(&mut self, session: SessionId, asked: MemberId) {
        let Some(&anybody) = self.seeds().first() else { return };
        self.jar.forget(asked);
        if self.transport.get(session).is_none() {
            return;
        }
        self.transport.unassign(session, anybody);
        let queued = self.operations.take_queue(session);
        self.search.candidates.push(session);
        queued.into_iter().for_each(|id| self.redispatch(id));
        self.note_coverage();
    }

    /// A session is with another member than was asked for.
    fn handle_other_member(&mut self, session: SessionId, asked: MemberId, found: MemberId) {
        let Some(open) = self.transport.get(session) else { return };
        let answered = open.identity.text();
        let reason = Arc::new(Disconnect::OtherMember { answered });
        let by_cookie = self.jar.of(asked).is_some();
        self.jar.forget(asked);
        if let Some(known) = self.members.get_mut(asked) {
            self.transport.unlist(session, asked);
            known.failure = Some(reason.clone());
            if !by_cookie {
                known.failures = known.failures.saturating_add(1);
                let (first, longest) = (self.config.min_backoff, self.config.max_backoff);
                let retry_after = self.entropy.pause(known.failures, first, longest);
                known.retry_at = Some(self.now + retry_after);
                let address = known.address.clone();
                let event = Event::MemberUnavailable { member: asked, address, reason, retry_after };
                self.outputs.push_back(Output::Event(event));
            }
        }
        if by_cookie {
            self.search.answers.note(found);
        }
        if self.is_held(found) {
            self.dismiss(session);
        } else {
            self.adopt(session, found);
        }
        self.open_ahead();
        self.note_coverage();
    }

    /// What is known of cookies counts from now on.
    pub(in crate::cluster) fn learn_all_cookies(&mut self) {
        for session in self.transport.all_sessions() {
            let found = self.transport.get(session).and_then(|open| self.member_of(&open.identity));
            found.into_iter().for_each(|found| self.learn_cookies(session, found));
        }
    }

    fn learn_cookies(&mut self, session: SessionId, found: MemberId) {
        if !self.config.access.path.goes_by_cookie() {
            return;
        }
        let Some(open) = self.transport.get(session) else { return };
        if let Some(endpoint) = self.transport.endpoint_of(open.link()) {
            self.jar.learn(found, endpoint.clone(), open.cookies.clone());
        }
    }

    /// A candidate has come to carry Hot Rod, and has not said who it is.
    pub(in crate::cluster) fn candidate_is_ready(&mut self, session: SessionId) {
        self.transport.set_timeout(&self.config, session);
        self.ask_who_is_there(session);
    }

    /// The probe cache has told with which member a session is.
    pub(in crate::cluster) fn is_told_by_probe(&mut self, session: SessionId, found: MemberId) {
        let address = self.members.get(found).map(|known| known.address.clone());
        if let (Some(open), Some(address)) = (self.transport.get_mut(session), address) {
            open.identity.is_at(address);
            self.recognise(session);
        }
        if self.is_candidate(session) {
            let reason = "the probe cache has other members than the topology".into();
            self.cannot_be_told(session, Uncovered::NotTold(reason));
        }
    }

    /// It can't be found out who is at the other end.
    pub(in crate::cluster) fn cannot_be_told(&mut self, session: SessionId, reason: Uncovered) {
        let served_before = self.transport.serves_operations(session);
        self.search.forget(session);
        if !served_before {
            self.dismiss(session);
        }
        self.end_round(reason);
    }

    /// A session has ended that may have been one of the search. Answers whether it was.
    pub(in crate::cluster) fn note_candidate_end(&mut self, session: SessionId, is_failure: bool) -> bool {
        let was_candidate = self.search.forget(session);
        if was_candidate && is_failure {
            let pause = self.entropy.pause(self.search.rounds.max(1), self.config.min_backoff, LONGEST_PAUSE);
            self.search.not_before = self.search.not_before.max(Some(self.now + pause));
        }
        was_candidate
    }
}
