//! Links: what the host brings from them, and what goes out on them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use bytes::BytesMut;

use crate::cluster::machine::Cluster;
use crate::cluster::output::Output;
use crate::cluster::transport::conversation::SessionId;
use crate::cluster::transport::link::{Link, LinkId, Stage};
use crate::session::{Disconnect, Session};
use crate::time::Instant;
use crate::wire::SendBuffer;

impl Cluster {
    /// What [`Output::Connect`] or [`Output::StartTls`] asked for is there; after TLS with the ALPN id that the server
    /// has selected, if it has.
    pub fn handle_connected(&mut self, now: Instant, link: LinkId, alpn: Option<&[u8]>) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        match open.stage {
            Stage::Connecting => match &self.config.proxy {
                None => self.open_link(link, alpn),
                Some(proxy) => match proxy.tunnel_to(&open.endpoint) {
                    Ok(tunnel) => {
                        open.stage = Stage::Tunnelling(Box::new(tunnel));
                        self.tell_to_transmit(link);
                    }
                    Err(error) => self.end_link(link, &Disconnect::Proxy(error)),
                },
            },
            Stage::Securing => self.open_link(link, alpn),
            Stage::Tunnelling(_) | Stage::Asking(..) | Stage::Raw(_) | Stage::Carried(_) => {}
        }
    }

    /// Takes bytes from the link.
    pub fn handle_received(&mut self, now: Instant, link: LinkId, bytes: &[u8]) {
        if let Some(buffer) = self.receive_buffer(link) {
            buffer.extend_from_slice(bytes);
            self.handle_filled(now, link);
        }
    }

    /// The receive buffer of a link, with room for a read; then say [`handle_filled`](Self::handle_filled). `None` if
    /// the link is not open (any more).
    pub fn receive_buffer(&mut self, link: LinkId) -> Option<&mut BytesMut> {
        match &mut self.links.get_mut(link)?.stage {
            Stage::Connecting | Stage::Securing => None,
            Stage::Tunnelling(tunnel) => Some(tunnel.receive_buffer()),
            Stage::Asking(exchange, _) => Some(exchange.receive_buffer()),
            Stage::Raw(session) => Some(self.sessions.get_mut(*session)?.machine.as_deref_mut()?.receive_buffer()),
            Stage::Carried(carried) => Some(carried.receive_buffer()),
        }
    }

    /// Takes what the host has appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        match &mut open.stage {
            Stage::Connecting | Stage::Securing => {}
            Stage::Tunnelling(tunnel) => match tunnel.handle_filled() {
                Ok(false) => {}
                Ok(true) => self.leave_tunnel(link),
                Err(error) => self.end_link(link, &Disconnect::Proxy(error)),
            },
            Stage::Asking(exchange, _) => {
                exchange.handle_filled();
                self.handle_exchange(link);
            }
            Stage::Raw(session) => {
                let session = *session;
                if let Some(open) = self.sessions.get_mut(session)
                    && let Some(machine) = open.machine.as_deref_mut()
                {
                    open.quiet_since = now;
                    machine.handle_filled(now);
                    self.look_at(session);
                }
            }
            Stage::Carried(carried) => {
                carried.handle_filled(now);
                self.handle_carried(link);
            }
        }
    }

    /// The tunnel is there: the link leads to its endpoint from now on.
    fn leave_tunnel(&mut self, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        let (endpoint, carriage) = (open.endpoint.clone(), open.carriage);
        if let Some(tls) = self.tls_for(&endpoint, carriage) {
            if let Some(open) = self.links.get_mut(link) {
                open.stage = Stage::Securing;
            }
            self.outputs.push_back(Output::StartTls { link, tls });
        } else {
            self.open_link(link, None);
        }
    }

    /// The link is gone, or could not be established; `why` is for people.
    pub fn handle_link_lost(&mut self, now: Instant, link: LinkId, why: impl Into<String>) {
        self.now = now;
        if !self.survives_loss(link) {
            self.end_link(link, &Disconnect::LinkLost(why.into()));
        }
    }

    /// Has every session of a link end, and with the last one the link.
    pub(in crate::cluster) fn end_link(&mut self, link: LinkId, reason: &Disconnect) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.takes_sessions = false;
        for session in open.sessions.clone() {
            self.lose_session(session, reason.clone());
        }
    }

    /// What is to be sent on a link; `None` if it is not open (any more).
    pub fn transmit(&self, link: LinkId) -> Option<&SendBuffer> {
        match &self.links.get(link)?.stage {
            Stage::Connecting | Stage::Securing => None,
            Stage::Tunnelling(tunnel) => Some(tunnel.transmit()),
            Stage::Asking(exchange, _) => Some(exchange.transmit()),
            Stage::Raw(session) => self.sessions.get(*session)?.machine.as_deref().map(Session::transmit),
            Stage::Carried(carried) => Some(carried.transmit()),
        }
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        let Some(open) = self.links.get_mut(link) else { return };
        match &mut open.stage {
            Stage::Connecting | Stage::Securing => return,
            Stage::Tunnelling(tunnel) => tunnel.transmitted(count),
            Stage::Asking(exchange, _) => exchange.transmitted(count),
            Stage::Raw(session) => {
                let session = *session;
                let Some(open) = self.sessions.get_mut(session) else { return };
                open.machine.as_deref_mut().into_iter().for_each(|machine| machine.transmitted(count));
                // The session may have been too full for what is queued.
                self.submit_queued(session);
            }
            Stage::Carried(carried) => {
                carried.transmitted(count);
                let (sent, sessions) = (carried.transmit().sent(), open.sessions.clone());
                // A session may end at any time, and has to know then what may have been applied.
                for session in &sessions {
                    let machine = self.sessions.get_mut(*session).and_then(|open| open.machine.as_deref_mut());
                    machine.into_iter().for_each(|machine| machine.link_has_sent(sent));
                }
                self.handle_carried(link);
                sessions.into_iter().for_each(|session| self.submit_queued(session));
            }
        }
        if self.transmit(link).is_none_or(SendBuffer::is_empty)
            && let Some(open) = self.links.get_mut(link)
        {
            open.told_to_transmit = false;
        }
    }

    /// Whether the host should read from the link: not between [`Output::Pause`] and [`Output::Resume`], nor while events
    /// wait to be polled beyond their limit.
    pub fn wants_read(&self, link: LinkId) -> bool {
        let takes = |session: &SessionId| {
            self.sessions.get(*session).is_some_and(|open| open.machine.as_deref().is_none_or(Session::wants_read))
        };
        match self.links.get(link).map(|open| (&open.stage, &open.sessions)) {
            Some((Stage::Tunnelling(_) | Stage::Asking(..), _)) => true,
            Some((Stage::Raw(session), _)) => {
                takes(session) && self.sessions.get(*session).is_some_and(|open| open.full_listeners == 0)
            }
            Some((Stage::Carried(_), sessions)) => sessions.iter().all(takes),
            _ => false,
        }
    }

    /// Tells the host that there are bytes to send, once.
    pub(in crate::cluster) fn tell_to_transmit(&mut self, link: LinkId) {
        let is_told = self.links.get(link).is_none_or(|open| open.told_to_transmit);
        if !is_told
            && self.transmit(link).is_some_and(|out| !out.is_empty())
            && let Some(open) = self.links.get_mut(link)
        {
            open.told_to_transmit = true;
            self.outputs.push_back(Output::Transmit { link });
        }
    }

    /// Has a link looked at when it wants to be, beside its sessions.
    pub(in crate::cluster) fn set_link_timeout(&mut self, link: LinkId) {
        let Some(open) = self.links.get(link) else { return };
        let Stage::Carried(carried) = &open.stage else { return };
        let Some(wanted) = carried.poll_timeout() else { return };
        self.link_timers.bring_forward(link, wanted);
    }

    pub(in crate::cluster) fn handle_link_timeout(&mut self, link: LinkId) {
        let now = self.now;
        let Some(open) = self.links.get_mut(link) else { return };
        if let Stage::Carried(carried) = &mut open.stage {
            carried.handle_timeout(now);
            self.handle_carried(link);
        }
    }

    /// A session is over: its link is closed if it carries no other.
    pub(in crate::cluster) fn leave_link(&mut self, link: LinkId, session: SessionId) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.sessions.retain(|other| *other != session);
        if open.sessions.is_empty()
            && let Some(left) = self.links.remove(link)
        {
            self.forget_link(link, &left);
        }
    }

    /// A link that is in no table any more.
    pub(in crate::cluster) fn forget_link(&mut self, link: LinkId, left: &Link) {
        self.link_timers.remove(link);
        self.endpoints.unshare(left.site, &left.endpoint, link);
        self.outputs.push_back(Output::Close { link });
    }

    /// What carried a session is gone.
    pub(in crate::cluster) fn lose_session(&mut self, session: SessionId, reason: Disconnect) {
        match self.sessions.get_mut(session).map(|open| open.machine.as_deref_mut()) {
            Some(Some(machine)) => {
                machine.handle_lost(reason);
                self.look_at(session);
            }
            Some(None) => self.end_session(session, Arc::new(reason)),
            None => {}
        }
    }
}
