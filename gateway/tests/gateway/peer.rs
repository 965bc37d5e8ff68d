//! A client that the test plays frame by frame: HTTP/2 is a machine's, every Hot Rod frame is the test's own.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::{Buf, Bytes};
use hotrod_core::carriage::registry::{frame_type, setting};
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Config, Connection, ErrorCode, Event, StreamId};
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Envelope, Expiration, Intelligence, Request, RequestOptions, SendBuffer, Version, write_request,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::LONG;

/// The flags of REQUEST, RESPONSE and EVENT, with the usual urgency in a request.
pub(crate) const FIN: u8 = 1;
pub(crate) const FIRST: u8 = 0x32;
pub(crate) const WHOLE: u8 = FIRST | FIN;

/// As the registry has it: frames are spoken.
pub(crate) const FRAMES: (u16, u32) = (setting::HOT_ROD, 1);
/// With so little credit that an answer of more stays at the gateway.
pub(crate) const LITTLE_CREDIT: (u16, u32) = (setting::INITIAL_CREDIT, 64);

/// What the credit of a link grows by once it is let in: from 256 KiB to 16 MiB.
const GROWTH: u32 = (16 << 20) - (256 << 10);

/// A client's end of a link.
pub(crate) struct Peer {
    stream: TcpStream,
    machine: Connection,
    heard: VecDeque<Heard>,
    is_over: bool,
}

/// What the endpoint has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Answer { stream: StreamId, status: u16, fields: Vec<(String, String)>, is_last: bool },
    Response { stream: StreamId, call: u32, flags: u8, bytes: Bytes },
    Event { stream: StreamId, number: u32 },
    Credit { stream: StreamId, call: u32, increment: u32 },
    Cancel { stream: StreamId, call: u32, code: ErrorCode, may_have_been_applied: bool },
    Node { stream: StreamId, mode: u8, knowledge: u8, name: String, host: String, port: u16 },
    Topology { stream: StreamId, payload: Bytes },
    Drain { stream: StreamId, grace_ms: u32 },
    Data { stream: StreamId, bytes: Bytes, is_last: bool },
    Reset { stream: StreamId, code: ErrorCode },
    GoAway { last: StreamId, code: ErrorCode },
    Closed,
}

