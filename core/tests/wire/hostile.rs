//! Arbitrary bytes: no panic, no endless loop, and at most one message per byte.

use hotrod_core::wire::{Incoming, Limits, Operation, ReplyContext, ReplyDecoder, RequestDecoder, Version};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::decode::{self, replies, written, written_request};
use crate::strategies::{self, context, operations};

/// Feeds both decoders in chunks of `step`, for this context.
fn survive(bytes: &[u8], step: usize, context: ReplyContext) {
    let mut replies = ReplyDecoder::new(Limits::default());
    let mut requests = RequestDecoder::new(Limits::default());
    for piece in bytes.chunks(step.max(1)) {
        replies.receive(piece);
        requests.receive(piece);
        assert!(core::iter::from_fn(|| replies.poll(|id| (id != 3).then_some(context))).count() <= bytes.len());
        assert!(core::iter::from_fn(|| requests.poll()).count() <= bytes.len());
        assert!(replies.buffered() <= bytes.len() && requests.buffered() <= bytes.len());
    }
}

fn any_context() -> impl Strategy<Value = ReplyContext> {
    select(operations().flat_map(|(operation, version)| context(operation, version)).collect::<Vec<_>>())
}

/// Damage to a message in transit.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Truncate(Index),
    Remove(Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let interesting = select(&[0x00, 0x01, 0x02, 0x7f, 0x80, 0xff, 0xa0, 0xa1, 0x50, 0x66]);
    prop_oneof![
        (any::<Index>(), interesting).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<Index>().prop_map(Damage::Truncate),
        any::<Index>().prop_map(Damage::Remove),
        (any::<Index>(), vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        any::<(Index, Index)>().prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: Vec<Damage>) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match damage {
            Damage::Set(at, byte) => bytes[at.index(length)] = byte,
            Damage::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Damage::Truncate(at) => bytes.truncate(at.index(length)),
            Damage::Remove(at) => drop(bytes.remove(at.index(length))),
            Damage::Insert(at, more) => drop(bytes.splice(at.index(length)..at.index(length), more)),
            Damage::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                bytes.extend_from_within(from.min(to)..from.max(to));
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..300), step in 1usize..40, context in any_context()) {
        survive(&bytes, step, context);
    }

    /// Random bytes rarely pass the header, so it is valid.
    #[test]
    fn random_bytes_after_a_good_header(
        bytes in vec(prop_oneof![0..4u8, any::<u8>()], 0..200),
        status in prop_oneof![Just(0u8), 1..9u8, any::<u8>()],
        topology in 0..3u8,
        step in 1usize..40,
        context in any_context(),
    ) {
        let row = context.operation.row();
        let reply = [&[0xa1, 0x01, row.reply_opcode, status, topology], &bytes[..]].concat();
        survive(&reply, step, context);
        let request = [&[0xa0, 0x01, context.version.to_byte(), row.request_opcode, 0, 0, 3, 0], &bytes[..]].concat();
        survive(&request, step, context);
    }

    #[test]
    fn damaged_requests(
        (header, request) in strategies::any_request(),
        damages in vec(damage(), 1..4),
        step in 1usize..40,
        context in any_context(),
    ) {
        survive(&damaged(written_request(&header, &request).to_vec(), damages), step, context);
    }

    #[test]
    fn damaged_replies((context, reply) in strategies::any_reply(), damages in vec(damage(), 1..4), step in 1usize..40) {
        survive(&damaged(written(&Incoming::Reply(reply), context).to_vec(), damages), step, context);
    }

    #[test]
    fn damaged_events(
        event in strategies::event(),
        counter in strategies::counter_event(),
        damages in vec(damage(), 1..4),
        step in 1usize..40,
    ) {
        let context = decode::context(Operation::Get, Version::LATEST);
        for event in [Incoming::Event(event), Incoming::CounterEvent(counter)] {
            survive(&damaged(written(&event, context).to_vec(), damages.clone()), step, context);
        }
    }
}

/// Any chunking of a damaged message gives the same messages and the same violation.
#[test]
fn a_damaged_message_is_the_same_however_it_is_cut() {
    let damaged_reply = (strategies::any_reply(), vec(damage(), 1..4));
    strategies::check(1, damaged_reply, |((context, reply), damages)| {
        let bytes = damaged(written(&Incoming::Reply(reply), context).to_vec(), damages);
        let whole = replies([&bytes[..]], |_| Some(context));
        for step in [1, 3, 17] {
            assert_eq!(replies(bytes.chunks(step), |_| Some(context)), whole, "{step} of {bytes:02x?}");
        }
    });
}
