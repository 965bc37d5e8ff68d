//! Client end of an HTTP/2 link: one connection with a session on each of its streams.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::{Buf, Bytes, BytesMut};
use slotmap::{SlotMap, new_key_type};

use super::calls::Calls;
use super::credit::{ReceiveWindow, SendWindow};
use super::credit_tuner::{CreditTuner, MAX_CALL_CREDIT};
use super::error::{LinkEnd, Refusal};
use super::event::ClientEvent;
use super::flood::{FrameBudgets, FrameGuard};
use super::frame::CALL_ID;
use super::outgoing::Room;
use super::ready::{Queues, ReadyList};
use super::registry::{DEFAULT_URGENCY, HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, flag, frame_type, setting};
use super::request::{Form, SessionRequest};
use super::scheduler::Scheduler;
use super::terms::{Offer, SETTINGS_CHANGED};
use super::writing::{FRAGMENT_HIGH_WATER, MESSAGE_HIGH_WATER, largest_whole, put_fragment, put_head, put_numbers};
use crate::http1::Fields;
use crate::http2::hpack::Field;
use crate::http2::{self, Connection, ErrorCode, StreamId, StreamMap};
use crate::time::Instant;
use crate::wire::{Limits, SendBuffer};

mod frames;

new_key_type! {
    struct ChannelKey;
}

/// Id of a session on a link, valid from [`open`](ClientLink::open). Ids ascend in the order in which sessions were
/// opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId {
    number: u32,
    key: ChannelKey,
    token: u64,
}

impl ChannelId {
    /// Returns the token that the session was opened with.
    pub fn token(self) -> u64 {
        self.token
    }
}

struct Channel {
    id: ChannelId,
    /// `None` until the peer's settings are known.
    stream: Option<StreamId>,
    request: SessionRequest,
    progress: Progress,
    /// END_STREAM was received.
    is_ended: bool,
    /// `None` for a session without frames.
    calls: Option<Calls>,
    /// For a session without frames: received bytes whose flow-control credit is withheld while paused.
    unread: usize,
    is_paused: bool,
    queues: Queues,
}

/// Progress of a session's opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    /// The request was queued or sent.
    Requested,
    /// The endpoint accepted the session.
    Open,
    /// NODE was received; only for sessions with frames.
    Ready,
}

impl Channel {
    /// Returns the urgency of the next fragment; `None` if none can be sent now.
    fn urgency(&self, room: Room) -> Option<u8> {
        self.calls.as_ref()?.requests.urgency(room)
    }
}

/// Configuration of a [`ClientLink`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Settings for Hot Rod frames, which are used if the peer supports them; `None` announces no support.
    pub frames: Option<Offer>,
    /// Whether the link fails if the peer does not support frames.
    pub only_frames: bool,
    /// Whether sessions are opened by ordinary CONNECT instead of Extended CONNECT.
    pub ordinary_connect: bool,
    /// Limits of received topologies.
    pub limits: Limits,
    /// Budgets for received Hot Rod frames that carry no work.
    pub budgets: FrameBudgets,
    /// Configuration of the HTTP/2 connection.
    pub http2: http2::Config,
}

impl Default for ClientConfig {
    /// Returns a configuration without Hot Rod frames.
    fn default() -> Self {
        Self {
            frames: None,
            only_frames: false,
            ordinary_connect: false,
            limits: Limits::default(),
            budgets: FrameBudgets::default(),
            http2: http2::Config::default(),
        }
    }
}

/// Client end of an HTTP/2 link.
pub struct ClientLink {
    connection: Connection,
    config: ClientConfig,
    /// The peer's settings for frames, if both ends support them.
    terms: Option<Offer>,
    has_peer_settings: bool,
    channels: SlotMap<ChannelKey, Channel>,
    streams: StreamMap<ChannelId>,
    last_channel: u32,
    /// Connection credit for fragments, in both directions.
    send_window: SendWindow,
    receive_window: ReceiveWindow,
    credit_tuner: CreditTuner,
    /// Sessions with requests to send in fragments.
    scheduler: Scheduler<ChannelId>,
    ready: ReadyList<ChannelId>,
    flood: FrameGuard,
    events: VecDeque<ClientEvent>,
    /// Streams that the endpoint has ended. They end here after all received frames are handled.
    ending: VecDeque<StreamId>,
    /// The endpoint violated the protocol on the link: everything received since is ignored.
    has_failed: bool,
    is_over: bool,
}

