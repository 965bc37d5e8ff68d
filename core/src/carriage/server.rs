//! The endpoint's end of an HTTP/2 link: it is asked for sessions, and carries them.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::credit::{Allowance, Window};
use super::flood::{FrameBudgets, FrameGuard};
use super::frame::{Fragment, Node, topology_payload};
use super::outgoing::Room;
use super::reach::{MOST_CREDIT, Reach};
use super::registry::{
    ADDRESS_FIELD, HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, NODE_FIELD, PROTOCOL, flag,
    frame_type, setting,
};
use super::request::{Form, names_at_most_one_node, node_of, text_of};
use super::scheduler::Scheduler;
use super::served::{Answered, Numbers, Served, Terms};
use super::terms::{CHANGED_TERMS, Offer};
use super::writing::{ENOUGH, FULL, largest_whole, put_fragment, put_head, put_numbers};
use crate::http2::hpack::Field;
use crate::http2::{self, Connection, ErrorCode, StreamId, StreamMap};
use crate::time::Instant;
use crate::wire::{SendBuffer, Topology};

mod frames;

/// What a [`ServerLink`] is told at its beginning.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// What is offered for Hot Rod frames; `None` for none.
    pub frames: Option<Offer>,
    /// Octets of fragments that a call may have on its way from a client that is far away, but no more than a quarter of
    /// the connection's credit. It is not said to the client. Default 1 MiB.
    pub most_credit: u32,
    /// What a client may send of Hot Rod frames that do no work.
    pub budgets: FrameBudgets,
    /// Settings of the HTTP/2 connection below.
    pub http2: http2::Config,
}

