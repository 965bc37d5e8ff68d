//! Sessions before their response and NODE, and after END_STREAM.

use alloc::vec;
use alloc::vec::Vec;

use super::pair::{NOW, Pair, ReportedError, answer, client_config, fragment, frame, hot_rod, node, numbers, request};
use crate::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_MANY_CALLS, frame_type};
use crate::carriage::{ClientEvent, LinkEnd, Offer, ServerEvent};
use crate::http2::ErrorCode;
use crate::http2::frame::Frame;

/// Requests a session that is not accepted yet.
fn requested() -> (Pair, crate::carriage::ChannelId, crate::http2::StreamId) {
    let mut pair = Pair::framed();
    let channel = pair.client.open(NOW, 0, request());
    pair.exchange();
    let stream = pair.requested();
    (pair, channel, stream)
}

/// HEADERS with the status 200, with END_HEADERS.
fn accepted() -> Vec<u8> {
    frame(1, 1, 4, &[0x88])
}

///
#[test]
fn what_comes_before_the_answer_is_taken_as_if_it_came_after_it() {
    let (mut pair, channel, stream) = requested();
    pair.call(channel, 1, b"one");
    pair.large_call(channel, 2, 20_000);
    pair.call(channel, 3, b"three");
    pair.client.cancel(channel, 3);
    pair.exchange();
    let mut bytes = [0; 4];
    let mut cancelled = Vec::new();
    for event in core::mem::take(&mut pair.to_server) {
        match event {
            ServerEvent::Request { fragment, .. } => bytes[fragment.call as usize] += fragment.bytes.len(),
            ServerEvent::Cancelled { call, .. } => cancelled.push(call),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((bytes, cancelled), ([0, 3, 20_000, 5], vec![3]));
    pair.server.accept(stream, &node());
    pair.server.end_call(stream, 3, ErrorCode::CANCEL, false);
    pair.server.respond(stream, 1, "first".into(), true);
    pair.exchange();
    assert_eq!(pair.messages(), ["first"]);
}

///
#[test]
fn an_endpoint_holds_everything_back_until_node() {
    let (mut pair, channel, stream) = requested();
    for message in 1..=3 {
        pair.large_call(channel, message, 200_000);
    }
    pair.call(channel, 4, b"four");
    pair.exchange();
    pair.server.end_call(stream, 1, HOT_ROD_TOO_MANY_CALLS, false);
    pair.server.release_fragment(stream, 2, 60_000);
    pair.server.respond(stream, 4, "early".into(), true);
    pair.server.event(stream, "event".into(), true, true);
    pair.server.send_node(stream, &node());
    let (_, frames) = pair.at_server(&[]);
    assert_eq!(hot_rod(&frames), [], "none before the answer");
    pair.server.accept(stream, &node());
    let (_, frames) = pair.at_server(&[]);
    assert!(matches!(frames[0], Frame::Headers { .. }));
    let kinds: Vec<u8> = hot_rod(&frames).iter().map(|(kind, ..)| *kind).collect();
    let (first, rest) = kinds.split_first().expect("frames");
    assert_eq!(*first, frame_type::NODE);
    let wanted = [frame_type::CANCEL, frame_type::CREDIT, frame_type::RESPONSE, frame_type::EVENT];
    assert!(rest.len() == 4 && wanted.iter().all(|kind| rest.contains(kind)), "{rest:?}");
}

/// Calls above the limit are refused after NODE as well.
#[test]
fn refusals_of_calls_come_behind_node() {
    let offer = Offer { max_calls: 1, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(Offer::default())), Some(offer), usize::MAX);
    let channel = pair.client.open(NOW, 0, request());
    pair.exchange();
    let stream = pair.requested();
    (1..=3).for_each(|message| pair.call(channel, message, b"q"));
    pair.exchange();
    assert_eq!(pair.to_client, []);
    pair.server.accept(stream, &node());
    pair.exchange();
    let refused = |message| ClientEvent::CallEnded {
        channel,
        message,
        code: HOT_ROD_TOO_MANY_CALLS,
        may_have_been_applied: false,
    };
    let opened = ClientEvent::Opened { channel, fields: answer("pod-1") };
    assert_eq!(pair.to_client, [opened, ClientEvent::Node { channel, node: node() }, refused(2), refused(3)]);
}

///
#[test]
fn a_frame_before_the_answer_or_before_node_ends_the_session() {
    let other = [
        (frame_type::RESPONSE, 3, fragment(1, b"answer")),
        (frame_type::EVENT, 3, fragment(1, b"event")),
        (frame_type::CREDIT, 0, numbers(1, 5)),
        (frame_type::CANCEL, 0, numbers(1, 8)),
        (frame_type::TOPOLOGY, 0, vec![0, 1, b'c', 0, 0, 0, 0]),
        (frame_type::DRAIN, 0, vec![0, 0, 0, 9]),
    ];
    for (kind, flags, payload) in &other {
        for answer in [Vec::new(), accepted()] {
            let (mut pair, channel, _) = requested();
            pair.call(channel, 1, b"q");
            let (events, frames) = pair.at_client(&[answer, frame(1, *kind, *flags, payload)].concat());
            assert_eq!(ReportedError::by(&frames), ReportedError::Stream(HOT_ROD_MESSAGE_ERROR), "{kind:#x}");
            let ended = ClientEvent::Ended { channel, end: LinkEnd::Violation(HOT_ROD_MESSAGE_ERROR) };
            assert_eq!(events.last(), Some(&ended), "{kind:#x}");
        }
    }
    let good = frame(1, frame_type::NODE, 0, &node().payload());
    let (mut pair, ..) = requested();
    assert_eq!(
        ReportedError::by(&pair.at_client(&good).1),
        ReportedError::Stream(HOT_ROD_MESSAGE_ERROR),
        "NODE before the answer"
    );
    for (kind, flags, payload) in &other {
        let (mut pair, channel, _) = requested();
        pair.call(channel, 1, b"q");
        let all = [accepted(), good.clone(), frame(1, *kind, *flags, payload)].concat();
        assert_eq!(ReportedError::by(&pair.at_client(&all).1), ReportedError::None, "{kind:#x} behind NODE");
    }
}

///
#[test]
fn data_with_content_ends_a_session_and_data_without_is_taken() {
    let mut pair = Pair::framed();
    pair.open();
    assert_eq!(pair.at_server(&frame(1, 0, 0, &[])), (vec![], vec![]));
    assert_eq!(pair.at_client(&frame(1, 0, 0, &[])), (vec![], vec![]));
    let error = ReportedError::Stream(HOT_ROD_MESSAGE_ERROR);
    assert_eq!(ReportedError::by(&pair.at_client(&frame(1, 0, 0, b"a")).1), error);
    let mut pair = Pair::framed();
    pair.open();
    assert_eq!(ReportedError::by(&pair.at_server(&frame(1, 0, 0, b"a")).1), error);
}

///
#[test]
fn a_frame_behind_the_end_of_its_sender_s_half_ends_the_session() {
    let end = frame(1, 0, 1, &[]);
    let closed = ReportedError::Stream(ErrorCode::STREAM_CLOSED);
    let set_up = || {
        let mut pair = Pair::framed();
        let (channel, stream) = pair.open();
        pair.call(channel, 1, b"q");
        pair.large_call(channel, 2, 100_000);
        pair.exchange();
        pair.to_server.clear();
        (pair, stream)
    };
    for request in [(2, fragment(2, b"more")), (3, fragment(3, b"new"))]
        .map(|(call, payload)| frame(1, frame_type::REQUEST, if call == 3 { 0x33 } else { 0 }, &payload))
    {
        let (mut pair, stream) = set_up();
        // Part of the credit is released.
        pair.server.release_fragment(stream, 2, 65_536);
        let (_, frames) = pair.at_server(&[&end[..], &request].concat());
        assert_eq!(ReportedError::by(&frames), closed);
    }
    let (mut pair, stream) = set_up();
    let allowed =
        [frame(1, frame_type::CREDIT, 0, &numbers(1, 9)), frame(1, frame_type::CANCEL, 0, &numbers(1, 8))].concat();
    let (events, frames) = pair.at_server(&[end.clone(), allowed].concat());
    let cancelled = ServerEvent::Cancelled { stream, call: 1, code: ErrorCode::CANCEL };
    assert_eq!(
        (events, ReportedError::by(&frames)),
        (vec![ServerEvent::Finished { stream }, cancelled], ReportedError::None)
    );
    let (mut pair, _) = set_up();
    for kind in [frame_type::RESPONSE, frame_type::EVENT] {
        let (mut pair, _) = set_up();
        let (_, frames) = pair.at_client(&[end.clone(), frame(1, kind, 3, &fragment(1, b"a"))].concat());
        assert_eq!(ReportedError::by(&frames), closed, "{kind:#x}");
    }
    let (events, frames) = pair.at_client(&end);
    assert!(matches!(events[..], [ClientEvent::Ended { end: LinkEnd::Finished, .. }]), "{events:?}");
    assert_eq!(ReportedError::by(&frames), ReportedError::None);
    // The same if the link ends too.
    let (mut pair, _) = set_up();
    let goaway = frame(0, 7, 0, &[0, 0, 0, 1, 0, 0, 0, 2]);
    let (events, _) = pair.at_client(&[end.clone(), goaway].concat());
    let [ClientEvent::Ended { end: LinkEnd::Finished, .. }, ClientEvent::Closed(_)] = events[..] else {
        panic!("{events:?}")
    };
    let (mut pair, _) = set_up();
    pair.at_client(&end);
    // Both halves are closed: this is now a frame on a closed stream.
    let (events, frames) = pair.at_client(&frame(1, frame_type::EVENT, 3, &fragment(1, b"a")));
    assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None));
}
