//! 6.5: SETTINGS.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hotrod_core::http2::frame::Frame;
use hotrod_core::http2::hpack::{Decoder, Field};
use hotrod_core::http2::{Config, Connection, ErrorCode, Event, KeepAlive, Misuse, Reason, RequestError, setting};

use crate::frames::written;
use crate::pair::{config, fields, get, ok, start, take};
use crate::raw::{PREFACE, Raw, id, settings};

/// 3.4, 6.5: written at once, without the protocol's initial values.
#[test]
fn settings_are_the_first_that_is_sent() {
    let mut client = Connection::client(config(), start());
    let bytes = take(&mut client);
    let announced = settings(&[
        (setting::ENABLE_PUSH, 0),
        (setting::INITIAL_WINDOW_SIZE, 256 << 10),
        (setting::MAX_HEADER_LIST_SIZE, 16 << 10),
        (0xf000, 1),
        (0xf001, 65_536),
    ]);
    let window = Frame::WindowUpdate { stream: id(0), increment: (1 << 20) - 65_535 };
    assert_eq!(bytes.strip_prefix(PREFACE).unwrap(), written([&announced, &window]));
    let mut config = Config::default();
    config.connection_window = 1;
    let mut server = Connection::server(config, start());
    let announced = settings(&[
        (setting::MAX_CONCURRENT_STREAMS, 100),
        (setting::INITIAL_WINDOW_SIZE, 256 << 10),
        (setting::MAX_HEADER_LIST_SIZE, 16 << 10),
    ]);
    assert_eq!(take(&mut server), written([&announced]));
}

/// 6.5.3
#[test]
fn settings_are_acknowledged_and_told_when_they_say_something_new() {
    let mut raw = Raw::server(config());
    raw.send([&settings(&[(0xf000, 1)]), &settings(&[(0xf000, 1)]), &settings(&[(0xf000, 1), (0xf000, 2)])]);
    assert_eq!(raw.replies(), [Frame::SettingsAck, Frame::SettingsAck, Frame::SettingsAck]);
    assert_eq!(raw.events(), [Event::Settings, Event::Settings]);
    assert_eq!(raw.endpoint.peer_settings().unwrap().get(0xf000), Some(2));
}

