//! Large data in small chunks: quadratic decoding would not finish here.
//!
//! core/tests/allocations.rs measures the work.

use hotrod_core::wire::{Body, Incoming, Operation, Request, Version};

use crate::decode::{context, replies, requests};
use crate::hand::Hand;

const VERSION: Version = Version::LATEST;
const MIB: usize = 1 << 20;

fn body(bytes: &[u8], step: usize, operation: Operation) -> Body {
    let (mut all, left) = replies(bytes.chunks(step), |_| Some(context(operation, VERSION)));
    assert_eq!((all.len(), left), (1, 0));
    match all.remove(0).expect("valid") {
        Incoming::Reply(reply) => reply.body,
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_value_of_1_mib_byte_by_byte_to_a_client() {
    let bytes = Hand::reply(1, 0x04, 0x00).array(vec![7; MIB]).done();
    assert_eq!(body(&bytes, 1, Operation::Get), Body::Value(vec![7; MIB].into()));
}

#[test]
fn a_value_of_1_mib_byte_by_byte_to_a_server() {
    let bytes = Hand::request(VERSION, Operation::Put).array("key").u8(0x78).array(vec![7; MIB]).done();
    let (mut all, left) = requests(bytes.chunks(1));
    assert_eq!((all.len(), left), (1, 0));
    let (_, request) = all.remove(0).expect("valid");
    assert!(matches!(request, Request::Put { value, .. } if value == vec![7; MIB]));
}

#[test]
fn a_bulk_reply_of_100_000_entries_in_pieces_of_1_byte_and_1_kib() {
    const ENTRIES: usize = 100_000;
    let entry = |hand: Hand| hand.u8(1).array("k").array("v");
    let bytes = Hand::reply(1, 0x1a, 0x00).times(ENTRIES, entry).u8(0).done();
    for step in [1, 1024] {
        let Body::Entries(entries) = body(&bytes, step, Operation::BulkGet) else { panic!() };
        assert_eq!(entries.len(), ENTRIES);
        assert!(entries.iter().all(|(key, value)| key == "k" && value == "v"));
    }
}

#[test]
fn a_request_of_100_000_entries_in_pieces_of_1_byte_and_1_kib() {
    const ENTRIES: usize = 100_000;
    let hand = Hand::request(VERSION, Operation::PutAll).u8(0x77).vint(ENTRIES as u32);
    let bytes = hand.times(ENTRIES, |hand| hand.array("k").array("")).done();
    for step in [1, 1024] {
        let (mut all, left) = requests(bytes.chunks(step));
        assert_eq!((all.len(), left), (1, 0));
        let (_, request) = all.remove(0).expect("valid");
        assert!(matches!(request, Request::PutAll { entries, .. } if entries.len() == ENTRIES));
    }
}

#[test]
fn a_topology_of_100_000_segments_in_pieces_of_1_byte_and_1_kib() {
    const SEGMENTS: usize = 100_000;
    let hand = Hand::reply_before_topology(1, 0x04, 0x00).u8(1).vint(1).vint(2);
    let hand = hand.times(2, |hand| hand.text("10.0.0.1").short(11222)).u8(3).vint(SEGMENTS as u32);
    let bytes = hand.times(SEGMENTS, |hand| hand.u8(2).vint(1).vint(0)).array("v").done();
    for step in [1, 1024] {
        let (mut all, left) = replies(bytes.chunks(step), |_| Some(context(Operation::Get, VERSION)));
        assert_eq!((all.len(), left), (1, 0));
        let Ok(Incoming::Reply(reply)) = all.remove(0) else { panic!() };
        let hash = reply.topology.and_then(|topology| topology.hash).expect("a topology with owners");
        assert_eq!((hash.owners.len(), hash.owners.of(SEGMENTS - 1)), (SEGMENTS, &[1, 0][..]));
    }
}

/// Ten thousand replies in one buffer: the cost of one must not depend on the bytes behind it.
#[test]
fn many_messages_in_one_buffer() {
    const MESSAGES: usize = 100_000;
    let bytes = Hand::reply(1, 0x04, 0x00).array("value").done().repeat(MESSAGES);
    let (all, left) = replies([&bytes[..]], |_| Some(context(Operation::Get, VERSION)));
    assert_eq!((all.len(), left), (MESSAGES, 0));
}
