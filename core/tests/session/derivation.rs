//! Key derivations with many iterations: one slice per call.

use std::time::Duration;

use hotrod_core::sasl::Mechanism;
use hotrod_core::session::{Config, Disconnect, Event, TimeoutReason};
use hotrod_core::wire::{Body, Operation, Request, RequestHeader, Status};

use crate::authentication::{authenticate_in_slices, config, end, request_iterations};
use crate::server::{Pair, seconds};

fn scram() -> Config {
    let mut config = config("changeme", false);
    config.authentication.as_mut().unwrap().mechanism = Some(Mechanism::ScramSha256);
    config
}

/// A session that has computed the first of five slices.
fn deriving() -> Pair {
    let mut pair = Pair::new(scram());
    request_iterations(&mut pair, 45_000);
    assert!(matches!(pair.client.timeout_reason(), Some((_, TimeoutReason::Derivation))));
    pair
}

/// Number of calls until a session is ready, including the one with the challenge.
fn calls(iterations: u32) -> usize {
    let mut pair = Pair::new(scram());
    pair.iterations = iterations;
    let mut calls = 1;
    authenticate_in_slices(&mut pair, &[], |pair| {
        let derives = pair.derive();
        calls += usize::from(derives);
        derives
    });
    assert!(matches!(pair.event(), Some(Event::Ready(_))), "{iterations}");
    assert_eq!(pair.client.authentication().unwrap().salted_passwords.derivations(), 1);
    assert_eq!(pair.client.poll_timeout(), None);
    calls
}

#[test]
fn a_slice_has_ten_thousand_iterations() {
    for (iterations, expected) in [(4_096, 1), (10_000, 1), (10_001, 2), (45_000, 5), (100_000, 10)] {
        assert_eq!(calls(iterations), expected, "{iterations}");
    }
}

/// Only due calls compute a slice, independent of the number and kind of other calls.
#[test]
fn other_calls_neither_hurry_nor_disturb_a_derivation() {
    let mut pair = deriving();
    let due = pair.client.poll_timeout().unwrap();
    assert!(due > pair.now, "a host that serves what is due by now comes to an end");
    for slice in 2..=5 {
        for _ in 0..20 {
            pair.client.handle_timeout(pair.now);
            pair.client.handle_filled(pair.now);
            assert_eq!((pair.event(), pair.client.transmit().len()), (None, 0), "slice {slice}");
        }
        assert!(pair.derive(), "slice {slice}");
    }
    assert!(!pair.derive());
    pair.flush();
    assert!(matches!(pair.next_request().1, Request::Auth { .. }));
}

/// The handshake timeout applies, independent of the remaining slices.
#[test]
fn the_handshakes_deadline_ends_a_derivation() {
    let mut pair = deriving();
    pair.derive();
    pair.now = Pair::new(Config::default()).now;
    pair.later(Config::default().handshake_timeout);
    let reason = end(&mut pair);
    assert!(matches!(&*reason, Disconnect::HandshakeTimedOut { stage: "authentication", .. }), "{reason}");
    is_over(&mut pair);
}

#[test]
fn a_lost_link_ends_a_derivation() {
    let mut pair = deriving();
    pair.derive();
    pair.client.handle_link_lost("cut");
    assert!(matches!(&*end(&mut pair), Disconnect::LinkLost(_)));
    is_over(&mut pair);
}

#[test]
fn close_and_abort_end_a_derivation() {
    for is_abort in [false, true] {
        let mut pair = deriving();
        if is_abort {
            pair.client.abort();
        } else {
            pair.client.close();
        }
        assert!(matches!(&*end(&mut pair), Disconnect::Closed));
        is_over(&mut pair);
    }
}

/// No request is in flight during a derivation, so every reply is a violation.
#[test]
fn an_answer_to_nothing_ends_a_derivation() {
    for (status, body) in [
        (Status::SERVER_ERROR, Body::Error("?".into())),
        (Status::SUCCESS, Body::Challenge { complete: false, challenge: "v=AAAA".into() }),
    ] {
        let mut pair = deriving();
        let header = RequestHeader { message_id: 99, ..header() };
        pair.answer(&header, Operation::Auth, status, body);
        end(&mut pair);
        is_over(&mut pair);
    }
}

/// A header as written by the client.
fn header() -> RequestHeader {
    let mut pair = Pair::new(Config::default());
    pair.flush();
    pair.next_request().0
}

fn is_over(pair: &mut Pair) {
    assert_eq!(pair.client.poll_timeout(), None);
    pair.later(Duration::from_micros(1));
    pair.later(seconds(1));
    assert_eq!((pair.client.poll_timeout(), pair.client.transmit().len()), (None, 0));
    assert_eq!(pair.events(), []);
}

/// The AUTH that follows a long derivation has the full stall timeout: the link was not stalled before.
#[test]
fn a_derivation_is_no_silence_of_the_server() {
    let mut config = scram();
    config.stall_timeout = seconds(2);
    let mut pair = Pair::new(config);
    request_iterations(&mut pair, 45_000);
    for _ in 2..=5 {
        pair.now = pair.now + seconds(1);
        assert!(pair.derive());
    }
    assert_eq!(pair.client.timeout_reason(), Some((pair.now + seconds(2), TimeoutReason::Stall)));
}
