//! Drives either end of an HTTP/2 link of Hot Rod with arbitrary applications and peers.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{BufMut, Bytes};

use super::input::Input;
use super::seeds::Seed;
use crate::carriage::registry::{frame_type, setting};
use crate::carriage::{
    ChannelId, ClientConfig, ClientEvent, ClientLink, FrameBudgets, Node, Offer, ServerConfig, ServerEvent, ServerLink,
    SessionRequest,
};
use crate::http2::hpack::Field;
use crate::http2::{Config, Connection, ErrorCode, Event, SendBuffer, StreamId};
use crate::time::Instant;
use crate::wire::{Limits, Topology};

/// Number of sessions in a script.
const SESSIONS: usize = 3;
/// Maximum message size, low enough for a script to reach it.
const MAX_MESSAGE_SIZE: u32 = 20_000;
const STEPS: [&str; 12] =
    ["frame", "data", "carry", "answer", "event", "give up", "taken", "end", "reset", "time", "poll", "rarely"];

/// Runs a script with a server endpoint, its application, and a client that sends arbitrary Hot Rod frames in valid
/// HTTP/2 (the target `http2_server` covers invalid HTTP/2).
///
/// Asserts that no event of a session precedes its request or follows its end, that no event follows the end of the
/// link, and that buffered bytes stay below the credits.
pub fn carriage_server(data: &[u8]) {
    let mut world = Server::new(data);
    while !world.input.is_empty() {
        world.step();
    }
    world.carry();
}

/// Runs a script as [`carriage_server`] does, with a client endpoint.
pub fn carriage_client(data: &[u8]) {
    let mut world = Client::new(data);
    while !world.input.is_empty() {
        world.step();
    }
    world.carry();
}

/// Identity of the member.
fn node() -> Node {
    Node { name: "n".into(), ..Node::default() }
}

/// Offer of an endpoint.
fn offer(choices: u8) -> Offer {
    Offer {
        initial_credit: if choices & 1 == 0 { 1_000 } else { 65_536 },
        connection_credit: if choices & 2 == 0 { 5_000 } else { 1_048_576 },
        max_message_size: MAX_MESSAGE_SIZE,
        max_calls: 3,
        lane_threshold: 0,
    }
}

fn fields(pairs: &[(&'static str, &'static str)]) -> Vec<Field> {
    pairs.iter().map(|(name, value)| Field::new(*name, *value)).collect()
}

/// Configuration of the peer: a plain HTTP/2 connection without the rules of Hot Rod.
fn peer_config(choices: u8) -> Config {
    let mut config = Config { extension_frames: frame_type::ALL.to_vec(), ..Config::default() };
    config.settings.enable_connect_protocol = true;
    let credit = if choices & 4 == 0 { 700 } else { 1 << 20 };
    if choices & 8 == 0 {
        config.settings.extensions = [(setting::HOT_ROD, 1), (setting::INITIAL_CREDIT, credit)].to_vec();
    }
    config
}

/// Moves the unsent bytes of one end to the other.
macro_rules! carry {
    ($from:expr, $to:expr, $now:expr) => {{
        let bytes: Vec<u8> = $from.transmit().segments().flatten().copied().collect();
        $from.transmitted(bytes.len());
        $to.receive_buffer().extend_from_slice(&bytes);
        $to.handle_filled($now);
        !bytes.is_empty()
    }};
}

/// Payload for a frame of this type: probably of the right size, with small numbers.
fn payload(input: &mut Input<'_>, kind: u8) -> Bytes {
    let mut payload = Vec::new();
    if input.flag() {
        return input.blob();
    }
    let call = u32::from(input.byte() % 6);
    match kind {
        frame_type::CREDIT | frame_type::CANCEL => {
            payload.put_u32(call);
            payload.put_u32(input.size() as u32);
        }
        frame_type::DRAIN => payload.put_u32(input.size() as u32),
        frame_type::NODE => return node().payload(),
        frame_type::TOPOLOGY => return Bytes::from_static(&[0, 1, b'c', 0, 0]),
        _ => {
            payload.put_u32(call);
            payload.extend_from_slice(&input.blob());
        }
    }
    payload.into()
}

