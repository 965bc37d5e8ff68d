//! Many messages in one stream.
//!
//! Gotcha 11: replies in any order, several topologies in one buffer, events before and after the reply to their
//! registration.

use bytes::Bytes;
use hotrod_core::wire::{
    Body, EntryChange, Event, EventData, Hash, Incoming, Limits, Member, Operation, Reply, ReplyDecoder,
    RequestDecoder, SegmentOwners, Status, Topology, Version,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::decode::{context, replies, written, written_request};
use crate::hand::Hand;
use crate::strategies;

const VERSION: Version = Version::LATEST;

fn topology(id: u32, port: u16) -> Topology {
    let members = vec![Member { host: "10.0.0.1".into(), port }, Member { host: "10.0.0.2".into(), port }];
    let owners: SegmentOwners = [&[0u16, 1][..], &[1], &[]].into_iter().collect();
    Topology { id, members, hash: Some(Hash { function: 3, segments: 3, owners }) }
}

fn get_reply(message_id: u64, topology: Option<Topology>, value: &'static str) -> Incoming {
    let body = Body::Value(Bytes::from(value));
    Incoming::Reply(Reply { message_id, status: Status::SUCCESS, topology: topology.map(Box::new), body })
}

fn event(message_id: u64, key: &'static str) -> Incoming {
    let data = EventData::Key { key: Bytes::from(key), version: Some(9) };
    let listener_id = Bytes::from_static(b"listener");
    Incoming::Event(Event { message_id, listener_id, retried: false, change: EntryChange::Created, data })
}

#[test]
fn several_topologies_in_one_buffer() {
    let get = context(Operation::Get, VERSION);
    let all = [
        get_reply(1, Some(topology(8, 1)), "a"),
        get_reply(2, None, "b"),
        get_reply(3, Some(topology(7, 2)), "c"),
        get_reply(4, Some(topology(u32::MAX, 3)), "d"),
    ];
    let stream: Vec<u8> = all.iter().flat_map(|reply| written(reply, get)).collect();
    assert_eq!(replies([&stream[..]], |_| Some(get)), (all.map(Ok).to_vec(), 0));
}

#[test]
fn answers_come_in_any_order_each_in_the_form_of_its_own_question() {
    let asked_with = |id| match id {
        1 => Some(context(Operation::Get, VERSION)),
        2 => Some(context(Operation::Size, VERSION)),
        300 => Some(context(Operation::ContainsKey, VERSION)),
        _ => None,
    };
    let stream = [
        Hand::reply(300, 0x10, 0x02).done(),
        Hand::reply(1, 0x04, 0x00).array("one").done(),
        Hand::reply(2, 0x2a, 0x00).vlong(1 << 40).done(),
    ]
    .concat();
    let (all, left) = replies([&stream[..]], asked_with);
    let ids_and_bodies = all.into_iter().map(|incoming| match incoming {
        Ok(Incoming::Reply(reply)) => (reply.message_id, reply.body),
        other => panic!("{other:?}"),
    });
    let expected = [(300, Body::Nothing), (1, Body::Value("one".into())), (2, Body::Size(1 << 40))];
    assert_eq!((ids_and_bodies.collect::<Vec<_>>(), left), (expected.to_vec(), 0));
}

#[test]
fn events_come_before_and_after_the_answer_to_add_client_listener() {
    let add_listener = context(Operation::AddClientListener, VERSION);
    let answer = Reply { message_id: 5, status: Status::SUCCESS, topology: None, body: Body::Nothing };
    let all = [event(5, "before"), Incoming::Reply(answer), event(5, "after")];
    let stream: Vec<u8> = all.iter().flat_map(|incoming| written(incoming, add_listener)).collect();
    // After the reply nothing is in flight: events need no request.
    let (decoded, left) = replies([&stream[..]], |id| (id == 5).then_some(add_listener));
    assert_eq!((decoded, left), (all.clone().map(Ok).to_vec(), 0));
    let after = written(&all[2], add_listener);
    assert_eq!(replies([&after[..]], |_| None), (vec![Ok(all[2].clone())], 0));
}

#[test]
fn what_is_not_polled_for_is_kept_while_more_comes() {
    let get = context(Operation::Get, VERSION);
    let all = [get_reply(1, None, "one"), get_reply(2, Some(topology(1, 1)), "two"), get_reply(3, None, "three")];
    let stream: Vec<u8> = all.iter().flat_map(|reply| written(reply, get)).collect();
    for cut in 0..stream.len() {
        let mut decoder = ReplyDecoder::new(Limits::default());
        decoder.receive(&stream[..cut]);
        let mut decoded = Vec::from_iter(decoder.poll(|_| Some(get)));
        decoder.receive(&stream[cut..]);
        decoded.extend(core::iter::from_fn(|| decoder.poll(|_| Some(get))));
        assert_eq!(decoded, all.clone().map(Ok), "cut at {cut}");
        assert_eq!(decoder.buffered(), 0);
    }
}

#[test]
fn buffered_counts_what_no_message_was_made_of() {
    let entries = Hand::reply(1, 0x30, 0x00).vint(3).times(3, |hand| hand.array("key").array("value")).done();
    let mut decoder = ReplyDecoder::new(Limits::default());
    let get_all = context(Operation::GetAll, VERSION);
    for (received, byte) in entries.iter().enumerate() {
        assert_eq!(decoder.buffered(), received, "also what was parsed already");
        decoder.receive_buffer().extend_from_slice(&[*byte]);
        assert_eq!(decoder.poll(|_| Some(get_all)).is_some(), received + 1 == entries.len());
    }
    assert_eq!(decoder.buffered(), 0);
}

/// The head of a large value's message is a buffer of its own; the stream is the same.
#[test]
fn a_value_larger_than_what_is_copied() {
    let value = Bytes::from(vec![0xa1; 10_000]);
    let large = Incoming::Reply(Reply {
        message_id: 1,
        status: Status::SUCCESS,
        topology: None,
        body: Body::Entries(vec![(value.clone(), Bytes::new()), (Bytes::new(), value)]),
    });
    let get_all = context(Operation::GetAll, VERSION);
    let bytes = written(&large, get_all);
    let hand = Hand::reply(1, 0x30, 0x00).vint(2).array([0xa1; 10_000]).array("").array("").array([0xa1; 10_000]);
    assert_eq!(bytes, hand.done());
    assert_eq!(replies(bytes.chunks(4097), |_| Some(get_all)), (vec![Ok(large)], 0));
}

proptest! {
    /// Requests one after the other, polled at any time: reading into the buffer and passing chunks give the same
    /// result.
    #[test]
    fn polling_may_wait(
        messages in proptest::collection::vec(strategies::any_request(), 1..5),
        pieces in proptest::collection::vec((1usize..80, any::<bool>(), select(&[0usize, 1, 9])), 1..12),
    ) {
        let stream = messages.iter().flat_map(|(header, request)| written_request(header, request)).collect::<Vec<_>>();
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut decoded = Vec::new();
        let mut rest = &stream[..];
        for (size, in_place, polls) in pieces {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            if in_place {
                decoder.receive_buffer().extend_from_slice(piece);
            } else {
                decoder.receive(piece);
            }
            decoded.extend((0..polls).map_while(|_| decoder.poll()));
        }
        decoder.receive(rest);
        decoded.extend(core::iter::from_fn(|| decoder.poll()));
        prop_assert_eq!(decoded, messages.into_iter().map(Ok).collect::<Vec<_>>());
        prop_assert_eq!(decoder.buffered(), 0);
    }
}
