//! Messages of Hot Rod for tests.

use bytes::Bytes;
use hotrod_core::wire::{
    AuthResponse, Body, Envelope, Expiration, Intelligence, Member, Operation, Reply, ReplyContext, Request,
    RequestOptions, SendBuffer, Status, Topology, Version, write_reply, write_request,
};

pub(crate) const ASKED: ReplyContext =
    ReplyContext { operation: Operation::Get, version: Version::V3_1, intelligence: Intelligence::TopologyAware };

fn request(message_id: u64, request: &Request) -> Bytes {
    let ReplyContext { version, intelligence, .. } = ASKED;
    let envelope = Envelope { message_id, version, intelligence, topology_id: 0 };
    let mut out = SendBuffer::new();
    write_request(envelope, &RequestOptions::cache("c"), request, &mut out);
    out.to_bytes()
}

pub(crate) fn get(message_id: u64) -> Bytes {
    request(message_id, &Request::Get { key: Bytes::from_static(b"k") })
}

pub(crate) fn put(message_id: u64, length: usize) -> Bytes {
    let (key, value) = (Bytes::from_static(b"k"), Bytes::from(vec![7; length]));
    request(message_id, &Request::Put { key, expiration: Expiration::DEFAULT, value })
}

pub(crate) fn auth(message_id: u64, mechanism: &str, length: usize) -> Bytes {
    let response = AuthResponse(Bytes::from(vec![b'x'; length]));
    request(message_id, &Request::Auth { mechanism: mechanism.into(), response })
}

pub(crate) fn reply(message_id: u64, operation: Operation, status: Status, body: Body) -> Bytes {
    let topology = Topology { id: 9, members: vec![Member { host: "m".into(), port: 1 }], hash: None };
    let topology = (operation == Operation::Get).then(|| Box::new(topology));
    let mut out = SendBuffer::new();
    write_reply(&Reply { message_id, status, topology, body }, ReplyContext { operation, ..ASKED }, &mut out);
    out.to_bytes()
}

pub(crate) fn value(message_id: u64, length: usize) -> Bytes {
    reply(message_id, Operation::Get, Status::SUCCESS, Body::Value(Bytes::from(vec![9; length])))
}
