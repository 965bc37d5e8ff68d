use std::sync::Arc;

use hotrod_core::session::{Applied, Call, Config, Disconnect, Event, OperationError, OtherProtocol, SubmitError};
use hotrod_core::wire::{Body, Operation, Problem, Reply, Request, RequestOptions, Status, Violation};

use crate::server::{Pair, seconds, value};

/// Outcome of each operation, and the reason for the end of the session.
fn outcomes(pair: &mut Pair) -> (Vec<(u64, Applied)>, Arc<Disconnect>) {
    let mut events = pair.events();
    let Some(Event::Closed(reason)) = events.pop() else { panic!("Closed is the last event") };
    let outcome = |event| match event {
        Event::Completed { id, result: Err(OperationError::Disconnected { applied, .. }), .. } => (id.0, applied),
        other => panic!("{other:?}"),
    };
    (events.into_iter().map(outcome).collect(), reason)
}

#[test]
fn a_lost_link_tells_each_operation_whether_it_may_have_been_applied() {
    let mut pair = Pair::ready();
    let first = pair.submit_get("went out");
    pair.flush();
    let second = pair.submit_get("went out in part");
    pair.client.transmitted(pair.client.transmit().len() - 1);
    let third = pair.submit_get("did not go out");
    pair.client.handle_link_lost("connection reset");
    let (operations, reason) = outcomes(&mut pair);
    assert_eq!(operations, [(first.0, Applied::Unknown), (second.0, Applied::No), (third.0, Applied::No)]);
    assert_eq!(reason.to_string(), "the connection was lost: connection reset");
    assert!(pair.client.transmit().is_empty());
}

#[test]
fn a_session_that_is_over_answers_every_call_and_does_nothing() {
    let mut pair = Pair::ready();
    let id = pair.submit_get("k");
    pair.client.abort();
    outcomes(&mut pair);
    let request = Request::Clear {};
    let refused = pair.client.submit(pair.now, Call::new(&request, &RequestOptions::default()));
    assert_eq!(refused, Err(SubmitError::Closed));
    assert!(!pair.client.cancel(id));
    pair.receive(&[0xa1, 0x01]);
    pair.later(seconds(1000));
    pair.client.handle_link_lost("again");
    pair.client.close();
    assert_eq!(pair.events(), []);
    assert_eq!(pair.client.poll_timeout(), None);
    assert!(!pair.client.wants_read());
}

#[test]
fn close_lets_operations_in_flight_finish() {
    let mut pair = Pair::ready();
    pair.submit_get("k");
    pair.client.close();
    let request = Request::Clear {};
    let refused = pair.client.submit(pair.now, Call::new(&request, &RequestOptions::default()));
    assert_eq!(refused, Err(SubmitError::Closed));
    pair.flush();
    assert!(!pair.client.is_closed());
    pair.answer_get();
    assert_eq!(value(pair.event()).1, "k");
    assert!(matches!(pair.event(), Some(Event::Closed(reason)) if *reason == Disconnect::Closed));
}

/// A draining session ends with its last reply, for any chunking of the bytes behind it.
#[test]
fn what_follows_the_last_reply_of_a_closing_session_is_ignored() {
    let mut pair = Pair::ready();
    pair.submit_get("k");
    pair.flush();
    pair.client.close();
    let (header, _) = pair.next_request();
    let reply =
        Reply { message_id: header.message_id, status: Status::SUCCESS, topology: None, body: Body::Value("v".into()) };
    pair.server.reply(&header, Operation::Get, &reply);
    let mut bytes = pair.undelivered().to_vec();
    bytes.push(0);
    pair.receive(&bytes);
    assert_eq!(value(pair.event()).1, "v");
    assert!(matches!(pair.event(), Some(Event::Closed(reason)) if *reason == Disconnect::Closed));
}

#[test]
fn close_does_not_wait_longer_than_the_deadlines() {
    let mut pair = Pair::ready();
    pair.submit_get("k");
    pair.flush();
    pair.client.close();
    pair.later(seconds(15));
    assert!(matches!(pair.event(), Some(Event::Completed { result: Err(OperationError::TimedOut { .. }), .. })));
    assert!(matches!(pair.event(), Some(Event::Closed(_))));
}

