//! Links that carry their sessions over HTTP/2: what moves between the two.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::carriage::registry::{
    HOT_ROD_MESSAGE_ERROR, HOT_ROD_NOT_AUTHENTICATED, HOT_ROD_TOO_LARGE, HOT_ROD_UPSTREAM_GONE, USUAL_URGENCY,
};
use crate::carriage::{Carriage, ChannelId, Choice, ClientEvent, ClientLink, Form, LinkEnd};
use crate::cluster::discovery::access::Endpoint;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::conversation::SessionId;
use crate::cluster::transport::link::{Link, LinkId, Stage};
use crate::http2::{ErrorCode, Reason};
use crate::session::{Applied, Disconnect, Session};
use crate::time::Instant;
use crate::wire::{Intelligence, Topology};

impl Cluster {
    /// An HTTP/2 connection begins on a link: each session that waits for it gets a stream.
    pub(in crate::cluster) fn carry_over_http2(&mut self, link: LinkId, carriage: Carriage) {
        let now = self.now;
        let config = self.config.client_link(carriage);
        let Some(open) = self.links.get_mut(link) else { return };
        open.stage = Stage::Carried(Box::new(ClientLink::new(config, now)));
        for session in open.sessions.clone() {
            self.open_channel(session);
        }
        self.after_carried(link);
    }

    /// Wants a stream for a session of a link that is open.
    pub(in crate::cluster) fn open_channel(&mut self, session: SessionId) {
        let now = self.now;
        let Some(open) = self.sessions.get(session) else { return };
        let (link, request) = (open.link, self.session_request(open));
        let Some(open) = self.links.get_mut(link) else { return };
        let channel = open.carried_mut().map(|carried| carried.open(now, request));
        if let Some(open) = self.sessions.get_mut(session) {
            open.channel = channel;
        }
    }

    /// Takes what has come for the sessions of a link, and has them send.
    pub(in crate::cluster) fn handle_carried(&mut self, link: LinkId) {
        let now = self.now;
        while let Some(carried) = self.links.get_mut(link).and_then(Link::carried_mut)
            && let Some(event) = carried.poll_event(now)
        {
            self.handle_client_event(link, event);
        }
        self.after_carried(link);
    }

    /// Sessions send what they have, and the host is told of it and of the link's next timeout.
    fn after_carried(&mut self, link: LinkId) {
        let sessions = self.links.get(link).map(|open| open.sessions.clone()).unwrap_or_default();
        sessions.into_iter().for_each(|session| self.carry(session));
        self.tell_to_transmit(link);
        self.set_link_timeout(link);
    }

    fn handle_client_event(&mut self, link: LinkId, event: ClientEvent) {
        match event {
            ClientEvent::Message { channel, message } => {
                self.with_machine(link, channel, |machine, now| machine.handle_message(now, message));
            }
            ClientEvent::Bytes { channel, bytes } => {
                self.with_machine(link, channel, |machine, now| machine.handle_received(now, &bytes));
                self.with_carried(link, |carried| carried.bytes_taken(channel, bytes.len()));
            }
            ClientEvent::Opened { channel, fields } => {
                self.note_carriage(link);
                if let Some(session) = self.session_at(link, channel) {
                    self.handle_accepted(session, &fields);
                    self.open_session(session);
                }
            }
            ClientEvent::Ended { channel, end } => self.channel_ended(link, channel, end),
            ClientEvent::CallEnded { channel, message, code, may_have_been_applied } => {
                let applied = if may_have_been_applied { Applied::Unknown } else { Applied::No };
                self.with_machine(link, channel, |machine, now| {
                    machine.handle_call_ended(now, message, code, applied);
                });
            }
            ClientEvent::Went { channel, message, octets, end } => {
                self.with_machine(link, channel, |machine, _| {
                    machine.message_went(octets);
                    end.into_iter().for_each(|end| machine.message_ends_at(message, end));
                });
            }
            ClientEvent::Writable { .. } => {}
            ClientEvent::Node { channel, node } => {
                if let Some(session) = self.session_at(link, channel) {
                    if let Some(open) = self.sessions.get_mut(session) {
                        open.identity.read_node(&node);
                    }
                    self.recognise(session);
                }
            }
            ClientEvent::Topology { channel, cache, topology } => {
                if let Some(session) = self.session_at(link, channel) {
                    self.apply_pushed(session, &cache, *topology);
                }
            }
            ClientEvent::Draining { channel, .. } => self.move_away(link, channel),
            ClientEvent::Closed(end) => self.carried_ended(link, end),
        }
    }

