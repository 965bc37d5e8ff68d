//! What holds where several sessions share a link.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Config, Event};
use hotrod_core::wire::{Body, Expiration, Member, Request};
use hotrod_sim::carried::Carried;
use hotrod_sim::world::{BALANCER, World};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than a session waits for an answer, and not so long that its link is given up.
const SLOWNESS: Duration = Duration::from_secs(25);

/// A client with sessions with all three members, and one more for a listener. Answers the port of the listener's member.
fn listening(carriage: &str) -> (World, u16) {
    let carried: Carried = carriage.parse().expect("a carriage");
    let seeds = vec![Member { host: "10.0.0.1".into(), port: BALANCER }];
    let mut world = World::with(3, 7, carried.apply(Config::new(seeds)));
    world.call(Request::Get { key: "key".into() }).expect("an answer");
    world.listen();
    world.run_for(SECOND);
    let told = world.events.iter().find_map(|event| match event {
        Event::ListenerRegistered { member, .. } => Some(*member),
        _ => None,
    });
    let member = told.expect("registered");
    let port = world.client.members().find(|known| known.id == member).expect("known").address.port;
    (world, port)
}

/// Found by seeds 358, 883 and 1336. A session that gets no answer is given up. Where its link has another session the link
/// lives on, and what was sent by the first arrives: a write that was sent again undoes a later one of the same client.
#[test]
fn an_attempt_by_a_session_that_was_given_up_arrives_if_its_link_lives() {
    for (carriage, in_the_end) in [("raw", "second"), ("connect-http2", "first"), ("frames", "first")] {
        let (mut world, port) = listening(carriage);
        let key =
            (0..1_000).map(|n| Bytes::from(format!("key {n}"))).find(|key| world.owner(key) == port).expect("one");
        let get = || Request::Get { key: key.clone() };
        let put = |value: &'static str| Request::Put {
            key: key.clone(),
            expiration: Expiration::DEFAULT,
            value: value.into(),
        };
        world.set_slow(port, SLOWNESS);
        let submitted = world.now();
        for value in ["first", "second"] {
            world.call(put(value)).expect("stored by the other owner");
        }
        assert!(world.now() < submitted + SLOWNESS, "nothing has arrived at {port} yet");
        assert_eq!(world.may_have_left_an_attempt(submitted), in_the_end == "first", "{carriage}");
        world.run_for(SLOWNESS);
        world.set_slow(port, Duration::ZERO);
        assert_eq!(world.call(get()).expect("read").body, Body::Value(in_the_end.into()), "{carriage}");
    }
}

/// Found by seed 1352: each session sends a PING after a quiet time, and a listener waits for its registration when the links are
/// lost.
#[test]
fn pings_and_registrations_have_a_place_when_members_are_lost() {
    let (mut world, _) = listening("frames");
    let ports: Vec<u16> = world.by_port.keys().copied().chain([BALANCER]).collect();
    world.part(0, &ports);
    let mut most = 0;
    for _ in 0..4_000 {
        world.run_for(SECOND / 100);
        most = most.max(world.client.in_flight());
        world.check().expect("within its limits");
    }
    assert!(most >= 4, "a PING of each session for operations and one for events, and not {most}");
}