impl Default for ServerConfig {
    /// Without Hot Rod frames.
    fn default() -> Self {
        let (budgets, http2) = (FrameBudgets::default(), http2::Config::default());
        Self { frames: None, most_credit: MOST_CREDIT, budgets, http2 }
    }
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
    /// A fragment of a request; say [`fragment_taken`](ServerLink::fragment_taken) unless it is a whole one. It may come
    /// before the session is accepted.
    Request {
        /// The session.
        stream: StreamId,
        /// It.
        fragment: Fragment,
    },
    /// A call is over whose answer is not all here: the client gives it up, or its request has grown too large. Say
    /// [`end_call`](ServerLink::end_call). Nothing more of its request is told.
    Cancelled {
        /// The session.
        stream: StreamId,
        /// The call.
        call: u32,
        /// The code to end it with: CANCEL, or HOT_ROD_TOO_LARGE, and then nothing else is said to the client.
        code: ErrorCode,
    },
    /// The client has ended its half of a session.
    Finished {
        /// Which.
        stream: StreamId,
    },
    /// A session is over: the client reset it or broke the rules, or takes no event of that size. Nothing more is said of
    /// it.
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

impl ServerEvent {
    /// The session, or the ordinary request, that it is about.
    fn stream(&self) -> Option<StreamId> {
        match self {
            Self::Asked { stream, .. }
            | Self::Ordinary { stream, .. }
            | Self::Bytes { stream, .. }
            | Self::Request { stream, .. }
            | Self::Cancelled { stream, .. }
            | Self::Finished { stream }
            | Self::Ended { stream, .. }
            | Self::Writable { stream } => Some(*stream),
            Self::Drained | Self::Closed(_) => None,
        }
    }
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
    sessions: StreamMap<Served>,
    allowance: Allowance,
    window: Window,
    reach: Reach,
    /// Sessions with something to send.
    scheduler: Scheduler<StreamId>,
    flood: FrameGuard,
    events: VecDeque<ServerEvent>,
    /// The client broke the rules of the link: what it has sent since is nothing.
    has_failed: bool,
}

impl ServerLink {
    /// A link on a connection that has just been accepted.
    pub fn new(config: ServerConfig, now: Instant) -> Self {
        let mut http2 = config.http2;
        http2.settings.enable_connect_protocol = true;
        if let Some(offer) = &config.frames {
            http2.settings.extensions.extend(offer.settings(false));
            http2.extension_frames.extend(frame_type::ALL);
            http2.extension_setting = Some(setting::HOT_ROD);
        }
        let own = config.frames.unwrap_or_default();
        Self {
            connection: Connection::server(http2, now),
            terms: None,
            settled: false,
            sessions: StreamMap::default(),
            allowance: Allowance::new(0),
            window: Window::new(own.connection_credit),
            reach: Reach::new(&own, config.most_credit),
            scheduler: Scheduler::default(),
            flood: FrameGuard::new(&config.budgets, now),
            events: VecDeque::new(),
            has_failed: false,
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
        let session = self.sessions.get(stream)?;
        Some(if session.is_framed() { Form::Frames } else { Form::Bytes })
    }

    /// Accepts a session, as the member that `node` names, which in one with frames has a name.
    ///
    /// What was said about its calls before goes out behind that.
    pub fn accept(&mut self, stream: StreamId, node: &Node) {
        let mut fields = Vec::from([Field::new(Bytes::from_static(b":status"), Bytes::from_static(b"200"))]);
        if !node.name.is_empty() {
            fields.push(Field::new(Bytes::from_static(NODE_FIELD.as_bytes()), Bytes::from(node.name.clone())));
        }
        if let Some(address) = node.address() {
            fields.push(Field::new(Bytes::from_static(ADDRESS_FIELD.as_bytes()), Bytes::from(address.to_string())));
        }
        if self.connection.respond(stream, &fields, false).is_err() {
            return;
        }
        let Some(session) = self.sessions.get_mut(stream) else { return };
        session.is_accepted = true;
        let held_back = session.take_held_back();
        self.tell_node(stream, node);
        held_back.into_iter().for_each(|numbers| self.put_numbers(stream, numbers));
        self.schedule(stream);
        self.send_fragments();
    }

    /// CREDIT or CANCEL of a session.
    fn put_numbers(&mut self, stream: StreamId, (kind, flags, numbers): Numbers) {
        let is_held_back = |session: &mut Served| session.hold_back((kind, flags, numbers));
        if !self.sessions.get_mut(stream).is_some_and(is_held_back) {
            put_numbers(&mut self.connection, stream, kind, flags, numbers);
        }
    }

    /// Whether Hot Rod frames can be sent to the client of a session.
    fn takes_frames(&self, stream: StreamId) -> bool {
        self.sessions.get(stream).is_some_and(|session| session.is_framed() && session.is_accepted)
    }

    /// Tells the client of a session with frames who it talks to.
    pub fn tell_node(&mut self, stream: StreamId, node: &Node) {
        if self.takes_frames(stream) {
            let _ = self.connection.send_extension(stream, frame_type::NODE, 0, &[node.payload()]);
        }
    }

    /// Tells the client of a session with frames of a new view, if its name and its size allow that.
    pub fn tell_topology(&mut self, stream: StreamId, cache: &str, topology: &Topology) {
        let payload = topology_payload(cache, topology);
        let most = self.connection.peer_settings().map_or(0, |settings| settings.max_frame_size as usize);
        if self.takes_frames(stream) && payload.len() <= most && u16::try_from(cache.len()).is_ok() {
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
        self.events.retain(|event| event.stream() != Some(stream));
        let held = self.remove(stream).map_or(0, |session| session.held());
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
        let Some(session) = self.sessions.get_mut(stream) else { return };
        let (octets, grant) = session.release(call, octets, self.reach.credit());
        if let Some(increment) = grant {
            self.put_numbers(stream, (frame_type::CREDIT, 0, [call, increment]));
        }
        self.give_back(octets);
        self.reach.received((stream.value(), call), octets, &mut self.connection);
    }

    fn give_back(&mut self, octets: usize) {
        if let Some(increment) = self.window.release(octets) {
            put_numbers(&mut self.connection, StreamId::CONNECTION, frame_type::CREDIT, 0, [0, increment]);
        }
    }

    /// Answers a call, or begins or goes on to. What does not fit one frame goes out as the client's credit allows.
    ///
    /// Nothing is sent for a call that is not open: it was given up. In place of an answer larger than the client takes it
    /// is told so, and that the request may have been applied.
    pub fn respond(&mut self, stream: StreamId, call: u32, bytes: Bytes, is_last: bool) {
        let Some(session) = self.sessions.get_mut(stream) else { return };
        let can_send = session.is_accepted && self.connection.transmit().len() < FULL;
        let room = can_send.then(|| Room { frame: largest_whole(&self.connection), credit: 0 });
        match session.answer(call, bytes, is_last, room) {
            Answered::Dropped => {}
            Answered::TooLarge => self.end_call(stream, call, HOT_ROD_TOO_LARGE, true),
            Answered::Whole(bytes) => {
                let flags = flag::FIRST | flag::FIN;
                let out = put_head(&mut self.connection, stream, frame_type::RESPONSE, flags, call, bytes.len());
                out.into_iter().for_each(|out| out.put_raw(&bytes));
                self.flood.sent(bytes.len());
                self.answer_went(stream, call);
            }
            Answered::Waits => {
                self.schedule(stream);
                self.send_fragments();
            }
        }
    }

    /// Answers a call with all that `answer` holds, and empties it.
    pub fn respond_whole(&mut self, stream: StreamId, call: u32, answer: &mut SendBuffer) {
        let length = answer.len();
        let mut pieces = if length <= largest_whole(&self.connection) {
            // One message in one frame needs no credit.
            let whole = answer.to_bytes();
            answer.clear();
            VecDeque::from([whole])
        } else {
            answer.split_to(length)
        };
        while let Some(piece) = pieces.pop_front() {
            self.respond(stream, call, piece, pieces.is_empty());
        }
    }

    /// Octets of events of a session that wait for credit, or for the link.
    pub fn waiting_events(&self, stream: StreamId) -> usize {
        self.sessions.get(stream).map_or(0, Served::waiting_events)
    }

    /// The last of an answer has gone out.
    fn answer_went(&mut self, stream: StreamId, call: u32) {
        self.flood.answered();
        let closed = self.sessions.get_mut(stream).and_then(|session| session.close(call, ErrorCode::NO_ERROR));
        closed.into_iter().for_each(|(held, _)| self.give_back(held));
    }

    /// Sends an event, or its next fragment. It waits until the client has given credit for it. One that is larger than the
    /// client takes ends the session.
    pub fn event(&mut self, stream: StreamId, bytes: Bytes, is_first: bool, is_last: bool) {
        let Some(session) = self.sessions.get_mut(stream) else { return };
        if !session.event(bytes, is_first, is_last) {
            let ended = self.violated(stream, HOT_ROD_TOO_LARGE);
            return self.events.extend(ended);
        }
        self.schedule(stream);
        self.send_fragments();
    }

    /// Octets of answers and events of a session that wait for credit, or for the link.
    pub fn waiting(&self, stream: StreamId) -> usize {
        self.sessions.get(stream).map_or(0, Served::waiting)
    }

    /// Bytes of memory that the client has a session take here, beside what [`memory`](Self::memory) counts.
    pub fn session_memory(&self, stream: StreamId) -> usize {
        self.sessions.get(stream).map_or(0, Served::memory)
    }

    /// Bytes of memory that the client has the link take, without its sessions (see [`Connection::memory`]).
    pub fn memory(&self) -> usize {
        self.connection.memory() + self.events.len() * size_of::<ServerEvent>()
    }

    /// From now on the client may send so much: `window` octets of DATA and `credit` octets of fragments, each on all
    /// sessions together, of which a call far away may have `most_credit` on its way. What is less than before changes
    /// nothing.
    pub fn grow(&mut self, window: u32, credit: u32, most_credit: u32) {
        self.connection.grow_window(window);
        if self.terms.is_none() {
            return;
        }
        self.reach.grow(credit, most_credit);
        if let Some(increment) = self.window.grow(credit) {
            put_numbers(&mut self.connection, StreamId::CONNECTION, frame_type::CREDIT, 0, [0, increment]);
        }
    }

    /// Gives a call up, or confirms that it was given up. Nothing is said of a call that is not open.
    pub fn end_call(&mut self, stream: StreamId, call: u32, code: ErrorCode, may_have_been_applied: bool) {
        let Some(session) = self.sessions.get_mut(stream) else { return };
        let Some((held, code)) = session.close(call, code) else { return };
        let flags = if may_have_been_applied { flag::MAY_HAVE_BEEN_APPLIED } else { 0 };
        self.put_numbers(stream, (frame_type::CANCEL, flags, [call, code.0]));
        self.give_back(held);
    }

    /// Calls of a session that are open, or whose answer has not gone out whole.
    pub fn open_calls(&self, stream: StreamId) -> Vec<u32> {
        self.sessions.get(stream).map(Served::open_calls).unwrap_or_default()
    }

    /// Ends a session: in good order, or with a code. Calls that are open, or whose answer has not gone out whole, are
    /// told that they may have been applied; give up those that can't have been before, by [`end_call`](Self::end_call).
    pub fn end(&mut self, stream: StreamId, code: ErrorCode) {
        self.events.retain(|event| event.stream() != Some(stream));
        let Some(session) = self.remove(stream) else { return };
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
        if self.has_failed && !matches!(event, http2::Event::Closed(_)) {
            return None;
        }
        match event {
            http2::Event::Extension { stream, kind, flags, payload } => {
                return self.handle_frame(stream, None, kind, flags, payload);
            }
            http2::Event::StrayExtension { stream, place, kind, flags, payload } => {
                return self.handle_frame(stream, Some(place), kind, flags, payload);
            }
            http2::Event::Data { stream, data, end_stream } => return self.handle_data(stream, data, end_stream),
            http2::Event::Settings => self.handle_settings(),
            http2::Event::Request { stream, fields, end_stream } => {
                return Some(self.handle_request(stream, fields, end_stream));
            }
            http2::Event::Reset { stream, code, .. } => {
                let session = self.remove(stream)?;
                self.give_back(session.held());
                return Some(ServerEvent::Ended { stream, code });
            }
            http2::Event::Trailers { stream, .. } if self.sessions.contains(stream) => {
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
                self.fail(ErrorCode::PROTOCOL_ERROR, CHANGED_TERMS);
            }
            return;
        }
        let Ok(terms) = Offer::agreed(settings, self.own.is_some()) else {
            return self.fail(HOT_ROD_CREDIT_ERROR, b"a credit above 2^31-1");
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
        let is_framed = protocol.as_deref() == Some(PROTOCOL);
        let both = self.own.zip(self.terms).filter(|_| is_framed);
        if both.is_some() {
            self.connection.mark(stream);
        }
        self.sessions.insert(stream, Served::new(both.map(|(own, client)| Terms { own, client })));
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
        let Some(session) = self.sessions.get(stream) else {
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

    /// The client broke the rules of a session, or it can't go on: it ends there, and the link goes on.
    fn violated(&mut self, stream: StreamId, code: ErrorCode) -> Option<ServerEvent> {
        let session = self.remove(stream)?;
        let _ = self.connection.reset(stream, code);
        self.give_back(session.held());
        Some(ServerEvent::Ended { stream, code })
    }

    /// The client broke the rules of the link.
    fn fail(&mut self, code: ErrorCode, what: &[u8]) {
        self.has_failed = true;
        self.connection.close(code, what);
    }

    /// Writes fragments of answers and events while the link has little to send: the most urgent first, and of one session
    /// after the other.
    fn send_fragments(&mut self) {
        while self.connection.transmit().len() < ENOUGH {
            let room = self.free();
            let sessions = &self.sessions;
            let next = self.scheduler.next(room.credit > 0, |stream| sessions.get(stream)?.urgency(room));
            let Some(stream) = next else { return };
            if self.send_fragment(stream, room) {
                self.schedule(stream);
            }
        }
    }

    /// Has a session send its next fragment in its turn, if it may send one now.
    fn schedule(&mut self, stream: StreamId) {
        let room = self.free();
        let Some(session) = self.sessions.get(stream) else { return };
        self.scheduler.add(stream, session.urgency(room), room.credit > 0);
    }

    /// Removes a session that is over.
    fn remove(&mut self, stream: StreamId) -> Option<Served> {
        self.scheduler.forget(stream);
        self.sessions.remove(stream)
    }

    fn free(&self) -> Room {
        Room { frame: largest_whole(&self.connection), credit: self.allowance.left() }
    }

    fn send_fragment(&mut self, stream: StreamId, room: Room) -> bool {
        let Some(session) = self.sessions.get_mut(stream) else { return false };
        let Some((kind, next)) = session.next(room) else { return false };
        let has_room = session.has_room_again();
        let flags = next.flags & (flag::FIRST | flag::FIN);
        if put_fragment(&mut self.connection, stream, kind, flags, &next).is_none() {
            return false;
        }
        self.allowance.take(next.counted);
        self.flood.sent(next.length);
        if kind == frame_type::RESPONSE && flags & flag::FIN != 0 {
            self.answer_went(stream, next.call);
        }
        if has_room {
            self.events.push_back(ServerEvent::Writable { stream });
        }
        true
    }
}
