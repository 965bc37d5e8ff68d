//! Limits of the number of calls and the size of messages.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::pair::{NOW, Pair, ReportedError, client_config, fragment, frame, hot_rod};
use crate::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_TOO_MANY_CALLS, flag, frame_type};
use crate::carriage::{ClientEvent, LinkEnd, Offer, ServerConfig, ServerEvent, ServerLink};
use crate::http2::ErrorCode;

fn limited(client: u32, server: u32) -> Pair {
    let offer = |max_message_size| Offer { max_message_size, max_calls: 3, ..Offer::default() };
    Pair::new(client_config(Some(offer(client))), Some(offer(server)), usize::MAX)
}

fn cancel(frames: &[crate::http2::frame::Frame]) -> Vec<(u8, u32, u32)> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
    let of_cancel = |(kind, flags, payload): (u8, u8, Bytes)| {
        (kind == frame_type::CANCEL).then(|| (flags, number(&payload[..4]), number(&payload[4..])))
    };
    hot_rod(frames).into_iter().filter_map(of_cancel).collect()
}

/// RFC 9113, 5.1.2: a stream counts until both halves are closed.
#[test]
fn a_link_has_no_room_while_the_stream_of_a_closed_session_is_open() {
    let mut config = ServerConfig { frames: Some(Offer::default()), ..ServerConfig::default() };
    config.http2.settings.max_concurrent_streams = Some(2);
    let mut pair = Pair::framed();
    pair.server = ServerLink::new(config, NOW);
    assert!(pair.client.has_room(), "its SETTINGS have not come");
    let (closed, stream) = pair.open();
    pair.open();
    assert!(!pair.client.has_room());
    pair.client.close(closed, ErrorCode::NO_ERROR);
    pair.exchange();
    assert!(!pair.client.has_room(), "the endpoint has not closed its half");
    pair.server.end(stream, ErrorCode::NO_ERROR);
    pair.exchange();
    assert!(pair.client.has_room());
}

/// cancelled calls count until they are closed, and so do calls whose response is being sent.
#[test]
fn a_client_has_no_more_calls_open_than_the_endpoint_allows() {
    let mut pair = limited(1 << 20, 1 << 20);
    let (channel, stream) = pair.open();
    (1..=3).for_each(|message| pair.call(channel, message, b"q"));
    assert!(!pair.client.can_call(channel));
    pair.client.cancel(channel, 1);
    assert!(!pair.client.can_call(channel), "it is not closed yet");
    pair.exchange();
    pair.server.respond(stream, 2, Bytes::from_static(b"begins"), false);
    pair.server.respond(stream, 2, Bytes::from(vec![1; 100_000]), false);
    pair.exchange();
    assert!(!pair.client.can_call(channel), "its answer has no FIN yet");
    pair.server.end_call(stream, 1, ErrorCode::CANCEL, true);
    pair.exchange();
    assert!(pair.client.can_call(channel));
    // CANCEL of a closed call frees no slot.
    pair.call(channel, 4, b"q");
    pair.at_client(&frame(1, frame_type::CANCEL, 0, &[0, 0, 0, 1, 0, 0, 0, 8]));
    assert!(!pair.client.can_call(channel));
}

/// a call is open until the FIN of its response.
#[test]
fn calls_whose_answer_waits_for_credit_count_against_the_limit() {
    let mut pair = limited(1 << 20, 1 << 20);
    let (channel, stream) = pair.open();
    (1..=3).for_each(|message| pair.call(channel, message, b"q"));
    pair.exchange();
    (1..=3).for_each(|call| pair.server.respond(stream, call, Bytes::from(vec![1; 100_000]), true));
    let (_, frames) = pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(4, b"q")));
    assert_eq!(cancel(&frames), [(0, 4, HOT_ROD_TOO_MANY_CALLS.0)]);
    assert_eq!(ReportedError::by(&frames), ReportedError::None);
    pair.server.end_call(stream, 2, ErrorCode::CANCEL, true);
    let (events, frames) = pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(5, b"q")));
    assert!(matches!(events[..], [ServerEvent::Request { .. }]) && cancel(&frames).len() == 1, "only call 2's");
}

///
#[test]
fn a_request_above_the_limit_is_refused_as_soon_as_it_is_seen() {
    let first = |flags, size| frame(1, frame_type::REQUEST, flags, &fragment(1, &vec![1; size]));
    for flags in [0x33, 0x32] {
        let mut pair = limited(1 << 20, 1_000);
        pair.open();
        let (events, frames) = pair.at_server(&first(flags, 1_001));
        assert_eq!((events, cancel(&frames)), (vec![], vec![(0, 1, HOT_ROD_TOO_LARGE.0)]), "{flags:#x}");
        assert!(matches!(
            pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(2, &[1; 1_000]))).0[..],
            [ServerEvent::Request { .. }]
        ));
    }
    // A later fragment: the host is notified of the code, and that code is sent to the client.
    let mut pair = limited(1 << 20, 1_000);
    let (_, stream) = pair.open();
    let more = frame(1, frame_type::REQUEST, 0, &fragment(1, &[1; 400]));
    let (events, _) = pair.at_server(&[first(0x32, 900), more.clone(), more].concat());
    let [ServerEvent::Request { .. }, cancelled] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*cancelled, ServerEvent::Cancelled { stream, call: 1, code: HOT_ROD_TOO_LARGE });
    pair.server.end_call(stream, 1, ErrorCode::CANCEL, false);
    assert_eq!(cancel(&pair.at_server(&[]).1), [(0, 1, HOT_ROD_TOO_LARGE.0)]);
}

