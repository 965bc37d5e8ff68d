//! Operations on many keys, statistics, tasks.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use common::{World, bytes};
use hotrod_core::wire::{Body, Expiration, Intelligence, Request, Status, Version};

fn fill(world: &mut World, client: usize, cache: &str, count: usize) {
    let entries = (0..count).map(|n| (bytes(&format!("key-{n}")), bytes(&format!("value-{n}")))).collect();
    let put_all = Request::PutAll { expiration: Expiration::DEFAULT, entries };
    assert_eq!(world.call(client, cache, put_all), (Status::SUCCESS, Body::Nothing));
}

fn statistics(world: &mut World, client: usize, cache: &str) -> BTreeMap<String, String> {
    match world.call(client, cache, Request::Stats {}) {
        (Status::SUCCESS, Body::Statistics(pairs)) => pairs.into_iter().collect(),
        other => panic!("{other:?}"),
    }
}

fn exec(task: &str, parameters: &[(&str, &str)]) -> Request {
    let parameters = parameters.iter().map(|(name, value)| ((*name).into(), bytes(value))).collect();
    Request::Exec { task: task.into(), parameters }
}

#[test]
fn what_is_put_together_is_got_together() {
    let mut world = World::new(3);
    let client = world.connect(0);
    fill(&mut world, client, "dist", 100);
    let keys = vec![bytes("key-1"), bytes("nothing"), bytes("key-99")];
    let (_, body) = world.call(client, "dist", Request::GetAll { keys });
    let expected = vec![(bytes("key-1"), bytes("value-1")), (bytes("key-99"), bytes("value-99"))];
    assert_eq!(body, Body::Entries(expected));
    assert_eq!(world.call(client, "dist", Request::Size {}).1, Body::Size(100));

    let (_, body) = world.call(client, "dist", Request::BulkGetKeys { scope: 0 });
    let Body::Keys(keys) = body else { panic!("{body:?}") };
    assert_eq!(keys.into_iter().collect::<BTreeSet<Bytes>>().len(), 100);
    let (_, body) = world.call(client, "dist", Request::BulkGet { count: 7 });
    assert!(matches!(body, Body::Entries(entries) if entries.len() == 7));
    let (_, body) = world.call(client, "dist", Request::BulkGet { count: 0 });
    assert!(matches!(body, Body::Entries(entries) if entries.len() == 100));

    assert_eq!(world.call(client, "dist", Request::Clear {}), (Status::SUCCESS, Body::Nothing));
    assert_eq!(world.call(client, "dist", Request::Size {}).1, Body::Size(0));
}

#[test]
fn statistics_tell_where_operations_arrived_and_whether_at_the_owner() {
    let mut world = World::new(3);
    let clients: Vec<_> = (0..3).map(|member| world.connect(member)).collect();
    let members: Vec<_> = world.cluster.members().map(|(id, _)| id).collect();
    for n in 0..60 {
        let key = format!("key-{n}");
        let owner = world.cluster.owners("dist", key.as_bytes())[0];
        let at_owner = members.iter().position(|member| *member == owner).unwrap();
        // Another member writes every third entry.
        let at = if n % 3 == 0 { (at_owner + 1) % 3 } else { at_owner };
        world.put(clients[at], "dist", &key, "v");
    }
    let (mut stores, mut direct, mut forwarded, mut unique) = (0, 0, 0, 0);
    for client in &clients {
        let statistics = statistics(&mut world, *client, "dist");
        let number = |name: &str| statistics[name].parse::<u64>().unwrap();
        assert_eq!((number("globalStores"), number("globalApproximateEntriesUnique")), (60, 60));
        assert_eq!(number("globalApproximateEntries"), 120);
        stores += number("stores");
        direct += number("directHits");
        forwarded += number("forwarded");
        unique += number("approximateEntriesUnique");
    }
    assert_eq!((stores, direct, forwarded, unique), (60, 40, 20, 60));
    assert_eq!(members.iter().map(|member| world.cluster.counts("dist", *member).direct_hits).sum::<u64>(), 40);
}

#[test]
fn statistics_of_the_cluster_are_for_2_4_and_later() {
    let mut world = World::new(1);
    let old = world.connect_at(0, Version::V2_3, Intelligence::Basic);
    assert!(!statistics(&mut world, old, "dist").contains_key("globalStores"));
    let new = world.connect(0);
    world.get(new, "dist", "nothing");
    let statistics = statistics(&mut world, new, "dist");
    assert_eq!((statistics["misses"].as_str(), statistics["globalMisses"].as_str()), ("1", "1"));
    assert_eq!((statistics["retrievals"].as_str(), statistics["hits"].as_str()), ("1", "0"));
    assert!(statistics["totalBytesRead"].parse::<u64>().unwrap() > 0);
}

#[test]
fn caches_are_made_and_removed_by_task() {
    let mut world = World::new(3);
    let client = world.connect(0);
    let done = (Status::SUCCESS, Body::Value(Bytes::new()));
    let xml = r#"<distributed-cache owners="1" segments="20"/>"#;
    let create = [("name", "mine"), ("configuration", xml)];
    assert_eq!(world.call(client, "", exec("@@cache@create", &create)), done);
    assert_eq!(world.cluster.topology("mine").unwrap().hash.as_ref().unwrap().segments, 20);
    let (status, message) = world.error(client, "", exec("@@cache@create", &create));
    assert_eq!(status, Status::SERVER_ERROR);
    assert!(message.contains("Cache mine already exists"), "{message}");
    assert_eq!(world.call(client, "", exec("@@cache@getorcreate", &create)), done);

    let (_, names) = world.call(client, "", exec("@@cache@names", &[]));
    assert_eq!(
        names,
        Body::Value(bytes(r#"["___protobuf_metadata","___script_cache","default","dist","local","mine","repl"]"#))
    );
    world.put(client, "mine", "k", "v");
    assert_eq!(world.call(client, "", exec("@@cache@remove", &[("name", "mine")])), done);
    assert!(world.error(client, "mine", Request::Size {}).1.contains("CacheNotFoundException"));
    let (_, message) = world.error(client, "", exec("@@cache@reindex", &[]));
    assert_eq!(message, "java.lang.IllegalArgumentException: ISPN027002: Unknown task '@@cache@reindex'");
}
