//! 3.4, 4.3, 5.5, 6.5 to 6.7: the connection as a whole.

use bytes::Bytes;
use hotrod_core::http2::frame::{Frame, FrameKind, Priority};
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Config, ErrorCode, Event, Place, Reason, StreamId};

use crate::pair::{KINDS, config, fields, get, ok, start};
use crate::raw::{PREFACE, Raw, data, extension, id, settings};

/// 3.4
#[test]
fn a_client_that_does_not_say_the_preface_is_refused_at_its_first_wrong_octet() {
    let mut raw = Raw::silent_server(config());
    raw.bytes(&PREFACE[..10]);
    assert!(!raw.endpoint.is_closed());
    raw.bytes(b"!");
    raw.fails(ErrorCode::PROTOCOL_ERROR);
    let mut raw = Raw::silent_server(config());
    raw.bytes(b"GET / HTTP/1.1\r\n\r\n");
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// 3.4
#[test]
fn the_first_frame_is_settings() {
    for first in [Frame::Ping { ack: false, opaque: 1 }, Frame::SettingsAck, extension(0, KINDS[0])] {
        let mut raw = Raw::silent_server(config());
        raw.bytes(PREFACE);
        raw.send([&first]);
        raw.fails(ErrorCode::PROTOCOL_ERROR);
    }
}

/// Valid frames before the violation are delivered, and nothing follows.
#[test]
fn a_violation_is_the_last_event_after_all_that_came_before_it() {
    let mut raw = Raw::server(config());
    let request = raw.headers(1, &get("/"), true);
    raw.send([&request, &Frame::Ping { ack: false, opaque: 7 }, &data(3, "idle", false), &request]);
    assert_eq!(raw.events()[0], Event::Request { stream: id(1), fields: get("/"), end_stream: true });
    let mut replies = raw.replies();
    let Some(Frame::GoAway { last_stream, code: ErrorCode::PROTOCOL_ERROR, .. }) = replies.pop() else { panic!() };
    assert_eq!(last_stream, id(1));
    assert_eq!(replies, [Frame::Ping { ack: true, opaque: 7 }]);
    raw.send([&Frame::Ping { ack: false, opaque: 8 }]);
    raw.endpoint.handle_link_lost();
    raw.endpoint.close(ErrorCode::NO_ERROR, b"again");
    assert!(raw.replies().is_empty() && raw.events().is_empty());
    assert_eq!(raw.endpoint.poll_timeout(), None);
    assert!(!raw.endpoint.wants_read());
}

#[test]
fn a_link_that_is_lost_ends_everything() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    raw.endpoint.handle_link_lost();
    assert_eq!(raw.events(), [Event::Closed(Reason::LinkLost)]);
    assert!(raw.endpoint.transmit().is_empty());
}

