//! The endpoint's end of an HTTP/2 link: it is asked for sessions, and carries them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::credit::{Allowance, Window};
use super::frame::{Fragment, Frame, Malformed, Node, topology_payload};
use super::registry::{
    HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_TOO_MANY_CALLS, NODE_FIELD, PROTOCOL, flag,
    frame_type,
};
use super::request::{Form, names_at_most_one_node, node_of, text_of};
use super::served::{Served, Taken};
use super::terms::{CHANGED_TERMS, Offer};
use super::turns::Turns;
use super::writing::{ENOUGH, largest_whole, put_fragment, put_head, put_numbers};
use crate::http2::hpack::Field;
use crate::http2::{self, Connection, ErrorCode, StreamId};
use crate::time::Instant;
use crate::wire::{Limits, SendBuffer, Topology};

/// What a [`ServerLink`] is told at its beginning.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// What is offered for Hot Rod frames; `None` for none.
    pub frames: Option<Offer>,
    /// Settings of the HTTP/2 connection below.
    pub http2: http2::Config,
}

/// What happened on an endpoint's HTTP/2 link.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerEvent {
    /// A client wants a session: say [`accept`](ServerLink::accept) or [`refuse`](ServerLink::refuse).
    Asked {
        /// Its stream.
        stream: StreamId,
        /// What it asks for.
        asked: Asked,
    },
    /// An ordinary request: say [`answer`](ServerLink::answer).
    Ordinary {
        /// Its stream.
        stream: StreamId,
        /// Its method.
        method: String,
        /// Its path.
        path: String,
    },
    /// Bytes of a session without frames; say [`bytes_taken`](ServerLink::bytes_taken).
    Bytes {
        /// Its stream.
        stream: StreamId,
        /// They.
        bytes: Bytes,
    },
    /// A fragment of a request; say [`fragment_taken`](ServerLink::fragment_taken) unless it is a whole one.
    Request {
        /// The session.
        stream: StreamId,
        /// It.
        fragment: Fragment,
    },
    /// The client gives a call up: say [`end_call`](ServerLink::end_call), unless its answer has gone out.
    Cancelled {
        /// The session.
        stream: StreamId,
        /// The call.
        call: u32,
    },
    /// The client has ended its half of a session.
    Finished {
        /// Which.
        stream: StreamId,
    },
    /// A session is over: the client reset it, or broke the rules. Nothing more is said of it.
    Ended {
        /// Which.
        stream: StreamId,
        /// Why.
        code: ErrorCode,
    },
    /// A session has room for what is to be sent.
    Writable {
        /// Which.
        stream: StreamId,
    },
    /// No session and no request is left after [`drain`](ServerLink::drain).
    Drained,
    /// The link is over. The last event.
    Closed(http2::Reason),
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The member, by its name or its advertised address.
    pub node: Option<String>,
    /// The target of an ordinary CONNECT; `None` with Extended CONNECT.
    pub target: Option<String>,
    /// `:protocol` is another than Hot Rod's: to be refused with 501.
    pub is_foreign: bool,
    /// Nothing can follow it, or its member is not named once and in visible characters: to be refused with 400.
    pub is_malformed: bool,
    /// All fields of the request.
    pub fields: Vec<Field>,
}

/// The endpoint's end of an HTTP/2 link.
pub struct ServerLink {
    connection: Connection,
    own: Option<Offer>,
    /// What the client has offered, if both speak the frames.
    terms: Option<Offer>,
    settled: bool,
    sessions: BTreeMap<StreamId, Served>,
    allowance: Allowance,
    window: Window,
    /// Sessions with something to send.
    turns: Turns<StreamId>,
    events: VecDeque<ServerEvent>,
}

