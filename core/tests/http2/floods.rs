//! Rate limits for frames that cost a peer less than us (RFC 9113, 10.5).

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::http2::frame::{Frame, Priority};
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Budget, Config, ErrorCode, Event, FloodBudgets, setting};

use crate::pair::{KINDS, config, fields, get, ok, start};
use crate::raw::{Raw, data, extension, id, rst_stream, settings, window_update};

/// Limits everything to a burst of ten and one per second.
fn strict() -> Config {
    let mut config = config();
    config.flood = FloodBudgets::all(Budget { burst: 10, per_second: 1 });
    config
}

/// Asserts the limit: `flood` succeeds ten times and once more a second later; the next time exceeds it.
fn is_stopped(mut raw: Raw, mut flood: impl FnMut(&mut Raw, u32)) {
    for n in 0..10 {
        flood(&mut raw, n);
        assert!(!raw.endpoint.is_closed(), "after {}", n + 1);
    }
    raw.now = raw.now + Duration::from_secs(1);
    flood(&mut raw, 10);
    assert!(!raw.endpoint.is_closed());
    flood(&mut raw, 11);
    raw.fails(ErrorCode::ENHANCE_YOUR_CALM);
}

fn sent_again_and_again(frame: Frame) {
    let mut raw = Raw::server(strict());
    // Refills the budget used by the handshake.
    raw.now = raw.now + Duration::from_secs(100);
    raw.open(1, false);
    is_stopped(raw, |raw, _| raw.send([&frame]));
}

#[test]
fn a_flood_of_settings_or_goaway_is_stopped() {
    sent_again_and_again(settings(&[(setting::MAX_CONCURRENT_STREAMS, 1)]));
    sent_again_and_again(Frame::GoAway { last_stream: id(0), code: ErrorCode::NO_ERROR, debug: Bytes::new() });
}

#[test]
fn a_flood_of_pings_and_of_answers_to_none_is_stopped() {
    sent_again_and_again(Frame::Ping { ack: false, opaque: 0 });
    sent_again_and_again(Frame::Ping { ack: true, opaque: 0 });
}

#[test]
fn a_flood_of_data_without_content_is_stopped() {
    sent_again_and_again(data(1, "", false));
}

#[test]
fn a_flood_of_window_updates_is_stopped() {
    sent_again_and_again(window_update(1, 1));
    sent_again_and_again(window_update(0, 1));
}

/// Sent data allows the peer as many window updates in small steps.
#[test]
fn window_updates_are_earned_by_data() {
    let mut raw = Raw::server(strict());
    raw.open(1, true);
    raw.endpoint.respond(id(1), &ok(), false).unwrap();
    for _ in 0..100 {
        raw.endpoint.send_data(id(1), "content".into(), false).unwrap();
        raw.send([&window_update(1, 3), &window_update(0, 3), &window_update(1, 4), &window_update(0, 4)]);
    }
    assert!(!raw.endpoint.is_closed());
}

#[test]
fn a_flood_of_frames_of_no_use_is_stopped() {
    sent_again_and_again(extension(0, 0xee));
    sent_again_and_again(Frame::Priority {
        stream: id(9),
        priority: Priority { dependency: id(1), exclusive: false, weight: 1 },
    });
}

/// Requested extension frames are not limited.
#[test]
fn registered_frames_are_no_flood() {
    let mut raw = Raw::server(strict());
    for _ in 0..100 {
        raw.send([&extension(0, KINDS[0])]);
    }
    assert_eq!(raw.events().len(), 100);
}

/// CVE-2023-44487.
#[test]
fn a_flood_of_streams_opened_and_reset_is_stopped() {
    is_stopped(Raw::server(strict()), |raw, n| {
        let request = raw.headers(2 * n + 1, &get("/"), true);
        raw.send([&request, &rst_stream(2 * n + 1, ErrorCode::CANCEL)]);
    });
}

/// CVE-2025-8671: the peer causes the resets.
#[test]
fn a_flood_of_streams_that_have_to_be_reset_is_stopped() {
    is_stopped(Raw::server(strict()), |raw, n| {
        let request = raw.headers(2 * n + 1, &get("/"), true);
        raw.send([&request, &window_update(2 * n + 1, 0x7fff_ffff)]);
    });
    is_stopped(Raw::server(strict()), |raw, n| raw.send_headers(2 * n + 1, &[], true));
    let mut none = strict();
    none.settings.max_concurrent_streams = Some(0);
    is_stopped(Raw::server(none), |raw, n| raw.send_headers(2 * n + 1, &get("/"), true));
}

/// Each list costs its decoding.
#[test]
fn a_flood_of_header_lists_that_are_too_large_is_stopped() {
    is_stopped(Raw::server(strict()), |raw, n| {
        let mut large = get("/");
        large.push(Field::new("x", vec![b'x'; 16 << 10]).sensitive());
        let Frame::Headers { fragment, .. } = raw.headers(2 * n + 1, &large, true) else { panic!() };
        let (first, rest) = (fragment.slice(..10_000), fragment.slice(10_000..));
        let stream = id(2 * n + 1);
        raw.send([
            &Frame::Headers { stream, priority: None, fragment: first, end_stream: true, end_headers: false },
            &Frame::Continuation { stream, fragment: rest, end_headers: true },
        ]);
    });
}

/// A few bytes that refer to a field of thousands, repeatedly.
#[test]
fn a_block_that_expands_beyond_the_limit_ends_its_stream_only() {
    let mut raw = Raw::server(config());
    let mut bomb = get("/");
    bomb.extend(std::iter::repeat_n(Field::new("x-bomb", vec![b'x'; 3000]), 5000));
    raw.send_headers(1, &bomb, true);
    raw.resets(1, ErrorCode::ENHANCE_YOUR_CALM);
    raw.open(3, true);
}

