//! 5.2 and 6.9: flow control.

use bytes::Bytes;
use hotrod_core::http2::frame::Frame;
use hotrod_core::http2::{Config, ErrorCode, Event, setting};

use crate::pair::{config, fields, ok, post, start};
use crate::raw::{Raw, data, id, rst_stream, settings, window_update};

fn narrow(stream: u32, connection: u32) -> Config {
    let mut config = config();
    config.connection_window = connection;
    config.settings.initial_window_size = stream;
    config
}

fn filled(count: usize) -> Bytes {
    vec![7; count].into()
}

/// Number of DATA bytes that an endpoint has sent since the last call.
fn sent(raw: &mut Raw) -> usize {
    let content = |frame: &Frame| match frame {
        Frame::Data { data, .. } => data.len(),
        _ => 0,
    };
    raw.replies().iter().map(content).sum()
}

/// 6.9.1
#[test]
fn data_beyond_a_streams_window_resets_it() {
    let mut raw = Raw::server(narrow(100, 1 << 20));
    raw.open(1, false);
    raw.send([&data(1, filled(100), false)]);
    raw.events();
    raw.send([&data(1, "x", false)]);
    raw.resets_aloud(1, ErrorCode::FLOW_CONTROL_ERROR);
}

/// 6.9.1
#[test]
fn data_beyond_the_connections_window_ends_it() {
    let mut raw = Raw::server(narrow(1 << 20, 65_535));
    raw.open(1, false);
    for _ in 0..4 {
        raw.send([&data(1, filled(16_000), false)]);
    }
    raw.send([&data(1, filled(1_535), false)]);
    assert_eq!(raw.events().len(), 5);
    raw.send([&data(1, "x", false)]);
    raw.fails(ErrorCode::FLOW_CONTROL_ERROR);
}

/// 5.2.2: both levels, each at once when half of the window is released.
#[test]
fn windows_are_given_back_by_halves() {
    let mut raw = Raw::server(narrow(1000, 65_535));
    raw.open(1, false);
    raw.send([&data(1, filled(800), false)]);
    raw.endpoint.release(id(1), 499);
    assert_eq!(raw.replies(), []);
    raw.endpoint.release(id(1), 1);
    assert_eq!(raw.replies(), [window_update(1, 500)]);
    raw.endpoint.release(id(1), 100_000);
    assert_eq!(raw.replies(), [], "no more than there was");
    raw.send([&data(1, filled(700), false)]);
    raw.endpoint.release(id(1), 700);
    assert_eq!(raw.replies(), [window_update(1, 1000)]);
    for stream in 1..=40 {
        raw.open(2 * stream + 1, false);
        raw.send([&data(2 * stream + 1, filled(1000), true)]);
        raw.endpoint.release(id(2 * stream + 1), 1000);
    }
    assert_eq!(raw.replies(), [window_update(0, 33_500)], "nothing for streams that have ended");
}

/// 6.1: padding counts, and is released automatically.
#[test]
fn padding_is_given_back_without_asking() {
    let mut raw = Raw::server(narrow(500, 65_535));
    raw.open(1, false);
    let mut frame = vec![0, 1, 0, 0x00, 0x08, 0, 0, 0, 1, 254];
    frame.resize(9 + 256, 0);
    raw.bytes(&frame);
    assert_eq!(raw.replies(), [window_update(1, 255)]);
    assert_eq!(raw.events(), [Event::Data { stream: id(1), data: Bytes::from_static(&[0]), end_stream: false }]);
}

/// The connection's window outlives its streams.
#[test]
fn what_nobody_will_read_is_given_back() {
    let mut raw = Raw::server(narrow(40_000, 65_535));
    raw.open(1, false);
    raw.send([&data(1, filled(16_000), false)]);
    raw.send([&data(1, filled(16_000), false)]);
    raw.endpoint.reset(id(1), ErrorCode::CANCEL).unwrap();
    assert_eq!(raw.replies(), [rst_stream(1, ErrorCode::CANCEL)], "32,000 of 65,535 are not half");
    raw.send([&data(1, filled(1_000), false)]);
    assert_eq!(raw.replies(), [window_update(0, 33_000)], "on its way when the stream was reset");
    raw.endpoint.release(id(1), 16_000);
    raw.tolerates();

    raw.open(3, false);
    raw.send([&data(3, filled(16_000), false), &data(3, filled(16_384), false), &rst_stream(3, ErrorCode::CANCEL)]);
    raw.open(5, false);
    raw.send([&data(5, filled(400), false)]);
    raw.endpoint.release(id(5), 400);
    assert_eq!(raw.replies(), [window_update(0, 32_784)]);
}