/// Sends a Hot Rod frame, or an almost valid one, from the peer.
fn send_frame(input: &mut Input<'_>, peer: &mut Connection, streams: &[StreamId]) {
    let kind = input.pick(&frame_type::ALL);
    let stream = match input.byte() % 8 {
        0 => StreamId::CONNECTION,
        other => streams.get(usize::from(other) % SESSIONS).copied().unwrap_or(StreamId::CONNECTION),
    };
    let flags = input.byte();
    let payload = payload(input, kind);
    let _ = peer.send_extension(stream, kind, flags, &[payload]);
}

struct Server<'a> {
    input: Input<'a>,
    link: ServerLink,
    peer: Connection,
    streams: Vec<StreamId>,
    /// Sessions that the link has reported and not ended.
    open: Vec<StreamId>,
    is_over: bool,
    now: Instant,
}

impl<'a> Server<'a> {
    fn new(data: &'a [u8]) -> Self {
        let mut input = Input::new(data);
        let choices = input.byte();
        let now = Instant::from_micros(1_000_000);
        let frames = (choices & 16 == 0).then(|| offer(choices));
        let link = ServerLink::new(ServerConfig { frames, ..ServerConfig::default() }, now);
        let peer = Connection::client(peer_config(choices), now);
        let mut world = Self { input, link, peer, streams: Vec::new(), open: Vec::new(), is_over: false, now };
        world.carry();
        let request = [(":protocol", "hotrod"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
        let connect = [&[(":method", "CONNECT")], &request[..]].concat();
        for _ in 0..SESSIONS {
            world.streams.extend(world.peer.request(now, &fields(&connect), false));
        }
        world.carry();
        world
    }

    fn carry(&mut self) {
        // A few rounds are enough: the ends reply to each other only a few times.
        for _ in 0..10 {
            let any = carry!(self.peer, self.link, self.now);
            self.poll();
            let any = carry!(self.link, self.peer, self.now) || any;
            while self.peer.poll_event().is_some() {}
            if !any {
                return;
            }
        }
    }

    fn step(&mut self) {
        let stream = self.streams.get(self.input.below(SESSIONS)).copied().unwrap_or(StreamId::CONNECTION);
        match STEPS[self.input.below(STEPS.len())] {
            "frame" => send_frame(&mut self.input, &mut self.peer, &self.streams),
            "data" => {
                let _ = self.peer.send_data(stream, self.input.blob(), self.input.byte() == 0);
            }
            "carry" => self.carry(),
            "answer" => {
                let (call, bytes, is_last) = (self.call(), self.input.blob(), self.input.flag());
                self.link.respond(stream, call, bytes, is_last);
            }
            "event" => {
                let (first, last) = (self.input.flag(), self.input.flag());
                self.link.event(stream, self.input.blob(), first, last);
            }
            "give up" => {
                let (call, applied) = (self.call(), self.input.flag());
                self.link.end_call(stream, call, ErrorCode::CANCEL, applied);
            }
            "taken" => {
                let (call, bytes) = (self.call(), self.input.size());
                self.link.release_fragment(stream, call, bytes);
            }
            "end" => {
                self.link.end(stream, if self.input.flag() { ErrorCode::NO_ERROR } else { ErrorCode::CANCEL });
                self.open.retain(|open| *open != stream);
            }
            "reset" => {
                let _ = self.peer.reset(stream, ErrorCode::CANCEL);
            }
            "time" => self.time(),
            "poll" => self.poll(),
            _ => self.rarely(stream),
        }
    }

    fn call(&mut self) -> u32 {
        u32::from(self.input.byte() % 6)
    }

    fn time(&mut self) {
        self.now = self.now + Duration::from_millis(self.input.size() as u64 * 10);
        self.link.handle_timeout(self.now);
        self.peer.handle_timeout(self.now);
    }

    fn rarely(&mut self, stream: StreamId) {
        match self.input.below(6) {
            0 => self.link.drain(self.now, 1_000),
            1 => self.link.send_node(stream, &node()),
            2 => {
                let topology = Topology { id: 1, members: Vec::new(), hash: None };
                self.link.send_topology(stream, "c", &topology);
            }
            3 => {
                self.link.refuse(stream, 503, Some(1));
                self.open.retain(|open| *open != stream);
            }
            4 => {
                let room = self.link.room(stream);
                let bytes = self.input.blob();
                self.link.send_bytes(stream, bytes.slice(..room.min(bytes.len())));
            }
            _ => self.peer.close(ErrorCode::NO_ERROR, b""),
        }
    }

    fn poll(&mut self) {
        while let Some(event) = self.link.poll_event() {
            assert!(!self.is_over, "{event:?} after the end");
            let stream = match &event {
                ServerEvent::SessionRequested { stream, request } => {
                    assert!(!self.open.contains(stream), "{stream:?} is asked for twice");
                    self.open.push(*stream);
                    if !request.is_foreign {
                        self.link.accept(*stream, &node());
                    }
                    continue;
                }
                ServerEvent::Ended { stream, .. } => {
                    assert!(self.open.contains(stream), "{stream:?} ends and is not there");
                    self.open.retain(|open| open != stream);
                    continue;
                }
                ServerEvent::Request { stream, fragment } => {
                    assert!(fragment.bytes.len() <= MAX_MESSAGE_SIZE as usize);
                    *stream
                }
                ServerEvent::Bytes { stream, .. }
                | ServerEvent::Cancelled { stream, .. }
                | ServerEvent::Finished { stream } => *stream,
                ServerEvent::Ordinary { .. } | ServerEvent::Writable { .. } | ServerEvent::Drained => continue,
                ServerEvent::Closed(_) => {
                    self.is_over = true;
                    continue;
                }
            };
            assert!(self.open.contains(&stream), "{event:?} of a session that is not there");
        }
    }
}

struct Client<'a> {
    input: Input<'a>,
    link: ClientLink,
    peer: Connection,
    channels: Vec<ChannelId>,
    open: Vec<ChannelId>,
    streams: Vec<StreamId>,
    message: u64,
    is_over: bool,
    now: Instant,
}

impl<'a> Client<'a> {
    fn new(data: &'a [u8]) -> Self {
        let mut input = Input::new(data);
        let choices = input.byte();
        let now = Instant::from_micros(1_000_000);
        let config = ClientConfig {
            frames: (choices & 16 == 0).then(|| offer(choices)),
            only_frames: choices & 32 != 0,
            ordinary_connect: choices & 64 != 0,
            limits: Limits::default(),
            budgets: FrameBudgets::default(),
            http2: Config::default(),
        };
        let mut link = ClientLink::new(config, now);
        let request = || SessionRequest { authority: "a:1".into(), path: "/".into(), ..SessionRequest::default() };
        let channels: Vec<ChannelId> = (0..SESSIONS).map(|_| link.open(now, 0, request())).collect();
        let peer = Connection::server(peer_config(choices), now);
        let open = channels.clone();
        let mut world =
            Self { input, link, peer, channels, open, streams: Vec::new(), message: 0, is_over: false, now };
        world.carry();
        world
    }

