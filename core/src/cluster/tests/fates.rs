//! What becomes of operations whose session ends or is refused, and where large ones travel.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::world::{Far, World, auto, config};
use crate::carriage::Offer;
use crate::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_UPSTREAM_GONE};
use crate::cluster::{Config, LinkId, Output};
use crate::http2::{ErrorCode, StreamId};
use crate::session::Applied;
use crate::wire::{Expiration, Request};

/// Nothing is repeated: what an operation has come to is told.
fn world(offer: Offer) -> (World, LinkId) {
    let mut world = World::new(Config { max_retries: 0, repeat_writes: false, ..config(auto()) });
    let (link, _) = world.connect(Far::gateway(Some(offer), &[]));
    assert!(world.is_ready());
    (world, link)
}

fn put(value: usize) -> Request {
    Request::PutIfAbsent {
        key: Bytes::from_static(b"k"),
        value: Bytes::from(vec![1; value]),
        expiration: Expiration::default(),
    }
}

fn fates(world: &World) -> Vec<Applied> {
    world.completed.iter().map(|(_, result)| result.as_ref().expect_err("no answer").applied()).collect()
}

///
#[test]
fn a_session_that_ends_in_another_way_leaves_open_what_was_sent_whole_and_no_more() {
    for end in [Some(ErrorCode::INTERNAL_ERROR), Some(ErrorCode::CANCEL), None] {
        let (mut world, link) = world(Offer::default());
        world.submit(put(10));
        // Of this one the credit lets only the beginning go.
        world.submit(put(1_000_000));
        assert_eq!(world.gateway(link).held.len(), 1);
        match end {
            Some(code) => {
                world.gateway(link).link.end(StreamId::new(1), code);
                let said = reset(code);
                world.cluster.handle_received(world.now, link, &said);
                world.run();
            }
            None => world.lose(link),
        }
        let fates = fates(&world);
        assert!(fates.contains(&Applied::Unknown), "{end:?}: {:?}", world.completed);
        assert_eq!(fates.iter().filter(|fate| **fate == Applied::Unknown).count(), 1, "{end:?}");
    }
}

/// RST_STREAM of the first session.
fn reset(code: ErrorCode) -> Vec<u8> {
    [&[0, 0, 4, 3, 0, 0, 0, 0, 1][..], &code.0.to_be_bytes()].concat()
}

/// GOAWAY that names no stream.
fn goaway() -> Vec<u8> {
    [&[0, 0, 8, 7, 0, 0, 0, 0, 0][..], &[0; 8]].concat()
}

///
#[test]
fn a_session_that_was_not_taken_has_applied_nothing() {
    for bytes in [reset(ErrorCode::REFUSED_STREAM), goaway()] {
        let (mut world, link) = world(Offer::default());
        world.submit(put(10));
        world.cluster.handle_received(world.now, link, &bytes);
        world.run();
        world.wait(core::time::Duration::from_secs(20));
        let fates = fates(&world);
        assert!(!fates.is_empty() && fates.iter().all(|fate| *fate == Applied::No), "{:?}", world.completed);
    }
}

/// PING of one byte, which is a connection error.
const VIOLATION: &[u8] = &[0, 0, 1, 6, 0, 0, 0, 0, 0, 0];

/// Outputs about a link up to now.
fn outputs_about(world: &mut World, link: LinkId) -> Vec<&'static str> {
    let mut about = Vec::new();
    while let Some(output) = world.cluster.poll_output() {
        match output {
            Output::Transmit { link: of } if of == link => about.push("transmit"),
            Output::Close { link: of } if of == link => about.push("close"),
            Output::Completed { id, result, .. } => world.completed.push((id, result)),
            _ => {}
        }
    }
    about
}

