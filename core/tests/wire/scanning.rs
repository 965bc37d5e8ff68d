//! Scanners find the messages that decoders find, and forward every byte.

use bytes::Bytes;
use hotrod_core::wire::{
    Incoming, Intelligence, Limits, MessageKind, Operation, Problem, Reply, ReplyContext, ReplyScanner, RequestFault,
    RequestScanner, Status, Version, Violation, measure_request, peek_request_head,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::decode::{context, written, written_request};
use crate::hand::Hand;
use crate::scans::{self, decoded_replies, decoded_requests, same_replies, same_requests};
use crate::strategies::{self, VERSIONS, check, operations};

const LATEST: Version = Version::LATEST;

#[test]
fn every_request_cut_at_every_byte() {
    for (operation, version) in operations().filter(|(_, version)| VERSIONS.contains(version)) {
        check(128, strategies::message(operation, version), |(header, request)| {
            same_requests(&written_request(&header, &request), 1);
        });
    }
}

#[test]
fn every_reply_cut_at_every_byte() {
    for (operation, version) in operations().filter(|(_, version)| VERSIONS.contains(version)) {
        let context = context(operation, version);
        check(128, strategies::reply(context), |reply| {
            same_replies(&written(&Incoming::Reply(reply), context), 1, |_| Some(context));
        });
    }
}

proptest! {
    #[test]
    fn every_event_cut_at_every_byte(event in strategies::event(), counter in strategies::counter_event()) {
        let context = context(Operation::Get, LATEST);
        for event in [Incoming::Event(event), Incoming::CounterEvent(counter)] {
            same_replies(&written(&event, context), 1, |_| None);
        }
    }
}

/// Message ids below this belong to replies, and are indices into the contexts.
const EVENTS: u64 = 1000;

/// Replies, events and errors of any size, and the contexts of the replies.
fn conversation() -> impl Strategy<Value = (Vec<ReplyContext>, Vec<Vec<u8>>)> {
    let large = (0..large_replies().len(), 0..5000usize).prop_map(|(index, size)| {
        let (operation, build) = large_replies()[index];
        (context(operation, LATEST), build(size))
    });
    let reply = strategies::any_reply().prop_map(|(context, reply)| {
        let reply = Reply { message_id: 1, ..reply };
        (context, written(&Incoming::Reply(reply), context).to_vec())
    });
    let no_request = context(Operation::Ping, LATEST);
    let event = strategies::event().prop_map(move |mut event| {
        event.message_id |= EVENTS;
        (no_request, written(&Incoming::Event(event), no_request).to_vec())
    });
    let counter = strategies::counter_event()
        .prop_map(move |event| (no_request, written(&Incoming::CounterEvent(event), no_request).to_vec()));
    vec(prop_oneof![2 => large, 3 => reply, 1 => event, 1 => counter], 1..8).prop_map(|messages| {
        let numbered = |(index, mut bytes): (usize, Vec<u8>)| {
            // Replaces the one-byte message id 1 of a reply.
            if bytes[1] == 1 {
                bytes[1] = index as u8;
            }
            bytes
        };
        let (context, messages): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
        (context, messages.into_iter().enumerate().map(numbered).collect())
    })
}

proptest! {
    #[test]
    fn a_conversation_in_pieces_of_any_size(
        (context, messages) in conversation(),
        sizes in vec(prop_oneof![1usize..60, 60usize..3000], 1..20),
    ) {
        let stream = messages.concat();
        let known = |id: u64| context.get(id as usize).copied();
        let expected = decoded_replies(&stream, known);
        prop_assert_eq!(&expected.fault, &None);
        prop_assert_eq!(expected.messages.len(), messages.len());
        prop_assert_eq!(scans::replies(&pieces(&stream, &sizes), known), expected);
    }

    #[test]
    fn requests_in_pieces_of_any_size(
        messages in vec(strategies::any_request(), 1..6),
        large in vec((0..large_requests().len(), 0..5000usize), 0..4),
        sizes in vec(prop_oneof![1usize..60, 60usize..3000], 1..20),
    ) {
        let small = messages.iter().map(|(header, request)| written_request(header, request).to_vec());
        let large = large.iter().map(|(index, size)| large_requests()[*index](*size));
        let count = messages.len() + large.len();
        let stream: Vec<u8> = small.chain(large).flatten().collect();
        let expected = decoded_requests(&stream);
        prop_assert_eq!((&expected.fault, expected.messages.len()), (&None, count));
        prop_assert_eq!(scans::requests(&pieces(&stream, &sizes)), expected);
    }
}

/// Chunks of these sizes, repeated.
fn pieces<'a>(mut stream: &'a [u8], sizes: &'a [usize]) -> Vec<&'a [u8]> {
    let piece = |size: &usize| {
        let (piece, rest) = stream.split_at((*size).min(stream.len()));
        stream = rest;
        (!piece.is_empty()).then_some(piece)
    };
    sizes.iter().cycle().map_while(piece).collect()
}

/// Builds a message with arrays of about `usize` bytes.
type Build = fn(usize) -> Vec<u8>;

fn reply(operation: Operation) -> Hand {
    Hand::reply(1, operation.row().reply_opcode, 0)
}

fn request(operation: Operation) -> Hand {
    Hand::request(LATEST, operation)
}

/// Long values in every such field of replies and events.
fn large_replies() -> &'static [(Operation, Build)] {
    &[
        (Operation::Get, |n| reply(Operation::Get).array(vec![7; n]).done()),
        (Operation::Get, |n| Hand::reply(1, 0x50, 0x85).array(vec![b'x'; n]).done()),
        (Operation::GetWithMetadata, |n| reply(Operation::GetWithMetadata).u8(3).long(1).array(vec![7; n]).done()),
        (Operation::Put, |n| Hand::reply(1, 0x02, 0x03).u8(3).long(1).array(vec![7; n]).done()),
        (Operation::Auth, |n| reply(Operation::Auth).u8(0).array(vec![7; n]).done()),
        (Operation::NextGetStream, |n| reply(Operation::NextGetStream).int(1).u8(0).array(vec![7; n]).done()),
        (Operation::GetAll, |n| {
            reply(Operation::GetAll).vint(3).times(3, |hand| hand.array(vec![1; n]).array(vec![2; n / 2])).done()
        }),
        (Operation::BulkGet, |n| {
            reply(Operation::BulkGet).times(3, |hand| hand.u8(1).array(vec![1; n / 2]).array(vec![2; n])).u8(0).done()
        }),
        (Operation::GetMultimapWithMetadata, |n| {
            reply(Operation::GetMultimapWithMetadata)
                .u8(3)
                .long(1)
                .vint(3)
                .times(3, |hand| hand.array(vec![1; n]))
                .done()
        }),
        (Operation::FetchTxRecovery, |n| {
            reply(Operation::FetchTxRecovery).vint(2).times(2, |hand| hand.vint(2).array(vec![1; n]).array([2])).done()
        }),
        (Operation::IterationNext, |n| {
            let hand = reply(Operation::IterationNext).array(vec![0xff; n]).vint(2).vint(3);
            let entry = |hand: Hand| hand.u8(1).u8(3).long(9).array(vec![1; n]);
            hand.times(2, |hand| entry(hand).array(vec![1; n]).array([]).array(vec![1; n / 3])).done()
        }),
        (Operation::Ping, |n| {
            let parameters = |hand: Hand| hand.vint(2).times(2, |hand| hand.text("p").array(vec![b'x'; n]));
            let types = parameters(
                parameters(reply(Operation::Ping).u8(1).vint(3)).u8(2).text(&["x/", &"y".repeat(n)].concat()),
            );
            types.u8(41).vint(n as u32 / 4).times(n / 4, |hand| hand.short(1)).done()
        }),
        (Operation::Get, |n| {
            let hand = Hand::reply_before_topology(1, 0x04, 0).u8(1).vint(7).vint(n as u32 / 20);
            let hand = hand.times(n / 20, |hand| hand.text("10.0.0.1").short(11222));
            let hand = hand.u8(3).vint(n as u32).times(n, |hand| hand.u8(0));
            hand.array(vec![7; n]).done()
        }),
        // An event with its listener's id, key and version; and one from a converter.
        (Operation::Get, |n| Hand::reply(2000, 0x60, 0).array(vec![1; n]).u8(0).u8(0).array(vec![2; n]).long(5).done()),
        (Operation::Get, |n| Hand::reply(2000, 0x61, 0).array(b"id").u8(1).u8(1).array(vec![2; n]).done()),
        (Operation::Get, |n| {
            let hand = Hand::reply(0, 0x66, 0).array(vec![b'c'; n]).array(vec![1; n]);
            hand.u8(0).long(1).long(2).done()
        }),
    ]
}

