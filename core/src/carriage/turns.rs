//! Whose turn it is.

use alloc::collections::VecDeque;

/// Those who have something to send, each once, in the order of their turns.
#[derive(Debug)]
pub(super) struct Turns<T>(VecDeque<T>);

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Copy + PartialEq> Turns<T> {
    /// Has a turn to come, if it has none already.
    pub(super) fn add(&mut self, who: T) {
        if !self.0.contains(&who) {
            self.0.push_back(who);
        }
    }

    /// Whose turn it is now; that is its only one until it is added again.
    pub(super) fn next(&mut self) -> Option<T> {
        self.0.pop_front()
    }
}
