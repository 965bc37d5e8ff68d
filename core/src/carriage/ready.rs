//! Queue of the sessions of a link that have work, so that no loop over all sessions is needed.

use alloc::collections::{BinaryHeap, VecDeque};
use core::cmp::Reverse;

/// Sessions to serve, and sessions that wait for room in the link's output. Both are returned in the order of their
/// ids.
///
/// The owner of the sessions stores the [`Queues`] of each, which keeps each session at most once in either queue,
/// and skips sessions that have ended.
#[derive(Debug)]
pub(super) struct ReadyList<T> {
    ready: BinaryHeap<Reverse<T>>,
    waiting: BinaryHeap<Reverse<T>>,
    /// Messages in the link's output that are not sent completely: end offset and session.
    unsent: VecDeque<(u64, T)>,
}

/// The queues that contain a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Queues {
    is_ready: bool,
    is_waiting: bool,
}

impl Queues {
    /// Clears the queues from which [`ReadyList::next`] has removed the session.
    pub(super) fn leave(&mut self, removed: Self) {
        self.is_ready &= !removed.is_ready;
        self.is_waiting &= !removed.is_waiting;
    }
}

impl<T: Ord> Default for ReadyList<T> {
    fn default() -> Self {
        Self { ready: BinaryHeap::new(), waiting: BinaryHeap::new(), unsent: VecDeque::new() }
    }
}

impl<T: Copy + Ord> ReadyList<T> {
    /// Queues a session to be served.
    pub(super) fn mark_ready(&mut self, session: T, queues: &mut Queues) {
        if !core::mem::replace(&mut queues.is_ready, true) {
            self.ready.push(Reverse(session));
        }
    }

    /// Queues a session until the link's output has room.
    pub(super) fn wait(&mut self, session: T, queues: &mut Queues) {
        if !core::mem::replace(&mut queues.is_waiting, true) {
            self.waiting.push(Reverse(session));
        }
    }

    /// Removes the next session to serve, and returns it with its queues; with `has_room`, sessions that wait for room
    /// are included.
    pub(super) fn next(&mut self, has_room: bool) -> Option<(T, Queues)> {
        let ready = self.ready.peek().map(|first| first.0);
        let waiting = self.waiting.peek().map(|first| first.0).filter(|_| has_room);
        let session = match (ready, waiting) {
            (Some(ready), Some(waiting)) => ready.min(waiting),
            (ready, waiting) => ready.or(waiting)?,
        };
        let removed = Queues { is_ready: ready == Some(session), is_waiting: waiting == Some(session) };
        if removed.is_ready {
            self.ready.pop();
        }
        if removed.is_waiting {
            self.waiting.pop();
        }
        Some((session, removed))
    }

    /// Removes a session that waits for room, and returns it with its queue.
    pub(super) fn next_waiting(&mut self) -> Option<(T, Queues)> {
        let Reverse(session) = self.waiting.pop()?;
        Some((session, Queues { is_waiting: true, ..Queues::default() }))
    }

    /// Records that a message of a session ends at offset `end` of the link's output. Ends ascend.
    pub(super) fn written(&mut self, session: T, end: u64) {
        self.unsent.push_back((end, session));
    }

    /// Removes the next session with a message within the first `sent` bytes of the link's output.
    pub(super) fn next_sent(&mut self, sent: u64) -> Option<T> {
        let (_, session) = *self.unsent.front().filter(|(end, _)| *end <= sent)?;
        while self.unsent.front().is_some_and(|(end, other)| *end <= sent && *other == session) {
            self.unsent.pop_front();
        }
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const SESSIONS: u8 = 12;

    #[derive(Debug, Clone)]
    enum Step {
        List(u8),
        Wait(u8),
        End(u8),
        Serve { most: usize, has_room: bool },
        ListWaiting,
    }

    fn step() -> impl Strategy<Value = Step> {
        let session = 0..SESSIONS;
        prop_oneof![
            4 => session.clone().prop_map(Step::List),
            4 => session.clone().prop_map(Step::Wait),
            1 => session.prop_map(Step::End),
            3 => (0usize..5, any::<bool>()).prop_map(|(most, has_room)| Step::Serve { most, has_room }),
            1 => Just(Step::ListWaiting),
        ]
    }

    proptest! {
        /// The model is a loop over all sessions in the order of their ids that checks each for work.
        #[test]
        fn sessions_come_out_as_a_walk_over_all_of_them_finds_them(steps in proptest::collection::vec(step(), 0..200)) {
            let mut list = ReadyList::default();
            let mut open: BTreeMap<u8, Queues> = (0..SESSIONS).map(|session| (session, Queues::default())).collect();
            let (mut ready, mut waiting) = (BTreeSet::new(), BTreeSet::new());
            for step in steps {
                match step {
                    Step::List(session) => if let Some(queues) = open.get_mut(&session) {
                        list.mark_ready(session, queues);
                        ready.insert(session);
                    },
                    Step::Wait(session) => if let Some(queues) = open.get_mut(&session) {
                        list.wait(session, queues);
                        waiting.insert(session);
                    },
                    Step::End(session) => {
                        open.remove(&session);
                    }
                    Step::Serve { most, has_room } => {
                        let found = |session: &u8| ready.contains(session) || has_room && waiting.contains(session);
                        let walked: Vec<u8> = open.keys().copied().filter(found).take(most).collect();
                        let mut served = Vec::new();
                        while served.len() < most && let Some((session, removed)) = list.next(has_room) {
                            if let Some(queues) = open.get_mut(&session) {
                                queues.leave(removed);
                                served.push(session);
                            }
                        }
                        prop_assert_eq!(&served, &walked);
                        for session in served {
                            ready.remove(&session);
                            if has_room {
                                waiting.remove(&session);
                            }
                        }
                    }
                    Step::ListWaiting => {
                        while let Some((session, removed)) = list.next_waiting() {
                            if let Some(queues) = open.get_mut(&session) {
                                queues.leave(removed);
                                list.mark_ready(session, queues);
                            }
                        }
                        ready.append(&mut waiting);
                    }
                }
            }
        }

        /// A session is returned as soon as the last byte of one of its messages is sent, and not before.
        #[test]
        fn a_session_is_found_when_a_message_of_it_is_sent(
            messages in proptest::collection::vec((0..SESSIONS, 1u64..50), 0..50),
            writes in proptest::collection::vec(1u64..80, 0..60),
        ) {
            let mut list = ReadyList::default();
            let mut end = 0;
            let ends: Vec<(u64, u8)> = messages.into_iter().map(|(session, size)| {
                end += size;
                list.written(session, end);
                (end, session)
            }).collect();
            let mut sent = 0;
            for write in writes {
                let before = sent;
                sent = end.min(sent + write);
                let walked: BTreeSet<u8> =
                    ends.iter().filter(|(end, _)| (before + 1..=sent).contains(end)).map(|(_, session)| *session).collect();
                let found: BTreeSet<u8> = core::iter::from_fn(|| list.next_sent(sent)).collect();
                prop_assert_eq!(found, walked);
            }
        }
    }
}
