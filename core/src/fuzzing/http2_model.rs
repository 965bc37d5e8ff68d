//! Model of an HTTP/2 connection: valid sequences of events and of sent frames.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::http2::KIND;
use crate::http2::frame::{Frame, FrameDecoder};
use crate::http2::hpack::{DEFAULT_TABLE_SIZE, Decoder};
use crate::http2::{Connection, Event, Reason, Role, StreamId};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Upper bound of unsent bytes: the limits of the default configuration, and a margin.
const MAX_OUTPUT: usize = 9 << 20;

/// State of a stream, as the application and the peer see it.
#[derive(Default)]
struct Stream {
    progress: Progress,
    /// Whether END_STREAM or RST_STREAM was sent.
    has_sent_end: bool,
}

/// Progress of a stream's events.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    #[default]
    Nothing,
    /// The request (on a server) or the response (on a client) was reported.
    Message,
    /// The last part was reported: only a reset may follow.
    All,
    /// The end was reported, unless the application caused it: nothing may follow.
    End,
}

pub(super) struct Model {
    role: Role,
    streams: BTreeMap<StreamId, Stream>,
    is_closed: bool,
    is_lost: bool,
    reason: Option<Reason>,
    sent_frames: FrameDecoder,
    has_sent_preface: bool,
    blocks: Decoder,
    /// Fragments of an incomplete field block.
    fragments: Vec<u8>,
    last: Option<Frame>,
    /// All events.
    pub(super) log: Vec<Event>,
    /// All sent bytes.
    pub(super) sent: Vec<u8>,
}

