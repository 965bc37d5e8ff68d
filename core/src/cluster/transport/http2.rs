//! Links that carry their sessions over HTTP/2: streams for sessions, and messages between the two.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cmp::Reverse;

use slotmap::{Key, KeyData};

use super::link::{Link, LinkId, Stage};
use super::open_session::{OpenSession, SessionId};
use super::{Scope, Transport};
use crate::carriage::registry::{DEFAULT_URGENCY, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE};
use crate::carriage::{Carriage, ChannelId, ClientEvent, ClientLink, Form, LinkEnd};
use crate::http2::ErrorCode;
use crate::session::{Applied, Disconnect, Session};
use crate::time::Instant;

impl Transport {
    /// Begins an HTTP/2 connection on a link, with a stream for each session that waits for it.
    pub(super) fn carry_over_http2(&mut self, scope: &mut Scope<'_>, link: LinkId, carriage: Carriage) {
        let config = scope.config.client_link(carriage);
        let Some(open) = self.links.get_mut(link) else { return };
        open.stage = Stage::Carried(Box::new(ClientLink::new(config, scope.now)));
        for session in open.sessions.clone() {
            self.open_channel(scope, session);
        }
        self.send_carried(scope, link);
    }

    /// Requests a stream for a session on the HTTP/2 connection of its link.
    pub(super) fn open_channel(&mut self, scope: &mut Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let Some(link) = self.links.get_mut(open.link) else { return };
        let request = scope.session_request(session, open.member, &link.endpoint);
        open.is_served = false;
        open.channel = link.carried_mut().map(|carried| carried.open(scope.now, session.data().as_ffi(), request));
    }

    /// The next event of a link's HTTP/2 connection.
    pub(in crate::cluster) fn poll_carried(&mut self, now: Instant, link: LinkId) -> Option<ClientEvent> {
        self.links.get_mut(link)?.carried_mut()?.poll_event(now)
    }

    /// Moves what the sessions of a link have to send into it, and sets its timer.
    pub(in crate::cluster) fn send_carried(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        while let Some(carried) = self.links.get_mut(link).and_then(Link::carried_mut)
            && let Some(channel) = carried.poll_ready()
        {
            self.send_session(scope, session_of(channel));
        }
        self.report_transmit(scope, link);
        self.set_link_timeout(link);
    }

    /// Moves what a session has to send into its link, as far as the link takes it.
    pub(super) fn send_session(&mut self, scope: &Scope<'_>, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let (Some(channel), Some(protocol)) = (open.channel, open.protocol.as_deref_mut()) else { return };
        let Some(link) = self.links.get_mut(open.link) else { return };
        let Stage::Carried(carried) = &mut link.stage else { return };
        if !core::mem::replace(&mut open.is_served, true) {
            link.served.push(Reverse(channel));
        }
        match carried.form(channel) {
            Some(Form::Bytes) => {
                carried.send_bytes(channel, protocol.bytes_to_send());
                if !protocol.bytes_to_send().is_empty() {
                    carried.wait_for_room(channel);
                }
            }
            Some(Form::Frames) => {
                let has_events = send_messages(scope.now, carried, channel, protocol);
                if has_events {
                    self.schedule_events(scope, session);
                }
            }
            None => {}
        }
    }

    /// The next session that was served since the last write on a link, and so may have room for further operations.
    pub(in crate::cluster) fn next_served(&mut self, link: LinkId) -> Option<SessionId> {
        let session = session_of(self.links.get_mut(link)?.served.pop()?.0);
        self.sessions.get_mut(session).into_iter().for_each(|open| open.is_served = false);
        Some(session)
    }

    /// Has a session send with the next event of its link.
    pub(in crate::cluster) fn list(&mut self, session: SessionId) {
        if let Some((link, channel)) = self.sessions.get(session).and_then(|open| Some((open.link, open.channel?)))
            && let Some(carried) = self.links.get_mut(link).and_then(Link::carried_mut)
        {
            carried.mark_ready(channel);
        }
    }