/// CVE-2024-24549 and similar.
#[test]
fn a_field_block_without_end_is_stopped() {
    let begin = |raw: &mut Raw| {
        raw.send([&Frame::Headers {
            stream: id(1),
            priority: None,
            fragment: Bytes::from_static(&[0x82]),
            end_stream: true,
            end_headers: false,
        }]);
    };
    let more = |fragment: Bytes| Frame::Continuation { stream: id(1), fragment, end_headers: false };
    let mut many = Raw::server(config());
    begin(&mut many);
    for _ in 0..16 {
        many.send([&more("x".into())]);
    }
    assert!(!many.endpoint.is_closed());
    many.send([&more("x".into())]);
    many.fails(ErrorCode::ENHANCE_YOUR_CALM);
    let mut large = Raw::server(config());
    begin(&mut large);
    large.send([&more(vec![0; 16_384].into())]);
    large.fails(ErrorCode::ENHANCE_YOUR_CALM);
    let mut settings = strict();
    settings.max_continuation_frames = usize::MAX;
    let mut empty = Raw::server(settings);
    begin(&mut empty);
    (0..10).for_each(|_| empty.send([&more(Bytes::new())]));
    assert!(!empty.endpoint.is_closed());
    empty.send([&more(Bytes::new())]);
    empty.fails(ErrorCode::ENHANCE_YOUR_CALM);
}

/// A server can send interim responses without end.
#[test]
fn a_flood_of_interim_responses_is_stopped() {
    let mut raw = Raw::client(strict());
    raw.endpoint.request(start(), &get("/"), true).unwrap();
    is_stopped(raw, |raw, _| raw.send_headers(1, &fields(&[(":status", "103")]), false));
}

#[test]
fn a_flood_of_frames_for_streams_that_are_gone_is_stopped() {
    let mut raw = Raw::server(strict());
    raw.open(1, false);
    raw.endpoint.reset(id(1), ErrorCode::CANCEL).unwrap();
    is_stopped(raw, |raw, _| raw.send([&data(1, "x", false)]));
    let mut raw = Raw::server(strict());
    raw.complete(1);
    is_stopped(raw, |raw, _| raw.send([&rst_stream(1, ErrorCode::CANCEL)]));
    let mut raw = Raw::server(strict());
    raw.complete(1);
    is_stopped(raw, |raw, _| raw.send([&data(1, "x", false)]));
    let mut raw = Raw::server(strict());
    raw.complete(1);
    is_stopped(raw, |raw, _| raw.send([&window_update(1, 1)]));
}

/// Replies to a peer that does not read, at a rate within every budget.
#[test]
fn answers_that_nobody_reads_do_not_pile_up() {
    let mut raw = Raw::server(config());
    for n in 0.. {
        raw.now = raw.now + Duration::from_secs(1);
        raw.send([&Frame::Ping { ack: false, opaque: n }]);
        if raw.endpoint.is_closed() {
            assert_eq!(n, 1024);
            break;
        }
    }
    assert!(raw.endpoint.transmit().len() < 32 << 10);
    raw.fails(ErrorCode::ENHANCE_YOUR_CALM);
}

/// Replies to a peer that reads late, whatever else is queued.
#[test]
fn answers_that_are_read_late_are_no_flood() {
    let mut raw = Raw::server(config());
    for n in 0..5000 {
        raw.now = raw.now + Duration::from_secs(1);
        raw.send([&Frame::Ping { ack: false, opaque: n }]);
        if raw.endpoint.transmit().len() > 16_000 {
            raw.endpoint.transmitted(500);
        }
    }
    assert!(!raw.endpoint.is_closed());
}

/// Responses to a peer that does not read; each stream is closed as soon as its response is queued.
#[test]
fn requests_of_a_peer_that_does_not_read_are_refused() {
    let mut settings = config();
    settings.max_send_bytes = 10_000;
    let mut raw = Raw::server(settings);
    let response = fields(&[(":status", "200"), ("x", &"x".repeat(1000))]);
    let mut answered = 0;
    for n in 0..150 {
        raw.send_headers(2 * n + 1, &get("/"), true);
        for event in raw.events() {
            let Event::Request { stream, .. } = event else { panic!("{event:?}") };
            let unique = [&response[..], &fields(&[("y", &n.to_string().repeat(300))])].concat();
            raw.endpoint.respond(stream, &unique, true).unwrap();
            answered += 1;
        }
    }
    assert!((5..40).contains(&answered), "{answered}");
    assert!(raw.endpoint.transmit().len() < 20_000, "{}", raw.endpoint.transmit().len());
    raw.replies();
    raw.open(301, true);
}

/// Decoding pauses for an application that does not poll, and its host stops reading.
#[test]
fn events_that_nobody_polls_are_bounded() {
    let mut limited = config();
    limited.max_events = 10;
    let mut raw = Raw::server(limited);
    let many = vec![extension(0, KINDS[0]); 50];
    raw.send(&many);
    assert!(!raw.endpoint.wants_read());
    let mut seen = 0;
    while raw.endpoint.poll_event().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 50);
    assert!(raw.endpoint.wants_read());
    let mut limited = config();
    limited.max_event_bytes = 30_000;
    let mut raw = Raw::server(limited);
    raw.send(&vec![
        Frame::Extension {
            stream: id(0),
            kind: hotrod_core::http2::frame::FrameKind(KINDS[0]),
            flags: 0,
            payload: vec![0; 16_000].into()
        };
        5
    ]);
    assert!(!raw.endpoint.wants_read());
    assert_eq!(raw.events().len(), 5);
    let again = settings(&[]);
    raw.send([&again]);
    assert_eq!(raw.replies(), [Frame::SettingsAck]);
}
