//! Calls and events, whole and in fragments.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::pair::{Pair, client_config};
use crate::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_TOO_MANY_CALLS};
use crate::carriage::{ClientEvent, Offer, ServerEvent};

#[test]
fn a_small_message_is_one_frame_each_way() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 1, b"question");
    pair.exchange();
    let [ServerEvent::Request { fragment, .. }] = &pair.to_server[..] else { panic!("{:?}", pair.to_server) };
    assert!(fragment.is_whole() && fragment.call == 1 && fragment.urgency == 3 && &fragment.bytes[..] == b"question");
    pair.server.respond(stream, 1, Bytes::from_static(b"answer"), true);
    pair.exchange();
    assert_eq!(pair.to_client, [ClientEvent::Message { channel, message: Bytes::from_static(b"answer") }]);
    assert!(pair.server.open_calls(stream).is_empty());
}

#[test]
fn answers_may_come_in_any_order() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    (1..=3).for_each(|message| pair.call(channel, message, &[message as u8]));
    pair.exchange();
    for call in [2, 3, 1] {
        pair.server.respond(stream, call, Bytes::from(vec![call as u8]), true);
    }
    pair.exchange();
    let answers: Vec<u8> = pair.messages().iter().map(|message| message[0]).collect();
    assert_eq!(answers, [2, 3, 1]);
}

#[test]
fn a_large_message_does_not_hold_up_a_small_one() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.large_call(channel, 1, 10 << 20);
    pair.call(channel, 2, b"small");
    pair.exchange();
    // The large call has used up its credit and waits.
    let came = |event: &ServerEvent| matches!(event, ServerEvent::Request { fragment, .. } if fragment.call == 2);
    assert!(pair.to_server.iter().any(came));
    assert_eq!(pair.take_requests(), [(2, 5), (1, 10 << 20)]);
    pair.server.respond(stream, 1, Bytes::from(vec![1; 10 << 20]), true);
    pair.server.respond(stream, 2, Bytes::from_static(b"small"), true);
    pair.exchange();
    let sizes: Vec<usize> = pair.messages().iter().map(Bytes::len).collect();
    assert_eq!(sizes, [5, 10 << 20]);
}

#[test]
fn an_answer_may_be_given_piece_by_piece() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 1, b"q");
    pair.exchange();
    for piece in 0..5u8 {
        pair.server.respond(stream, 1, Bytes::from(vec![piece; 30_000]), piece == 4);
        pair.exchange();
    }
    let message = pair.messages().pop().expect("an answer");
    let wanted: Vec<u8> = (0..5u8).flat_map(|piece| vec![piece; 30_000]).collect();
    assert_eq!(message, wanted);
}

#[test]
fn events_come_beside_answers_whole_and_in_fragments() {
    let mut pair = Pair::framed();
    let (_, stream) = pair.open();
    pair.server.event(stream, Bytes::from_static(b"event"), true, true);
    pair.server.event(stream, Bytes::from(vec![1; 100_000]), true, false);
    pair.server.event(stream, Bytes::from(vec![2; 100_000]), false, true);
    pair.exchange();
    let sizes: Vec<usize> = pair.messages().iter().map(Bytes::len).collect();
    assert_eq!(sizes, [5, 200_000]);
}

#[test]
fn more_calls_than_offered_are_refused_and_the_session_goes_on() {
    let offer = Offer { max_calls: 2, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(Offer::default())), Some(offer), 50);
    let (channel, stream) = pair.open();
    (1..=2).for_each(|message| pair.call(channel, message, b"q"));
    assert!(!pair.client.can_call(channel));
    pair.call(channel, 3, b"q");
    pair.exchange();
    let refused =
        ClientEvent::CallEnded { channel, message: 3, code: HOT_ROD_TOO_MANY_CALLS, may_have_been_applied: false };
    assert_eq!(pair.to_client, [refused]);
    pair.server.respond(stream, 1, Bytes::from_static(b"a"), true);
    pair.exchange();
    assert!(pair.client.can_call(channel));
}

