//! A violation ends the stream with its field and position, for any chunking.

use hotrod_core::wire::{
    Incoming, Intelligence, Limits, Operation, Problem, ReplyContext, ReplyDecoder, RequestFault, Version, Violation,
};

use crate::decode::{context, replies, requests};
use crate::hand::Hand;

const VERSION: Version = Version::LATEST;

/// The last result from these bytes, and the number of messages before it.
fn violation_in_reply(bytes: &[u8], operation: Operation) -> (usize, Violation) {
    let decode =
        |pieces: &[&[u8]]| replies(pieces.iter().copied(), |id| (id < 9).then_some(context(operation, VERSION))).0;
    let mut all = same_however_cut(bytes, decode);
    let violation = all.pop().expect("something").expect_err("a violation");
    assert!(all.iter().all(Result::is_ok), "a violation is the last thing");
    (all.len(), violation)
}

fn fault_in_request(bytes: &[u8]) -> RequestFault {
    let mut all = same_however_cut(bytes, |pieces| requests(pieces.iter().copied()).0);
    assert_eq!(all.len(), 1);
    all.remove(0).expect_err("a fault")
}

fn violation_in_request(bytes: &[u8]) -> Violation {
    match fault_in_request(bytes) {
        RequestFault::Violation(violation) => violation,
        other => panic!("{other}"),
    }
}