/// 6.9.1: DATA of a complete stream is released like other DATA.
#[test]
fn content_can_be_released_after_the_end_of_its_stream() {
    let mut raw = Raw::server(narrow(40_000, 65_535));
    for stream in [1, 3, 5] {
        raw.open(stream, false);
        raw.send([&data(stream, filled(12_000), true)]);
        raw.endpoint.respond(id(stream), &ok(), true).unwrap();
    }
    raw.replies();
    raw.endpoint.release(id(1), 12_000);
    raw.endpoint.release(id(3), 12_000);
    assert_eq!(raw.replies(), []);
    raw.endpoint.release(id(5), 8_766);
    assert_eq!(raw.replies(), []);
    raw.endpoint.release(id(5), 1);
    assert_eq!(raw.replies(), [window_update(0, 32_767)]);
}

/// 6.9.1
#[test]
fn a_window_above_its_largest_is_an_error_of_its_owner() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    raw.send([&window_update(1, 0x7fff_ffff)]);
    raw.resets_aloud(1, ErrorCode::FLOW_CONTROL_ERROR);
    raw.send([&window_update(0, 0x7fff_ffff - 65_535)]);
    raw.tolerates();
    raw.send([&window_update(0, 1)]);
    raw.fails(ErrorCode::FLOW_CONTROL_ERROR);
}

/// 6.9.2
#[test]
fn a_new_initial_window_changes_that_of_every_stream() {
    let mut raw = Raw::server(config());
    raw.send([&settings(&[(setting::INITIAL_WINDOW_SIZE, 100)]), &window_update(0, 1 << 20)]);
    raw.open(1, true);
    raw.endpoint.respond(id(1), &ok(), false).unwrap();
    raw.endpoint.send_data(id(1), filled(500), false).unwrap();
    assert_eq!(sent(&mut raw), 100);
    raw.send([&settings(&[(setting::INITIAL_WINDOW_SIZE, 150)])]);
    assert_eq!(sent(&mut raw), 50);
    raw.send([&settings(&[(setting::INITIAL_WINDOW_SIZE, 10)])]);
    raw.send([&window_update(1, 140)]);
    assert_eq!(sent(&mut raw), 0, "the window was negative, and is none now");
    raw.send([&window_update(1, 1)]);
    assert_eq!(sent(&mut raw), 1);
}

/// 6.9.2
#[test]
fn an_initial_window_that_makes_one_too_large_ends_the_connection() {
    let mut raw = Raw::server(config());
    raw.open(1, false);
    raw.send([&window_update(1, 0x7fff_ffff - 65_535)]);
    raw.send([&settings(&[(setting::INITIAL_WINDOW_SIZE, 65_536)])]);
    raw.fails(ErrorCode::FLOW_CONTROL_ERROR);
}

/// 6.9.2: the peer's windows have the protocol's initial size until it has acknowledged ours.
#[test]
fn a_window_of_ours_counts_from_its_acknowledgement_on() {
    for size in [10, 200_000] {
        let mut raw = Raw::silent_server(narrow(size, 1 << 20));
        raw.bytes(crate::raw::PREFACE);
        raw.send([&settings(&[])]);
        raw.events();
        raw.open(1, false);
        for _ in 0..4 {
            raw.send([&data(1, filled(16_000), false)]);
        }
        raw.send([&data(1, filled(1_535), false)]);
        assert_eq!(raw.events().len(), 5, "65,535 content");
        raw.send([&Frame::SettingsAck]);
        raw.replies();
        let after = data(1, filled(16_000), false);
        raw.send([&after]);
        if size == 10 {
            raw.resets_aloud(1, ErrorCode::FLOW_CONTROL_ERROR);
        } else {
            assert_eq!(raw.events().len(), 1);
        }
        raw.open(3, false);
        raw.send([&data(3, filled(11), false)]);
        assert_eq!(raw.replies().len(), usize::from(size == 10));
    }
}

