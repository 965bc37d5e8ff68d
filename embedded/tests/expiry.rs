//! Expiry of entries: by lifespan, by idle time, by the defaults of the cache.

mod common;

use common::{START_MS, World, bytes};
use hotrod_core::wire::{Body, Expiration, Intelligence, Lifetime, Request, RequestOptions, Status, TimeUnit, Version};
use hotrod_embedded::NamedCache;

const WHOLE: Intelligence = Intelligence::HashDistributionAware;

fn idle(milliseconds: u64) -> Expiration {
    Expiration { max_idle: Lifetime::milliseconds(milliseconds), ..Expiration::DEFAULT }
}

fn size(world: &mut World, client: usize, cache: &str) -> u64 {
    match world.call(client, cache, Request::Size {}) {
        (Status::SUCCESS, Body::Size(size)) => size,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_entry_ends_with_its_lifespan_whoever_uses_it() {
    let mut world = World::new(3);
    let client = world.connect(0);
    for (key, lifetime) in [
        ("ns", Lifetime::For(3_000_000, TimeUnit::Nanoseconds)),
        ("us", Lifetime::For(3_000, TimeUnit::Microseconds)),
        ("ms", Lifetime::For(3, TimeUnit::Milliseconds)),
    ] {
        world.put_for(client, "dist", key, "v", Expiration::after(lifetime));
    }
    world.pass(2);
    assert!(["ns", "us", "ms"].iter().all(|key| world.get(client, "dist", key).is_some()));
    world.pass(1);
    assert!(["ns", "us", "ms"].iter().all(|key| world.get(client, "dist", key).is_none()));
    assert_eq!(size(&mut world, client, "dist"), 0);
}

#[test]
fn use_keeps_an_entry_from_going_idle() {
    let mut world = World::new(1);
    let client = world.connect(0);
    world.put_for(client, "dist", "k", "v", idle(100));
    for _ in 0..5 {
        world.pass(99);
        assert!(world.get(client, "dist", "k").is_some());
    }
    world.pass(99);
    assert_eq!(world.call(client, "dist", Request::ContainsKey { key: bytes("k") }).0, Status::SUCCESS);
    world.pass(1);
    assert_eq!(world.get(client, "dist", "k"), None, "to ask whether it is there is not to use it");
}

#[test]
fn a_caches_defaults_hold_unless_something_else_is_said() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let cache: NamedCache = "short:lifespan=1s".parse().unwrap();
    world.cluster.create_cache("short", cache.options).unwrap();
    world.put(client, "short", "default", "v");
    world.put_for(client, "short", "endless", "v", Expiration::after(Lifetime::Infinite));
    world.put_for(client, "short", "longer", "v", Expiration::after(Lifetime::seconds(2)));
    world.pass(1000);
    assert_eq!(world.get(client, "short", "default"), None);
    assert!(world.get(client, "short", "longer").is_some());
    world.pass(1000);
    assert_eq!(world.get(client, "short", "longer"), None);
    assert!(world.get(client, "short", "endless").is_some());
}

#[test]
fn a_date_is_a_lifespan_before_3_0() {
    let mut world = World::new(1);
    let client = world.connect_at(0, Version::V2_0, WHOLE);
    let date = Lifetime::seconds(START_MS / 1000 + 60);
    // Our client refuses to send it.
    let put = Request::Put { key: bytes("k"), value: bytes("v"), expiration: Expiration::after(date) };
    world.send_raw(0, Version::V2_0, &RequestOptions::cache("dist"), &put);
    world.pass(59_999);
    assert!(world.get(client, "dist", "k").is_some());
    world.pass(1);
    assert_eq!(world.get(client, "dist", "k"), None);
}

#[test]
fn the_next_deadline_is_that_of_the_first_entry_to_end() {
    let mut world = World::new(1);
    let client = world.connect(0);
    assert_eq!(world.cluster.poll_timeout(world.moment), None);
    world.put_for(client, "dist", "late", "v", Expiration::after(Lifetime::seconds(9)));
    world.put_for(client, "local", "soon", "v", Expiration::after(Lifetime::seconds(5)));
    let deadline = world.cluster.poll_timeout(world.moment).unwrap();
    assert_eq!((deadline - world.moment.now).as_secs(), 5);
    world.put(client, "local", "soon", "stays");
    let deadline = world.cluster.poll_timeout(world.moment).unwrap();
    assert_eq!((deadline - world.moment.now).as_secs(), 9);
}
