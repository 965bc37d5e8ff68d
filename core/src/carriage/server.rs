//! Endpoint's end of an HTTP/2 link: accepts sessions and transports their bytes or messages.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::credit::{ReceiveWindow, SendWindow};
use super::credit_tuner::{CreditTuner, MAX_CALL_CREDIT};
use super::endpoint_session::{EndpointSession, Numbers, ResponseAction, Terms};
use super::flood::{FrameBudgets, FrameGuard};
use super::frame::{Fragment, Node, topology_payload};
use super::outgoing::Room;
use super::registry::{
    ADDRESS_FIELD, HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, NODE_FIELD, PROTOCOL, flag,
    frame_type, setting,
};
use super::request::{Form, names_at_most_one_node, node_of, text_of};
use super::scheduler::Scheduler;
use super::terms::{Offer, SETTINGS_CHANGED};
use super::writing::{FRAGMENT_HIGH_WATER, MESSAGE_HIGH_WATER, largest_whole, put_fragment, put_head, put_numbers};
use crate::http2::hpack::Field;
use crate::http2::{self, Connection, ErrorCode, StreamId, StreamMap};
use crate::time::Instant;
use crate::wire::{SendBuffer, Topology};

mod frames;

/// Configuration of a [`ServerLink`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Settings for Hot Rod frames; `None` announces no support.
    pub frames: Option<Offer>,
    /// Upper bound on the credit of a call, in bytes: the credit grows with the bandwidth-delay product up to this
    /// bound, and at most to a quarter of the connection's credit. Clients are not notified of it. Default 1 MiB.
    pub max_call_credit: u32,
    /// Budgets for received Hot Rod frames that carry no work.
    pub budgets: FrameBudgets,
    /// Configuration of the HTTP/2 connection.
    pub http2: http2::Config,
}

impl Default for ServerConfig {
    /// Returns a configuration without Hot Rod frames.
    fn default() -> Self {
        let (budgets, http2) = (FrameBudgets::default(), http2::Config::default());
        Self { frames: None, max_call_credit: MAX_CALL_CREDIT, budgets, http2 }
    }
}

/// Event of an endpoint's HTTP/2 link.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client requests a session; call [`accept`](ServerLink::accept) or [`refuse`](ServerLink::refuse).
    SessionRequested {
        /// The stream.
        stream: StreamId,
        /// The request.
        request: ReceivedSessionRequest,
    },
    /// An ordinary HTTP request; call [`answer_ordinary_http2`](super::answer_ordinary_http2).
    Ordinary {
        /// The stream.
        stream: StreamId,
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// Received bytes of a session without frames; call [`release_bytes`](ServerLink::release_bytes) after consuming them.
    Bytes {
        /// The stream.
        stream: StreamId,
        /// The bytes.
        bytes: Bytes,
    },
    /// A fragment of a request; call [`release_fragment`](ServerLink::release_fragment) after consuming it, unless it is a
    /// whole message. It may precede the acceptance of the session.
    Request {
        /// The session's stream.
        stream: StreamId,
        /// The fragment.
        fragment: Fragment,
    },
    /// A call ended before its response was complete: the client cancelled it, or its request exceeds the limit. Call
    /// [`end_call`](ServerLink::end_call). No further fragment of its request is reported.
    Cancelled {
        /// The session's stream.
        stream: StreamId,
        /// The call.
        call: u32,
        /// Code for `end_call`: CANCEL, or HOT_ROD_TOO_LARGE, which the link sends even if `end_call` gets another
        /// code.
        code: ErrorCode,
    },
    /// The client sent END_STREAM.
    Finished {
        /// The session's stream.
        stream: StreamId,
    },
    /// A session ended: the client reset it or violated the protocol, or does not accept an event of that size. The
    /// session's last event.
    Ended {
        /// The session's stream.
        stream: StreamId,
        /// Error code.
        code: ErrorCode,
    },
    /// A session can send again.
    Writable {
        /// The session's stream.
        stream: StreamId,
    },
    /// All sessions and requests ended after [`drain`](ServerLink::drain).
    Drained,
    /// The link ended. The last event.
    Closed(http2::Reason),
}

