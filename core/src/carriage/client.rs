//! The client's end of an HTTP/2 link: one connection, a session on each of its streams.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::calls::Calls;
use super::credit::{Allowance, Window};
use super::error::{LinkEnd, Refusal};
use super::event::ClientEvent;
use super::frame::{Frame, Malformed};
use super::registry::{HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, USUAL_URGENCY, flag, frame_type};
use super::request::{Form, SessionRequest};
use super::terms::{CHANGED_TERMS, Offer};
use super::turns::Turns;
use super::writing::{ENOUGH, largest_whole, put_fragment, put_head, put_numbers};
use crate::http2::hpack::Field;
use crate::http2::{self, Connection, ErrorCode, StreamId};
use crate::time::Instant;
use crate::wire::{Limits, SendBuffer};

/// Octets waiting on the link above which no more messages are taken from sessions.
const FULL: usize = 256 << 10;

/// A session on the link, from the moment in which it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(u32);

struct Channel {
    /// `None` until the peer's settings are known.
    stream: Option<StreamId>,
    request: SessionRequest,
    /// The answer has come.
    is_open: bool,
    /// With frames.
    calls: Option<Calls>,
    /// Without frames: bytes that the session has not taken.
    unread: usize,
    is_paused: bool,
}

/// What a [`ClientLink`] is told at its beginning.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Whether to speak Hot Rod frames if the peer does; `None` never, and then no frames are announced.
    pub frames: Option<Offer>,
    /// Whether nothing but frames will do.
    pub only_frames: bool,
    /// Whether sessions are opened by ordinary CONNECT and not by Extended CONNECT.
    pub ordinary_connect: bool,
    /// What a topology may hold.
    pub limits: Limits,
    /// Settings of the HTTP/2 connection below.
    pub http2: http2::Config,
}

/// The client's end of an HTTP/2 link.
pub struct ClientLink {
    connection: Connection,
    config: ClientConfig,
    /// What the peer has offered, once it has.
    terms: Option<Offer>,
    settled: bool,
    channels: BTreeMap<ChannelId, Channel>,
    streams: BTreeMap<StreamId, ChannelId>,
    last_channel: u32,
    /// What may be sent in fragments on the whole link, and what may come.
    allowance: Allowance,
    window: Window,
    /// Sessions with something to send in fragments.
    turns: Turns<ChannelId>,
    events: VecDeque<ClientEvent>,
    is_over: bool,
}

impl ClientLink {
    /// A link on a connection that has just been established.
    pub fn new(config: ClientConfig, now: Instant) -> Self {
        let mut http2 = config.http2.clone();
        if let Some(offer) = &config.frames {
            http2.settings.extensions.extend(offer.settings(true));
            http2.extension_frames.extend(frame_type::ALL);
        }
        let own = config.frames.unwrap_or_default();
        Self {
            connection: Connection::client(http2, now),
            terms: None,
            settled: false,
            channels: BTreeMap::new(),
            streams: BTreeMap::new(),
            last_channel: 0,
            allowance: Allowance::new(0),
            window: Window::new(own.connection_credit),
            turns: Turns::default(),
            events: VecDeque::new(),
            is_over: false,
            config,
        }
    }

