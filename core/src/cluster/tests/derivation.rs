//! Sessions whose servers ask for many iterations of the password's hash, beside others.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::world::{Far, USER, World, auto, config};
use crate::carriage::Offer;
use crate::cluster::{Call, CarriageConfig, ClusterError, Config, Event, LinkId, MemberId};
use crate::sasl::{Credentials, Mechanism};
use crate::session::{Authentication, ServerSession};
use crate::wire::{Body, Limits, Member, Operation, Reply, Request, RequestHeader, Status, Topology};

/// Asked for by a server: five slices.
const MANY: u32 = 45_000;

fn member(name: &str) -> Member {
    Member { host: alloc::format!("{name}.example.com"), port: 11222 }
}

pub(super) fn with_login(carriage: CarriageConfig) -> Config {
    let credentials = Arc::new(Credentials::password(USER.0, USER.1));
    let mut config = Config { seeds: [member("one")].to_vec(), ..config(carriage) };
    let authentication =
        Authentication { mechanism: Some(Mechanism::ScramSha256), ..Authentication::new(credentials, true) };
    config.session.authentication = Some(authentication);
    config
}

/// A client with a session that is ready, and links wanted to that many others of its cluster.
fn world(others: &[&str]) -> World {
    let mut world = World::new(with_login(CarriageConfig::default()));
    let hosts = ["one"].iter().chain(others);
    let members = hosts.map(|name| member(name)).collect();
    world.connect(Far::login(4_096, Some(Topology { id: 1, members, hash: None })));
    world.submit(Request::Size {});
    assert_eq!((ready(&world), world.wanted.len(), world.completed.len()), (1, others.len(), 1));
    world
}

fn ready(world: &World) -> usize {
    world.cluster.members().filter(|member| member.ready).count()
}

fn first_member(world: &World) -> MemberId {
    world.cluster.members().find(|member| member.ready).expect("one is ready").id
}

/// One call of the host's timer, in time.
fn tick(world: &mut World) {
    let due = world.cluster.poll_timeout().expect("the next slice");
    assert!(due.since(world.now) <= Duration::from_micros(1), "at once");
    world.now = world.now.max(due);
    world.cluster.handle_timeout(world.now);
}

#[test]
fn between_two_slices_another_session_completes_an_operation() {
    let mut world = world(&["two"]);
    let first = first_member(&world);
    world.connect(Far::login(MANY, None));
    for slice in 2..=5 {
        assert_eq!(ready(&world), 1, "before slice {slice}");
        let call = Call { member: Some(first), ..Call::new(&world.cache, Request::Size {}) };
        let id = world.cluster.submit(world.now, call).expect("it is taken");
        world.run();
        assert!(matches!(world.completed.last(), Some((done, Ok(_))) if *done == id), "before slice {slice}");
        tick(&mut world);
        world.run();
    }
    assert_eq!(ready(&world), 2);
    assert!(world.cluster.poll_timeout().is_none_or(|due| due > world.now + Duration::from_millis(500)), "no spinning");
}

/// Any number of sessions derive by turns, one slice per call in all; nothing else that is due waits for them.
#[test]
fn a_call_does_one_slice_of_one_session() {
    let mut world = world(&["two", "three", "four"]);
    let first = first_member(&world);
    for _ in 0..3 {
        world.connect(Far::login(MANY, None));
    }
    let timeout = Duration::from_micros(3);
    let request = Request::Get { key: Bytes::from_static(b"k") };
    let call = Call { member: Some(first), timeout: Some(timeout), ..Call::new(&world.cache, request) };
    let (id, deadline) = (world.cluster.submit(world.now, call).expect("it is taken"), world.now + timeout);
    world.run();
    for call in 1..=12 {
        assert!(ready(&world) <= 1 + call / 5, "one after the other");
        tick(&mut world);
        world.run();
        let failed = |(of, result): &(_, Result<Reply, ClusterError>)| *of == id && result.is_err();
        assert_eq!(world.completed.iter().any(failed), world.now >= deadline, "its deadline, after call {call}");
    }
    assert_eq!(ready(&world), 4);
    assert!(world.now >= deadline);
}