/// Long values in every such field of requests.
fn large_requests() -> &'static [Build] {
    &[
        |n| request(Operation::Put).array(vec![1; n]).u8(0).vlong(9).vlong(9).array(vec![7; n]).done(),
        |n| request(Operation::GetAll).vint(3).times(3, |hand| hand.array(vec![1; n])).done(),
        |n| {
            let hand = request(Operation::PutAll).u8(0x77).vint(3);
            hand.times(3, |hand| hand.array(vec![1; n]).array(vec![2; n])).done()
        },
        |n| {
            let hand = request(Operation::PutStream).array(vec![7; n]).u8(0x77).long(0);
            hand.array(vec![1; n + 1]).array([2]).array(vec![3; n / 2 + 1]).vint(0).done()
        },
        |n| {
            let hand = request(Operation::PrepareTx).vint(2).u8(1).u8(1).u8(1).u8(2).u8(1).vint(2);
            hand.times(2, |hand| hand.array(vec![1; n]).u8(0).long(5).u8(0x77).array(vec![2; n])).done()
        },
        |n| {
            let hand = request(Operation::Exec).array(vec![b'x'; n]).u8(3);
            hand.times(3, |hand| hand.array(vec![b'p'; n]).array(vec![1; n])).done()
        },
        |n| {
            let factory = |hand: Hand| hand.array(vec![b'f'; n + 1]).u8(2).times(2, |hand| hand.array(vec![1; n]));
            let hand = request(Operation::AddClientListener).array(vec![1; n]).u8(0);
            factory(factory(hand)).u8(0).vint(0).done()
        },
        |n| {
            let hand = request(Operation::IterationStart).vint(n as u32 * 2).raw(&vec![0xff; n]);
            let hand = hand.vint(n as u32 * 2).raw(&vec![b'f'; n]).u8(2).times(2, |hand| hand.array(vec![1; n]));
            hand.vint(1000).u8(1).done()
        },
        |n| request(Operation::Auth).text("PLAIN").array(vec![1; n]).done(),
        |n| request(Operation::NextPutStream).int(1).u8(0).array(vec![1; n]).done(),
        |n| {
            let opcode = Operation::Get.row().request_opcode;
            let cache = vec![b'c'; n.min(Limits::default().cache_name)];
            let hand = Hand::new().u8(0xa0).vlong(1).u8(41).u8(opcode).array(cache).vint(0).u8(3).vint(0);
            let parameters = |hand: Hand| hand.vint(2).times(2, |hand| hand.text("p").array(vec![b'x'; n]));
            let types = parameters(parameters(hand.u8(1).vint(3)).u8(2).text(&["x/", &"y".repeat(n)].concat()));
            types.vint(2).times(2, |hand| hand.text("name").array(vec![1; n])).array(vec![1; n]).done()
        },
    ]
}

