//! 5.1: the states of streams.

use hotrod_core::http2::frame::Frame;
use hotrod_core::http2::{ErrorCode, Event, Misuse, RequestError};

use crate::pair::{config, fields, get, ok, post, start};
use crate::raw::{Raw, data, id, rst_stream, window_update};

/// 5.1 "idle"
#[test]
fn only_headers_and_priority_come_on_a_stream_that_is_idle() {
    for frame in [data(1, "x", false), window_update(1, 1), rst_stream(1, ErrorCode::CANCEL)] {
        let mut raw = Raw::server(config());
        raw.send([&frame]);
        raw.fails(ErrorCode::PROTOCOL_ERROR);
    }
}

/// 5.1.1
#[test]
fn identifiers_of_streams_only_grow() {
    let mut raw = Raw::server(config());
    raw.open(5, true);
    raw.send_headers(3, &get("/"), true);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// 5.1.1
#[test]
fn a_client_opens_streams_with_odd_identifiers_and_a_server_none() {
    let mut raw = Raw::server(config());
    raw.send_headers(2, &get("/"), true);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
    for stream in [2, 3] {
        let mut raw = Raw::client(config());
        raw.send_headers(stream, &ok(), true);
        raw.fails(ErrorCode::PROTOCOL_ERROR);
    }
}

/// 5.1 "half-closed (remote)"
#[test]
fn what_comes_after_the_end_of_a_stream_resets_it() {
    let mut raw = Raw::server(config());
    raw.open(1, true);
    raw.send([&window_update(1, 10)]);
    raw.tolerates();
    raw.send([&data(1, "x", false)]);
    raw.resets_aloud(1, ErrorCode::STREAM_CLOSED);
    raw.open(3, true);
    raw.send_headers(3, &fields(&[("x", "y")]), true);
    raw.resets_aloud(3, ErrorCode::STREAM_CLOSED);
    raw.open(5, true);
    raw.send([&rst_stream(5, ErrorCode::CANCEL)]);
    assert_eq!(raw.events(), [Event::Reset { stream: id(5), code: ErrorCode::CANCEL, by_peer: true }]);
}

/// 5.1 "closed", by END_STREAM of both
#[test]
fn a_stream_that_is_complete_takes_nothing_but_what_crossed_its_end() {
    let mut raw = Raw::server(config());
    raw.complete(1);
    raw.send([&window_update(1, 1), &rst_stream(1, ErrorCode::NO_ERROR)]);
    raw.tolerates();
    raw.send([&data(1, "x", false)]);
    raw.resets(1, ErrorCode::STREAM_CLOSED);
    assert_eq!(raw.events(), [], "nobody knows the stream any more");
    raw.send_headers(1, &get("/"), true);
    raw.fails(ErrorCode::STREAM_CLOSED);
}

/// 5.1 "closed", by RST_STREAM of the peer
#[test]
fn a_peer_sends_nothing_on_a_stream_that_it_has_reset() {
    let mut raw = Raw::server(config());
    for stream in [1, 3] {
        raw.open(stream, false);
        raw.send([&rst_stream(stream, ErrorCode::CANCEL)]);
        raw.events();
    }
    raw.send([&data(1, "x", false)]);
    raw.resets(1, ErrorCode::STREAM_CLOSED);
    raw.send_headers(3, &fields(&[("x", "y")]), true);
    raw.resets(3, ErrorCode::STREAM_CLOSED);
}

/// 5.1 "closed", by RST_STREAM of ours: frames were in transit.
#[test]
fn what_was_on_its_way_when_a_stream_was_reset_is_ignored() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    raw.endpoint.reset(id(1), ErrorCode::CANCEL).unwrap();
    assert_eq!(raw.replies(), [rst_stream(1, ErrorCode::CANCEL)]);
    raw.send([&data(1, "x", false), &window_update(1, 5)]);
    raw.send_headers(1, &fields(&[("x", "y")]), true);
    raw.send([&rst_stream(1, ErrorCode::CANCEL)]);
    raw.tolerates();
    // Header compression is still in step.
    raw.open(3, true);
}

