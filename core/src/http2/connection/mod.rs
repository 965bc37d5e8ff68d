//! An HTTP/2 endpoint.

mod commands;
mod extension;
mod liveness;
mod receive;
mod receive_control;
mod receive_data;
mod receive_headers;
mod receive_settings;
mod schedule;
mod shutdown;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::BytesMut;

use self::extension::Registered;
use self::liveness::Liveness;
use self::receive_headers::Block;
use self::shutdown::Drain;
use super::StreamId;
use super::config::Config;
use super::event::{Event, Reason};
use super::event_queue::EventQueue;
use super::flood::FloodGuard;
use super::flow::{ReceiveWindow, SendWindow};
use super::frame::{FrameDecoder, put_settings, put_window_update};
use super::hpack::{DEFAULT_TABLE_SIZE, Decoder, Encoder};
use super::output::Output;
use super::settings::{INITIAL_WINDOW, LARGEST_WINDOW, LEAST_MAX_FRAME_SIZE, MOST_MAX_FRAME_SIZE, Settings};
use super::stream::Stream;
use super::streams::Streams;
use crate::send_buffer::SendBuffer;
use crate::time::Instant;

/// What a client sends before its first frame (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of memory that an open stream takes, with its places in the map and in the queues: these are half full at worst.
const STREAM: usize = 2 * (size_of::<Stream>() + 6 * size_of::<StreamId>());

/// Which end of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opens streams, and sends requests on them.
    Client,
    /// Responds.
    Server,
}

/// One HTTP/2 connection over one link; see the [module](super) for how to drive it.
pub struct Connection {
    role: Role,
    config: Config,
    registered: Registered,
    /// What we have told.
    local: Settings,
    /// What the peer has told.
    peer: Settings,
    /// Whether it has told anything.
    has_peer_settings: bool,
    /// The window that a new stream has at the peer: the protocol's, and ours from its acknowledgement on.
    initial_receive_window: u32,
    decoder: FrameDecoder,
    /// Whether the client's preface is still to come.
    awaits_preface: bool,
    /// A field block of which CONTINUATION is to come.
    block: Option<Block>,
    hpack_in: Decoder,
    hpack_out: Encoder,
    /// A field block before it is cut into frames.
    scratch: BytesMut,
    streams: Streams,
    receive_window: ReceiveWindow,
    send_window: SendWindow,
    /// Streams that have something to send, in the order of their turns.
    ready: VecDeque<StreamId>,
    /// Streams that could send if the connection's window let them.
    starved: VecDeque<StreamId>,
    /// DATA in the queues of all streams, in octets.
    queued: usize,
    output: Output,
    events: EventQueue,
    flood: FloodGuard,
    liveness: Liveness,
    drain: Drain,
    /// What the peer's GOAWAY says is the last stream.
    peer_goaway: Option<StreamId>,
    is_closed: bool,
    /// The host's time at its last call that told it.
    now: Instant,
}

impl Connection {
    /// A client on a link that has just been established. The preface and SETTINGS are written at once.
    pub fn client(config: Config, now: Instant) -> Self {
        Self::new(Role::Client, config, now)
    }

    /// A server on a link that has just been established. SETTINGS are written at once.
    pub fn server(config: Config, now: Instant) -> Self {
        Self::new(Role::Server, config, now)
    }

    fn new(role: Role, config: Config, now: Instant) -> Self {
        let local = to_tell(role, &config.settings);
        let max_list_size = local.max_header_list_size.map_or(usize::MAX, |size| size as usize);
        let mut connection = Self {
            role,
            registered: Registered::new(&config.extension_frames, config.extension_setting),
            peer: Settings::default(),
            has_peer_settings: false,
            initial_receive_window: INITIAL_WINDOW,
            decoder: FrameDecoder::new(local.max_frame_size),
            awaits_preface: role == Role::Server,
            block: None,
            hpack_in: Decoder::new(DEFAULT_TABLE_SIZE, max_list_size),
            hpack_out: Encoder::new(),
            scratch: BytesMut::new(),
            streams: Streams::default(),
            receive_window: ReceiveWindow::new(INITIAL_WINDOW, INITIAL_WINDOW),
            send_window: SendWindow::new(INITIAL_WINDOW),
            ready: VecDeque::new(),
            starved: VecDeque::new(),
            queued: 0,
            output: Output::default(),
            events: EventQueue::default(),
            flood: FloodGuard::new(&config.flood, now),
            liveness: Liveness::new(&config, now),
            drain: Drain::No,
            peer_goaway: None,
            is_closed: false,
            now,
            local,
            config,
        };
        connection.begin();
        connection
    }

