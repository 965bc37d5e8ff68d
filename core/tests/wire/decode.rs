//! Feeds decoders and collects what comes out.

use bytes::Bytes;
use hotrod_core::wire::{
    Asked, Envelope, Incoming, Intelligence, Limits, Operation, Reply, ReplyDecoder, Request, RequestDecoder,
    RequestFault, RequestHeader, SendBuffer, Version, Violation, write_counter_event, write_event, write_reply,
    write_request,
};

pub type Requests = Vec<Result<(RequestHeader, Request), RequestFault>>;
pub type Replies = Vec<Result<Incoming, Violation>>;

/// Asked by a client that understands everything.
pub fn asked(operation: Operation, version: Version) -> Asked {
    Asked { operation, version, intelligence: Intelligence::HashDistributionAware }
}

/// The requests in these pieces, polled for after each piece; also how many bytes are left.
pub fn requests<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Requests, usize) {
    let mut decoder = RequestDecoder::new(Limits::default());
    let mut requests = Vec::new();
    for piece in pieces {
        decoder.receive(piece);
        requests.extend(core::iter::from_fn(|| decoder.poll()));
    }
    (requests, decoder.buffered())
}

/// The replies and events in these pieces, polled for after each piece; also how many bytes are left.
pub fn replies<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    asked: impl Fn(u64) -> Option<Asked>,
) -> (Replies, usize) {
    let mut decoder = ReplyDecoder::new(Limits::default());
    let mut replies = Vec::new();
    for piece in pieces {
        decoder.receive(piece);
        replies.extend(core::iter::from_fn(|| decoder.poll(&asked)));
    }
    (replies, decoder.buffered())
}

/// The one thing in these bytes, which a server sent in answer to what was asked.
pub fn incoming(bytes: &[u8], asked: Asked) -> Incoming {
    let (mut all, left) = replies([bytes], |_| Some(asked));
    assert_eq!((all.len(), left), (1, 0), "one message and nothing else in {bytes:02x?}: {all:?}");
    all.remove(0).expect("valid")
}

/// The one reply in these bytes.
pub fn reply(bytes: &[u8], asked: Asked) -> Reply {
    match incoming(bytes, asked) {
        Incoming::Reply(reply) => reply,
        event => panic!("expected a reply, got {event:?}"),
    }
}

/// The one request in these bytes.
pub fn request(bytes: &[u8]) -> (RequestHeader, Request) {
    let (mut all, left) = requests([bytes]);
    assert_eq!((all.len(), left), (1, 0), "one request and nothing else in {bytes:02x?}: {all:?}");
    all.remove(0).expect("valid")
}

/// The bytes of a request, as a client writes them.
pub fn written_request(header: &RequestHeader, request: &Request) -> Bytes {
    let mut out = SendBuffer::new();
    let RequestHeader { message_id, version, intelligence, topology_id, ref options } = *header;
    write_request(Envelope { message_id, version, intelligence, topology_id }, options, request, &mut out);
    out.to_bytes()
}

/// The bytes of a reply or an event, as a server writes them.
pub fn written(incoming: &Incoming, asked: Asked) -> Bytes {
    let mut out = SendBuffer::new();
    match incoming {
        Incoming::Reply(reply) => write_reply(reply, asked, &mut out),
        Incoming::Event(event) => write_event(event, &mut out),
        Incoming::CounterEvent(event) => write_counter_event(event, &mut out),
    }
    out.to_bytes()
}