impl Peer {
    /// On a link of its own, with these settings, once both sides know each other's.
    pub(crate) async fn connect(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), settings).await
    }

    /// The same; `None` where the link is closed before the endpoint has said anything.
    pub(crate) async fn over_if_served(stream: TcpStream, settings: &[(u16, u32)]) -> Option<Self> {
        let mut peer = Self::begin(stream, settings).await;
        while peer.machine.peer_settings().is_none() {
            if !peer.read().await {
                return None;
            }
        }
        Some(peer)
    }

    /// On what a tunnel leads to.
    pub(crate) async fn over(stream: TcpStream, settings: &[(u16, u32)]) -> Self {
        let mut peer = Self::begin(stream, settings).await;
        while peer.machine.peer_settings().is_none() {
            assert!(peer.read().await, "closed before SETTINGS");
        }
        peer
    }

    async fn begin(stream: TcpStream, settings: &[(u16, u32)]) -> Self {
        let mut config = Config::default();
        config.extension_frames = frame_type::ALL.to_vec();
        config.settings.extensions = settings.to_vec();
        let machine = Connection::client(config, Instant::EPOCH);
        let mut peer = Self { stream, machine, heard: VecDeque::new(), is_over: false };
        peer.flush().await;
        peer
    }

    /// What the endpoint has said of a setting.
    pub(crate) fn setting(&self, id: u16) -> Option<u32> {
        self.machine.peer_settings().and_then(|settings| settings.get(id))
    }

    async fn flush(&mut self) {
        let bytes = self.machine.transmit().to_bytes();
        // Who is gone shows when it is read.
        let _ = self.stream.write_all(&bytes).await;
        self.machine.transmitted(bytes.len());
    }

    async fn read(&mut self) -> bool {
        let read = timeout(LONG, self.stream.read_buf(self.machine.receive_buffer())).await;
        let read = read.expect("nothing came in time").unwrap_or(0);
        self.machine.handle_filled(Instant::EPOCH);
        while let Some(event) = self.machine.poll_event() {
            self.hear(event);
        }
        self.flush().await;
        read > 0
    }

    fn hear(&mut self, event: Event) {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        self.heard.push_back(match event {
            Event::Response { stream, fields, end_stream } => {
                let mut fields: Vec<_> = fields.iter().map(|field| (text(&field.name), text(&field.value))).collect();
                let status = fields.remove(0).1.parse().unwrap();
                Heard::Answer { stream, status, fields, is_last: end_stream }
            }
            Event::Data { stream, data, end_stream } => {
                self.machine.release(stream, data.len());
                Heard::Data { stream, bytes: data, is_last: end_stream }
            }
            Event::Extension { stream, kind, flags, payload } => match frame(stream, kind, flags, payload) {
                // The link is let in, whenever the gateway learns that. Few tests are about it.
                Heard::Credit { stream: StreamId::CONNECTION, increment: GROWTH, .. } => return,
                heard => heard,
            },
            Event::Reset { stream, code, .. } => Heard::Reset { stream, code },
            Event::GoAway { last_stream, code, .. } => Heard::GoAway { last: last_stream, code },
            Event::Closed(_) => Heard::Closed,
            _ => return,
        });
    }

    /// The next thing that the endpoint says.
    pub(crate) async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return heard;
            }
            if !self.read().await && self.heard.is_empty() {
                assert!(!std::mem::replace(&mut self.is_over, true), "nothing is said after the end");
                return Heard::Closed;
            }
        }
    }

    /// The next thing about a stream.
    pub(crate) async fn next_of(&mut self, wanted: StreamId) -> Heard {
        loop {
            let heard = self.next().await;
            let about = match &heard {
                Heard::Answer { stream, .. }
                | Heard::Response { stream, .. }
                | Heard::Data { stream, .. }
                | Heard::Node { stream, .. }
                | Heard::Cancel { stream, .. }
                | Heard::Reset { stream, .. } => *stream,
                Heard::Closed => panic!("closed"),
                _ => continue,
            };
            if about == wanted {
                return heard;
            }
        }
    }

    /// The next thing that is not CREDIT.
    pub(crate) async fn next_but_credit(&mut self) -> Heard {
        loop {
            match self.next().await {
                Heard::Credit { .. } => {}
                heard => return heard,
            }
        }
    }

    /// What comes before the answer to an ordinary request that is made now.
    pub(crate) async fn before_now(&mut self) -> Vec<Heard> {
        let ordinary = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "here")];
        let now = self.ask_for(&ordinary, true).await;
        let mut before = Vec::new();
        loop {
            match self.next().await {
                Heard::Answer { stream, .. } if stream == now => {}
                Heard::Data { stream, is_last, .. } if stream == now => {
                    if is_last {
                        return before;
                    }
                }
                Heard::Closed => panic!("closed: {before:?}"),
                heard => before.push(heard),
            }
        }
    }

    /// Asks for something, by these fields behind those that every session has.
    pub(crate) async fn ask(&mut self, method: &[(&str, &str)], more: &[(&str, &str)]) -> StreamId {
        self.ask_for(&[method, more].concat(), false).await
    }

    async fn ask_for(&mut self, fields: &[(&str, &str)], is_all: bool) -> StreamId {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let fields: Vec<Field> = fields.iter().map(|(name, value)| Field::new(bytes(name), bytes(value))).collect();
        let stream = self.machine.request(Instant::EPOCH, &fields, is_all).unwrap();
        self.flush().await;
        stream
    }

    /// Asks for a session by Extended CONNECT.
    pub(crate) async fn ask_session(&mut self, more: &[(&str, &str)]) -> StreamId {
        self.ask(&EXTENDED, more).await
    }

    /// A session in frames, once NODE has come.
    pub(crate) async fn open(&mut self) -> StreamId {
        let stream = self.ask_session(&[]).await;
        let mut answer = self.next_but_credit().await;
        // Earlier sessions of the link get NODE again when the gateway learns of members.
        while matches!(answer, Heard::Node { stream: other, .. } if other != stream) {
            answer = self.next_but_credit().await;
        }
        assert!(matches!(answer, Heard::Answer { status: 200, is_last: false, .. }), "{answer:?}");
        let node = self.next_but_credit().await;
        assert!(matches!(node, Heard::Node { .. }), "{node:?}");
        stream
    }

    pub(crate) async fn send(&mut self, stream: StreamId, kind: u8, flags: u8, payload: &[u8]) {
        self.machine.send_extension(stream, kind, flags, &[Bytes::copy_from_slice(payload)]).unwrap();
        self.flush().await;
    }

    /// REQUEST.
    pub(crate) async fn request(&mut self, stream: StreamId, call: u32, flags: u8, fragment: &[u8]) {
        let payload = [&call.to_be_bytes()[..], fragment].concat();
        self.send(stream, frame_type::REQUEST, flags, &payload).await;
    }

    /// CANCEL.
    pub(crate) async fn cancel(&mut self, stream: StreamId, call: u32) {
        let payload = [call.to_be_bytes(), ErrorCode::CANCEL.0.to_be_bytes()].concat();
        self.send(stream, frame_type::CANCEL, 0, &payload).await;
    }

    /// DATA.
    pub(crate) async fn data(&mut self, stream: StreamId, bytes: &[u8], is_last: bool) {
        self.machine.send_data(stream, Bytes::copy_from_slice(bytes), is_last).unwrap();
        self.flush().await;
    }
}

