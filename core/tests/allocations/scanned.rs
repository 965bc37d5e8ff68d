//! A scanner's memory is small and constant, and its work linear.

use hotrod_core::wire::{Intelligence, Limits, Operation, ReplyContext, ReplyScanner, RequestScanner, Version};

use crate::counting::{Count, measure};
use crate::hand::Hand;
use crate::linear::{Build, REPLIES, REQUESTS};

const LATEST: Version = Version::LATEST;
/// Read size of a host.
const READ: usize = 64 << 10;
/// A few reads: the forwarded bytes, the retained ones, and the spare capacity.
const LITTLE: i64 = 4 * READ as i64;

/// Read size of a host, and whether it reads into the scanner's buffer.
#[derive(Debug, Clone, Copy)]
struct Reads {
    size: usize,
    in_place: bool,
}

/// Scans a server's stream and drops the pieces.
fn pass_reply(stream: &[u8], reads: Reads, operation: Operation) -> Count {
    let context = ReplyContext { operation, version: LATEST, intelligence: Intelligence::HashDistributionAware };
    let (count, (bytes, messages)) = measure(|| {
        let mut scanner = ReplyScanner::new(Limits::default());
        let (mut bytes, mut messages) = (0, 0);
        for read in stream.chunks(reads.size) {
            if reads.in_place {
                scanner.receive_buffer().extend_from_slice(read);
            } else {
                scanner.receive(read);
            }
            while let Some(piece) = scanner.poll(|_| Some(context)) {
                let piece = piece.expect("valid");
                bytes += piece.bytes.len();
                messages += usize::from(piece.is_last);
            }
        }
        (bytes, messages)
    });
    assert_eq!((bytes, messages), (stream.len(), 1), "{operation}");
    count
}

/// Scans a client's stream and drops the pieces.
fn pass_request(stream: &[u8], reads: Reads) -> Count {
    let (count, (bytes, messages)) = measure(|| {
        let mut limits = Limits::default();
        limits.cache_name = limits.name;
        let mut scanner = RequestScanner::new(limits);
        let (mut bytes, mut messages) = (0, 0);
        for read in stream.chunks(reads.size) {
            if reads.in_place {
                scanner.receive_buffer().extend_from_slice(read);
            } else {
                scanner.receive(read);
            }
            while let Some(piece) = scanner.poll() {
                let piece = piece.expect("valid");
                bytes += piece.bytes.len();
                messages += usize::from(piece.is_last);
            }
        }
        (bytes, messages)
    });
    assert_eq!((bytes, messages), (stream.len(), 1));
    count
}

fn reply(operation: Operation) -> Hand {
    Hand::reply(1, operation.row().reply_opcode, 0)
}

fn request(operation: Operation) -> Hand {
    Hand::request(LATEST, operation)
}

const MILLION: usize = 1_000_000;
const MANY: usize = 100_000;

/// Messages too large for a gateway to buffer.
fn huge_replies() -> Vec<(Operation, Vec<u8>)> {
    let many = |operation| reply(operation).vint(MANY as u32);
    vec![
        (Operation::Get, reply(Operation::Get).array(vec![7; 64 << 20]).done()),
        (Operation::BulkGet, {
            reply(Operation::BulkGet).times(MILLION, |hand| hand.u8(1).array(b"key").array(b"value")).u8(0).done()
        }),
        (Operation::GetAll, { many(Operation::GetAll).times(MANY, |hand| hand.array(b"key").array(b"value")).done() }),
        (Operation::CounterGetNames, many(Operation::CounterGetNames).times(MANY, |hand| hand.text("counter")).done()),
        (Operation::IterationNext, {
            let hand = reply(Operation::IterationNext).array([0xff; 32]).vint(MANY as u32).vint(3);
            let entry = |hand: Hand| hand.u8(1).u8(3).long(7).array(b"key").times(3, |hand| hand.array(b"value"));
            hand.times(MANY, entry).done()
        }),
        (Operation::GetMultimap, {
            reply(Operation::GetMultimap).vint(5000).times(5000, |hand| hand.array([7; 10_000])).done()
        }),
    ]
}

fn huge_requests() -> Vec<Vec<u8>> {
    vec![
        request(Operation::Put).array(b"key").u8(0x77).array(vec![7; 64 << 20]).done(),
        {
            let hand = request(Operation::PutAll).u8(0x77).vint(MILLION as u32);
            hand.times(MILLION, |hand| hand.array(b"key").array(b"value")).done()
        },
        {
            let hand = request(Operation::PutStream).array(b"key").u8(0x77).long(0);
            hand.times(MANY, |hand| hand.array(b"chunk")).times(1000, |hand| hand.array([7; 10_000])).vint(0).done()
        },
    ]
}

#[test]
fn huge_messages_leave_little_in_memory() {
    for in_place in [false, true] {
        // A usual read size, and one that cuts entries everywhere.
        for size in [READ, 1461] {
            let reads = Reads { size, in_place };
            for (operation, stream) in huge_replies() {
                let count = pass_reply(&stream, reads, operation);
                assert!(count.peak < LITTLE, "{operation} in {reads:?}: {count:?}");
            }
            for stream in huge_requests() {
                let count = pass_request(&stream, reads);
                assert!(count.peak < LITTLE, "{} bytes in {reads:?}: {count:?}", stream.len());
            }
        }
    }
}

/// Asserts linear work: four times the bytes would cost sixteen times if it were quadratic. A count that is one byte
/// longer moves all cuts, which makes some difference.
fn hold(what: &str, build: Build, reads: Reads, pass: impl Fn(&[u8]) -> Count) {
    let [small, large] = [16 << 10, 64 << 10].map(|size| {
        let bytes = build(size);
        let count = pass(&bytes);
        assert!(count.bytes <= 256 * bytes.len() as u64, "{what} in {reads:?}: {count:?} for {}", bytes.len());
        count
    });
    assert!(large.bytes <= 10 * small.bytes + (64 << 10), "{what} in {reads:?}: {small:?}, then {large:?}");
}

#[test]
fn the_work_is_linear_however_the_bytes_are_cut() {
    for size in [1, 10, 1024] {
        for in_place in [false, true] {
            let reads = Reads { size, in_place };
            for (what, operation, build) in REPLIES {
                hold(what, *build, reads, |bytes| pass_reply(bytes, reads, *operation));
            }
            for (what, build) in REQUESTS {
                hold(what, *build, reads, |bytes| pass_request(bytes, reads));
            }
        }
    }
}

/// In steady state a scanner allocates nothing for a small message.
#[test]
fn a_small_reply_passes_without_an_allocation() {
    let stream = reply(Operation::Get).array([7; 64]).done();
    let context = ReplyContext { operation: Operation::Get, version: LATEST, intelligence: Intelligence::Basic };
    for in_place in [false, true] {
        let mut scanner = ReplyScanner::new(Limits::default());
        let mut pass = || {
            if in_place {
                scanner.receive_buffer().extend_from_slice(&stream);
            } else {
                scanner.receive(&stream);
            }
            let piece = scanner.poll(|_| Some(context)).expect("a piece").expect("valid");
            assert!(piece.is_first && piece.is_last);
        };
        (0..100).for_each(|_| pass());
        let (count, ()) = measure(|| (0..10_000).for_each(|_| pass()));
        assert_eq!(count.calls, 0, "{count:?}");
    }
}
