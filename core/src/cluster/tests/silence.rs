//! Links on which nothing comes any more: half-open ones, and those of members that hang.

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::world::{Far, World, config};
use crate::cluster::{Call, CarriageConfig, Config, Event, LinkId, Output};
use crate::wire::{Expiration, Member, Request, Topology};

const SOCKET_TIMEOUT: Duration = Duration::from_secs(2);

fn answering() -> Far {
    Far::cutting(|_| false)
}

fn get() -> Request {
    Request::Get { key: Bytes::from_static(b"k") }
}

/// A client of two members, and their links.
fn world(config: Config) -> (World, [LinkId; 2]) {
    let mut world = World::new(config);
    let members = ["pod-0", "pod-1"].iter().map(|host| Member { host: (*host).into(), port: 11222 }).collect();
    world.submit(Request::Size {});
    world.connect(Far::stopping(Some(Topology { id: 1, members, hash: None })));
    let links = [world.connect(answering()).0, world.connect(answering()).0];
    world.completed.clear();
    world.events.clear();
    (world, links)
}

fn is_given_up(world: &World) -> bool {
    world.events.iter().any(|event| matches!(event, Event::MemberUnavailable { .. }))
}

#[test]
fn how_long_silence_is_borne_follows_from_the_timeout_and_no_operation_fails() {
    let (mut world, links) = world(Config { operation_timeout: SOCKET_TIMEOUT, ..config(CarriageConfig::default()) });
    world.links.insert(links[0], Far::Silent(Vec::new()));
    let since = world.now;
    for _ in 0..60 {
        world.submit(get());
        world.wait(Duration::from_millis(50));
        assert!(is_given_up(&world) || world.now - since < SOCKET_TIMEOUT, "after {:?}", world.now - since);
    }
    world.wait(SOCKET_TIMEOUT);
    assert_eq!(world.completed.iter().filter(|(_, result)| result.is_ok()).count(), 60, "{:?}", world.completed);
}

/// The server answers the PING: it is at work.
#[test]
fn a_link_with_a_slow_operation_is_not_given_up() {
    let (mut world, links) = world(Config { operation_timeout: SOCKET_TIMEOUT, ..config(CarriageConfig::default()) });
    links.iter().for_each(|link| drop(world.links.insert(*link, Far::raw())));
    let call = Call { timeout: Some(Duration::from_secs(20)), ..Call::new(&world.cache, get()) };
    world.cluster.submit(world.now, call).expect("it is taken");
    world.run();
    world.wait(Duration::from_secs(19));
    assert!(!is_given_up(&world) && world.completed.is_empty(), "{:?}", world.events);
}

#[test]
fn an_operation_that_times_out_has_its_link_asked_at_once() {
    let (mut world, links) = world(config(CarriageConfig::default()));
    links.iter().for_each(|link| drop(world.links.insert(*link, Far::Silent(Vec::new()))));
    let call = Call { timeout: Some(Duration::from_millis(500)), ..Call::new(&world.cache, get()) };
    world.cluster.submit(world.now, call).expect("it is taken");
    world.run();
    let sent = |world: &World| -> usize {
        let sent = |far: &Far| if let Far::Silent(bytes) = far { bytes.len() } else { 0 };
        world.links.values().map(sent).sum()
    };
    let before = sent(&world);
    world.wait(Duration::from_millis(499));
    assert_eq!(sent(&world), before);
    world.wait(Duration::from_millis(1));
    assert_eq!(world.completed.len(), 1);
    assert!(sent(&world) > before, "a PING");
}

/// The server says nothing before it has the whole request.
#[test]
fn a_link_on_which_a_large_request_is_being_sent_is_not_given_up() {
    let (mut world, _) = world(Config { operation_timeout: SOCKET_TIMEOUT, ..config(CarriageConfig::default()) });
    let (key, value) = (Bytes::from_static(b"k"), Bytes::from(alloc::vec![1; 2_000_000]));
    let put = Request::Put { key, value, expiration: Expiration::default() };
    let call = Call { timeout: Some(Duration::from_secs(20)), ..Call::new(&world.cache, put) };
    world.cluster.submit(world.now, call).expect("it is taken");
    let mut link = None;
    for _ in 0..60 {
        while let Some(output) = world.cluster.poll_output() {
            match output {
                Output::Transmit { link: with_bytes } => link = Some(with_bytes),
                Output::Close { .. } | Output::Completed { .. } => panic!("{output:?}"),
                _ => {}
            }
        }
        world.cluster.transmitted(link.expect("bytes to send"), 1_000);
        world.now = world.now + Duration::from_millis(100);
        world.cluster.handle_timeout(world.now);
    }
}

/// Nor has a search, which has several sessions at one address, that many operations there.
#[test]
fn the_requests_that_establish_a_session_are_no_operations_of_its_member() {
    let mut world = World::new(config(CarriageConfig::default()));
    world.submit(get());
    world.connect(Far::Silent(Vec::new()));
    let members: Vec<_> = world.cluster.members().map(|member| (member.links, member.in_flight)).collect();
    assert_eq!(members, [(1, 0)]);
}