/// 4.3, 6.10
#[test]
fn a_field_block_may_come_in_pieces_and_nothing_between_them() {
    let request = |raw: &mut Raw| match raw.headers(1, &get("/a/rather/long/path"), true) {
        Frame::Headers { fragment, .. } => fragment,
        other => panic!("{other:?}"),
    };
    let pieces = |block: &Bytes| {
        let first = Frame::Headers {
            stream: id(1),
            priority: None,
            fragment: block.slice(..3),
            end_stream: true,
            end_headers: false,
        };
        let middle = Frame::Continuation { stream: id(1), fragment: block.slice(3..5), end_headers: false };
        let last = Frame::Continuation { stream: id(1), fragment: block.slice(5..), end_headers: true };
        [first, middle, last]
    };
    let mut raw = Raw::server(config());
    let block = request(&mut raw);
    raw.send(&pieces(&block));
    let expected = Event::Request { stream: id(1), fields: get("/a/rather/long/path"), end_stream: true };
    assert_eq!(raw.events(), [expected]);

    let other_stream = Frame::Continuation { stream: id(3), fragment: Bytes::new(), end_headers: true };
    let wrong_size =
        Frame::Priority { stream: id(3), priority: Priority { dependency: id(1), exclusive: false, weight: 1 } };
    for between in
        [Frame::Ping { ack: false, opaque: 1 }, extension(0, 0xee), data(1, "", false), other_stream, wrong_size]
    {
        let mut raw = Raw::server(config());
        let block = request(&mut raw);
        let [first, _, last] = pieces(&block);
        raw.send([&first, &between, &last]);
        raw.fails(ErrorCode::PROTOCOL_ERROR);
    }
    let mut raw = Raw::server(config());
    raw.open(1, true);
    raw.send([&Frame::Continuation { stream: id(1), fragment: Bytes::new(), end_headers: true }]);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// 4.3
#[test]
fn a_field_block_that_cannot_be_read_ends_the_connection() {
    let mut raw = Raw::server(config());
    let fragment = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    raw.send([&Frame::Headers { stream: id(1), priority: None, fragment, end_stream: true, end_headers: true }]);
    raw.fails(ErrorCode::COMPRESSION_ERROR);
}

/// 10.5.1: header compression stays in step.
#[test]
fn a_header_list_that_is_too_large_ends_its_stream_only() {
    let mut raw = Raw::server(config());
    let mut large = get("/");
    large.push(Field::new("x-large", vec![b'x'; 16 << 10]));
    let Frame::Headers { fragment, .. } = raw.headers(1, &large, true) else { panic!() };
    raw.send([
        &Frame::Headers {
            stream: id(1),
            priority: None,
            fragment: fragment.slice(..8000),
            end_stream: true,
            end_headers: false,
        },
        &Frame::Continuation { stream: id(1), fragment: fragment.slice(8000..), end_headers: true },
    ]);
    raw.resets(1, ErrorCode::ENHANCE_YOUR_CALM);
    raw.open(3, true);
    assert_eq!(raw.replies(), []);
}

/// 5.5
#[test]
fn unknown_frames_and_priorities_are_ignored_wherever_they_are() {
    let mut raw = Raw::server(config());
    raw.complete(1);
    let priority_update = Frame::Extension {
        stream: StreamId::CONNECTION,
        kind: FrameKind::PRIORITY_UPDATE,
        flags: 0,
        payload: "\0\0\0\x01u=1".into(),
    };
    let priority = |stream| Frame::Priority {
        stream: id(stream),
        priority: Priority { dependency: id(1), exclusive: true, weight: 256 },
    };
    raw.send(&[
        extension(0, 0xee),
        extension(1, 0xee),
        extension(99, 0xee),
        priority_update,
        priority(3),
        priority(99),
    ]);
    raw.tolerates();
}

/// RFC 7540, 5.3.1
#[test]
fn a_stream_that_depends_on_itself_is_reset() {
    let mut raw = Raw::server(config());
    let on_itself = Priority { dependency: id(1), exclusive: false, weight: 1 };
    let Frame::Headers { fragment, .. } = raw.headers(1, &get("/"), true) else { panic!() };
    raw.send([&Frame::Headers {
        stream: id(1),
        priority: Some(on_itself),
        fragment,
        end_stream: true,
        end_headers: true,
    }]);
    raw.resets(1, ErrorCode::PROTOCOL_ERROR);
    assert_eq!(raw.events(), []);
}

/// 5.4.2: RST_STREAM can't be sent on an idle stream.
#[test]
fn what_is_wrong_with_a_stream_that_is_idle_ends_the_connection() {
    let mut raw = Raw::server(config());
    raw.bytes(&[0, 0, 4, 0x02, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    raw.fails(ErrorCode::FRAME_SIZE_ERROR);
}

/// 6.7
#[test]
fn a_ping_is_answered_with_its_octets() {
    let mut raw = Raw::server(config());
    raw.send([&Frame::Ping { ack: false, opaque: 0x0102_0304_0506_0708 }, &Frame::Ping { ack: true, opaque: 99 }]);
    assert_eq!(raw.replies(), [Frame::Ping { ack: true, opaque: 0x0102_0304_0506_0708 }]);
}

/// 8.4: push is always disabled.
#[test]
fn a_pushed_stream_ends_the_connection() {
    let push = Frame::PushPromise { stream: id(1), promised: id(2), fragment: Bytes::new(), end_headers: true };
    let mut raw = Raw::client(Config::default());
    raw.endpoint.request(start(), &get("/"), true).unwrap();
    raw.send([&push]);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
    let mut raw = Raw::server(Config::default());
    raw.open(1, true);
    raw.send([&push]);
    raw.fails(ErrorCode::PROTOCOL_ERROR);
}

/// 5.1, 5.5: the user of a registered type decides about frames in unexpected states.
#[test]
fn a_registered_frame_is_told_in_its_place_among_data_and_with_the_state_of_its_stream() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    raw.send([&extension(1, KINDS[0]), &data(1, "", true), &extension(1, KINDS[0])]);
    let [Event::Extension { stream, .. }, Event::Data { end_stream: true, .. }, stray] = &raw.events()[..] else {
        panic!()
    };
    assert_eq!(*stream, id(1));
    let place_of = |event: &Event| match event {
        Event::StrayExtension { stream, place, .. } => (stream.value(), *place),
        other => panic!("{other:?}"),
    };
    assert_eq!(place_of(stray), (1, Place::Ended));
    raw.endpoint.reset(id(1), ErrorCode::STREAM_CLOSED).unwrap();
    raw.replies();
    raw.send([&extension(1, KINDS[0]), &extension(3, KINDS[0])]);
    let places: Vec<_> = raw.events().iter().map(place_of).collect();
    assert_eq!(places, [(1, Place::Closed), (3, Place::Idle)]);
    raw.tolerates();
}

/// Frames received and not polled when the stream was reset.
#[test]
fn a_registered_frame_of_a_stream_that_was_given_up_is_not_lost() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    raw.send([&extension(1, KINDS[0]), &data(1, "content", false)]);
    raw.endpoint.reset(id(1), ErrorCode::CANCEL).unwrap();
    assert!(matches!(raw.events()[..], [Event::StrayExtension { place: Place::Closed, .. }]));
}

/// Without the setting from both ends, the frames are unknown everywhere.
#[test]
fn registered_frames_that_were_not_agreed_on_are_unknown() {
    let with = |own: u32, peer: &[(u16, u32)]| {
        let mut endpoint = config();
        endpoint.extension_setting = Some(0xf123);
        endpoint.settings.extensions = vec![(0xf123, own)];
        let mut raw = Raw::silent_server(endpoint);
        raw.bytes(PREFACE);
        raw.send([&settings(peer), &Frame::SettingsAck]);
        raw.open(1, true);
        raw.events();
        // A later setting changes nothing.
        raw.send([&settings(&[(0xf123, 1)]), &extension(1, KINDS[0]), &extension(99, KINDS[0])]);
        let reported = raw.events().iter().filter(|event| !matches!(event, Event::Settings)).count();
        raw.replies();
        raw.tolerates();
        (reported, raw.endpoint.send_extension(id(0), KINDS[0], 0, &[]).is_ok())
    };
    assert_eq!(with(1, &[(0xf123, 1)]), (2, true));
    for (own, peer) in [(1, &[][..]), (1, &[(0xf123, 0)]), (0, &[(0xf123, 1)])] {
        assert_eq!(with(own, peer), (0, false), "{own} {peer:?}");
    }
}

/// A request is allowed before the server's SETTINGS, which might limit it.
#[test]
fn a_client_may_send_before_the_servers_settings() {
    let mut raw = Raw::silent_server(config());
    let request = raw.headers(1, &get("/"), true);
    raw.bytes(PREFACE);
    raw.send([&settings(&[]), &request]);
    assert_eq!(raw.events().len(), 2);
    raw.endpoint.respond(id(1), &ok(), true).unwrap();
    raw.endpoint.respond(id(1), &fields(&[(":status", "200")]), true).unwrap_err();
}
