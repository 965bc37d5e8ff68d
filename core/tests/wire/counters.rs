//! Counters (gotcha 18), and the other opcodes that do not follow the pattern (gotcha 12 and 19).

use hotrod_core::wire::{
    Body, CounterConfiguration, CounterEvent, CounterKind, CounterState, Incoming, Operation, Request, Version,
};

use crate::decode::{self, context, incoming, replies, request, written, written_request};
use crate::hand::Hand;

const VERSION: Version = Version::LATEST;

fn answer(operation: Operation, bytes: &[u8]) -> Body {
    decode::reply(bytes, context(operation, VERSION)).body
}

/// 0x50 is the error opcode, so the reply to 0x4F is 0x51, and from 0x7F on the reply is 0x80.
#[test]
fn is_defined_answers_0x51_and_get_and_set_0x80() {
    assert_eq!(answer(Operation::CounterIsDefined, &Hand::reply(1, 0x51, 0x00).done()), Body::Nothing);
    let value = Hand::reply(1, 0x80, 0x00).long((-7i64) as u64).done();
    assert_eq!(answer(Operation::CounterGetAndSet, &value), Body::CounterValue(-7));
}

#[test]
fn an_answer_is_its_request_plus_one_but_for_these() {
    let others: Vec<_> = Operation::table()
        .iter()
        .filter(|row| row.reply_opcode != row.request_opcode + 1)
        .map(|row| (row.request_opcode, row.reply_opcode))
        .collect();
    // Gotcha 19: the opcodes of 4.1's streams count down.
    let streams = [(0xe5, 0xe4), (0xe7, 0xe6), (0xe9, 0xe8), (0xeb, 0xea), (0xed, 0xec), (0xef, 0xee)];
    assert_eq!(others, [&[(0x4f, 0x51)], &streams[..]].concat());
}

/// Gotcha 19, on the wire: the reply to 0xE9 is 0xE8.
#[test]
fn a_stream_of_4_1_is_answered_with_its_request_minus_one() {
    let bytes = Hand::reply(1, 0xe8, 0x00).int(-5).u8(1).u8(3).long(9).array("chunk").done();
    let body = answer(Operation::StartGetStream, &bytes);
    let Body::StreamStart { stream_id, complete, metadata, chunk } = body else { panic!("{body:?}") };
    assert_eq!((stream_id, complete, metadata.version, &chunk[..]), (-5, true, 9, &b"chunk"[..]));
    let (_, start) = request(&Hand::request(VERSION, Operation::StartGetStream).array("key").vint(8192).done());
    assert_eq!(start, Request::StartGetStream { key: "key".into(), chunk_length: 8192 });
}

/// A bounded counter at its bound replies 0x04, which has the current value elsewhere; here nothing follows.
#[test]
fn a_bound_that_is_reached_has_no_body() {
    let next = Hand::reply(2, 0x53, 0x00).long(1).done();
    let operations = [Operation::CounterAddAndGet, Operation::CounterCompareAndSwap, Operation::CounterGetAndSet];
    for operation in operations {
        let reached = Hand::reply(1, operation.row().reply_opcode, 0x04).done();
        assert_eq!(answer(operation, &reached), Body::Nothing);
        // The next message follows.
        let context = |id| Some(context(if id == 1 { operation } else { Operation::CounterAddAndGet }, VERSION));
        let (all, left) = replies([&[reached, next.clone()].concat()[..]], context);
        assert_eq!((all.len(), left), (2, 0));
    }
}

/// Not the message id of its listener's registration: the id is 0, the opcode 0x66.
#[test]
fn events_have_message_id_0_and_opcode_0x66() {
    let hand = Hand::reply(0, 0x66, 0x00).text("counter").array("listener");
    let bytes = hand.u8(0b1001).long((-1i64) as u64).long(1).done();
    let expected = CounterEvent {
        counter: "counter".into(),
        listener_id: "listener".into(),
        old_value: -1,
        old_state: CounterState::LowerBoundReached,
        new_value: 1,
        new_state: CounterState::UpperBoundReached,
    };
    // No request has id 0, and if one had, this would not be its reply.
    assert_eq!(replies([&bytes[..]], |_| None), (vec![Ok(Incoming::CounterEvent(expected.clone()))], 0));
    let get = context(Operation::CounterGet, VERSION);
    assert_eq!(incoming(&bytes, get), Incoming::CounterEvent(expected.clone()));
    assert_eq!(written(&Incoming::CounterEvent(expected), get), bytes);
}

#[test]
fn a_configuration_tells_kind_and_storage_in_one_byte() {
    let create = |configuration: fn(Hand) -> Hand| {
        let head = Hand::request(VERSION, Operation::CounterCreate).text("c");
        let bytes = configuration(head).done();
        let (header, request) = request(&bytes);
        assert_eq!(written_request(&header, &request), bytes);
        match request {
            Request::CounterCreate { configuration, .. } => configuration,
            other => panic!("{other:?}"),
        }
    };
    let of = |kind, persistent, initial_value| CounterConfiguration { kind, persistent, initial_value };
    let unbounded = create(|hand| hand.u8(0).long(5));
    assert_eq!(unbounded, of(CounterKind::UnboundedStrong, false, 5));
    let bounded = create(|hand| hand.u8(2).long((-1i64) as u64).long(10).long(0));
    assert_eq!(bounded, of(CounterKind::BoundedStrong { lower: -1, upper: 10 }, false, 0));
    let weak = create(|hand| hand.u8(5).vint(16).long(u64::MAX));
    assert_eq!(weak, of(CounterKind::Weak { concurrency: 16 }, true, -1));
}
