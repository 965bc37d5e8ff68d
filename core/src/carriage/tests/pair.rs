//! Both ends of a link, and the bytes between them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::carriage::{
    ChannelId, ClientConfig, ClientEvent, ClientLink, Knowledge, Mode, Node, Offer, ServerConfig, ServerEvent,
    ServerLink, SessionRequest,
};
use crate::http2::{self, StreamId};
use crate::time::Instant;
use crate::wire::Limits;

pub(super) const NOW: Instant = Instant::EPOCH;

pub(super) struct Pair {
    pub(super) client: ClientLink,
    pub(super) server: ServerLink,
    pub(super) to_client: Vec<ClientEvent>,
    pub(super) to_server: Vec<ServerEvent>,
    /// Bytes that go across at a time.
    chunk: usize,
}

pub(super) fn client_config(frames: Option<Offer>) -> ClientConfig {
    ClientConfig {
        only_frames: false,
        frames,
        ordinary_connect: false,
        limits: Limits::default(),
        http2: http2::Config::default(),
    }
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
        let server = ServerConfig { frames: server, http2: http2::Config::default() };
        Self {
            client: ClientLink::new(client, NOW),
            server: ServerLink::new(server, NOW),
            to_client: Vec::new(),
            to_server: Vec::new(),
            chunk,
        }
    }

    /// Both speak frames, as they do by default.
    pub(super) fn framed() -> Self {
        Self::new(client_config(Some(Offer::default())), Some(Offer::default()), usize::MAX)
    }

    /// With a session that was accepted.
    pub(super) fn open(&mut self) -> (ChannelId, StreamId) {
        let channel = self.client.open(NOW, request());
        self.exchange();
        let stream = self.asked();
        self.server.accept(stream, &node());
        self.exchange();
        self.to_client.clear();
        (channel, stream)
    }

    /// The stream of the session that was asked for last.
    pub(super) fn asked(&mut self) -> StreamId {
        let asked = self.to_server.iter().rev().find_map(|event| match event {
            ServerEvent::Asked { stream, .. } => Some(*stream),
            _ => None,
        });
        self.to_server.clear();
        asked.expect("a session was asked for")
    }

    /// Moves bytes until there are none, and collects what comes of them.
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
        self.to_client.extend(to_client.filter(|event| !matches!(event, ClientEvent::Went { .. })));
    }

    pub(super) fn call(&mut self, channel: ChannelId, message: u64, bytes: &[u8]) {
        let out = self.client.call(channel, message, bytes.len()).expect("a call can begin");
        out.put_slice(bytes);
    }

    pub(super) fn large_call(&mut self, channel: ChannelId, message: u64, size: usize) {
        let pieces = VecDeque::from([Bytes::from(alloc::vec![message as u8; size])]);
        self.client.call_in_fragments(channel, message, 3, pieces);
    }

    /// The server's side takes every fragment that has come, and says which calls are whole: their ids and sizes.
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
                    self.server.fragment_taken(stream, fragment.call, fragment.bytes.len());
                }
            }
            self.exchange();
            if self.to_server.is_empty() {
                return whole;
            }
        }
    }

    /// The messages that the client has got.
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
