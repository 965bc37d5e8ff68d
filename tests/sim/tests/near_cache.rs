//! Near caches: fewer hops, and never a value that a write of the same client has replaced.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Call, Event, NearCacheOptions};
use hotrod_core::wire::{Body, Expiration, Lifetime, MediaType, Request, RequestOptions};
use hotrod_sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn get(key: &str) -> Request {
    Request::Get { key: bytes(key) }
}

fn put(key: &str, value: &str) -> Request {
    Request::Put { key: bytes(key), expiration: Expiration::DEFAULT, value: bytes(value) }
}

fn value(text: &str) -> Body {
    Body::Value(bytes(text))
}

/// A client with a near cache that is active.
fn with_near_cache(members: u16, settings: NearCacheOptions) -> World {
    let mut world = World::new(members, 3);
    world.call(get("anything")).expect("an answer");
    let (now, cache) = (world.now(), world.cache.clone());
    world.client.near_cache(now, &cache, settings).expect("accepted");
    assert!(world.run_until(SECOND, |world| world.has_told(is_active)));
    world
}

fn is_active(event: &Event) -> bool {
    matches!(event, Event::NearCacheActive { .. })
}

fn hits(world: &World) -> u64 {
    world.client.counters().near_hits
}

fn read(world: &mut World, key: &str) -> Body {
    world.call(get(key)).expect("read").body
}

#[test]
fn a_value_that_was_read_is_read_again_without_a_hop() {
    let mut world = with_near_cache(3, NearCacheOptions::default());
    world.call(put("key", "v")).expect("stored");
    assert_eq!(read(&mut world, "key"), value("v"));
    let before = world.client.counters();
    assert_eq!(read(&mut world, "key"), value("v"));
    let Body::ValueWithMetadata { value: kept, .. } =
        world.call(Request::GetWithMetadata { key: bytes("key") }).expect("read").body
    else {
        panic!("no metadata")
    };
    assert_eq!(kept, "v");
    let contains = world.call(Request::ContainsKey { key: bytes("key") }).expect("read");
    assert!(contains.status.is_success());
    let after = world.client.counters();
    assert_eq!((after.near_hits - before.near_hits, after.direct - before.direct), (3, 0));
}

/// gotcha 23: what the same client has written is what it reads.
#[test]
fn a_write_of_the_same_client_is_seen_at_once() {
    let mut world = with_near_cache(3, NearCacheOptions::default());
    let expiration = Expiration::DEFAULT;
    let writes = [
        ("put", put("key", "new")),
        ("putAll", Request::PutAll { expiration, entries: vec![(bytes("key"), bytes("new"))] }),
        ("replace", Request::Replace { key: bytes("key"), expiration, value: bytes("new") }),
        ("remove", Request::Remove { key: bytes("key") }),
        ("clear", Request::Clear {}),
    ];
    for (name, write) in writes {
        world.call(put("key", "old")).expect("stored");
        assert_eq!(read(&mut world, "key"), value("old"), "{name}");
        assert_eq!(read(&mut world, "key"), value("old"), "{name}");
        world.call(write).expect("written");
        let expected = if matches!(name, "remove" | "clear") { Body::Nothing } else { value("new") };
        assert_eq!(read(&mut world, "key"), expected, "{name}");
    }
}

/// A read that was on its way when the write was answered may bring the old value: it is not kept.
#[test]
fn a_read_that_overlaps_a_write_is_not_kept() {
    let mut world = with_near_cache(3, NearCacheOptions::default());
    for round in 0..200 {
        let (old, new) = (format!("old {round}"), format!("new {round}"));
        world.call(put("key", &old)).expect("stored");
        let reads: Vec<_> = (0..3).map(|_| world.submit(get("key"))).collect();
        let write = world.submit(put("key", &new));
        let later = world.submit(get("key"));
        world.run_until(SECOND, |world| world.answers.contains_key(&write));
        assert!(world.answers.remove(&write).expect("written").is_ok());
        assert_eq!(read(&mut world, "key"), value(&new), "round {round}");
        world.run_for(SECOND);
        assert_eq!(read(&mut world, "key"), value(&new), "round {round}");
        reads.into_iter().chain([later]).for_each(|id| drop(world.answers.remove(&id)));
    }
}

