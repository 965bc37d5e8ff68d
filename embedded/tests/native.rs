//! Sessions in Hot Rod frames with a native node (spec/hotrod-over-http.md), byte by byte.

use bytes::Bytes;
use hotrod_core::carriage::registry::{
    HOT_ROD_MESSAGE_ERROR, NODE_FIELD, PROTOCOL, REVISION, flag, frame_type, setting,
};
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{self, Connection, ErrorCode, Event, StreamId};
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Envelope, Intelligence, ListenerOptions, Member, Request, RequestOptions, SendBuffer, Version, write_request,
};
use hotrod_embedded::{Cluster, ClusterOptions, Link, MemberId, Moment};

/// A client that sends any frame, and a member, without sockets.
struct Wire {
    cluster: Cluster,
    link: Link,
    client: Connection,
    stream: StreamId,
    status: Option<String>,
    frames: Vec<(u8, u8, Bytes)>,
    reset: Option<ErrorCode>,
}

const MOMENT: Moment = Moment { now: Instant::EPOCH, unix_ms: 1_800_000_000_000 };

impl Wire {
    /// Opens a session in frames with the first of two members; `node` is the value of `Hot-Rod-Node`.
    fn open(node: Option<&str>) -> Self {
        let mut config = http2::Config::default();
        config.settings.extensions.push((setting::HOT_ROD, REVISION));
        config.extension_frames.extend(frame_type::ALL);
        Self::open_with(config, node)
    }

    fn open_with(config: http2::Config, node: Option<&str>) -> Self {
        let mut cluster = Cluster::new(ClusterOptions::default(), MOMENT);
        cluster.add_members([11222, 11223].map(|port| Member { host: "10.0.0.1".into(), port }));
        let link = Link::open(&mut cluster, MemberId(0)).unwrap();
        let client = Connection::client(config, MOMENT.now);
        let mut wire =
            Self { cluster, link, client, stream: StreamId::CONNECTION, status: None, frames: Vec::new(), reset: None };
        wire.exchange();
        wire.ask_session(node);
        wire
    }

    fn ask_session(&mut self, node: Option<&str>) {
        let field = |name: &'static str, value: &str| {
            Field::new(Bytes::from_static(name.as_bytes()), Bytes::copy_from_slice(value.as_bytes()))
        };
        let mut fields = vec![
            field(":method", "CONNECT"),
            field(":protocol", PROTOCOL),
            field(":scheme", "http"),
            field(":path", "/"),
            field(":authority", "node"),
        ];
        fields.extend(node.map(|node| field(NODE_FIELD, node)));
        self.stream = self.client.request(MOMENT.now, &fields, false).unwrap();
        self.exchange();
    }

    fn exchange(&mut self) {
        loop {
            let out = self.client.transmit().to_bytes();
            self.client.transmitted(out.len());
            self.link.handle_received(&out);
            self.link.process(&mut self.cluster, MOMENT);
            let back = self.link.transmit().to_bytes();
            self.link.transmitted(back.len());
            self.client.receive_buffer().extend_from_slice(&back);
            self.client.handle_filled(MOMENT.now);
            while let Some(event) = self.client.poll_event() {
                match event {
                    Event::Response { fields, .. } => {
                        let status = fields.iter().find(|field| field.name == ":status").unwrap();
                        self.status = Some(String::from_utf8(status.value.to_vec()).unwrap());
                    }
                    Event::Extension { kind, flags, payload, .. } => self.frames.push((kind, flags, payload)),
                    Event::Reset { code, .. } => self.reset = Some(code),
                    Event::Closed(reason) => panic!("{reason}"),
                    _ => {}
                }
            }
            if out.is_empty() && back.is_empty() {
                return;
            }
        }
    }

    fn request(&mut self, call: u32, flags: u8, message: &[u8]) {
        let payload = [&call.to_be_bytes(), message].concat();
        self.client.send_extension(self.stream, frame_type::REQUEST, flags, &[payload.into()]).unwrap();
        self.exchange();
    }

    /// Returns the frames of a type that were received since the last call, and drops the others.
    fn heard(&mut self, kind: u8) -> Vec<Bytes> {
        let heard = std::mem::take(&mut self.frames);
        heard.into_iter().filter(|frame| frame.0 == kind).map(|frame| frame.2).collect()
    }
}

