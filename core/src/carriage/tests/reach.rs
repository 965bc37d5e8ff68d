//! Section 7: credit fills a long way, and puts no queue on a narrow one.

use alloc::collections::VecDeque;
use alloc::vec;
use core::time::Duration;

use bytes::Bytes;

use super::pair::{NOW, client_config, node, request};
use crate::carriage::{ChannelId, ClientEvent, ClientLink, Offer, ServerConfig, ServerEvent, ServerLink};
use crate::http2::StreamId;
use crate::time::Instant;

/// A large message; how long it takes tells how much of it is on its way at a time.
const SIZE: usize = 8 << 20;

/// Both ends of a link that takes its time.
struct Way {
    now: Instant,
    delay: Duration,
    octets_per_millisecond: usize,
    client: ClientLink,
    server: ServerLink,
    to_client: Direction,
    to_server: Direction,
    /// Octets of the request, and of the answer, that have come.
    came: (usize, usize),
}

#[derive(Default)]
struct Direction {
    on_the_way: VecDeque<(Instant, Bytes)>,
    /// When everything is out.
    free_at: Instant,
    /// Most octets that were on the way.
    most: usize,
}

impl Direction {
    fn send(&mut self, bytes: &Bytes, way: (Instant, Duration, usize)) {
        let (now, delay, octets_per_millisecond) = way;
        for piece in bytes.chunks(4096) {
            let takes = Duration::from_micros((piece.len() * 1000 / octets_per_millisecond) as u64);
            self.free_at = self.free_at.max(now) + takes;
            self.on_the_way.push_back((self.free_at + delay, Bytes::copy_from_slice(piece)));
        }
        self.most = self.most.max(self.on_the_way.iter().map(|(_, piece)| piece.len()).sum());
    }

    fn arrives(&self) -> Option<Instant> {
        self.on_the_way.front().map(|(at, _)| *at)
    }
}

impl Way {
    /// With a session that was accepted.
    fn open(milliseconds: u64, octets_per_millisecond: usize) -> (Self, ChannelId, StreamId) {
        let offer = Offer { connection_credit: 4 << 20, ..Offer::default() };
        let server = ServerConfig { frames: Some(offer), ..ServerConfig::default() };
        let mut way = Self {
            now: NOW,
            delay: Duration::from_millis(milliseconds),
            octets_per_millisecond,
            client: ClientLink::new(client_config(Some(offer)), NOW),
            server: ServerLink::new(server, NOW),
            to_client: Direction::default(),
            to_server: Direction::default(),
            came: (0, 0),
        };
        let channel = way.client.open(NOW, 0, request());
        let stream = StreamId::new(1);
        while way.step() {}
        way.server.accept(stream, &node());
        while way.step() {}
        (way, channel, stream)
    }

    /// What is to be sent goes out, and what arrives next is handled. Answers whether there was anything.
    fn step(&mut self) -> bool {
        let way = (self.now, self.delay, self.octets_per_millisecond);
        while !self.client.transmit().is_empty() {
            let bytes = self.client.transmit().to_bytes();
            self.client.transmitted(bytes.len());
            self.to_server.send(&bytes, way);
        }
        while !self.server.transmit().is_empty() {
            let bytes = self.server.transmit().to_bytes();
            self.server.transmitted(bytes.len());
            self.to_client.send(&bytes, way);
        }
        let Some(next) = self.to_client.arrives().into_iter().chain(self.to_server.arrives()).min() else {
            return false;
        };
        self.now = next;
        if self.to_server.arrives() == Some(next) {
            let (_, piece) = self.to_server.on_the_way.pop_front().expect("it arrives");
            self.server.receive_buffer().extend_from_slice(&piece);
            self.server.handle_filled(self.now);
        } else {
            let (_, piece) = self.to_client.on_the_way.pop_front().expect("it arrives");
            self.client.receive_buffer().extend_from_slice(&piece);
            self.client.handle_filled(self.now);
        }
        while let Some(event) = self.server.poll_event() {
            if let ServerEvent::Request { stream, fragment } = event {
                self.came.0 += fragment.bytes.len();
                self.server.fragment_taken(stream, fragment.call, fragment.bytes.len());
            }
        }
        while let Some(event) = self.client.poll_event(self.now) {
            if let ClientEvent::Message { message, .. } = event {
                self.came.1 += message.len();
            }
        }
        true
    }
}

