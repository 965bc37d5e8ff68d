//! What clients make a node hold: counted for each session, bounded for each link and for all together.

use std::collections::BTreeMap;

use crate::post::{ConnectionId, End};

/// Bytes of states (listeners, iterations, streams) that sessions have open.
#[derive(Default)]
pub(crate) struct States(BTreeMap<ConnectionId, usize>);

impl States {
    pub(crate) fn add(&mut self, session: ConnectionId, bytes: usize) {
        *self.0.entry(session).or_default() += bytes;
    }

    pub(crate) fn take(&mut self, session: ConnectionId, bytes: usize) {
        if let Some(held) = self.0.get_mut(&session) {
            *held = held.saturating_sub(bytes);
        }
    }

    pub(crate) fn of(&self, session: ConnectionId) -> usize {
        self.0.get(&session).copied().unwrap_or_default()
    }

    pub(crate) fn forget(&mut self, session: ConnectionId) {
        self.0.remove(&session);
    }
}

/// Bytes that links make the node hold, with all that they carry.
pub(crate) struct Budget {
    by_link: BTreeMap<ConnectionId, usize>,
    total: usize,
    /// The most of one link, and of all.
    limits: (usize, usize),
}

impl Budget {
    pub(crate) fn new(of_link: usize, of_all: usize) -> Self {
        Self { by_link: BTreeMap::new(), total: 0, limits: (of_link, of_all) }
    }

    /// A link holds that much now. Where that is too much the answer is the link to end, and why: the one itself, or of all
    /// links the one that holds most.
    pub(crate) fn set(&mut self, link: ConnectionId, held: usize) -> Option<(ConnectionId, End)> {
        let before = self.by_link.insert(link, held).unwrap_or_default();
        self.total = self.total - before + held;
        let (of_link, of_all) = self.limits;
        let (link, limit) = if held > of_link {
            (link, of_link)
        } else if self.total > of_all {
            (*self.by_link.iter().max_by_key(|(_, held)| **held)?.0, of_all)
        } else {
            return None;
        };
        let held = self.forget(link);
        Some((link, End::TooMuch { held, limit }))
    }

    /// It holds nothing any more, or will soon not; answers what it held.
    pub(crate) fn forget(&mut self, link: ConnectionId) -> usize {
        let held = self.by_link.remove(&link).unwrap_or_default();
        self.total -= held;
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_links_the_one_that_holds_most_is_ended() {
        let [one, two, three] = [1, 2, 3].map(ConnectionId);
        let mut budget = Budget::new(100, 150);
        assert_eq!(budget.set(one, 90), None);
        assert_eq!(budget.set(two, 50), None);
        assert_eq!(budget.set(three, 20), Some((one, End::TooMuch { held: 90, limit: 150 })));
        assert_eq!(budget.set(two, 101), Some((two, End::TooMuch { held: 101, limit: 100 })));
        assert_eq!((budget.total, budget.forget(three), budget.total), (20, 20, 0));
    }
}
