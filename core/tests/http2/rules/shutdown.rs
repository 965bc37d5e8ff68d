//! 6.8: GOAWAY.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::http2::frame::Frame;
use hotrod_core::http2::{ErrorCode, Event, Reason, RequestError, StreamId};

use crate::pair::{Pair, config, get, ok, post, start};
use crate::raw::{Raw, data, id, rst_stream};

fn goaway(last_stream: u32, code: ErrorCode) -> Frame {
    Frame::GoAway { last_stream: id(last_stream), code, debug: Bytes::new() }
}

#[test]
fn a_server_drains_in_two_steps_and_loses_no_request() {
    let mut raw = Raw::server(config());
    raw.open(1, true);
    raw.endpoint.drain(raw.now);
    let [announcement, Frame::Ping { ack: false, opaque }] = &raw.replies()[..] else { panic!() };
    assert_eq!(*announcement, goaway(0x7fff_ffff, ErrorCode::NO_ERROR));
    // In transit when the client received GOAWAY.
    raw.open(3, true);
    raw.send([&Frame::Ping { ack: true, opaque: *opaque }]);
    assert_eq!(raw.replies(), [goaway(3, ErrorCode::NO_ERROR)]);
    raw.send_headers(5, &get("/"), false);
    raw.send([&data(5, "late", true)]);
    raw.tolerates();
    raw.endpoint.respond(id(1), &ok(), true).unwrap();
    assert_eq!(raw.events(), []);
    raw.endpoint.respond(id(3), &ok(), true).unwrap();
    assert_eq!(raw.events(), [Event::Drained]);
    raw.replies();
    raw.endpoint.close(ErrorCode::NO_ERROR, b"bye");
    let last = Frame::GoAway { last_stream: id(3), code: ErrorCode::NO_ERROR, debug: "bye".into() };
    assert_eq!(raw.replies(), [last], "not a stream more than was said");
    assert_eq!(raw.events(), [Event::Closed(Reason::Closed { code: ErrorCode::NO_ERROR })]);
}

#[test]
fn a_client_that_does_not_answer_does_not_hold_up_the_end() {
    let mut raw = Raw::server(config());
    raw.endpoint.drain(raw.now);
    raw.endpoint.drain(raw.now);
    assert_eq!(raw.replies().len(), 2);
    assert_eq!(raw.endpoint.poll_timeout(), Some(raw.now + Duration::from_secs(5)));
    raw.later(Duration::from_secs(5));
    assert_eq!(raw.replies(), [goaway(0, ErrorCode::NO_ERROR)]);
    assert_eq!(raw.events(), [Event::Drained]);
    assert_eq!(raw.endpoint.poll_timeout(), None);
}

#[test]
fn streams_that_are_reset_are_drained_too() {
    let mut raw = Raw::server(config());
    for stream in [1, 3, 5] {
        raw.open(stream, false);
    }
    raw.endpoint.drain(raw.now);
    raw.later(Duration::from_secs(5));
    raw.send([&rst_stream(1, ErrorCode::CANCEL), &Frame::WindowUpdate { stream: id(3), increment: 0x7fff_ffff }]);
    assert!(!raw.events().contains(&Event::Drained));
    raw.endpoint.reset(id(5), ErrorCode::CANCEL).unwrap();
    assert_eq!(raw.events(), [Event::Drained]);
}

#[test]
fn a_client_drains_by_asking_no_more() {
    let mut pair = Pair::ready();
    let stream = pair.request(&get("/"), true);
    pair.client.drain(pair.now);
    assert!(pair.client.is_going_away());
    assert_eq!(pair.client.request(pair.now, &get("/"), true), Err(RequestError::GoingAway));
    assert_eq!(pair.client_events(), []);
    pair.server.respond(stream, &ok(), true).unwrap();
    pair.settle();
    let response = Event::Response { stream, fields: ok(), end_stream: true };
    assert_eq!(pair.client_events(), [response, Event::Drained]);
    let mut idle = Pair::ready();
    idle.client.drain(idle.now);
    assert_eq!(idle.client_events(), [Event::Drained]);
}

/// Requests that the server did not process can be retried elsewhere.
#[test]
fn streams_above_the_last_are_refused_and_the_others_go_on() {
    let mut raw = Raw::client(config());
    for _ in 0..3 {
        raw.endpoint.request(start(), &get("/"), true).unwrap();
    }
    raw.send([&goaway(0x7fff_ffff, ErrorCode::NO_ERROR)]);
    assert_eq!(raw.endpoint.request(start(), &get("/"), true), Err(RequestError::GoingAway));
    let announced = Event::GoAway { last_stream: StreamId::MAX, code: ErrorCode::NO_ERROR, debug: Bytes::new() };
    assert_eq!(raw.events(), [announced]);
    raw.send([&goaway(1, ErrorCode::NO_ERROR)]);
    let refused = |stream| Event::Reset { stream: id(stream), code: ErrorCode::REFUSED_STREAM, by_peer: true };
    let last = Event::GoAway { last_stream: id(1), code: ErrorCode::NO_ERROR, debug: Bytes::new() };
    assert_eq!(raw.events(), [last, refused(3), refused(5)]);
    raw.send_headers(1, &ok(), true);
    assert_eq!(raw.events(), [Event::Response { stream: id(1), fields: ok(), end_stream: true }]);
}

#[test]
fn the_last_stream_does_not_grow() {
    let mut raw = Raw::client(config());
    raw.send([&goaway(3, ErrorCode::NO_ERROR), &goaway(5, ErrorCode::NO_ERROR)]);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// A client's GOAWAY concerns the streams of the server, which has none.
#[test]
fn a_server_goes_on_after_a_clients_goaway() {
    let mut raw = Raw::server(config());
    raw.open(1, true);
    raw.send([&goaway(0, ErrorCode::NO_ERROR)]);
    assert!(matches!(raw.events()[..], [Event::GoAway { .. }]));
    raw.endpoint.respond(id(1), &ok(), true).unwrap();
    assert!(matches!(raw.replies()[..], [Frame::Headers { .. }]));
}

#[test]
fn closing_says_why_in_few_words() {
    let mut raw = Raw::client(config());
    raw.endpoint.request(start(), &post("/"), false).unwrap();
    raw.replies();
    raw.endpoint.close(ErrorCode(0xf000_0001), &[b'x'; 5000]);
    let debug = Bytes::from(vec![b'x'; 1024]);
    let expected = Frame::GoAway { last_stream: id(0), code: ErrorCode(0xf000_0001), debug };
    assert_eq!(raw.replies(), [expected]);
    let [Event::Closed(reason)] = raw.events()[..] else { panic!() };
    assert_eq!(reason.to_string(), "the connection was closed with error code 0xf0000001");
}