    fn session_at(&self, link: LinkId, channel: ChannelId) -> Option<SessionId> {
        let at = |session: &&SessionId| self.sessions.get(**session).is_some_and(|open| open.channel == Some(channel));
        self.links.get(link)?.sessions.iter().find(at).copied()
    }

    fn with_machine(&mut self, link: LinkId, channel: ChannelId, work: impl FnOnce(&mut Session, Instant)) {
        let Some(session) = self.session_at(link, channel) else { return };
        let now = self.now;
        if let Some(open) = self.sessions.get_mut(session)
            && let Some(machine) = open.machine.as_deref_mut()
        {
            open.quiet_since = now;
            work(machine, now);
            self.look_at(session);
        }
    }

    fn with_carried(&mut self, link: LinkId, work: impl FnOnce(&mut ClientLink)) {
        if let Some(carried) = self.links.get_mut(link).and_then(Link::carried_mut) {
            work(carried);
        }
    }

    /// A view that came without being asked for.
    fn apply_pushed(&mut self, session: SessionId, cache: &str, topology: Topology) {
        let Some(cache) = self.caches.find_named(cache) else { return };
        if self.config.session.intelligence == Intelligence::Basic {
            // It was not asked for, and nothing is made of it.
            return;
        }
        if self.caches.view(cache).is_none_or(|view| view.id != topology.id) {
            self.apply(cache, session, topology);
        }
    }

    /// Moves what a session has to send into its link, as far as that takes it.
    pub(in crate::cluster) fn carry(&mut self, session: SessionId) {
        let Some(open) = self.sessions.get_mut(session) else { return };
        let (Some(channel), Some(machine)) = (open.channel, open.machine.as_deref_mut()) else { return };
        let Some(carried) = self.links.get_mut(open.link).and_then(Link::carried_mut) else { return };
        let form = carried.form(channel);
        if form == Some(Form::Bytes) {
            carried.send_bytes(channel, machine.bytes_to_send());
        } else if form == Some(Form::Frames) && carry_messages(self.now, carried, channel, machine) {
            self.look_at(session);
        }
    }

    /// The endpoint has ended a session, or did not accept it.
    fn channel_ended(&mut self, link: LinkId, channel: ChannelId, end: LinkEnd) {
        let Some(session) = self.session_at(link, channel) else { return };
        self.note_access_refused(&end);
        if let LinkEnd::Refused(refusal) = &end
            && matches!(refusal.status, 400 | 405 | 501)
            && self.step_down(link, &end, true)
        {
            return;
        }
        // An endpoint that ends a session so has closed every call that it took, or has taken none: what is
        // open was not applied.
        let has_taken_none = matches!(
            end,
            LinkEnd::Finished
                | LinkEnd::Refused(_)
                | LinkEnd::Reset(HOT_ROD_UPSTREAM_GONE | HOT_ROD_NOT_AUTHENTICATED | ErrorCode::REFUSED_STREAM)
        );
        if let Some(open) = self.sessions.get_mut(session) {
            open.channel = None;
            if has_taken_none && let Some(machine) = &mut open.machine {
                machine.link_has_sent(0);
            }
        }
        self.lose_session(session, Disconnect::Carriage(end));
    }

    /// The link is over, with every session.
    fn carried_ended(&mut self, link: LinkId, end: LinkEnd) {
        // What is no HTTP/2 is an answer too.
        let is_answer = matches!(
            end,
            LinkEnd::NoFrames
                | LinkEnd::NoExtendedConnect
                | LinkEnd::Connection(Reason::Violation { .. })
                | LinkEnd::GoAway(ErrorCode::HTTP_1_1_REQUIRED)
        );
        let may_be_another = is_answer || matches!(end, LinkEnd::Connection(_) | LinkEnd::GoAway(_));
        if !(may_be_another && self.step_down(link, &end, is_answer)) {
            self.end_link(link, &Disconnect::Carriage(end));
        }
    }