    fn begin(&mut self) {
        let out = &mut self.output.buffer;
        if self.role == Role::Client {
            out.put_slice(PREFACE);
        }
        let settings: Vec<_> = self.local.to_announce().collect();
        put_settings(out, &settings);
        let window = self.config.connection_window.clamp(INITIAL_WINDOW, LARGEST_WINDOW);
        self.receive_window = ReceiveWindow::new(window, window);
        if window > INITIAL_WINDOW {
            put_window_update(out, StreamId::CONNECTION, window - INITIAL_WINDOW);
        }
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What the peer was told.
    pub fn local_settings(&self) -> &Settings {
        &self.local
    }

    /// What the peer has told; `None` before its first SETTINGS.
    pub fn peer_settings(&self) -> Option<&Settings> {
        self.has_peer_settings.then_some(&self.peer)
    }

    /// Streams that are open, in part or whole.
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Whether the connection is over. Bytes that say goodbye may still wait to be sent.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The host's time at its last call that told it.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Marks a stream that is open: the mark lasts as long as the stream.
    pub(crate) fn mark(&mut self, stream: StreamId) {
        self.streams.get_mut(stream).into_iter().for_each(|open| open.is_marked = true);
    }

    /// Whether a stream is [marked](Self::mark); `None` if it is not open (any more).
    pub(crate) fn is_marked(&self, stream: StreamId) -> Option<bool> {
        self.streams.get(stream).map(|open| open.is_marked)
    }

    /// Time from the last answered PING to its answer.
    pub fn round_trip(&self) -> Option<Duration> {
        self.liveness.round_trip()
    }

    /// The shortest time from a PING, or from the first SETTINGS, to the answer.
    pub(crate) fn shortest_round_trip(&self) -> Option<Duration> {
        self.liveness.shortest_round_trip()
    }

    /// Whether the host should read from the link: not while events wait to be polled beyond their limits.
    pub fn wants_read(&self) -> bool {
        !self.is_closed && self.has_room_for_events()
    }

    /// The receive buffer, with room for a read: a host that reads straight into it, and then calls
    /// [`handle_filled`](Self::handle_filled), saves a copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.decoder.receive_buffer()
    }

    /// Takes what the host has appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed {
            return self.decoder.clear();
        }
        self.liveness.received(now);
        self.decode();
    }

    /// Takes bytes from the peer.
    pub fn handle_received(&mut self, now: Instant, bytes: &[u8]) {
        if !self.is_closed {
            self.decoder.receive(bytes);
            self.handle_filled(now);
        }
    }

    /// The link is gone: the connection is over, and what was not sent is dropped.
    pub fn handle_link_lost(&mut self) {
        self.end(Reason::LinkLost);
        self.output.clear();
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop();
        if self.events.is_empty() && !self.is_closed && self.decoder.buffered() > 0 {
            // Decoding may have paused at a limit.
            self.decode();
        }
        event.or_else(|| self.events.pop())
    }

    /// Bytes of memory that the peer has this connection take: received and unread bytes, the field block that is being
    /// received, header compression, streams, events, and output. Content that events hold counts until they are polled.
    pub fn memory(&self) -> usize {
        let received = self.decoder.memory() + self.block.as_ref().map_or(0, Block::memory) + self.hpack_in.memory();
        let sent = self.queued + self.output.memory() + self.scratch.capacity();
        received + sent + self.events.memory() + self.streams.len() * STREAM
    }

    /// The peer may send `window` octets of DATA on all streams together from now on, if that is more than before.
    pub fn grow_window(&mut self, window: u32) {
        if let Some(increment) = self.receive_window.grow(window.min(LARGEST_WINDOW))
            && !self.is_closed
        {
            put_window_update(&mut self.output.buffer, StreamId::CONNECTION, increment);
        }
    }

    /// What is to be sent. After the connection is over too: the link can be closed when it is empty.
    pub fn transmit(&self) -> &SendBuffer {
        &self.output.buffer
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.output.advance(count);
        self.schedule();
    }

    fn has_room_for_events(&self) -> bool {
        self.events.len() < self.config.max_events && self.events.bytes() < self.config.max_event_bytes
    }
}

/// What this end can say of itself.
fn to_tell(role: Role, settings: &Settings) -> Settings {
    let mut local = Settings {
        // A server can't say it, and nobody pushes to it.
        enable_push: role == Role::Server,
        initial_window_size: settings.initial_window_size.min(LARGEST_WINDOW),
        max_frame_size: settings.max_frame_size.clamp(LEAST_MAX_FRAME_SIZE, MOST_MAX_FRAME_SIZE),
        ..settings.clone()
    };
    // What has a name here is told by that.
    local.extensions.retain(|(id, _)| !Settings::is_known(*id));
    if role == Role::Client {
        local.max_concurrent_streams = None;
        local.enable_connect_protocol = false;
    }
    local
}