#[test]
fn a_message_above_the_limit_is_refused_and_what_has_come_of_it_is_forgotten() {
    let offer = Offer { max_message_size: 100_000, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(Offer::default())), Some(offer), 5_000);
    let (channel, stream) = pair.open();
    pair.large_call(channel, 1, 200_000);
    pair.exchange();
    while pair.to_client.is_empty() {
        for event in core::mem::take(&mut pair.to_server) {
            match event {
                ServerEvent::Request { fragment, .. } => {
                    pair.server.release_fragment(stream, fragment.call, fragment.bytes.len());
                }
                ServerEvent::Cancelled { call, .. } => pair.server.end_call(stream, call, HOT_ROD_TOO_LARGE, false),
                other => panic!("{other:?}"),
            }
        }
        pair.exchange();
    }
    let ended = ClientEvent::CallEnded { channel, message: 1, code: HOT_ROD_TOO_LARGE, may_have_been_applied: false };
    assert_eq!(pair.to_client, [ended]);
    assert_eq!(pair.client.terms().map(|terms| terms.max_message_size), Some(100_000));
}

#[test]
fn ids_ascend_or_the_session_ends() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 5, b"q");
    pair.call(channel, 5, b"q");
    pair.exchange();
    let ended = ServerEvent::Ended { stream, code: HOT_ROD_MESSAGE_ERROR };
    assert_eq!(pair.to_server.last(), Some(&ended));
}

#[test]
fn ids_go_on_past_the_largest_number() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    let first = u64::from(u32::MAX) - 1;
    for message in [first, first + 1, first + 3, first + 4] {
        pair.call(channel, message, b"q");
        pair.exchange();
        pair.server.end_call(stream, message as u32, crate::http2::ErrorCode::CANCEL, true);
        pair.exchange();
        let Some(ClientEvent::CallEnded { message: ended, .. }) = pair.to_client.pop() else { panic!() };
        assert_eq!(ended, message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every message arrives whole and nothing is left over, for all sizes and all divisions of the bytes.
    #[test]
    fn every_message_arrives_whole(
        sizes in proptest::collection::vec(prop_oneof![0usize..100, 16_370usize..16_390, 60_000usize..200_000], 1..12),
        chunk in prop_oneof![1usize..30, 1_000usize..100_000],
        credit in 1_000u32..100_000,
    ) {
        let chunk = if sizes.iter().sum::<usize>() > 50_000 { chunk.max(500) } else { chunk };
        let offer = Offer { initial_credit: credit, connection_credit: credit * 2, ..Offer::default() };
        let mut pair = Pair::new(client_config(Some(offer)), Some(offer), chunk);
        let (channel, stream) = pair.open();
        for (index, size) in sizes.iter().enumerate() {
            let message = index as u64 + 1;
            if *size <= pair.client.largest_whole() {
                pair.call(channel, message, &vec![message as u8; *size]);
            } else {
                pair.large_call(channel, message, *size);
            }
        }
        pair.exchange();
        let mut whole = pair.take_requests();
        whole.sort_unstable();
        let wanted: Vec<_> = sizes.iter().enumerate().map(|(index, size)| (index as u32 + 1, *size)).collect();
        prop_assert_eq!(whole, wanted, "{:?}", pair.to_client);
        for (index, size) in sizes.iter().enumerate() {
            pair.server.respond(stream, index as u32 + 1, Bytes::from(vec![index as u8; *size]), true);
        }
        pair.exchange();
        let mut answers: Vec<_> = pair.messages().iter().map(Bytes::len).collect();
        answers.sort_unstable();
        let mut wanted = sizes.clone();
        wanted.sort_unstable();
        prop_assert_eq!(answers, wanted);
        prop_assert_eq!((pair.server.waiting(stream), pair.server.open_calls(stream)), (0, vec![]));
    }
}