impl ClientLink {
    /// Creates the client end of a connection that has just been established.
    pub fn new(config: ClientConfig, now: Instant) -> Self {
        let mut http2 = config.http2.clone();
        if let Some(offer) = &config.frames {
            http2.settings.extensions.extend(offer.settings(true));
            http2.extension_frames.extend(frame_type::ALL);
            http2.extension_setting = Some(setting::HOT_ROD);
        }
        let own = config.frames.unwrap_or_default();
        Self {
            connection: Connection::client(http2, now),
            terms: None,
            has_peer_settings: false,
            channels: SlotMap::with_key(),
            streams: StreamMap::default(),
            last_channel: 0,
            send_window: SendWindow::new(0),
            receive_window: ReceiveWindow::new(own.connection_credit),
            credit_tuner: CreditTuner::new(&own, MAX_CALL_CREDIT),
            scheduler: Scheduler::default(),
            ready: ReadyList::default(),
            flood: FrameGuard::new(&config.budgets, now),
            events: VecDeque::new(),
            ending: VecDeque::new(),
            has_failed: false,
            is_over: false,
            config,
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

    /// Returns the bytes that say why the link ends, and ends it. `None` if there are none, or if messages are unsent, which must
    /// not go out any more: their calls count as not applied.
    pub(crate) fn into_last_bytes(self) -> Option<SendBuffer> {
        self.connection.into_last_bytes()
    }

    /// Removes the first `count` bytes from [`transmit`](Self::transmit): they were sent.
    pub fn transmitted(&mut self, count: usize) {
        self.connection.transmitted(count);
        self.send_fragments();
    }

    /// Returns whether the link uses Hot Rod frames; `None` before the peer's SETTINGS.
    pub fn speaks_frames(&self) -> Option<bool> {
        self.has_peer_settings.then_some(self.terms.is_some())
    }

    /// Returns whether the peer announces Hot Rod frames, even if this end does not use them. Such a peer is a Hot Rod
    /// endpoint, and no intermediary chooses the member. `None` before the peer's SETTINGS.
    pub fn is_hot_rod_endpoint(&self) -> Option<bool> {
        let settings = self.connection.peer_settings().filter(|_| self.has_peer_settings)?;
        Some(settings.get(setting::HOT_ROD).is_some_and(|revision| revision > 0))
    }

    /// Returns the peer's settings for Hot Rod frames; `None` unless both ends support frames.
    pub fn terms(&self) -> Option<&Offer> {
        self.terms.as_ref()
    }

    /// Returns the number of sessions.
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// Returns whether the link has no session.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// Opens a session; [`ClientEvent::Opened`] or [`Ended`](ClientEvent::Ended) reports the result. `token` is the
    /// caller's, and part of the session's id.
    pub fn open(&mut self, now: Instant, token: u64, request: SessionRequest) -> ChannelId {
        self.last_channel += 1;
        let number = self.last_channel;
        let key = self.channels.insert_with_key(|key| Channel {
            id: ChannelId { number, key, token },
            stream: None,
            request,
            progress: Progress::Requested,
            is_ended: false,
            calls: None,
            unread: 0,
            is_paused: false,
            queues: Queues::default(),
        });
        let id = ChannelId { number, key, token };
        if self.has_peer_settings {
            self.begin(now, id);
        }
        id
    }

    /// Returns whether another session can be opened now, within the peer's SETTINGS_MAX_CONCURRENT_STREAMS. Streams of closed
    /// sessions count until the peer has closed them too. True before the peer's first SETTINGS, for which sessions wait.
    pub fn has_room(&self) -> bool {
        !self.has_peer_settings || self.connection.has_room_for_stream()
    }

    /// Returns the peer's SETTINGS_MAX_CONCURRENT_STREAMS; `None` without a limit, and before the peer's first SETTINGS.
    pub fn max_sessions(&self) -> Option<u32> {
        self.connection.peer_settings().and_then(|settings| settings.max_concurrent_streams)
    }

    /// Returns whether the peer's first SETTINGS have come.
    pub fn has_peer_settings(&self) -> bool {
        self.has_peer_settings
    }

    fn begin(&mut self, now: Instant, id: ChannelId) {
        let is_framed = self.carries_frames();
        let Some(channel) = self.channels.get_mut(id.key) else { return };
        let fields = channel.request.fields(self.config.ordinary_connect);
        match self.connection.request(now, &fields, false) {
            Ok(stream) => {
                channel.stream = Some(stream);
                channel.calls = is_framed.then(|| Calls::new(self.config.frames.unwrap_or_default()));
                self.streams.insert(stream, id);
            }
            Err(error) => {
                self.channels.remove(id.key);
                self.events.push_back(ClientEvent::Ended { channel: id, end: LinkEnd::NoStream(error) });
            }
        }
    }

    /// Ends a session. No further event reports it.
    pub fn close(&mut self, id: ChannelId, code: ErrorCode) {
        let Some(channel) = self.channels.remove(id.key) else { return };
        self.scheduler.forget(id);
        let Some(stream) = channel.stream else { return };
        self.streams.remove(stream);
        if code != ErrorCode::NO_ERROR || self.connection.send_data(stream, Bytes::new(), true).is_err() {
            let _ = self.connection.reset(stream, code);
        }
        self.connection.release(stream, channel.unread);
    }

    /// Returns the form in which a session's bytes are sent; `None` until its stream is opened.
    pub fn form(&self, id: ChannelId) -> Option<Form> {
        let channel = self.channels.get(id.key).filter(|channel| channel.stream.is_some())?;
        Some(if channel.calls.is_some() { Form::Frames } else { Form::Bytes })
    }

    /// Sends bytes of a session without frames, as many as flow control allows, and removes them from `from`.
    pub fn send_bytes(&mut self, id: ChannelId, from: &mut SendBuffer) {
        let Some(stream) = self
            .channels
            .get(id.key)
            .filter(|channel| channel.progress >= Progress::Open)
            .and_then(|channel| channel.stream)
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

    /// Releases flow-control credit for `count` bytes that a session without frames has consumed.
    pub fn release_bytes(&mut self, id: ChannelId, count: usize) {
        let Some(channel) = self.channels.get_mut(id.key) else { return };
        if channel.is_paused {
            channel.unread += count;
        } else if let Some(stream) = channel.stream {
            self.connection.release(stream, count);
        }
    }

    /// Pauses or resumes receiving: a paused session without frames releases no credit, and one with frames none for
    /// events.
    pub fn pause(&mut self, id: ChannelId, paused: bool) {
        let Some(channel) = self.channels.get_mut(id.key) else { return };
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

    /// Returns whether a call can begin now.
    pub fn can_call(&self, id: ChannelId) -> bool {
        let Some(terms) = &self.terms else { return false };
        let calls = self.channels.get(id.key).and_then(|channel| channel.calls.as_ref());
        calls.is_some_and(|calls| calls.open() < terms.max_calls as usize)
            && self.connection.transmit().len() < MESSAGE_HIGH_WATER
    }

    /// Returns the size in bytes of the largest message that fits one frame.
    pub fn largest_whole(&self) -> usize {
        largest_whole(&self.connection)
    }

    /// Begins a call with a message of `length` bytes, at most [`largest_whole`](Self::largest_whole), which the caller
    /// appends to the returned buffer. Message ids ascend within a session.
    pub(crate) fn call(&mut self, id: ChannelId, message: u64, length: usize) -> Option<&mut SendBuffer> {
        let channel = self.channels.get_mut(id.key)?;
        let (stream, calls) = (channel.stream?, channel.calls.as_mut()?);
        let flags = flag::FIRST | flag::FIN | DEFAULT_URGENCY << 4;
        let out = put_head(&mut self.connection, stream, frame_type::REQUEST, flags, message as u32, length)?;
        calls.begin(message);
        self.flood.sent(length);
        self.ready.written(id, out.end() + length as u64);
        Some(out)
    }

    /// Begins a call whose message is sent in fragments, as credit allows.
    pub(crate) fn call_in_fragments(&mut self, id: ChannelId, message: u64, urgency: u8, pieces: VecDeque<Bytes>) {
        let Some(terms) = self.terms else { return };
        let Some(channel) = self.channels.get_mut(id.key) else { return };
        let (Some(stream), Some(calls)) = (channel.stream, channel.calls.as_mut()) else { return };
        // Call ids ascend on the wire, so the first fragment is sent at once, empty: the bytes wait for credit and for
        // the scheduler.
        let flags = flag::FIRST | urgency << 4;
        let _ = put_head(&mut self.connection, stream, frame_type::REQUEST, flags, message as u32, 0);
        calls.begin_in_fragments(message, urgency, SendWindow::new(terms.initial_credit), pieces);
        self.schedule(id);
        self.send_fragments();
    }

    /// Cancels a call. Returns the bytes of its request that were dropped unsent.
    pub(crate) fn cancel(&mut self, id: ChannelId, message: u64) -> usize {
        let Some(channel) = self.channels.get_mut(id.key) else { return 0 };
        let (Some(stream), Some(calls)) = (channel.stream, channel.calls.as_mut()) else { return 0 };
        let call = message as u32;
        // A call that was answered already needs no CANCEL.
        let Some(dropped) = calls.cancel(call) else { return 0 };
        put_numbers(&mut self.connection, stream, frame_type::CANCEL, 0, [call, ErrorCode::CANCEL.0]);
        dropped
    }

    fn grant(&mut self, stream: StreamId, call: u32, increment: u32) {
        put_numbers(&mut self.connection, stream, frame_type::CREDIT, 0, [call, increment]);
    }

    /// Writes fragments of large messages while few bytes are unsent: the most urgent first, round robin over sessions
    /// of equal urgency.
    fn send_fragments(&mut self) {
        while self.connection.transmit().len() < FRAGMENT_HIGH_WATER {
            let room = self.fragment_room();
            let channels = &self.channels;
            let next = self.scheduler.next(room.credit > 0, |id| channels.get(id.key)?.urgency(room));
            let Some(id) = next else { return };
            if self.send_fragment(id, room) {
                self.schedule(id);
            }
        }
    }

    /// Adds a session to the scheduler, if it can send a fragment now.
    fn schedule(&mut self, id: ChannelId) {
        let room = self.fragment_room();
        let Some(channel) = self.channels.get(id.key) else { return };
        self.scheduler.add(id, channel.urgency(room), room.credit > 0);
    }

    fn fragment_room(&self) -> Room {
        Room { frame: self.largest_whole(), credit: self.send_window.available() }
    }

    fn send_fragment(&mut self, id: ChannelId, room: Room) -> bool {
        let Some(channel) = self.channels.get_mut(id.key) else { return false };
        let (Some(stream), Some(calls)) = (channel.stream, channel.calls.as_mut()) else { return false };
        let Some(next) = calls.requests.next(room) else { return false };
        let Some(end) = put_fragment(&mut self.connection, stream, frame_type::REQUEST, next.flags, &next) else {
            return false;
        };
        self.send_window.consume(next.counted);
        self.flood.sent(next.length);
        let end = (next.flags & flag::FIN != 0).then_some(end);
        end.into_iter().for_each(|end| self.ready.written(id, end));
        let message = calls.message_of(next.call);
        self.events.push_back(ClientEvent::Dequeued { channel: id, message, bytes: next.length, end });
        true
    }

    /// Returns the next session with a message that was sent completely since the last call.
    pub fn poll_sent(&mut self) -> Option<ChannelId> {
        self.ready.next_sent(self.connection.transmit().sent())
    }

    /// Returns the next session to serve, in the order in which sessions were opened: an event of it was polled, one of
    /// its calls ended, it was [marked ready](Self::mark_ready), or there may be room for the messages with which it
    /// [waits](Self::wait_for_room).
    pub fn poll_ready(&mut self) -> Option<ChannelId> {
        loop {
            // `mark_waiting_ready` handles sessions without frames.
            let has_room = self.carries_frames() && self.connection.transmit().len() < MESSAGE_HIGH_WATER;
            let (id, removed) = self.ready.next(has_room)?;
            if let Some(channel) = self.channels.get_mut(id.key) {
                channel.queues.leave(removed);
                return Some(id);
            }
        }
    }

    /// Makes [`poll_ready`](Self::poll_ready) return a session that has messages to send.
    pub fn mark_ready(&mut self, id: ChannelId) {
        if let Some(channel) = self.channels.get_mut(id.key) {
            self.ready.mark_ready(id, &mut channel.queues);
        }
    }

    /// Makes [`poll_ready`](Self::poll_ready) return a session when the link may have room for its next message.
    pub fn wait_for_room(&mut self, id: ChannelId) {
        let is_full = self.connection.transmit().len() >= MESSAGE_HIGH_WATER;
        let Some(channel) = self.channels.get_mut(id.key) else { return };
        // Below the limit, a session with frames waits for one of its calls to end, which makes it ready.
        if channel.calls.is_none() || is_full {
            self.ready.wait(id, &mut channel.queues);
        }
    }

    /// Returns whether the link's sessions use frames; all of them do, or none.
    fn carries_frames(&self) -> bool {
        // Ordinary CONNECT opens a tunnel, even if both ends support frames.
        self.terms.is_some() && !self.config.ordinary_connect
    }

    /// Makes waiting sessions without frames ready: any event of the link may have made room.
    fn mark_waiting_ready(&mut self) {
        if self.carries_frames() {
            return;
        }
        while let Some((id, removed)) = self.ready.next_waiting() {
            if let Some(channel) = self.channels.get_mut(id.key) {
                channel.queues.leave(removed);
                self.ready.mark_ready(id, &mut channel.queues);
            }
        }
    }

    /// Returns the next event. After the last one, serve the sessions that [`poll_ready`](Self::poll_ready) returns.
    pub fn poll_event(&mut self, now: Instant) -> Option<ClientEvent> {
        let event = self.next_event(now);
        match &event {
            Some(event) => event.channel().into_iter().for_each(|id| self.mark_ready(id)),
            None => self.mark_waiting_ready(),
        }
        event
    }

    fn next_event(&mut self, now: Instant) -> Option<ClientEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = if let Some(event) = self.connection.poll_event() {
                self.handle(now, event)
            } else {
                let stream = self.ending.pop_front()?;
                self.ended(stream, LinkEnd::Finished)
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn handle(&mut self, now: Instant, event: http2::Event) -> Option<ClientEvent> {
        if self.has_failed && !matches!(event, http2::Event::Closed(_)) {
            return None;
        }
        match event {
            http2::Event::Extension { stream, kind, flags, mut payload } => {
                if let Some(channel) = self.whole_response(stream, kind, flags, &payload) {
                    payload.advance(CALL_ID);
                    return Some(ClientEvent::Message { channel, message: payload });
                }
                return self.handle_frame(stream, None, kind, flags, payload);
            }
            http2::Event::StrayExtension { stream, place, kind, flags, payload } => {
                return self.handle_frame(stream, Some(place), kind, flags, payload);
            }
            http2::Event::Data { stream, data, end_stream } => return self.handle_data(stream, data, end_stream),
            http2::Event::Settings => self.handle_settings(now),
            http2::Event::Response { stream, fields, end_stream } => {
                return self.handle_response(stream, &fields, end_stream);
            }
            http2::Event::Reset { stream, code, .. } => return self.ended(stream, LinkEnd::Reset(code)),
            http2::Event::Trailers { stream, .. } => return self.ended(stream, LinkEnd::Finished),
            http2::Event::Writable { stream } => {
                let channel = *self.streams.get(stream)?;
                return Some(ClientEvent::Writable { channel });
            }
            http2::Event::GoAway { code: ErrorCode::NO_ERROR, .. } => {
                return Some(ClientEvent::Draining { channel: None, grace_ms: None });
            }
            http2::Event::GoAway { code, .. } => {
                self.connection.close(ErrorCode::NO_ERROR, b"");
                self.over(LinkEnd::GoAway(code));
                return self.events.pop_front();
            }
            http2::Event::Closed(reason) => {
                self.over(LinkEnd::Connection(reason));
                return self.events.pop_front();
            }
            _ => {}
        }
        None
    }

    /// Reports the end of the link, once, after the sessions that ended before it.
    fn over(&mut self, end: LinkEnd) {
        if core::mem::replace(&mut self.is_over, true) {
            return;
        }
        while let Some(stream) = self.ending.pop_front() {
            let ended = self.ended(stream, LinkEnd::Finished);
            self.events.extend(ended);
        }
        self.events.push_back(ClientEvent::Closed(end));
    }

    /// Handles the peer's SETTINGS; the first frame decides on frames and Extended CONNECT.
    fn handle_settings(&mut self, now: Instant) {
        let Some(settings) = self.connection.peer_settings() else { return };
        if core::mem::replace(&mut self.has_peer_settings, true) {
            if self.terms.is_some_and(|terms| !terms.matches_settings(settings)) {
                self.fail(ErrorCode::PROTOCOL_ERROR, SETTINGS_CHANGED);
            }
            return;
        }
        let has_extended = settings.enable_connect_protocol;
        let Ok(terms) = Offer::negotiate(settings, self.config.frames.is_some()) else {
            return self.fail(HOT_ROD_CREDIT_ERROR, b"a credit above 2^31-1");
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
            return self.over(end);
        }
        self.send_window = SendWindow::new(self.terms.map_or(0, |terms| terms.connection_credit));
        let mut waiting: Vec<ChannelId> = self.channels.values().map(|channel| channel.id).collect();
        waiting.sort_unstable();
        for id in waiting {
            self.begin(now, id);
        }
    }

    fn handle_response(&mut self, stream: StreamId, fields: &[Field], end_stream: bool) -> Option<ClientEvent> {
        let id = *self.streams.get(stream)?;
        let refusal = Refusal::of_fields(fields);
        if (200..300).contains(&refusal.status) && !end_stream {
            self.channels.get_mut(id.key)?.progress = Progress::Open;
            return Some(ClientEvent::Opened { channel: id, fields: fields_of(fields) });
        }
        self.forget(stream, ErrorCode::NO_ERROR);
        Some(ClientEvent::Ended { channel: id, end: LinkEnd::Refused(refusal) })
    }

    fn handle_data(&mut self, stream: StreamId, data: Bytes, end_stream: bool) -> Option<ClientEvent> {
        let Some(&id) = self.streams.get(stream) else {
            self.connection.release(stream, data.len());
            return None;
        };
        if !data.is_empty() {
            if self.channels.get(id.key)?.calls.is_some() {
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
        let channel = self.channels.get_mut(id.key)?;
        if !end_stream || channel.is_ended {
            return None;
        }
        if channel.calls.is_none() {
            return self.ended(stream, LinkEnd::Finished);
        }
        // Frames received after END_STREAM are handled first.
        channel.is_ended = true;
        self.ending.push_back(stream);
        None
    }

    /// Closes the link after a violation by the endpoint.
    fn fail(&mut self, code: ErrorCode, what: &[u8]) {
        self.has_failed = true;
        self.connection.close(code, what);
    }

    /// Ends a session after a violation by the endpoint. The link continues.
    fn violated(&mut self, stream: StreamId, code: ErrorCode) -> Option<ClientEvent> {
        let id = self.forget(stream, code)?;
        Some(ClientEvent::Ended { channel: id, end: LinkEnd::Violation(code) })
    }

    fn ended(&mut self, stream: StreamId, end: LinkEnd) -> Option<ClientEvent> {
        let id = self.forget(stream, ErrorCode::NO_ERROR)?;
        Some(ClientEvent::Ended { channel: id, end })
    }

    fn forget(&mut self, stream: StreamId, code: ErrorCode) -> Option<ChannelId> {
        let id = *self.streams.get(stream)?;
        self.close(id, code);
        Some(id)
    }
}

/// Converts the fields of a response to those of HTTP/1.1, without pseudo-header fields.
fn fields_of(fields: &[Field]) -> Fields {
    let real = fields.iter().filter(|field| !field.name.starts_with(b":"));
    Fields::received(real.map(|field| (field.name.clone(), field.value.clone())).collect())
}