/// Independent of the number of later streams, whose ends are not all remembered.
#[test]
fn what_is_late_by_a_thousand_streams_is_ignored_too() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    raw.endpoint.reset(id(1), ErrorCode::CANCEL).unwrap();
    for stream in 1..1000 {
        raw.complete(2 * stream + 1);
    }
    raw.send_headers(1, &fields(&[("x", "y")]), true);
    raw.send([&data(1, "x", true)]);
    raw.tolerates();
}

/// 5.1.2
#[test]
fn more_streams_than_allowed_are_refused() {
    let mut limited = config();
    limited.settings.max_concurrent_streams = Some(2);
    let mut raw = Raw::server(limited);
    raw.open(1, false);
    raw.open(3, true);
    raw.send_headers(5, &get("/"), true);
    raw.resets(5, ErrorCode::REFUSED_STREAM);
    assert_eq!(raw.events(), []);
    raw.endpoint.respond(id(3), &ok(), true).unwrap();
    raw.open(7, true);
}

/// A complete stream counts while the application holds its content.
#[test]
fn content_that_is_not_released_is_no_way_around_the_limit() {
    let mut limited = config();
    limited.settings.max_concurrent_streams = Some(2);
    let mut raw = Raw::server(limited);
    for stream in [1, 3] {
        raw.open(stream, false);
        raw.send([&data(stream, "content", true)]);
        raw.endpoint.respond(id(stream), &ok(), true).unwrap();
    }
    assert_eq!(raw.endpoint.open_streams(), 0);
    raw.send_headers(5, &get("/"), true);
    raw.resets(5, ErrorCode::REFUSED_STREAM);
    raw.endpoint.release(id(1), 7);
    raw.open(7, true);
}

#[test]
fn commands_that_do_not_fit_the_state_of_a_stream_change_nothing() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    assert_eq!(raw.endpoint.send_data(id(1), "x".into(), true), Err(Misuse::NotYetResponded));
    assert_eq!(raw.endpoint.send_trailers(id(1), &[]), Err(Misuse::NotYetResponded));
    assert_eq!(raw.endpoint.send_capacity(id(1)), 0);
    assert_eq!(raw.endpoint.respond(id(3), &ok(), false), Err(Misuse::NoSuchStream));
    assert_eq!(raw.endpoint.request(start(), &get("/"), true), Err(RequestError::NotAClient));
    raw.endpoint.respond(id(1), &ok(), false).unwrap();
    assert_eq!(raw.endpoint.respond(id(1), &ok(), false), Err(Misuse::AlreadyResponded));
    raw.endpoint.send_data(id(1), "x".into(), true).unwrap();
    assert_eq!(raw.endpoint.send_data(id(1), "y".into(), true), Err(Misuse::Ended));
    assert_eq!(raw.endpoint.send_trailers(id(1), &[]), Err(Misuse::Ended));
    assert_eq!(raw.endpoint.send_capacity(id(1)), 0);
    let sent = raw.replies();
    assert!(matches!(sent[..], [Frame::Headers { .. }, Frame::Data { end_stream: true, .. }]), "{sent:?}");

    let mut raw = Raw::client(config());
    let stream = raw.endpoint.request(start(), &post("/"), false).unwrap();
    assert_eq!(raw.endpoint.respond(stream, &ok(), true), Err(Misuse::NotAServer));
    raw.endpoint.close(ErrorCode::NO_ERROR, b"");
    assert_eq!(raw.endpoint.send_data(stream, "x".into(), true), Err(Misuse::Closed));
    assert_eq!(raw.endpoint.request(start(), &get("/"), true), Err(RequestError::Closed));
    assert_eq!(raw.endpoint.reset(stream, ErrorCode::CANCEL), Err(Misuse::Closed));
}