impl ServerEvent {
    /// Returns the stream of the session or ordinary request.
    fn stream(&self) -> Option<StreamId> {
        match self {
            Self::SessionRequested { stream, .. }
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

/// A received request for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedSessionRequest {
    /// Name or advertised address of the member; `None` for any.
    pub node: Option<String>,
    /// Target of an ordinary CONNECT; `None` with Extended CONNECT.
    pub target: Option<String>,
    /// Whether `:protocol` is not Hot Rod's: refuse with 501.
    pub is_foreign: bool,
    /// Whether the request has END_STREAM or an invalid `Hot-Rod-Node`: refuse with 400.
    pub is_malformed: bool,
    /// All header fields of the request.
    pub fields: Vec<Field>,
}

/// Endpoint's end of an HTTP/2 link.
pub struct ServerLink {
    connection: Connection,
    own: Option<Offer>,
    /// The client's settings for frames, if both ends support them.
    terms: Option<Offer>,
    has_peer_settings: bool,
    sessions: StreamMap<EndpointSession>,
    send_window: SendWindow,
    receive_window: ReceiveWindow,
    credit_tuner: CreditTuner,
    /// Sessions with fragments to send.
    scheduler: Scheduler<StreamId>,
    flood: FrameGuard,
    events: VecDeque<ServerEvent>,
    /// The client violated the protocol on the link: everything received since is ignored.
    has_failed: bool,
}

impl ServerLink {
    /// Creates the endpoint's end of a connection that has just been accepted.
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
            has_peer_settings: false,
            sessions: StreamMap::default(),
            send_window: SendWindow::new(0),
            receive_window: ReceiveWindow::new(own.connection_credit),
            credit_tuner: CreditTuner::new(&own, config.max_call_credit),
            scheduler: Scheduler::default(),
            flood: FrameGuard::new(&config.budgets, now),
            events: VecDeque::new(),
            has_failed: false,
            own: config.frames,
        }
    }