fn message(id: u64, request: &Request) -> Bytes {
    let envelope =
        Envelope { message_id: id, version: Version::LATEST, intelligence: Intelligence::Basic, topology_id: 0 };
    let mut out = SendBuffer::new();
    write_request(envelope, &RequestOptions::cache("dist"), request, &mut out);
    out.to_bytes()
}

fn get(id: u64) -> Bytes {
    message(id, &Request::Get { key: Bytes::from_static(b"k") })
}

const WHOLE: u8 = flag::FIRST | flag::FIN;

#[test]
fn node_comes_first_and_tells_the_member() {
    let wire = Wire::open(Some("10.0.0.1:11222"));
    assert_eq!(wire.status.as_deref(), Some("200"));
    let (kind, _, node) = &wire.frames[0];
    assert_eq!((*kind, &node[..]), (frame_type::NODE, &b"\x00\x02\x0e10.0.0.1:11222\x0810.0.0.1\x2b\xd6"[..]));
}

#[test]
fn a_session_that_means_another_member_is_refused_with_421() {
    for node in ["10.0.0.1:11223", "elsewhere"] {
        assert_eq!(Wire::open(Some(node)).status.as_deref(), Some("421"), "{node}");
    }
}

#[test]
fn a_call_is_executed_when_its_fin_has_come_and_not_before() {
    let mut wire = Wire::open(None);
    let (first, second) = (
        message(
            1,
            &Request::Put {
                key: Bytes::from_static(b"k"),
                expiration: hotrod_core::wire::Expiration::DEFAULT,
                value: Bytes::from_static(b"v"),
            },
        ),
        get(2),
    );
    wire.request(1, flag::FIRST, &first);
    wire.request(2, WHOLE, &second);
    let answers = wire.heard(frame_type::RESPONSE);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0][7], 2, "the status: there is no such key yet");
    wire.request(1, flag::FIN, b"");
    assert_eq!(wire.heard(frame_type::RESPONSE).len(), 1);
}

#[test]
fn a_call_that_makes_more_or_less_than_one_request_ends_the_session() {
    let one = get(1);
    for calls in [
        vec![(WHOLE, [&one[..], &one[..]].concat())],
        vec![(WHOLE, one[..one.len() - 1].to_vec())],
        vec![(flag::FIRST, one.to_vec()), (flag::FIN, b"\xa0".to_vec())],
        vec![(WHOLE, b"nonsense".to_vec())],
    ] {
        let mut wire = Wire::open(None);
        for (flags, bytes) in &calls {
            wire.request(1, *flags, bytes);
        }
        assert_eq!(wire.reset, Some(HOT_ROD_MESSAGE_ERROR), "{calls:?}");
    }
}

#[test]
fn an_unknown_operation_is_answered_and_the_session_goes_on() {
    let mut wire = Wire::open(None);
    let mut unknown = get(1).to_vec();
    unknown[3] = 0xfb;
    wire.request(1, WHOLE, &unknown);
    let answers = wire.heard(frame_type::RESPONSE);
    assert_eq!((answers.len(), answers[0][6], answers[0][7]), (1, 0x50, 0x82), "an error: unknown operation");
    wire.request(2, WHOLE, &get(2));
    assert_eq!(wire.heard(frame_type::RESPONSE).len(), 1);
}

/// Only `transmitted` tells the link of room: the client sends nothing, and its window is wide.
#[test]
fn what_a_tunnel_says_goes_on_when_the_link_has_taken_some() {
    const SIZE: usize = 3 << 20;
    let mut config = http2::Config::default();
    config.connection_window = 8 << 20;
    config.settings.initial_window_size = 8 << 20;
    let mut wire = Wire::open_with(config, None);
    wire.cluster_put(&Bytes::from(vec![7; SIZE]));
    wire.client.send_data(wire.stream, get(1), false).unwrap();
    wire.link.handle_received(&wire.client.transmit().to_bytes());
    wire.link.process(&mut wire.cluster, MOMENT);
    let mut sent = 0;
    while !wire.link.transmit().is_empty() {
        let count = wire.link.transmit().len();
        wire.link.transmitted(count);
        sent += count;
    }
    assert!(sent > SIZE, "{sent} octets went without anything else");
}

