//! Iterations: every entry once, whatever becomes of the members meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{IterationId, IterationOptions};
use hotrod_core::routing::segment_of;
use hotrod_core::wire::{Expiration, Request};
use hotrod_sim::world::World;

fn key(n: usize) -> Bytes {
    format!("key {n}").into()
}

/// A client that has the topology, and entries in the cluster.
fn filled(members: u16, count: usize) -> World {
    let mut world = World::new(members, 11);
    let entries = (0..count).map(|n| (key(n), Bytes::from("value"))).collect();
    world.call(Request::PutAll { expiration: Expiration::DEFAULT, entries }).expect("stored");
    world.run_for(Duration::from_secs(1));
    world
}

fn iterate(world: &mut World, options: IterationOptions) -> IterationId {
    let (now, cache) = (world.now(), world.cache.clone());
    world.client.iterate(now, &cache, options).expect("accepted")
}

fn batches_of(batch_size: u32) -> IterationOptions {
    let mut options = IterationOptions::default();
    options.batch_size = batch_size;
    options
}

/// The rest of an iteration; fails if a key comes twice.
fn rest(world: &mut World, id: IterationId, seen: &mut BTreeSet<Bytes>) {
    loop {
        let entries = world.next_entries(id).expect("it goes on");
        if entries.is_empty() {
            return;
        }
        for entry in entries {
            assert!(seen.insert(entry.key.clone()), "{:?} came twice", entry.key);
        }
    }
}

fn all(count: usize) -> BTreeSet<Bytes> {
    (0..count).map(key).collect()
}

#[test]
fn every_entry_comes_once_and_from_every_member() {
    let mut world = filled(3, 500);
    let before: Vec<u64> = world.client.members().map(|member| member.answered).collect();
    let id = iterate(&mut world, batches_of(7));
    let mut seen = BTreeSet::new();
    rest(&mut world, id, &mut seen);
    assert_eq!(seen, all(500));
    let after: Vec<u64> = world.client.members().map(|member| member.answered).collect();
    let asked = before.iter().zip(&after).filter(|(before, after)| after > before).count();
    assert_eq!(asked, 3);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.client.in_flight(), 0);
}

#[test]
fn the_iteration_of_an_empty_cache_ends_at_once() {
    let mut world = filled(3, 0);
    let id = iterate(&mut world, batches_of(10));
    assert_eq!(world.next_entries(id), Ok(Vec::new()));
    let now = world.now();
    assert!(!world.client.next_entries(now, id), "it is over");
}

#[test]
fn only_the_segments_asked_for() {
    let mut world = filled(3, 300);
    let segments = world.client.view(&world.cache).expect("a view").segments();
    // Every other one.
    let mask = vec![0x55; segments / 8];
    let mut options = batches_of(10);
    options.segments = Some(mask.into());
    let id = iterate(&mut world, options);
    let mut seen = BTreeSet::new();
    rest(&mut world, id, &mut seen);
    let expected = all(300).into_iter().filter(|key| segment_of(key, segments as u32).is_multiple_of(2)).collect();
    assert_eq!(seen, expected);
}

/// The crashed member's segments are iterated by another, and what it had sent of them does not come again.
#[test]
fn a_member_that_dies_meanwhile_loses_and_repeats_nothing() {
    for silently in [false, true] {
        let mut world = filled(3, 500);
        let id = iterate(&mut world, batches_of(5));
        let mut seen = BTreeSet::new();
        for _ in 0..20 {
            for entry in world.next_entries(id).expect("entries") {
                assert!(seen.insert(entry.key));
            }
        }
        let port = world.owner(&key(0));
        world.crash(port, silently);
        world.exclude_crashed();
        rest(&mut world, id, &mut seen);
        assert_eq!(seen, all(500));
    }
}

#[test]
fn members_that_join_and_leave_meanwhile_change_nothing() {
    let mut world = filled(3, 500);
    let id = iterate(&mut world, batches_of(5));
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        seen.extend(world.next_entries(id).expect("entries").into_iter().map(|entry| entry.key));
    }
    world.join();
    world.call(Request::Get { key: key(0) }).expect("brings the topology");
    for _ in 0..10 {
        seen.extend(world.next_entries(id).expect("entries").into_iter().map(|entry| entry.key));
    }
    let port = world.owner(&key(1));
    world.leave(port);
    let mut again = seen.clone();
    rest(&mut world, id, &mut again);
    assert_eq!(again, all(500));
}

/// gotcha 21: what it had not said to be finished is not.
#[test]
fn a_server_that_forgot_the_iteration_is_asked_anew() {
    let mut world = filled(1, 100);
    let id = iterate(&mut world, batches_of(5));
    let mut seen: BTreeSet<Bytes> =
        world.next_entries(id).expect("entries").into_iter().map(|entry| entry.key).collect();
    // The server ends an iteration with the connection that began it.
    world.cut_one();
    world.run_for(Duration::from_secs(1));
    rest(&mut world, id, &mut seen);
    assert_eq!(seen, all(100));
}

#[test]
fn an_iteration_that_is_ended_early_is_ended_in_the_servers_too() {
    let mut world = filled(3, 500);
    let id = iterate(&mut world, batches_of(5));
    world.next_entries(id).expect("entries");
    let now = world.now();
    world.client.end_iteration(now, id);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.client.in_flight(), 0);
    assert_eq!(world.servers.open_iterations(), 0);
}

#[test]
fn an_iteration_that_nobody_can_serve_fails_and_says_why() {
    let mut world = filled(1, 100);
    let port = world.owner(&key(0));
    let id = iterate(&mut world, batches_of(5));
    world.next_entries(id).expect("entries");
    world.crash(port, false);
    let error = loop {
        match world.next_entries(id) {
            Ok(entries) => assert!(!entries.is_empty(), "what was not read is not the end"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("ITERATION_START reached no member"), "{error}");
}
