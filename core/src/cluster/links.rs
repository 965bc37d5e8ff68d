//! Links: what the host brings from them, what goes out on them, and their timeouts.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use bytes::BytesMut;
use slotmap::{Key, KeyData};

use super::link::{Link, LinkId, Purpose, Stage};
use super::machine::Cluster;
use super::member::MemberId;
use super::operation::{OperationId, Place};
use super::output::{ClusterError, Event, Output};
use crate::session::{self, Disconnect, Session, SubmitError};
use crate::time::Instant;
use crate::wire::{self, SendBuffer};

/// A member whose links all have so many operations to do gets another link, if it may have one.
const FULL_LINK: usize = 64;

impl Cluster {
    /// What [`Output::Connect`] or [`Output::StartTls`] asked for is there; after TLS with the ALPN id that the server
    /// has selected, if it has.
    pub fn handle_connected(&mut self, now: Instant, link: LinkId, alpn: Option<&[u8]>) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        match open.stage {
            Stage::Connecting { until } => match &self.config.proxy {
                None => self.open_session(link, alpn),
                Some(proxy) => match proxy.tunnel_to(&open.endpoint) {
                    Ok(tunnel) => open.stage = Stage::Tunnelling { until, tunnel: Box::new(tunnel) },
                    Err(error) => self.end_link(link, Arc::new(Disconnect::Proxy(error))),
                },
            },
            Stage::Securing { .. } => self.open_session(link, alpn),
            Stage::Tunnelling { .. } | Stage::Open(_) => return,
        }
        self.set_timeout(link);
        self.refresh(link);
    }

    fn open_session(&mut self, link: LinkId, alpn: Option<&[u8]>) {
        let seed = self.entropy.seed();
        let Some(open) = self.links.get_mut(link) else { return };
        open.alpn = alpn.map(|id| String::from_utf8_lossy(id).into_owned());
        open.stage = Stage::Open(Box::new(Session::new(self.config.session.clone(), seed, self.now)));
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
            Stage::Connecting { .. } | Stage::Securing { .. } => None,
            Stage::Tunnelling { tunnel, .. } => Some(tunnel.receive_buffer()),
            Stage::Open(session) => Some(session.receive_buffer()),
        }
    }

    /// Takes what the host has appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        open.quiet_since = now;
        match &mut open.stage {
            Stage::Connecting { .. } | Stage::Securing { .. } => {}
            Stage::Tunnelling { tunnel, .. } => match tunnel.handle_filled() {
                Ok(false) => {}
                Ok(true) => self.leave_tunnel(link),
                Err(error) => self.end_link(link, Arc::new(Disconnect::Proxy(error))),
            },
            Stage::Open(session) => {
                session.handle_filled(now);
                self.look_at(link);
            }
        }
    }

    /// The tunnel is there: the link leads to the member from now on.
    fn leave_tunnel(&mut self, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        let Stage::Tunnelling { until, .. } = open.stage else { return };
        if let Some(tls) = self.config.tls_for(&open.endpoint) {
            open.stage = Stage::Securing { until };
            self.outputs.push_back(Output::StartTls { link, tls });
        } else {
            self.open_session(link, None);
            self.set_timeout(link);
        }
        self.refresh(link);
    }

    /// The link is gone, or could not be established; `why` is for people.
    pub fn handle_link_lost(&mut self, now: Instant, link: LinkId, why: impl Into<String>) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        match &mut open.stage {
            Stage::Open(session) => {
                session.handle_link_lost(why);
                self.look_at(link);
            }
            _ => self.end_link(link, Arc::new(Disconnect::LinkLost(why.into()))),
        }
    }

    /// What is to be sent on a link; `None` if it is not open (any more).
    pub fn transmit(&self, link: LinkId) -> Option<&SendBuffer> {
        self.links.get(link)?.transmit()
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        let Some(open) = self.links.get_mut(link) else { return };
        match &mut open.stage {
            Stage::Connecting { .. } | Stage::Securing { .. } => return,
            Stage::Tunnelling { tunnel, .. } => tunnel.transmitted(count),
            Stage::Open(session) => session.transmitted(count),
        }
        if open.transmit().is_none_or(SendBuffer::is_empty) {
            open.told_to_transmit = false;
        }
        if !open.queue.is_empty() {
            // The session may have been too full for them.
            self.refresh(link);
        }
    }

    /// Whether the host should read from the link: not between [`Output::Pause`] and [`Output::Resume`], nor while events
    /// wait to be polled beyond their limit.
    pub fn wants_read(&self, link: LinkId) -> bool {
        let Some(open) = self.links.get(link) else { return false };
        match &open.stage {
            Stage::Tunnelling { .. } => true,
            Stage::Open(session) => open.full_listeners == 0 && session.wants_read(),
            _ => false,
        }
    }

    /// The next event of a session, if there is one; what it brings goes where it belongs.
    pub(super) fn poll_links(&mut self) -> bool {
        let Some(&link) = self.with_events.front() else { return false };
        let event = self.links.get_mut(link).and_then(Link::session_mut).and_then(Session::poll_event);
        if let Some(event) = event {
            self.handle_session_event(link, event);
        } else {
            self.with_events.pop_front();
            if let Some(link) = self.links.get_mut(link) {
                link.has_events = false;
            }
            self.refresh(link);
        }
        true
    }

    fn handle_session_event(&mut self, link: LinkId, event: session::Event) {
        let Some(member) = self.links.get(link).map(|link| link.member) else { return };
        match event {
            session::Event::Ready(ready) => {
                if let Some(open) = self.links.get_mut(link) {
                    open.negotiated = Some(Box::new(ready));
                }
                self.handle_ready(link, member);
            }
            session::Event::Completed { token, result, .. } => {
                let id = OperationId::from(KeyData::from_ffi(token));
                if self.operations.get(id).is_some_and(|operation| operation.place.is_in_flight_at(link)) {
                    self.handle_answer(id, link, member, result);
                }
            }
            session::Event::Topology { token, topology, .. } => {
                // Of an operation that is over there is nothing to know any more: the next one brings it again.
                let id = OperationId::from(KeyData::from_ffi(token));
                if let Some(cache) = self.operations.get(id).map(|operation| operation.cache) {
                    self.apply(cache, link, *topology);
                }
            }
            session::Event::Entry(event) => self.handle_entry_event(link, event),
            session::Event::Counter(event) => {
                if let Some(listener) = self.listener_of(&event.listener_id) {
                    self.tell_event(listener, link, Event::Counter { listener, link, event });
                }
            }
            session::Event::Closed(reason) => self.end_link(link, reason),
        }
    }

    fn handle_entry_event(&mut self, link: LinkId, event: wire::Event) {
        let Some(listener) = self.listener_of(&event.listener_id) else { return };
        match self.near_cache_of(listener) {
            Some(cache) => self.handle_near_event(cache, &event),
            None => self.tell_event(listener, link, Event::Entry { listener, link, event }),
        }
    }

    /// Has the events of a link's session looked at by the next poll.
    pub(super) fn look_at(&mut self, link: LinkId) {
        if let Some(open) = self.links.get_mut(link)
            && !open.has_events
        {
            open.has_events = true;
            self.with_events.push_back(link);
        }
    }

    /// Gives a link's session what waits for it, and tells the host what has changed.
    pub(super) fn refresh(&mut self, link: LinkId) {
        self.submit_queued(link);
        self.tell_to_transmit(link);
    }

    /// Tells the host that there are bytes to send, once.
    pub(super) fn tell_to_transmit(&mut self, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        if !open.told_to_transmit && open.transmit().is_some_and(|out| !out.is_empty()) {
            open.told_to_transmit = true;
            self.outputs.push_back(Output::Transmit { link });
        }
        if open.timeout.is_none() {
            self.set_timeout(link);
        }
    }

    /// Has the link looked at when it wants to be. Its time in the table may be earlier, never later: whatever may bring
    /// it forward (another stage, an operation with an earlier deadline) comes here.
    pub(super) fn set_timeout(&mut self, link: LinkId) {
        let Some(open) = self.links.get(link) else { return };
        let wanted = match &open.stage {
            Stage::Connecting { until } | Stage::Tunnelling { until, .. } | Stage::Securing { until } => Some(*until),
            Stage::Open(session) => {
                let quiet = open.is_ready().then(|| open.quiet_since + self.longest_quiet(link, open));
                [session.poll_timeout(), quiet].into_iter().flatten().min()
            }
        };
        if let Some(wanted) = wanted {
            self.bring_timeout_forward(link, wanted);
        }
    }

    fn bring_timeout_forward(&mut self, link: LinkId, wanted: Instant) {
        let Some(open) = self.links.get_mut(link) else { return };
        if open.timeout.is_none_or(|present| wanted < present) {
            if let Some(present) = open.timeout.replace(wanted) {
                self.timeouts.remove(&(present, link));
            }
            self.timeouts.insert((wanted, link));
        }
    }

    /// How long a link may be quiet until something is done about it.
    fn longest_quiet(&self, link: LinkId, open: &Link) -> core::time::Duration {
        if self.is_spare(link, open) { self.config.idle_timeout } else { self.config.keep_alive }
    }

    /// Whether it is a link beyond the first of its member.
    fn is_spare(&self, link: LinkId, open: &Link) -> bool {
        open.purpose == Purpose::Operations
            && self.members.get(open.member).is_some_and(|member| member.links.first() != Some(&link))
    }

    pub(super) fn handle_link_timeout(&mut self, link: LinkId) {
        let now = self.now;
        let Some(open) = self.links.get(link) else { return };
        let quiet_until = open.quiet_since + self.longest_quiet(link, open);
        let is_spare = self.is_spare(link, open);
        let Some(open) = self.links.get_mut(link) else { return };
        open.timeout = None;
        match &mut open.stage {
            Stage::Connecting { until } | Stage::Tunnelling { until, .. } | Stage::Securing { until }
                if *until <= now =>
            {
                let timeout = self.config.connect_timeout.as_millis();
                let reason = Disconnect::LinkLost(alloc::format!("no connection within {timeout} ms"));
                return self.end_link(link, Arc::new(reason));
            }
            Stage::Connecting { .. } | Stage::Tunnelling { .. } | Stage::Securing { .. } => {}
            Stage::Open(session) => {
                session.handle_timeout(now);
                if session.is_ready() && quiet_until <= now {
                    if is_spare {
                        return self.drain(link);
                    }
                    open.quiet_since = now;
                    let (member, purpose) = (open.member, open.purpose);
                    if open.full_listeners == 0 {
                        self.probe_by(member, purpose);
                    }
                }
            }
        }
        self.refresh(link);
        self.look_at(link);
    }

    /// Lets a link go: what its session has finishes there, what waits for it goes elsewhere, and nothing new comes.
    pub(super) fn drain(&mut self, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        let queued = core::mem::take(&mut open.queue);
        let member = open.member;
        match &mut open.stage {
            Stage::Open(session) => {
                session.close();
                self.look_at(link);
                if let Some(member) = self.members.get_mut(member) {
                    member.forget_link(link);
                }
            }
            _ => self.end_link(link, Arc::new(Disconnect::Closed)),
        }
        queued.into_iter().for_each(|id| self.redispatch(id));
    }

    /// The link to a member that an operation takes; a new one if there is none. `same` is for operations that speak of
    /// a state in the server: they all take one link.
    pub(super) fn link_for(&mut self, member: MemberId, purpose: Purpose, same: bool) -> Option<LinkId> {
        let known = self.members.get(member)?;
        let present = match purpose {
            Purpose::Events => known.events,
            Purpose::Operations if same || known.links.len() < 2 && self.config.links_per_member < 2 => {
                known.links.first().copied()
            }
            Purpose::Operations => self.least_loaded(&known.links),
        };
        match present {
            Some(link) => Some(link),
            None => self.open_link(member, purpose),
        }
    }

    /// The link with the least to do; `None` if another may and should be opened.
    fn least_loaded(&self, links: &[LinkId]) -> Option<LinkId> {
        let open = links.iter().filter_map(|id| Some((*id, self.links.get(*id)?)));
        // One that is being established takes its share when it is ready.
        let (link, load) = open.map(|(id, link)| (id, link.load())).min_by_key(|(_, load)| *load)?;
        (load < FULL_LINK || links.len() >= self.config.links_per_member).then_some(link)
    }

    pub(super) fn open_link(&mut self, member: MemberId, purpose: Purpose) -> Option<LinkId> {
        let (now, timeout) = (self.now, self.config.connect_timeout);
        let endpoint = self.members.get(member).map(|known| {
            let access = &self.config.access;
            if known.is_seed { access.seed_endpoint(&known.address) } else { access.endpoint(&known.address) }
        })?;
        let dial = self.config.dial(&endpoint);
        let link = self.links.insert(Link::new(member, purpose, self.site, endpoint, now + timeout, now));
        if let Some(known) = self.members.get_mut(member) {
            match purpose {
                Purpose::Operations => known.links.push(link),
                Purpose::Events => known.events = Some(link),
            }
        }
        self.counters.connects += 1;
        self.outputs.push_back(Output::Connect { link, member, dial, timeout });
        self.refresh(link);
        Some(link)
    }

    /// Hands a session what is queued for it, as far as it takes it.
    pub(super) fn submit_queued(&mut self, link: LinkId) {
        while let Some(open) = self.links.get(link)
            && open.is_ready()
            && let Some(&id) = open.queue.front()
        {
            if !self.submit_to(link, id) {
                return;
            }
        }
    }

    /// Hands an operation to a session. Answers false if the session can't take it now.
    pub(super) fn submit_to(&mut self, link: LinkId, id: OperationId) -> bool {
        let (Some(operation), Some(open)) = (self.operations.get_mut(id), self.links.get_mut(link)) else {
            return false;
        };
        let member = open.member;
        let call = session::Call {
            request: &operation.request,
            options: &operation.options,
            topology_id: self.caches.view(operation.cache).map_or(0, |view| view.id),
            timeout: Some(operation.deadline - self.now),
            token: id.data().as_ffi(),
        };
        match open.session_mut().map(|session| session.submit(self.now, call)) {
            Some(Ok(in_session)) => {
                operation.attempts = operation.attempts.saturating_add(1);
                open.in_flight += 1;
                open.quiet_since = self.now;
                let deadline = operation.deadline.min(self.now + self.config.session.stall_timeout);
                self.set_place(id, Place::InFlight(link, in_session));
                self.bring_timeout_forward(link, deadline);
            }
            None | Some(Err(SubmitError::Full { .. } | SubmitError::NotReady | SubmitError::Closed)) => return false,
            Some(Err(error)) => {
                let operation = operation.request.operation();
                self.complete(id, Some(member), Err(ClusterError::Refused { operation, error }));
            }
        }
        true
    }
}