    fn carry(&mut self) {
        for _ in 0..10 {
            let any = carry!(self.peer, self.link, self.now);
            self.poll();
            let any = carry!(self.link, self.peer, self.now) || any;
            self.poll_peer();
            if !any {
                return;
            }
        }
    }

    fn poll_peer(&mut self) {
        while let Some(event) = self.peer.poll_event() {
            if let Event::Request { stream, .. } = event {
                self.streams.push(stream);
                let _ = self.peer.respond(stream, &fields(&[(":status", "200")]), false);
                let _ = self.peer.send_extension(stream, frame_type::NODE, 0, &[node().payload()]);
            }
        }
    }

    fn step(&mut self) {
        let number = self.input.below(SESSIONS);
        let (channel, stream) = (self.channels[number], self.streams.get(number).copied());
        let stream = stream.unwrap_or(StreamId::CONNECTION);
        match STEPS[self.input.below(STEPS.len())] {
            "frame" => send_frame(&mut self.input, &mut self.peer, &self.streams),
            "data" => {
                let _ = self.peer.send_data(stream, self.input.blob(), self.input.byte() == 0);
            }
            "carry" => self.carry(),
            "answer" => self.call(channel),
            "event" => {
                let mut bytes = SendBuffer::new();
                bytes.put_raw(&self.input.blob());
                self.link.send_bytes(channel, &mut bytes);
            }
            "give up" => {
                let message = u64::from(self.input.byte() % 6);
                self.link.cancel(channel, message);
            }
            "taken" => {
                let paused = self.input.flag();
                self.link.pause(channel, paused);
            }
            "end" => {
                self.link.close(channel, if self.input.flag() { ErrorCode::NO_ERROR } else { ErrorCode::CANCEL });
                self.open.retain(|open| *open != channel);
            }
            "reset" => {
                let _ = self.peer.reset(stream, ErrorCode::CANCEL);
            }
            "time" => {
                self.now = self.now + Duration::from_millis(self.input.size() as u64 * 10);
                self.link.handle_timeout(self.now);
                self.peer.handle_timeout(self.now);
            }
            "poll" => self.poll(),
            _ => match self.input.below(2) {
                0 => self.peer.drain(self.now),
                _ => self.peer.close(ErrorCode::NO_ERROR, b""),
            },
        }
    }

