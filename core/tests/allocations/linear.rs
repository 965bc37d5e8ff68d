//! Total work is linear in the bytes received, for any chunking.

use hotrod_core::wire::{
    Incoming, Intelligence, Limits, Operation, ReplyContext, ReplyDecoder, Request, RequestDecoder, RequestHeader,
    Version,
};

use crate::counting::{Count, measure};
use crate::hand::Hand;

const LATEST: Version = Version::LATEST;

/// Builds a message of about `usize` bytes.
pub type Build = fn(usize) -> Vec<u8>;

fn context(operation: Operation) -> ReplyContext {
    ReplyContext { operation, version: LATEST, intelligence: Intelligence::HashDistributionAware }
}

/// Decodes bytes in chunks of `step`, passed or read into the decoder's buffer.
fn decode_reply(bytes: &[u8], step: usize, in_place: bool, operation: Operation) -> (Count, Incoming) {
    measure(|| {
        let mut decoder = ReplyDecoder::new(Limits::default());
        let mut decoded = None;
        for piece in bytes.chunks(step) {
            assert_eq!(decoded, None, "{operation}: complete before its last byte");
            if in_place {
                decoder.receive_buffer().extend_from_slice(piece);
            } else {
                decoder.receive(piece);
            }
            decoded = decoder.poll(|_| Some(context(operation)));
        }
        decoded.expect("complete").expect("valid")
    })
}

fn decode_request(bytes: &[u8], step: usize, in_place: bool) -> (Count, (RequestHeader, Request)) {
    measure(|| {
        let mut limits = Limits::default();
        // Long enough to reveal non-linear work.
        limits.cache_name = limits.name;
        let mut decoder = RequestDecoder::new(limits);
        let mut decoded = None;
        for piece in bytes.chunks(step) {
            assert_eq!(decoded, None, "complete before its last byte");
            if in_place {
                decoder.receive_buffer().extend_from_slice(piece);
            } else {
                decoder.receive(piece);
            }
            decoded = decoder.poll();
        }
        decoded.expect("complete").expect("valid")
    })
}

fn reply(operation: Operation) -> Hand {
    Hand::reply(1, operation.row().reply_opcode, 0)
}

pub const REPLIES: &[(&str, Operation, Build)] = &[
    ("a value", Operation::Get, |n| reply(Operation::Get).array(vec![7; n]).done()),
    ("the text of an error", Operation::Get, |n| Hand::reply(1, 0x50, 0x85).array(vec![b'x'; n]).done()),
    ("marked entries", Operation::BulkGet, |n| {
        reply(Operation::BulkGet).times(n / 7, |hand| hand.u8(1).array(b"ke").array(b"va")).u8(0).done()
    }),
    ("marked keys", Operation::BulkGetKeys, |n| {
        reply(Operation::BulkGetKeys).times(n / 4, |hand| hand.u8(1).array(b"ke")).u8(0).done()
    }),
    ("counted entries", Operation::GetAll, |n| {
        let hand = reply(Operation::GetAll).vint(n as u32 / 6);
        hand.times(n / 6, |hand| hand.array(b"ke").array(b"va")).done()
    }),
    ("names", Operation::CounterGetNames, |n| {
        reply(Operation::CounterGetNames).vint(n as u32 / 3).times(n / 3, |hand| hand.text("co")).done()
    }),
    ("statistics", Operation::Stats, |n| {
        reply(Operation::Stats).vint(n as u32 / 6).times(n / 6, |hand| hand.text("st").text("11")).done()
    }),
    ("transactions", Operation::FetchTxRecovery, |n| {
        let hand = reply(Operation::FetchTxRecovery).vint(n as u32 / 5);
        hand.times(n / 5, |hand| hand.vint(2).array([1]).array([2])).done()
    }),
    ("the values of a multimap key, with metadata", Operation::GetMultimapWithMetadata, |n| {
        let hand = reply(Operation::GetMultimapWithMetadata).u8(3).long(1).vint(n as u32 / 2);
        hand.times(n / 2, |hand| hand.array(b"v")).done()
    }),
    ("finished segments before entries of an iteration", Operation::IterationNext, |n| {
        let hand = reply(Operation::IterationNext).array(vec![0xff; n / 2]).vint(n as u32 / 10).vint(1);
        hand.times(n / 10, |hand| hand.u8(0).array(b"k").array(b"v")).done()
    }),
    ("a large key before its projections in an iteration", Operation::IterationNext, |n| {
        let hand = reply(Operation::IterationNext).array([0]).vint(1).vint(1000).u8(0).array(vec![7; n]);
        hand.times(1000, |hand| hand.array(b"v")).done()
    }),
    ("entries of an iteration, each with metadata and projections", Operation::IterationNext, |n| {
        let hand = reply(Operation::IterationNext).array([0]).vint(n as u32 / 45).vint(4);
        let entry = |hand: Hand| hand.u8(1).u8(0).long(1).vint(300).long(2).vint(400).long(3).array(b"k");
        hand.times(n / 45, |hand| entry(hand).times(4, |hand| hand.array(b"v"))).done()
    }),
    ("media types of a PING before its operations", Operation::Ping, |n| {
        let parameters = |hand: Hand| hand.vint(4).times(4, |hand| hand.text("p").array(vec![b'x'; n / 16]));
        let types = parameters(parameters(reply(Operation::Ping).u8(1).vint(3)).u8(2).text("a/b"));
        types.u8(41).vint(n as u32 / 4).times(n / 4, |hand| hand.short(1)).done()
    }),
    ("members of a topology before its segments", Operation::Get, |n| {
        let hand = Hand::reply_before_topology(1, 0x04, 0).u8(1).vint(7).vint(n as u32 / 20);
        let hand = hand.times(n / 20, |hand| hand.text("10.0.0.1").short(11222));
        let hand = hand.u8(3).vint(n as u32 / 8).times(n / 8, |hand| hand.u8(2).vint(0).vint(1));
        hand.array(b"v").done()
    }),
];

