//! The previous value, or the current one if the operation was not executed (gotcha 17).

use hotrod_core::wire::{Body, Incoming, LifetimeLeft, Metadata, Operation, Previous, ReplyShape, Version};

use crate::decode::{context, reply, written};
use crate::hand::Hand;

/// Body of a PUT reply with this status; `previous` follows the header.
fn answer(version: Version, status: u8, previous: fn(Hand) -> Hand) -> Body {
    let context = context(Operation::Put, version);
    let bytes = previous(Hand::reply(1, 0x02, status)).done();
    let reply = reply(&bytes, context);
    assert_eq!(written(&Incoming::Reply(reply.clone()), context), bytes);
    reply.body
}

#[test]
fn before_4_0_it_is_the_value_alone_and_zero_length_is_none() {
    for version in Version::ALL.into_iter().filter(|version| *version < Version::V4_0) {
        for status in [0x03, 0x04] {
            let previous = Previous { metadata: None, value: "old".into() };
            assert_eq!(answer(version, status, |hand| hand.array("old")), Body::Previous(Some(Box::new(previous))));
            assert_eq!(answer(version, status, |hand| hand.vint(0)), Body::Previous(None));
        }
    }
}

#[test]
fn since_4_0_it_comes_in_an_envelope_of_metadata() {
    for version in [Version::V4_0, Version::V4_1] {
        let with_lifespan = answer(version, 0x03, |hand| hand.u8(2).long(1234).vint(300).long(9).array("old"));
        let lifespan = Some(LifetimeLeft { since: 1234, seconds: 300 });
        let metadata = Some(Metadata { version: 9, lifespan, max_idle: None });
        assert_eq!(with_lifespan, Body::Previous(Some(Box::new(Previous { metadata, value: "old".into() }))));
        let immortal = answer(version, 0x04, |hand| hand.u8(3).long(9).array("old"));
        let metadata = Some(Metadata { version: 9, ..Metadata::default() });
        assert_eq!(immortal, Body::Previous(Some(Box::new(Previous { metadata, value: "old".into() }))));
    }
}

/// An absent entry has metadata without lifetimes and with version -1. An empty value with a version is a value.
#[test]
fn since_4_0_the_envelope_tells_none_from_an_empty_value() {
    let none = answer(Version::V4_1, 0x03, |hand| hand.u8(3).long(u64::MAX).vint(0));
    assert_eq!(none, Body::Previous(None));
    let empty = answer(Version::V4_1, 0x03, |hand| hand.u8(3).long(9).vint(0));
    assert!(matches!(empty, Body::Previous(Some(previous)) if previous.value.is_empty()));
}

#[test]
fn every_operation_that_may_meet_a_value_says_by_its_status_whether_one_follows() {
    for row in Operation::table().iter().filter(|row| row.reply == ReplyShape::Previous) {
        for version in Version::ALL.into_iter().filter(|version| *version >= row.since) {
            for status in [0x00, 0x01, 0x02] {
                let bytes = Hand::reply(1, row.reply_opcode, status).done();
                assert_eq!(reply(&bytes, context(row.operation, version)).body, Body::Nothing);
            }
        }
    }
}