///
#[test]
fn in_place_of_an_answer_that_the_client_does_not_take_it_is_told_so() {
    for pieces in [vec![1_001], vec![600, 401], vec![100_000], vec![999, 1, 1]] {
        let mut pair = limited(1_000, 1 << 20);
        let (channel, stream) = pair.open();
        pair.call(channel, 1, b"q");
        pair.call(channel, 2, b"q");
        pair.exchange();
        let count = pieces.len();
        for (index, size) in pieces.into_iter().enumerate() {
            pair.server.respond(stream, 1, Bytes::from(vec![1; size]), index + 1 == count);
        }
        pair.server.respond(stream, 2, Bytes::from(vec![2; 1_000]), true);
        pair.exchange();
        let told = ClientEvent::CallEnded { channel, message: 1, code: HOT_ROD_TOO_LARGE, may_have_been_applied: true };
        assert!(pair.to_client.contains(&told), "{:?}", pair.to_client);
        assert_eq!(pair.messages().len(), 1);
        assert!(pair.server.open_calls(stream).is_empty());
    }
}

///
#[test]
fn an_event_that_the_client_does_not_take_ends_the_session() {
    for pieces in [vec![1_001], vec![600, 401]] {
        let mut pair = limited(1_000, 1 << 20);
        let (_, stream) = pair.open();
        pair.server.event(stream, Bytes::from(vec![0; 1_000]), true, true);
        for (index, size) in pieces.iter().enumerate() {
            pair.server.event(stream, Bytes::from(vec![1; *size]), index == 0, index + 1 == pieces.len());
        }
        let (events, frames) = pair.at_server(&[]);
        assert_eq!(events, [ServerEvent::Ended { stream, code: HOT_ROD_TOO_LARGE }]);
        assert_eq!(ReportedError::by(&frames), ReportedError::Stream(HOT_ROD_TOO_LARGE));
        assert_eq!(pair.server.form(stream), None);
    }
}

/// A session that its host has ended reports no further event.
#[test]
fn nothing_is_told_of_a_session_that_was_ended() {
    let mut pair = limited(1_000, 1 << 20);
    let (_, stream) = pair.open();
    pair.server.event(stream, Bytes::from(vec![0; 1_001]), true, true);
    pair.server.end(stream, ErrorCode::NO_ERROR);
    assert_eq!(pair.server.poll_event(), None);
}

///
#[test]
fn a_client_takes_nothing_above_its_own_limit() {
    let whole = vec![fragment(1, &[1; 1_001])];
    let in_two = vec![fragment(1, &[1; 600]), fragment(1, &[1; 401])];
    for (kind, fragments) in
        [frame_type::RESPONSE, frame_type::EVENT].into_iter().flat_map(|kind| [(kind, &whole), (kind, &in_two)])
    {
        for given_up in [false, true] {
            let mut pair = limited(1_000, 1 << 20);
            let (channel, _) = pair.open();
            pair.call(channel, 1, b"q");
            if given_up {
                pair.client.cancel(channel, 1);
            }
            let count = fragments.len();
            let flags =
                |index| if index == 0 { flag::FIRST } else { 0 } | if index + 1 == count { flag::FIN } else { 0 };
            let frames: Vec<u8> = fragments
                .iter()
                .enumerate()
                .flat_map(|(index, payload)| frame(1, kind, flags(index), payload))
                .collect();
            let (events, frames) = pair.at_client(&frames);
            assert_eq!(ReportedError::by(&frames), ReportedError::Stream(HOT_ROD_TOO_LARGE), "{kind:#x} in {count}");
            let ended = ClientEvent::Ended { channel, end: LinkEnd::Violation(HOT_ROD_TOO_LARGE) };
            assert_eq!(events, [ended]);
        }
    }
}

/// R-22, at the client.
#[test]
fn a_request_that_can_t_be_carried_ends_its_call_and_not_the_session() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 1, b"strange");
    pair.call(channel, 2, b"q");
    pair.exchange();
    pair.server.end_call(stream, 1, HOT_ROD_MESSAGE_ERROR, false);
    pair.server.respond(stream, 2, "a".into(), true);
    pair.exchange();
    let ended =
        ClientEvent::CallEnded { channel, message: 1, code: HOT_ROD_MESSAGE_ERROR, may_have_been_applied: false };
    assert_eq!(pair.to_client, [ended, ClientEvent::Message { channel, message: "a".into() }]);
}

/// only FIN ends a request, even in a fragment without bytes.
#[test]
fn a_request_is_whole_with_its_fin_and_not_before() {
    let mut pair = Pair::framed();
    pair.open();
    let part = |flags, bytes: &[u8]| frame(1, frame_type::REQUEST, flags, &fragment(1, bytes));
    let (events, _) = pair.at_server(&[part(0x32, b"all of"), part(0, b" it"), part(0, b"")].concat());
    let is_last = |event: &ServerEvent| matches!(event, ServerEvent::Request { fragment, .. } if fragment.is_last);
    assert!(events.len() == 3 && !events.iter().any(is_last), "{events:?}");
    let (events, _) = pair.at_server(&part(1, b""));
    assert!(events.len() == 1 && is_last(&events[0]), "{events:?}");
}