#[test]
fn something_long_in_every_place_of_a_reply() {
    for (operation, build) in large_replies() {
        for size in [1023, 1024, 1025, 2500] {
            // A second message must begin at the end of the first.
            let bytes = [build(size), build(1)].concat();
            let context = context(*operation, LATEST);
            assert_eq!(decoded_replies(&bytes, |_| Some(context)).messages.len(), 2);
            same_replies(&bytes, 97, |_| Some(context));
        }
    }
}

#[test]
fn something_long_in_every_place_of_a_request() {
    for build in large_requests() {
        for size in [1023, 1024, 1025, 2500] {
            let bytes = [build(size), build(1)].concat();
            assert_eq!(decoded_requests(&bytes).messages.len(), 2);
            same_requests(&bytes, 97);
        }
    }
}

/// Every message id belongs to a GET.
#[allow(clippy::unnecessary_wraps)] // required by the scanner's interface
fn get(_: u64) -> Option<ReplyContext> {
    Some(context(Operation::Get, LATEST))
}

/// A complete message is one piece, and not copied: the pieces are adjacent in memory.
#[test]
fn whole_messages_are_slices_of_the_receive_buffer() {
    let message = Hand::reply(1, 0x04, 0x00).array("value").done();
    let mut scanner = ReplyScanner::new(Limits::default());
    scanner.receive_buffer().extend_from_slice(&message.repeat(3));
    let pieces: Vec<Bytes> = core::iter::from_fn(|| scanner.poll(get))
        .map(|piece| piece.expect("valid"))
        .map(|piece| {
            assert!(piece.is_first && piece.is_last);
            piece.bytes
        })
        .collect();
    assert_eq!(pieces, [&message[..]; 3]);
    let at = |index: usize| pieces[index].as_ptr() as usize;
    assert_eq!((at(1) - at(0), at(2) - at(1)), (message.len(), message.len()));
}

