//! The session of a member for suspects: on a link of its own, and with few operations at a time.

use super::Transport;
use super::open_session::{Purpose, SessionId};

/// Paces the operations of a session for suspects: one at first, and one more with each answer, which doubles them each
/// round trip (slow start, as TCP's). So thousands of innocents are cleared in a few round trips, and a request that costs the
/// session is found alone in a few losses.
#[derive(Default)]
pub(super) struct Isolation {
    answers: usize,
    /// Whether the operation in flight must be the only one.
    is_exclusive: bool,
    /// Whether nothing else was in flight when the last operation was submitted.
    is_alone: bool,
}

/// The operations that were in flight beside another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Company {
    /// None.
    Alone,
    /// Other suspects.
    Suspects,
    /// Any.
    Others,
}

impl Isolation {
    /// Whether one more operation may be submitted beside those in flight.
    pub(super) fn has_room(&self, in_flight: usize, is_exclusive: bool) -> bool {
        in_flight == 0 || !is_exclusive && !self.is_exclusive && in_flight <= self.answers
    }

    pub(super) fn note_submitted(&mut self, in_flight_before: usize, is_exclusive: bool) {
        self.is_alone = in_flight_before == 0;
        self.is_exclusive = is_exclusive;
    }

    pub(super) fn note_answered(&mut self) {
        self.answers = self.answers.saturating_add(1);
    }
}

impl Transport {
    /// The company that an operation has in a session.
    pub(in crate::cluster) fn company_in(&self, session: SessionId) -> Company {
        match self.sessions.get(session).filter(|open| open.purpose == Purpose::Suspects) {
            None => Company::Others,
            Some(open) if open.isolation.is_alone => Company::Alone,
            Some(_) => Company::Suspects,
        }
    }

    /// Whether the server decodes the messages of a session from a stream of bytes.
    pub(in crate::cluster) fn is_byte_stream(&self, session: SessionId) -> bool {
        let protocol = self.sessions.get(session).and_then(|open| open.protocol.as_ref());
        protocol.is_some_and(|protocol| !protocol.delimits_messages())
    }

    /// Whether a session for suspects has cleared those that it was begun for.
    pub(in crate::cluster) fn has_cleared_all(&self, session: SessionId) -> bool {
        let open = self.sessions.get(session).filter(|open| open.purpose == Purpose::Suspects);
        open.is_some_and(|open| open.is_ready() && open.in_flight() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_alone_and_each_answer_lets_one_more_go() {
        let mut isolation = Isolation::default();
        assert!(isolation.has_room(0, false));
        isolation.note_submitted(0, false);
        assert!(!isolation.has_room(1, false) && isolation.is_alone);
        isolation.note_answered();
        isolation.note_submitted(0, false);
        assert!(isolation.has_room(1, false) && !isolation.has_room(1, true));
        isolation.note_submitted(1, false);
        assert!(!isolation.has_room(2, false) && !isolation.is_alone);
    }

    #[test]
    fn an_exclusive_one_has_no_company() {
        let mut isolation = Isolation::default();
        (0..5).for_each(|_| isolation.note_answered());
        assert!(!isolation.has_room(1, true));
        isolation.note_submitted(0, true);
        assert!(!isolation.has_room(1, false) && !isolation.has_room(1, true) && isolation.has_room(0, true));
    }
}
