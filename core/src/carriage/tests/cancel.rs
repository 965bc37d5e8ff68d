//! Cancellation of calls at either end.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::pair::{Pair, fragment, frame, hot_rod, numbers};
use crate::carriage::registry::{HOT_ROD_UPSTREAM_GONE, flag, frame_type};
use crate::carriage::{ClientEvent, ServerEvent};
use crate::http2::ErrorCode;

#[test]
fn what_has_not_gone_out_of_a_call_that_is_given_up_never_does() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.large_call(channel, 1, 500_000);
    pair.exchange();
    assert_eq!(pair.client.cancel(channel, 1), 500_000 - 65_536);
    pair.exchange();
    assert_eq!(pair.to_server.last(), Some(&ServerEvent::Cancelled { stream, call: 1, code: ErrorCode::CANCEL }));
    pair.server.end_call(stream, 1, ErrorCode::CANCEL, false);
    pair.exchange();
    assert_eq!(pair.to_client, []);
}

#[test]
fn a_call_that_is_given_up_is_confirmed_and_its_answer_dropped() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 1, b"q");
    pair.exchange();
    pair.to_server.clear();
    pair.client.cancel(channel, 1);
    pair.exchange();
    assert_eq!(pair.to_server, [ServerEvent::Cancelled { stream, call: 1, code: ErrorCode::CANCEL }]);
    pair.server.end_call(stream, 1, ErrorCode::CANCEL, true);
    pair.server.respond(stream, 1, Bytes::from_static(b"late"), true);
    pair.exchange();
    assert_eq!(pair.to_client, []);
    assert!(pair.server.open_calls(stream).is_empty());
}

#[test]
fn an_answer_that_crosses_the_cancel_is_dropped() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 1, b"q");
    pair.call(channel, 2, b"q");
    pair.exchange();
    pair.server.respond(stream, 1, Bytes::from_static(b"crossing"), true);
    pair.server.respond(stream, 2, Bytes::from(vec![2; 300_000]), true);
    pair.client.cancel(channel, 1);
    pair.client.cancel(channel, 2);
    pair.to_server.clear();
    pair.exchange();
    assert_eq!((&pair.to_client[..], &pair.to_server[..]), (&[][..], &[][..]));
    assert_eq!(pair.server.waiting(stream), 0);
}

#[test]
fn the_endpoint_says_what_may_have_happened() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    (1..=2).for_each(|message| pair.call(channel, message, b"q"));
    pair.exchange();
    pair.server.end_call(stream, 1, HOT_ROD_UPSTREAM_GONE, true);
    pair.server.end_call(stream, 2, HOT_ROD_UPSTREAM_GONE, false);
    pair.exchange();
    let ended = |message, may_have_been_applied| ClientEvent::CallEnded {
        channel,
        message,
        code: HOT_ROD_UPSTREAM_GONE,
        may_have_been_applied,
    };
    assert_eq!(pair.to_client, [ended(1, true), ended(2, false)]);
}

#[test]
fn what_was_on_its_way_for_a_call_that_ended_is_ignored_and_gives_its_credit_back() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    for message in 1..=50 {
        pair.large_call(channel, message, 60_000);
        pair.exchange();
        pair.server.end_call(stream, message as u32, ErrorCode::CANCEL, false);
        pair.exchange();
        pair.to_server.clear();
    }
    // Without release the connection's credit would be used up here.
    pair.large_call(channel, 51, 900_000);
    assert_eq!(pair.take_requests(), [(51, 900_000)]);
}

/// A response that is queued and not sent completely: its request was executed, and the client must not conclude that
/// it was not.
#[test]
fn when_a_session_ends_calls_whose_answer_waits_may_have_been_applied() {
    for code in [HOT_ROD_UPSTREAM_GONE, ErrorCode::NO_ERROR] {
        let mut pair = Pair::framed();
        let (channel, stream) = pair.open();
        pair.call(channel, 1, b"q");
        pair.call(channel, 2, b"q");
        pair.exchange();
        pair.server.respond(stream, 1, Bytes::from(vec![1; 5_000_000]), true);
        pair.server.end(stream, code);
        pair.exchange();
        let ended: Vec<_> = pair
            .to_client
            .iter()
            .filter_map(|event| match event {
                ClientEvent::CallEnded { message, may_have_been_applied, .. } => {
                    Some((*message, *may_have_been_applied))
                }
                _ => None,
            })
            .collect();
        assert_eq!(ended, [(1, true), (2, true)], "{code:?}");
        assert!(matches!(pair.to_client.last(), Some(ClientEvent::Ended { .. })));
    }
}