/// A large value is forwarded as it arrives, and every piece has the kind of its message.
#[test]
fn a_large_value_does_not_wait() {
    let stream = Hand::reply(7, 0x04, 0x00).array(vec![1; 10_000]).done();
    let mut scanner = ReplyScanner::new(Limits::default());
    let kind = MessageKind::Reply { message_id: 7, operation: Some(Operation::Get), status: Status::SUCCESS };
    for (index, chunk) in stream.chunks(1000).enumerate() {
        scanner.receive(chunk);
        let piece = scanner.poll(get).expect("a piece").expect("valid");
        assert_eq!((piece.kind, &piece.bytes[..]), (kind, chunk));
        assert_eq!((piece.is_first, piece.is_last), (index == 0, index == 10));
        assert_eq!(scanner.poll(get), None);
        assert_eq!(scanner.buffered(), 0);
    }
}

/// Nothing is forwarded before the kind of a message is known: the status of a reply is its 4th byte here.
#[test]
fn nothing_goes_on_before_it_is_known_what_it_is() {
    let stream = Hand::reply(7, 0x04, 0x02).done();
    let mut scanner = ReplyScanner::new(Limits::default());
    for byte in &stream[..3] {
        scanner.receive(&[*byte]);
        assert_eq!(scanner.poll(get), None);
    }
    scanner.receive(&stream[3..4]);
    let piece = scanner.poll(get).expect("a piece").expect("valid");
    assert_eq!((&piece.bytes[..], piece.is_first, piece.is_last), (&stream[..4], true, false));
}

/// A gateway learns the result of an AUTH and the topology from relayed replies.
#[test]
fn the_status_and_the_topology_of_a_reply_are_told() {
    let auth = Hand::reply_before_topology(1, Operation::Auth.row().reply_opcode, 0x00);
    let auth = auth.u8(1).vint(9).vint(1).text("host").short(11222).u8(3).vint(1).u8(1).vint(0).u8(1).array("");
    let context = context(Operation::Auth, LATEST);
    let mut scanner = ReplyScanner::new(Limits::default());
    scanner.receive(&auth.done());
    let piece = scanner.poll(|_| Some(context)).expect("a piece").expect("valid");
    let kind = MessageKind::Reply { message_id: 1, operation: Some(Operation::Auth), status: Status::SUCCESS };
    assert_eq!(piece.kind, kind);
    let topology = piece.topology.expect("a topology");
    assert_eq!((topology.id, topology.members[0].to_string()), (9, "host:11222".into()));
    assert_eq!(topology.hash.expect("owners").owners.of(0), [0]);
}