    /// Tells the sessions of which a message has gone out how far their link has sent: one may end at any time, and has to
    /// know then which operations may have been applied.
    pub(super) fn note_sent(&mut self, link: LinkId) {
        while let Some(carried) = self.links.get_mut(link).and_then(Link::carried_mut)
            && let Some(channel) = carried.poll_sent()
        {
            let sent = carried.transmit().sent();
            let open = self.sessions.get_mut(session_of(channel));
            let protocol = open.and_then(|open| open.protocol.as_deref_mut());
            protocol.into_iter().for_each(|protocol| protocol.set_link_sent(sent));
        }
    }

    /// The session of a stream.
    pub(in crate::cluster) fn session_at(&self, link: LinkId, channel: ChannelId) -> Option<SessionId> {
        let session = session_of(channel);
        let is_there = |open: &&OpenSession| open.link == link && open.channel == Some(channel);
        self.sessions.get(session).filter(is_there).map(|_| session)
    }

    /// Hands a session what its stream has brought; other events are returned.
    pub(in crate::cluster) fn handle_stream_event(
        &mut self,
        scope: &mut Scope<'_>,
        link: LinkId,
        event: ClientEvent,
    ) -> Option<ClientEvent> {
        match event {
            ClientEvent::Message { channel, message } => {
                self.with_protocol(scope, link, channel, |protocol, now| protocol.handle_message(now, message));
            }
            ClientEvent::Bytes { channel, bytes } => {
                self.with_protocol(scope, link, channel, |protocol, now| protocol.handle_received(now, &bytes));
                if let Some(carried) = self.links.get_mut(link).and_then(Link::carried_mut) {
                    carried.release_bytes(channel, bytes.len());
                }
            }
            ClientEvent::CallEnded { channel, message, code, may_have_been_applied } => {
                let applied = if may_have_been_applied { Applied::Unknown } else { Applied::No };
                self.with_protocol(scope, link, channel, |protocol, now| {
                    protocol.handle_call_ended(now, message, code, applied);
                });
            }
            ClientEvent::Dequeued { channel, message, bytes, end } => {
                self.with_protocol(scope, link, channel, |protocol, _| {
                    protocol.fragments_dequeued(bytes);
                    end.into_iter().for_each(|end| protocol.set_message_end(message, end));
                });
            }
            ClientEvent::Writable { .. } => {}
            other => return Some(other),
        }
        None
    }

    fn with_protocol(
        &mut self,
        scope: &Scope<'_>,
        link: LinkId,
        channel: ChannelId,
        work: impl FnOnce(&mut Session, Instant),
    ) {
        let Some(session) = self.session_at(link, channel) else { return };
        if let Some(open) = self.sessions.get_mut(session)
            && let Some(protocol) = open.protocol.as_deref_mut()
        {
            open.quiet_since = scope.now;
            work(protocol, scope.now);
            self.schedule_events(scope, session);
        }
    }

    /// The stream of a session has ended. `has_applied_none` if the endpoint has taken no operation that is open.
    pub(in crate::cluster) fn close_channel(&mut self, session: SessionId, has_applied_none: bool) {
        if let Some(open) = self.sessions.get_mut(session) {
            open.channel = None;
            if has_applied_none && let Some(protocol) = &mut open.protocol {
                protocol.set_link_sent(0);
            }
        }
    }

    /// Marks a session whose endpoint will end. `None` if it was marked before; else whether it is the first one of its
    /// member and ready, so that another has to take its place.
    pub(in crate::cluster) fn begin_leaving(&mut self, session: SessionId) -> Option<bool> {
        let open = self.sessions.get_mut(session).filter(|open| !open.is_leaving)?;
        open.is_leaving = true;
        let (member, is_ready) = (open.member, open.is_ready());
        Some(is_ready && self.first_session(member) == Some(session))
    }

