//! The frames: a request with content, the windows that grow with what is read, and a PING.

use bytes::{Bytes, BytesMut};
use hotrod_core::http2::StreamId;
use hotrod_core::http2::frame::{Frame, SettingsPayload};
use hotrod_core::http2::hpack::{Encoder, Field};
use hotrod_core::wire::SendBuffer;

/// Exchanges of a call.
pub const EXCHANGES: usize = 16;
/// DATA frames of a message, and the octets of each.
pub const DATA: usize = 8;
pub const CONTENT: Bytes = Bytes::from_static(&[7; 100]);
/// HEADERS, DATA, WINDOW_UPDATE of the stream and of the connection, PING.
pub const FRAMES: u64 = DATA as u64 + 4;
/// What it is answered: HEADERS, DATA, and an answer to PING.
pub const ANSWER_FRAMES: u64 = DATA as u64 + 2;
pub const OPAQUE: u64 = 0x0123_4567_89ab_cdef;
/// What comes before the first frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub fn request() -> [Field; 6] {
    [
        Field::new(":method", "POST"),
        Field::new(":scheme", "https"),
        Field::new(":path", "/hotrod"),
        Field::new(":authority", "hotrod.apps.example.com"),
        Field::new("user-agent", "libhotrod/0.1.0"),
        Field::new("content-type", "application/octet-stream"),
    ]
}

pub fn response() -> [Field; 2] {
    [Field::new(":status", "200"), Field::new("content-type", "application/octet-stream")]
}

/// An exchange's frames from its client, with a field block that is encoded already.
pub fn exchange(stream: StreamId, fragment: Bytes) -> Vec<Frame> {
    let grows = |stream| Frame::WindowUpdate { stream, increment: (DATA * CONTENT.len()) as u32 };
    let mut frames = vec![Frame::Headers { stream, priority: None, fragment, end_stream: false, end_headers: true }];
    frames.extend((1..=DATA).map(|n| Frame::Data { stream, data: CONTENT, padding: 0, end_stream: n == DATA }));
    frames.extend([grows(stream), grows(StreamId::CONNECTION), Frame::Ping { ack: false, opaque: OPAQUE }]);
    frames
}

/// What a client sends.
pub struct Client {
    /// From the preface on: SETTINGS, and the first exchange, on stream 1, whose fields become entries of the table.
    pub first: Vec<u8>,
    /// A later exchange.
    pub later: Vec<u8>,
    /// Where the identifiers of its stream are in that.
    pub streams: Vec<usize>,
}

impl Client {
    pub fn new() -> Self {
        let (mut encoder, mut block) = (Encoder::new(), BytesMut::new());
        let mut encode = || {
            encoder.encode(&request(), &mut block);
            block.split().freeze()
        };
        let stream = StreamId::new(1);
        let settings = Frame::Settings(SettingsPayload::default());
        let mut first = PREFACE.to_vec();
        let opening = [vec![settings, Frame::SettingsAck], exchange(stream, encode())].concat();
        opening.iter().for_each(|frame| first.extend(bytes_of(frame)));
        let (mut later, mut streams) = (Vec::new(), Vec::new());
        for frame in exchange(stream, encode()) {
            if frame.stream() == stream {
                streams.push(later.len() + 5);
            }
            later.extend(bytes_of(&frame));
        }
        Self { first, later, streams }
    }

    /// What comes behind the preface.
    pub fn first_frames(&self) -> &[u8] {
        &self.first[PREFACE.len()..]
    }

    /// Later exchanges, as many as a call makes; those of a connection have streams of their own.
    pub fn exchanges(&self, mut next: impl FnMut() -> u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..EXCHANGES {
            let (at, stream) = (bytes.len(), next().to_be_bytes());
            bytes.extend_from_slice(&self.later);
            self.streams.iter().for_each(|offset| bytes[at + offset..at + offset + 4].copy_from_slice(&stream));
        }
        bytes
    }

    /// For a program in another language: the three parts, each behind its length.
    pub fn to_file(&self) -> Vec<u8> {
        let offsets: Vec<u8> = self.streams.iter().flat_map(|offset| (*offset as u32).to_be_bytes()).collect();
        let with_length = |part: &[u8]| [&(part.len() as u32).to_be_bytes(), part].concat();
        [with_length(&self.first), with_length(&self.later), with_length(&offsets)].concat()
    }
}

fn bytes_of(frame: &Frame) -> Bytes {
    let mut out = SendBuffer::new();
    frame.write(&mut out).expect("not too large");
    out.to_bytes()
}