/// Replies before a violation are delivered.
#[test]
fn a_violation_comes_after_the_answers_before_it() {
    let mut pair = Pair::ready();
    let (_, failing) = (pair.submit_get("a"), pair.submit_get("b"));
    pair.flush();
    let (header, request) = pair.next_request();
    let Request::Get { key } = &request else { panic!() };
    let reply = hotrod_core::wire::Reply {
        message_id: header.message_id,
        status: hotrod_core::wire::Status::SUCCESS,
        topology: None,
        body: hotrod_core::wire::Body::Value(key.clone()),
    };
    pair.server.reply(&header, request.operation(), &reply);
    let mut bytes = pair.undelivered().to_vec();
    let good = bytes.len();
    bytes.extend_from_slice(&[0xee, 0x00]);
    pair.receive(&bytes);
    assert_eq!(value(pair.event()).1, "a");
    let (operations, reason) = outcomes(&mut pair);
    assert_eq!(operations, [(failing.0, Applied::Unknown)]);
    let Disconnect::Violation(Violation { field: "magic", problem, offset }) = &*reason else { panic!("{reason}") };
    assert!(matches!(problem, Problem::Unexpected { value: 0xee, .. }));
    assert!(*offset >= good as u64);
}

#[test]
fn a_server_of_another_protocol_is_recognised_by_its_first_byte() {
    for (bytes, protocol, hint) in [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], OtherProtocol::Http, "carriage=auto"),
        (&[0, 0, 18, 4, 0, 0, 0, 0, 0], OtherProtocol::Http, "carriage=auto"),
        (&[0x15, 3, 1, 0, 2, 2, 40], OtherProtocol::Tls, "hotrods://"),
        (&[0x16, 3, 3, 0, 122], OtherProtocol::Tls, "hotrods://"),
    ] {
        let mut pair = Pair::new(Config::default());
        pair.receive(bytes);
        let (_, reason) = outcomes(&mut pair);
        assert_eq!(*reason, Disconnect::OtherProtocol(protocol));
        assert!(reason.to_string().contains(hint), "{reason}");
    }
    let mut pair = Pair::new(Config::default());
    pair.receive(b"SSH-2.0");
    assert!(matches!(&*outcomes(&mut pair).1, Disconnect::Violation(_)));
}

/// Gotcha 11: a reply without a request can't be decoded, because its form depends on the request.
#[test]
fn an_answer_to_an_unknown_message_ends_the_session() {
    let mut pair = Pair::ready();
    pair.receive(&[0xa1, 0x63, 0x04, 0x00, 0x00, 0x00]);
    let (_, reason) = outcomes(&mut pair);
    assert!(reason.to_string().contains("message id"), "{reason}");
}

/// A server that could not read a request replies with message id 0, and its interpretation of the rest is unknown.
#[test]
fn an_error_that_answers_nothing_ends_the_session() {
    let mut pair = Pair::ready();
    let id = pair.submit_get("k");
    pair.flush();
    pair.receive(&[0xa1, 0x00, 0x50, 0x81, 0x00, 0x03, b'b', b'a', b'd']);
    let (operations, reason) = outcomes(&mut pair);
    assert_eq!(operations, [(id.0, Applied::Unknown)]);
    assert!(reason.to_string().contains("invalid magic or message id (0x81): bad"), "{reason}");
}

#[test]
fn a_link_on_which_nothing_comes_any_more_is_given_up() {
    let mut config = Config::default();
    config.stall_timeout = seconds(5);
    let mut pair = Pair::ready_with(config);
    pair.later(seconds(100));
    assert!(!pair.client.is_closed(), "nothing is expected while nothing is in flight");
    let id = pair.submit_get("k");
    pair.flush();
    pair.later(seconds(4));
    pair.receive(&[0xa1]);
    pair.later(seconds(4));
    assert!(!pair.client.is_closed());
    pair.later(seconds(1));
    let (operations, reason) = outcomes(&mut pair);
    assert_eq!(operations, [(id.0, Applied::Unknown)]);
    assert!(matches!(&*reason, Disconnect::Stalled { in_flight: 1, .. }));
}
