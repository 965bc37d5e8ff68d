//! Listeners whose events are not taken in time: their session is not read until some are.

use crate::carriage::ChannelId;
use crate::cluster::features::listener::ListenerId;
use crate::cluster::machine::Cluster;
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::conversation::SessionId;
use crate::cluster::transport::link::{Link, LinkId};
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
            self.resume(session);
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
            self.pause(session);
        }
    }

    /// A listener is gone.
    pub(in crate::cluster) fn forget_unread(&mut self, unread: Unread) {
        unread.full.into_iter().for_each(|session| self.resume(session));
    }

    /// The host does not read from the session for the time being: that it is quiet then says nothing.
    fn pause(&mut self, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        open.full_listeners += 1;
        if open.full_listeners == 1 {
            open.machine.as_mut().into_iter().for_each(|machine| machine.hold());
            let (link, channel) = (open.link, open.channel);
            self.hold_link(link, channel, true);
        }
    }

    fn resume(&mut self, session: SessionId) {
        let now = self.now;
        let Some(open) = self.sessions.get_mut(session) else { return };
        open.full_listeners -= 1;
        if open.full_listeners == 0 {
            open.quiet_since = now;
            open.machine.as_mut().into_iter().for_each(|machine| machine.resume(now));
            let (link, channel) = (open.link, open.channel);
            self.hold_link(link, channel, false);
            self.set_timeout(session);
        }
    }

    /// Has nothing more come for a session: by the host, which does not read its link, or by the link, which gives no
    /// credit.
    fn hold_link(&mut self, link: LinkId, channel: Option<ChannelId>, hold: bool) {
        match (self.links.get_mut(link).and_then(Link::carried_mut), channel) {
            (Some(carried), Some(channel)) => {
                carried.pause(channel, hold);
                self.tell_to_transmit(link);
            }
            _ if hold => self.outputs.push_back(Output::Pause { link }),
            _ => self.outputs.push_back(Output::Resume { link }),
        }
    }
}
