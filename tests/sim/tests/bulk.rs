//! Bulk operations: each key to its owner, and an answer for every key.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Call, ClusterError};
use hotrod_core::wire::{Body, Expiration, MediaType, Request, RequestOptions};
use hotrod_sim::world::World;

fn key(n: usize) -> Bytes {
    format!("key {n}").into()
}

fn put_all(count: usize) -> Request {
    let entries = (0..count).map(|n| (key(n), Bytes::from(format!("value {n}")))).collect();
    Request::PutAll { expiration: Expiration::DEFAULT, entries }
}

fn get_all(count: usize) -> Request {
    Request::GetAll { keys: (0..count).map(key).collect() }
}

fn settled(members: u16) -> World {
    let mut world = World::new(members, 7);
    world.call(Request::Get { key: key(0) }).expect("an answer");
    world.run_for(Duration::from_secs(1));
    world
}

#[test]
fn a_bulk_operation_goes_to_every_owner_and_is_one_answer() {
    let mut world = settled(3);
    let before = world.client.counters();
    world.call(put_all(100)).expect("stored");
    let Body::Entries(mut entries) = world.call(get_all(110)).expect("read").body else { panic!("no entries") };
    entries.sort();
    let mut expected: Vec<_> = (0..100).map(|n| (key(n), Bytes::from(format!("value {n}")))).collect();
    expected.sort();
    assert_eq!(entries, expected, "keys without an entry are left out");
    let after = world.client.counters();
    assert_eq!(after.direct - before.direct, 6, "one request a member, and each is its keys' owner");
    assert_eq!(after.forwarded, before.forwarded);
    assert_eq!(after.operations - before.operations, 2);
}

#[test]
fn keys_of_one_owner_go_whole() {
    let mut world = settled(3);
    let port = world.owner(&key(0));
    let keys: Vec<Bytes> = (0..100).map(key).filter(|key| world.owner(key) == port).collect();
    let before = world.client.counters();
    world.call(Request::GetAll { keys }).expect("read");
    let after = world.client.counters();
    assert_eq!((after.operations - before.operations, after.direct - before.direct), (1, 1));
}

#[test]
fn declared_keys_are_split_by_their_stored_form() {
    let mut world = settled(3);
    let mut direct = |key_type: MediaType| {
        let mut options = RequestOptions::cache("dist");
        options.key_type = key_type.clone();
        let now = world.now();
        let cache = world.client.cache(now, options);
        let before = world.client.counters();
        let answer = world.call_of(Call::new(&cache, get_all(100)));
        // A cache that declares nothing refuses JSON.
        assert_eq!(answer.is_ok(), key_type != MediaType::JSON);
        let after = world.client.counters();
        (after.direct - before.direct, after.unrouted - before.unrouted)
    };
    assert_eq!(direct(MediaType::TEXT), (3, 0), "text is stored as it is in a cache that declares nothing");
    assert_eq!(direct(MediaType::JSON), (0, 1));
}

/// The part of a member that hangs is answered by another once the link is given up.
#[test]
fn a_part_whose_owner_fails_is_read_elsewhere() {
    let mut world = settled(3);
    world.call(put_all(100)).expect("stored");
    let port = world.owner(&key(0));
    world.crash(port, true);
    let Body::Entries(entries) = world.call(get_all(100)).expect("read").body else { panic!("no entries") };
    assert_eq!(entries.len(), 100);
}

#[test]
fn a_part_that_fails_is_told_by_its_keys_and_the_others_are_answered() {
    let mut world = settled(3);
    world.call(put_all(100)).expect("stored");
    let port = world.owner(&key(0));
    world.set_hung(port, true);
    let call = Call { timeout: Some(Duration::from_secs(2)), ..Call::new(&world.cache, get_all(100)) };
    let Err(ClusterError::Partial(partial)) = world.call_of(call) else { panic!("one member did not answer") };
    let expected: Vec<Bytes> = (0..100).map(key).filter(|key| world.owner(key) == port).collect();
    assert_eq!(partial.failures.len(), 1);
    assert_eq!(partial.failures[0].keys[..], expected[..]);
    assert_eq!(partial.failures[0].member, world.member(port).map(|member| member.id));
    assert_eq!(partial.entries.len(), 100 - expected.len());
}

#[test]
fn a_bulk_operation_that_is_cancelled_leaves_nothing_behind() {
    let mut world = settled(3);
    let id = world.submit(put_all(100));
    assert!(world.client.cancel(id));
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.client.in_flight(), 0);
    assert!(!world.answers.contains_key(&id));
}
