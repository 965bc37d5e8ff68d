//! Order of fragments by urgency.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::pair::{Pair, hot_rod};
use crate::carriage::registry::frame_type;
use crate::http2::frame::Frame;

fn large(pair: &mut Pair, channel: crate::carriage::ChannelId, message: u64, urgency: u8) {
    let pieces = VecDeque::from([Bytes::from(vec![message as u8; 60_000])]);
    pair.client.call_in_fragments(channel, message, urgency, pieces);
}

/// Returns the first byte of each fragment in the order of sending.
fn order(frames: &[Frame]) -> Vec<u8> {
    let byte = |(_, _, payload): (u8, u8, Bytes)| payload.get(4).copied();
    hot_rod(frames).into_iter().filter(|(kind, ..)| *kind < frame_type::CREDIT).filter_map(byte).collect()
}

fn drained(mut take: impl FnMut() -> Vec<Frame>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let frames = take();
        if frames.is_empty() {
            return all;
        }
        all.extend(order(&frames));
    }
}

#[test]
fn of_all_sessions_of_a_link_the_most_urgent_call_comes_first_and_equals_take_turns() {
    let mut pair = Pair::framed();
    let ((one, first), (other, second)) = (pair.open(), pair.open());
    // Bytes already written are not reordered: 32 KiB of the first message.
    large(&mut pair, one, 1, 5);
    large(&mut pair, other, 1 + 10, 5);
    large(&mut pair, other, 2 + 10, 1);
    let sent = drained(|| pair.at_client(&[]).1);
    let behind = sent.iter().skip_while(|byte| **byte == 1).copied().collect::<Vec<u8>>();
    assert_eq!(behind, [12, 12, 12, 12, 1, 11, 1, 11, 11, 11], "{sent:?}");

    // The response has the urgency of its call.
    let requests = [(1, 5, first, 1), (3, 5, second, 21), (3, 1, second, 22)];
    let mut pair = Pair::framed();
    pair.open();
    pair.open();
    for (stream, urgency, _, call) in requests {
        let payload = super::pair::fragment(call, b"q");
        pair.at_server(&super::pair::frame(stream, frame_type::REQUEST, 3 | urgency << 4, &payload));
    }
    for (_, _, stream, call) in requests {
        pair.server.respond(stream, call, Bytes::from(vec![call as u8; 60_000]), true);
    }
    let sent = drained(|| pair.at_server(&[]).1);
    let behind = sent.iter().skip_while(|byte| **byte == 1).copied().collect::<Vec<u8>>();
    assert_eq!(behind, [22, 22, 22, 22, 1, 21, 1, 21, 21, 21], "{sent:?}");
}

/// Events have the urgency 3.
#[test]
fn events_come_between_what_is_more_and_what_is_less_urgent() {
    let mut pair = Pair::framed();
    let (_, stream) = pair.open();
    for (call, urgency) in [(1, 0), (2, 3), (3, 7)] {
        let payload = super::pair::fragment(call, b"q");
        pair.at_server(&super::pair::frame(1, frame_type::REQUEST, 3 | urgency << 4, &payload));
    }
    // More than the high-water mark of fragments is queued ahead of all others.
    pair.server.respond(stream, 1, Bytes::from(vec![1; 60_000]), true);
    pair.server.respond(stream, 3, Bytes::from(vec![3; 20_000]), true);
    pair.server.respond(stream, 2, Bytes::from(vec![2; 40_000]), true);
    pair.server.event(stream, Bytes::from(vec![9; 16_000]), true, true);
    pair.server.event(stream, Bytes::from(vec![9; 16_000]), true, true);
    let sent = drained(|| pair.at_server(&[]).1);
    assert_eq!(sent, [1, 1, 1, 1, 9, 2, 9, 2, 2, 3, 3]);
}

/// Messages for which a link has no room are not lost.
#[test]
fn answers_beyond_what_a_client_reads_wait() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    for message in 1..=400 {
        pair.call(channel, message, b"q");
    }
    pair.exchange();
    for call in 1..=400 {
        pair.server.respond(stream, call, Bytes::from(vec![call as u8; 16_000]), true);
    }
    assert!(pair.server.transmit().len() < 300 << 10 && pair.server.waiting(stream) > 5 << 20);
    pair.exchange();
    assert_eq!((pair.messages().len(), pair.server.waiting(stream)), (400, 0));
}
