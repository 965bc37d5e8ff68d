//! Two endpoints under arbitrary actions of their hosts and the link: any chunking, any time of polling.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::http2::{Config, Connection, ErrorCode, Event, FloodBudgets, Misuse, Reason, RequestError, StreamId};
use hotrod_core::time::Instant;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::pair::{KINDS, config, fields, ok, post, start, tunnel};

/// Action at one end, on one of its streams.
#[derive(Debug, Clone)]
enum Step {
    Request {
        is_tunnel: bool,
    },
    Respond,
    Send {
        length: usize,
        end: bool,
    },
    Trailers,
    Extension {
        length: usize,
    },
    Release {
        length: usize,
    },
    Reset,
    Ping,
    /// Delivers this number of written bytes to the other end.
    Deliver {
        length: usize,
    },
    Poll {
        events: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<bool>().prop_map(|is_tunnel| Step::Request { is_tunnel }),
        3 => Just(Step::Respond),
        6 => (prop_oneof![0usize..100, 0usize..60_000], prop::bool::weighted(0.2))
            .prop_map(|(length, end)| Step::Send { length, end }),
        1 => Just(Step::Trailers),
        2 => (0usize..10_000).prop_map(|length| Step::Extension { length }),
        4 => (1usize..60_000).prop_map(|length| Step::Release { length }),
        1 => Just(Step::Reset),
        1 => Just(Step::Ping),
        8 => prop_oneof![1usize..20, 1usize..30_000].prop_map(|length| Step::Deliver { length }),
        6 => (1usize..5).prop_map(|events| Step::Poll { events }),
    ]
}

/// Data sent by one end on a stream, as its application knows it.
#[derive(Debug, Default)]
struct SentContent {
    content: Vec<u8>,
    /// Whether END_STREAM or trailers were sent.
    has_ended: bool,
    extensions: usize,
}

/// Data received by the other end.
#[derive(Debug, Default)]
struct Received {
    content: Vec<u8>,
    has_ended: bool,
    extensions: usize,
    is_reset: bool,
}

struct End {
    connection: Connection,
    /// Streams known to the application, in order.
    streams: Vec<StreamId>,
    sent: BTreeMap<StreamId, SentContent>,
    got: BTreeMap<StreamId, Received>,
    /// Content not released yet.
    held: BTreeMap<StreamId, usize>,
    /// Next byte of content, so that contents differ.
    next: u8,
}