pub const REQUESTS: &[(&str, Build)] = &[
    ("a value", |n| Hand::request(LATEST, Operation::Put).array(b"k").u8(0x77).array(vec![7; n]).done()),
    ("a large key before everything else", |n| {
        let hand = Hand::request(LATEST, Operation::Put).array(vec![7; n]).u8(0);
        hand.vlong(u64::MAX).vlong(u64::MAX).array(b"v").done()
    }),
    ("a key before chunks", |n| {
        let hand = Hand::request(LATEST, Operation::PutStream).array(vec![7; n / 2]).u8(0x77).long(0);
        hand.times(n / 4, |hand| hand.array(b"c")).vint(0).done()
    }),
    ("entries", |n| {
        let hand = Hand::request(LATEST, Operation::PutAll).u8(0x77).vint(n as u32 / 4);
        hand.times(n / 4, |hand| hand.array(b"k").array(b"v")).done()
    }),
    ("modifications", |n| {
        let hand = Hand::request(LATEST, Operation::PrepareTx).vint(2).u8(1).u8(1).u8(1).u8(2).u8(1);
        let hand = hand.vint(n as u32 / 14);
        hand.times(n / 14, |hand| hand.array(b"k").u8(0).long(5).u8(0x77).array(b"v")).done()
    }),
    ("a task's name before its parameters", |n| {
        let hand = Hand::request(LATEST, Operation::Exec).array(vec![b'x'; n / 2]).u8(127);
        hand.times(127, |hand| hand.text("p").array(vec![1; n / 1024])).done()
    }),
    ("the parameters of a filter before those of a converter", |n| {
        let factory = |hand: Hand| hand.text("f").u8(127).times(127, |hand| hand.array(vec![1; n / 512]));
        let hand = Hand::request(LATEST, Operation::AddClientListener).array(b"id").u8(0);
        factory(factory(hand)).u8(0).vint(0).done()
    }),
    ("a segment mask before the parameters of a filter", |n| {
        let hand = Hand::request(LATEST, Operation::IterationStart).vint(n as u32).raw(&vec![0xff; n / 2]);
        let hand = hand.vint(2).raw(b"f").u8(127).times(127, |hand| hand.array(vec![1; n / 1024]));
        hand.vint(1000).u8(1).done()
    }),
    ("a cache's name and media types before other parameters", |n| {
        let name = "x".repeat(n / 4);
        let opcode = Operation::Ping.row().request_opcode;
        let hand = Hand::new().u8(0xa0).vlong(1).u8(41).u8(opcode).text(&name).vint(0).u8(3).vint(0);
        let parameters = |hand: Hand| hand.vint(500).times(500, |hand| hand.text("p").text(&name[..n / 4000]));
        let types = parameters(parameters(hand.u8(1).vint(3)).u8(2).text(&["x/", &name[..n / 8]].concat()));
        types.vint(500).times(500, |hand| hand.text("p").array(b"v")).done()
    }),
];

const SMALL: usize = 16 << 10;
const LARGE: usize = 4 * SMALL;
/// Allocated bytes per received byte: list elements of about 100 bytes for two on the wire, a doubling vector, and a
/// buffer per chunk.
const ALLOCATED: u64 = 256;
/// Bytes kept per received byte, until the message is dropped.
const HELD: i64 = 64;

/// Asserts that four times the bytes cost about four times the memory, and at most a constant per byte.
fn hold(what: &str, build: Build, step: usize, decode: impl Fn(&[u8]) -> Count) {
    let [small, large] = [SMALL, LARGE].map(|size| {
        let bytes = build(size);
        let count = decode(&bytes);
        let received = bytes.len() as u64;
        assert!(count.bytes <= ALLOCATED * received, "{what} in pieces of {step}: {count:?} for {received}");
        // Minimum size of a receive buffer.
        assert!(
            count.held <= HELD * received as i64 + (64 << 10),
            "{what} in pieces of {step}: {count:?} for {received}"
        );
        count
    });
    assert!(large.bytes <= 6 * small.bytes + (64 << 10), "{what} in pieces of {step}: {small:?}, then {large:?}");
}

#[test]
fn what_a_client_receives() {
    for (what, operation, build) in REPLIES {
        for step in [1, 10, 1024] {
            for in_place in [false, true] {
                hold(what, *build, step, |bytes| decode_reply(bytes, step, in_place, *operation).0);
            }
        }
    }
}

#[test]
fn what_a_server_receives() {
    for (what, build) in REQUESTS {
        for step in [1, 10, 1024] {
            for in_place in [false, true] {
                hold(what, *build, step, |bytes| decode_request(bytes, step, in_place).0);
            }
        }
    }
}
