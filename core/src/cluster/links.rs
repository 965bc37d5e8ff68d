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
    /// The connection that [`Output::Connect`] asked for is there; with TLS, after its handshake.
    pub fn handle_connected(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let seed = self.entropy.seed();
        let Some(open) = self.links.get_mut(link) else { return };
        if matches!(open.stage, Stage::Connecting { .. }) {
            open.stage = Stage::Open(Box::new(Session::new(self.config.session.clone(), seed, now)));
            self.set_timeout(link);
            self.refresh(link);
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
        Some(self.links.get_mut(link)?.session_mut()?.receive_buffer())
    }

    /// Takes what the host has appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        open.quiet_since = now;
        if let Some(session) = open.session_mut() {
            session.handle_filled(now);
            self.look_at(link);
        }
    }

    /// The link is gone, or could not be established; `why` is for people.
    pub fn handle_link_lost(&mut self, now: Instant, link: LinkId, why: impl Into<String>) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        match &mut open.stage {
            Stage::Connecting { .. } => self.end_link(link, Arc::new(Disconnect::LinkLost(why.into()))),
            Stage::Open(session) => {
                session.handle_link_lost(why);
                self.look_at(link);
            }
        }
    }

    /// What is to be sent on a link; `None` if it is not open (any more).
    pub fn transmit(&self, link: LinkId) -> Option<&SendBuffer> {
        Some(self.links.get(link)?.session()?.transmit())
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        let Some(open) = self.links.get_mut(link) else { return };
        let Some(session) = open.session_mut() else { return };
        session.transmitted(count);
        if session.transmit().is_empty() {
            open.told_to_transmit = false;
        }
        if !open.queue.is_empty() {
            // The session may have been too full for them.
            self.refresh(link);
        }
    }

    /// Whether the host should read from the link: not while events wait to be polled beyond their limit.
    pub fn wants_read(&self, link: LinkId) -> bool {
        self.links.get(link).and_then(Link::session).is_some_and(Session::wants_read)
    }

    /// The host does not read from the link for the time being, because it has no room for events: that the link is quiet
    /// then says nothing.
    pub fn hold(&mut self, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.is_held = true;
        open.session_mut().into_iter().for_each(Session::hold);
    }

    /// The host reads from the link again.
    pub fn resume(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        (open.is_held, open.quiet_since) = (false, now);
        open.session_mut().into_iter().for_each(|session| session.resume(now));
        self.set_timeout(link);
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
                    self.outputs.push_back(Output::Event(Event::Counter { listener, link, event }));
                }
            }
            session::Event::Closed(reason) => self.end_link(link, reason),
        }
    }

    fn handle_entry_event(&mut self, link: LinkId, event: wire::Event) {
        let Some(listener) = self.listener_of(&event.listener_id) else { return };
        match self.near_cache_of(listener) {
            Some(cache) => self.handle_near_event(cache, &event),
            None => self.outputs.push_back(Output::Event(Event::Entry { listener, link, event })),
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
        if let Stage::Open(session) = &open.stage
            && !open.told_to_transmit
            && !session.transmit().is_empty()
        {
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
            Stage::Connecting { until } => Some(*until),
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
            Stage::Connecting { until } if *until <= now => {
                let timeout = self.config.connect_timeout.as_millis();
                let reason = Disconnect::LinkLost(alloc::format!("no connection within {timeout} ms"));
                return self.end_link(link, Arc::new(reason));
            }
            Stage::Connecting { .. } => {}
            Stage::Open(session) => {
                session.handle_timeout(now);
                if session.is_ready() && quiet_until <= now {
                    if is_spare {
                        return self.drain(link);
                    }
                    open.quiet_since = now;
                    let (member, purpose) = (open.member, open.purpose);
                    if !open.is_held {
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
            Stage::Connecting { .. } => self.end_link(link, Arc::new(Disconnect::Closed)),
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
        Some(match present {
            Some(link) => link,
            None => self.open_link(member, purpose),
        })
    }

    /// The link with the least to do; `None` if another may and should be opened.
    fn least_loaded(&self, links: &[LinkId]) -> Option<LinkId> {
        let open = links.iter().filter_map(|id| Some((*id, self.links.get(*id)?)));
        // One that is being established takes its share when it is ready.
        let (link, load) = open.map(|(id, link)| (id, link.load())).min_by_key(|(_, load)| *load)?;
        (load < FULL_LINK || links.len() >= self.config.links_per_member).then_some(link)
    }

    pub(super) fn open_link(&mut self, member: MemberId, purpose: Purpose) -> LinkId {
        let (now, timeout) = (self.now, self.config.connect_timeout);
        let link = self.links.insert(Link::new(member, purpose, self.site, now + timeout, now));
        if let Some(known) = self.members.get_mut(member) {
            match purpose {
                Purpose::Operations => known.links.push(link),
                Purpose::Events => known.events = Some(link),
            }
            let access = &self.config.access;
            let endpoint =
                if known.is_seed { access.seed_endpoint(&known.address) } else { access.endpoint(&known.address) };
            self.counters.connects += 1;
            self.outputs.push_back(Output::Connect { link, member, endpoint, timeout });
        }
        self.refresh(link);
        link
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
