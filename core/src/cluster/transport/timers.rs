//! Timers: one for each key, which may ring early and never late.

use alloc::collections::BTreeSet;

use slotmap::{Key, SecondaryMap};

use crate::time::Instant;

/// The time at which each key is due. A timer is only ever brought forward: one that has become too early rings, and its
/// owner sets it again. So an operation with a later deadline than those before costs no change of the order.
pub(in crate::cluster) struct Timers<K: Key> {
    order: BTreeSet<(Instant, K)>,
    by_key: SecondaryMap<K, Instant>,
}

impl<K: Key> Default for Timers<K> {
    fn default() -> Self {
        Self { order: BTreeSet::new(), by_key: SecondaryMap::new() }
    }
}

impl<K: Key> Timers<K> {
    /// Has `key` due at `at`, unless it is due earlier.
    pub(in crate::cluster) fn bring_forward(&mut self, key: K, at: Instant) {
        if let Some(present) = self.by_key.get(key) {
            if *present <= at {
                return;
            }
            self.order.remove(&(*present, key));
        }
        self.by_key.insert(key, at);
        self.order.insert((at, key));
    }

    pub(in crate::cluster) fn is_set(&self, key: K) -> bool {
        self.by_key.contains_key(key)
    }

    pub(in crate::cluster) fn remove(&mut self, key: K) {
        if let Some(at) = self.by_key.remove(key) {
            self.order.remove(&(at, key));
        }
    }

    /// The time of the first timer.
    pub(in crate::cluster) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// The first of the timers that are due and pass `filter`.
    pub(in crate::cluster) fn due(&self, now: Instant, filter: impl Fn(K) -> bool) -> Option<(Instant, K)> {
        let mut due = self.order.iter().take_while(|(at, _)| *at <= now);
        due.find(|(_, key)| filter(*key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotmap::SlotMap;

    #[test]
    fn a_timer_is_brought_forward_and_never_put_off() {
        let mut keys: SlotMap<slotmap::DefaultKey, ()> = SlotMap::new();
        let (one, other) = (keys.insert(()), keys.insert(()));
        let at = Instant::from_micros;
        let mut timers = Timers::default();
        timers.bring_forward(one, at(20));
        timers.bring_forward(one, at(30));
        timers.bring_forward(other, at(25));
        assert_eq!(timers.due(at(40), |_| true), Some((at(20), one)));
        timers.bring_forward(one, at(10));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.due(at(9), |_| true), None);
        assert_eq!(timers.due(at(40), |key| key != one), Some((at(25), other)));
        timers.remove(one);
        assert!(!timers.is_set(one));
        assert_eq!(timers.next(), Some(at(25)));
    }
}
