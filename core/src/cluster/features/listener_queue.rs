//! Listeners whose events are not taken in time: their session is not read until some are.

use crate::cluster::features::listener::ListenerId;
use crate::cluster::machine::Cluster;
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::open_session::SessionId;
use crate::time::Instant;

/// What a listener has heard and its application has not taken.
#[derive(Debug, Default)]
pub(in crate::cluster) struct Unread {
    events: usize,
    /// The session that is not read because of it.
    full: Option<SessionId>,
}

impl Cluster {
    /// The application has taken so many events of a listener: what it has not taken counts against
    /// [`Config::listener_queue`](super::super::Config::listener_queue).
    ///
    /// A host that has no queues of its own says so for every event.
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

    /// Hands an event of a listener to the host.
    pub(in crate::cluster) fn tell_event(&mut self, listener: ListenerId, session: SessionId, event: Event) {
        self.outputs.push_back(Output::Event(event));
        let Some(known) = self.listeners.get_mut(listener) else { return };
        known.unread.events += 1;
        // A session that it had before is gone.
        if known.unread.events >= self.config.listener_queue && known.unread.full != Some(session) {
            known.unread.full = Some(session);
            let (transport, mut scope) = self.transport();
            transport.pause(&mut scope, session);
        }
    }

    /// A listener is gone.
    pub(in crate::cluster) fn forget_unread(&mut self, unread: Unread) {
        unread.full.into_iter().for_each(|session| self.resume_reading(session));
    }

    fn resume_reading(&mut self, session: SessionId) {
        let (transport, mut scope) = self.transport();
        transport.resume(&mut scope, session);
    }
}