    /// A stream was opened: the endpoint has shown which carriage it offers.
    pub(in crate::cluster) fn note_carriage(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        self.note_one_member(scope, link);
        let Some(open) = self.links.get_mut(link) else { return };
        if let Some(most) = open.carried().and_then(ClientLink::max_sessions) {
            self.endpoints.note_max_sessions(&open.endpoint, most);
        }
        let speaks_frames = open.carried().and_then(ClientLink::speaks_frames);
        if open.carriage == Some(Carriage::Frames) && speaks_frames == Some(false) {
            open.carriage = Some(Carriage::ExtendedConnect);
            let endpoint = open.endpoint.clone();
            self.choose_carriage(scope, &endpoint, Carriage::ExtendedConnect, LinkEnd::NoFrames.to_string(), true);
        }
        self.report_carriage(scope, link);
    }

    /// Where members are searched for, every link to an endpoint that speaks Hot Rod itself is a try of its own.
    fn note_one_member(&mut self, scope: &Scope<'_>, link: LinkId) {
        let Some(open) = self.links.get(link) else { return };
        let is_endpoint = open.carried().and_then(ClientLink::is_hot_rod_endpoint) == Some(true);
        if is_endpoint && scope.discovery.path().is_searched() {
            let endpoint = open.endpoint.clone();
            self.endpoints.note_one_member_link(endpoint, link);
        }
    }

    fn set_link_timeout(&mut self, link: LinkId) {
        let wanted = self.links.get(link).and_then(Link::carried).and_then(ClientLink::poll_timeout);
        wanted.into_iter().for_each(|wanted| self.link_timers.bring_forward(link, wanted));
    }

    /// The form in which the stream of a session carries it.
    pub(super) fn form_of(&self, open: &OpenSession) -> Option<Form> {
        self.links.get(open.link)?.carried()?.form(open.channel?)
    }

    /// Begins to drain a stream, or the whole link. Returns the sessions that move.
    pub(in crate::cluster) fn begin_draining(&mut self, link: LinkId, channel: Option<ChannelId>) -> Vec<SessionId> {
        match channel {
            Some(channel) => self.session_at(link, channel).into_iter().collect(),
            None => self.stop_sharing(link),
        }
    }
}

/// The session that a stream was requested for.
fn session_of(channel: ChannelId) -> SessionId {
    SessionId::from(KeyData::from_ffi(channel.token()))
}

/// Moves messages of a session into its link. Returns whether the session has got events by that.
fn send_messages(now: Instant, carried: &mut ClientLink, channel: ChannelId, protocol: &mut Session) -> bool {
    while let Some(message) = protocol.poll_cancelled() {
        let dropped = carried.cancel(channel, message);
        protocol.fragments_dequeued(dropped);
    }
    let largest = carried.terms().map_or(0, |terms| terms.max_message_size as usize);
    let mut has_events = false;
    while let Some((message, size)) = protocol.next_message() {
        if !carried.can_call(channel) {
            carried.wait_for_room(channel);
            break;
        }
        if size > largest {
            drop(protocol.take_large_message());
            protocol.fragments_dequeued(size);
            protocol.handle_call_ended(now, message, HOT_ROD_TOO_LARGE, Applied::No);
            has_events = true;
        } else if size <= carried.largest_whole() {
            let Some(out) = carried.call(channel, message, size) else { break };
            protocol.take_message(out);
            let end = out.end();
            protocol.set_message_end(message, end);
        } else {
            let pieces = protocol.take_large_message();
            carried.call_in_fragments(channel, message, DEFAULT_URGENCY, pieces);
        }
    }
    has_events
}

/// The code with which a session's stream ends.
pub(super) fn code_of(reason: &Disconnect) -> ErrorCode {
    match reason {
        Disconnect::Violation(_) | Disconnect::OtherProtocol(_) | Disconnect::ServerLostTrack { .. } => {
            HOT_ROD_MESSAGE_ERROR
        }
        Disconnect::Stalled { .. } | Disconnect::HandshakeTimedOut { .. } => ErrorCode::CANCEL,
        _ => ErrorCode::NO_ERROR,
    }
}