impl End {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            streams: Vec::new(),
            sent: BTreeMap::new(),
            got: BTreeMap::new(),
            held: BTreeMap::new(),
            next: 0,
        }
    }

    fn pick(&self, index: Index) -> Option<StreamId> {
        (!self.streams.is_empty()).then(|| *index.get(&self.streams))
    }

    fn sent(&mut self, stream: StreamId) -> &mut SentContent {
        self.sent.entry(stream).or_default()
    }

    fn request(&mut self, now: Instant, is_tunnel: bool) {
        let fields = if is_tunnel { tunnel() } else { post("/") };
        match self.connection.request(now, &fields, false) {
            Ok(stream) => self.streams.push(stream),
            Err(
                RequestError::NotAClient
                | RequestError::ExtendedConnectNotEnabled
                | RequestError::TooManyStreams { .. }
                | RequestError::Full,
            ) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn send(&mut self, stream: StreamId, length: usize, end: bool) {
        let length = length.min(self.connection.send_capacity(stream));
        let content: Bytes = (0..length).map(|n| self.next.wrapping_add(n as u8)).collect();
        self.next = self.next.wrapping_add(length as u8).wrapping_add(1);
        match self.connection.send_data(stream, content.clone(), end) {
            Ok(()) => {
                let sent = self.sent(stream);
                assert!(!sent.has_ended);
                sent.content.extend_from_slice(&content);
                sent.has_ended = end;
            }
            Err(Misuse::NoSuchStream | Misuse::NotYetResponded | Misuse::Ended) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn do_step(&mut self, now: Instant, step: &Step, index: Index) {
        if let Step::Request { is_tunnel } = step {
            return self.request(now, *is_tunnel);
        }
        match step {
            Step::Ping => return self.connection.ping(now),
            Step::Poll { events } => return self.poll(*events),
            _ => {}
        }
        let Some(stream) = self.pick(index) else { return };
        match step {
            Step::Respond => drop(self.connection.respond(stream, &ok(), false)),
            Step::Send { length, end } => self.send(stream, *length, *end),
            Step::Trailers => self.trailers(stream),
            Step::Extension { length } => self.extension(stream, *length),
            Step::Release { length } => self.release(stream, *length),
            Step::Reset => self.reset(stream),
            _ => {}
        }
    }

    fn trailers(&mut self, stream: StreamId) {
        if self.connection.send_trailers(stream, &fields(&[("x", "y")])).is_ok() {
            self.sent(stream).has_ended = true;
        }
    }

    fn extension(&mut self, stream: StreamId, length: usize) {
        if self.connection.send_extension(stream, KINDS[0], 0, &[vec![7; length].into()]).is_ok() {
            self.sent(stream).extensions += length;
        }
    }

    fn reset(&mut self, stream: StreamId) {
        if self.connection.reset(stream, ErrorCode::CANCEL).is_ok() {
            self.got.entry(stream).or_default().is_reset = true;
        }
    }

    fn release(&mut self, stream: StreamId, length: usize) {
        let held = self.held.entry(stream).or_default();
        let length = length.min(*held);
        *held -= length;
        self.connection.release(stream, length);
    }

    fn poll(&mut self, max: usize) {
        for _ in 0..max {
            let Some(event) = self.connection.poll_event() else { return };
            match event {
                Event::Request { stream, end_stream: false, .. } => self.streams.push(stream),
                // A late response has crossed a reset.
                Event::Response { end_stream: false, .. }
                | Event::Settings
                | Event::Writable { .. }
                | Event::StrayExtension { .. } => {}
                Event::Data { stream, data, end_stream } => {
                    *self.held.entry(stream).or_default() += data.len();
                    let got = self.got.entry(stream).or_default();
                    assert!(!got.has_ended && !got.is_reset, "nothing follows the end");
                    got.content.extend_from_slice(&data);
                    got.has_ended = end_stream;
                }
                Event::Trailers { stream, .. } => self.got.entry(stream).or_default().has_ended = true,
                Event::Extension { stream, payload, .. } => {
                    self.got.entry(stream).or_default().extensions += payload.len();
                }
                Event::Reset { stream, code: ErrorCode::CANCEL, by_peer: true } => {
                    self.got.entry(stream).or_default().is_reset = true;
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn deliver(from: &mut End, to: &mut End, now: Instant, length: usize) {
    let bytes = from.connection.transmit().to_bytes();
    let count = length.min(bytes.len());
    from.connection.transmitted(count);
    // A host whose application does not poll does not read.
    if to.connection.wants_read() || count == bytes.len() {
        to.connection.handle_received(now, &bytes[..count]);
    } else {
        to.connection.receive_buffer().extend_from_slice(&bytes[..count]);
        to.connection.handle_filled(now);
    }
}

/// Asserts that all data sent on a stream arrives, or a prefix if the stream was reset.
fn check(from: &End, to: &End) {
    for (stream, sent) in &from.sent {
        let nothing = Received::default();
        let got = to.got.get(stream).unwrap_or(&nothing);
        let is_reset = got.is_reset || from.got.get(stream).is_some_and(|got| got.is_reset);
        assert!(sent.content.starts_with(&got.content));
        if !is_reset {
            assert_eq!((got.content.len(), got.has_ended), (sent.content.len(), sent.has_ended), "stream {stream}");
            assert_eq!(got.extensions, sent.extensions);
        }
    }
}

fn generous(window: u32) -> Config {
    let mut config = config();
    config.max_events = 8;
    config.max_stream_send_bytes = 50_000;
    config.max_send_bytes = 120_000;
    config.settings.initial_window_size = window;
    let none = hotrod_core::http2::Budget { burst: u32::MAX, per_second: 0 };
    config.flood = FloodBudgets::all(none);
    config
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn everything_arrives_in_order_and_nobody_breaks_a_rule(
        windows in (prop_oneof![Just(1u32), 1u32..5_000, 1u32..1_000_000], 1u32..200_000),
        steps in vec((any::<bool>(), step(), any::<Index>()), 1..300),
    ) {
        let now = start();
        let mut client = End::new(Connection::client(generous(windows.0), now));
        let mut server = End::new(Connection::server(generous(windows.1), now));
        for (at_client, step, index) in &steps {
            let (here, there) = if *at_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
            if let Step::Deliver { length } = step {
                deliver(here, there, now, *length);
            } else {
                here.do_step(now, step, *index);
            }
        }
        // Both applications release their content until no bytes move.
        loop {
            let before = (client.connection.transmit().end(), server.connection.transmit().end());
            deliver(&mut client, &mut server, now, usize::MAX);
            deliver(&mut server, &mut client, now, usize::MAX);
            for end in [&mut client, &mut server] {
                end.poll(usize::MAX);
                end.streams.clone().into_iter().for_each(|stream| end.release(stream, usize::MAX));
            }
            if before == (client.connection.transmit().end(), server.connection.transmit().end()) {
                break;
            }
        }
        check(&client, &server);
        check(&server, &client);
        prop_assert_eq!(client.connection.open_streams(), server.connection.open_streams());
        client.connection.handle_link_lost();
        prop_assert_eq!(client.connection.poll_event(), Some(Event::Closed(Reason::LinkLost)));
        prop_assert_eq!(client.connection.poll_event(), None);
    }
}
