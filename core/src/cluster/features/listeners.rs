//! All listeners, and the time of their next check.

use core::time::Duration;

use slotmap::SlotMap;

use crate::cluster::features::listener::{Listener, ListenerId};
use crate::time::Instant;

/// Shortest interval of the checks, however short the keep-alive interval is.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// All listeners.
#[derive(Default)]
pub(in crate::cluster) struct Listeners {
    all: SlotMap<ListenerId, Listener>,
    check_at: Option<Instant>,
}

impl Listeners {
    pub(in crate::cluster) fn insert(&mut self, listener: Listener) -> ListenerId {
        self.all.insert(listener)
    }

    pub(in crate::cluster) fn remove(&mut self, id: ListenerId) -> Option<Listener> {
        self.all.remove(id)
    }

    pub(in crate::cluster) fn get(&self, id: ListenerId) -> Option<&Listener> {
        self.all.get(id)
    }

    pub(in crate::cluster) fn get_mut(&mut self, id: ListenerId) -> Option<&mut Listener> {
        self.all.get_mut(id)
    }

    pub(in crate::cluster) fn iter(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        self.all.iter()
    }

    pub(in crate::cluster) fn values_mut(&mut self) -> impl Iterator<Item = &mut Listener> {
        self.all.values_mut()
    }

    /// Has the listeners checked within an interval, unless they are checked sooner.
    pub(in crate::cluster) fn check_within(&mut self, now: Instant, interval: Duration) {
        self.check_at.get_or_insert(now + interval.max(SHORTEST_INTERVAL));
    }

    /// Has the listeners checked at that time, if they are checked at all and not sooner.
    pub(in crate::cluster) fn check_by(&mut self, at: Instant) {
        self.check_at = self.check_at.map(|known| known.min(at));
    }

    /// Whether a check is due; it is over then, until the next is set.
    pub(in crate::cluster) fn take_due_check(&mut self, now: Instant) -> bool {
        self.check_at.take_if(|at| *at <= now).is_some()
    }

    /// Checks the listeners no more.
    pub(in crate::cluster) fn end_checks(&mut self) {
        self.check_at = None;
    }

    pub(in crate::cluster) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(in crate::cluster) fn next_timeout(&self) -> Option<Instant> {
        self.check_at
    }
}
