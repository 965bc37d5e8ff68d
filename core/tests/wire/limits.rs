//! Every limit applies to the announcement, before any announced data has arrived.

use hotrod_core::wire::{
    Limits, Operation, Problem, ReplyDecoder, ReplyShape, RequestDecoder, RequestFault, Version, Violation,
};

use crate::decode::context;
use crate::hand::Hand;

const VERSION: Version = Version::LATEST;
const LIMIT: usize = 10;

fn limits(set: fn(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

/// Violation that the decoder of replies to this operation finds.
fn of_reply(set: fn(&mut Limits), operation: Operation, bytes: &[u8]) -> Option<Violation> {
    let mut decoder = ReplyDecoder::new(limits(set));
    decoder.receive(bytes);
    decoder.poll(|_| Some(context(operation, VERSION))).map(|message| message.expect_err("a violation"))
}

fn of_request(set: fn(&mut Limits), bytes: &[u8]) -> Option<Violation> {
    let mut decoder = RequestDecoder::new(limits(set));
    decoder.receive(bytes);
    match decoder.poll()?.expect_err("a violation") {
        RequestFault::Violation(violation) => Some(violation),
        other => panic!("{other}"),
    }
}

/// Asserts the limit of the length or count behind `before`: the limit is accepted, more is not.
fn announced(field: &'static str, before: &Hand, decode: impl Fn(&[u8]) -> Option<Violation>) {
    assert_eq!(decode(&before.clone().vint(LIMIT as u32).done()), None, "{field}: the limit is allowed");
    for announced in [LIMIT as u32 + 1, u32::MAX] {
        let problem = Problem::OverLimit { announced: announced.into(), limit: LIMIT as u64 };
        let offset = before.len() as u64;
        let violation = decode(&before.clone().vint(announced).done());
        assert_eq!(violation, Some(Violation { offset, field, problem }));
    }
}

fn in_reply(field: &'static str, operation: Operation, before: fn(Hand) -> Hand, set: fn(&mut Limits)) {
    let row = operation.row();
    let status = if row.reply == ReplyShape::Previous { 0x03 } else { 0x00 };
    announced(field, &before(Hand::reply(1, row.reply_opcode, status)), |bytes| of_reply(set, operation, bytes));
}

fn in_request(field: &'static str, operation: Operation, before: fn(Hand) -> Hand, set: fn(&mut Limits)) {
    announced(field, &before(Hand::request(VERSION, operation)), |bytes| of_request(set, bytes));
}

fn in_request_header(field: &'static str, before: fn(Hand) -> Hand, set: fn(&mut Limits)) {
    let head = Hand::request_before_media_types(VERSION, Operation::Ping);
    announced(field, &before(head), |bytes| of_request(set, bytes));
}

#[test]
fn keys() {
    in_request("key", Operation::Get, |hand| hand, |limits| limits.key = LIMIT);
    in_request("key", Operation::PutAll, |hand| hand.u8(0x77).vint(2), |limits| limits.key = LIMIT);
    in_request("key", Operation::GetAll, |hand| hand.vint(2).array("k"), |limits| limits.key = LIMIT);
    in_request("key", Operation::PrepareTx, |hand| hand.raw(&[0, 1, 7, 1, 8, 0]).vint(1), |limits| limits.key = LIMIT);
    in_reply("key", Operation::GetAll, |hand| hand.vint(1), |limits| limits.key = LIMIT);
    in_reply("key", Operation::BulkGetKeys, |hand| hand.u8(1), |limits| limits.key = LIMIT);
    in_reply("key", Operation::IterationNext, |hand| hand.array("").vint(1).vint(1).u8(0), |limits| limits.key = LIMIT);
}

#[test]
fn values() {
    in_request("value", Operation::Put, |hand| hand.array("k").u8(0x77), |limits| limits.value = LIMIT);
    in_request("query", Operation::Query, |hand| hand, |limits| limits.value = LIMIT);
    in_request("chunks", Operation::PutStream, |hand| hand.array("k").u8(0x77).long(0), |limits| limits.value = LIMIT);
    in_request("chunk", Operation::NextPutStream, |hand| hand.int(1).u8(0), |limits| limits.value = LIMIT);
    in_request("bloom_filter", Operation::UpdateBloomFilter, |hand| hand, |limits| limits.value = LIMIT);
    let task = |hand: Hand| hand.text("t").u8(1).text("p");
    in_request("task parameter value", Operation::Exec, task, |limits| limits.value = LIMIT);
    let filter = |hand: Hand| hand.array("l").u8(0).text("f").u8(1);
    in_request("factory parameter", Operation::AddClientListener, filter, |limits| limits.value = LIMIT);
    in_reply("value", Operation::Get, |hand| hand, |limits| limits.value = LIMIT);
    in_reply("value", Operation::GetWithMetadata, |hand| hand.u8(3).long(1), |limits| limits.value = LIMIT);
    in_reply("value", Operation::GetMultimap, |hand| hand.vint(1), |limits| limits.value = LIMIT);
    in_reply("previous value", Operation::Put, |hand| hand.u8(3).long(1), |limits| limits.value = LIMIT);
    let chunk = |hand: Hand| hand.int(1).u8(1);
    in_reply("chunk", Operation::NextGetStream, chunk, |limits| limits.value = LIMIT);
}

#[test]
fn names() {
    let header = Hand::new().u8(0xa0).vlong(1).u8(VERSION.to_byte()).u8(0x17);
    announced("cache name", &header, |bytes| of_request(|limits| limits.cache_name = LIMIT, bytes));
    in_request_header("media type name", |hand| hand.u8(2), |limits| limits.name = LIMIT);
    let parameter = |hand: Hand| hand.u8(1).vint(3).vint(1);
    in_request_header("media type parameter name", parameter, |limits| limits.name = LIMIT);
    let other = |hand: Hand| hand.u8(0).u8(0).vint(1);
    in_request_header("other parameter name", other, |limits| limits.name = LIMIT);
    let other = |hand: Hand| hand.u8(0).u8(0).vint(1).text("p");
    in_request_header("other parameter value", other, |limits| limits.name = LIMIT);
    in_request("mechanism", Operation::Auth, |hand| hand, |limits| limits.name = LIMIT);
    in_request("response", Operation::Auth, |hand| hand.text("PLAIN"), |limits| limits.name = LIMIT);
    in_request("listener_id", Operation::RemoveClientListener, |hand| hand, |limits| limits.name = LIMIT);
    let filter = |hand: Hand| hand.array("l").u8(0);
    in_request("filter factory", Operation::AddClientListener, filter, |limits| limits.name = LIMIT);
    in_request("counter", Operation::CounterGet, |hand| hand, |limits| limits.name = LIMIT);
    in_request("task", Operation::Exec, |hand| hand, |limits| limits.name = LIMIT);
    in_reply("name", Operation::AuthMechList, |hand| hand.vint(1), |limits| limits.name = LIMIT);
    in_reply("challenge", Operation::Auth, |hand| hand.u8(0), |limits| limits.name = LIMIT);
    in_reply("iteration id", Operation::IterationStart, |hand| hand, |limits| limits.name = LIMIT);
    in_reply("statistic", Operation::Stats, |hand| hand.vint(1), |limits| limits.name = LIMIT);
    let xid = |hand: Hand| hand.vint(1).vint(0);
    in_reply("global transaction id", Operation::FetchTxRecovery, xid, |limits| limits.name = LIMIT);
    let event = Hand::reply(1, 0x60, 0x00);
    announced("listener id", &event, |bytes| of_reply(|limits| limits.name = LIMIT, Operation::Get, bytes));
    let event = Hand::reply(0, 0x66, 0x00);
    announced("counter name", &event, |bytes| of_reply(|limits| limits.name = LIMIT, Operation::Get, bytes));
}

#[test]
fn the_text_of_an_error() {
    let error = Hand::reply(1, 0x50, 0x85);
    announced("error message", &error, |bytes| of_reply(|limits| limits.error_message = LIMIT, Operation::Get, bytes));
}

#[test]
fn entries_that_are_counted() {
    in_request("entries", Operation::PutAll, |hand| hand.u8(0x77), |limits| limits.entries = LIMIT);
    in_request("keys", Operation::GetAll, |hand| hand, |limits| limits.entries = LIMIT);
    in_request(
        "modifications",
        Operation::PrepareTx,
        |hand| hand.raw(&[0, 1, 7, 1, 8, 0]),
        |limits| limits.entries = LIMIT,
    );
    in_reply("entries", Operation::GetAll, |hand| hand, |limits| limits.entries = LIMIT);
    in_reply("entries", Operation::IterationNext, |hand| hand.array(""), |limits| limits.entries = LIMIT);
    in_reply("values", Operation::GetMultimap, |hand| hand, |limits| limits.entries = LIMIT);
    in_reply("names", Operation::CounterGetNames, |hand| hand, |limits| limits.entries = LIMIT);
    in_reply("statistics", Operation::Stats, |hand| hand, |limits| limits.entries = LIMIT);
    in_reply("transactions", Operation::FetchTxRecovery, |hand| hand, |limits| limits.entries = LIMIT);
    in_reply("operations", Operation::Ping, |hand| hand.u8(0).u8(0).u8(41), |limits| limits.entries = LIMIT);
}

/// Marked lists announce one entry at a time: the first one above the limit is rejected at its marker.
#[test]
fn entries_that_are_marked() {
    let full = Hand::reply(1, 0x1a, 0x00).times(LIMIT, |hand| hand.u8(1).array("k").array("v"));
    let decode = |bytes: &[u8]| of_reply(|limits| limits.entries = LIMIT, Operation::BulkGet, bytes);
    assert_eq!(decode(&full.clone().done()), None);
    let problem = Problem::OverLimit { announced: LIMIT as u64 + 1, limit: LIMIT as u64 };
    let violation = Violation { offset: full.len() as u64, field: "entries", problem };
    assert_eq!(decode(&full.u8(1).done()), Some(violation));
}

#[test]
fn chunks_of_a_streamed_value() {
    let full = Hand::request(VERSION, Operation::PutStream).array("k").u8(0x77).long(0);
    let full = full.times(LIMIT, |hand| hand.array("chunk"));
    let decode = |bytes: &[u8]| of_request(|limits| limits.entries = LIMIT, bytes);
    assert_eq!(decode(&full.clone().done()), None);
    let problem = Problem::OverLimit { announced: LIMIT as u64 + 1, limit: LIMIT as u64 };
    let violation = Violation { offset: full.len() as u64, field: "chunks", problem };
    assert_eq!(decode(&full.array("c").done()), Some(violation));
}

#[test]
fn members_and_segments() {
    let decode = |set| move |bytes: &[u8]| of_reply(set, Operation::Get, bytes);
    let head = Hand::reply_before_topology(1, 0x04, 0x00).u8(1).vint(7);
    announced("members", &head, decode(|limits| limits.members = LIMIT));
    announced("member host", &head.clone().vint(1), decode(|limits| limits.name = LIMIT));
    let before_segments = head.vint(1).text("h").short(1).u8(3);
    announced("segments", &before_segments, decode(|limits| limits.segments = LIMIT));
}

#[test]
fn segments_in_masks() {
    // One bit per segment.
    let set = |limits: &mut Limits| limits.segments = 8 * LIMIT;
    in_reply("finished segments", Operation::IterationNext, |hand| hand, set);
    let before = Hand::request(VERSION, Operation::IterationStart);
    let zigzag = |length: usize| before.clone().vint(2 * length as u32).done();
    assert_eq!(of_request(set, &zigzag(LIMIT)), None);
    let problem = Problem::OverLimit { announced: LIMIT as u64 + 1, limit: LIMIT as u64 };
    let violation = Violation { offset: before.len() as u64, field: "segments", problem };
    assert_eq!(of_request(set, &zigzag(LIMIT + 1)), Some(violation));
}

#[test]
fn parameters() {
    let numbered = |hand: Hand| hand.u8(1).vint(3);
    in_request_header("media type parameters", numbered, |limits| limits.parameters = LIMIT);
    let named = |hand: Hand| hand.u8(0).u8(2).text("a/b");
    in_request_header("media type parameters", named, |limits| limits.parameters = LIMIT);
    in_request_header("other parameters", |hand| hand.u8(0).u8(0), |limits| limits.parameters = LIMIT);
    let projections = |hand: Hand| hand.array("").vint(1);
    in_reply("projections", Operation::IterationNext, projections, |limits| limits.parameters = LIMIT);
}

/// The limit of a whole message applies as soon as its length is known; the violation is at its first byte, for any
/// chunking.
#[test]
fn messages() {
    let first = Hand::reply(1, 0x04, 0x00).array([1; 10]).done();
    let second = Hand::reply(2, 0x30, 0x00).vint(3).times(3, |hand| hand.array([2; 5]).array([3; 5])).done();
    let (offset, length) = (first.len() as u64, second.len());
    let stream = [first, second].concat();
    for limit in [length, length - 1, 20] {
        for cut in 0..=stream.len() {
            let mut limits = Limits::default();
            limits.message = limit;
            let mut decoder = ReplyDecoder::new(limits);
            let mut next = |bytes: &[u8]| {
                decoder.receive(bytes);
                let context = |id| Some(context(if id == 1 { Operation::Get } else { Operation::GetAll }, VERSION));
                core::iter::from_fn(|| decoder.poll(context)).collect::<Vec<_>>()
            };
            let all = [next(&stream[..cut]), next(&stream[cut..])].concat();
            assert_eq!(all.len(), 2, "cut at {cut}");
            match (&all[1], limit == length) {
                (Ok(_), true) => {}
                (Err(violation), false) => {
                    assert_eq!((violation.field, violation.offset), ("message", offset));
                    assert!(
                        matches!(violation.problem, Problem::OverLimit { announced, .. } if announced > limit as u64)
                    );
                }
                (other, _) => panic!("limit {limit}, cut at {cut}: {other:?}"),
            }
        }
    }
}