    /// Returns the buffer for received bytes; call [`handle_filled`](Self::handle_filled) after appending to it.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.connection.receive_buffer()
    }

    /// Handles the bytes appended to the receive buffer.
    pub fn handle_filled(&mut self, now: Instant) {
        self.connection.handle_filled(now);
    }

    /// Handles the timeout that [`poll_timeout`](Self::poll_timeout) returned.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.connection.handle_timeout(now);
    }

    /// Returns the time at which to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    /// Returns the bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        self.connection.transmit()
    }

    /// Removes the first `count` bytes from [`transmit`](Self::transmit): they were sent.
    pub fn transmitted(&mut self, count: usize) {
        self.connection.transmitted(count);
        self.send_fragments();
    }

    /// Returns whether the host should read from the link.
    pub fn wants_read(&self) -> bool {
        self.connection.wants_read()
    }

    /// Returns the number of requested and accepted sessions.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Returns the form of a session's bytes; `None` for an unknown session.
    pub fn form(&self, stream: StreamId) -> Option<Form> {
        let session = self.sessions.get(stream)?;
        Some(if session.is_framed() { Form::Frames } else { Form::Bytes })
    }

    /// Accepts a session on behalf of the member `node`, which needs a name if the session uses frames.
    ///
    /// CREDIT and CANCEL of the session's calls are sent after that.
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
        let deferred = session.take_deferred();
        self.send_node(stream, node);
        deferred.into_iter().for_each(|numbers| self.put_numbers(stream, numbers));
        self.schedule(stream);
        self.send_fragments();
    }

    /// Sends CREDIT or CANCEL of a session, or queues it until the session is accepted.
    fn put_numbers(&mut self, stream: StreamId, (kind, flags, numbers): Numbers) {
        let is_deferred = |session: &mut EndpointSession| session.defer((kind, flags, numbers));
        if !self.sessions.get_mut(stream).is_some_and(is_deferred) {
            put_numbers(&mut self.connection, stream, kind, flags, numbers);
        }
    }

    /// Returns whether Hot Rod frames can be sent to the client of a session.
    fn takes_frames(&self, stream: StreamId) -> bool {
        self.sessions.get(stream).is_some_and(|session| session.is_framed() && session.is_accepted)
    }

    /// Sends NODE to the client of a session with frames.
    pub fn send_node(&mut self, stream: StreamId, node: &Node) {
        if self.takes_frames(stream) {
            let _ = self.connection.send_extension(stream, frame_type::NODE, 0, &[node.payload()]);
        }
    }

    /// Sends TOPOLOGY to the client of a session with frames, if it fits one frame and the cache's name 65,535 bytes.
    pub fn send_topology(&mut self, stream: StreamId, cache: &str, topology: &Topology) {
        let payload = topology_payload(cache, topology);
        let most = self.connection.peer_settings().map_or(0, |settings| settings.max_frame_size as usize);
        if self.takes_frames(stream) && payload.len() <= most && u16::try_from(cache.len()).is_ok() {
            let _ = self.connection.send_extension(stream, frame_type::TOPOLOGY, 0, &[payload]);
        }
    }

    /// Refuses a session with a status, and Retry-After in seconds.
    pub fn refuse(&mut self, stream: StreamId, status: u16, retry_after: Option<u32>) {
        let number = |value: u32| Bytes::from(alloc::format!("{value}"));
        let mut fields = Vec::from([Field::new(Bytes::from_static(b":status"), number(status.into()))]);
        if status == 426 {
            fields.push(Field::new(Bytes::from_static(b"upgrade"), Bytes::from_static(PROTOCOL.as_bytes())));
        }
        fields.extend(retry_after.map(|seconds| Field::new(Bytes::from_static(b"retry-after"), number(seconds))));
        self.refuse_with(stream, &fields);
    }

    /// Refuses a session with a status and the name of the member here: the request names another.
    pub fn refuse_naming(&mut self, stream: StreamId, status: u16, node: &str) {
        let field =
            |name: &'static str, value: String| Field::new(Bytes::from_static(name.as_bytes()), Bytes::from(value));
        let fields = [field(":status", alloc::format!("{status}")), field(NODE_FIELD, node.into())];
        self.refuse_with(stream, &fields);
    }

    fn refuse_with(&mut self, stream: StreamId, fields: &[Field]) {
        let _ = self.connection.respond(stream, fields, true);
        // Anything that the client has sent after its request is discarded.
        let _ = self.connection.reset(stream, ErrorCode::NO_ERROR);
        self.events.retain(|event| event.stream() != Some(stream));
        let held = self.remove(stream).map_or(0, |session| session.held());
        self.release_connection_credit(held);
    }

    /// Answers an ordinary request; `allow` is the value of that field.
    pub(super) fn answer(
        &mut self,
        stream: StreamId,
        status: u16,
        allow: Option<&'static str>,
        text: &'static str,
        with_body: bool,
    ) {
        let field = |name: &'static str, value: Bytes| Field::new(Bytes::from_static(name.as_bytes()), value);
        let mut fields = Vec::from([
            field(":status", Bytes::from(alloc::format!("{status}"))),
            field("content-type", Bytes::from_static(b"text/plain; charset=utf-8")),
            field("content-length", Bytes::from(alloc::format!("{}", text.len()))),
        ]);
        fields.extend(allow.map(|methods| field("allow", Bytes::from_static(methods.as_bytes()))));
        if self.connection.respond(stream, &fields, !with_body).is_ok() && with_body {
            let _ = self.connection.send_data(stream, Bytes::from_static(text.as_bytes()), true);
        }
    }

    /// Returns the bytes that a session without frames can send now.
    pub fn room(&self, stream: StreamId) -> usize {
        self.connection.send_capacity(stream)
    }

    /// Sends bytes of a session without frames: at most [`room`](Self::room).
    pub fn send_bytes(&mut self, stream: StreamId, bytes: Bytes) {
        let _ = self.connection.send_data(stream, bytes, false);
    }

    /// Releases flow-control credit for `count` bytes that the host has consumed of a session without frames.
    pub fn release_bytes(&mut self, stream: StreamId, count: usize) {
        self.connection.release(stream, count);
    }

    /// Releases credit for `bytes` bytes that the host has consumed of a request's fragment.
    pub fn release_fragment(&mut self, stream: StreamId, call: u32, bytes: usize) {
        let Some(session) = self.sessions.get_mut(stream) else { return };
        let (bytes, grant) = session.release(call, bytes, self.credit_tuner.credit());
        if let Some(increment) = grant {
            self.put_numbers(stream, (frame_type::CREDIT, 0, [call, increment]));
        }
        self.release_connection_credit(bytes);
        self.credit_tuner.received((stream.value(), call), bytes, &mut self.connection);
    }

    fn release_connection_credit(&mut self, bytes: usize) {
        if let Some(increment) = self.receive_window.release(bytes) {
            put_numbers(&mut self.connection, StreamId::CONNECTION, frame_type::CREDIT, 0, [0, increment]);
        }
    }

    /// Sends a response, or its next part. A response that does not fit one frame is sent as the client's credit
    /// allows.
    ///
    /// Nothing is sent for a call that is not open: it was cancelled. A response that exceeds the client's limit is
    /// replaced by CANCEL with HOT_ROD_TOO_LARGE and the flag that the request may have been applied.
    pub fn respond(&mut self, stream: StreamId, call: u32, bytes: Bytes, is_last: bool) {
        let Some(session) = self.sessions.get_mut(stream) else { return };
        let can_send = session.is_accepted && self.connection.transmit().len() < MESSAGE_HIGH_WATER;
        let room = can_send.then(|| Room { frame: largest_whole(&self.connection), credit: 0 });
        match session.respond(call, bytes, is_last, room) {
            ResponseAction::Dropped => {}
            ResponseAction::TooLarge => self.end_call(stream, call, HOT_ROD_TOO_LARGE, true),
            ResponseAction::Whole(bytes) => {
                let flags = flag::FIRST | flag::FIN;
                let out = put_head(&mut self.connection, stream, frame_type::RESPONSE, flags, call, bytes.len());
                out.into_iter().for_each(|out| out.put_raw(&bytes));
                self.flood.sent(bytes.len());
                self.response_written(stream, call);
            }
            ResponseAction::Queued => {
                self.schedule(stream);
                self.send_fragments();
            }
        }
    }

    /// Sends all bytes of `answer` as the response to a call, and empties it.
    pub fn respond_whole(&mut self, stream: StreamId, call: u32, answer: &mut SendBuffer) {
        let length = answer.len();
        let mut pieces = if length <= largest_whole(&self.connection) {
            // A message in one frame needs no credit.
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

    /// Returns the queued bytes of a session's events.
    pub fn waiting_events(&self, stream: StreamId) -> usize {
        self.sessions.get(stream).map_or(0, EndpointSession::waiting_events)
    }

    /// Closes a call whose response was written completely.
    fn response_written(&mut self, stream: StreamId, call: u32) {
        self.flood.answered();
        let closed = self.sessions.get_mut(stream).and_then(|session| session.close(call, ErrorCode::NO_ERROR));
        closed.into_iter().for_each(|(held, _)| self.release_connection_credit(held));
    }

    /// Sends an event, or its next fragment, as the client's credit allows. An event that exceeds the client's limit
    /// ends the session.
    pub fn event(&mut self, stream: StreamId, bytes: Bytes, is_first: bool, is_last: bool) {
        let Some(session) = self.sessions.get_mut(stream) else { return };
        if !session.event(bytes, is_first, is_last) {
            let ended = self.violated(stream, HOT_ROD_TOO_LARGE);
            return self.events.extend(ended);
        }
        self.schedule(stream);
        self.send_fragments();
    }

    /// Returns the queued bytes of a session's responses and events.
    pub fn waiting(&self, stream: StreamId) -> usize {
        self.sessions.get(stream).map_or(0, EndpointSession::waiting)
    }

    /// Returns the memory in bytes that a client's use of a session takes, in addition to [`memory`](Self::memory).
    pub fn session_memory(&self, stream: StreamId) -> usize {
        self.sessions.get(stream).map_or(0, EndpointSession::memory)
    }

    /// Returns the memory in bytes that the client's use of the link takes, without its sessions (see
    /// [`Connection::memory`]).
    pub fn memory(&self) -> usize {
        self.connection.memory() + self.events.len() * size_of::<ServerEvent>()
    }

    /// Raises the receive windows of the link: `window` bytes of DATA and `credit` bytes of fragments, each for all
    /// sessions together, and `max_call_credit` as the upper bound on a call's credit. Smaller values change nothing.
    pub fn grow(&mut self, window: u32, credit: u32, max_call_credit: u32) {
        self.connection.grow_window(window);
        if self.terms.is_none() {
            return;
        }
        self.credit_tuner.grow(credit, max_call_credit);
        if let Some(increment) = self.receive_window.grow(credit) {
            put_numbers(&mut self.connection, StreamId::CONNECTION, frame_type::CREDIT, 0, [0, increment]);
        }
    }

    /// Cancels a call, or confirms its cancellation. Ignored for a call that is not open.
    pub fn end_call(&mut self, stream: StreamId, call: u32, code: ErrorCode, may_have_been_applied: bool) {
        let Some(session) = self.sessions.get_mut(stream) else { return };
        let Some((held, code)) = session.close(call, code) else { return };
        let flags = if may_have_been_applied { flag::MAY_HAVE_BEEN_APPLIED } else { 0 };
        self.put_numbers(stream, (frame_type::CANCEL, flags, [call, code.0]));
        self.release_connection_credit(held);
    }

    /// Returns the calls of a session whose response is not sent completely.
    pub fn open_calls(&self, stream: StreamId) -> Vec<u32> {
        self.sessions.get(stream).map(EndpointSession::open_calls).unwrap_or_default()
    }

    /// Ends a session with END_STREAM, or with an error code. CANCEL reports calls without a complete response as
    /// possibly applied; cancel the calls that certainly were not before, by [`end_call`](Self::end_call).
    pub fn end(&mut self, stream: StreamId, code: ErrorCode) {
        self.events.retain(|event| event.stream() != Some(stream));
        let Some(session) = self.remove(stream) else { return };
        if session.is_accepted && session.is_framed() {
            let cancel_code = if code == ErrorCode::NO_ERROR { ErrorCode::CANCEL } else { code };
            for call in session.open_calls() {
                let flags = flag::MAY_HAVE_BEEN_APPLIED;
                put_numbers(&mut self.connection, stream, frame_type::CANCEL, flags, [call, cancel_code.0]);
            }
        }
        if code == ErrorCode::NO_ERROR && session.is_accepted {
            if self.connection.send_data(stream, Bytes::new(), true).is_err() {
                let _ = self.connection.reset(stream, code);
            }
        } else {
            let _ = self.connection.reset(stream, code);
        }
        self.release_connection_credit(session.held());
    }

    /// Announces the end of the link in `grace_ms` milliseconds: clients begin no new calls, and calls in flight
    /// complete.
    pub fn drain(&mut self, now: Instant, grace_ms: u32) {
        if self.terms.is_some() {
            let payload = Bytes::copy_from_slice(&grace_ms.to_be_bytes());
            let _ = self.connection.send_extension(StreamId::CONNECTION, frame_type::DRAIN, 0, &[payload]);
        }
        self.connection.drain(now);
    }

    /// Closes the link by GOAWAY with this code and debug data.
    pub fn close(&mut self, code: ErrorCode, why: &[u8]) {
        self.connection.close(code, why);
    }

    /// Returns the next event.
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
                self.release_connection_credit(session.held());
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
        if core::mem::replace(&mut self.has_peer_settings, true) {
            if self.terms.is_some_and(|terms| !terms.matches_settings(settings)) {
                self.fail(ErrorCode::PROTOCOL_ERROR, SETTINGS_CHANGED);
            }
            return;
        }
        let Ok(terms) = Offer::negotiate(settings, self.own.is_some()) else {
            return self.fail(HOT_ROD_CREDIT_ERROR, b"a credit above 2^31-1");
        };
        self.terms = terms;
        self.send_window = SendWindow::new(self.terms.map_or(0, |terms| terms.connection_credit));
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
        self.sessions.insert(stream, EndpointSession::new(both.map(|(own, client)| Terms { own, client })));
        if end_stream {
            self.events.push_back(ServerEvent::Finished { stream });
        }
        let node = node_of(&fields).map(String::from);
        let nodes = fields.iter().filter(|field| field.name == NODE_FIELD.as_bytes()).map(|field| &field.value[..]);
        let is_malformed = end_stream || !names_at_most_one_node(nodes);
        let is_foreign = protocol.is_some_and(|protocol| protocol != PROTOCOL);
        let request = ReceivedSessionRequest { node, target, is_foreign, is_malformed, fields };
        ServerEvent::SessionRequested { stream, request }
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

    /// Ends a session after a violation by the client, or because it can't continue. The link continues.
    fn violated(&mut self, stream: StreamId, code: ErrorCode) -> Option<ServerEvent> {
        let session = self.remove(stream)?;
        let _ = self.connection.reset(stream, code);
        self.release_connection_credit(session.held());
        Some(ServerEvent::Ended { stream, code })
    }

    /// Closes the link after a violation by the client.
    fn fail(&mut self, code: ErrorCode, what: &[u8]) {
        self.has_failed = true;
        self.connection.close(code, what);
    }

    /// Writes fragments of responses and events while few bytes are unsent: the most urgent first, round robin over
    /// sessions of equal urgency.
    fn send_fragments(&mut self) {
        while self.connection.transmit().len() < FRAGMENT_HIGH_WATER {
            let room = self.fragment_room();
            let sessions = &self.sessions;
            let next = self.scheduler.next(room.credit > 0, |stream| sessions.get(stream)?.urgency(room));
            let Some(stream) = next else { return };
            if self.send_fragment(stream, room) {
                self.schedule(stream);
            }
        }
    }

    /// Adds a session to the scheduler, if it can send a fragment now.
    fn schedule(&mut self, stream: StreamId) {
        let room = self.fragment_room();
        let Some(session) = self.sessions.get(stream) else { return };
        self.scheduler.add(stream, session.urgency(room), room.credit > 0);
    }

    /// Removes a session that has ended.
    fn remove(&mut self, stream: StreamId) -> Option<EndpointSession> {
        self.scheduler.forget(stream);
        self.sessions.remove(stream)
    }

    fn fragment_room(&self) -> Room {
        Room { frame: largest_whole(&self.connection), credit: self.send_window.available() }
    }

    fn send_fragment(&mut self, stream: StreamId, room: Room) -> bool {
        let Some(session) = self.sessions.get_mut(stream) else { return false };
        let Some((kind, next)) = session.next(room) else { return false };
        let has_room = session.has_room_again();
        let flags = next.flags & (flag::FIRST | flag::FIN);
        if put_fragment(&mut self.connection, stream, kind, flags, &next).is_none() {
            return false;
        }
        self.send_window.consume(next.counted);
        self.flood.sent(next.length);
        if kind == frame_type::RESPONSE && flags & flag::FIN != 0 {
            self.response_written(stream, next.call);
        }
        if has_room {
            self.events.push_back(ServerEvent::Writable { stream });
        }
        true
    }
}
