//! Operations on one key: statuses and previous values are those of the Infinispan server.

mod common;

use common::{World, bytes};
use hotrod_core::wire::{Body, Expiration, Flags, Intelligence, Request, RequestOptions, Status, Version};

const FORCE: Flags = Flags::FORCE_RETURN_VALUE;

fn put_request(value: &str) -> Request {
    Request::Put { key: bytes("k"), expiration: Expiration::DEFAULT, value: bytes(value) }
}

fn put_if_absent(value: &str) -> Request {
    Request::PutIfAbsent { key: bytes("k"), expiration: Expiration::DEFAULT, value: bytes(value) }
}

fn replace(value: &str) -> Request {
    Request::Replace { key: bytes("k"), expiration: Expiration::DEFAULT, value: bytes(value) }
}

fn replace_version(entry_version: u64) -> Request {
    let (key, expiration, value) = (bytes("k"), Expiration::DEFAULT, bytes("new"));
    Request::ReplaceIfUnmodified { key, expiration, entry_version, value }
}

fn previous(body: Body) -> Option<String> {
    match body {
        Body::Previous(None) => None,
        Body::Previous(Some(previous)) => Some(String::from_utf8(previous.value.to_vec()).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_written_value_is_read_at_every_member_of_every_cache() {
    let mut world = World::new(3);
    let (one, two) = (world.connect(0), world.connect(2));
    for cache in ["", "dist", "repl"] {
        assert_eq!(world.get(one, cache, "k"), None);
        world.put(one, cache, "k", "v");
        assert_eq!(world.get(two, cache, "k").as_deref(), Some("v"), "{cache}");
    }
    world.put(one, "local", "k", "v");
    assert_eq!(world.get(one, "local", "k").as_deref(), Some("v"));
    assert_eq!(world.get(two, "local", "k"), None, "each member has its own");
}

#[test]
fn put_tells_what_was_there_if_asked() {
    for version in Version::ALL {
        let mut world = World::new(1);
        let client = world.connect_at(0, version, Intelligence::HashDistributionAware);
        let (status, body) = world.flagged(client, "dist", FORCE, put_request("a"));
        assert_eq!((status, previous(body)), (Status::SUCCESS_WITH_PREVIOUS, None));
        let (status, body) = world.flagged(client, "dist", FORCE, put_request("b"));
        assert_eq!((status, previous(body).as_deref()), (Status::SUCCESS_WITH_PREVIOUS, Some("a")));
        assert_eq!(world.call(client, "dist", put_request("c")), (Status::SUCCESS, Body::Nothing));
    }
}

#[test]
fn put_if_absent_leaves_what_is_there() {
    let mut world = World::new(2);
    let client = world.connect(0);
    assert_eq!(world.flagged(client, "dist", FORCE, put_if_absent("a")), (Status::SUCCESS, Body::Nothing));
    assert_eq!(world.call(client, "dist", put_if_absent("b")), (Status::NOT_EXECUTED, Body::Nothing));
    let (status, body) = world.flagged(client, "dist", FORCE, put_if_absent("b"));
    assert_eq!((status, previous(body).as_deref()), (Status::NOT_EXECUTED_WITH_PREVIOUS, Some("a")));
    assert_eq!(world.get(client, "dist", "k").as_deref(), Some("a"));
}

#[test]
fn replace_needs_something_to_replace() {
    let mut world = World::new(2);
    let client = world.connect(0);
    assert_eq!(world.flagged(client, "dist", FORCE, replace("a")), (Status::NOT_EXECUTED, Body::Nothing));
    world.put(client, "dist", "k", "a");
    let (status, body) = world.flagged(client, "dist", FORCE, replace("b"));
    assert_eq!((status, previous(body).as_deref()), (Status::SUCCESS_WITH_PREVIOUS, Some("a")));
    assert_eq!(world.get(client, "dist", "k").as_deref(), Some("b"));
}

#[test]
fn a_version_guards_against_changes_in_between() {
    let mut world = World::new(3);
    let client = world.connect(1);
    let missing = (Status::KEY_DOES_NOT_EXIST, Body::Nothing);
    assert_eq!(world.call(client, "dist", replace_version(1)), missing);
    let remove = |entry_version| Request::RemoveIfUnmodified { key: bytes("k"), entry_version };
    assert_eq!(world.call(client, "dist", remove(1)), missing);

    world.put(client, "dist", "k", "a");
    let version = world.version(client, "dist", "k");
    world.put(client, "dist", "k", "b");
    assert_eq!(world.call(client, "dist", replace_version(version)), (Status::NOT_EXECUTED, Body::Nothing));
    let (status, body) = world.flagged(client, "dist", FORCE, remove(version));
    assert_eq!((status, previous(body).as_deref()), (Status::NOT_EXECUTED_WITH_PREVIOUS, Some("b")));

    let version = world.version(client, "dist", "k");
    let (status, body) = world.flagged(client, "dist", FORCE, replace_version(version));
    assert_eq!((status, previous(body).as_deref()), (Status::SUCCESS_WITH_PREVIOUS, Some("b")));
    let version = world.version(client, "dist", "k");
    assert_eq!(world.call(client, "dist", remove(version)), (Status::SUCCESS, Body::Nothing));
    assert_eq!(world.get(client, "dist", "k"), None);
}

#[test]
fn remove_and_contains_know_what_is_there() {
    let mut world = World::new(3);
    let client = world.connect(0);
    let contains = || Request::ContainsKey { key: bytes("k") };
    let remove = || Request::Remove { key: bytes("k") };
    assert_eq!(world.call(client, "repl", contains()).0, Status::KEY_DOES_NOT_EXIST);
    assert_eq!(world.call(client, "repl", remove()).0, Status::KEY_DOES_NOT_EXIST);
    world.put(client, "repl", "k", "v");
    assert_eq!(world.call(client, "repl", contains()).0, Status::SUCCESS);
    let (status, body) = world.flagged(client, "repl", FORCE, remove());
    assert_eq!((status, previous(body).as_deref()), (Status::SUCCESS_WITH_PREVIOUS, Some("v")));
    assert_eq!(world.call(client, "repl", contains()).0, Status::KEY_DOES_NOT_EXIST);
}

#[test]
fn metadata_tells_version_and_lifetimes() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let lifespan = Expiration::after(hotrod_core::wire::Lifetime::seconds(90));
    world.put_for(client, "dist", "k", "v", lifespan);
    let version = world.version(client, "dist", "k");
    let (_, body) = world.call(client, "dist", Request::GetWithMetadata { key: bytes("k") });
    let Body::ValueWithMetadata { metadata, value } = body else { panic!("{body:?}") };
    assert_eq!((metadata.version, value), (version, bytes("v")));
    let left = metadata.lifespan.unwrap();
    assert_eq!((left.since, left.seconds), (common::START_MS, 90));
    assert_eq!(metadata.max_idle, None);
}

#[test]
fn a_cache_that_is_not_there_is_named_as_the_server_names_it() {
    let mut world = World::new(1);
    let client = world.connect(0);
    for request in [Request::Get { key: bytes("k") }, Request::Ping {}, Request::Stats {}] {
        let (status, message) = world.error(client, "nowhere", request);
        assert_eq!(status, Status::PARSE_ERROR);
        assert!(message.contains("CacheNotFoundException: Cache with name 'nowhere' not found amongst"), "{message}");
    }
}

#[test]
fn a_full_cache_refuses_writes_and_serves_reads() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let small: hotrod_embedded::NamedCache = "small:max-entries=2,max-bytes=1000".parse().unwrap();
    world.cluster.create_cache("small", small.options).unwrap();
    world.put(client, "small", "a", "1");
    world.put(client, "small", "b", "2");
    let put = |key: &str, size| Request::Put {
        key: bytes(key),
        expiration: Expiration::DEFAULT,
        value: vec![0; size].into(),
    };
    let (status, message) = world.error(client, "small", put("c", 1));
    assert_eq!(status, Status::SERVER_ERROR);
    assert!(message.contains("full") && message.contains("2 entries"), "{message}");
    let (_, message) = world.error(client, "small", put("a", 2000));
    assert!(message.contains("bytes"), "{message}");
    world.put(client, "small", "a", "3");
    assert_eq!(world.get(client, "small", "b").as_deref(), Some("2"));
}

#[test]
fn what_is_not_supported_says_so() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let (status, message) = world.error(client, "dist", Request::Query { query: bytes("x") });
    assert_eq!((status, message.as_str()), (Status::SERVER_ERROR, "QUERY is not supported by the embedded server"));
    let (_, body) = world.call(client, "dist", Request::Ping {});
    let Body::Ping(ping) = body else { panic!("{body:?}") };
    assert!(ping.operations.contains(&0x01) && !ping.operations.contains(&0x1f));
    assert_eq!(ping.server_version, Some(41));
}

