//! Credit and the bandwidth-delay product (section 7): credit fills a long path, and causes no queue on a slow one.

use alloc::collections::VecDeque;
use alloc::vec;
use core::time::Duration;

use bytes::Bytes;

use super::pair::{NOW, client_config, node, request};
use crate::carriage::{ChannelId, ClientEvent, ClientLink, Offer, ServerConfig, ServerEvent, ServerLink};
use crate::http2::StreamId;
use crate::time::Instant;

/// Size of a large message, whose duration shows the bytes in flight.
const SIZE: usize = 8 << 20;

/// Both ends of a link with latency and limited bandwidth.
struct SlowLink {
    now: Instant,
    delay: Duration,
    bytes_per_millisecond: usize,
    client: ClientLink,
    server: ServerLink,
    to_client: Direction,
    to_server: Direction,
    /// Received bytes of the request and of the response.
    received: (usize, usize),
}

#[derive(Default)]
struct Direction {
    in_flight: VecDeque<(Instant, Bytes)>,
    /// Time at which the last queued byte is on the wire.
    free_at: Instant,
    /// Most bytes in flight.
    most: usize,
}

impl Direction {
    fn send(&mut self, bytes: &Bytes, link: (Instant, Duration, usize)) {
        let (now, delay, bytes_per_millisecond) = link;
        for piece in bytes.chunks(4096) {
            let takes = Duration::from_micros((piece.len() * 1000 / bytes_per_millisecond) as u64);
            self.free_at = self.free_at.max(now) + takes;
            self.in_flight.push_back((self.free_at + delay, Bytes::copy_from_slice(piece)));
        }
        self.most = self.most.max(self.in_flight.iter().map(|(_, piece)| piece.len()).sum());
    }

    fn arrives(&self) -> Option<Instant> {
        self.in_flight.front().map(|(at, _)| *at)
    }
}

impl SlowLink {
    /// Opens a session that is accepted.
    fn open(milliseconds: u64, bytes_per_millisecond: usize) -> (Self, ChannelId, StreamId) {
        let offer = Offer { connection_credit: 4 << 20, ..Offer::default() };
        let server = ServerConfig { frames: Some(offer), ..ServerConfig::default() };
        let mut link = Self {
            now: NOW,
            delay: Duration::from_millis(milliseconds),
            bytes_per_millisecond,
            client: ClientLink::new(client_config(Some(offer)), NOW),
            server: ServerLink::new(server, NOW),
            to_client: Direction::default(),
            to_server: Direction::default(),
            received: (0, 0),
        };
        let channel = link.client.open(NOW, 0, request());
        let stream = StreamId::new(1);
        while link.step() {}
        link.server.accept(stream, &node());
        while link.step() {}
        (link, channel, stream)
    }

    /// Sends all output, and delivers the next piece. Returns false if nothing is in flight.
    fn step(&mut self) -> bool {
        let link = (self.now, self.delay, self.bytes_per_millisecond);
        while !self.client.transmit().is_empty() {
            let bytes = self.client.transmit().to_bytes();
            self.client.transmitted(bytes.len());
            self.to_server.send(&bytes, link);
        }
        while !self.server.transmit().is_empty() {
            let bytes = self.server.transmit().to_bytes();
            self.server.transmitted(bytes.len());
            self.to_client.send(&bytes, link);
        }
        let Some(next) = self.to_client.arrives().into_iter().chain(self.to_server.arrives()).min() else {
            return false;
        };
        self.now = next;
        if self.to_server.arrives() == Some(next) {
            let (_, piece) = self.to_server.in_flight.pop_front().expect("it arrives");
            self.server.receive_buffer().extend_from_slice(&piece);
            self.server.handle_filled(self.now);
        } else {
            let (_, piece) = self.to_client.in_flight.pop_front().expect("it arrives");
            self.client.receive_buffer().extend_from_slice(&piece);
            self.client.handle_filled(self.now);
        }
        while let Some(event) = self.server.poll_event() {
            if let ServerEvent::Request { stream, fragment } = event {
                self.received.0 += fragment.bytes.len();
                self.server.release_fragment(stream, fragment.call, fragment.bytes.len());
            }
        }
        while let Some(event) = self.client.poll_event(self.now) {
            if let ClientEvent::Message { message, .. } = event {
                self.received.1 += message.len();
            }
        }
        true
    }
}