impl Model {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            streams: BTreeMap::new(),
            is_closed: false,
            is_lost: false,
            reason: None,
            sent_frames: FrameDecoder::new(1 << 24),
            has_sent_preface: false,
            blocks: Decoder::new(DEFAULT_TABLE_SIZE, usize::MAX),
            fragments: Vec::new(),
            last: None,
            log: Vec::new(),
            sent: Vec::new(),
        }
    }

    pub(super) fn was_reset(&mut self, stream: StreamId) {
        self.streams.entry(stream).or_default().progress = Progress::End;
    }

    /// Unsent bytes are dropped.
    pub(super) fn link_lost(&mut self) {
        self.is_lost = true;
    }

    pub(super) fn happened(&mut self, event: Event) {
        assert!(!self.is_closed, "{event:?} after the end");
        match &event {
            Event::Request { stream, end_stream, .. } => {
                assert_eq!(self.role, Role::Server);
                self.begins(*stream, *end_stream);
            }
            Event::Response { stream, end_stream, .. } => {
                assert_eq!(self.role, Role::Client);
                self.begins(*stream, *end_stream);
            }
            Event::Interim { stream, .. } => assert_eq!(self.of(*stream).progress, Progress::Nothing),
            Event::Data { stream, data, end_stream } => {
                assert!(!data.is_empty() || *end_stream);
                self.goes_on(*stream, *end_stream);
            }
            Event::Trailers { stream, .. } => self.goes_on(*stream, true),
            Event::Reset { stream, .. } => self.of(*stream).progress = Progress::End,
            Event::Extension { stream, kind, .. } => {
                assert_eq!(*kind, KIND);
                if !stream.is_connection() {
                    self.of(*stream);
                }
            }
            Event::Writable { stream } => {
                // The stream may have ended after the event.
                assert!(self.role == Role::Client || self.streams.contains_key(stream));
            }
            Event::StrayExtension { kind, .. } => assert_eq!(*kind, KIND),
            Event::Settings | Event::GoAway { .. } | Event::Drained => {}
            Event::Closed(reason) => {
                self.is_closed = true;
                self.reason = Some(*reason);
            }
        }
        self.log.push(event);
    }

    /// Stream of which events are allowed.
    fn of(&mut self, stream: StreamId) -> &mut Stream {
        let stream = self.streams.entry(stream).or_default();
        assert!(stream.progress < Progress::End, "something follows the end of a stream");
        stream
    }

    fn begins(&mut self, stream: StreamId, end_stream: bool) {
        let stream = self.of(stream);
        assert_eq!(stream.progress, Progress::Nothing, "a stream begins twice");
        stream.progress = if end_stream { Progress::All } else { Progress::Message };
    }

    fn goes_on(&mut self, stream: StreamId, end_stream: bool) {
        let stream = self.of(stream);
        assert_eq!(stream.progress, Progress::Message, "content before a message, or after its end");
        if end_stream {
            stream.progress = Progress::All;
        }
    }

    /// Asserts that no event is missing: streams that ended on both sides are removed.
    pub(super) fn check_complete(&mut self) {
        for stream in self.streams.values_mut() {
            if stream.progress == Progress::All && stream.has_sent_end {
                stream.progress = Progress::End;
            }
        }
    }

    /// Asserts that sent bytes are valid HTTP/2.
    pub(super) fn transmitted(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
        self.sent_frames.receive(bytes);
        if self.role == Role::Client && !self.has_sent_preface {
            match self.sent_frames.take_prefix(PREFACE) {
                Some(is_there) => assert!(is_there),
                None => return,
            }
            self.has_sent_preface = true;
        }
        while let Some(frame) = self.sent_frames.poll() {
            let frame = frame.expect("a frame that is one");
            self.check_sent(&frame);
            self.last = Some(frame);
        }
    }

    fn check_sent(&mut self, frame: &Frame) {
        assert!(
            self.fragments.is_empty() || matches!(frame, Frame::Continuation { .. }),
            "a frame in the midst of a field block"
        );
        match frame {
            Frame::Data { stream, end_stream, .. } => self.sends(*stream, *end_stream),
            Frame::Headers { stream, fragment, end_stream, end_headers, .. } => {
                self.sends(*stream, *end_stream);
                self.sends_block(fragment, *end_headers);
            }
            Frame::Continuation { fragment, end_headers, .. } => self.sends_block(fragment, *end_headers),
            Frame::RstStream { stream, .. } => self.streams.entry(*stream).or_default().has_sent_end = true,
            Frame::Extension { stream, kind, .. } => {
                assert_eq!(kind.0, KIND);
                if !stream.is_connection() {
                    self.sends(*stream, false);
                }
            }
            Frame::Priority { .. } | Frame::PushPromise { .. } => panic!("{frame:?}"),
            _ => {}
        }
    }

    fn sends(&mut self, stream: StreamId, end_stream: bool) {
        let stream = self.streams.entry(stream).or_default();
        assert!(!stream.has_sent_end, "something is sent after the end of a stream");
        stream.has_sent_end = end_stream;
    }

    fn sends_block(&mut self, fragment: &[u8], end_headers: bool) {
        self.fragments.extend_from_slice(fragment);
        if end_headers {
            self.blocks.decode(&self.fragments).expect("a field block that is one");
            self.fragments.clear();
        }
    }

    /// Invariants at any time.
    pub(super) fn check(&self, connection: &Connection) {
        let out = connection.transmit();
        assert_eq!(out.len(), out.segments().map(<[u8]>::len).sum::<usize>());
        assert!(out.len() < MAX_OUTPUT, "{} bytes wait", out.len());
        if connection.is_closed() {
            assert_eq!((connection.open_streams(), connection.poll_timeout()), (0, None));
            assert!(!connection.wants_read());
        }
        if self.role == Role::Server {
            let limit = connection.local_settings().max_concurrent_streams.expect("a limit");
            assert!(connection.open_streams() <= limit as usize);
        }
    }

    /// Invariants at the end, after all events were polled.
    pub(super) fn check_end(&self, connection: &Connection) {
        self.check(connection);
        assert!(self.is_closed && connection.is_closed(), "no last event");
        if !self.is_lost && self.reason != Some(Reason::LinkLost) {
            let Some(Frame::GoAway { .. }) = self.last else { panic!("no goodbye, but {:?}", self.last) };
        }
    }
}
