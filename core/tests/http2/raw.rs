//! An endpoint with a peer that sends arbitrary frames.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hotrod_core::http2::frame::{Frame, FrameDecoder, FrameKind, SettingsPayload};
use hotrod_core::http2::hpack::{Encoder, Field};
use hotrod_core::http2::{Config, Connection, ErrorCode, Event, Reason, StreamId};
use hotrod_core::time::Instant;

use crate::frames::written;
use crate::pair::{events, get, ok, post, start, take};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) struct Raw {
    pub(crate) endpoint: Connection,
    pub(crate) now: Instant,
    encoder: Encoder,
    replies: FrameDecoder,
}

pub(crate) fn id(stream: u32) -> StreamId {
    StreamId::new(stream)
}

pub(crate) fn data(stream: u32, data: impl Into<Bytes>, end_stream: bool) -> Frame {
    Frame::Data { stream: id(stream), data: data.into(), padding: 0, end_stream }
}

pub(crate) fn window_update(stream: u32, increment: u32) -> Frame {
    Frame::WindowUpdate { stream: id(stream), increment }
}

pub(crate) fn rst_stream(stream: u32, code: ErrorCode) -> Frame {
    Frame::RstStream { stream: id(stream), code }
}

pub(crate) fn settings(settings: &[(u16, u32)]) -> Frame {
    Frame::Settings(SettingsPayload::new(settings.iter().copied()))
}

pub(crate) fn extension(stream: u32, kind: u8) -> Frame {
    Frame::Extension { stream: id(stream), kind: FrameKind(kind), flags: 0, payload: "any".into() }
}

impl Raw {
    /// A server that has received the client's preface only.
    pub(crate) fn silent_server(config: Config) -> Self {
        Self::new(Connection::server(config, start()))
    }

    /// A server after the handshake.
    pub(crate) fn server(config: Config) -> Self {
        let mut raw = Self::silent_server(config);
        raw.endpoint.handle_received(raw.now, PREFACE);
        raw.shake_hands();
        raw
    }

    /// A client after the handshake.
    pub(crate) fn client(config: Config) -> Self {
        let mut raw = Self::new(Connection::client(config, start()));
        let preface = take(&mut raw.endpoint);
        raw.replies.receive(preface.strip_prefix(PREFACE).expect("a client's preface"));
        raw.shake_hands();
        raw
    }

    fn new(endpoint: Connection) -> Self {
        Self { endpoint, now: start(), encoder: Encoder::new(), replies: FrameDecoder::new(1 << 24) }
    }

    fn shake_hands(&mut self) {
        self.send(&[settings(&[]), Frame::SettingsAck]);
        assert_eq!(self.events(), [Event::Settings]);
        self.replies();
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.endpoint.handle_received(self.now, bytes);
    }

    pub(crate) fn send<'a>(&mut self, frames: impl IntoIterator<Item = &'a Frame>) {
        self.bytes(&written(frames));
    }

    /// A whole field block in one frame.
    pub(crate) fn headers(&mut self, stream: u32, fields: &[Field], end_stream: bool) -> Frame {
        let mut block = BytesMut::new();
        self.encoder.encode(fields, &mut block);
        let fragment = block.freeze();
        Frame::Headers { stream: id(stream), priority: None, fragment, end_stream, end_headers: true }
    }

    pub(crate) fn send_headers(&mut self, stream: u32, fields: &[Field], end_stream: bool) {
        let frame = self.headers(stream, fields, end_stream);
        self.send([&frame]);
    }

    /// Opens a stream at a server; with `end_stream` the request is complete.
    pub(crate) fn open(&mut self, stream: u32, end_stream: bool) {
        let fields = if end_stream { get("/") } else { post("/") };
        self.send_headers(stream, &fields, end_stream);
        let expected = Event::Request { stream: id(stream), fields, end_stream };
        assert!(self.events().last() == Some(&expected), "stream {stream} is not opened");
    }

    /// Opens a stream and ends both sides.
    pub(crate) fn complete(&mut self, stream: u32) {
        self.open(stream, true);
        self.endpoint.respond(id(stream), &ok(), true).unwrap();
        self.replies();
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        events(&mut self.endpoint)
    }

    /// Frames sent by the endpoint since the last call.
    pub(crate) fn replies(&mut self) -> Vec<Frame> {
        let bytes = take(&mut self.endpoint);
        self.replies.receive(&bytes);
        std::iter::from_fn(|| self.replies.poll()).map(Result::unwrap).collect()
    }

    /// Asserts that the endpoint ends the connection with this code, in its last frame and its last event.
    pub(crate) fn fails(&mut self, expected: ErrorCode) -> &'static str {
        let replies = self.replies();
        let Some(Frame::GoAway { code, debug, .. }) = replies.last() else { panic!("no GOAWAY: {replies:?}") };
        assert_eq!(*code, expected, "{debug:?}");
        let events = self.events();
        let Some(Event::Closed(Reason::Violation { code, detail })) = events.last() else { panic!("{events:?}") };
        assert_eq!((*code, detail.as_bytes()), (expected, &debug[..]));
        assert!(self.endpoint.is_closed());
        detail
    }

    /// Asserts that the endpoint resets the stream with this code, and that the connection continues.
    pub(crate) fn resets(&mut self, stream: u32, expected: ErrorCode) {
        let replies = self.replies();
        assert!(replies.contains(&rst_stream(stream, expected)), "{replies:?}");
        assert!(!self.endpoint.is_closed());
    }

    /// As [`resets`](Self::resets), with an event for the application.
    pub(crate) fn resets_aloud(&mut self, stream: u32, expected: ErrorCode) {
        self.resets(stream, expected);
        let events = self.events();
        let reset = Event::Reset { stream: id(stream), code: expected, by_peer: false };
        assert_eq!(events.last(), Some(&reset));
    }

    /// Asserts that nothing happens but acknowledgements.
    pub(crate) fn tolerates(&mut self) {
        assert_eq!(self.replies(), []);
        assert_eq!(self.events(), []);
        assert!(!self.endpoint.is_closed());
    }

    pub(crate) fn later(&mut self, by: Duration) {
        self.now = self.now + by;
        self.endpoint.handle_timeout(self.now);
    }
}