/// 6.5.3
#[test]
fn an_acknowledgement_of_nothing_ends_the_connection() {
    let mut raw = Raw::server(config());
    raw.send([&Frame::SettingsAck]);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// 6.5.2
#[test]
fn a_server_that_enables_push_ends_the_connection() {
    let mut raw = Raw::client(config());
    raw.send([&settings(&[(setting::ENABLE_PUSH, 0)])]);
    assert!(!raw.endpoint.is_closed());
    raw.send([&settings(&[(setting::ENABLE_PUSH, 1)])]);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// RFC 8441, 3
#[test]
fn extended_connect_once_enabled_stays_so() {
    let mut raw = Raw::client(config());
    raw.send([&settings(&[(setting::ENABLE_CONNECT_PROTOCOL, 1)])]);
    raw.send([&settings(&[(setting::ENABLE_CONNECT_PROTOCOL, 0)])]);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// The number of unknown settings that are kept is limited.
#[test]
fn of_unknown_settings_some_are_kept() {
    let mut raw = Raw::server(config());
    let many: Vec<_> = (0..1000).map(|n| (0x1000 + n, 1)).collect();
    raw.send([&settings(&many)]);
    assert_eq!(raw.endpoint.peer_settings().unwrap().extensions.len(), 64);
}

/// 4.2, 6.5.2
#[test]
fn frames_are_no_larger_than_the_peer_accepts() {
    let mut raw = Raw::client(config());
    let mut large = get("/");
    large.push(Field::new("x-large", vec![b'~'; 40_000]));
    raw.endpoint.request(start(), &large, true).unwrap();
    let replies = raw.replies();
    let [Frame::Headers { fragment: first, end_headers: false, end_stream: true, .. }, rest @ ..] = &replies[..] else {
        panic!("{replies:?}")
    };
    let mut block = BytesMut::from(&first[..]);
    for (index, frame) in rest.iter().enumerate() {
        let Frame::Continuation { fragment, end_headers, .. } = frame else { panic!("{frame:?}") };
        assert_eq!((fragment.len() <= 16_384, *end_headers), (true, index + 1 == rest.len()));
        block.extend_from_slice(fragment);
    }
    assert!(rest.len() >= 2);
    assert_eq!(Decoder::new(4096, usize::MAX).decode(&block).unwrap(), large);
}

/// 6.5.2: SETTINGS_MAX_HEADER_LIST_SIZE, in bytes with 32 for each field.
#[test]
fn a_header_list_that_the_peer_does_not_accept_is_not_sent() {
    let mut raw = Raw::client(config());
    let size = get("/").iter().map(Field::size).sum::<usize>();
    raw.send([&settings(&[(setting::MAX_HEADER_LIST_SIZE, size as u32 - 1)])]);
    let limit = size as u32 - 1;
    assert_eq!(raw.endpoint.request(start(), &get("/"), true), Err(RequestError::HeaderListTooLarge { size, limit }));
    raw.send([&settings(&[(setting::MAX_HEADER_LIST_SIZE, size as u32)])]);
    assert!(raw.endpoint.request(start(), &get("/"), true).is_ok());

    let mut raw = Raw::server(config());
    raw.open(1, true);
    raw.send([&settings(&[(setting::MAX_HEADER_LIST_SIZE, 10)])]);
    let refused = raw.endpoint.respond(id(1), &ok(), false);
    assert!(matches!(refused, Err(Misuse::HeaderListTooLarge { size: 42, limit: 10 })));
}

/// 4.3.1: the encoder uses the peer's table size, and announces the change.
#[test]
fn the_table_of_header_compression_is_no_larger_than_the_peer_says() {
    let mut raw = Raw::server(config());
    raw.open(1, true);
    raw.open(3, true);
    raw.send([&settings(&[(setting::HEADER_TABLE_SIZE, 0)])]);
    raw.replies();
    let mut decoder = Decoder::new(4096, usize::MAX);
    decoder.set_max_table_size(0);
    for stream in [1, 3] {
        let response = fields(&[(":status", "200"), ("x-name", "value")]);
        raw.endpoint.respond(id(stream), &response, true).unwrap();
        let replies = raw.replies();
        let [Frame::Headers { fragment, .. }] = &replies[..] else { panic!("{replies:?}") };
        assert_eq!(decoder.decode(fragment).unwrap(), response);
    }
}

/// 6.5.3
#[test]
fn a_peer_that_does_not_tell_or_acknowledge_settings_is_given_up() {
    let ten = Duration::from_secs(10);
    for frames in [&[][..], &[settings(&[])]] {
        let mut raw = Raw::silent_server(config());
        raw.bytes(PREFACE);
        raw.send(frames);
        assert_eq!(raw.endpoint.poll_timeout(), Some(start() + ten));
        raw.later(Duration::from_micros(9_999_999));
        assert!(!raw.endpoint.is_closed());
        raw.later(Duration::from_micros(1));
        assert_eq!(raw.events().last(), Some(&Event::Closed(Reason::SettingsTimeout)));
        let replies = raw.replies();
        assert!(matches!(replies.last(), Some(Frame::GoAway { code: ErrorCode::SETTINGS_TIMEOUT, .. })));
    }
    let raw = Raw::server(config());
    assert_eq!(raw.endpoint.poll_timeout(), None);
}

fn alive() -> Config {
    let keep_alive = Some(KeepAlive { interval: Duration::from_secs(30), timeout: Duration::from_secs(10) });
    let mut config = config();
    config.keep_alive = keep_alive;
    config
}

/// 6.7
#[test]
fn a_silent_peer_is_asked_and_then_given_up() {
    let mut raw = Raw::client(alive());
    raw.later(Duration::from_secs(30));
    let [Frame::Ping { ack: false, opaque }] = raw.replies()[..] else { panic!() };
    raw.now = raw.now + Duration::from_millis(20);
    raw.send([&Frame::Ping { ack: true, opaque }]);
    assert_eq!(raw.endpoint.round_trip(), Some(Duration::from_millis(20)));
    raw.later(Duration::from_secs(30));
    assert_eq!(raw.replies().len(), 1);
    // Any received byte proves that the peer is alive.
    raw.now = raw.now + Duration::from_secs(9);
    raw.send([&settings(&[])]);
    raw.later(Duration::from_secs(9));
    assert!(!raw.endpoint.is_closed());
    raw.later(Duration::from_secs(1));
    assert_eq!(raw.events().last(), Some(&Event::Closed(Reason::KeepAliveTimeout)));
    assert!(matches!(raw.replies().last(), Some(Frame::GoAway { code: ErrorCode::NO_ERROR, .. })));
}

/// A host that measures the round-trip time does not start a keep-alive timeout.
#[test]
fn a_ping_of_the_host_s_does_not_shorten_the_peer_s_time() {
    let mut raw = Raw::client(alive());
    raw.endpoint.ping(start());
    assert_eq!(raw.replies().len(), 1);
    raw.later(Duration::from_secs(30));
    assert!(!raw.endpoint.is_closed());
    let [Frame::Ping { ack: false, opaque }] = raw.replies()[..] else { panic!("it is asked now") };
    raw.later(Duration::from_secs(9));
    raw.send([&Frame::Ping { ack: true, opaque }]);
    raw.later(Duration::from_secs(30));
    assert!(!raw.endpoint.is_closed(), "it has answered");
}

#[test]
fn one_question_at_a_time() {
    let mut raw = Raw::client(config());
    raw.endpoint.ping(start());
    raw.endpoint.ping(start());
    assert_eq!(raw.replies().len(), 1);
    raw.send([&Frame::Ping { ack: true, opaque: 0xffff }]);
    assert_eq!(raw.endpoint.round_trip(), None, "that is no answer to it");
    assert_eq!(raw.endpoint.poll_timeout(), None, "without keep-alive nothing is at stake");
    assert_eq!(Bytes::new(), take(&mut raw.endpoint));
}

/// A host does not read while its application does not poll; the peer is not idle.
#[test]
fn a_peer_that_nobody_listens_to_is_not_given_up() {
    let mut config = alive();
    config.max_events = 1;
    let mut raw = Raw::client(config);
    raw.send([&settings(&[(0xf000, 1)])]);
    assert!(!raw.endpoint.wants_read());
    for _ in 0..5 {
        raw.later(Duration::from_secs(30));
    }
    assert!(!raw.endpoint.is_closed());
    assert_eq!(raw.replies(), [Frame::SettingsAck]);
    assert_eq!(raw.events(), [Event::Settings]);
    raw.later(Duration::from_secs(30));
    assert!(matches!(raw.replies()[..], [Frame::Ping { ack: false, .. }]));
}
