//! Both ends of a link, connected in memory.

use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::carriage::{
    ChannelId, ClientConfig, ClientEvent, ClientLink, FrameBudgets, Knowledge, Mode, Node, Offer, ServerConfig,
    ServerEvent, ServerLink, SessionRequest,
};
use crate::http1::Fields;
use crate::http2::frame::{Frame, FrameDecoder};
use crate::http2::{ErrorCode, StreamId};
use crate::time::Instant;

pub(super) const NOW: Instant = Instant::EPOCH;

pub(super) struct Pair {
    pub(super) client: ClientLink,
    pub(super) server: ServerLink,
    pub(super) to_client: Vec<ClientEvent>,
    pub(super) to_server: Vec<ServerEvent>,
    /// The session opened last.
    last: Option<ChannelId>,
    /// Most bytes per transfer.
    chunk: usize,
}

pub(super) fn client_config(frames: Option<Offer>) -> ClientConfig {
    ClientConfig { frames, ..ClientConfig::default() }
}

pub(super) fn node() -> Node {
    Node {
        mode: Mode::SIDECAR,
        knowledge: Knowledge::OWN_CONNECTION,
        name: "pod-1".into(),
        host: "10.0.0.7".into(),
        port: 11222,
    }
}

pub(super) fn request() -> SessionRequest {
    SessionRequest { authority: "gate:443".into(), path: "/".into(), ..SessionRequest::default() }
}

impl Pair {
    pub(super) fn new(client: ClientConfig, server: Option<Offer>, chunk: usize) -> Self {
        Self { chunk, ..Self::with_budgets(client, server, FrameBudgets::default()) }
    }

    pub(super) fn with_budgets(client: ClientConfig, server: Option<Offer>, budgets: FrameBudgets) -> Self {
        let server = ServerConfig { frames: server, budgets, ..ServerConfig::default() };
        Self {
            client: ClientLink::new(client, NOW),
            server: ServerLink::new(server, NOW),
            to_client: Vec::new(),
            to_server: Vec::new(),
            last: None,
            chunk: usize::MAX,
        }
    }

    /// Creates a pair with frames and default settings.
    pub(super) fn framed() -> Self {
        Self::new(client_config(Some(Offer::default())), Some(Offer::default()), usize::MAX)
    }

    /// Opens a session that is accepted.
    pub(super) fn open(&mut self) -> (ChannelId, StreamId) {
        let channel = self.client.open(NOW, 0, request());
        self.exchange();
        let stream = self.requested();
        self.server.accept(stream, &node());
        self.exchange();
        self.to_client.clear();
        self.last = Some(channel);
        (channel, stream)
    }

    /// The session opened last.
    pub(super) fn client_channel(&self) -> ChannelId {
        self.last.expect("one was opened")
    }

    /// Returns the stream of the session requested last.
    pub(super) fn requested(&mut self) -> StreamId {
        let stream = self.to_server.iter().rev().find_map(|event| match event {
            ServerEvent::SessionRequested { stream, .. } => Some(*stream),
            _ => None,
        });
        self.to_server.clear();
        stream.expect("a session was requested")
    }

    /// Transfers bytes until there are none, and collects the events.
    pub(super) fn exchange(&mut self) {
        loop {
            let to_server = take(self.chunk, self.client.transmit().to_bytes());
            for piece in &to_server {
                self.client.transmitted(piece.len());
                self.server.receive_buffer().extend_from_slice(piece);
                self.server.handle_filled(NOW);
                self.poll();
            }
            let to_client = take(self.chunk, self.server.transmit().to_bytes());
            for piece in &to_client {
                self.server.transmitted(piece.len());
                self.client.receive_buffer().extend_from_slice(piece);
                self.client.handle_filled(NOW);
                self.poll();
            }
            if to_server.is_empty() && to_client.is_empty() {
                return;
            }
        }
    }

    fn poll(&mut self) {
        self.to_server.extend(core::iter::from_fn(|| self.server.poll_event()));
        let to_client = core::iter::from_fn(|| self.client.poll_event(NOW));
        self.to_client.extend(to_client.filter(|event| !matches!(event, ClientEvent::Dequeued { .. })));
    }

    /// Feeds forged bytes to the endpoint. Returns its events and the frames that it sends.
    pub(super) fn at_server(&mut self, bytes: &[u8]) -> (Vec<ServerEvent>, Vec<Frame>) {
        self.server.receive_buffer().extend_from_slice(bytes);
        self.server.handle_filled(NOW);
        let events = core::iter::from_fn(|| self.server.poll_event()).collect();
        let output = self.server.transmit().to_bytes();
        self.server.transmitted(output.len());
        (events, frames(&output))
    }