/// Fragments on a reset stream count against the credit, which is released.
#[test]
fn fragments_that_cross_the_end_of_their_session_cost_the_link_nothing() {
    let mut pair = Pair::framed();
    for round in 0..60 {
        let (channel, stream) = pair.open();
        pair.large_call(channel, round + 1, 60_000);
        // The fragments are in flight when the session ends here.
        pair.server.end(stream, HOT_ROD_UPSTREAM_GONE);
        pair.exchange();
    }
    let (channel, stream) = pair.open();
    pair.large_call(channel, 1_000, 60_000);
    pair.exchange();
    let came: usize = pair
        .to_server
        .iter()
        .map(|event| match event {
            ServerEvent::Request { stream: at, fragment } if *at == stream => fragment.bytes.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(came, 60_000, "3.6 MB would be more than all of the connection's credit");
}

/// cancellation waits neither for the member nor for credit.
#[test]
fn a_cancel_is_answered_at_once_whatever_the_answer_waits_for() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    (1..=3).for_each(|message| pair.call(channel, message, b"q"));
    pair.exchange();
    // The response is queued completely, in part, or not at all.
    pair.server.respond(stream, 1, Bytes::from(vec![1; 500_000]), true);
    pair.server.respond(stream, 2, Bytes::from(vec![2; 500_000]), false);
    // The client grants no credit.
    while !pair.at_server(&[]).1.is_empty() {}
    pair.to_server.clear();
    for call in 1..=3 {
        let (events, frames) = pair.at_server(&frame(1, frame_type::CANCEL, 0, &numbers(call, 8)));
        let cancelled = ServerEvent::Cancelled { stream, call, code: ErrorCode::CANCEL };
        if call == 1 {
            assert_eq!(events, []);
            let told = frame(1, frame_type::CANCEL, flag::MAY_HAVE_BEEN_APPLIED, &numbers(1, 8));
            assert_eq!(hot_rod(&frames), [(told[3], told[4], Bytes::copy_from_slice(&told[9..]))]);
        } else {
            assert_eq!(events, [cancelled], "the host is notified at once");
        }
    }
    assert_eq!(pair.server.waiting(stream), 500_000 - 65_536, "of the second, until its host has ended it");
    pair.server.end_call(stream, 2, ErrorCode::CANCEL, true);
    assert_eq!((pair.server.waiting(stream), hot_rod(&pair.at_server(&[]).1).len()), (0, 1));
    // A second CANCEL for a call that the host has not ended notifies nobody.
    let (events, frames) = pair.at_server(&frame(1, frame_type::CANCEL, 0, &numbers(3, 8)));
    assert_eq!((events, hot_rod(&frames)), (vec![], vec![]));
}

/// after CANCEL no further fragment of the request is reported, and its credit is released.
#[test]
fn a_request_that_is_given_up_is_dropped_and_certainly_not_applied() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    for message in 1..=40 {
        pair.large_call(channel, message, 60_000);
        pair.client.cancel(channel, message);
        pair.exchange();
        let cancelled = ServerEvent::Cancelled { stream, call: message as u32, code: ErrorCode::CANCEL };
        assert_eq!(pair.to_server.last(), Some(&cancelled));
        pair.to_server.clear();
        let (events, _) = pair.at_server(&frame(1, frame_type::REQUEST, 0, &fragment(message as u32, b"late")));
        assert_eq!(events, [], "no more of it is told");
        pair.server.end_call(stream, message as u32, ErrorCode::CANCEL, false);
        let (_, frames) = pair.at_server(&[]);
        let cancel = (frame_type::CANCEL, 0, Bytes::from(numbers(message as u32, 8)));
        assert!(hot_rod(&frames).contains(&cancel), "{frames:?}");
        pair.at_client(&frame(1, frame_type::CANCEL, 0, &numbers(message as u32, 8)));
    }
    assert!(pair.client.can_call(channel));
    assert!(pair.server.open_calls(stream).is_empty());
}

/// the flag reports that the call may have been executed; the response is dropped, and nothing of it is
/// kept.
#[test]
fn a_request_that_was_forwarded_may_have_been_applied_and_its_answer_is_freed() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 1, b"q");
    pair.exchange();
    pair.server.respond(stream, 1, Bytes::from(vec![1; 300_000]), false);
    pair.exchange();
    pair.client.cancel(channel, 1);
    pair.exchange();
    pair.server.end_call(stream, 1, ErrorCode::CANCEL, true);
    pair.server.respond(stream, 1, Bytes::from(vec![1; 300_000]), true);
    let (_, frames) = pair.at_server(&[]);
    let cancel = (frame_type::CANCEL, flag::MAY_HAVE_BEEN_APPLIED, Bytes::from(numbers(1, 8)));
    assert_eq!(hot_rod(&frames), [cancel]);
    assert_eq!(pair.server.waiting(stream), 0);
    // The client keeps nothing either: fragments that cross the CANCEL release their credit each time.
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    for message in 1..=40 {
        pair.call(channel, message, b"q");
        pair.exchange();
        pair.client.cancel(channel, message);
        pair.server.respond(stream, message as u32, Bytes::from(vec![1; 60_000]), true);
        pair.exchange();
    }
    assert_eq!(pair.messages().len(), 0);
    pair.call(channel, 41, b"q");
    pair.exchange();
    pair.server.respond(stream, 41, Bytes::from(vec![1; 1_000_000]), true);
    pair.exchange();
    assert_eq!(pair.messages().len(), 1);
}

/// the end of each call tells whether it certainly was not executed.
#[test]
fn the_flag_is_clear_only_where_the_endpoint_says_that_it_was_not_applied() {
    for (code, may_have_been_applied) in
        [(ErrorCode::CANCEL, true), (ErrorCode::CANCEL, false), (HOT_ROD_UPSTREAM_GONE, true), (ErrorCode(77), false)]
    {
        let mut pair = Pair::framed();
        let (channel, stream) = pair.open();
        pair.call(channel, 1, b"q");
        pair.exchange();
        pair.server.end_call(stream, 1, code, may_have_been_applied);
        pair.exchange();
        assert_eq!(pair.to_client, [ClientEvent::CallEnded { channel, message: 1, code, may_have_been_applied }]);
    }
}
