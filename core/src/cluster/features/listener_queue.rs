//! Backpressure of listeners: a session is not read while the application leaves too many events.
//!
//! A session for events is paused, and nothing that is waited for stands behind those events: a listener whose registration is not
//! answered yet is handed over, and other registrations go to another session. A session that serves operations too, because
//! the member has no other, is paused only when its listeners leave [`SHARED_BYTES`].

use alloc::vec::Vec;

use crate::cluster::features::listener::ListenerId;
use crate::cluster::machine::Cluster;
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::time::Instant;
use crate::wire::EventData;

/// Bytes of events that a listener may leave on a session that serves operations too.
const SHARED_BYTES: usize = 64 << 20;
/// Bytes of an event in addition to its key or data.
const EVENT_OVERHEAD: usize = 128;

/// Events that the application has not taken.
#[derive(Debug, Default)]
pub(in crate::cluster) struct Unread {
    events: usize,
    bytes: usize,
    /// The session that is not read because of them.
    full: Option<SessionId>,
}

impl Unread {
    fn add(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes += bytes;
    }

    /// Removes events; their bytes are estimated from the average.
    fn take(&mut self, count: usize) {
        let count = count.min(self.events);
        self.bytes -= (self.bytes / self.events.max(1)).saturating_mul(count).min(self.bytes);
        self.events -= count;
        if self.events == 0 {
            self.bytes = 0;
        }
    }

    /// Whether they fill a queue of that many events, and of that many bytes.
    fn fill(&self, events: usize, bytes: usize) -> bool {
        self.events >= events && self.bytes >= bytes
    }
}

impl Cluster {
    /// Notes that the application has taken `count` events of a listener: the others count against
    /// [`Config::listener_queue`](super::super::Config::listener_queue).
    ///
    /// A host that has no queue of its own calls it for every event.
    pub fn events_taken(&mut self, now: Instant, listener: ListenerId, count: usize) {
        self.now = now;
        let (queue, shared) = (self.config.listener_queue.div_ceil(2), self.shares_session(listener));
        let Some(known) = self.listeners.get_mut(listener) else { return };
        known.unread.take(count);
        if !known.unread.fill(queue, if shared { SHARED_BYTES / 2 } else { 0 })
            && let Some(session) = known.unread.full.take()
        {
            self.resume_reading(session);
        }
    }

    /// Whether the session that a listener has paused serves operations too.
    fn shares_session(&self, listener: ListenerId) -> bool {
        self.listeners.get(listener).and_then(|known| known.unread.full).is_some_and(|session| self.is_shared(session))
    }

    fn is_shared(&self, session: SessionId) -> bool {
        self.transport.get(session).is_some_and(|open| open.purpose() != Purpose::Events)
    }

    /// Outputs an event of a listener.
    pub(in crate::cluster) fn tell_event(&mut self, listener: ListenerId, session: SessionId, event: Event) {
        let (is_shared, is_closing) = (self.is_shared(session), self.is_closing());
        let Some(known) = self.listeners.get_mut(listener) else { return };
        known.unread.add(size_of(&event));
        let is_full = known.unread.fill(self.config.listener_queue, 0);
        let pauses = is_full && !is_closing && known.unread.fill(0, if is_shared { SHARED_BYTES } else { 0 });
        if is_full {
            self.hand_over(listener, session);
        }
        self.outputs.push_back(Output::Event(event));
        if pauses {
            self.pause_reading(listener, session);
        }
    }

    fn pause_reading(&mut self, listener: ListenerId, session: SessionId) {
        let Some(known) = self.listeners.get_mut(listener) else { return };
        let before = known.unread.full.replace(session);
        if before == Some(session) {
            return;
        }
        // The listener has moved; another may still be there.
        before.into_iter().for_each(|before| self.resume_reading(before));
        let (transport, mut scope) = self.transport();
        transport.pause(&mut scope, session);
        if !self.is_shared(session) {
            self.leave_paused(session);
        }
    }

    /// Ends the backpressure of a removed listener.
    pub(in crate::cluster) fn forget_unread(&mut self, unread: Unread) {
        unread.full.into_iter().for_each(|session| self.resume_reading(session));
    }

    /// Reads the sessions of all listeners: operations in flight are to finish.
    pub(in crate::cluster) fn end_backpressure(&mut self) {
        let paused: Vec<SessionId> = self.listeners.values_mut().filter_map(|known| known.unread.full.take()).collect();
        paused.into_iter().for_each(|session| self.resume_reading(session));
    }

    fn resume_reading(&mut self, session: SessionId) {
        let (transport, mut scope) = self.transport();
        transport.resume(&mut scope, session);
    }
}

fn size_of(event: &Event) -> usize {
    let data = match event {
        Event::Entry { event, .. } => match &event.data {
            EventData::Key { key: data, .. } | EventData::Custom { data, .. } => data.len(),
        },
        _ => 0,
    };
    EVENT_OVERHEAD + data
}
