use std::sync::Arc;

use hotrod_core::session::{Call, Config, Disconnect, Event, VersionChoice};
use hotrod_core::wire::{Body, Expiration, Operation, Request, RequestOptions, Status, Version};

use crate::server::{Pair, seconds};

fn closed(pair: &mut Pair) -> Arc<Disconnect> {
    match pair.events().pop() {
        Some(Event::Closed(reason)) => reason,
        other => panic!("expected the end, got {other:?}"),
    }
}

/// Gotcha 16: an older server reads the longer header of 4.0 as the beginning of another request.
#[test]
fn the_handshake_is_made_at_3_1_and_the_session_goes_on_at_the_newest() {
    let mut pair = Pair::new(Config::default());
    pair.flush();
    assert_eq!(pair.requests[0].0.version, Version::V3_1);
    assert_eq!(pair.requests[0].0.options.cache, "", "a PING without a cache needs no right to one");
    pair.answer_ping(Version::V4_1.to_byte());
    let Some(Event::Ready(ready)) = pair.event() else { panic!() };
    assert_eq!(ready.version, Version::V4_1);
    pair.submit_get("k");
    pair.flush();
    assert_eq!(pair.requests[0].0.version, Version::V4_1);
}

#[test]
fn a_server_of_the_future_is_spoken_to_in_our_newest_version() {
    let mut pair = Pair::new(Config::default());
    pair.flush();
    pair.answer_ping(52);
    assert!(matches!(pair.event(), Some(Event::Ready(ready)) if ready.version == Version::LATEST));
}

#[test]
fn an_older_server_is_spoken_to_in_its_own_newest_version() {
    let mut pair = Pair::new(Config::default());
    pair.flush();
    pair.answer_ping(30);
    assert!(matches!(pair.event(), Some(Event::Ready(ready)) if ready.version == Version::V3_0));
}

#[test]
fn a_version_that_the_server_refuses_is_followed_by_the_next_older_one() {
    let mut pair = Pair::new(Config::default());
    for expected in [Version::V3_1, Version::V3_0, Version::V2_9] {
        pair.flush();
        let (header, _) = pair.next_request();
        assert_eq!(header.version, expected);
        if expected == Version::V2_9 {
            pair.answer(&header, Operation::Ping, Status::SUCCESS, Body::Ping(Box::default()));
        } else {
            let error = Body::Error("unknown version".into());
            pair.answer(&header, Operation::Ping, Status::UNKNOWN_VERSION, error);
        }
    }
    let Some(Event::Ready(ready)) = pair.event() else { panic!() };
    assert_eq!((ready.version, ready.server_version), (Version::V2_9, None));
}

#[test]
fn when_no_version_is_left_the_server_is_quoted() {
    let mut pair = Pair::new(Config::default());
    while !pair.client.is_closed() {
        pair.flush();
        let (header, _) = pair.next_request();
        pair.answer(&header, Operation::Ping, Status::PARSE_ERROR, Body::Error("what is this?".into()));
    }
    let reason = closed(&mut pair);
    assert!(
        matches!(&*reason, Disconnect::VersionRefused { wanted: Version::V2_0, detail } if detail == "what is this?")
    );
}

#[test]
fn a_version_that_was_asked_for_is_used_or_nothing() {
    let mut config = Config::default();
    config.version = VersionChoice::Exactly(Version::V4_1);
    let mut pair = Pair::new(config);
    pair.flush();
    pair.answer_ping(Version::V3_1.to_byte());
    let reason = closed(&mut pair).to_string();
    assert_eq!(reason, "the server does not speak protocol version 4.1: its newest is 3.1");
}

#[test]
fn a_refusal_that_is_not_about_the_version_ends_the_handshake() {
    let mut pair = Pair::new(Config::default());
    pair.flush();
    let (header, _) = pair.next_request();
    pair.answer(&header, Operation::Ping, Status::ILLEGAL_LIFECYCLE_STATE, Body::Error("stopping".into()));
    assert!(matches!(&*closed(&mut pair), Disconnect::Refused { status: Status::ILLEGAL_LIFECYCLE_STATE, .. }));
}

/// FACTS: servers do not reply to a bad magic or an unknown opcode.
#[test]
fn a_silent_server_is_given_up_after_the_handshake_timeout() {
    let mut pair = Pair::new(Config::default());
    pair.flush();
    pair.later(seconds(9));
    assert!(!pair.client.is_closed());
    pair.later(seconds(1));
    let reason = closed(&mut pair).to_string();
    assert!(reason.contains("did not complete the negotiation"), "{reason}");
}

#[test]
fn an_operation_that_the_version_does_not_have_is_not_sent() {
    let mut pair = Pair::speaking(Version::V2_0);
    let request = Request::CounterGetNames {};
    let options = RequestOptions::default();
    let call = Call::new(&request, &options);
    let error = pair.client.submit(pair.now, call).unwrap_err().to_string();
    assert_eq!(error, "COUNTER_GET_NAMES needs protocol version 2.7, this session speaks 2.0");
    assert!(pair.client.transmit().is_empty());
}

/// Servers can't read PUT_STREAM from 4.1 on (Infinispan 16.0.7 throws within it), and a gateway ends the session at it.
#[test]
fn an_operation_that_the_version_no_longer_has_is_not_sent() {
    let request = Request::PutStream {
        key: "k".into(),
        expiration: Expiration::DEFAULT,
        entry_version: 0,
        chunks: vec!["chunk".into()],
    };
    let options = RequestOptions::default();
    for (version, refused) in [
        (Version::V4_0, None),
        (Version::V4_1, Some("protocol version 4.1, which this session speaks, no longer has PUT_STREAM")),
    ] {
        let mut pair = Pair::speaking(version);
        let error = pair.client.submit(pair.now, Call::new(&request, &options)).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), refused);
        assert_eq!(pair.client.transmit().is_empty(), refused.is_some());
    }
}