#[test]
fn an_error_that_answers_nothing_is_known_as_that() {
    let mut scanner = ReplyScanner::new(Limits::default());
    scanner.receive(&Hand::reply(0, 0x50, 0x81).text("no such magic").done());
    let piece = scanner.poll(|_| None).expect("a piece").expect("valid");
    let status = Status::INVALID_MAGIC_OR_MESSAGE_ID;
    assert_eq!(piece.kind, MessageKind::Reply { message_id: 0, operation: None, status });
}

/// Messages before a violation are returned, and nothing after it.
#[test]
fn a_violation_comes_last() {
    let good = Hand::reply(1, 0x04, 0x00).array("v").done();
    let bad = Hand::reply(9, 0x04, 0x00).array("v").done();
    let stream = [&good[..], &bad, &good].concat();
    let known = |id| (id == 1).then_some(context(Operation::Get, LATEST));
    let mut scanner = ReplyScanner::new(Limits::default());
    scanner.receive(&stream);
    assert_eq!(scanner.poll(known).expect("a piece").expect("valid").bytes, good);
    let problem = Problem::Unexpected { value: 9, expected: "the id of a request in flight" };
    let violation = Violation { offset: good.len() as u64 + 1, field: "message id", problem };
    assert_eq!(scanner.poll(known), Some(Err(violation)));
    assert_eq!(scanner.poll(known), None);
}

#[test]
fn a_violation_in_a_message_that_has_begun_to_go_on() {
    let start = reply(Operation::BulkGet).u8(1).array(vec![1; 5000]).array("v");
    let offset = start.len() as u64;
    let stream = start.u8(7).done();
    let context = context(Operation::BulkGet, LATEST);
    let problem = Problem::Unexpected { value: 7, expected: "0 or 1" };
    let violation = Violation { offset, field: "more marker", problem };
    for size in [1, 100, 3000] {
        let result = scans::replies(&stream.chunks(size).collect::<Vec<_>>(), |_| Some(context));
        assert_eq!((result.messages.len(), result.fault), (0, Some(violation.clone())), "in pieces of {size}");
    }
}

#[test]
fn an_announcement_over_a_limit_is_refused_at_the_announcement() {
    for announced in [Limits::default().value as u32 + 1, 1 << 31, u32::MAX] {
        let before = reply(Operation::Get);
        let offset = before.len() as u64;
        let result = scans::replies(&[&before.vint(announced).raw(&[0; 100]).done()], get);
        let problem = Problem::OverLimit { announced: announced.into(), limit: Limits::default().value as u64 };
        assert_eq!(result.fault, Some(Violation { offset, field: "value", problem }));
    }
}

#[test]
fn a_message_over_its_limit_is_refused_before_it_has_come() {
    let mut limits = Limits::default();
    limits.message = 50_000;
    let entry = |hand: Hand| hand.array("k").array(vec![1; 20_000]);
    let stream = reply(Operation::GetAll).vint(3).times(3, entry).done();
    let context = context(Operation::GetAll, LATEST);
    for size in [1, 1000, 30_000, stream.len()] {
        let result = scans::replies_within(limits.clone(), &stream.chunks(size).collect::<Vec<_>>(), |_| Some(context));
        let violation = result.fault.expect("a violation");
        assert_eq!((violation.field, violation.offset), ("message", 0), "in pieces of {size}");
    }
}

#[test]
fn a_number_without_end_is_refused_and_not_waited_for() {
    let context = context(Operation::GetAll, LATEST);
    let problem = Problem::NumberTooLong;
    let id = Hand::new().u8(0xa1).raw(&[0x80; 20]);
    let count = reply(Operation::GetAll).raw(&[0x80; 20]);
    for (stream, offset, field) in [(id, 1, "message id"), (count, 5, "entries")] {
        let stream = stream.done();
        for size in [1, stream.len()] {
            let result = scans::replies(&stream.chunks(size).collect::<Vec<_>>(), |_| Some(context));
            assert_eq!(result.fault, Some(Violation { offset, field, problem: problem.clone() }));
        }
    }
    let result = scans::requests(&[&request(Operation::GetAll).raw(&[0xff; 20]).done()]);
    assert!(matches!(result.fault, Some(RequestFault::Violation(violation)) if violation.problem == problem));
}

