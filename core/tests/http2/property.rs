//! Two endpoints through anything that their hosts and the link may do: bytes cut anywhere, polled at any time.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::http2::{Config, Connection, ErrorCode, Event, FloodBudgets, Misuse, Reason, RequestError, StreamId};
use hotrod_core::time::Instant;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::pair::{KINDS, config, fields, ok, post, start, tunnel};

/// What is done at one end, to a stream that it knows.
#[derive(Debug, Clone)]
enum Step {
    Request {
        is_tunnel: bool,
    },
    Respond,
    Send {
        octets: usize,
        end: bool,
    },
    Trailers,
    Extension {
        octets: usize,
    },
    Release {
        octets: usize,
    },
    Reset,
    Ping,
    /// So many bytes that this end has written reach the other.
    Deliver {
        octets: usize,
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
            .prop_map(|(octets, end)| Step::Send { octets, end }),
        1 => Just(Step::Trailers),
        2 => (0usize..10_000).prop_map(|octets| Step::Extension { octets }),
        4 => (1usize..60_000).prop_map(|octets| Step::Release { octets }),
        1 => Just(Step::Reset),
        1 => Just(Step::Ping),
        8 => prop_oneof![1usize..20, 1usize..30_000].prop_map(|octets| Step::Deliver { octets }),
        6 => (1usize..5).prop_map(|events| Step::Poll { events }),
    ]
}

/// What one end has sent on a stream, as its application knows.
#[derive(Debug, Default)]
struct Sent {
    content: Vec<u8>,
    /// By END_STREAM or trailers.
    has_ended: bool,
    extensions: usize,
}

/// What the other end has got of it.
#[derive(Debug, Default)]
struct Got {
    content: Vec<u8>,
    has_ended: bool,
    extensions: usize,
    is_reset: bool,
}

struct End {
    connection: Connection,
    /// Streams that the application knows, in order.
    streams: Vec<StreamId>,
    sent: BTreeMap<StreamId, Sent>,
    got: BTreeMap<StreamId, Got>,
    /// Content that is not released.
    held: BTreeMap<StreamId, usize>,
    /// For content that differs.
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

    fn sent(&mut self, stream: StreamId) -> &mut Sent {
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

    fn send(&mut self, stream: StreamId, octets: usize, end: bool) {
        let octets = octets.min(self.connection.send_capacity(stream));
        let content: Bytes = (0..octets).map(|n| self.next.wrapping_add(n as u8)).collect();
        self.next = self.next.wrapping_add(octets as u8).wrapping_add(1);
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
            Step::Send { octets, end } => self.send(stream, *octets, *end),
            Step::Trailers => self.trailers(stream),
            Step::Extension { octets } => self.extension(stream, *octets),
            Step::Release { octets } => self.release(stream, *octets),
            Step::Reset => self.reset(stream),
            _ => {}
        }
    }

    fn trailers(&mut self, stream: StreamId) {
        if self.connection.send_trailers(stream, &fields(&[("x", "y")])).is_ok() {
            self.sent(stream).has_ended = true;
        }
    }

    fn extension(&mut self, stream: StreamId, octets: usize) {
        if self.connection.send_extension(stream, KINDS[0], 0, &[vec![7; octets].into()]).is_ok() {
            self.sent(stream).extensions += octets;
        }
    }

    fn reset(&mut self, stream: StreamId) {
        if self.connection.reset(stream, ErrorCode::CANCEL).is_ok() {
            self.got.entry(stream).or_default().is_reset = true;
        }
    }

    fn release(&mut self, stream: StreamId, octets: usize) {
        let held = self.held.entry(stream).or_default();
        let octets = octets.min(*held);
        *held -= octets;
        self.connection.release(stream, octets);
    }

    fn poll(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.connection.poll_event() else { return };
            match event {
                Event::Request { stream, end_stream: false, .. } => self.streams.push(stream),
                // What comes late has crossed a reset.
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

fn deliver(from: &mut End, to: &mut End, now: Instant, octets: usize) {
    let bytes = from.connection.transmit().to_bytes();
    let count = octets.min(bytes.len());
    from.connection.transmitted(count);
    // An application that does not poll: its host does not read.
    if to.connection.wants_read() || count == bytes.len() {
        to.connection.handle_received(now, &bytes[..count]);
    } else {
        to.connection.receive_buffer().extend_from_slice(&bytes[..count]);
        to.connection.handle_filled(now);
    }
}

/// Everything that was sent on a stream comes, or the beginning of it if it was reset.
fn check(from: &End, to: &End) {
    for (stream, sent) in &from.sent {
        let nothing = Got::default();
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
    let mut config = Config { max_events: 8, max_stream_send_bytes: 50_000, max_send_bytes: 120_000, ..config() };
    config.settings.initial_window_size = window;
    let none = hotrod_core::http2::Budget { burst: u32::MAX, per_second: 0 };
    config.flood =
        FloodBudgets { resets: none, settings: none, pings: none, empty: none, window_updates: none, ignored: none };
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
            if let Step::Deliver { octets } = step {
                deliver(here, there, now, *octets);
            } else {
                here.do_step(now, step, *index);
            }
        }
        // Both applications release what they have, until nothing moves any more.
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
