//! Encoding requests and decoding replies.

use std::hint::black_box;

use bytes::Bytes;
use hotrod_core::wire::{
    Body, Envelope, Expiration, Hash, Incoming, Intelligence, Limits, Member, Operation, Reply, ReplyContext,
    ReplyDecoder, ReplyScanner, Request, RequestOptions, SegmentOwners, SendBuffer, Status, Topology, Version,
    write_reply, write_request,
};

use super::Case;

const INTELLIGENCE: Intelligence = Intelligence::HashDistributionAware;
const KEY: Bytes = Bytes::from_static(b"sixteen-byte-key");
const VALUE: Bytes = Bytes::from_static(&[7; 64]);

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("encode.get64", || encode(Request::Get { key: KEY })),
        Case::new("encode.put64", || encode(Request::Put { key: KEY, expiration: Expiration::DEFAULT, value: VALUE })),
        Case::new("decode.get64", || decode(Operation::Get, None, Body::Value(VALUE))),
        Case::new("decode.get64_topology", || decode(Operation::Get, Some(topology()), Body::Value(VALUE))),
        Case { simulated: Some(50), ..Case::new("decode.bulk1000", || decode(Operation::GetAll, None, bulk())) },
        Case::new("scan.get64", || scan(Operation::Get, None, Body::Value(VALUE))),
        Case::new("scan.get64_topology", || scan(Operation::Get, Some(topology()), Body::Value(VALUE))),
        Case { simulated: Some(50), ..Case::new("scan.bulk1000", || scan(Operation::GetAll, None, bulk())) },
    ]
}

fn encode(request: Request) -> Box<dyn FnMut()> {
    let envelope = Envelope { message_id: 300, version: Version::LATEST, intelligence: INTELLIGENCE, topology_id: 7 };
    let options = RequestOptions::cache("people");
    let mut out = SendBuffer::new();
    Box::new(move || {
        write_request(envelope, &options, black_box(&request), &mut out);
        out.advance(black_box(&out).len());
    })
}

fn decode(operation: Operation, topology: Option<Topology>, body: Body) -> Box<dyn FnMut()> {
    let (context, bytes) = reply(operation, topology, body);
    let mut decoder = ReplyDecoder::new(Limits::default());
    Box::new(move || {
        decoder.receive_buffer().extend_from_slice(&bytes);
        match decoder.poll(|_| Some(context)) {
            Some(Ok(Incoming::Reply(reply))) => drop(black_box(reply)),
            other => panic!("{other:?}"),
        }
    })
}

/// As [`decode`], only passed on.
fn scan(operation: Operation, topology: Option<Topology>, body: Body) -> Box<dyn FnMut()> {
    let (context, bytes) = reply(operation, topology, body);
    let mut scanner = ReplyScanner::new(Limits::default());
    Box::new(move || {
        scanner.receive_buffer().extend_from_slice(&bytes);
        match scanner.poll(|_| Some(context)) {
            Some(Ok(piece)) if piece.is_last => drop(black_box(piece)),
            other => panic!("{other:?}"),
        }
    })
}

/// What was asked, and the bytes of its reply.
fn reply(operation: Operation, topology: Option<Topology>, body: Body) -> (ReplyContext, Bytes) {
    let context = ReplyContext { operation, version: Version::LATEST, intelligence: INTELLIGENCE };
    let reply = Reply { message_id: 300, status: Status::SUCCESS, topology: topology.map(Box::new), body };
    let mut out = SendBuffer::new();
    write_reply(&reply, context, &mut out);
    (context, out.to_bytes())
}

/// Three members, 256 segments, two owners each.
fn topology() -> Topology {
    let member = |n| Member { host: format!("10.128.0.{n}"), port: 11222 };
    let mut owners = SegmentOwners::default();
    for segment in 0..256_u16 {
        owners.push(&[segment % 3, (segment + 1) % 3]);
    }
    Topology { id: 5, members: (1..=3).map(member).collect(), hash: Some(Hash { function: 3, segments: 256, owners }) }
}

fn bulk() -> Body {
    let entry = |n| (Bytes::from(format!("key {n:012}")), VALUE);
    Body::Entries((0..1000).map(entry).collect())
}