/// Sends a large request and a large response. Returns the round trips that they take, and the most bytes in flight to
/// the server and to the client.
fn over(milliseconds: u64, bytes_per_millisecond: usize) -> (u128, [usize; 2]) {
    let (mut link, channel, stream) = SlowLink::open(milliseconds, bytes_per_millisecond);
    let begun = link.now;
    link.client.call_in_fragments(channel, 1, 3, VecDeque::from([Bytes::from(vec![7; SIZE])]));
    while link.received.0 < SIZE && link.step() {}
    link.server.respond(stream, 1, Bytes::from(vec![8; SIZE]), true);
    while link.received.1 < SIZE && link.step() {}
    assert_eq!(link.received, (SIZE, SIZE));
    let took = (link.now - begun).as_micros();
    (took / u128::from(milliseconds * 2000), [link.to_server.most, link.to_client.most])
}

#[test]
fn a_long_way_is_filled() {
    let (round_trips, most) = over(20, 1_000_000);
    // The initial credit alone would take 256.
    assert!(round_trips < 64, "{round_trips} round trips");
    assert!(most.iter().all(|most| *most <= (1 << 20) + 4096), "{most:?} bytes in flight");
}

#[test]
fn a_narrow_way_gets_no_queue() {
    // The bandwidth-delay product is 40 kB.
    let (_, most) = over(20, 1_000);
    assert!(most.iter().all(|most| *most <= 70_000), "{most:?} bytes in flight");
    // Here it is 400 kB.
    let (_, most) = over(20, 10_000);
    assert!(most.iter().all(|most| (200_000..800_000).contains(most)), "{most:?} bytes in flight");
}

/// The throughput of one call is measured: together the calls fill the path with less credit each.
#[test]
fn calls_beside_each_other_share_the_way() {
    let (mut link, channel, stream) = SlowLink::open(20, 10_000);
    for call in 1..=8 {
        link.client.call_in_fragments(channel, call, 3, VecDeque::from([Bytes::from(vec![7; 20_000])]));
    }
    while link.received.0 < 160_000 && link.step() {}
    for call in 1..=8 {
        link.server.respond(stream, call, Bytes::from(vec![8; SIZE]), true);
    }
    while link.received.1 < 8 * SIZE && link.step() {}
    // The bandwidth-delay product is 400 kB; the initial credits of the eight calls are 512 kB.
    assert!(link.to_client.most <= 1_100_000, "{} bytes in flight", link.to_client.most);
}

#[test]
fn a_whole_answer_is_no_reason_to_look_at_the_way() {
    let (mut link, channel, stream) = SlowLink::open(20, 1_000_000);
    for call in 1..=2 {
        link.client.call(channel, call, 1).expect("a call can begin").put_slice(b"q");
    }
    while link.step() {}
    // Out of order, so that the fast path does not apply.
    for call in [2, 1] {
        link.server.respond(stream, call, Bytes::from_static(b"answer"), true);
    }
    while link.received.1 < 12 && link.step() {}
    assert!(link.received.1 == 12 && !link.step(), "no frame is sent for it");
}

#[test]
fn a_short_way_has_enough_with_the_first_credit() {
    let (_, most) = over(1, 1_000_000_000);
    assert!(most.iter().all(|most| *most > 70_000), "2 ms need more");
    let (mut link, channel, _) = SlowLink::open(0, 1_000_000_000);
    link.client.call_in_fragments(channel, 1, 3, VecDeque::from([Bytes::from(vec![7; SIZE])]));
    while link.received.0 < SIZE && link.step() {}
    assert!(link.to_server.most <= 70_000, "{} bytes in flight", link.to_server.most);
}
