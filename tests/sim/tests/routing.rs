//! Where operations go: by what the client understands, by the kind of cache, and by what the user allows.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Call, Config, ReadFrom};
use hotrod_core::wire::{Body, Expiration, Intelligence, Member, Request, RequestOptions};
use hotrod_embedded::{CacheMode, CacheOptions};
use hotrod_sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn key(n: usize) -> Bytes {
    format!("key {n}").into()
}

fn put(n: usize) -> Request {
    Request::Put { key: key(n), expiration: Expiration::DEFAULT, value: "v".into() }
}

fn with_intelligence(intelligence: Intelligence) -> World {
    let seeds = vec![Member { host: "10.0.0.1".into(), port: 443 }];
    let mut session = Config::default().session;
    session.intelligence = intelligence;
    let mut config = Config::new(seeds);
    config.session = session;
    let mut world = World::with(3, 4, config);
    world.call(put(0)).expect("stored");
    world.run_for(SECOND);
    world
}

/// Members that have answered something.
fn answering(world: &World) -> usize {
    world.client.members().filter(|member| member.answered > 0).count()
}

#[test]
fn a_client_that_understands_no_topology_stays_with_its_seed() {
    let mut world = with_intelligence(Intelligence::Basic);
    for n in 0..30 {
        world.call(put(n)).expect("stored");
    }
    assert!(world.client.view(&world.cache).is_none());
    assert_eq!(answering(&world), 1);
    assert_eq!(world.client.counters().direct, 0);
}

#[test]
fn a_client_that_understands_members_and_no_owners_takes_turns() {
    let mut world = with_intelligence(Intelligence::TopologyAware);
    for n in 0..30 {
        world.call(put(n)).expect("stored");
    }
    let view = world.client.view(&world.cache).expect("a view");
    assert_eq!((view.members().len(), view.segments()), (3, 0));
    assert_eq!(answering(&world), 3);
    assert_eq!(world.client.counters().direct, 0);
}

#[test]
fn a_client_that_understands_owners_goes_to_them() {
    let mut world = with_intelligence(Intelligence::HashDistributionAware);
    let before = world.client.counters();
    for n in 0..30 {
        world.call(put(n)).expect("stored");
    }
    let after = world.client.counters();
    assert_eq!((after.direct - before.direct, after.forwarded - before.forwarded), (30, 0));
}

/// Every kind of cache is used as its topology says, or as one without.
#[test]
fn caches_of_every_kind_answer() {
    let mut world = World::new(3, 4);
    world.call(put(0)).expect("stored");
    for mode in [CacheMode::Local, CacheMode::Replicated, CacheMode::Distributed { owners: 1 }] {
        let name = format!("{mode:?}");
        world.servers.create_cache(&name, CacheOptions { mode, ..CacheOptions::default() }).expect("created");
        let now = world.now();
        let cache = world.client.cache(now, RequestOptions::cache(name.clone()));
        world.run_for(SECOND);
        for n in 0..10 {
            world.call_of(Call::new(&cache, put(n))).expect("stored");
        }
        // What is local to a member can only be read there.
        if matches!(mode, CacheMode::Replicated | CacheMode::Distributed { .. }) {
            for n in 0..10 {
                let reply = world.call_of(Call::new(&cache, Request::Get { key: key(n) })).expect("read");
                assert_eq!(reply.body, Body::Value("v".into()), "{name}");
            }
        }
    }
}

#[test]
fn reads_go_to_every_owner_where_the_user_allows_it_and_writes_to_the_primary_one() {
    let mut world = World::new(3, 4);
    world.call(put(0)).expect("stored");
    world.run_for(SECOND);
    let cache = world.cache.with_reads_from(ReadFrom::AnyOwner);
    let read_by = |world: &World, port: u16| {
        let member = world.by_port[&port];
        world.servers.counts("dist", member).hits
    };
    let ports: Vec<u16> = world.by_port.keys().copied().collect();
    let before: Vec<u64> = ports.iter().map(|port| read_by(&world, *port)).collect();
    for _ in 0..20 {
        world.call_of(Call::new(&cache, Request::Get { key: key(0) })).expect("read");
    }
    let reads: Vec<u64> = ports.iter().zip(before).map(|(port, before)| read_by(&world, *port) - before).collect();
    let mut owners = reads.clone();
    owners.sort_unstable();
    assert_eq!(owners, [0, 10, 10], "both owners in turn, and nobody else: {reads:?}");
    let forwarded = world.client.counters().forwarded;
    for n in 0..20 {
        world.call_of(Call::new(&cache, put(n))).expect("stored");
    }
    assert_eq!(world.client.counters().forwarded, forwarded);
}