impl ServerLink {
    /// A link on a connection that has just been accepted.
    pub fn new(config: ServerConfig, now: Instant) -> Self {
        let mut http2 = config.http2;
        http2.settings.enable_connect_protocol = true;
        if let Some(offer) = &config.frames {
            http2.settings.extensions.extend(offer.settings(false));
            http2.extension_frames.extend(frame_type::ALL);
        }
        Self {
            connection: Connection::server(http2, now),
            terms: None,
            settled: false,
            sessions: BTreeMap::new(),
            allowance: Allowance::new(0),
            window: Window::new(config.frames.unwrap_or_default().connection_credit),
            turns: Turns::default(),
            events: VecDeque::new(),
            own: config.frames,
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

    /// Whether the host should read from the link.
    pub fn wants_read(&self) -> bool {
        self.connection.wants_read()
    }

    /// Sessions that were accepted or asked for.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How a session's bytes travel; `None` if it is not there (any more).
    pub fn form(&self, stream: StreamId) -> Option<Form> {
        let session = self.sessions.get(&stream)?;
        Some(if session.is_framed() { Form::Frames } else { Form::Bytes })
    }

    /// Accepts a session, as the member that `node` names.
    pub fn accept(&mut self, stream: StreamId, node: &Node) {
        let mut fields = Vec::from([Field::new(Bytes::from_static(b":status"), Bytes::from_static(b"200"))]);
        if !node.name.is_empty() {
            fields.push(Field::new(Bytes::from_static(NODE_FIELD.as_bytes()), Bytes::from(node.name.clone())));
        }
        if self.connection.respond(stream, &fields, false).is_err() {
            return;
        }
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.is_accepted = true;
        }
        self.tell_node(stream, node);
    }

    /// Tells the client of a session with frames who it talks to.
    pub fn tell_node(&mut self, stream: StreamId, node: &Node) {
        if self.form(stream) == Some(Form::Frames) {
            let _ = self.connection.send_extension(stream, frame_type::NODE, 0, &[node.payload()]);
        }
    }

    /// Tells the client of a session with frames of a new view, if its name and its size allow that.
    pub fn tell_topology(&mut self, stream: StreamId, cache: &str, topology: &Topology) {
        let payload = topology_payload(cache, topology);
        let most = self.connection.peer_settings().map_or(0, |settings| settings.max_frame_size as usize);
        if self.form(stream) == Some(Form::Frames) && payload.len() <= most && u16::try_from(cache.len()).is_ok() {
            let _ = self.connection.send_extension(stream, frame_type::TOPOLOGY, 0, &[payload]);
        }
    }

    /// Refuses a session, with a status and how many seconds to wait, if that is to be said.
    pub fn refuse(&mut self, stream: StreamId, status: u16, retry_after: Option<u32>) {
        let number = |value: u32| Bytes::from(alloc::format!("{value}"));
        let mut fields = Vec::from([Field::new(Bytes::from_static(b":status"), number(status.into()))]);
        if status == 426 {
            fields.push(Field::new(Bytes::from_static(b"upgrade"), Bytes::from_static(PROTOCOL.as_bytes())));
        }
        fields.extend(retry_after.map(|seconds| Field::new(Bytes::from_static(b"retry-after"), number(seconds))));
        self.refuse_with(stream, &fields);
    }

    /// Refuses a session with a status and the name of the member that is here: it has asked for another.
    pub fn refuse_naming(&mut self, stream: StreamId, status: u16, node: &str) {
        let field =
            |name: &'static str, value: String| Field::new(Bytes::from_static(name.as_bytes()), Bytes::from(value));
        let fields = [field(":status", alloc::format!("{status}")), field(NODE_FIELD, node.into())];
        self.refuse_with(stream, &fields);
    }

    fn refuse_with(&mut self, stream: StreamId, fields: &[Field]) {
        let _ = self.connection.respond(stream, fields, true);
        // What the client has sent behind its request is of no use.
        let _ = self.connection.reset(stream, ErrorCode::NO_ERROR);
        let held = self.sessions.remove(&stream).map_or(0, |session| session.held());
        self.give_back(held);
    }

    /// Answers an ordinary request.
    pub fn answer(&mut self, stream: StreamId, status: u16, text: &'static str, with_body: bool) {
        let field = |name: &'static str, value: Bytes| Field::new(Bytes::from_static(name.as_bytes()), value);
        let fields = [
            field(":status", Bytes::from(alloc::format!("{status}"))),
            field("content-type", Bytes::from_static(b"text/plain; charset=utf-8")),
            field("content-length", Bytes::from(alloc::format!("{}", text.len()))),
        ];
        if self.connection.respond(stream, &fields, !with_body).is_ok() && with_body {
            let _ = self.connection.send_data(stream, Bytes::from_static(text.as_bytes()), true);
        }
    }

    /// Octets that a session without frames can take now.
    pub fn room(&self, stream: StreamId) -> usize {
        self.connection.send_capacity(stream)
    }

    /// Sends bytes of a session without frames: at most [`room`](Self::room).
    pub fn send_bytes(&mut self, stream: StreamId, bytes: Bytes) {
        let _ = self.connection.send_data(stream, bytes, false);
    }

    /// So many bytes of a session without frames have gone on.
    pub fn bytes_taken(&mut self, stream: StreamId, count: usize) {
        self.connection.release(stream, count);
    }

    /// A fragment of a request has gone on.
    pub fn fragment_taken(&mut self, stream: StreamId, call: u32, octets: usize) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let (octets, grant) = session.release(call, octets);
        if let Some(increment) = grant {
            put_numbers(&mut self.connection, stream, frame_type::CREDIT, 0, [call, increment]);
        }
        self.give_back(octets);
    }

