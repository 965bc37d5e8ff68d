//! Feeds decoders and collects the results.

use bytes::Bytes;
use hotrod_core::wire::{
    Envelope, Incoming, Intelligence, Limits, Operation, Reply, ReplyContext, ReplyDecoder, Request, RequestDecoder,
    RequestFault, RequestHeader, SendBuffer, Version, Violation, write_counter_event, write_event, write_reply,
    write_request,
};

pub type Requests = Vec<Result<(RequestHeader, Request), RequestFault>>;
pub type Replies = Vec<Result<Incoming, Violation>>;

/// Context of a client with full intelligence.
pub fn context(operation: Operation, version: Version) -> ReplyContext {
    ReplyContext { operation, version, intelligence: Intelligence::HashDistributionAware }
}

/// Requests in these chunks, polled after each; and the number of undecoded bytes.
pub fn requests<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Requests, usize) {
    let mut decoder = RequestDecoder::new(Limits::default());
    let mut requests = Vec::new();
    for piece in pieces {
        decoder.receive(piece);
        requests.extend(core::iter::from_fn(|| decoder.poll()));
    }
    (requests, decoder.buffered())
}

/// Replies and events in these chunks, polled after each; and the number of undecoded bytes.
pub fn replies<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    in_flight: impl Fn(u64) -> Option<ReplyContext>,
) -> (Replies, usize) {
    let mut decoder = ReplyDecoder::new(Limits::default());
    let mut replies = Vec::new();
    for piece in pieces {
        decoder.receive(piece);
        replies.extend(core::iter::from_fn(|| decoder.poll(&in_flight)));
    }
    (replies, decoder.buffered())
}

/// The only message in these bytes, from a server in this context.
pub fn incoming(bytes: &[u8], context: ReplyContext) -> Incoming {
    let (mut all, left) = replies([bytes], |_| Some(context));
    assert_eq!((all.len(), left), (1, 0), "one message and nothing else in {bytes:02x?}: {all:?}");
    all.remove(0).expect("valid")
}

/// The only reply in these bytes.
pub fn reply(bytes: &[u8], context: ReplyContext) -> Reply {
    match incoming(bytes, context) {
        Incoming::Reply(reply) => reply,
        event => panic!("expected a reply, got {event:?}"),
    }
}

/// The only request in these bytes.
pub fn request(bytes: &[u8]) -> (RequestHeader, Request) {
    let (mut all, left) = requests([bytes]);
    assert_eq!((all.len(), left), (1, 0), "one request and nothing else in {bytes:02x?}: {all:?}");
    all.remove(0).expect("valid")
}

/// Encodes a request as a client.
pub fn written_request(header: &RequestHeader, request: &Request) -> Bytes {
    let mut out = SendBuffer::new();
    let RequestHeader { message_id, version, intelligence, topology_id, ref options } = *header;
    write_request(Envelope { message_id, version, intelligence, topology_id }, options, request, &mut out);
    out.to_bytes()
}

/// Encodes a reply or an event as a server.
pub fn written(incoming: &Incoming, context: ReplyContext) -> Bytes {
    let mut out = SendBuffer::new();
    match incoming {
        Incoming::Reply(reply) => write_reply(reply, context, &mut out),
        Incoming::Event(event) => write_event(event, &mut out),
        Incoming::CounterEvent(event) => write_counter_event(event, &mut out),
    }
    out.to_bytes()
}
