//! Feeds arbitrary bytes to the decoders.

use super::input::Input;
use super::pieces::{Pieces, Replies, decode_both_ways, limits};
use super::samples;
use crate::wire::{
    Body, Envelope, Incoming, Intelligence, Limits, Operation, Reply, ReplyContext, ReplyDecoder, RequestDecoder,
    SendBuffer, Version, write_counter_event, write_event, write_reply, write_request,
};

/// Context for encoding an error whose request the server could not read.
const NO_REQUEST: ReplyContext =
    ReplyContext { operation: Operation::Ping, version: Version::V2_0, intelligence: Intelligence::Basic };

/// Decodes a stream of replies to two operations: one for even message ids, one for odd ones; 0 is unknown.
pub fn reply(data: &[u8]) {
    let mut input = Input::new(data);
    let operations = [samples::operation(&mut input), samples::operation(&mut input)];
    let version = input.pick(&Version::ALL);
    let intelligence = samples::intelligence(&mut input);
    let in_flight = |id: u64| {
        let operation = operations[(id & 1) as usize];
        (id != 0).then_some(ReplyContext { operation, version, intelligence })
    };
    receive(input, in_flight);
}

/// Decodes a stream of events and of errors without a request; and encodes a selected event.
pub fn event(data: &[u8]) {
    let mut input = Input::new(data);
    let chosen = samples::event(&mut input);
    comes_back(&Incoming::Event(chosen), NO_REQUEST, &Limits::default());
    let chosen = samples::counter_event(&mut input);
    comes_back(&Incoming::CounterEvent(chosen), NO_REQUEST, &Limits::default());
    receive(input, |_| None);
}

fn receive(mut input: Input<'_>, in_flight: impl Fn(u64) -> Option<ReplyContext> + Copy) {
    let limits = limits(input.flag());
    let pieces = Pieces::choose(&mut input);
    let decoder = || Replies { decoder: ReplyDecoder::new(limits.clone()), in_flight };
    for message in decode_both_ways(decoder, input.rest(), &pieces).into_iter().flatten() {
        let context = match &message {
            Incoming::Reply(reply) => in_flight(reply.message_id),
            Incoming::Event(_) | Incoming::CounterEvent(_) => None,
        };
        comes_back(&message, context.unwrap_or(NO_REQUEST), &limits);
    }
}

/// Asserts that a message is unchanged after encoding and decoding.
fn comes_back(message: &Incoming, context: ReplyContext, limits: &Limits) {
    let mut out = SendBuffer::new();
    match message {
        Incoming::Reply(reply) => write_reply(reply, context, &mut out),
        Incoming::Event(event) => write_event(event, &mut out),
        Incoming::CounterEvent(event) => write_counter_event(event, &mut out),
    }
    let mut decoder = ReplyDecoder::new(limits.clone());
    decoder.receive(&out.to_bytes());
    let again = decoder.poll(|id| (id != 0).then_some(context)).expect("whole").expect("written by us");
    assert_eq!(decoder.buffered(), 0, "{message:?}");
    assert_eq!(again, without_needless_topology(message.clone(), context));
}

/// Removes the topology from errors, and from replies to clients that get none: it is decoded but not encoded there.
fn without_needless_topology(message: Incoming, context: ReplyContext) -> Incoming {
    match message {
        Incoming::Reply(reply @ Reply { body: Body::Error(_), .. }) => {
            Incoming::Reply(Reply { topology: None, ..reply })
        }
        Incoming::Reply(reply) if context.intelligence == Intelligence::Basic => {
            Incoming::Reply(Reply { topology: None, ..reply })
        }
        message => message,
    }
}

/// Decodes a stream of requests.
pub fn request(data: &[u8]) {
    let mut input = Input::new(data);
    let limits = limits(input.flag());
    let pieces = Pieces::choose(&mut input);
    let decoder = || RequestDecoder::new(limits.clone());
    for (header, request) in decode_both_ways(decoder, input.rest(), &pieces).into_iter().flatten() {
        let mut out = SendBuffer::new();
        let envelope = Envelope {
            message_id: header.message_id,
            version: header.version,
            intelligence: header.intelligence,
            topology_id: header.topology_id,
        };
        write_request(envelope, &header.options, &request, &mut out);
        let mut decoder = decoder();
        decoder.receive(&out.to_bytes());
        let again = decoder.poll().expect("whole").expect("written by us");
        assert_eq!(decoder.buffered(), 0, "{request:?}");
        assert_eq!(again, (header, request));
    }
}