    fn give_back(&mut self, octets: usize) {
        if let Some(increment) = self.window.release(octets) {
            put_numbers(&mut self.connection, StreamId::CONNECTION, frame_type::CREDIT, 0, [0, increment]);
        }
    }

    /// Answers a call, or begins or goes on to. What does not fit one frame goes out as the client's credit allows.
    ///
    /// Nothing is sent for a call that is not open: it was given up.
    pub fn respond(&mut self, stream: StreamId, call: u32, bytes: Bytes, is_last: bool) {
        let Some(terms) = self.terms else { return };
        let most = largest_whole(&self.connection);
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let Some((urgency, allowance)) = session.answering(call, terms.initial_credit) else { return };
        let held = if is_last { session.close(call) } else { 0 };
        if session.outgoing.contains(call) {
            session.outgoing.extend(call, bytes, is_last);
        } else if is_last && bytes.len() <= most {
            self.give_back(held);
            let flags = flag::FIRST | flag::FIN;
            let out = put_head(&mut self.connection, stream, frame_type::RESPONSE, flags, call, bytes.len());
            return out.into_iter().for_each(|out| out.put_raw(&bytes));
        } else {
            let pieces = VecDeque::from([bytes]);
            session.outgoing.push(call, urgency, allowance, pieces, is_last);
        }
        session.note_waiting();
        self.give_back(held);
        self.turns.add(stream);
        self.send_fragments();
    }

