//! Calls that are given up, at either end.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::pair::Pair;
use crate::carriage::registry::HOT_ROD_UPSTREAM_GONE;
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
    assert_eq!(pair.to_server.last(), Some(&ServerEvent::Cancelled { stream, call: 1 }));
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
    assert_eq!(pair.to_server, [ServerEvent::Cancelled { stream, call: 1 }]);
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
    // The connection's credit would be gone by now.
    pair.large_call(channel, 51, 900_000);
    assert_eq!(pair.take_requests(), [(51, 900_000)]);
}

/// An answer that is all here and has not gone out whole: its request was applied, and its client must not think that it
/// certainly was not.
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

/// What comes on a stream that has been reset counts, and is given back.
#[test]
fn fragments_that_cross_the_end_of_their_session_cost_the_link_nothing() {
    let mut pair = Pair::framed();
    for round in 0..60 {
        let (channel, stream) = pair.open();
        pair.large_call(channel, round + 1, 60_000);
        // Its fragments are on their way when the session ends here.
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