#[test]
fn a_member_that_stops_says_so_and_one_that_crashed_is_suspected() {
    let mut world = World::new(2);
    let (one, two) = (world.connect(0), world.connect(1));
    let members: Vec<_> = world.cluster.members().map(|(id, _)| id).collect();
    world.cluster.set_member_state(members[1], hotrod_embedded::MemberState::Stopping);
    let (status, _) = world.error(two, "dist", Request::Get { key: bytes("k") });
    assert_eq!(status, Status::ILLEGAL_LIFECYCLE_STATE);
    world.cluster.crash_member(members[1]);
    world.pump();
    assert_eq!(world.client(two).closed.as_deref(), Some("the member is gone"));
    let of_crashed =
        (0..1000).map(|n| format!("key-{n}")).find(|key| world.cluster.owners("dist", key.as_bytes())[0] == members[1]);
    let key = bytes(&of_crashed.unwrap());
    let put = Request::Put { key, expiration: Expiration::DEFAULT, value: bytes("v") };
    let (status, message) = world.ask(one, &RequestOptions::cache("dist"), &put).unwrap_err();
    assert_eq!(status, Status::NODE_SUSPECTED, "{message}");
    world.cluster.exclude_crashed();
    assert!(world.ask(one, &RequestOptions::cache("dist"), &put).is_ok());
}
