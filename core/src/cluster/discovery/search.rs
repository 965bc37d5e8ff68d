//! The search for members that can't be addressed: sessions are opened at the seeds, and one is kept if its member has none
//! yet.
//!
//! A round opens one session per missing member at a time, the minimum that it needs however the balancer chooses.

use alloc::vec::Vec;
use core::time::Duration;

use super::balancing::{Answers, max_tries};
use super::coverage::Uncovered;
use super::{Action, Discovery, Facts};
use crate::cluster::backoff::Entropy;
use crate::cluster::members::MemberId;
use crate::cluster::transport::open_session::SessionId;
use crate::time::Instant;

/// Sessions that are opened to unknown members at the same time.
const MAX_CANDIDATES: usize = 32;
/// The pause after a round that has not found all members; doubled with each further one, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Tries of a round that looks for one member. A balancer that chooses one of two members at random leads all of them to the
/// other in 1 of 64 rounds.
const MOST_TRIES_FOR_ONE: u32 = 6;

/// The state of the search.
#[derive(Default)]
pub(super) struct Search {
    /// Sessions whose member is not identified yet, oldest first.
    candidates: Vec<SessionId>,
    /// The members that have answered in this round.
    pub(super) answers: Answers,
    /// Sessions opened in this round.
    tries: u32,
    /// Consecutive rounds that have not found all members.
    rounds: u32,
    /// Earliest beginning of the next round; `None` during a round.
    next_round_at: Option<Instant>,
    /// The member to which every try of the last round has led, and the number of those tries.
    only_member: Option<(MemberId, u32)>,
    /// Whether the seed of the last try is that member.
    is_own_address: bool,
    /// Why the last round has ended without all members; `None` during a round.
    outcome: Option<Uncovered>,
}

impl Search {
    /// Begins anew, without a pause.
    fn restart(&mut self) {
        self.answers.end_round();
        (self.tries, self.rounds, self.next_round_at, self.outcome, self.only_member) = (0, 0, None, None, None);
    }

    fn begin_round(&mut self) {
        self.answers.end_round();
        (self.next_round_at, self.outcome, self.tries) = (None, None, 0);
    }

    /// Records which member has answered. Returns the number of consecutive answers of this member if they are the first
    /// that chance does not explain.
    fn note_answer(&mut self, member: MemberId, members: usize) -> Option<u32> {
        self.answers.note(member);
        if let Some((only, tries)) = &mut self.only_member
            && *only == member
        {
            *tries = tries.saturating_add(1);
            return None;
        }
        let is_one = self.answers.are_all_of_one(members);
        self.only_member = is_one.then(|| (member, self.answers.in_a_row()));
        self.only_member.map(|(_, tries)| tries)
    }

    /// The number of sessions that a round may open. After a round that has found a single member one session per missing
    /// member is enough to see whether that is still so. With the pauses the tries grow, so that chance does not hide a
    /// member for many pauses.
    fn max_tries(&self, missing: usize, members: usize) -> u32 {
        if self.only_member.is_some() {
            (missing as u32).max(self.rounds.min(MOST_TRIES_FOR_ONE))
        } else {
            max_tries(members)
        }
    }

    /// The reason with which a round ends that has used up its tries.
    fn exhausted(&self) -> Uncovered {
        let tries = self.tries;
        self.only_member.map_or(Uncovered::NotFound { tries }, |(_, tries)| self.one_member(tries))
    }

    /// The reason with which a round ends in which one member has answered each time.
    fn one_member(&self, tries: u32) -> Uncovered {
        if self.is_own_address { Uncovered::OwnAddress { tries } } else { Uncovered::OneMember { tries } }
    }

    /// Removes a candidate. Returns whether it was one.
    fn remove(&mut self, session: SessionId) -> bool {
        let before = self.candidates.len();
        self.candidates.retain(|candidate| *candidate != session);
        self.candidates.len() != before
    }
}

impl Discovery {
    /// Opens sessions for members that have none, as far as the round allows it.
    pub(in crate::cluster) fn search(&mut self, facts: &Facts<'_>, entropy: &mut Entropy) -> Vec<Action> {
        let mut actions = Vec::new();
        if !self.path.is_searched() {
            return actions;
        }
        let (mut missing, mut held_back_until) = (0, None::<Instant>);
        for &member in facts.members.current() {
            // A member that a cookie leads to is dialled with the cookie.
            if facts.is_held(member) || self.jar.of(member).is_some() {
                continue;
            }
            match facts.members.get(member).and_then(|known| known.held_back_until(facts.now)) {
                None => missing += 1,
                Some(until) => held_back_until = Some(held_back_until.map_or(until, |first| first.min(until))),
            }
        }
        if let Some(until) = held_back_until {
            actions.push(Action::RetryAt(until));
            if missing == 0 {
                return actions;
            }
        }
        if missing == 0 {
            actions.extend(self.search.answers.balancing_event(facts.members.current().len()).map(Action::Report));
            self.search.restart();
            return actions;
        }
        if let Some(at) = self.search.next_round_at {
            if facts.now < at {
                actions.push(Action::RetryAt(at));
                return actions;
            }
            self.search.begin_round();
            actions.push(Action::ReportCoverage);
        }
        let max_tries = self.search.max_tries(missing, facts.members.current().len());
        let mut candidates = self.search.candidates.len();
        while candidates < missing.min(MAX_CANDIDATES) {
            if self.search.tries >= max_tries {
                if candidates == 0 {
                    actions.extend(self.end_round(self.search.exhausted(), facts, entropy));
                }
                break;
            }
            match self.next_seed(facts) {
                Ok(seed) => {
                    self.search.tries += 1;
                    candidates += 1;
                    actions.push(Action::Open(seed));
                }
                Err(at) => {
                    self.search.next_round_at = Some(at);
                    actions.push(Action::RetryAt(at));
                    break;
                }
            }
        }
        actions
    }