/// Type and payload of the last of some frames.
fn last_frame(mut frames: &[u8]) -> (u8, &[u8]) {
    loop {
        let length = u32::from_be_bytes([0, frames[0], frames[1], frames[2]]) as usize;
        let (frame, rest) = frames.split_at(9 + length);
        if rest.is_empty() {
            return (frame[3], &frame[9..]);
        }
        frames = rest;
    }
}

/// Section 15: GOAWAY with the code, then the link is closed.
#[test]
fn a_violation_is_answered_by_goaway_before_the_link_is_closed() {
    let (mut world, link) = world(Offer::default());
    world.cluster.handle_received(world.now, link, VIOLATION);
    assert_eq!(outputs_about(&mut world, link), ["transmit"]);
    let last = world.cluster.transmit(link).expect("last bytes").to_bytes();
    let (kind, payload) = last_frame(&last);
    assert_eq!((kind, &payload[4..8]), (7, &ErrorCode::FRAME_SIZE_ERROR.0.to_be_bytes()[..]));
    world.cluster.transmitted(link, last.len() - 1);
    assert_eq!(outputs_about(&mut world, link), [""; 0]);
    world.cluster.handle_received(world.now, link, b"ignored");
    world.cluster.transmitted(link, 1);
    assert_eq!(outputs_about(&mut world, link), ["close"]);
    assert!(world.cluster.transmit(link).is_none() && world.cluster.receive_buffer(link).is_none());
}

#[test]
fn last_bytes_that_can_t_be_sent_delay_the_close_by_a_second() {
    let (mut world, link) = world(Offer::default());
    world.cluster.handle_received(world.now, link, VIOLATION);
    assert_eq!(outputs_about(&mut world, link), ["transmit"]);
    let late = world.now + core::time::Duration::from_secs(1);
    assert!(world.cluster.poll_timeout().is_some_and(|next| next <= late));
    world.cluster.handle_timeout(late);
    assert_eq!(outputs_about(&mut world, link), ["close"]);
}

/// An unsent request counts as not applied, so it is never sent afterwards.
#[test]
fn requests_that_are_not_sent_are_not_sent_after_a_violation() {
    let (mut world, link) = world(Offer::default());
    world.cluster.submit(world.now, crate::cluster::Call::new(&world.cache, put(10))).expect("it is taken");
    assert!(world.cluster.transmit(link).is_some_and(|out| !out.is_empty()));
    world.cluster.handle_received(world.now, link, VIOLATION);
    assert_eq!(outputs_about(&mut world, link), ["transmit", "close"]);
    assert!(world.cluster.transmit(link).is_none());
    world.wait(core::time::Duration::from_secs(20));
    assert_eq!(fates(&world), [Applied::No]);
}

#[test]
fn a_lost_link_is_closed_at_once() {
    let (mut world, link) = world(Offer::default());
    world.cluster.handle_received(world.now, link, VIOLATION);
    world.cluster.handle_link_lost(world.now, link, "cut");
    assert_eq!(outputs_about(&mut world, link), ["transmit", "close"]);
    let (mut world, link) = self::world(Offer::default());
    world.cluster.submit(world.now, crate::cluster::Call::new(&world.cache, put(10))).expect("it is taken");
    world.cluster.handle_link_lost(world.now, link, "cut");
    assert_eq!(outputs_about(&mut world, link).last(), Some(&"close"), "bytes were left to be sent");
}

/// of this end the endpoint has closed what it took.
#[test]
fn a_session_whose_upstream_is_gone_has_not_taken_what_is_open() {
    for code in [HOT_ROD_UPSTREAM_GONE, ErrorCode::INTERNAL_ERROR] {
        let (mut world, link) = world(Offer::default());
        world.submit(put(10));
        world.cluster.handle_received(world.now, link, &reset(code));
        world.run();
        world.wait(core::time::Duration::from_secs(20));
        let wanted = if code == HOT_ROD_UPSTREAM_GONE { Applied::No } else { Applied::Unknown };
        assert_eq!(fates(&world), [wanted], "{code:?}");
    }
}

