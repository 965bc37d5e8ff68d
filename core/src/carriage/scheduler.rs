//! Scheduler of a link's sessions: the most urgent fragment first, and round robin among equals.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// Sessions that have a fragment to send, each once.
///
/// Each session is queued with the urgency of its next fragment, the lowest number first. It is added again whenever a
/// fragment may have become ready or more urgent. Without `has_credit` the connection's credit is used up, and only
/// fragments that need none can be sent.
#[derive(Debug)]
pub(super) struct Scheduler<T> {
    /// Sessions by urgency, and then by the order in which they were added.
    order: BTreeMap<(u8, u64), T>,
    positions: BTreeMap<T, (u8, u64)>,
    sequence: u64,
    /// Sessions to add again when the connection gets credit.
    starved: BTreeSet<T>,
    /// All sessions are queued with their urgency without credit.
    is_without_credit: bool,
}

impl<T: Ord> Default for Scheduler<T> {
    fn default() -> Self {
        Self {
            order: BTreeMap::new(),
            positions: BTreeMap::new(),
            sequence: 0,
            starved: BTreeSet::new(),
            is_without_credit: false,
        }
    }
}

impl<T: Copy + Ord> Scheduler<T> {
    /// Adds a session after the others of its urgency; a queued session keeps its position. `urgency` is `None` if the
    /// session has nothing to send now.
    pub(super) fn add(&mut self, session: T, urgency: Option<u8>, has_credit: bool) {
        let before = self.positions.remove(&session);
        if let Some(position) = before {
            self.order.remove(&position);
        }
        if let Some(urgency) = urgency {
            let sequence = before.map_or(self.sequence, |(_, sequence)| sequence);
            self.sequence += u64::from(before.is_none());
            self.positions.insert(session, (urgency, sequence));
            self.order.insert((urgency, sequence), session);
        }
        if !has_credit {
            self.starved.insert(session);
        }
    }

    /// Removes and returns the next session. `urgency` returns the urgency of a session's next fragment.
    pub(super) fn next(&mut self, has_credit: bool, urgency: impl Fn(T) -> Option<u8>) -> Option<T> {
        if !has_credit && !self.is_without_credit {
            let sessions: Vec<T> = self.order.values().copied().collect();
            sessions.into_iter().for_each(|session| self.add(session, urgency(session), false));
        }
        self.is_without_credit = !has_credit;
        loop {
            let ((recorded, sequence), session) =
                self.order.first_key_value().map(|(position, session)| (*position, *session))?;
            let now = urgency(session);
            if now.is_some_and(|now| now <= recorded) {
                self.order.remove(&(recorded, sequence));
                self.positions.remove(&session);
                return Some(session);
            }
            // The session has cancelled the call of that fragment.
            self.add(session, now, has_credit);
        }
    }

    /// Removes a session that has to be added again now that the connection has credit.
    pub(super) fn next_starved(&mut self) -> Option<T> {
        self.starved.pop_first()
    }

    /// Removes a session that has ended.
    pub(super) fn forget(&mut self, session: T) {
        self.add(session, None, true);
        self.starved.remove(&session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SESSIONS: usize = 6;

    /// R-45, between sessions.
    #[test]
    fn the_most_urgent_comes_first_and_equals_take_turns() {
        let urgency = |session: usize| [Some(3), Some(3), Some(1), None][session];
        let mut scheduler = Scheduler::default();
        (0..4).for_each(|session| scheduler.add(session, urgency(session), true));
        let mut order = Vec::new();
        for _ in 0..2 {
            let session = scheduler.next(true, urgency).expect("a session");
            order.push(session);
            scheduler.add(session, urgency(session), true);
        }
        let calm = |session| urgency(session).filter(|urgency| *urgency > 1);
        for _ in 0..3 {
            let session = scheduler.next(true, calm).expect("a session");
            order.push(session);
            scheduler.add(session, calm(session), true);
        }
        assert_eq!(order, [2, 2, 0, 1, 0]);
        assert_eq!(Scheduler::<u32>::default().next(true, |_| None), None);
    }

    /// Urgencies of a session's fragments: of those that need the connection's credit, and of those that do not.
    type Fragments = [Vec<u8>; 2];

    fn urgency(fragments: &Fragments, has_credit: bool) -> Option<u8> {
        let [needy, free] = fragments;
        needy.iter().filter(|_| has_credit).chain(free).min().copied()
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push { session: usize, needs_credit: bool, urgency: u8 },
        GiveUp(usize),
        Credit(bool),
        Send,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..SESSIONS, any::<bool>(), 0u8..4)
                .prop_map(|(session, needs_credit, urgency)| Step::Push { session, needs_credit, urgency }),
            1 => (0..SESSIONS).prop_map(Step::GiveUp),
            1 => any::<bool>().prop_map(Step::Credit),
            6 => Just(Step::Send),
        ]
    }

    proptest! {
        /// The scheduler returns a session exactly when a loop over all sessions finds a fragment, and none that is
        /// less urgent.
        #[test]
        fn no_session_is_lost_and_none_is_overtaken(steps in proptest::collection::vec(step(), 0..200)) {
            let mut scheduler = Scheduler::default();
            let mut sessions: [Fragments; SESSIONS] = Default::default();
            let mut has_credit = true;
            for step in steps {
                match step {
                    Step::Push { session, needs_credit, urgency: new } => {
                        sessions[session][usize::from(!needs_credit)].push(new);
                        scheduler.add(session, urgency(&sessions[session], has_credit), has_credit);
                    }
                    Step::GiveUp(session) => sessions[session].iter_mut().for_each(|fragments| fragments.truncate(fragments.len().saturating_sub(1))),
                    Step::Credit(granted) => {
                        has_credit = granted;
                        while granted && let Some(session) = scheduler.next_starved() {
                            scheduler.add(session, urgency(&sessions[session], true), true);
                        }
                    }
                    Step::Send => {
                        let walked = sessions.iter().filter_map(|fragments| urgency(fragments, has_credit)).min();
                        let found = scheduler.next(has_credit, |session| urgency(&sessions[session], has_credit));
                        prop_assert_eq!(found.and_then(|session| urgency(&sessions[session], has_credit)), walked);
                        let Some(session) = found else { continue };
                        let sent = walked.expect("an urgency");
                        let [needy, free] = &mut sessions[session];
                        let of = if has_credit && needy.contains(&sent) { needy } else { free };
                        let index = of.iter().position(|urgency| *urgency == sent).expect("a fragment");
                        of.remove(index);
                        scheduler.add(session, urgency(&sessions[session], has_credit), has_credit);
                    }
                }
            }
        }
    }
}