    /// The seed for the next try, or the time at which there may be one.
    fn next_seed(&self, facts: &Facts<'_>) -> Result<MemberId, Instant> {
        let seeds = facts.members.seeds();
        let start = self.search.tries as usize % seeds.len().max(1);
        let mut in_turn = seeds.iter().cycle().skip(start).take(seeds.len());
        let may_be_dialled = |seed: &&MemberId| {
            self.paused_until(facts, **seed).is_none()
                && facts.members.get(**seed).is_some_and(|known| known.may_be_tried(facts.now))
        };
        // A seed may be in back-off, paused by its endpoint, or both: the later end counts, and only one that is to come.
        let free_at = |seed: &MemberId| {
            let back_off = facts.members.get(*seed)?.retry_at;
            back_off.max(self.paused_until(facts, *seed)).filter(|at| *at > facts.now)
        };
        let earliest = || seeds.iter().filter_map(free_at).min().unwrap_or(facts.now + FIRST_PAUSE);
        in_turn.find(may_be_dialled).copied().ok_or_else(earliest)
    }

    /// Adds a session to the candidates: one that [`Action::Open`] has opened, or one whose member became unknown.
    pub(in crate::cluster) fn add_candidate(&mut self, session: SessionId) {
        self.search.candidates.push(session);
    }

    /// Whether this session was opened to an unknown member that is not identified yet.
    pub(in crate::cluster) fn is_candidate(&self, session: SessionId) -> bool {
        self.search.candidates.contains(&session)
    }

    /// Whether members without a session are searched for now, and not after a pause.
    pub(in crate::cluster) fn is_searching(&self, now: Instant) -> bool {
        let is_paused = self.search.next_round_at.is_some_and(|at| now < at);
        self.path.is_searched() && self.search.outcome.is_none() && !is_paused
    }

    /// The sessions whose member is not identified yet.
    pub(in crate::cluster) fn candidates(&self) -> Vec<SessionId> {
        self.search.candidates.clone()
    }

    /// Restarts the search without a pause: the topology or the site has changed.
    pub(in crate::cluster) fn restart_search(&mut self) {
        self.search.restart();
    }

    /// Ends the round: no session is opened until a pause is over.
    pub(in crate::cluster) fn end_round(
        &mut self,
        reason: Uncovered,
        facts: &Facts<'_>,
        entropy: &mut Entropy,
    ) -> Vec<Action> {
        let search = &mut self.search;
        let mut actions = Vec::new();
        // A member's own address says nothing of a balancer.
        if !matches!(reason, Uncovered::OwnAddress { .. }) {
            actions.extend(search.answers.balancing_event(facts.members.current().len()).map(Action::Report));
        }
        search.rounds = search.rounds.saturating_add(1);
        let at = facts.now + entropy.pause(search.rounds, FIRST_PAUSE, LONGEST_PAUSE);
        search.next_round_at = Some(at);
        search.outcome = Some(reason);
        actions.push(Action::RetryAt(at));
        actions.push(Action::EndWaits);
        actions.extend(core::mem::take(&mut search.candidates).into_iter().map(Action::Dismiss));
        actions.push(Action::ReportCoverage);
        actions
    }

    /// The member of a candidate is known. Ends the round if the same member answers again and again.
    pub(in crate::cluster) fn identified(
        &mut self,
        session: SessionId,
        member: MemberId,
        facts: &Facts<'_>,
        entropy: &mut Entropy,
    ) -> Vec<Action> {
        self.search.remove(session);
        self.learn_cookies(session, member);
        self.search.is_own_address = facts.transport.get(session).is_some_and(|open| open.seed() == Some(member));
        match self.search.note_answer(member, facts.members.current().len()) {
            Some(tries) => self.end_round(self.search.one_member(tries), facts, entropy),
            None => Vec::new(),
        }
    }

    /// Keeps the session of an identified member if the member has no other for operations, or of its purpose.
    pub(in crate::cluster) fn place(&mut self, session: SessionId, member: MemberId, facts: &Facts<'_>) -> Action {
        if facts.is_held(member) || !facts.transport.has_place_for(session, member) {
            self.search.remove(session);
            Action::Dismiss(session)
        } else {
            Action::Adopt { session, member }
        }
    }

    /// The member of a candidate can't be identified. The session ends, unless it serves a seed.
    pub(in crate::cluster) fn leave_unidentified(&mut self, session: SessionId, facts: &Facts<'_>) -> Option<Action> {
        self.search.remove(session);
        let serves = facts.transport.serves_operations(session);
        (!serves).then_some(Action::Dismiss(session))
    }

    /// A session has ended. Returns whether it was a candidate.
    pub(in crate::cluster) fn session_ended(
        &mut self,
        session: SessionId,
        is_failure: bool,
        facts: &Facts<'_>,
        entropy: &mut Entropy,
    ) -> bool {
        self.peers.remove(session);
        let search = &mut self.search;
        let was_candidate = search.remove(session);
        if is_failure {
            // The other members may have been away while the balancer led to this one.
            search.only_member = None;
        }
        if was_candidate && is_failure {
            let pause = entropy.pause(search.rounds.max(1), facts.config.min_backoff, LONGEST_PAUSE);
            search.next_round_at = search.next_round_at.max(Some(facts.now + pause));
        }
        was_candidate
    }

    /// Why the last round has ended without all members; `None` during a round.
    pub(super) fn search_outcome(&self) -> Option<&Uncovered> {
        self.search.outcome.as_ref()
    }
}
