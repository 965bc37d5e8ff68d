//! Announced lengths and counts cost no memory before their data arrive.

use hotrod_core::wire::{Intelligence, Limits, Operation, ReplyContext, ReplyDecoder, RequestDecoder, Version};

use crate::counting::measure;
use crate::hand::Hand;

const LATEST: Version = Version::LATEST;
const MIB: u32 = 1 << 20;
/// Maximum capacity of a vector for announced elements.
const LITTLE: i64 = 64 << 10;

fn reply(operation: Operation) -> Hand {
    Hand::reply(1, operation.row().reply_opcode, 0x00)
}

fn request(operation: Operation) -> Hand {
    Hand::request(LATEST, operation)
}

/// Replies that end with the largest number allowed by the default limits.
fn replies() -> Vec<(Operation, Hand)> {
    let topology = || Hand::reply_before_topology(1, 0x04, 0x00).u8(1).vint(7);
    vec![
        (Operation::Get, reply(Operation::Get).vint(256 * MIB)),
        (Operation::GetAll, reply(Operation::GetAll).vint(16 * MIB)),
        (Operation::GetAll, reply(Operation::GetAll).vint(16 * MIB).vint(64 * MIB)),
        (Operation::BulkGet, reply(Operation::BulkGet).u8(1).vint(64 * MIB)),
        (Operation::GetMultimap, reply(Operation::GetMultimap).vint(16 * MIB)),
        (Operation::CounterGetNames, reply(Operation::CounterGetNames).vint(16 * MIB)),
        (Operation::Stats, reply(Operation::Stats).vint(16 * MIB)),
        (Operation::FetchTxRecovery, reply(Operation::FetchTxRecovery).vint(16 * MIB)),
        (Operation::IterationNext, reply(Operation::IterationNext).array("").vint(16 * MIB).vint(1024)),
        (Operation::IterationNext, reply(Operation::IterationNext).array("").vint(16 * MIB).vint(0)),
        (Operation::Ping, reply(Operation::Ping).u8(0).u8(0).u8(41).vint(16 * MIB)),
        (Operation::Get, Hand::reply(1, 0x50, 0x85).vint(MIB)),
        (Operation::Get, topology().vint(16384)),
        (Operation::Get, topology().vint(1).text("host").short(1).u8(3).vint(MIB)),
    ]
}

fn requests() -> Vec<Hand> {
    vec![
        request(Operation::Get).vint(64 * MIB),
        request(Operation::Put).array("key").u8(0x77).vint(256 * MIB),
        request(Operation::PutAll).u8(0x77).vint(16 * MIB),
        request(Operation::GetAll).vint(16 * MIB),
        request(Operation::PrepareTx).raw(&[0, 1, 7, 1, 8, 0]).vint(16 * MIB),
        request(Operation::Exec).text("task").u8(127),
        request(Operation::IterationStart).vint(2 * MIB / 8),
        Hand::request_before_media_types(LATEST, Operation::Ping).u8(1).vint(3).vint(1024),
        Hand::request_before_media_types(LATEST, Operation::Ping).u8(0).u8(0).vint(1024),
    ]
}

/// Decodes an announcement with a few bytes behind it; `room` requests spare capacity for the rest.
fn cost(rest: usize, room: bool) -> impl Iterator<Item = i64> {
    let replies = replies().into_iter().map(move |(operation, hand)| {
        let bytes = hand.times(rest, |hand| hand.u8(0)).done();
        let context = ReplyContext { operation, version: LATEST, intelligence: Intelligence::HashDistributionAware };
        measure(|| {
            let mut decoder = ReplyDecoder::new(Limits::default());
            decoder.receive(&bytes);
            assert_eq!(decoder.poll(|_| Some(context)), None, "{operation} after {bytes:02x?}");
            if room {
                decoder.receive_buffer();
            }
            decoder
        })
    });
    let requests = requests().into_iter().map(move |hand| {
        let bytes = hand.times(rest, |hand| hand.u8(0)).done();
        measure(|| {
            let mut decoder = RequestDecoder::new(Limits::default());
            decoder.receive(&bytes);
            assert_eq!(decoder.poll(), None, "after {bytes:02x?}");
            if room {
                decoder.receive_buffer();
            }
            decoder
        })
        .0
    });
    replies.map(|(count, _)| count.peak).chain(requests.map(|count| count.peak))
}

#[test]
fn an_announcement_costs_little() {
    assert!(cost(0, false).all(|peak| peak < LITTLE));
}

/// A list reserves for the elements that the available bytes can hold.
#[test]
fn an_announcement_and_a_few_bytes_cost_little() {
    assert!(cost(100, false).all(|peak| peak < LITTLE));
}

/// A host that reads into the buffer gets capacity for a large value in steps.
#[test]
fn room_for_what_is_announced_is_made_in_steps() {
    let peaks: Vec<i64> = cost(0, true).collect();
    assert!(peaks.iter().all(|peak| *peak < i64::from(MIB) + LITTLE), "{peaks:?}");
    assert!(peaks.iter().any(|peak| *peak >= i64::from(MIB)), "a value of 256 MiB gets more than an entry: {peaks:?}");
}
