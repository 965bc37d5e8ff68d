//! Drives an HTTP/2 connection with arbitrary hosts and peers.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::http2_model::Model;
use super::input::Input;
use super::seeds::Seed;
use crate::http2::frame::{Frame, SettingsPayload, flag};
use crate::http2::hpack::{Encoder, Field};
use crate::http2::{Config, Connection, ErrorCode, Event, KeepAlive, Role, SendBuffer, StreamId, setting};
use crate::time::Instant;

/// Registered extension frame type.
pub(super) const KIND: u8 = 0xf0;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const FRAME: u8 = 0;
const MESSAGE: u8 = 1;
const RAW: u8 = 2;
const ANSWER: u8 = 3;
const SEND: u8 = 4;
const TRAILERS: u8 = 5;
const RELEASE: u8 = 6;
const RESET: u8 = 7;
const EXTENSION: u8 = 8;
const TRANSMIT: u8 = 9;
const TRANSMIT_ALL: u8 = 10;
const POLL: u8 = 11;
const POLL_ALL: u8 = 12;
const WAIT: u8 = 13;
const TIMEOUT: u8 = 14;
const RARELY: u8 = 15;

/// Runs a script with a server: its settings, then steps of its application and of the client.
///
/// Asserts that nothing follows the end of a stream or of the connection, that sent bytes are valid HTTP/2, and that
/// the chunking of the peer's bytes makes no difference.
pub fn http2_server(data: &[u8]) {
    both_ways(Role::Server, data);
}

/// Runs a script as [`http2_server`] does, with a client.
pub fn http2_client(data: &[u8]) {
    both_ways(Role::Client, data);
}

fn both_ways(role: Role, data: &[u8]) {
    let as_given = World::new(role, data, false).run();
    let bytewise = World::new(role, data, true).run();
    assert_eq!(as_given.log, bytewise.log, "in pieces and byte by byte");
    assert!(as_given.sent == bytewise.sent, "what is sent in pieces and byte by byte");
}

struct World<'a> {
    input: Input<'a>,
    role: Role,
    connection: Connection,
    /// Encoder of the peer.
    encoder: Encoder,
    now: Instant,
    /// Whether the peer's bytes arrive one at a time.
    bytewise: bool,
    model: Model,
}

impl<'a> World<'a> {
    fn new(role: Role, data: &'a [u8], bytewise: bool) -> Self {
        let mut input = Input::new(data);
        let choices = input.byte();
        let now = Instant::from_micros(1_000_000);
        let config = config(choices);
        let connection = match role {
            Role::Client => Connection::client(config, now),
            Role::Server => Connection::server(config, now),
        };
        let mut world =
            Self { input, role, connection, encoder: Encoder::new(), now, bytewise, model: Model::new(role) };
        if choices & 1 == 0 {
            world.begin();
        }
        world
    }

    /// Sends the first frames of a well-behaved peer.
    fn begin(&mut self) {
        if self.role == Role::Server {
            self.receive(PREFACE);
        }
        let settings = SettingsPayload::new([(setting::ENABLE_CONNECT_PROTOCOL, 1), (0xf000, 1)]);
        self.receive_frame(&Frame::Settings(settings));
        self.receive_frame(&Frame::SettingsAck);
        self.encoder.set_max_table_size(self.connection.local_settings().header_table_size as usize);
    }

    fn run(mut self) -> Model {
        while !self.input.is_empty() {
            self.step();
            self.model.check(&self.connection);
        }
        self.poll(usize::MAX);
        self.connection.handle_link_lost();
        self.poll(usize::MAX);
        self.model.check_end(&self.connection);
        self.model
    }