/// A large request and its large answer over such a way: how many round trips they take, and the most octets that were on
/// the way to the server and to the client.
fn over(milliseconds: u64, octets_per_millisecond: usize) -> (u128, [usize; 2]) {
    let (mut way, channel, stream) = Way::open(milliseconds, octets_per_millisecond);
    let begun = way.now;
    way.client.call_in_fragments(channel, 1, 3, VecDeque::from([Bytes::from(vec![7; SIZE])]));
    while way.came.0 < SIZE && way.step() {}
    way.server.respond(stream, 1, Bytes::from(vec![8; SIZE]), true);
    while way.came.1 < SIZE && way.step() {}
    assert_eq!(way.came, (SIZE, SIZE));
    let took = (way.now - begun).as_micros();
    (took / u128::from(milliseconds * 2000), [way.to_server.most, way.to_client.most])
}

#[test]
fn a_long_way_is_filled() {
    let (round_trips, most) = over(20, 1_000_000);
    // With the first credit alone they would be 256.
    assert!(round_trips < 64, "{round_trips} round trips");
    assert!(most.iter().all(|most| *most <= (1 << 20) + 4096), "{most:?} octets at a time");
}

#[test]
fn a_narrow_way_gets_no_queue() {
    // In 40 milliseconds it takes 40 kB.
    let (_, most) = over(20, 1_000);
    assert!(most.iter().all(|most| *most <= 70_000), "{most:?} octets at a time");
    // 400 kB.
    let (_, most) = over(20, 10_000);
    assert!(most.iter().all(|most| (200_000..800_000).contains(most)), "{most:?} octets at a time");
}

/// What counts is what one of them brings: together they fill the way with less each.
#[test]
fn calls_beside_each_other_share_the_way() {
    let (mut way, channel, stream) = Way::open(20, 10_000);
    for call in 1..=8 {
        way.client.call_in_fragments(channel, call, 3, VecDeque::from([Bytes::from(vec![7; 20_000])]));
    }
    while way.came.0 < 160_000 && way.step() {}
    for call in 1..=8 {
        way.server.respond(stream, call, Bytes::from(vec![8; SIZE]), true);
    }
    while way.came.1 < 8 * SIZE && way.step() {}
    // In 40 milliseconds the way takes 400 kB; with the first credit they are 512.
    assert!(way.to_client.most <= 1_100_000, "{} octets at a time", way.to_client.most);
}

#[test]
fn a_whole_answer_is_no_reason_to_look_at_the_way() {
    let (mut way, channel, stream) = Way::open(20, 1_000_000);
    for call in 1..=2 {
        way.client.call(channel, call, 1).expect("a call can begin").put_slice(b"q");
    }
    while way.step() {}
    // Not in order, so each is looked at by every rule.
    for call in [2, 1] {
        way.server.respond(stream, call, Bytes::from_static(b"answer"), true);
    }
    while way.came.1 < 12 && way.step() {}
    assert!(way.came.1 == 12 && !way.step(), "nothing is said to it");
}

#[test]
fn a_short_way_has_enough_with_the_first_credit() {
    let (_, most) = over(1, 1_000_000_000);
    assert!(most.iter().all(|most| *most > 70_000), "2 ms are not that short");
    let (mut way, channel, _) = Way::open(0, 1_000_000_000);
    way.client.call_in_fragments(channel, 1, 3, VecDeque::from([Bytes::from(vec![7; SIZE])]));
    while way.came.0 < SIZE && way.step() {}
    assert!(way.to_server.most <= 70_000, "{} octets at a time", way.to_server.most);
}