/// The pseudo-header fields of a session.
pub(crate) const EXTENDED: [(&str, &str); 5] = [
    (":method", "CONNECT"),
    (":protocol", "hotrod"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "gateway.example.com"),
];

fn frame(stream: StreamId, kind: u8, flags: u8, mut payload: Bytes) -> Heard {
    match kind {
        frame_type::RESPONSE => Heard::Response { stream, call: payload.get_u32(), flags, bytes: payload },
        frame_type::EVENT => Heard::Event { stream, number: payload.get_u32() },
        frame_type::CREDIT => Heard::Credit { stream, call: payload.get_u32(), increment: payload.get_u32() },
        frame_type::CANCEL => Heard::Cancel {
            stream,
            call: payload.get_u32(),
            code: ErrorCode(payload.get_u32()),
            may_have_been_applied: flags & 1 == 1,
        },
        frame_type::NODE => {
            let text = |payload: &mut Bytes| {
                let length = payload.get_u8().into();
                String::from_utf8(payload.split_to(length).to_vec()).unwrap()
            };
            let (mode, knowledge) = (payload.get_u8(), payload.get_u8());
            let (name, host) = (text(&mut payload), text(&mut payload));
            Heard::Node { stream, mode, knowledge, name, host, port: payload.get_u16() }
        }
        frame_type::TOPOLOGY => Heard::Topology { stream, payload },
        frame_type::DRAIN => Heard::Drain { stream, grace_ms: payload.get_u32() },
        other => panic!("a frame of type {other:#x}"),
    }
}

/// A request in the cache "dist", of the newest version and a client that knows of owners.
pub(crate) fn hot_rod(message_id: u64, request: &Request) -> Bytes {
    hot_rod_knowing(message_id, 0, request)
}

/// The same, of a client that has the topology of that id.
pub(crate) fn hot_rod_knowing(message_id: u64, topology_id: u32, request: &Request) -> Bytes {
    let (version, intelligence) = (Version::LATEST, Intelligence::HashDistributionAware);
    let mut out = SendBuffer::new();
    write_request(
        Envelope { message_id, version, intelligence, topology_id },
        &RequestOptions::cache("dist"),
        request,
        &mut out,
    );
    out.to_bytes()
}

/// GET of "k".
pub(crate) fn get(message_id: u64) -> Bytes {
    hot_rod(message_id, &Request::Get { key: Bytes::from_static(b"k") })
}

/// PUT of a value of so many octets at "k".
pub(crate) fn put(message_id: u64, length: usize) -> Bytes {
    let (key, value) = (Bytes::from_static(b"k"), Bytes::from(vec![7; length]));
    hot_rod(message_id, &Request::Put { key, expiration: Expiration::DEFAULT, value })
}