/// A host whose clock stands still for a moment does no work for ever.
#[test]
fn a_host_that_serves_all_that_is_due_comes_to_an_end() {
    let mut world = world(&["two", "three"]);
    world.connect(Far::login(MANY, None));
    world.connect(Far::login(MANY, None));
    for _ in 0..4 {
        world.now = world.cluster.poll_timeout().expect("the next slice");
        let mut calls = 0;
        while world.cluster.poll_timeout().is_some_and(|due| due <= world.now) {
            world.cluster.handle_timeout(world.now);
            world.run();
            calls += 1;
        }
        assert_eq!(calls, 2, "one for each session");
    }
    assert_eq!(ready(&world), 3);
}

#[test]
fn the_deadline_of_the_handshake_ends_a_derivation() {
    let mut world = world(&["two"]);
    world.connect(Far::login(MANY, None));
    tick(&mut world);
    world.now = world.now + world.cluster.config.session.handshake_timeout;
    world.cluster.handle_timeout(world.now);
    world.run();
    assert_eq!(reasons(&world).len(), 1);
    assert!(reasons(&world)[0].contains("authentication"), "{:?}", reasons(&world));
}

#[test]
fn a_lost_link_and_close_end_a_derivation() {
    let mut lost = world(&["two"]);
    let (link, _) = lost.connect(Far::login(MANY, None));
    tick(&mut lost);
    lost.lose(link);
    assert!(reasons(&lost)[0].contains("cut"), "{:?}", reasons(&lost));
    let mut closed = world(&["two"]);
    closed.connect(Far::login(MANY, None));
    tick(&mut closed);
    closed.cluster.close(closed.now);
    closed.run();
    for world in [&lost, &closed] {
        let due = world.cluster.poll_timeout();
        assert!(due.is_none_or(|due| due > world.now + Duration::from_millis(1)), "no slice is due");
    }
    assert!(closed.cluster.is_closed());
}

fn reasons(world: &World) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::MemberUnavailable { reason, .. } => Some(alloc::string::ToString::to_string(reason)),
        _ => None,
    };
    world.events.iter().filter_map(of).collect()
}

/// The same where messages are calls of HTTP/2: the AUTH after the last slice goes out by itself.
#[test]
fn a_session_in_frames_derives_in_slices_too() {
    let mut world = World::new(with_login(auto()));
    let (link, _) = world.connect(Far::gateway(Some(Offer::default()), &[]));
    let nonce = {
        let Request::Auth { response, .. } = &world.gateway(link).held[0].3 else { panic!("an AUTH") };
        let first = core::str::from_utf8(&response.0).unwrap();
        String::from(first.rsplit_once("r=").unwrap().1)
    };
    answer_auth(&mut world, link, &alloc::format!("r={nonce}x,s=QSXCR+Q6sek8bf92,i={MANY}"));
    for _ in 2..=5 {
        assert!(world.gateway(link).held.is_empty());
        tick(&mut world);
        world.run();
    }
    let Request::Auth { response, .. } = &world.gateway(link).held[0].3 else { panic!("an AUTH") };
    assert!(response.0.starts_with(b"c="));
}

/// Has the gateway answer the AUTH that it holds.
fn answer_auth(world: &mut World, link: LinkId, challenge: &str) {
    let (stream, call, header, _): (_, _, RequestHeader, _) = world.gateway(link).held.remove(0);
    let mut member = ServerSession::new(Limits::default(), 1 << 20);
    let challenge = Bytes::copy_from_slice(challenge.as_bytes());
    let body = Body::Challenge { complete: false, challenge };
    let reply = Reply { message_id: header.message_id, status: Status::SUCCESS, topology: None, body };
    member.reply(&header, Operation::Auth, &reply);
    world.gateway(link).link.respond(stream, call, member.transmit().to_bytes(), true);
    world.gateway_speaks(link);
}