    /// Feeds forged bytes to the client. Returns its events and the frames that it sends.
    pub(super) fn at_client(&mut self, bytes: &[u8]) -> (Vec<ClientEvent>, Vec<Frame>) {
        self.client.receive_buffer().extend_from_slice(bytes);
        self.client.handle_filled(NOW);
        let events = core::iter::from_fn(|| self.client.poll_event(NOW)).collect();
        let output = self.client.transmit().to_bytes();
        self.client.transmitted(output.len());
        (events, frames(&output))
    }

    /// Feeds a forged frame to the endpoint, and collects the events of both ends.
    pub(super) fn forge_to_server(&mut self, stream: u32, kind: u8, flags: u8, payload: &[u8]) {
        self.server.receive_buffer().extend_from_slice(&frame(stream, kind, flags, payload));
        self.server.handle_filled(NOW);
        self.poll();
        self.exchange();
    }

    pub(super) fn call(&mut self, channel: ChannelId, message: u64, bytes: &[u8]) {
        let out = self.client.call(channel, message, bytes.len()).expect("a call can begin");
        out.put_slice(bytes);
    }

    pub(super) fn large_call(&mut self, channel: ChannelId, message: u64, size: usize) {
        let pieces = VecDeque::from([Bytes::from(alloc::vec![message as u8; size])]);
        self.client.call_in_fragments(channel, message, 3, pieces);
    }

    /// Consumes all received fragments at the endpoint. Returns the id and size of each complete request.
    pub(super) fn take_requests(&mut self) -> Vec<(u32, usize)> {
        let mut whole = Vec::new();
        let mut sizes = alloc::collections::BTreeMap::new();
        loop {
            for event in core::mem::take(&mut self.to_server) {
                let ServerEvent::Request { stream, fragment } = event else { continue };
                let size = sizes.entry(fragment.call).or_insert(0);
                *size += fragment.bytes.len();
                if fragment.is_last {
                    whole.push((fragment.call, *size));
                }
                if !fragment.is_whole() {
                    self.server.release_fragment(stream, fragment.call, fragment.bytes.len());
                }
            }
            self.exchange();
            if self.to_server.is_empty() {
                return whole;
            }
        }
    }

    /// Removes and returns the messages received by the client.
    pub(super) fn messages(&mut self) -> Vec<Bytes> {
        let events = core::mem::take(&mut self.to_client);
        events
            .into_iter()
            .filter_map(|event| match event {
                ClientEvent::Message { message, .. } => Some(message),
                _ => None,
            })
            .collect()
    }
}

fn take(chunk: usize, bytes: Bytes) -> Vec<Bytes> {
    bytes.chunks(chunk.min(bytes.len()).max(1)).map(Bytes::copy_from_slice).collect()
}

/// Encodes a frame.
pub(super) fn frame(stream: u32, kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Encodes the payload of CREDIT or CANCEL.
pub(super) fn numbers(call: u32, number: u32) -> Vec<u8> {
    [call.to_be_bytes(), number.to_be_bytes()].concat()
}

/// Encodes the payload of REQUEST, RESPONSE or EVENT.
pub(super) fn fragment(call: u32, bytes: &[u8]) -> Vec<u8> {
    [&call.to_be_bytes()[..], bytes].concat()
}

fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut decoder = FrameDecoder::new(1 << 24);
    decoder.receive(bytes.strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap_or(bytes));
    core::iter::from_fn(|| decoder.poll()).map(|frame| frame.expect("a good frame")).collect()
}

/// Error that one end reports to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportedError {
    None,
    /// RST_STREAM of the first stream.
    Stream(ErrorCode),
    /// GOAWAY.
    Connection(ErrorCode),
}

impl ReportedError {
    pub(super) fn by(frames: &[Frame]) -> Self {
        let goaway = frames.iter().find_map(|frame| match frame {
            Frame::GoAway { code, .. } => Some(Self::Connection(*code)),
            _ => None,
        });
        let reset = frames.iter().find_map(|frame| match frame {
            Frame::RstStream { stream, code } if *stream == StreamId::new(1) => Some(Self::Stream(*code)),
            _ => None,
        });
        goaway.or(reset).unwrap_or(Self::None)
    }
}

/// Returns the type, flags and payload of the Hot Rod frames.
pub(super) fn hot_rod(frames: &[Frame]) -> Vec<(u8, u8, Bytes)> {
    let of = |frame: &Frame| match frame {
        Frame::Extension { kind, flags, payload, .. } => Some((kind.0, *flags, payload.clone())),
        _ => None,
    };
    frames.iter().filter_map(of).collect()
}

/// Returns the header fields of a member's response, with its name and the address of [`node`].
pub(super) fn answer(name: &str) -> Fields {
    let mut fields = Fields::new();
    fields.push("hot-rod-node", name.to_string()).expect("a field");
    if let Some(address) = node().address() {
        fields.push("hot-rod-address", address.to_string()).expect("a field");
    }
    fields
}
