//! Backpressure of listeners: a session is not read while the application leaves too many events.

use crate::cluster::features::listener::ListenerId;
use crate::cluster::machine::Cluster;
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::open_session::SessionId;
use crate::time::Instant;

/// Events that the application has not taken.
#[derive(Debug, Default)]
pub(in crate::cluster) struct Unread {
    events: usize,
    /// The session that is not read because of them.
    full: Option<SessionId>,
}

impl Cluster {
    /// Notes that the application has taken `count` events of a listener: the others count against
    /// [`Config::listener_queue`](super::super::Config::listener_queue).
    ///
    /// A host that has no queue of its own calls it for every event.
    pub fn events_taken(&mut self, now: Instant, listener: ListenerId, count: usize) {
        self.now = now;
        let Some(known) = self.listeners.get_mut(listener) else { return };
        known.unread.events = known.unread.events.saturating_sub(count);
        if known.unread.events < self.config.listener_queue.div_ceil(2)
            && let Some(session) = known.unread.full.take()
        {
            self.resume_reading(session);
        }
    }

    /// Outputs an event of a listener.
    pub(in crate::cluster) fn tell_event(&mut self, listener: ListenerId, session: SessionId, event: Event) {
        self.outputs.push_back(Output::Event(event));
        let Some(known) = self.listeners.get_mut(listener) else { return };
        known.unread.events += 1;
        // A session that was paused before is gone.
        if known.unread.events >= self.config.listener_queue && known.unread.full != Some(session) {
            known.unread.full = Some(session);
            let (transport, mut scope) = self.transport();
            transport.pause(&mut scope, session);
        }
    }

    /// Ends the backpressure of a removed listener.
    pub(in crate::cluster) fn forget_unread(&mut self, unread: Unread) {
        unread.full.into_iter().for_each(|session| self.resume_reading(session));
    }

    fn resume_reading(&mut self, session: SessionId) {
        let (transport, mut scope) = self.transport();
        transport.resume(&mut scope, session);
    }
}
