//! HTTP/2 endpoints.

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
use super::settings::{INITIAL_WINDOW, MAX_MAX_FRAME_SIZE, MAX_WINDOW, MIN_MAX_FRAME_SIZE, Settings};
use super::stream::Stream;
use super::streams::Streams;
use crate::send_buffer::SendBuffer;
use crate::time::Instant;

/// Client's connection preface (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Memory of an open stream in bytes, with its entries in the map and the queues, which are half full at worst.
const STREAM: usize = 2 * (size_of::<Stream>() + 6 * size_of::<StreamId>());

/// Role of this end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opens streams and sends requests.
    Client,
    /// Responds to requests.
    Server,
}

/// One HTTP/2 connection over one link; the [module](super) describes how to drive it.
pub struct Connection {
    role: Role,
    config: Config,
    registered: Registered,
    /// Settings sent to the peer.
    local: Settings,
    /// Settings received from the peer.
    peer: Settings,
    /// Whether SETTINGS were received.
    has_peer_settings: bool,
    /// Receive window of new streams: the protocol's initial value until the peer acknowledges ours.
    initial_receive_window: u32,
    decoder: FrameDecoder,
    /// Whether the client's preface is still to be received.
    awaits_preface: bool,
    /// Incomplete field block.
    block: Option<Block>,
    hpack_in: Decoder,
    hpack_out: Encoder,
    /// Scratch space for a field block before it is split into frames.
    scratch: BytesMut,
    streams: Streams,
    receive_window: ReceiveWindow,
    send_window: SendWindow,
    /// Streams with output, in round-robin order.
    ready: VecDeque<StreamId>,
    /// Streams blocked by the connection's send window only.
    blocked: VecDeque<StreamId>,
    /// DATA in all send queues, in bytes.
    queued: usize,
    output: Output,
    events: EventQueue,
    flood: FloodGuard,
    liveness: Liveness,
    drain: Drain,
    /// Last stream in the peer's GOAWAY.
    peer_goaway: Option<StreamId>,
    is_closed: bool,
    /// Time of the host's last call with a time.
    now: Instant,
}

impl Connection {
    /// Creates a client on a new link. Writes the preface and SETTINGS at once.
    pub fn client(config: Config, now: Instant) -> Self {
        Self::new(Role::Client, config, now)
    }

    /// Creates a server on a new link. Writes SETTINGS at once.
    pub fn server(config: Config, now: Instant) -> Self {
        Self::new(Role::Server, config, now)
    }

    fn new(role: Role, config: Config, now: Instant) -> Self {
        let local = for_role(role, &config.settings);
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
            blocked: VecDeque::new(),
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
        let window = self.config.connection_window.clamp(INITIAL_WINDOW, MAX_WINDOW);
        self.receive_window = ReceiveWindow::new(window, window);
        if window > INITIAL_WINDOW {
            put_window_update(out, StreamId::CONNECTION, window - INITIAL_WINDOW);
        }
    }

    /// Role of this end.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Settings sent to the peer.
    pub fn local_settings(&self) -> &Settings {
        &self.local
    }

    /// Settings received from the peer; `None` before its first SETTINGS.
    pub fn peer_settings(&self) -> Option<&Settings> {
        self.has_peer_settings.then_some(&self.peer)
    }

    /// Number of streams that are open or half-closed.
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Whether the connection is closed. GOAWAY may still wait to be sent.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Time of the host's last call with a time.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Marks an open stream; the mark lasts as long as the stream.
    pub(crate) fn mark(&mut self, stream: StreamId) {
        self.streams.get_mut(stream).into_iter().for_each(|open| open.is_marked = true);
    }

    /// Whether a stream is [marked](Self::mark); `None` if it is not open.
    pub(crate) fn is_marked(&self, stream: StreamId) -> Option<bool> {
        self.streams.get(stream).map(|open| open.is_marked)
    }

    /// Round-trip time of the last PING with a reply.
    pub fn round_trip(&self) -> Option<Duration> {
        self.liveness.round_trip()
    }

    /// Shortest round-trip time of a PING or of the first SETTINGS.
    pub(crate) fn shortest_round_trip(&self) -> Option<Duration> {
        self.liveness.shortest_round_trip()
    }

    /// Whether the host should read from the link; false while queued events exceed their limits.
    pub fn wants_read(&self) -> bool {
        !self.is_closed && self.has_room_for_events()
    }

    /// Receive buffer with spare capacity, for reading without a copy; call [`handle_filled`](Self::handle_filled)
    /// afterwards.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.decoder.receive_buffer()
    }

    /// Handles the bytes appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed {
            return self.decoder.clear();
        }
        self.liveness.received(now);
        self.decode();
    }

    /// Copies and handles received bytes.
    pub fn handle_received(&mut self, now: Instant, bytes: &[u8]) {
        if !self.is_closed {
            self.decoder.receive(bytes);
            self.handle_filled(now);
        }
    }

    /// Reports the loss of the link: closes the connection and drops unsent bytes.
    pub fn handle_link_lost(&mut self) {
        self.end(Reason::LinkLost);
        self.output.clear();
    }

    /// Returns the next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop();
        if self.events.is_empty() && !self.is_closed && self.decoder.buffered() > 0 {
            // Decoding may have paused at a limit.
            self.decode();
        }
        event.or_else(|| self.events.pop())
    }

    /// Memory that the peer makes this connection use: unread bytes, the incomplete field block, header compression,
    /// streams, events and output. Content counts until its event is polled.
    pub fn memory(&self) -> usize {
        let received = self.decoder.memory() + self.block.as_ref().map_or(0, Block::memory) + self.hpack_in.memory();
        let sent = self.queued + self.output.memory() + self.scratch.capacity();
        received + sent + self.events.memory() + self.streams.len() * STREAM
    }

    /// Grows the connection's receive window to `window` bytes of DATA, if it is smaller.
    pub fn grow_window(&mut self, window: u32) {
        if let Some(increment) = self.receive_window.grow(window.min(MAX_WINDOW))
            && !self.is_closed
        {
            put_window_update(&mut self.output.buffer, StreamId::CONNECTION, increment);
        }
    }

    /// Bytes to send, after the end of the connection too: close the link once they are sent.
    pub fn transmit(&self) -> &SendBuffer {
        &self.output.buffer
    }

    /// Returns the bytes to send, and ends the connection; `None` if content is among them, or if there are none.
    pub(crate) fn into_last_bytes(self) -> Option<SendBuffer> {
        let output = self.output;
        (!output.has_unsent_content() && !output.buffer.is_empty()).then_some(output.buffer)
    }

    /// Reports that the host sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.output.advance(count);
        self.schedule();
    }

    fn has_room_for_events(&self) -> bool {
        self.events.len() < self.config.max_events && self.events.bytes() < self.config.max_event_bytes
    }
}

/// Restricts settings to those that this role may send.
fn for_role(role: Role, settings: &Settings) -> Settings {
    let mut local = Settings {
        // A server must not send it, and clients never enable push.
        enable_push: role == Role::Server,
        initial_window_size: settings.initial_window_size.min(MAX_WINDOW),
        max_frame_size: settings.max_frame_size.clamp(MIN_MAX_FRAME_SIZE, MAX_MAX_FRAME_SIZE),
        ..settings.clone()
    };
    // Known settings have fields of their own.
    local.extensions.retain(|(id, _)| !Settings::is_known(*id));
    if role == Role::Client {
        local.max_concurrent_streams = None;
        local.enable_connect_protocol = false;
    }
    local
}
