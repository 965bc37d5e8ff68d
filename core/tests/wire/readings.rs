//! Requests that a real server would read differently are rejected: it would execute the bytes inside. Each case was
//! found by `make differential`; the server is Infinispan 16.0.7.

use hotrod_core::wire::{Limits, Operation, Problem, RequestFault, RequestScanner, Version, Violation};

use crate::decode::requests;
use crate::hand::Hand;

const LATEST: Version = Version::LATEST;

/// Asserts that a decoder and a scanner reject the field behind `before` with this problem, however many bytes follow.
fn refused(before: Hand, wrong: impl FnOnce(Hand) -> Hand, field: &'static str, problem: Problem) {
    let offset = before.len() as u64;
    let bytes = wrong(before).done();
    for behind in [0, 20, 5000] {
        let bytes = [&bytes[..], &vec![0; behind]].concat();
        let fault = RequestFault::Violation(Violation { offset, field, problem: problem.clone() });
        faulty(&bytes, &fault);
    }
}

fn faulty(bytes: &[u8], fault: &RequestFault) {
    let (mut decoded, _) = requests([bytes]);
    assert_eq!(decoded.pop(), Some(Err(fault.clone())));
    let mut scanner = RequestScanner::new(Limits::default());
    scanner.receive(bytes);
    let mut last = None;
    while let Some(piece) = scanner.poll() {
        last = Some(piece);
    }
    assert_eq!(last, Some(Err(fault.clone())));
}

fn accepted(hand: Hand) {
    let bytes = hand.done();
    let (decoded, left) = requests([&bytes[..]]);
    assert!(matches!(&decoded[..], [Ok(_)]) && left == 0, "{decoded:?}");
}

/// The server throws at an unknown media type number, before it has read the rest.
#[test]
fn media_types_of_unknown_numbers() {
    let before = || Hand::request_before_media_types(Version::V3_1, Operation::Get).u8(1);
    for id in [0, 16, 18, 0x7f, 0xffff, 0x1_0001, 0x8000_0000, u32::MAX] {
        let problem = Problem::Unexpected { value: id.into(), expected: "the number of a media type" };
        refused(before(), |hand| hand.vint(id), "media type id", problem);
    }
    for id in (1..16).chain([17]) {
        accepted(before().vint(id).vint(0).u8(0).array("key"));
    }
}

/// The server parses the name, and throws if it can't.
#[test]
fn media_types_of_malformed_names() {
    let before = || Hand::request_before_media_types(Version::V3_1, Operation::Get).u8(2);
    for name in [
        "",
        "text",
        "/plain",
        "text/",
        "text/plain/x",
        "te xt/plain",
        "text'/pl\u{e4}in",
        "text/plain;q",
        "text/plain;q=x",
    ] {
        let problem = Problem::Malformed { expected: "a media type" };
        refused(before().vint(name.len() as u32), |hand| hand.raw(name.as_bytes()), "media type name", problem);
    }
    for name in ["text/plain", "*/*", "application/x-own+json", "text/plain;charset=UTF-8", "text/plain; a=b ;c=d"] {
        accepted(before().text(name).vint(0).u8(0).array("key"));
    }
}

/// The parameter q is a weight: the server throws if it is not a number.
#[test]
fn weights_of_media_types() {
    let before =
        Hand::request_before_media_types(Version::V3_1, Operation::Get).u8(1).vint(3).vint(2).text("a").text("b");
    let problem = Problem::Malformed { expected: "no weight" };
    refused(before.vint(1), |hand| hand.raw(b"q").text("x"), "media type parameter name", problem);
}

/// One-byte lengths are signed, and the server throws at 0 and above 64.
#[test]
fn transaction_ids_that_xa_does_not_have() {
    for length in [0u8, 65, 0x80, 0xff] {
        let problem = Problem::Unexpected { value: length.into(), expected: "1 to 64" };
        let before = || Hand::request(LATEST, Operation::PrepareTx).vint(0);
        refused(before(), |hand| hand.u8(length), "global transaction id", problem.clone());
        refused(before().u8(1).u8(7), |hand| hand.u8(length), "branch qualifier", problem);
    }
}

/// One-byte counts are signed, and a negative one makes the server throw.
#[test]
fn more_parameters_than_a_signed_byte_counts() {
    let over = |announced| Problem::OverLimit { announced, limit: 127 };
    for count in [128u8, 255] {
        let problem = over(count.into());
        let exec = Hand::request(LATEST, Operation::Exec).text("task");
        refused(exec, |hand| hand.u8(count), "parameters", problem.clone());
        let listener = Hand::request(LATEST, Operation::AddClientListener).array("id").u8(0).text("filter");
        refused(listener, |hand| hand.u8(count), "number of factory parameters", problem.clone());
        let iteration = Hand::request(LATEST, Operation::IterationStart).vint(1).vint(12).raw(b"filter");
        refused(iteration, |hand| hand.u8(count), "number of factory parameters", problem);
    }
}

/// Chunks have another form from 4.1 on, where PUT_STREAM is no longer supported.
#[test]
fn streams_of_another_version() {
    let head = Hand::new().u8(0xa0).vlong(1).u8(41).u8(0x39).text("").vint(0).u8(3).vint(0).raw(&[0, 0, 0]);
    let put_stream = head.array("key").u8(0x88).long(0).vint(0).done();
    faulty(&put_stream, &RequestFault::UnknownOperation { message_id: 1, opcode: 0x39 });
    let next = Hand::request(Version::V4_0, Operation::NextPutStream).int(1).u8(1).array("chunk").done();
    faulty(&next, &RequestFault::UnknownOperation { message_id: 1, opcode: 0xed });
    accepted(Hand::request(Version::V4_0, Operation::PutStream).array("key").u8(0x88).long(0).vint(0));
    accepted(Hand::request(Version::V4_1, Operation::NextPutStream).int(1).u8(1).array("chunk"));
}

/// The version byte is signed, so 128 and above are older than 2.0 to the server, and another field follows. Of an
/// unknown version only PING is read, by which a client learns the server's version.
#[test]
fn versions_that_are_not_known() {
    let of = |version, opcode| Hand::new().u8(0xa0).vlong(1).u8(version).u8(opcode).raw(&[0, 0, 3, 0, 0, 0, 0]).done();
    for version in [19, 32, 39, 42, 99, 127, 128, 231, 255] {
        let fault = RequestFault::UnknownVersion { message_id: 1, version };
        faulty(&of(version, 0x15), &fault);
        if !(20..128).contains(&version) {
            faulty(&of(version, 0x17), &fault);
        }
    }
    let (decoded, _) = requests([&of(99, 0x17)[..]]);
    assert!(matches!(&decoded[..], [Ok((header, _))] if header.version == LATEST), "{decoded:?}");
}

/// A count that no message of the maximum length can hold: the server would reserve memory for it.
#[test]
fn counts_beyond_the_longest_message() {
    let mut limits = Limits::default();
    limits.message = 1000;
    let bytes = Hand::request(LATEST, Operation::GetAll).vint(1001).raw(&[0; 10]).done();
    let mut scanner = RequestScanner::new(limits);
    scanner.receive(&bytes);
    let fault = std::iter::from_fn(|| scanner.poll()).find_map(Result::err);
    let problem = Problem::OverLimit { announced: 1001, limit: 1000 };
    assert!(matches!(fault, Some(RequestFault::Violation(violation)) if violation.problem == problem));
}
