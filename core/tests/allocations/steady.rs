//! In steady state a session allocates nothing for a small operation.

use bytes::Bytes;
use hotrod_core::wire::{
    Body, Envelope, Expiration, Incoming, Intelligence, Limits, Operation, ReplyContext, ReplyDecoder, Request,
    RequestDecoder, RequestOptions, SendBuffer, Version, write_request,
};

use crate::counting::{Count, measure};
use crate::hand::Hand;

const INTELLIGENCE: Intelligence = Intelligence::HashDistributionAware;
const CONTEXT: ReplyContext =
    ReplyContext { operation: Operation::Get, version: Version::LATEST, intelligence: INTELLIGENCE };
const TIMES: usize = 10_000;

/// Cost of the work after some rounds.
fn steady(mut work: impl FnMut()) -> Count {
    (0..100).for_each(|_| work());
    measure(|| (0..TIMES).for_each(|_| work())).0
}

fn get_reply() -> Vec<u8> {
    Hand::reply(1, 0x04, 0x00).array([7; 64]).done()
}

#[test]
fn a_get_reply_of_64_bytes_allocates_nothing() {
    let reply = get_reply();
    for in_place in [false, true] {
        let mut decoder = ReplyDecoder::new(Limits::default());
        let count = steady(|| {
            if in_place {
                decoder.receive_buffer().extend_from_slice(&reply);
            } else {
                decoder.receive(&reply);
            }
            match decoder.poll(|_| Some(CONTEXT)) {
                Some(Ok(Incoming::Reply(reply))) => {
                    assert!(matches!(reply.body, Body::Value(value) if value.len() == 64));
                }
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(count.calls, 0, "{count:?}");
    }
}

/// Replies rarely end at the end of a read: the rest is moved, and the buffer is reused.
#[test]
fn get_replies_across_reads_cost_a_buffer_a_read_at_most() {
    const READ: usize = 4000;
    let stream = get_reply().repeat(TIMES);
    let mut decoder = ReplyDecoder::new(Limits::default());
    let (count, replies) = measure(|| {
        let mut replies = 0;
        for read in stream.chunks(READ) {
            decoder.receive_buffer().extend_from_slice(read);
            while let Some(reply) = decoder.poll(|_| Some(CONTEXT)) {
                assert!(reply.is_ok());
                replies += 1;
            }
        }
        replies
    });
    assert_eq!(replies, TIMES);
    let reads = stream.len().div_ceil(READ) as u64;
    assert!(count.calls <= 3 * reads, "{count:?} for {reads} reads");
    assert!(count.bytes <= 8 * stream.len() as u64, "{count:?} for {} bytes", stream.len());
    assert!(count.held <= 64 << 10, "nothing is kept: {count:?}");
}

#[test]
fn a_get_request_allocates_nothing() {
    let request = Hand::request(Version::LATEST, Operation::Get).array("key").done();
    let mut decoder = RequestDecoder::new(Limits::default());
    let count = steady(|| {
        decoder.receive(&request);
        assert!(matches!(decoder.poll(), Some(Ok((_, Request::Get { .. })))));
    });
    assert_eq!(count.calls, 0, "{count:?}");
}

#[test]
fn writing_a_request_allocates_nothing() {
    let envelope = Envelope { message_id: 300, version: Version::LATEST, intelligence: INTELLIGENCE, topology_id: 7 };
    let options = RequestOptions::cache("people");
    let put = Request::Put { key: "key".into(), expiration: Expiration::DEFAULT, value: Bytes::from_static(&[7; 64]) };
    let mut out = SendBuffer::new();
    let count = steady(|| {
        write_request(envelope, &options, &put, &mut out);
        out.advance(out.len());
    });
    assert_eq!(count.calls, 0, "{count:?}");
}

/// A session outlives its only large value.
#[test]
fn the_room_of_a_large_value_is_given_back() {
    const SIZE: usize = 32 << 20;
    let mut decoder = ReplyDecoder::new(Limits::default());
    let large = Hand::reply(1, 0x04, 0x00).array(vec![7; SIZE]).done();
    let small = get_reply();
    let (count, ()) = measure(|| {
        for bytes in core::iter::once(&large).chain(std::iter::repeat_n(&small, 100)) {
            for piece in bytes.chunks(65_536) {
                decoder.receive_buffer().extend_from_slice(piece);
            }
            assert!(matches!(decoder.poll(|_| Some(CONTEXT)), Some(Ok(_))));
        }
    });
    assert!(count.held < 1 << 20, "{count:?}");
}

/// The end of a nearly complete value does not cause another move.
#[test]
fn a_value_in_small_reads_costs_no_more_room_than_it_has_bytes() {
    const SIZE: usize = 1 << 20;
    let mut decoder = ReplyDecoder::new(Limits::default());
    let bytes = Hand::reply(1, 0x04, 0x00).array(vec![7; SIZE]).done();
    let (count, ()) = measure(|| {
        for piece in bytes.chunks(1460) {
            assert!(decoder.poll(|_| Some(CONTEXT)).is_none());
            decoder.receive_buffer().extend_from_slice(piece);
        }
        assert!(matches!(decoder.poll(|_| Some(CONTEXT)), Some(Ok(_))));
    });
    assert!(count.peak < (SIZE + SIZE / 4) as i64, "{count:?}");
}