/// A topology is buffered until it is complete, so it has a limit beside those of its parts.
#[test]
fn a_topology_of_more_than_4_mib_is_refused() {
    let member = |hand: Hand| hand.array(vec![b'h'; 60_000]).short(1);
    let stream = Hand::reply_before_topology(1, 0x04, 0).u8(1).vint(7).vint(100).times(100, member).done();
    let result = scans::replies(&stream.chunks(10_000).collect::<Vec<_>>(), get);
    let violation = result.fault.expect("a violation");
    assert_eq!((violation.field, violation.offset), ("topology", 0));
    assert!(matches!(violation.problem, Problem::OverLimit { limit, .. } if limit == 4 << 20));
}

#[test]
fn requests_that_no_server_of_ours_understands_are_faults() {
    let old = Hand::new().u8(0xa0).vlong(5).u8(13).u8(0x03).done();
    let fault = RequestFault::UnknownVersion { message_id: 5, version: 13 };
    assert_eq!(scans::requests(&[&old]).fault, Some(fault));
    let unknown = Hand::new().u8(0xa0).vlong(5).u8(41).u8(0x45).done();
    let fault = RequestFault::UnknownOperation { message_id: 5, opcode: 0x45 };
    assert_eq!(scans::requests(&[&unknown]).fault, Some(fault.clone()));
    let mut scanner = RequestScanner::new(Limits::default());
    scanner.receive(&unknown);
    assert_eq!((scanner.poll(), scanner.poll()), (Some(Err(fault)), None));
}

/// A peeked head equals a scanned one, and is available as soon as its bytes are.
#[test]
fn a_head_can_be_had_without_the_rest() {
    let head = Hand::new().u8(0xa0).vlong(300).u8(41).u8(0x03).text("people").vint(4).u8(2).vint(77);
    let length = head.len();
    let bytes = Bytes::from(head.u8(0).u8(0).vint(0).array("key").done());
    let limits = Limits::default();
    for end in 0..length {
        assert_eq!(peek_request_head(&bytes.slice(..end), &limits), Ok(None));
    }
    let head = peek_request_head(&bytes.slice(..length), &limits).expect("valid").expect("whole");
    let context =
        ReplyContext { operation: Operation::Get, version: LATEST, intelligence: Intelligence::TopologyAware };
    assert_eq!((head.message_id, head.context, head.topology_id), (300, context, 77));
    assert_eq!((head.cache.as_str(), head.flags.0), ("people", 4));
    assert_eq!(scans::requests(&[&bytes]).messages, [(head, bytes.len(), None)]);
    let long = Bytes::from(Hand::new().u8(0xa0).vlong(1).u8(41).u8(0x03).vint(u32::MAX).done());
    assert!(matches!(peek_request_head(&long, &limits), Err(RequestFault::Violation(_))));
}

/// Measures whether bytes are exactly one complete request.
#[test]
fn a_request_is_measured_by_where_it_ends() {
    let head =
        Hand::new().u8(0xa0).vlong(300).u8(41).u8(0x01).text("people").vint(0).u8(2).vint(77).u8(0).u8(0).vint(0);
    let whole = Bytes::from(head.array("key").u8(0x88).array("value").done());
    let limits = Limits::default();
    for end in 0..whole.len() {
        assert_eq!(measure_request(&whole.slice(..end), &limits), Ok(None), "{end}");
    }
    for behind in [&b""[..], b"\xa0", b"anything"] {
        let bytes = Bytes::from([&whole, behind].concat());
        let (head, length) = measure_request(&bytes, &limits).expect("valid").expect("whole");
        assert_eq!((head.message_id, head.cache.as_str(), length), (300, "people", whole.len()));
    }
    let unknown = Bytes::from(Hand::new().u8(0xa0).vlong(5).u8(41).u8(0x45).done());
    let fault = RequestFault::UnknownOperation { message_id: 5, opcode: 0x45 };
    assert_eq!(measure_request(&unknown, &limits), Err(fault));
}
