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

    /// Whose turn it is now: of those with the highest urgency, which is the lowest number, the one that has waited
    /// longest. That is its only turn until it is added again, as it is for those without anything to send.
    pub(super) fn next(&mut self, urgency: impl Fn(T) -> Option<u8>) -> Option<T> {
        let mut most: Option<(u8, T)> = None;
        self.0.retain(|who| {
            let own = urgency(*who);
            if let Some(own) = own
                && most.is_none_or(|(urgency, _)| own < urgency)
            {
                most = Some((own, *who));
            }
            own.is_some()
        });
        let (_, who) = most?;
        self.0.retain(|other| *other != who);
        Some(who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// R-45, of sessions.
    #[test]
    fn the_most_urgent_comes_first_and_equals_take_turns() {
        let urgency = |who: u32| [Some(3), Some(3), Some(1), None][who as usize];
        let mut turns = Turns::default();
        (0..4).for_each(|who| turns.add(who));
        let mut order = Vec::new();
        for _ in 0..2 {
            let who = turns.next(urgency).expect("someone");
            order.push(who);
            turns.add(who);
        }
        let calm = |who| urgency(who).filter(|urgency| *urgency > 1);
        for _ in 0..3 {
            let who = turns.next(calm).expect("someone");
            order.push(who);
            turns.add(who);
        }
        assert_eq!(order, [2, 2, 0, 1, 0]);
        assert_eq!(Turns::<u32>::default().next(urgency), None);
    }
}