#[test]
fn a_write_in_another_form_empties_the_near_cache() {
    let mut world = with_near_cache(3, NearCacheOptions::default());
    world.call(put("key", "old")).expect("stored");
    read(&mut world, "key");
    let mut text = RequestOptions::cache("dist");
    text.key_type = MediaType::TEXT;
    let now = world.now();
    let cache = world.client.cache(now, text);
    world.call_of(Call::new(&cache, put("key", "new"))).expect("stored");
    assert_eq!(world.client.near_cache_size(&world.cache), (0, 0));
}

#[test]
fn a_write_of_another_client_is_seen_when_its_event_comes() {
    let mut world = with_near_cache(3, NearCacheOptions::default());
    world.call(put("key", "old")).expect("stored");
    read(&mut world, "key");
    world.write_by_another(&bytes("key"), &bytes("new"));
    world.run_for(SECOND);
    assert_eq!(read(&mut world, "key"), value("new"));
}

/// gotcha 23: while nobody tells of changes nothing is kept, and nothing that was.
#[test]
fn a_near_cache_is_empty_while_its_listener_moves() {
    let mut world = with_near_cache(3, NearCacheOptions::default());
    world.call(put("key", "old")).expect("stored");
    read(&mut world, "key");
    world.events.clear();
    for _ in 0..6 {
        world.cut_one();
    }
    world.run_until(SECOND, |world| world.has_told(|event| matches!(event, Event::NearCacheInactive { .. })));
    let before = hits(&world);
    assert_eq!(read(&mut world, "key"), value("old"));
    assert_eq!(hits(&world), before, "not from the near cache");
    // First perhaps through the seed, until the members are back.
    world.run_for(20 * SECOND);
    assert!(world.has_told(is_active), "it comes back");
    read(&mut world, "key");
    read(&mut world, "key");
    assert!(hits(&world) > before);
}

#[test]
fn it_holds_no_more_entries_than_it_may() {
    let mut options = NearCacheOptions::default();
    options.max_entries = 10;
    let mut world = with_near_cache(3, options);
    for n in 0..50 {
        let key = format!("key {n}");
        world.call(put(&key, "v")).expect("stored");
        read(&mut world, &key);
    }
    assert_eq!(world.client.near_cache_size(&world.cache).0, 10);
    let before = hits(&world);
    read(&mut world, "key 49");
    assert_eq!(hits(&world), before + 1, "the latest are kept");
}

#[test]
fn it_holds_no_more_bytes_than_it_may() {
    let mut options = NearCacheOptions::default();
    options.max_bytes = 1000;
    let mut world = with_near_cache(3, options);
    for n in 0..50 {
        let key = format!("key {n}");
        world.call(put(&key, &"v".repeat(90))).expect("stored");
        read(&mut world, &key);
        assert!(world.client.near_cache_size(&world.cache).1 <= 1000);
    }
    world.call(put("large", &"v".repeat(2000))).expect("stored");
    read(&mut world, "large");
    let (entries, bytes) = world.client.near_cache_size(&world.cache);
    assert!(entries > 5 && bytes <= 1000, "{entries} entries of {bytes} bytes");
}

#[test]
fn an_entry_with_a_lifespan_is_not_kept_longer_than_that() {
    let mut world = with_near_cache(3, NearCacheOptions::default());
    let expiration = Expiration { lifespan: Lifetime::seconds(5), ..Expiration::DEFAULT };
    world.call(Request::Put { key: bytes("key"), expiration, value: bytes("v") }).expect("stored");
    assert_eq!(read(&mut world, "key"), value("v"));
    world.run_for(6 * SECOND);
    assert_eq!(read(&mut world, "key"), Body::Nothing);
}

#[test]
fn with_a_bloom_filter_reads_go_to_the_member_that_tells_of_changes() {
    let mut settings = NearCacheOptions::default();
    settings.bloom_filter = true;
    settings.max_entries = 20;
    let mut world = with_near_cache(3, settings);
    for n in 0..100 {
        let key = format!("key {n}");
        world.call(put(&key, "old")).expect("stored");
        read(&mut world, &key);
    }
    // What is kept now is heard of, after any number of updates of the filter.
    for n in 80..100 {
        let key = format!("key {n}");
        read(&mut world, &key);
        world.write_by_another(&bytes(&key), &bytes("new"));
        world.run_for(SECOND);
        assert_eq!(read(&mut world, &key), value("new"), "{key}");
    }
}