    fn step(&mut self) {
        match self.input.byte() % 16 {
            FRAME => self.frame(),
            MESSAGE => self.message(),
            RAW => {
                let count = self.input.size();
                let bytes = self.input.slice(count);
                self.receive(bytes);
            }
            ANSWER => self.answer(),
            SEND => self.send(),
            TRAILERS => {
                let stream = self.stream();
                let _ = self.connection.send_trailers(stream, &[Field::new("x", "y")]);
            }
            RELEASE => {
                let (stream, bytes) = (self.stream(), self.input.size() * 16);
                self.connection.release(stream, bytes);
            }
            RESET => self.reset(),
            EXTENSION => {
                let (stream, payload) = (self.stream(), self.input.blob());
                let _ = self.connection.send_extension(stream, KIND, 0, &[payload]);
            }
            TRANSMIT => {
                let count = self.input.size();
                self.transmit(count);
            }
            TRANSMIT_ALL => self.transmit(usize::MAX),
            POLL => self.poll(1),
            POLL_ALL => self.poll(usize::MAX),
            WAIT => self.now = self.now + Duration::from_millis(self.input.size() as u64 * 10),
            TIMEOUT => {
                self.now = self.connection.poll_timeout().map_or(self.now, |timeout| timeout.max(self.now));
                self.connection.handle_timeout(self.now);
            }
            _ => self.rarely(),
        }
    }

    /// Selects a small identifier, probably one in use.
    fn stream(&mut self) -> StreamId {
        StreamId::new(self.input.byte().into())
    }

    /// Sends any frame, possibly with a payload of the right size.
    fn frame(&mut self) {
        const FIXED: [usize; 10] = [0, 0, 5, 4, 6, 4, 8, 8, 4, 0];
        let kind = match self.input.byte() {
            known @ 0..200 => known % 10,
            200..230 => KIND,
            other => other,
        };
        let (flags, stream) = (self.input.byte(), self.stream());
        let size = match FIXED.get(usize::from(kind)) {
            Some(fixed @ 1..) if self.input.flag() => *fixed,
            _ => self.input.size(),
        };
        let mut payload = self.input.slice(size).to_vec();
        payload.resize(size, 0);
        let mut frame = vec![0, (size >> 8) as u8, size as u8, kind, flags];
        frame.put_u32(stream.value());
        frame.extend_from_slice(&payload);
        self.receive(&frame);
    }

    /// Sends a valid field block, possibly of a valid message.
    fn message(&mut self) {
        let fields = message(self.role, self.input.byte());
        let (flags, stream) = (self.input.byte(), self.stream());
        let mut block = BytesMut::new();
        self.encoder.encode(&fields, &mut block);
        let block = block.freeze();
        let end_stream = flags & flag::END_STREAM != 0;
        let cut = if flags & flag::END_HEADERS == 0 { self.input.size().min(block.len()) } else { block.len() };
        let (fragment, rest) = (block.slice(..cut), block.slice(cut..));
        let end_headers = rest.is_empty();
        self.receive_frame(&Frame::Headers { stream, priority: None, fragment, end_stream, end_headers });
        if !end_headers {
            self.receive_frame(&Frame::Continuation { stream, fragment: rest, end_headers: true });
        }
    }

    /// Sends a response from a server, or a request from a client.
    fn answer(&mut self) {
        let (which, flags) = (self.input.byte(), self.input.byte());
        let other = if self.role == Role::Client { Role::Server } else { Role::Client };
        let fields = message(other, which);
        let (stream, end_stream) = (StreamId::new(u32::from(flags) >> 1), flags & 1 == 1);
        let _ = match self.role {
            Role::Client => self.connection.request(self.now, &fields, end_stream).is_ok(),
            Role::Server => self.connection.respond(stream, &fields, end_stream).is_ok(),
        };
    }

    fn send(&mut self) {
        let (stream, end_stream) = (self.stream(), self.input.flag());
        let content = self.input.blob().repeat(3);
        let capacity = self.connection.send_capacity(stream);
        let length = content.len();
        match self.connection.send_data(stream, Bytes::from(content), end_stream) {
            Ok(()) => assert!(length <= capacity, "more is taken than there is room for"),
            Err(_) => assert!(self.connection.send_capacity(stream) == capacity, "nothing is taken"),
        }
    }

    fn reset(&mut self) {
        let (stream, code) = (self.stream(), self.input.byte());
        if self.connection.reset(stream, ErrorCode(code.into())).is_ok() {
            self.model.was_reset(stream);
        }
    }

    fn rarely(&mut self) {
        match self.input.byte() % 8 {
            0..3 => self.connection.ping(self.now),
            3..6 => self.connection.drain(self.now),
            6 => self.connection.close(ErrorCode::NO_ERROR, b"bye"),
            _ => {
                self.connection.handle_link_lost();
                self.model.link_lost();
            }
        }
    }