    /// Sends an event, or its next fragment. It waits until the client has given credit for it.
    pub fn event(&mut self, stream: StreamId, bytes: Bytes, is_first: bool, is_last: bool) {
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.events.push(bytes, is_first, is_last);
            session.note_waiting();
            self.turns.add(stream);
            self.send_fragments();
        }
    }

    /// Octets of answers and events of a session that wait for credit, or for the link.
    pub fn waiting(&self, stream: StreamId) -> usize {
        self.sessions.get(&stream).map_or(0, Served::waiting)
    }

    /// Gives a call up, or confirms that the client did.
    pub fn end_call(&mut self, stream: StreamId, call: u32, code: ErrorCode, may_have_been_applied: bool) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        if session.urgency_of(call).is_none() && !session.outgoing.contains(call) {
            return;
        }
        session.outgoing.remove(call);
        let returned = session.close(call);
        let flags = if may_have_been_applied { flag::MAY_HAVE_BEEN_APPLIED } else { 0 };
        put_numbers(&mut self.connection, stream, frame_type::CANCEL, flags, [call, code.0]);
        self.give_back(returned);
    }

    /// Calls of a session that are open, or whose answer has not gone out whole.
    pub fn open_calls(&self, stream: StreamId) -> Vec<u32> {
        self.sessions.get(&stream).map(Served::open_calls).unwrap_or_default()
    }

    /// Ends a session: in good order, or with a code. Calls that are open, or whose answer has not gone out whole, are
    /// told that they may have been applied; give up those that can't have been before, by [`end_call`](Self::end_call).
    pub fn end(&mut self, stream: StreamId, code: ErrorCode) {
        let Some(session) = self.sessions.remove(&stream) else { return };
        if session.is_accepted && session.is_framed() {
            let told = if code == ErrorCode::NO_ERROR { ErrorCode::CANCEL } else { code };
            for call in session.open_calls() {
                let flags = flag::MAY_HAVE_BEEN_APPLIED;
                put_numbers(&mut self.connection, stream, frame_type::CANCEL, flags, [call, told.0]);
            }
        }
        if code == ErrorCode::NO_ERROR && session.is_accepted {
            if self.connection.send_data(stream, Bytes::new(), true).is_err() {
                let _ = self.connection.reset(stream, code);
            }
        } else {
            let _ = self.connection.reset(stream, code);
        }
        self.give_back(session.held());
    }

    /// Says that the link ends in so many milliseconds: clients go elsewhere, what is in flight finishes.
    pub fn drain(&mut self, now: Instant, grace_ms: u32) {
        if self.terms.is_some() {
            let payload = Bytes::copy_from_slice(&grace_ms.to_be_bytes());
            let _ = self.connection.send_extension(StreamId::CONNECTION, frame_type::DRAIN, 0, &[payload]);
        }
        self.connection.drain(now);
    }

    /// Ends the link.
    pub fn close(&mut self, code: ErrorCode, why: &[u8]) {
        self.connection.close(code, why);
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = self.connection.poll_event()?;
            if let Some(event) = self.handle(event) {
                return Some(event);
            }
        }
    }

    fn handle(&mut self, event: http2::Event) -> Option<ServerEvent> {
        match event {
            http2::Event::Extension { stream, kind, flags, payload } => {
                return self.handle_frame(stream, kind, flags, payload);
            }
            http2::Event::LateExtension { kind, flags, payload } => self.handle_late_frame(kind, flags, payload),
            http2::Event::Data { stream, data, end_stream } => return self.handle_data(stream, data, end_stream),
            http2::Event::Settings => self.handle_settings(),
            http2::Event::Request { stream, fields, end_stream } => {
                return Some(self.handle_request(stream, fields, end_stream));
            }
            http2::Event::Reset { stream, code, .. } => {
                let session = self.sessions.remove(&stream)?;
                self.give_back(session.held());
                return Some(ServerEvent::Ended { stream, code });
            }
            http2::Event::Trailers { stream, .. } if self.sessions.contains_key(&stream) => {
                return Some(ServerEvent::Finished { stream });
            }
            http2::Event::Writable { stream } => return Some(ServerEvent::Writable { stream }),
            http2::Event::Drained => return Some(ServerEvent::Drained),
            http2::Event::Closed(reason) => return Some(ServerEvent::Closed(reason)),
            _ => {}
        }
        None
    }

    fn handle_settings(&mut self) {
        let Some(settings) = self.connection.peer_settings() else { return };
        if core::mem::replace(&mut self.settled, true) {
            if self.terms.is_some_and(|terms| !terms.is_still_said_by(settings)) {
                self.connection.close(ErrorCode::PROTOCOL_ERROR, CHANGED_TERMS);
            }
            return;
        }
        let Ok(terms) = Offer::agreed(settings, self.own.is_some()) else {
            return self.connection.close(HOT_ROD_CREDIT_ERROR, b"a credit above 2^31-1");
        };
        self.terms = terms;
        self.allowance = Allowance::new(self.terms.map_or(0, |terms| terms.connection_credit));
    }

    fn handle_request(&mut self, stream: StreamId, fields: Vec<Field>, end_stream: bool) -> ServerEvent {
        let text = |name| text_of(&fields, name).map(String::from);
        let method = text(":method").unwrap_or_default();
        if method != "CONNECT" {
            return ServerEvent::Ordinary { stream, method, path: text(":path").unwrap_or_default() };
        }
        let protocol = text(":protocol");
        let target = if protocol.is_none() { text(":authority") } else { None };
        let is_framed = self.terms.is_some() && protocol.as_deref() == Some(PROTOCOL);
        let own = self.own.filter(|_| is_framed);
        let events = Allowance::new(self.terms.map_or(0, |terms| terms.initial_credit));
        self.sessions.insert(stream, Served::new(own, events));
        if end_stream {
            self.events.push_back(ServerEvent::Finished { stream });
        }
        let node = node_of(&fields).map(String::from);
        let nodes = fields.iter().filter(|field| field.name == NODE_FIELD.as_bytes()).map(|field| &field.value[..]);
        let is_malformed = end_stream || !names_at_most_one_node(nodes);
        let is_foreign = protocol.is_some_and(|protocol| protocol != PROTOCOL);
        ServerEvent::Asked { stream, asked: Asked { node, target, is_foreign, is_malformed, fields } }
    }

    fn handle_data(&mut self, stream: StreamId, data: Bytes, end_stream: bool) -> Option<ServerEvent> {
        let Some(session) = self.sessions.get(&stream) else {
            self.connection.release(stream, data.len());
            return None;
        };
        if data.is_empty() {
            return end_stream.then_some(ServerEvent::Finished { stream });
        }
        if session.is_framed() {
            self.connection.release(stream, data.len());
            return self.violated(stream, HOT_ROD_MESSAGE_ERROR);
        }
        if end_stream {
            self.events.push_back(ServerEvent::Finished { stream });
        }
        Some(ServerEvent::Bytes { stream, bytes: data })
    }

    fn handle_frame(&mut self, stream: StreamId, kind: u8, flags: u8, payload: Bytes) -> Option<ServerEvent> {
        // What has not been agreed on are unknown frames, and ignored.
        self.terms?;
        // No frame of a client's holds a topology.
        match Frame::parse(kind, flags, payload, &Limits::default())? {
            Ok(frame) if stream == StreamId::CONNECTION => self.handle_link_frame(&frame),
            Ok(frame) => match self.handle_session_frame(stream, frame) {
                Ok(event) => return event,
                Err(code) => return self.violated(stream, code),
            },
            Err(Malformed::Size) => {
                self.connection.close(ErrorCode::FRAME_SIZE_ERROR, b"a Hot Rod frame of a size that it can't have");
            }
            Err(Malformed::Value) => return self.violated(stream, HOT_ROD_MESSAGE_ERROR),
        }
        None
    }

    fn handle_link_frame(&mut self, frame: &Frame) {
        match frame {
            Frame::Credit { call: 0, increment } => {
                if self.allowance.grant(*increment) {
                    let waiting = self.sessions.iter().filter(|(_, session)| session.waiting() > 0);
                    waiting.for_each(|(stream, _)| self.turns.add(*stream));
                    self.send_fragments();
                } else {
                    self.connection.close(HOT_ROD_CREDIT_ERROR, b"credit of the connection");
                }
            }
            _ => self.connection.close(ErrorCode::PROTOCOL_ERROR, b"a frame of a session on stream 0"),
        }
    }

    fn handle_session_frame(&mut self, stream: StreamId, frame: Frame) -> Result<Option<ServerEvent>, ErrorCode> {
        let Some(session) = self.sessions.get_mut(&stream).filter(|session| session.is_framed()) else {
            self.discard(&frame);
            return Ok(None);
        };
        match frame {
            Frame::Request(fragment) => {
                let taken = session.take(&fragment);
                if !self.count(&fragment) {
                    return Ok(None);
                }
                let taken = taken?;
                Ok(self.handle_taken(stream, fragment, taken))
            }
            Frame::Credit { call, increment } => {
                if !session.grant(call, increment)? {
                    return Err(HOT_ROD_CREDIT_ERROR);
                }
                self.turns.add(stream);
                self.send_fragments();
                Ok(None)
            }
            Frame::Cancel { call, .. } => {
                session.known(call)?;
                let is_open = session.urgency_of(call).is_some();
                if is_open {
                    return Ok(Some(ServerEvent::Cancelled { stream, call }));
                }
                if session.outgoing.contains(call) {
                    // Its answer is all here and only on its way: there is nobody else to ask.
                    self.end_call(stream, call, ErrorCode::CANCEL, true);
                }
                Ok(None)
            }
            _ => Err(HOT_ROD_MESSAGE_ERROR),
        }
    }

    fn handle_taken(&mut self, stream: StreamId, fragment: Fragment, taken: Taken) -> Option<ServerEvent> {
        let refused = match taken {
            Taken::Accepted => return Some(ServerEvent::Request { stream, fragment }),
            // It was given up, and this was on its way.
            Taken::Late => {
                self.give_back(fragment.counted());
                return None;
            }
            Taken::TooMany => HOT_ROD_TOO_MANY_CALLS,
            Taken::TooLarge => HOT_ROD_TOO_LARGE,
        };
        self.give_back(fragment.counted());
        if taken == Taken::TooLarge && !fragment.is_first {
            // Some of it has gone on.
            return Some(ServerEvent::Cancelled { stream, call: fragment.call });
        }
        put_numbers(&mut self.connection, stream, frame_type::CANCEL, 0, [fragment.call, refused.0]);
        None
    }

    /// A frame on a stream that has ended.
    fn handle_late_frame(&mut self, kind: u8, flags: u8, payload: Bytes) {
        if self.terms.is_some()
            && let Some(Ok(frame)) = Frame::parse(kind, flags, payload, &Limits::default())
        {
            self.discard(&frame);
        }
    }

    /// A frame of a session that is over here: its octets count all the same.
    fn discard(&mut self, frame: &Frame) {
        if let Frame::Request(fragment) = frame
            && self.count(fragment)
        {
            self.give_back(fragment.counted());
        }
    }

    /// Holds a fragment against the credit of the connection.
    fn count(&mut self, fragment: &Fragment) -> bool {
        if self.window.receive(fragment.counted()) {
            return true;
        }
        self.connection.close(HOT_ROD_CREDIT_ERROR, b"more than the connection's credit");
        false
    }

    fn violated(&mut self, stream: StreamId, code: ErrorCode) -> Option<ServerEvent> {
        self.sessions.contains_key(&stream).then(|| {
            self.end(stream, code);
            ServerEvent::Ended { stream, code }
        })
    }

    /// Writes fragments of answers and events, of one session after the other, while the link has little to send.
    fn send_fragments(&mut self) {
        let most = largest_whole(&self.connection);
        while self.connection.transmit().len() < ENOUGH
            && let Some(stream) = self.turns.next()
        {
            // One that has no credit gets its next turn with the credit.
            if self.send_fragment(stream, most) {
                self.turns.add(stream);
            }
        }
    }

    fn send_fragment(&mut self, stream: StreamId, most: usize) -> bool {
        let Some(session) = self.sessions.get_mut(&stream) else { return false };
        let (kind, next) = match session.events.next(most) {
            Some(next) => (frame_type::EVENT, next),
            None => match session.outgoing.next(most.min(self.allowance.left())) {
                Some(next) => (frame_type::RESPONSE, next),
                None => return false,
            },
        };
        let has_room = session.has_room_again();
        let flags = next.flags & (flag::FIRST | flag::FIN);
        if put_fragment(&mut self.connection, stream, kind, flags, &next).is_none() {
            return false;
        }
        if kind == frame_type::RESPONSE && flags != flag::FIRST | flag::FIN {
            self.allowance.take(next.length);
        }
        if has_room {
            self.events.push_back(ServerEvent::Writable { stream });
        }
        true
    }
}
