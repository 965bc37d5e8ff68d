//! Calls that are given up, at either end.

use alloc::vec;

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