    fn receive_frame(&mut self, frame: &Frame) {
        let mut out = SendBuffer::new();
        if frame.write(&mut out).is_ok() {
            self.receive(&out.to_bytes());
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(if self.bytewise { 1 } else { usize::MAX }) {
            if self.bytewise {
                self.connection.receive_buffer().put_slice(piece);
                self.connection.handle_filled(self.now);
            } else {
                self.connection.handle_received(self.now, piece);
            }
        }
    }

    fn transmit(&mut self, max: usize) {
        let bytes = self.connection.transmit().to_bytes();
        let count = max.min(bytes.len());
        self.connection.transmitted(count);
        self.model.transmitted(&bytes[..count]);
    }

    fn poll(&mut self, max: usize) {
        for _ in 0..max {
            let Some(event) = self.connection.poll_event() else { return self.model.check_complete() };
            if let Event::Closed(_) = event {
                // Sends the remaining GOAWAY.
                self.transmit(usize::MAX);
            }
            self.model.happened(event);
        }
    }
}

fn config(choices: u8) -> Config {
    let mut config = Config { extension_frames: vec![KIND], ..Config::default() };
    config.settings.enable_connect_protocol = true;
    if choices & 2 != 0 {
        config.settings.initial_window_size = 300;
        config.settings.max_concurrent_streams = Some(3);
        config.settings.header_table_size = 100;
        config.settings.max_header_list_size = Some(500);
        config.connection_window = 0;
        config.max_stream_send_bytes = 500;
        config.max_send_bytes = 1000;
        config.max_events = 4;
        config.max_event_bytes = 400;
    }
    if choices & 4 != 0 {
        let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(5));
        config.keep_alive = Some(KeepAlive { interval, timeout });
    }
    config
}

/// Fields to send to an endpoint with this role: mostly valid messages, and some invalid ones.
fn message(to: Role, which: u8) -> Vec<Field> {
    const GET: [(&str, &str); 4] = [(":method", "GET"), (":scheme", "https"), (":authority", "pod"), (":path", "/")];
    const CONNECT: (&str, &str) = (":method", "CONNECT");
    let of = |fields: &[(&'static str, &'static str)]| -> Vec<Field> {
        fields.iter().map(|(name, value)| Field::new(*name, *value)).collect()
    };
    let large = || Field::new("x-large", vec![b'x'; 6000]);
    match (which % 16, to) {
        (0..4, Role::Server) => of(&GET),
        (4, Role::Server) => of(&[&GET[..], &[("content-length", "5")]].concat()),
        (5, Role::Server) => of(&[CONNECT, (":protocol", "hotrod"), GET[1], GET[2], GET[3]]),
        (6, Role::Server) => of(&[CONNECT, GET[2]]),
        (7, Role::Server) => of(&[(":method", "HEAD"), GET[1], GET[2], GET[3]]),
        (0..4, Role::Client) => of(&[(":status", "200")]),
        (4, Role::Client) => of(&[(":status", "200"), ("content-length", "5")]),
        (5, Role::Client) => of(&[(":status", "103"), ("link", "</>")]),
        (6, Role::Client) => of(&[(":status", "204"), ("content-length", "5")]),
        (7, Role::Client) => of(&[(":status", "404")]),
        (8, _) => of(&[("trailer", "value")]),
        (9, _) => of(&[("Upper", "value")]),
        (10, _) => [of(&GET), vec![large(), large(), large()]].concat(),
        (11, _) => [of(&[(":status", "200")]), vec![large()]].concat(),
        (12, _) => of(&[&GET[..], &[("connection", "close")]].concat()),
        (13, _) => [of(&GET), vec![Field::new("cookie", "secret").sensitive()]].concat(),
        _ => Vec::new(),
    }
}

