//! Links: what the host brings from them, and what goes out on them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use bytes::BytesMut;

use super::access::Endpoint;
use super::conversation::SessionId;
use super::link::{Link, LinkId, Stage};
use super::machine::Cluster;
use super::member::MemberId;
use super::output::Output;
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
                    Err(error) => self.end_link(link, Disconnect::Proxy(error)),
                },
            },
            Stage::Securing => self.open_link(link, alpn),
            Stage::Tunnelling(_) | Stage::Raw(_) => {}
        }
    }

    /// The link leads to where it should: it can carry sessions.
    fn open_link(&mut self, link: LinkId, alpn: Option<&[u8]>) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.alpn = alpn.map(|id| String::from_utf8_lossy(id).into_owned());
        let Some(&session) = open.sessions.first() else { return };
        open.stage = Stage::Raw(session);
        self.open_session(session);
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
            Stage::Raw(session) => Some(self.sessions.get_mut(*session)?.machine.as_deref_mut()?.receive_buffer()),
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
                Err(error) => self.end_link(link, Disconnect::Proxy(error)),
            },
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
        }
    }

    /// The tunnel is there: the link leads to its endpoint from now on.
    fn leave_tunnel(&mut self, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        if let Some(tls) = self.config.tls_for(&open.endpoint) {
            open.stage = Stage::Securing;
            self.outputs.push_back(Output::StartTls { link, tls });
        } else {
            self.open_link(link, None);
        }
    }

    /// The link is gone, or could not be established; `why` is for people.
    pub fn handle_link_lost(&mut self, now: Instant, link: LinkId, why: impl Into<String>) {
        self.now = now;
        self.end_link(link, Disconnect::LinkLost(why.into()));
    }

    /// Has every session of a link end, and with the last one the link.
    fn end_link(&mut self, link: LinkId, reason: Disconnect) {
        let Some(open) = self.links.get(link) else { return };
        for session in open.sessions.clone() {
            match self.sessions.get_mut(session).and_then(|open| open.machine.as_deref_mut()) {
                Some(machine) => {
                    machine.handle_lost(reason.clone());
                    self.look_at(session);
                }
                None => self.end_session(session, Arc::new(reason.clone())),
            }
        }
    }

    /// What is to be sent on a link; `None` if it is not open (any more).
    pub fn transmit(&self, link: LinkId) -> Option<&SendBuffer> {
        match &self.links.get(link)?.stage {
            Stage::Connecting | Stage::Securing => None,
            Stage::Tunnelling(tunnel) => Some(tunnel.transmit()),
            Stage::Raw(session) => self.sessions.get(*session)?.machine.as_deref().map(Session::transmit),
        }
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        let Some(open) = self.links.get_mut(link) else { return };
        match &mut open.stage {
            Stage::Connecting | Stage::Securing => return,
            Stage::Tunnelling(tunnel) => tunnel.transmitted(count),
            Stage::Raw(session) => {
                let session = *session;
                let Some(open) = self.sessions.get_mut(session) else { return };
                open.machine.as_deref_mut().into_iter().for_each(|machine| machine.transmitted(count));
                if !open.queue.is_empty() {
                    // The session may have been too full for them.
                    self.submit_queued(session);
                }
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
        match self.links.get(link).map(|open| &open.stage) {
            Some(Stage::Tunnelling(_)) => true,
            Some(Stage::Raw(session)) => self.sessions.get(*session).is_some_and(|open| {
                open.full_listeners == 0 && open.machine.as_deref().is_some_and(Session::wants_read)
            }),
            _ => false,
        }
    }

    /// Tells the host that there are bytes to send, once.
    pub(super) fn tell_to_transmit(&mut self, link: LinkId) {
        let has_bytes = self.transmit(link).is_some_and(|out| !out.is_empty());
        if has_bytes
            && let Some(open) = self.links.get_mut(link)
            && !open.told_to_transmit
        {
            open.told_to_transmit = true;
            self.outputs.push_back(Output::Transmit { link });
        }
    }

    /// The link that is to carry a session with a member: a new one.
    pub(super) fn link_to(&mut self, member: MemberId, endpoint: Endpoint) -> LinkId {
        let timeout = self.config.connect_timeout;
        let dial = self.config.dial(&endpoint);
        let link = self.links.insert(Link::new(self.site, endpoint));
        self.counters.connects += 1;
        self.outputs.push_back(Output::Connect { link, member, dial, timeout });
        link
    }

    /// A session is over: its link is closed if it carries no other.
    pub(super) fn leave_link(&mut self, link: LinkId, session: SessionId) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.sessions.retain(|other| *other != session);
        if open.sessions.is_empty() {
            self.links.remove(link);
            self.outputs.push_back(Output::Close { link });
        }
    }
}