fn same_however_cut<T: PartialEq + core::fmt::Debug>(bytes: &[u8], decode: impl Fn(&[&[u8]]) -> T) -> T {
    let whole = decode(&[bytes]);
    for cut in 0..bytes.len() {
        assert_eq!(decode(&[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(decode(&bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    whole
}

fn unexpected(value: u64, expected: &'static str) -> Problem {
    Problem::Unexpected { value, expected }
}

/// Asserts a violation at the byte or number behind `before`.
fn wrong_reply(operation: Operation, before: Hand, wrong: fn(Hand) -> Hand, field: &'static str, problem: Problem) {
    let offset = before.len() as u64;
    let bytes = wrong(before).raw(&[0; 20]).done();
    assert_eq!(violation_in_reply(&bytes, operation), (0, Violation { offset, field, problem }));
}

fn wrong_request(before: Hand, wrong: fn(Hand) -> Hand, field: &'static str, problem: Problem) {
    let offset = before.len() as u64;
    let bytes = wrong(before).raw(&[0; 20]).done();
    assert_eq!(violation_in_request(&bytes), Violation { offset, field, problem });
}

#[test]
fn the_magic_of_another_protocol_or_role() {
    let magic = unexpected(0xa0, "0xa1, a reply");
    wrong_reply(Operation::Get, Hand::new(), |hand| hand.u8(0xa0), "magic", magic);
    wrong_request(Hand::new(), |hand| hand.u8(0xa1), "magic", unexpected(0xa1, "0xa0, a request"));
    wrong_request(Hand::new(), |hand| hand.raw(b"GET /"), "magic", unexpected(0x47, "0xa0, a request"));
}

/// Offsets count from the beginning of the stream; messages before the violation are delivered.
#[test]
fn after_good_messages_the_offset_is_that_of_the_stream() {
    let good = Hand::reply(1, 0x04, 0x00).array("value").done();
    let stream = [&good[..], &good[..], &[0x00]].concat();
    let violation =
        Violation { offset: 2 * good.len() as u64, field: "magic", problem: unexpected(0, "0xa1, a reply") };
    assert_eq!(violation_in_reply(&stream, Operation::Get), (2, violation));
}

/// Also behind bytes that were cut out after parsing.
#[test]
fn after_many_entries_the_offset_is_that_of_the_stream() {
    let entries = |hand: Hand| hand.times(20, |hand| hand.u8(1).array("key").array("value"));
    let head = entries(Hand::reply(1, 0x1a, 0x00));
    wrong_reply(Operation::BulkGet, head, |hand| hand.u8(2), "more marker", unexpected(2, "0 or 1"));
    let head = Hand::reply_before_topology(1, 0x04, 0x00).u8(1).vint(7).vint(2);
    let head = head.times(2, |hand| hand.text("host").short(1)).u8(3).vint(100).times(50, |hand| hand.u8(1).vint(1));
    let owner = unexpected(2, "the index of a member");
    wrong_reply(Operation::Get, head.u8(2).vint(0), |hand| hand.vint(2), "owner", owner);
}

#[test]
fn after_a_violation_nothing_comes() {
    let good = Hand::reply(1, 0x04, 0x00).array("value").done();
    let mut decoder = ReplyDecoder::new(Limits::default());
    let mut next = |bytes: &[u8]| {
        decoder.receive(bytes);
        decoder.poll(|_| Some(context(Operation::Get, VERSION)))
    };
    assert!(matches!(next(&[0x00]), Some(Err(_))));
    assert_eq!(next(&good), None);
    assert_eq!(next(&good), None);
}

/// Gotcha 12: endless numbers.
#[test]
fn endless_numbers() {
    let endless = |hand: Hand| hand.raw(&[0x80; 12]);
    let long = Problem::NumberTooLong;
    wrong_reply(Operation::Get, Hand::new().u8(0xa1), endless, "message id", long.clone());
    wrong_reply(Operation::Get, Hand::reply(1, 0x04, 0), endless, "value", long.clone());
    wrong_reply(Operation::Size, Hand::reply(1, 0x2a, 0), endless, "size", long.clone());
    wrong_reply(Operation::GetAll, Hand::reply(1, 0x30, 0), endless, "entries", long.clone());
    let topology = Hand::reply_before_topology(1, 0x04, 0).u8(1);
    wrong_reply(Operation::Get, topology, endless, "topology id", long.clone());
    wrong_request(Hand::new().u8(0xa0), endless, "message id", long.clone());
    wrong_request(Hand::request(VERSION, Operation::Get), endless, "key", long.clone());
    let put = Hand::request(VERSION, Operation::Put).array("k").u8(0x17);
    wrong_request(put, endless, "lifespan", long);
}

#[test]
fn numbers_of_more_bits_than_their_field() {
    // 33 bits, and 65 bits.
    let int = |hand: Hand| hand.raw(&[0xff, 0xff, 0xff, 0xff, 0x1f]);
    wrong_reply(Operation::Get, Hand::reply(1, 0x04, 0), int, "value", Problem::NumberTooLong);
    let long = |hand: Hand| hand.raw(&[0xff; 9]).u8(0x02);
    wrong_reply(Operation::Size, Hand::reply(1, 0x2a, 0), long, "size", Problem::NumberTooLong);
}

#[test]
fn markers_that_do_not_exist() {
    let marker = |hand: Hand| hand.u8(2);
    let topology = Hand::reply_before_topology(1, 0x04, 0);
    wrong_reply(Operation::Get, topology, marker, "topology change marker", unexpected(2, "0 or 1"));
    wrong_reply(Operation::BulkGetKeys, Hand::reply(1, 0x1e, 0), marker, "more marker", unexpected(2, "0 or 1"));
    let definition = unexpected(3, "0 (none), 1 (id) or 2 (name)");
    let ping = Hand::reply(1, 0x18, 0);
    wrong_reply(Operation::Ping, ping, |hand| hand.u8(3), "media type definition", definition.clone());
    let head = Hand::request_before_media_types(VERSION, Operation::Ping);
    wrong_request(head, |hand| hand.u8(3), "media type definition", definition);
    let event = Hand::reply(1, 0x60, 0).array("listener");
    let custom = unexpected(3, "0 (key), 1 (custom) or 2 (custom raw)");
    wrong_reply(Operation::Get, event, |hand| hand.u8(3), "custom marker", custom);
    let event = Hand::reply(0, 0x66, 0).text("counter").array("listener");
    for states in [3, 3 << 2] {
        let states_at = event.len() as u64;
        let bytes = event.clone().u8(states).raw(&[0; 16]).done();
        let problem = unexpected(states.into(), "two codes from 0 to 2");
        let violation = Violation { offset: states_at, field: "counter states", problem };
        assert_eq!(violation_in_reply(&bytes, Operation::Get), (0, violation));
    }
}

#[test]
fn codes_that_do_not_exist_in_requests() {
    let put = || Hand::request(VERSION, Operation::Put).array("k");
    let units = |value| unexpected(value, "two codes from 0 to 8");
    wrong_request(put(), |hand| hand.u8(0x97), "time units", units(0x97));
    wrong_request(put(), |hand| hand.u8(0x79), "time units", units(0x79));
    // The second code is invalid; a lifespan of the first unit is between.
    wrong_request(put(), |hand| hand.u8(0x0f).vint(300), "time units", units(0x0f));
    let create = Hand::request(VERSION, Operation::CounterCreate).text("counter");
    let both = unexpected(3, "weak or bounded, not both");
    wrong_request(create, |hand| hand.u8(3), "counter flags", both);
    let head = Hand::new().u8(0xa0).vlong(1).u8(41).u8(0x17).text("cache").vint(0);
    for (intelligence, wrong) in [(0u64, (|hand| hand.u8(0)) as fn(Hand) -> Hand), (4, |hand| hand.u8(4))] {
        wrong_request(head.clone(), wrong, "intelligence", unexpected(intelligence, "1, 2 or 3"));
    }
}

#[test]
fn an_owner_that_is_no_member() {
    let members = |count: u32| {
        let head = Hand::reply_before_topology(1, 0x04, 0).u8(1).vint(7).vint(count);
        head.times(count as usize, |hand| hand.text("host").short(1)).u8(3).vint(1).u8(1)
    };
    let owner = |value| unexpected(value, "the index of a member");
    wrong_reply(Operation::Get, members(0), |hand| hand.vint(0), "owner", owner(0));
    wrong_reply(Operation::Get, members(2), |hand| hand.vint(2), "owner", owner(2));
    // A two-byte index, and one that exceeds the index type.
    wrong_reply(Operation::Get, members(200), |hand| hand.vint(200), "owner", owner(200));
    wrong_reply(Operation::Get, members(2), |hand| hand.vint(0x10000), "owner", owner(0x10000));
}

/// The offset is that of the text, behind its length.
#[test]
fn texts_that_are_not_utf_8() {
    let text = |hand: Hand| hand.raw(&[b'K', 0xf6, b'l', b'n']);
    let not_utf8 = Problem::NotUtf8;
    wrong_reply(Operation::Get, Hand::reply(1, 0x50, 0x85).vint(4), text, "error message", not_utf8.clone());
    let topology = Hand::reply_before_topology(1, 0x04, 0).u8(1).vint(7).vint(1).vint(4);
    wrong_reply(Operation::Get, topology, text, "member host", not_utf8.clone());
    let names = Hand::reply(1, 0x65, 0).vint(2).text("good").vint(4);
    wrong_reply(Operation::CounterGetNames, names, text, "name", not_utf8.clone());
    let cache = Hand::new().u8(0xa0).vlong(1).u8(41).u8(0x17).vint(4);
    wrong_request(cache, text, "cache name", not_utf8.clone());
    let counter = Hand::request(VERSION, Operation::CounterGet).vint(4);
    wrong_request(counter, text, "counter", not_utf8.clone());
    let factory = Hand::request(VERSION, Operation::IterationStart).vint(1).vint(8);
    wrong_request(factory, text, "filter_converter", not_utf8);
}

#[test]
fn an_answer_to_nothing_that_was_asked() {
    let id = unexpected(300, "the id of a request in flight");
    let answer = |hand: Hand| hand.vlong(300).u8(0x04).u8(0).u8(0).array("value");
    wrong_reply(Operation::Get, Hand::new().u8(0xa1), answer, "message id", id);
}

#[test]
fn the_answer_to_another_operation() {
    let opcode = unexpected(0x02, "the opcode of the answer to this message id");
    let put_answer = |hand: Hand| hand.u8(0x02).u8(0).u8(0);
    wrong_reply(Operation::Get, Hand::new().u8(0xa1).vlong(1), put_answer, "opcode", opcode);
    let request_opcode = unexpected(0x03, "the opcode of the answer to this message id");
    wrong_reply(Operation::Get, Hand::new().u8(0xa1).vlong(1), |hand| hand.u8(0x03), "opcode", request_opcode);
}

/// A basic client is never sent a topology, but one would be read.
#[test]
fn a_topology_for_a_basic_client_is_read_as_members_only() {
    let basic = ReplyContext { intelligence: Intelligence::Basic, ..context(Operation::Get, VERSION) };
    let hand = Hand::reply_before_topology(1, 0x04, 0).u8(1).vint(7).vint(1).text("host").short(1).array("value");
    let (all, left) = replies([&hand.done()[..]], |_| Some(basic));
    assert!(matches!(&all[..], [Ok(Incoming::Reply(reply))] if reply.topology.is_some()), "{all:?}");
    assert_eq!(left, 0);
}

#[test]
fn requests_of_unknown_versions_and_operations_tell_their_message_id() {
    let version = Hand::new().u8(0xa0).vlong(300).u8(13).u8(0x03).raw(&[0; 9]).done();
    assert_eq!(fault_in_request(&version), RequestFault::UnknownVersion { message_id: 300, version: 13 });
    // Gotcha 12: 0x45 (removeAll) does not exist.
    for opcode in [0x45, 0x00, 0x04, 0x50, 0xff] {
        let bytes = Hand::new().u8(0xa0).vlong(300).u8(41).u8(opcode).raw(&[0; 9]).done();
        assert_eq!(fault_in_request(&bytes), RequestFault::UnknownOperation { message_id: 300, opcode });
    }
}

/// A server replies to a newer version in the newest it supports (FACTS: PING of version 99).
#[test]
fn a_ping_of_a_newer_version_is_read_as_the_newest_known() {
    let ping = |version| Hand::new().u8(0xa0).vlong(1).u8(version).u8(0x17).raw(&[0, 0, 3, 0, 0, 0, 0]).done();
    for (byte, version) in [(99, Version::V4_1), (127, Version::V4_1), (42, Version::V4_1)] {
        let (all, left) = requests([&ping(byte)[..]]);
        assert_eq!(left, 0);
        assert_eq!(all[0].as_ref().expect("valid").0.version, version);
    }
}
