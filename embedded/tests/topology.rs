//! Topologies: when clients receive them, what they contain, and the fate of entries when the view changes.

mod common;

use common::{World, address, bytes};
use hotrod_core::routing::segment_of;
use hotrod_core::wire::{Intelligence, Request, RequestOptions, Topology, Version};
use hotrod_embedded::{ClusterOptions, MemberId};

fn ask(world: &mut World, client: usize, cache: &str, request: &Request) -> Option<Topology> {
    world.ask(client, &RequestOptions::cache(cache), request).expect("an answer").topology.map(|topology| *topology)
}

fn get() -> Request {
    Request::Get { key: bytes("k") }
}

#[test]
fn the_view_comes_when_the_client_has_another_and_only_then() {
    let mut world = World::new(3);
    let client = world.connect(1);
    let topology = ask(&mut world, client, "dist", &get()).expect("a view");
    assert_eq!(topology.members, [address(11222), address(11223), address(11224)]);
    let hash = topology.hash.expect("owners");
    assert_eq!((hash.function, hash.segments, hash.owners.len()), (3, 256, 256));
    let owner = hash.owners.of(segment_of(b"k", 256) as usize)[0];
    assert_eq!(world.cluster.owners("dist", b"k")[0], MemberId(owner.into()));

    world.client(client).topology_id = topology.id;
    assert_eq!(ask(&mut world, client, "dist", &get()), None);
    // Topology ids have no order: one above and one below both differ.
    for other in [topology.id.wrapping_add(1), topology.id.wrapping_sub(1), u32::MAX] {
        world.client(client).topology_id = other;
        assert_eq!(ask(&mut world, client, "dist", &get()).map(|topology| topology.id), Some(topology.id));
    }
}

#[test]
fn a_client_gets_as_much_of_the_view_as_it_understands() {
    let mut world = World::new(2);
    let basic = world.connect_at(0, Version::V4_1, Intelligence::Basic);
    assert_eq!(ask(&mut world, basic, "dist", &get()), None);
    let aware = world.connect_at(0, Version::V3_0, Intelligence::TopologyAware);
    let topology = ask(&mut world, aware, "dist", &get()).expect("a view");
    assert_eq!((topology.members.len(), topology.hash), (2, None));
}

#[test]
fn which_cache_is_asked_decides_what_the_view_is() {
    let mut world = World::new(3);
    let client = world.connect(0);
    assert_eq!(ask(&mut world, client, "local", &get()), None);
    assert!(ask(&mut world, client, "", &Request::Ping {}).is_some(), "that of the default cache");
    assert_eq!(ask(&mut world, client, "", &Request::AuthMechList {}), None);
    assert!(ask(&mut world, client, "", &get()).is_some());
    assert!(ask(&mut world, client, "dist", &Request::Ping {}).is_some());
    assert!(ask(&mut world, client, "org.infinispan.COUNTER", &Request::Ping {}).is_some());
    let replicated = ask(&mut world, client, "repl", &get()).and_then(|topology| topology.hash).expect("owners");
    assert!((0..256).all(|segment| replicated.owners.of(segment).len() == 3));
    let options = RequestOptions::cache("dist");
    let failed = world.ask(client, &options, &Request::Query { query: bytes("x") });
    assert!(failed.is_err(), "an error carries no view");
}

#[test]
fn the_view_follows_those_who_join_leave_and_crash() {
    let mut world = World::new(2);
    let client = world.connect(0);
    let mut ids = vec![world.cluster.topology("dist").unwrap().id];
    let joined = world.cluster.add_member(address(9));
    ids.push(ask(&mut world, client, "dist", &get()).unwrap().id);
    world.cluster.crash_member(joined);
    let seen = ask(&mut world, client, "dist", &Request::Size {}).unwrap();
    assert_eq!(seen.id, ids[1], "the others have not noticed");
    assert_eq!(seen.members.len(), 3);
    world.cluster.exclude_crashed();
    let seen = ask(&mut world, client, "dist", &get()).unwrap();
    assert_eq!(seen.members.len(), 2);
    assert_ne!(seen.id, ids[1]);
    world.cluster.remove_member(MemberId(1));
    let seen = ask(&mut world, client, "dist", &get()).unwrap();
    assert_eq!(seen.members, [address(11222)]);
}

#[test]
fn one_crash_loses_nothing_of_two_owners_and_everything_of_one() {
    let mut world = World::new(3);
    let client = world.connect(0);
    let single: hotrod_embedded::NamedCache = "single:owners=1".parse().unwrap();
    world.cluster.create_cache("single", single.options).unwrap();
    let keys: Vec<_> = (0..300).map(|n| format!("key-{n}")).collect();
    for key in &keys {
        world.put(client, "dist", key, "v");
        world.put(client, "single", key, "v");
        world.put(client, "repl", key, "v");
    }
    let lost: Vec<_> =
        keys.iter().filter(|key| world.cluster.owners("single", key.as_bytes()) == [MemberId(2)]).collect();
    world.cluster.crash_member(MemberId(2));
    world.cluster.exclude_crashed();
    for key in &keys {
        assert!(world.get(client, "dist", key).is_some());
        assert!(world.get(client, "repl", key).is_some());
        assert_eq!(world.get(client, "single", key).is_none(), lost.contains(&key), "{key}");
    }
}

#[test]
fn two_crashes_at_once_lose_what_only_those_two_had() {
    let mut world = World::new(4);
    let client = world.connect(0);
    let keys: Vec<_> = (0..300).map(|n| format!("key-{n}")).collect();
    for key in &keys {
        world.put(client, "dist", key, "v");
    }
    let gone = [MemberId(1), MemberId(3)];
    let only_theirs = |world: &World, key: &str| {
        world.cluster.owners("dist", key.as_bytes()).iter().all(|owner| gone.contains(owner))
    };
    let lost: Vec<_> = keys.iter().filter(|key| only_theirs(&world, key)).collect();
    assert!(!lost.is_empty());
    gone.into_iter().for_each(|member| world.cluster.crash_member(member));
    world.cluster.exclude_crashed();
    for key in &keys {
        assert_eq!(world.get(client, "dist", key).is_none(), lost.contains(&key), "{key}");
    }
}

#[test]
fn hundreds_of_members_are_no_trouble() {
    let mut world = World::with(300, ClusterOptions::default());
    let client = world.connect(299);
    let topology = ask(&mut world, client, "dist", &get()).expect("a view");
    assert_eq!(topology.members.len(), 300);
    world.put(client, "dist", "k", "v");
    assert_eq!(world.get(client, "dist", "k").as_deref(), Some("v"));
}
