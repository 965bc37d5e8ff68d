//! PING replies and request headers, which grew with the versions.

use bytes::Bytes;
use hotrod_core::wire::{Body, Flags, Incoming, MediaType, Operation, Ping, RequestOptions, Version};

use crate::decode::{context, reply, request, written, written_request};
use crate::hand::Hand;

fn ping(version: Version, rest: fn(Hand) -> Hand) -> Ping {
    let context = context(Operation::Ping, version);
    let bytes = rest(Hand::reply(1, 0x18, 0x00)).done();
    let reply = reply(&bytes, context);
    assert_eq!(written(&Incoming::Reply(reply.clone()), context), bytes);
    match reply.body {
        Body::Ping(ping) => *ping,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_answer_grew_media_types_in_2_9_and_versions_in_3_0() {
    for version in Version::ALL.into_iter().filter(|version| *version < Version::V2_9) {
        assert_eq!(ping(version, |hand| hand), Ping::default());
    }
    let key_type = MediaType::PROTOSTREAM;
    let value_type = MediaType::Named("application/x-own".into(), vec![("v".into(), "1".into())]);
    let types = ping(Version::V2_9, |hand| {
        hand.u8(1).vint(12).vint(0).u8(2).text("application/x-own").vint(1).text("v").text("1")
    });
    assert_eq!(types, Ping { key_type, value_type, ..Ping::default() });
    for version in [Version::V3_0, Version::V3_1, Version::V4_0, Version::V4_1] {
        let all = ping(version, |hand| hand.u8(0).u8(0).u8(41).vint(2).short(0x01).short(0xef));
        assert_eq!(all, Ping { server_version: Some(41), operations: vec![0x01, 0xef], ..Ping::default() });
    }
}

/// Reply for an unknown cache: a status without a body.
#[test]
fn the_answer_for_a_cache_that_does_not_exist_has_no_body() {
    let answer = reply(&Hand::reply(1, 0x18, 0x02).done(), context(Operation::Ping, Version::LATEST));
    assert_eq!(answer.body, Body::Nothing);
}

#[test]
fn headers_grew_media_types_in_2_8_and_other_parameters_in_4_0() {
    let options = |version: Version, rest: fn(Hand) -> Hand| {
        let head = Hand::new().u8(0xa0).vlong(300).u8(version.to_byte()).u8(0x17).text("cache").vint(9).u8(3).vint(7);
        let bytes = rest(head).done();
        let (header, ping) = request(&bytes);
        assert_eq!((header.message_id, header.version, header.topology_id), (300, version, 7));
        assert_eq!(written_request(&header, &ping), bytes);
        header.options
    };
    let flags = Flags(9);
    let mut plain = RequestOptions::cache("cache");
    plain.flags = flags;
    for version in Version::ALL.into_iter().filter(|version| *version < Version::V2_8) {
        assert_eq!(options(version, |hand| hand), plain);
    }
    let mut typed = plain;
    typed.key_type = MediaType::TEXT;
    typed.value_type = MediaType::OCTET_STREAM;
    for version in [Version::V2_8, Version::V2_9, Version::V3_0, Version::V3_1] {
        assert_eq!(options(version, |hand| hand.u8(1).vint(13).vint(0).u8(1).vint(3).vint(0)), typed);
    }
    let mut traced = typed;
    traced.other_parameters = vec![("traceparent".into(), Bytes::from("00-1-2-01"))];
    for version in [Version::V4_0, Version::V4_1] {
        let read = options(version, |hand| {
            let types = hand.u8(1).vint(13).vint(0).u8(1).vint(3).vint(0);
            types.vint(1).text("traceparent").array("00-1-2-01")
        });
        assert_eq!(read, traced);
    }
}
