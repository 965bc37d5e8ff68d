//! Memory that clients occupy: counted per session, limited per link and for all links together.

use std::collections::BTreeMap;

use crate::event_queues::{ConnectionId, End};

/// Bytes of the open listeners, iterations and streams of each session.
#[derive(Default)]
pub(crate) struct StateMemory(BTreeMap<ConnectionId, usize>);

impl StateMemory {
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

/// Bytes of memory that each link occupies, with all its sessions.
pub(crate) struct Budget {
    by_link: BTreeMap<ConnectionId, usize>,
    total: usize,
    /// Limit of one link, and of all links together.
    limits: (usize, usize),
}

impl Budget {
    pub(crate) fn new(of_link: usize, of_all: usize) -> Self {
        Self { by_link: BTreeMap::new(), total: 0, limits: (of_link, of_all) }
    }

    /// Sets the bytes of a link. If a limit is exceeded, returns the link to end and why: this link if it exceeds its own
    /// limit, otherwise the one that occupies most.
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

    /// Removes a link that has ended or is about to; returns its bytes.
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
