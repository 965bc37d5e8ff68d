//! The result does not depend on how a host drives a session.

use hotrod_core::session::{Call, Event};
use hotrod_core::wire::{Request, RequestOptions};
use proptest::prelude::*;

use crate::server::{Pair, value};

const KEYS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Encoded replies to some GETs.
fn answers(pair: &mut Pair) -> Vec<u8> {
    for key in KEYS {
        pair.submit_get(key);
    }
    pair.flush();
    let mut bytes = Vec::new();
    while let Some((header, request)) = pair.requests.pop_front() {
        let Request::Get { key } = &request else { panic!() };
        let reply = hotrod_core::wire::Reply {
            message_id: header.message_id,
            status: hotrod_core::wire::Status::SUCCESS,
            topology: None,
            body: hotrod_core::wire::Body::Value(key.clone()),
        };
        pair.server.reply(&header, request.operation(), &reply);
        bytes.extend_from_slice(&pair.undelivered());
    }
    bytes
}

proptest! {
    /// Any chunking, any time of polling, early timeouts.
    #[test]
    fn any_number_of_inputs_may_come_between_polls(
        pieces in proptest::collection::vec((1usize..40, any::<bool>(), any::<bool>(), any::<bool>()), 1..100),
    ) {
        let mut pair = Pair::ready();
        let bytes = answers(&mut pair);
        let mut rest = &bytes[..];
        let mut values = Vec::new();
        for (length, in_place, poll, tick) in pieces {
            let (piece, after) = rest.split_at(length.min(rest.len()));
            rest = after;
            if in_place {
                pair.client.receive_buffer().extend_from_slice(piece);
                pair.client.handle_filled(pair.now);
            } else {
                pair.receive(piece);
            }
            if tick {
                pair.client.handle_timeout(pair.now);
            }
            if poll {
                values.extend(pair.event().map(|event| value(Some(event)).1));
            }
        }
        pair.receive(rest);
        values.extend(pair.events().into_iter().map(|event| value(Some(event)).1));
        prop_assert_eq!(values, KEYS);
    }

    /// For any bytes of a server: no panic, each operation completes once, and Closed is the last event.
    #[test]
    fn random_bytes_end_the_session_at_worst(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        honest in 0usize..60,
    ) {
        let mut pair = Pair::ready();
        let mut stream = answers(&mut pair);
        stream.truncate(honest);
        stream.extend_from_slice(&bytes);
        pair.receive(&stream);
        pair.client.handle_link_lost("end");
        let events = pair.events();
        let completed = events.iter().filter(|event| matches!(event, Event::Completed { .. })).count();
        prop_assert_eq!(completed, KEYS.len());
        prop_assert!(matches!(events.last(), Some(Event::Closed(_))));
        prop_assert_eq!(events.iter().filter(|event| matches!(event, Event::Closed(_))).count(), 1);
    }
}

#[test]
fn the_same_seed_and_the_same_inputs_give_the_same_bytes() {
    let run = || {
        let mut pair = Pair::ready();
        let request = Request::Get { key: "k".into() };
        for _ in 0..10 {
            pair.client.submit(pair.now, Call::new(&request, &RequestOptions::cache("dist"))).unwrap();
        }
        pair.client.transmit().to_bytes()
    };
    assert_eq!(run(), run());
}