    /// Where the host puts what it receives; then say [`handle_filled`](Self::handle_filled).
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.connection.receive_buffer()
    }

    /// Takes what was received.
    pub fn handle_filled(&mut self, now: Instant) {
        self.connection.handle_filled(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.connection.handle_timeout(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    /// What is to be sent.
    pub fn transmit(&self) -> &SendBuffer {
        self.connection.transmit()
    }

    /// The host has sent the first `count` bytes of it.
    pub fn transmitted(&mut self, count: usize) {
        self.connection.transmitted(count);
        self.send_fragments();
    }

    /// Whether the peer speaks Hot Rod frames as well; `None` while that is not known.
    pub fn speaks_frames(&self) -> Option<bool> {
        self.settled.then_some(self.terms.is_some())
    }

    /// What the peer has offered for Hot Rod frames.
    pub fn terms(&self) -> Option<&Offer> {
        self.terms.as_ref()
    }

    /// Sessions on it.
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// Whether it carries no session.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// Wants a session: [`ClientEvent::Opened`], `Refused` or `Ended` tells how it went.
    pub fn open(&mut self, now: Instant, request: SessionRequest) -> ChannelId {
        self.last_channel += 1;
        let id = ChannelId(self.last_channel);
        let channel = Channel { stream: None, request, is_open: false, calls: None, unread: 0, is_paused: false };
        self.channels.insert(id, channel);
        if self.settled {
            self.begin(now, id);
        }
        id
    }

    /// Whether one more session can be opened at once, as far as it is known.
    pub fn has_room(&self) -> bool {
        let most = self.connection.peer_settings().and_then(|settings| settings.max_concurrent_streams);
        most.is_none_or(|most| self.channels.len() < most as usize)
    }

    fn begin(&mut self, now: Instant, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let fields = channel.request.fields(self.config.ordinary_connect);
        match self.connection.request(now, &fields, false) {
            Ok(stream) => {
                channel.stream = Some(stream);
                channel.calls = self.terms.map(|_| Calls::new(self.config.frames.unwrap_or_default()));
                self.streams.insert(stream, id);
            }
            Err(error) => {
                self.channels.remove(&id);
                self.events.push_back(ClientEvent::Ended { channel: id, end: LinkEnd::NoStream(error) });
            }
        }
    }

    /// Ends a session. Nothing more is said of it.
    pub fn close(&mut self, id: ChannelId, code: ErrorCode) {
        let Some(channel) = self.channels.remove(&id) else { return };
        let Some(stream) = channel.stream else { return };
        self.streams.remove(&stream);
        if code != ErrorCode::NO_ERROR || self.connection.send_data(stream, Bytes::new(), true).is_err() {
            let _ = self.connection.reset(stream, code);
        }
        self.connection.release(stream, channel.unread);
    }

    /// How a session's bytes travel; `None` while that is not known.
    pub fn form(&self, id: ChannelId) -> Option<Form> {
        let channel = self.channels.get(&id).filter(|channel| channel.stream.is_some())?;
        Some(if channel.calls.is_some() { Form::Frames } else { Form::Bytes })
    }

    /// Sends bytes of a session without frames, as many as there is room for. They are taken out of `from`.
    pub fn send_bytes(&mut self, id: ChannelId, from: &mut SendBuffer) {
        let Some(stream) = self.channels.get(&id).filter(|channel| channel.is_open).and_then(|channel| channel.stream)
        else {
            return;
        };
        let room = self.connection.send_capacity(stream).min(from.len());
        for piece in from.split_to(room) {
            if self.connection.send_data(stream, piece, false).is_err() {
                return;
            }
        }
    }

    /// The session has taken so many of its bytes.
    pub fn bytes_taken(&mut self, id: ChannelId, count: usize) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if channel.is_paused {
            channel.unread += count;
        } else if let Some(stream) = channel.stream {
            self.connection.release(stream, count);
        }
    }

    /// Whether the application takes what the server sends by itself: while it does not, no credit is given for it.
    pub fn pause(&mut self, id: ChannelId, paused: bool) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.is_paused = paused;
        let Some(stream) = channel.stream else { return };
        if let Some(calls) = &mut channel.calls {
            if let Some(grant) = calls.pause_events(paused) {
                self.grant(stream, 0, grant);
            }
        } else if !paused {
            let unread = core::mem::take(&mut channel.unread);
            self.connection.release(stream, unread);
        }
    }

    /// Whether a call can begin now.
    pub fn can_call(&self, id: ChannelId) -> bool {
        let Some(terms) = &self.terms else { return false };
        let calls = self.channels.get(&id).and_then(|channel| channel.calls.as_ref());
        calls.is_some_and(|calls| calls.open() < terms.max_calls as usize) && self.connection.transmit().len() < FULL
    }

    /// Octets of the largest message that travels in one frame.
    pub fn largest_whole(&self) -> usize {
        largest_whole(&self.connection)
    }

    /// Begins a call with a message of `length` octets, at most [`largest_whole`](Self::largest_whole), which the caller
    /// puts into the buffer.
    pub(crate) fn call(&mut self, id: ChannelId, message: u64, length: usize) -> Option<&mut SendBuffer> {
        let channel = self.channels.get_mut(&id)?;
        let (stream, calls) = (channel.stream?, channel.calls.as_mut()?);
        let flags = flag::FIRST | flag::FIN | USUAL_URGENCY << 4;
        let out = put_head(&mut self.connection, stream, frame_type::REQUEST, flags, message as u32, length)?;
        calls.begin(message);
        Some(out)
    }

    /// Begins a call with a message that goes out in fragments, as credit allows.
    pub(crate) fn call_in_fragments(&mut self, id: ChannelId, message: u64, urgency: u8, pieces: VecDeque<Bytes>) {
        let Some(terms) = self.terms else { return };
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let (Some(stream), Some(calls)) = (channel.stream, channel.calls.as_mut()) else { return };
        // Ids ascend: the call begins at once, though its octets have to wait for their turn.
        let flags = flag::FIRST | urgency << 4;
        let _ = put_head(&mut self.connection, stream, frame_type::REQUEST, flags, message as u32, 0);
        calls.begin_in_fragments(message, urgency, Allowance::new(terms.initial_credit), pieces);
        self.turns.add(id);
        self.send_fragments();
    }

    /// Gives a call up. Answers how many octets of it will never go out.
    pub(crate) fn cancel(&mut self, id: ChannelId, message: u64) -> usize {
        let Some(channel) = self.channels.get_mut(&id) else { return 0 };
        let (Some(stream), Some(calls)) = (channel.stream, channel.calls.as_mut()) else { return 0 };
        let call = message as u32;
        let dropped = calls.cancel(call);
        put_numbers(&mut self.connection, stream, frame_type::CANCEL, 0, [call, ErrorCode::CANCEL.0]);
        dropped
    }

    fn grant(&mut self, stream: StreamId, call: u32, increment: u32) {
        put_numbers(&mut self.connection, stream, frame_type::CREDIT, 0, [call, increment]);
    }

    /// Writes fragments of large messages, of one session after the other, while the link has little to send.
    fn send_fragments(&mut self) {
        let most = self.largest_whole();
        while self.connection.transmit().len() < ENOUGH
            && let Some(id) = self.turns.next()
        {
            // One that has no credit gets its next turn with the credit.
            if self.send_fragment(id, most) {
                self.turns.add(id);
            }
        }
    }

    fn send_fragment(&mut self, id: ChannelId, most: usize) -> bool {
        let Some(channel) = self.channels.get_mut(&id) else { return false };
        let (Some(stream), Some(calls)) = (channel.stream, channel.calls.as_mut()) else { return false };
        let Some(next) = calls.requests.next(most.min(self.allowance.left())) else { return false };
        let Some(end) = put_fragment(&mut self.connection, stream, frame_type::REQUEST, next.flags, &next) else {
            return false;
        };
        self.allowance.take(next.length);
        let end = (next.flags & flag::FIN != 0).then_some(end);
        let message = calls.message_of(next.call);
        self.events.push_back(ClientEvent::Went { channel: id, message, octets: next.length, end });
        true
    }

    /// The next thing to know.
    pub fn poll_event(&mut self, now: Instant) -> Option<ClientEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = self.connection.poll_event()?;
            if let Some(event) = self.handle(now, event) {
                return Some(event);
            }
        }
    }

    fn handle(&mut self, now: Instant, event: http2::Event) -> Option<ClientEvent> {
        match event {
            http2::Event::Extension { stream, kind, flags, payload } => {
                return self.handle_frame(stream, kind, flags, payload);
            }
            http2::Event::LateExtension { kind, flags, payload } => {
                if self.terms.is_some()
                    && let Some(Ok(frame)) = Frame::parse(kind, flags, payload, &self.config.limits)
                {
                    self.discard(&frame);
                }
            }
            http2::Event::Data { stream, data, end_stream } => return self.handle_data(stream, data, end_stream),
            http2::Event::Settings => self.handle_settings(now),
            http2::Event::Response { stream, fields, end_stream } => {
                return self.handle_response(stream, &fields, end_stream);
            }
            http2::Event::Reset { stream, code, .. } => return self.ended(stream, LinkEnd::Reset(code)),
            http2::Event::Trailers { stream, .. } => return self.ended(stream, LinkEnd::Finished),
            http2::Event::Writable { stream } => {
                let channel = *self.streams.get(&stream)?;
                return Some(ClientEvent::Writable { channel });
            }
            http2::Event::GoAway { code: ErrorCode::NO_ERROR, .. } => {
                return Some(ClientEvent::Draining { channel: None, grace_ms: None });
            }
            http2::Event::GoAway { code, .. } => {
                self.connection.close(ErrorCode::NO_ERROR, b"");
                return self.over(LinkEnd::GoAway(code));
            }
            http2::Event::Closed(reason) => return self.over(LinkEnd::Connection(reason)),
            _ => {}
        }
        None
    }

    /// The link is over, which is said once.
    fn over(&mut self, end: LinkEnd) -> Option<ClientEvent> {
        (!core::mem::replace(&mut self.is_over, true)).then_some(ClientEvent::Closed(end))
    }

    /// The peer has told what it is.
    fn handle_settings(&mut self, now: Instant) {
        let Some(settings) = self.connection.peer_settings() else { return };
        if core::mem::replace(&mut self.settled, true) {
            if self.terms.is_some_and(|terms| !terms.is_still_said_by(settings)) {
                self.connection.close(ErrorCode::PROTOCOL_ERROR, CHANGED_TERMS);
            }
            return;
        }
        let has_extended = settings.enable_connect_protocol;
        let Ok(terms) = Offer::agreed(settings, self.config.frames.is_some()) else {
            return self.connection.close(HOT_ROD_CREDIT_ERROR, b"a credit above 2^31-1");
        };
        self.terms = terms;
        let offers_enough = match (self.config.only_frames, self.config.ordinary_connect) {
            (true, _) => self.terms.is_some() && has_extended,
            (false, false) => has_extended,
            (false, true) => true,
        };
        if !offers_enough {
            let end = if has_extended { LinkEnd::NoFrames } else { LinkEnd::NoExtendedConnect };
            self.connection.close(ErrorCode::NO_ERROR, b"");
            let over = self.over(end);
            return self.events.extend(over);
        }
        self.allowance = Allowance::new(self.terms.map_or(0, |terms| terms.connection_credit));
        let waiting: Vec<ChannelId> = self.channels.keys().copied().collect();
        for id in waiting {
            self.begin(now, id);
        }
    }

    fn handle_response(&mut self, stream: StreamId, fields: &[Field], end_stream: bool) -> Option<ClientEvent> {
        let id = *self.streams.get(&stream)?;
        let refusal = Refusal::of_fields(fields);
        if (200..300).contains(&refusal.status) && !end_stream {
            self.channels.get_mut(&id)?.is_open = true;
            let node = super::request::node_of(fields).map(String::from);
            return Some(ClientEvent::Opened { channel: id, node });
        }
        self.forget(stream, ErrorCode::NO_ERROR);
        Some(ClientEvent::Ended { channel: id, end: LinkEnd::Refused(refusal) })
    }

    fn handle_data(&mut self, stream: StreamId, data: Bytes, end_stream: bool) -> Option<ClientEvent> {
        let Some(&id) = self.streams.get(&stream) else {
            self.connection.release(stream, data.len());
            return None;
        };
        if !data.is_empty() {
            if self.channels.get(&id)?.calls.is_some() {
                self.connection.release(stream, data.len());
                return self.violated(stream, HOT_ROD_MESSAGE_ERROR);
            }
            if end_stream {
                let end = LinkEnd::Finished;
                self.forget(stream, ErrorCode::NO_ERROR);
                self.events.push_back(ClientEvent::Ended { channel: id, end });
            }
            return Some(ClientEvent::Bytes { channel: id, bytes: data });
        }
        if end_stream { self.ended(stream, LinkEnd::Finished) } else { None }
    }

    fn handle_frame(&mut self, stream: StreamId, kind: u8, flags: u8, payload: Bytes) -> Option<ClientEvent> {
        // What has not been agreed on are unknown frames, and ignored.
        self.terms?;
        match Frame::parse(kind, flags, payload, &self.config.limits)? {
            Ok(frame) => match self.handle_parsed(stream, frame) {
                Ok(event) => event,
                Err(code) => self.violated(stream, code),
            },
            Err(Malformed::Size) => {
                self.connection.close(ErrorCode::FRAME_SIZE_ERROR, b"a Hot Rod frame of a size that it can't have");
                None
            }
            Err(Malformed::Value) => self.violated(stream, HOT_ROD_MESSAGE_ERROR),
        }
    }

    fn handle_parsed(&mut self, stream: StreamId, frame: Frame) -> Result<Option<ClientEvent>, ErrorCode> {
        if stream == StreamId::CONNECTION {
            return Ok(self.handle_link_frame(&frame));
        }
        // Of a session that is over here some may still be on their way.
        let Some(&id) = self.streams.get(&stream) else {
            self.discard(&frame);
            return Ok(None);
        };
        let Some(calls) = self.channels.get_mut(&id).and_then(|channel| channel.calls.as_mut()) else {
            return Ok(None);
        };
        let brought = match frame {
            Frame::Response(fragment) => calls.answer(fragment)?,
            Frame::Event(fragment) => calls.event(fragment)?,
            Frame::Credit { call, increment } => {
                calls.known(call)?;
                if !calls.requests.grant(call, increment) || increment == 0 {
                    return Err(HOT_ROD_CREDIT_ERROR);
                }
                self.turns.add(id);
                self.send_fragments();
                return Ok(None);
            }
            Frame::Cancel { call, code, may_have_been_applied } => {
                let is_awaited = calls.ended(call)?;
                let message = calls.message_of(call);
                let event = ClientEvent::CallEnded { channel: id, message, code, may_have_been_applied };
                return Ok(is_awaited.then_some(event));
            }
            Frame::Node(node) => return Ok(Some(ClientEvent::Node { channel: id, node })),
            Frame::Topology { cache, topology } => {
                return Ok(Some(ClientEvent::Topology { channel: id, cache, topology }));
            }
            Frame::Drain { grace_ms } => {
                return Ok(Some(ClientEvent::Draining { channel: Some(id), grace_ms: Some(grace_ms) }));
            }
            Frame::Request(_) => return Err(HOT_ROD_MESSAGE_ERROR),
        };
        if let Some((call, increment)) = brought.grant {
            self.grant(stream, call, increment);
        }
        self.count(brought.counted);
        Ok(brought.message.map(|message| ClientEvent::Message { channel: id, message }))
    }

    fn handle_link_frame(&mut self, frame: &Frame) -> Option<ClientEvent> {
        match *frame {
            Frame::Credit { call: 0, increment } if self.allowance.grant(increment) => {
                let is_waiting =
                    |channel: &Channel| channel.calls.as_ref().is_some_and(|calls| calls.requests.bytes() > 0);
                let waiting = self.channels.iter().filter(|(_, channel)| is_waiting(channel));
                waiting.for_each(|(id, _)| self.turns.add(*id));
                self.send_fragments();
            }
            Frame::Credit { .. } => self.connection.close(HOT_ROD_CREDIT_ERROR, b"credit of the connection"),
            Frame::Drain { grace_ms } => {
                return Some(ClientEvent::Draining { channel: None, grace_ms: Some(grace_ms) });
            }
            _ => self.connection.close(ErrorCode::PROTOCOL_ERROR, b"a frame of a session on stream 0"),
        }
        None
    }

    /// Octets of a fragment that has been taken.
    fn count(&mut self, octets: usize) {
        if octets == 0 {
            return;
        }
        if !self.window.receive(octets) {
            return self.connection.close(HOT_ROD_CREDIT_ERROR, b"more than the connection's credit");
        }
        if let Some(increment) = self.window.release(octets) {
            self.grant(StreamId::CONNECTION, 0, increment);
        }
    }

    /// A frame of a session that is over here: its octets count all the same.
    fn discard(&mut self, frame: &Frame) {
        if let Frame::Response(fragment) = frame {
            self.count(fragment.counted());
        }
    }

    /// The peer broke the rules on a session: it ends there, and the link goes on.
    fn violated(&mut self, stream: StreamId, code: ErrorCode) -> Option<ClientEvent> {
        let id = self.forget(stream, code)?;
        Some(ClientEvent::Ended { channel: id, end: LinkEnd::Violation(code) })
    }

    fn ended(&mut self, stream: StreamId, end: LinkEnd) -> Option<ClientEvent> {
        let id = self.forget(stream, ErrorCode::NO_ERROR)?;
        Some(ClientEvent::Ended { channel: id, end })
    }

    fn forget(&mut self, stream: StreamId, code: ErrorCode) -> Option<ChannelId> {
        let id = *self.streams.get(&stream)?;
        self.close(id, code);
        Some(id)
    }
}