    /// The endpoint will end: each session gets another, which takes its place as soon as it is ready.
    fn move_away(&mut self, link: LinkId, channel: Option<ChannelId>) {
        let Some(open) = self.links.get_mut(link) else { return };
        if channel.is_none() {
            open.takes_sessions = false;
        }
        let moving: Vec<SessionId> = match channel {
            Some(channel) => self.session_at(link, channel).into_iter().collect(),
            None => open.sessions.clone(),
        };
        for session in moving {
            let Some(open) = self.sessions.get_mut(session).filter(|open| !open.is_leaving) else { continue };
            open.is_leaving = true;
            let (member, purpose, is_ready) = (open.member, open.purpose, open.is_ready());
            let is_first = self.members.get(member).is_some_and(|known| known.sessions.first() == Some(&session));
            if is_ready && is_first {
                self.begin_session(member, purpose);
            } else {
                self.drain(session);
            }
        }
    }

    /// Sessions with a member whose endpoint will end are let go, now that there is another.
    pub(in crate::cluster) fn leave_draining(&mut self, member: MemberId) {
        let Some(known) = self.members.get(member) else { return };
        let leaving = known.all_sessions().filter(|id| self.sessions.get(*id).is_some_and(|open| open.is_leaving));
        for session in leaving.collect::<Vec<_>>() {
            self.drain(session);
        }
    }

    /// An endpoint that was hoped to speak frames may turn out to carry bytes.
    fn note_carriage(&mut self, link: LinkId) {
        self.note_one_member(link);
        let Some(open) = self.links.get_mut(link) else { return };
        let speaks_frames = open.carried().and_then(ClientLink::speaks_frames);
        if open.carriage == Some(Carriage::Frames) && speaks_frames == Some(false) {
            open.carriage = Some(Carriage::ExtendedConnect);
            let endpoint = open.endpoint.clone();
            self.choose_carriage(&endpoint, Carriage::ExtendedConnect, LinkEnd::NoFrames.to_string(), true);
        }
        self.tell_found(link);
    }

    /// Where members are searched for, every link to an endpoint that speaks Hot Rod itself is a try of its own.
    fn note_one_member(&mut self, link: LinkId) {
        let Some(open) = self.links.get(link) else { return };
        let is_endpoint = open.carried().and_then(ClientLink::is_hot_rod_endpoint) == Some(true);
        if is_endpoint && self.config.access.path.is_searched() {
            let endpoint = open.endpoint.clone();
            self.endpoints.note_one_member_link(endpoint, link);
        }
    }

    /// Only what an endpoint has answered is remembered: whoever can cut a link could choose for it otherwise. What was
    /// remembered and has failed is not any more.
    fn choose_carriage(&mut self, endpoint: &Endpoint, carriage: Carriage, reason: String, is_answer: bool) {
        if is_answer {
            self.endpoints.set_carriage(endpoint.clone(), carriage);
        } else {
            self.endpoints.forget_carriage(endpoint);
        }
        self.tell_carriage(endpoint, carriage, reason);
    }

    /// A link has turned out to carry sessions.
    pub(in crate::cluster) fn tell_found(&mut self, link: LinkId) {
        let Some(open) = self.links.get(link) else { return };
        let Some(carriage) = open.carriage.filter(|_| self.config.carriage.choice == Choice::Auto) else { return };
        if !self.endpoints.is_reported(&open.endpoint, carriage) {
            let endpoint = open.endpoint.clone();
            self.tell_carriage(&endpoint, carriage, String::new());
        }
    }

    fn tell_carriage(&mut self, endpoint: &Endpoint, carriage: Carriage, reason: String) {
        self.endpoints.note_reported(endpoint.clone(), carriage);
        let (endpoint, carriage) = (endpoint.authority(), carriage.name().to_string());
        self.outputs.push_back(Output::Event(Event::CarriageChosen { endpoint, carriage, reason }));
    }

    /// A link has not come to carry a session in time. Whether there is another way, which is taken.
    pub(in crate::cluster) fn survives_silence(&mut self, session: SessionId) -> bool {
        let Some(link) = self.sessions.get(session).map(|open| open.link) else { return false };
        let is_silent = match self.links.get(link).map(|open| &open.stage) {
            Some(Stage::Asking(..)) => true,
            // One that has told its settings is only slow.
            Some(Stage::Carried(carried)) => carried.speaks_frames().is_none(),
            _ => false,
        };
        is_silent && self.step_down(link, &LinkEnd::Silence, false)
    }

