//! Any chunking gives the same messages, and leaves no bytes.
//!
//! Gotcha 10: another client returned a truncated value at 100 of 103 cuts of a GET reply.

use core::fmt::Debug;

use bytes::Bytes;
use hotrod_core::wire::{
    Expiration, Incoming, Intelligence, Lifetime, MediaType, Operation, Reply, ReplyContext, Request, RequestHeader,
    RequestOptions, Version,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::decode::{context, replies, requests, written, written_request};
use crate::hand::Hand;
use crate::strategies::{self, VERSIONS, check, operations};

/// Compares the result of the whole with that of two chunks, for every cut, and with that of single bytes.
fn same_at_every_cut<T: PartialEq + Debug>(bytes: &[u8], decode: impl Fn(&[&[u8]]) -> (T, usize)) {
    let (whole, left) = decode(&[bytes]);
    assert_eq!(left, 0, "left of {bytes:02x?}, from which came {whole:?}");
    let hold = |pieces: &[&[u8]], how: &str| {
        let (cut, left) = decode(pieces);
        assert_eq!((&cut, left), (&whole, 0), "{how} of {bytes:02x?}");
    };
    for cut in 0..=bytes.len() {
        let (first, second) = bytes.split_at(cut);
        hold(&[first, second], &format!("cut at {cut}"));
    }
    hold(&bytes.chunks(1).collect::<Vec<_>>(), "single bytes");
}

fn request_at_every_cut(bytes: &[u8]) {
    same_at_every_cut(bytes, |pieces| requests(pieces.iter().copied()));
}

fn reply_at_every_cut(bytes: &[u8], context: ReplyContext) {
    same_at_every_cut(bytes, |pieces| replies(pieces.iter().copied(), |_| Some(context)));
}

#[test]
fn every_request_cut_at_every_byte() {
    for (operation, version) in operations().filter(|(_, version)| VERSIONS.contains(version)) {
        check(128, strategies::message(operation, version), |(header, request)| {
            request_at_every_cut(&written_request(&header, &request));
        });
    }
}

#[test]
fn every_reply_cut_at_every_byte() {
    for (operation, version) in operations().filter(|(_, version)| VERSIONS.contains(version)) {
        let context = context(operation, version);
        check(128, strategies::reply(context), |reply| {
            reply_at_every_cut(&written(&Incoming::Reply(reply), context), context);
        });
    }
}

proptest! {
    #[test]
    fn every_event_cut_at_every_byte(event in strategies::event(), counter in strategies::counter_event()) {
        let context = context(Operation::Get, Version::LATEST);
        for event in [Incoming::Event(event), Incoming::CounterEvent(counter)] {
            reply_at_every_cut(&written(&event, context), context);
        }
    }
}

/// A value of each media type, as in a GET reply.
const VALUES: [(&str, &[u8]); 6] = [
    ("application/x-protostream", b"\x82\x01\x11org.example.Person\x8a\x01\x0a\x0a\x05Alice\x10\x2a"),
    ("text/plain", "Gr\u{fc}\u{df}e aus K\u{f6}ln".as_bytes()),
    ("application/json", b"{\"name\":\"Alice\",\"age\":42}"),
    ("application/octet-stream", &[0xa1, 0x01, 0x04, 0x00, 0x00, 0x80, 0x80, 0xff]),
    ("application/x-java-object", &[0xac, 0xed, 0x00, 0x05]),
    ("application/x-own; v=1", b""),
];

#[test]
fn a_value_of_each_media_type_cut_at_every_byte() {
    for (_, value) in VALUES {
        for version in VERSIONS {
            let get = Hand::reply(7, 0x04, 0x00).array(value).done();
            reply_at_every_cut(&get, context(Operation::Get, version));
            let with_metadata =
                Hand::reply(7, 0x1c, 0x00).u8(0).long(1).vint(300).long(2).vint(60).long(3).array(value);
            reply_at_every_cut(&with_metadata.done(), context(Operation::GetWithMetadata, version));
        }
    }
}

#[test]
fn a_request_in_each_media_type_cut_at_every_byte() {
    for (media_type, value) in VALUES {
        let media_type: MediaType = media_type.parse().unwrap();
        let value = Bytes::from_static(value);
        for version in [Version::V2_8, Version::V4_1] {
            let mut options = RequestOptions::cache("people");
            options.key_type = media_type.clone();
            options.value_type = media_type.clone();
            let header = RequestHeader {
                message_id: 300,
                version,
                intelligence: Intelligence::Basic,
                topology_id: u32::MAX,
                options,
            };
            let expiration = Expiration::after(Lifetime::seconds(300));
            let put = Request::Put { key: value.clone(), expiration, value: value.clone() };
            request_at_every_cut(&written_request(&header, &put));
        }
    }
}

#[test]
fn a_topology_cut_at_every_byte() {
    let hand = Hand::reply_before_topology(1, 0x04, 0x00).u8(1).vint(0xffff_fffe).vint(3);
    let hand = hand.text("10.0.0.1").short(11222).text("::1").short(65535).text("node.example.com").short(1);
    let hand = hand.u8(3).vint(300).times(100, |hand| hand.u8(2).vint(0).vint(1).u8(0).u8(1).vint(2));
    reply_at_every_cut(&hand.array(b"value").done(), context(Operation::Get, Version::LATEST));
}

#[test]
fn the_text_of_an_error_cut_at_every_byte() {
    let error = Hand::reply(1, 0x50, 0x85).text("java.lang.IllegalStateException: K\u{f6}ln").done();
    reply_at_every_cut(&error, context(Operation::Get, Version::LATEST));
}

proptest! {
    #[test]
    fn requests_in_pieces_of_any_size(
        messages in vec(strategies::any_request(), 1..6),
        sizes in vec(1usize..60, 1..20),
    ) {
        let stream = messages.iter().flat_map(|(header, request)| written_request(header, request)).collect::<Vec<_>>();
        let expected = messages.into_iter().map(Ok).collect::<Vec<_>>();
        prop_assert_eq!(requests(pieces(&stream, &sizes)), (expected, 0));
    }

    #[test]
    fn replies_in_pieces_of_any_size(
        messages in vec(strategies::any_reply(), 1..6),
        sizes in vec(1usize..60, 1..20),
    ) {
        let context: Vec<ReplyContext> = messages.iter().map(|(context, _)| *context).collect();
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for (message_id, (context, reply)) in messages.into_iter().enumerate() {
            let reply = Incoming::Reply(Reply { message_id: message_id as u64, ..reply });
            stream.extend_from_slice(&written(&reply, context));
            expected.push(Ok(reply));
        }
        let answers = replies(pieces(&stream, &sizes), |id| context.get(id as usize).copied());
        prop_assert_eq!(answers, (expected, 0));
    }
}

/// Chunks of these sizes, repeated.
fn pieces<'a>(mut stream: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    sizes.iter().cycle().map_while(move |size| {
        let (piece, rest) = stream.split_at((*size).min(stream.len()));
        stream = rest;
        (!piece.is_empty()).then_some(piece)
    })
}