/// 5.2.1, 6.9: the sender respects both windows; frames without content need none.
#[test]
fn a_sender_heeds_both_windows() {
    let mut raw = Raw::server(config());
    for stream in [1, 3] {
        raw.open(stream, true);
        raw.endpoint.respond(id(stream), &ok(), false).unwrap();
        raw.endpoint.send_data(id(stream), filled(60_000), false).unwrap();
    }
    assert_eq!(sent(&mut raw), 65_535);
    raw.open(5, true);
    raw.endpoint.respond(id(5), &ok(), false).unwrap();
    raw.endpoint.send_data(id(5), Bytes::new(), true).unwrap();
    assert!(raw.replies().contains(&data(5, "", true)));
    raw.open(7, true);
    raw.endpoint.respond(id(7), &ok(), false).unwrap();
    raw.endpoint.send_trailers(id(7), &fields(&[("x", "y")])).unwrap();
    assert!(matches!(raw.replies()[..], [Frame::Headers { .. }, Frame::Headers { end_stream: true, .. }]));
    raw.send([&window_update(1, 100_000), &window_update(3, 100_000)]);
    assert_eq!(sent(&mut raw), 0);
    raw.send([&window_update(0, 20_000)]);
    assert_eq!(sent(&mut raw), 20_000);
    raw.send([&window_update(0, 1 << 20)]);
    assert_eq!(sent(&mut raw), 120_000 - 85_535);
}

/// Accepted content is sent before END_STREAM and trailers.
#[test]
fn the_end_of_a_stream_waits_for_its_content() {
    let mut raw = Raw::client(config());
    raw.send([&settings(&[(setting::INITIAL_WINDOW_SIZE, 10)])]);
    raw.replies();
    for stream in [1, 3] {
        assert_eq!(raw.endpoint.request(start(), &post("/"), false), Ok(id(stream)));
    }
    raw.endpoint.send_data(id(1), filled(25), true).unwrap();
    raw.endpoint.send_data(id(3), filled(25), false).unwrap();
    raw.endpoint.send_trailers(id(3), &fields(&[("x", "y")])).unwrap();
    assert_eq!(sent(&mut raw), 20);
    raw.send([&window_update(1, 100), &window_update(3, 100)]);
    let replies = raw.replies();
    assert_eq!(replies[..2], [data(1, filled(15), true), data(3, filled(15), false)]);
    assert!(matches!(replies[2..], [Frame::Headers { end_stream: true, .. }]), "{replies:?}");
}

/// Small queued pieces are sent in one frame.
#[test]
fn pieces_that_wait_are_joined_into_frames() {
    let mut raw = Raw::server(config());
    raw.send([&settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    raw.open(1, true);
    raw.endpoint.respond(id(1), &ok(), false).unwrap();
    for piece in ["he", "ll", "o"] {
        raw.endpoint.send_data(id(1), piece.into(), piece == "o").unwrap();
    }
    raw.replies();
    raw.send([&window_update(1, 3)]);
    assert_eq!(raw.replies(), [data(1, "hel", false)]);
    raw.send([&window_update(1, 3)]);
    assert_eq!(raw.replies(), [data(1, "lo", true)]);
}

/// Limits of one stream, and of all together.
#[test]
fn what_is_taken_of_the_application_is_bounded() {
    let mut bounded = config();
    bounded.max_stream_send_bytes = 1000;
    bounded.max_send_bytes = 1500;
    let mut raw = Raw::server(bounded);
    raw.send([&settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    for stream in [1, 3] {
        raw.open(stream, true);
        raw.endpoint.respond(id(stream), &ok(), false).unwrap();
    }
    raw.replies();
    assert_eq!(raw.endpoint.send_capacity(id(1)), 1000);
    raw.endpoint.send_data(id(1), filled(1000), false).unwrap();
    assert_eq!((raw.endpoint.send_capacity(id(1)), raw.endpoint.send_capacity(id(3))), (0, 500));
    assert!(raw.endpoint.send_data(id(3), filled(501), false).is_err());
    raw.endpoint.send_data(id(3), filled(500), false).unwrap();
    assert!(raw.endpoint.send_data(id(3), filled(1), false).is_err());
    assert_eq!(raw.events(), []);
    raw.send([&window_update(1, 499)]);
    assert_eq!(raw.events(), [], "not for every few content");
    raw.send([&window_update(1, 1)]);
    assert_eq!(raw.events(), [Event::Writable { stream: id(1) }, Event::Writable { stream: id(3) }]);
    raw.endpoint.reset(id(1), ErrorCode::CANCEL).unwrap();
    assert_eq!(raw.endpoint.send_capacity(id(3)), 500);
}
