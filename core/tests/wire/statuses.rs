//! Statuses and their bodies (gotcha 20), and errors.

use hotrod_core::wire::{Body, Incoming, Operation, Status, Version};

use crate::decode::{context, replies, reply};
use crate::hand::Hand;

const OBJECT_STORAGE: [Version; 5] = [Version::V2_4, Version::V2_5, Version::V2_6, Version::V2_7, Version::V2_8];

/// Gotcha 20: a cache that stores objects has statuses of its own; their bodies are those of the plain statuses.
#[test]
fn object_storage_statuses_have_the_bodies_of_the_plain_ones() {
    for version in OBJECT_STORAGE {
        let get = Hand::reply(1, 0x04, 0x06).array("value").done();
        assert_eq!(reply(&get, context(Operation::Get, version)).body, Body::Value("value".into()));
        let put = |status| reply(&Hand::reply(1, 0x02, status).array("old").done(), context(Operation::Put, version));
        for status in [0x07, 0x08] {
            assert!(matches!(put(status).body, Body::Previous(Some(previous)) if previous.value == "old"));
        }
        let put = Hand::reply(1, 0x02, 0x06).done();
        assert_eq!(reply(&put, context(Operation::Put, version)).body, Body::Nothing);
    }
    for (code, plain) in [(0x06, 0x00), (0x07, 0x03), (0x08, 0x04)].map(|(a, b)| (Status(a), Status(b))) {
        assert_eq!((code.is_success(), code.has_previous()), (plain.is_success(), plain.has_previous()));
        assert!(!code.is_error());
    }
}

/// Gotcha 20: a member that left, or one that starts or stops; other statuses do not allow a retry.
#[test]
fn only_0x87_and_0x88_may_be_sent_again() {
    let retryable: Vec<u8> = (0..=u8::MAX).filter(|code| Status(*code).is_retryable()).collect();
    assert_eq!(retryable, [0x87, 0x88]);
}

#[test]
fn where_there_is_nothing_nothing_follows() {
    for row in Operation::table() {
        for status in [0x01, 0x02] {
            let bytes = Hand::reply(1, row.reply_opcode, status).done();
            let answer = reply(&bytes, context(row.operation, Version::LATEST));
            assert_eq!((answer.status, answer.body), (Status(status), Body::Nothing), "{}", row.name);
        }
    }
}

/// An error has an opcode of its own for every operation, and a message.
#[test]
fn errors_come_with_opcode_0x50() {
    for row in Operation::table() {
        for status in 0x81..=0x88 {
            let bytes = Hand::reply(1, 0x50, status).text("what went wrong").done();
            let answer = reply(&bytes, context(row.operation, Version::LATEST));
            assert!(answer.status.is_error());
            assert_eq!(answer.body, Body::Error("what went wrong".into()));
        }
    }
}

/// The status decides: an error message follows the operation's own opcode too.
#[test]
fn an_errors_status_with_the_operations_own_opcode_has_a_text() {
    for row in Operation::table() {
        let bytes = Hand::reply(1, row.reply_opcode, 0x85).text("what went wrong").done();
        let answer = reply(&bytes, context(row.operation, Version::LATEST));
        assert_eq!(answer.body, Body::Error("what went wrong".into()));
    }
}

/// Gotcha 11: the server replies with id 0, which no request has, if it could not read the request's id.
#[test]
fn an_error_may_answer_an_unknown_message_id() {
    let bytes = Hand::reply(0, 0x50, 0x81).text("Error reading magic byte or message id: 165").done();
    let (all, left) = replies([&bytes[..]], |_| None);
    let [Ok(Incoming::Reply(error))] = &all[..] else { panic!("{all:?}") };
    assert_eq!((error.message_id, error.status, left), (0, Status::INVALID_MAGIC_OR_MESSAGE_ID, 0));
}

/// An unknown status of a later server must not end the stream.
#[test]
fn an_unknown_status_has_no_body() {
    let bytes = Hand::reply(1, 0x04, 0x2a).done();
    let answer = reply(&bytes, context(Operation::Get, Version::LATEST));
    assert_eq!((answer.status, answer.body), (Status(0x2a), Body::Nothing));
}