/// what a gateway can't carry it will not carry the next time either.
#[test]
fn a_request_that_can_t_be_carried_fails_at_once_and_the_session_goes_on() {
    let (mut world, link) = world(Offer::default());
    world.submit(put(10));
    let (stream, call, ..) = world.gateway(link).held[0].clone();
    world.gateway(link).link.end_call(stream, call, HOT_ROD_MESSAGE_ERROR, false);
    world.gateway_speaks(link);
    assert_eq!(fates(&world), [Applied::No]);
    world.submit(put(11));
    assert_eq!(world.gateway(link).held.len(), 2, "on the same session");
}

/// what will never go out of a request that is over does not fill its session for ever.
#[test]
fn requests_that_are_given_up_by_the_endpoint_leave_no_octets_behind() {
    let (mut world, link) = world(Offer::default());
    for round in 0..30 {
        world.submit(put(1_000_000));
        let call = world.gateway(link).link.open_calls(StreamId::new(1)).pop().expect("it is open");
        world.gateway(link).link.end_call(StreamId::new(1), call, HOT_ROD_TOO_LARGE, false);
        world.gateway_speaks(link);
        assert_eq!(world.completed.len(), round + 1);
    }
    world.submit(put(10));
    assert_eq!(world.gateway(link).held.len(), 1, "30 MB would be more than a session lets wait");
}

/// where one lane is enough, large requests that wait for each other let small ones pass, and keep their own order.
#[test]
fn large_requests_that_wait_for_each_other_hold_up_no_small_one() {
    let mut config = config(auto());
    config.session.max_send_bytes = 8 << 20;
    let mut world = World::new(Config { max_retries: 0, repeat_writes: false, ..config });
    let (link, _) = world.connect(Far::gateway(Some(Offer::default()), &[]));
    // Each fills its session, and of each the credit lets only the beginning go.
    let large = [9_000_000; 3].map(|size| world.submit(put(size)));
    world.submit(put(10));
    world.submit(put(11));
    let executed: Vec<_> = world.gateway(link).held.iter().map(|(_, _, _, request)| request.value_bytes()).collect();
    assert_eq!(executed, [11, 12], "with the key, of one octet");
    for _ in large {
        let calls = world.gateway(link).link.open_calls(StreamId::new(1));
        let held: Vec<_> = world.gateway(link).held.iter().map(|(_, call, ..)| *call).collect();
        let begun: Vec<_> = calls.into_iter().filter(|call| !held.contains(call)).collect();
        assert_eq!(begun.len(), 1, "one after the other");
        world.gateway(link).link.end_call(StreamId::new(1), begun[0], HOT_ROD_TOO_LARGE, false);
        world.gateway_speaks(link);
    }
    let completed: Vec<_> = world.completed.iter().map(|(id, _)| *id).collect();
    assert_eq!(completed, large, "in their order");
}

///
#[test]
fn large_requests_travel_in_another_session_where_the_endpoint_asks_for_it() {
    for (threshold, sessions) in [(0, 1), (16_000, 2)] {
        let (mut world, link) = world(Offer { lane_threshold: threshold, ..Offer::default() });
        // With the key, of one octet.
        world.submit(put(15_999));
        world.submit(put(16_000));
        world.submit(Request::Size {});
        assert_eq!(world.gateway(link).asked.len(), sessions, "with a threshold of {threshold}");
        let mut at: Vec<_> = world
            .gateway(link)
            .held
            .iter()
            .map(|(stream, _, _, request)| (request.value_bytes(), stream.value()))
            .collect();
        at.sort_unstable();
        let other = if threshold == 0 { 1 } else { 3 };
        assert_eq!(at, [(0, 1), (16_000, 1), (16_001, other)]);
        // What has many entries for its answer is large by nature.
        world.submit(Request::BulkGet { count: 0 });
        let (stream, ..) = world.gateway(link).held.last().expect("it").clone();
        assert_eq!(stream.value(), other);
    }
}