    /// Makes a call as the cluster machine does: if there is capacity, and with ascending ids.
    fn call(&mut self, channel: ChannelId) {
        if !self.link.can_call(channel) {
            return;
        }
        self.message += 1;
        let bytes = self.input.blob();
        if bytes.len() <= self.link.largest_whole() && self.input.flag() {
            if let Some(out) = self.link.call(channel, self.message, bytes.len()) {
                out.put_raw(&bytes);
            }
        } else if !bytes.is_empty() {
            self.link.call_in_fragments(channel, self.message, self.input.byte() % 8, VecDeque::from([bytes]));
        }
    }

    fn poll(&mut self) {
        while let Some(event) = self.link.poll_event(self.now) {
            assert!(!self.is_over, "{event:?} after the end");
            let channel = match &event {
                ClientEvent::Ended { channel, .. } => {
                    assert!(self.open.contains(channel), "{channel:?} ends and is not there");
                    self.open.retain(|open| open != channel);
                    continue;
                }
                ClientEvent::Closed(_) => {
                    self.is_over = true;
                    continue;
                }
                ClientEvent::Message { channel, message } => {
                    assert!(message.len() <= MAX_MESSAGE_SIZE as usize);
                    channel
                }
                ClientEvent::CallEnded { channel, message, .. } => {
                    assert!((1..=self.message).contains(message), "{event:?} of a call that never was");
                    channel
                }
                ClientEvent::Opened { channel, .. }
                | ClientEvent::Bytes { channel, .. }
                | ClientEvent::Node { channel, .. }
                | ClientEvent::Topology { channel, .. } => channel,
                ClientEvent::Dequeued { .. } | ClientEvent::Writable { .. } | ClientEvent::Draining { .. } => continue,
            };
            assert!(self.open.contains(channel), "{event:?} of a session that is not there");
        }
        while self.link.poll_sent().is_some() {}
        while let Some(channel) = self.link.poll_ready() {
            assert!(self.open.contains(&channel), "{channel:?} is listed and not there");
        }
    }
}

/// Combines each step with each frame type, for every kind of link.
pub(super) fn seeds() -> Vec<Seed> {
    let step = |name: &str| STEPS.iter().position(|step| *step == name).unwrap_or_default() as u8;
    let (frame, carry, answer, event) = (step("frame"), step("carry"), step("answer"), step("event"));
    let mut seeds = Vec::new();
    for (choices, kind) in [0, 8, 16, 64].into_iter().flat_map(|choices| (0..8).map(move |kind| (choices, kind))) {
        // For each session: the frame with FIRST and FIN, moved to the endpoint; a response, and an event.
        let one = |session: u8| {
            let sent = [session, frame, kind, session + 1, 3, 0, 1, 20, 7, 0, carry];
            let answered = [session, answer, 1, 30, 9, 1, session, event, 1, 1, 10, 2, 0, carry];
            [&sent[..], &answered].concat()
        };
        let script: Vec<u8> = [&[choices][..], &one(0), &one(1), &one(2)].concat();
        for target in ["carriage_server", "carriage_client"] {
            let name: String = format!("{choices}-{kind}");
            seeds.push(Seed { target, name, bytes: script.clone() });
        }
    }
    seeds
}