/// Useful scripts for both targets.
pub(super) fn http2_seeds() -> Vec<Seed> {
    let server: [(&str, &[&[u8]]); 9] = [
        ("get", &[&[0, MESSAGE, 0, 5, 1, POLL_ALL, ANSWER, 0, 2, SEND, 1, 1, 9, 7, TRANSMIT_ALL]]),
        ("post", &[&[0, MESSAGE, 4, 4, 1, FRAME, 0, 1, 1, 5], b"hello", &[POLL_ALL, RELEASE, 1, 5, ANSWER, 0, 3]]),
        ("tunnel", &[&[0, MESSAGE, 5, 4, 1, POLL, ANSWER, 0, 2, SEND, 1, 0, 200, 7, TRANSMIT_ALL, POLL_ALL]]),
        ("extension", &[&[0, MESSAGE, 5, 4, 1, FRAME, 200, 0, 1, 3, 1, 2, 3, POLL_ALL, EXTENSION, 1, 9, 7]]),
        ("continuation", &[&[0, MESSAGE, 0, 1, 1, 3, POLL_ALL, TRANSMIT_ALL]]),
        ("trailers", &[&[0, MESSAGE, 0, 4, 1, MESSAGE, 8, 5, 1, POLL_ALL, ANSWER, 0, 2, TRAILERS, 1, TRANSMIT_ALL]]),
        ("reset", &[&[0, MESSAGE, 0, 4, 1, FRAME, 3, 0, 1, 1, 0, 0, 0, 8, MESSAGE, 0, 4, 3, RESET, 3, 8, POLL_ALL]]),
        ("small", &[&[2, MESSAGE, 5, 4, 1, POLL, ANSWER, 0, 2, SEND, 1, 0, 100, 7, SEND, 1, 0, 100, 7, TRANSMIT, 20]]),
        ("drained", &[&[4, MESSAGE, 0, 5, 1, RARELY, 3, TRANSMIT_ALL, TIMEOUT, POLL_ALL, ANSWER, 0, 3, TIMEOUT]]),
    ];
    let client: [(&str, &[&[u8]]); 6] = [
        ("get", &[&[0, ANSWER, 0, 1, TRANSMIT_ALL, MESSAGE, 4, 4, 1, FRAME, 0, 1, 1, 5], b"hello", &[POLL_ALL]]),
        ("tunnel", &[&[0, ANSWER, 5, 0, MESSAGE, 0, 4, 1, SEND, 1, 0, 200, 7, TRANSMIT_ALL, POLL_ALL]]),
        ("interim", &[&[0, ANSWER, 0, 1, MESSAGE, 5, 4, 1, MESSAGE, 0, 5, 1, POLL_ALL]]),
        ("window", &[&[0, ANSWER, 5, 0, SEND, 1, 0, 250, 7, FRAME, 8, 0, 0, 1, 0, 0, 9, 9, TRANSMIT_ALL, POLL]]),
        ("goaway", &[&[0, ANSWER, 0, 0, ANSWER, 0, 0, FRAME, 7, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, POLL_ALL]]),
        (
            "keep-alive",
            &[&[4, ANSWER, 0, 0, TIMEOUT, TRANSMIT_ALL, FRAME, 6, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, TIMEOUT]],
        ),
    ];
    let seed =
        |target: &'static str, name: &str, steps: &[&[u8]]| Seed { target, name: name.into(), bytes: steps.concat() };
    let server = server.iter().map(|(name, steps)| seed("http2_server", name, steps));
    let client = client.iter().map(|(name, steps)| seed("http2_client", name, steps));
    server.chain(client).collect()
}

/// Input of either target for these bytes of a peer after the handshake.
pub fn http2_seed(bytes: &[u8]) -> Vec<u8> {
    let pieces = bytes.chunks(127).map(|piece| [&[RAW, piece.len() as u8], piece].concat());
    [vec![0], pieces.flatten().collect(), vec![POLL_ALL]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Detects seeds that end early because the meaning of a choice has changed.
    #[test]
    fn scripts_lead_where_their_names_say() {
        for seed in http2_seeds() {
            let role = if seed.target == "http2_client" { Role::Client } else { Role::Server };
            let log = World::new(role, &seed.bytes, false).run().log;
            let begun = |event: &Event| matches!(event, Event::Request { .. } | Event::Response { .. });
            let expected = match seed.name.as_str() {
                "window" | "goaway" | "keep-alive" => log.len() >= 2,
                "post" => log.iter().any(|event| matches!(event, Event::Data { end_stream: true, .. })),
                "extension" => log.iter().any(|event| matches!(event, Event::Extension { .. })),
                "interim" => log.iter().any(|event| matches!(event, Event::Interim { .. })),
                "trailers" => log.iter().any(|event| matches!(event, Event::Trailers { .. })),
                "drained" => log.iter().any(|event| matches!(event, Event::Drained)),
                _ => log.iter().any(begun),
            };
            assert!(expected, "{}: {log:?}", seed.name);
        }
    }
}