/// A call that was not executed is dropped and was not applied; one whose answer is on its way may have been applied.
#[test]
fn a_cancel_says_exactly_what_became_of_the_call() {
    let mut wire = Wire::open(None);
    wire.request(1, flag::FIRST, &get(1));
    let cancel = |call: u32| Bytes::from([call.to_be_bytes(), 8u32.to_be_bytes()].concat());
    wire.client.send_extension(wire.stream, frame_type::CANCEL, 0, &[cancel(1)]).unwrap();
    wire.exchange();
    let answers = std::mem::take(&mut wire.frames);
    let told = answers.iter().find(|frame| frame.0 == frame_type::CANCEL).unwrap();
    assert_eq!((told.1, &told.2), (0, &cancel(1)));
    // Its answer is larger than the client's credit.
    let value = Bytes::from(vec![7; 1 << 20]);
    wire.cluster_put(&value);
    wire.request(2, WHOLE, &get(2));
    wire.client.send_extension(wire.stream, frame_type::CANCEL, 0, &[cancel(2)]).unwrap();
    wire.exchange();
    let told = wire.frames.iter().find(|frame| frame.0 == frame_type::CANCEL).unwrap();
    assert_eq!((told.1, &told.2), (flag::MAY_HAVE_BEEN_APPLIED, &cancel(2)));
}

/// Calls that are not finished hold the connection's credit, but for the oldest; the newest are rejected before they starve it.
#[test]
fn unfinished_calls_hold_no_more_than_the_credit_and_the_oldest_goes_on() {
    const CALLS: u32 = 100;
    let mut wire = Wire::open(None);
    let expiration = hotrod_core::wire::Expiration::DEFAULT;
    let put = |id| {
        let value = Bytes::from(vec![7; 256 << 10]);
        message(id, &Request::Put { key: Bytes::from_static(b"k"), expiration, value })
    };
    // Less than the frame size, and with the second less than the credit of a call.
    let step = 16_000;
    let (mut held, mut rejected) = (0, 0);
    for call in 1..=CALLS {
        let bytes = put(call.into());
        for (flags, at) in [(flag::FIRST, 0), (0, step), (0, 2 * step), (0, 3 * step)] {
            if wire.is_rejected(call) {
                break;
            }
            wire.request(call, flags, &bytes[at..at + step]);
            held += step;
        }
        rejected = (1..=CALLS).filter(|call| wire.is_rejected(*call)).count();
    }
    assert!(rejected > 0, "{held} bytes are held");
    let open = CALLS as usize - rejected;
    assert!((open - 1) * 4 * step <= 4 << 20, "{open} calls are open");
    let granted: u32 = wire.credit_of(0);
    let waiting = held - granted as usize;
    assert!(waiting <= 4 << 20, "{waiting} bytes wait");
    let bytes = put(1);
    let mut at = 4 * step;
    while at < bytes.len() {
        let end = bytes.len().min(at + step);
        wire.request(1, if end == bytes.len() { flag::FIN } else { 0 }, &bytes[at..end]);
        at = end;
    }
    assert_eq!(wire.heard(frame_type::RESPONSE).len(), 1);
}

impl Wire {
    /// Whether the endpoint has ended a call.
    fn is_rejected(&self, call: u32) -> bool {
        self.frames.iter().any(|frame| frame.0 == frame_type::CANCEL && frame.2[..4] == call.to_be_bytes())
    }