    /// Goes on with the next best carriage, if the settings allow one: on a new link, with the same sessions.
    ///
    /// `is_answer` if the endpoint has said that it does not offer the present one.
    pub(in crate::cluster) fn step_down(&mut self, link: LinkId, end: &LinkEnd, is_answer: bool) -> bool {
        let Some(open) = self.links.get(link) else { return false };
        let Some(carriage) = open.carriage else { return false };
        // One that has carried a session is one that the endpoint offers.
        let is_open = |session: &SessionId| self.sessions.get(*session).is_some_and(|open| open.machine.is_some());
        let has_carried = open.sessions.iter().any(is_open);
        let choice = self.config.carriage.choice;
        let mut next = choice.after(carriage).filter(|_| !has_carried);
        if open.carried().is_some_and(|carried| carried.speaks_frames().is_none()) {
            // It is no HTTP/2, and so offers nothing that needs it.
            while next.is_some_and(Carriage::is_http2) {
                next = next.and_then(|next| choice.after(next));
            }
        }
        let Some(next) = next else { return false };
        let endpoint = open.endpoint.clone();
        self.choose_carriage(&endpoint, next, alloc::format!("{carriage}: {end}"), is_answer);
        self.move_to_new_links(link, Some(next));
        true
    }

    /// Ends a link and has its sessions carried by others, as if they had never been on it.
    pub(in crate::cluster) fn move_to_new_links(&mut self, link: LinkId, carriage: Option<Carriage>) {
        let Some(left) = self.links.remove(link) else { return };
        self.forget_link(link, &left);
        for session in left.sessions {
            if let Some(open) = self.sessions.get_mut(session) {
                open.channel = None;
                open.machine = None;
            }
            self.carry_elsewhere(session, left.endpoint.clone(), carriage);
        }
    }

    /// A session without a link gets one.
    pub(in crate::cluster) fn carry_elsewhere(
        &mut self,
        session: SessionId,
        endpoint: Endpoint,
        carriage: Option<Carriage>,
    ) {
        let Some(member) = self.sessions.get(session).map(|open| open.member) else { return };
        let link = self.link_to(member, endpoint, carriage);
        let until = self.now + self.config.connect_timeout;
        if let Some(open) = self.sessions.get_mut(session) {
            open.link = link;
            open.until = until;
        }
        self.set_timeout(session);
        self.join_link(session, link);
    }

    /// A session is to be carried by a link.
    pub(in crate::cluster) fn join_link(&mut self, session: SessionId, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        open.sessions.push(session);
        if open.carried().is_some() {
            self.open_channel(session);
            self.tell_to_transmit(link);
        }
    }
}

/// Moves messages of a session into its link. Answers whether the session has got events of it.
fn carry_messages(now: Instant, carried: &mut ClientLink, channel: ChannelId, machine: &mut Session) -> bool {
    while let Some(message) = machine.poll_given_up() {
        let dropped = carried.cancel(channel, message);
        machine.message_went(dropped);
    }
    let largest = carried.terms().map_or(0, |terms| terms.max_message_size as usize);
    let mut has_events = false;
    while let Some((message, size)) = machine.next_message()
        && carried.can_call(channel)
    {
        if size > largest {
            drop(machine.take_large_message());
            machine.message_went(size);
            machine.handle_call_ended(now, message, HOT_ROD_TOO_LARGE, Applied::No);
            has_events = true;
        } else if size <= carried.largest_whole() {
            let Some(out) = carried.call(channel, message, size) else { break };
            machine.take_message(out);
            let end = out.end();
            machine.message_ends_at(message, end);
        } else {
            let pieces = machine.take_large_message();
            carried.call_in_fragments(channel, message, USUAL_URGENCY, pieces);
        }
    }
    has_events
}

/// The code with which a session's stream ends.
pub(in crate::cluster) fn code_of(reason: &Arc<Disconnect>) -> ErrorCode {
    match **reason {
        Disconnect::Violation(_) | Disconnect::ServerLostTrack { .. } => HOT_ROD_MESSAGE_ERROR,
        Disconnect::Stalled { .. } | Disconnect::HandshakeTimedOut { .. } => ErrorCode::CANCEL,
        _ => ErrorCode::NO_ERROR,
    }
}
