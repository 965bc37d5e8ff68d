//! HTTP/2 in tunnels of HTTP/2: what all of it together may have.

use bytes::Bytes;
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Config, Connection, Event, StreamId};
use hotrod_core::time::Instant;

use crate::common::{metric, node, refusals, sidecar};
use crate::peer::{EXTENDED, Heard, Peer};

/// An inner link, in a tunnel of a peer.
pub(crate) struct Inner {
    tunnel: StreamId,
    machine: Connection,
}

impl Inner {
    pub(crate) async fn open(peer: &mut Peer) -> Self {
        let tunnel = peer.ask_session(&[("hot-rod-inside", "h2")]).await;
        assert!(matches!(peer.next_of(tunnel).await, Heard::Answer { status: 200, .. }));
        let machine = Connection::client(Config::default(), Instant::EPOCH);
        let mut inner = Self { tunnel, machine };
        inner.flush(peer).await;
        while inner.machine.peer_settings().is_none() {
            inner.read(peer).await;
        }
        inner
    }

    async fn flush(&mut self, peer: &mut Peer) {
        let bytes = self.machine.transmit().to_bytes();
        if !bytes.is_empty() {
            peer.data(self.tunnel, &bytes, false).await;
            self.machine.transmitted(bytes.len());
        }
    }

    /// Fills the pipes of the link in both directions: ordinary requests of 40 KiB, and their answers.
    pub(crate) async fn exchange(&mut self, peer: &mut Peer) {
        let value = Bytes::from(vec![b'x'; 4 << 10]);
        let ordinary = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "here")];
        let mut fields: Vec<Field> = ordinary.map(|(name, value)| Field::new(name, value)).into();
        for number in 0..60 {
            fields.truncate(ordinary.len());
            if number < 10 {
                fields.push(Field::new("x", value.clone()));
            }
            self.machine.request(Instant::EPOCH, &fields, true).unwrap();
        }
        self.flush(peer).await;
        let mut answered = 0;
        while answered < 60 {
            while let Some(event) = self.machine.poll_event() {
                answered += usize::from(matches!(event, Event::Data { end_stream: true, .. }));
            }
            if answered < 60 {
                self.read(peer).await;
            }
        }
        self.flush(peer).await;
    }

    async fn read(&mut self, peer: &mut Peer) {
        match peer.next_of(self.tunnel).await {
            Heard::Data { bytes, .. } => self.machine.receive_buffer().extend_from_slice(&bytes),
            other => panic!("{other:?}"),
        }
        self.machine.handle_filled(Instant::EPOCH);
    }

    /// Asks for a session; answers the status.
    async fn ask(&mut self, peer: &mut Peer) -> String {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let fields: Vec<Field> = EXTENDED.iter().map(|(name, value)| Field::new(bytes(name), bytes(value))).collect();
        let asked = self.machine.request(Instant::EPOCH, &fields, false).unwrap();
        self.flush(peer).await;
        loop {
            while let Some(event) = self.machine.poll_event() {
                if let Event::Response { stream, fields, .. } = event
                    && stream == asked
                {
                    return String::from_utf8(fields[0].value.to_vec()).unwrap();
                }
            }
            self.read(peer).await;
        }
    }
}

#[tokio::test]
async fn sessions_of_inner_links_count_with_those_of_their_connection() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-tunnels", "4"]).await;
    let mut peer = Peer::connect(gateway.address(), &[]).await;
    // Two tunnels, and a session in each of them.
    let (mut one, mut two) = (Inner::open(&mut peer).await, Inner::open(&mut peer).await);
    assert_eq!(one.ask(&mut peer).await, "200");
    assert_eq!(two.ask(&mut peer).await, "200");
    assert_eq!(one.ask(&mut peer).await, "429");
    assert_eq!(two.ask(&mut peer).await, "429");
    assert_eq!(refusals(&gateway, "tunnels").await, 2);
    assert_eq!(metric(&gateway, "hotrod_gateway_sessions_open").await, 2);
    // Another connection has its own.
    let mut other = Peer::connect(gateway.address(), &[]).await;
    let mut inner = Inner::open(&mut other).await;
    assert_eq!(inner.ask(&mut other).await, "200");
    node.stop().await;
}