    /// Credit that was granted to a call, or with 0 to the connection.
    fn credit_of(&self, call: u32) -> u32 {
        let grants = self.frames.iter().filter(|frame| frame.0 == frame_type::CREDIT);
        let numbers = grants.map(|frame| [0, 4].map(|at| u32::from_be_bytes(frame.2[at..at + 4].try_into().unwrap())));
        numbers.filter(|[of, _]| *of == call).map(|[_, increment]| increment).sum()
    }

    /// Writes the key through another link.
    fn cluster_put(&mut self, value: &Bytes) {
        let mut other = Link::open(&mut self.cluster, MemberId(1)).unwrap();
        let expiration = hotrod_core::wire::Expiration::DEFAULT;
        other.handle_received(&message(
            1,
            &Request::Put { key: Bytes::from_static(b"k"), expiration, value: value.clone() },
        ));
        other.process(&mut self.cluster, MOMENT);
        other.close(&mut self.cluster);
    }
}

/// Bytes that a link of its own answers to `request`.
fn answer_to(request: &str) -> String {
    let mut cluster = Cluster::new(ClusterOptions::default(), MOMENT);
    cluster.add_members([11222, 11223].map(|port| Member { host: "10.0.0.1".into(), port }));
    let mut link = Link::open(&mut cluster, MemberId(0)).unwrap();
    link.set_local_address("192.0.2.7:443".parse().unwrap());
    link.handle_received(request.as_bytes());
    link.process(&mut cluster, MOMENT);
    String::from_utf8(link.transmit().to_bytes().to_vec()).unwrap()
}

/// an address that is no member's, nor the one by which the link came in, is another member's.
#[test]
fn connect_to_another_address_is_refused_with_421() {
    for (authority, wanted) in [
        ("10.0.0.1:11222", "HTTP/1.1 200 "),
        ("192.0.2.7:443", "HTTP/1.1 200 "),
        ("balancer.example.com:443", "HTTP/1.1 200 "),
        ("10.0.0.1:11223", "HTTP/1.1 421 "),
        ("192.0.2.1:80", "HTTP/1.1 421 "),
        ("[2001:db8::1]:80", "HTTP/1.1 421 "),
    ] {
        let answer = answer_to(&format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"));
        assert!(answer.starts_with(wanted), "{authority}: {answer}");
    }
}

/// a stream of an inner link is no tunnel for another HTTP/2 connection.
#[test]
fn a_tunnel_of_an_inner_link_that_carries_http2_ends() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut cluster = Cluster::new(ClusterOptions::default(), MOMENT);
    cluster.add_member(Member { host: "10.0.0.1".into(), port: 11222 });
    let mut link = Link::open(&mut cluster, MemberId(0)).unwrap();
    link.handle_received(b"CONNECT 10.0.0.1:11222 HTTP/1.1\r\nHost: h\r\n\r\n");
    link.process(&mut cluster, MOMENT);
    link.transmitted(link.transmit().len());
    let client = Connection::client(http2::Config::default(), MOMENT.now);
    let stream = StreamId::CONNECTION;
    let mut wire = Wire { cluster, link, client, stream, status: None, frames: Vec::new(), reset: None };
    wire.exchange();
    wire.ask_session(None);
    assert_eq!(wire.status.as_deref(), Some("200"));
    wire.client.send_data(wire.stream, Bytes::from_static(PREFACE), false).unwrap();
    wire.exchange();
    assert_eq!(wire.reset, Some(ErrorCode::PROTOCOL_ERROR));
}

/// two open calls have different message ids.
#[test]
fn a_message_id_in_use_ends_the_session() {
    let mut wire = Wire::open(None);
    let listener = Request::AddClientListener {
        listener_id: Bytes::from_static(b"l"),
        options: ListenerOptions { include_current_state: true, ..ListenerOptions::default() },
    };
    for call in 1..=2 {
        let payload = [&u32::to_be_bytes(call)[..], &message(7, &listener)].concat();
        wire.client.send_extension(wire.stream, frame_type::REQUEST, WHOLE, &[payload.into()]).unwrap();
    }
    wire.exchange();
    assert_eq!(wire.reset, Some(HOT_ROD_MESSAGE_ERROR));
}
