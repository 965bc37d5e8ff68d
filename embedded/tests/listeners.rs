//! Listeners: which events are sent and when, and the end of a client that does not read them.

mod common;

use common::{World, bytes};
use hotrod_core::wire::{
    Body, EventData, Expiration, Factory, Flags, Interests, Lifetime, ListenerOptions, Request, Status,
};
use hotrod_embedded::{ClusterOptions, Connection};

fn add(id: &str, options: ListenerOptions) -> Request {
    Request::AddClientListener { listener_id: bytes(id), options }
}

fn listen(world: &mut World, client: usize, cache: &str, id: &str, options: ListenerOptions) {
    assert_eq!(world.call(client, cache, add(id, options)), (Status::SUCCESS, Body::Nothing));
}

fn remove(world: &mut World, client: usize, cache: &str, key: &str) {
    world.call(client, cache, Request::Remove { key: bytes(key) });
}

#[test]
fn a_listener_hears_what_happens_at_any_member() {
    let mut world = World::new(3);
    let (listener, writer) = (world.connect(0), world.connect(2));
    listen(&mut world, listener, "dist", "L", ListenerOptions::default());
    world.put(writer, "dist", "a", "1");
    world.put(listener, "dist", "a", "2");
    world.put_for(writer, "dist", "b", "1", Expiration::after(Lifetime::seconds(1)));
    remove(&mut world, writer, "dist", "a");
    world.put(writer, "repl", "a", "not this cache");
    world.pass(1000);
    let expected = ["Created a", "Modified a", "Created b", "Removed a", "Expired b"];
    assert_eq!(world.events(listener), expected);
    assert!(world.events(writer).is_empty());
}

#[test]
fn events_carry_the_version_that_was_written_and_no_message_id() {
    let mut world = World::new(1);
    let client = world.connect(0);
    listen(&mut world, client, "dist", "L", ListenerOptions::default());
    world.put(client, "dist", "k", "v");
    let version = world.version(client, "dist", "k");
    let event = world.client(client).events.pop().unwrap();
    assert_eq!((event.message_id, event.listener_id, event.retried), (0, bytes("L"), false));
    assert_eq!(event.data, EventData::Key { key: bytes("k"), version: Some(version) });
}

#[test]
fn a_local_cache_tells_only_of_its_own_member() {
    let mut world = World::new(2);
    let (here, there) = (world.connect(0), world.connect(1));
    listen(&mut world, here, "local", "L", ListenerOptions::default());
    world.put(there, "local", "k", "v");
    assert!(world.events(here).is_empty());
    world.put(here, "local", "k", "v");
    assert_eq!(world.events(here), ["Created k"]);
}

#[test]
fn interests_and_flags_choose_events() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let interests = Interests::MODIFIED | Interests::REMOVED;
    listen(&mut world, client, "dist", "L", ListenerOptions { interests, ..ListenerOptions::default() });
    world.put(client, "dist", "k", "1");
    world.put(client, "dist", "k", "2");
    let quiet = Request::Put { key: bytes("k"), expiration: Expiration::DEFAULT, value: bytes("3") };
    world.flagged(client, "dist", Flags::SKIP_LISTENER_NOTIFICATION, quiet);
    world.call(client, "dist", Request::Clear {});
    assert_eq!(world.events(client), ["Modified k", "Removed k"]);
}

#[test]
fn a_listener_that_is_removed_or_whose_client_left_hears_nothing() {
    let mut world = World::new(1);
    let (one, two) = (world.connect(0), world.connect(0));
    let gone = Request::RemoveClientListener { listener_id: bytes("L") };
    assert_eq!(world.call(one, "dist", gone.clone()).0, Status::NOT_EXECUTED);
    listen(&mut world, one, "dist", "L", ListenerOptions::default());
    assert_eq!(world.call(one, "dist", gone).0, Status::SUCCESS);
    world.put(two, "dist", "k", "v");
    assert!(world.events(one).is_empty());
    listen(&mut world, one, "dist", "L", ListenerOptions::default());
    world.disconnect(one);
    world.put(two, "dist", "k", "v");
    assert!(world.cluster.poll_wakeup().is_none());
}

#[test]
fn current_state_comes_before_the_answer_and_what_happens_meanwhile_once() {
    let options = ClusterOptions { max_send_bytes: 2000, ..ClusterOptions::default() };
    let mut world = World::with(2, options);
    let (listener, writer) = (world.connect(0), world.connect(1));
    for n in 0..500 {
        world.put(writer, "dist", &format!("key-{n}"), "v");
    }
    // The client does not read, so that a part of the state is sent.
    world.client(listener).reads = false;
    let request = add("L", ListenerOptions { include_current_state: true, ..ListenerOptions::default() });
    let id = world.submit(listener, &hotrod_core::wire::RequestOptions::cache("dist"), &request);
    world.pump();
    for n in 0..500 {
        if n % 5 == 0 {
            remove(&mut world, writer, "dist", &format!("key-{n}"));
        }
    }
    world.client(listener).reads = true;
    let reply = world.result(listener, id).expect("an answer").expect("success");
    assert_eq!(reply.status, Status::SUCCESS);
    let message_id = reply.message_id;
    let state_events = world.client(listener).events.iter().filter(|event| event.message_id == message_id).count();
    let mut known = std::collections::BTreeSet::new();
    let events = world.events(listener);
    for event in &events {
        match event.split_once(' ').unwrap() {
            ("Created", key) => assert!(known.insert(key.to_owned()), "{key} twice"),
            ("Removed", key) => assert!(known.remove(key), "{key} was never told"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(known.len(), 400);
    assert!(state_events > 400, "some were told before they were removed");
    world.put(writer, "dist", "later", "v");
    assert_eq!(world.events(listener), ["Created later"]);
}

#[test]
fn factories_are_refused_in_the_servers_words() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let filter = Some(Factory { name: "mine".into(), parameters: Vec::new() });
    let (status, message) = world.error(client, "dist", add("L", ListenerOptions { filter, ..Default::default() }));
    assert_eq!(status, Status::SERVER_ERROR);
    assert!(message.contains("Listener key/value filter factory 'mine' not found in server"), "{message}");
}

#[test]
fn a_near_cache_hears_only_of_keys_that_it_may_hold() {
    let mut world = World::new(2);
    let (near, writer) = (world.connect(0), world.connect(1));
    let update = |bits: &'static [u8]| Request::UpdateBloomFilter { bloom_filter: bits.into() };
    assert_eq!(world.call(near, "dist", update(&[])).0, Status::NOT_EXECUTED);
    let request = Request::AddBloomFilterListener { listener_id: bytes("N"), bloom_bits: 4096 };
    assert_eq!(world.call(near, "dist", request).0, Status::SUCCESS);
    world.put(writer, "dist", "read", "1");
    world.put(writer, "dist", "unread", "1");
    assert!(world.events(near).is_empty());
    world.call(near, "dist", Request::GetWithMetadata { key: bytes("read") });
    world.put(writer, "dist", "read", "2");
    world.put(writer, "dist", "unread", "2");
    assert_eq!(world.events(near), ["Modified read"]);
    assert_eq!(world.call(near, "dist", update(&[])).0, Status::SUCCESS);
    world.put(writer, "dist", "read", "3");
    assert!(world.events(near).is_empty());
}

#[test]
fn a_client_that_does_not_read_its_events_is_disconnected_and_nobody_else() {
    let options = ClusterOptions { max_send_bytes: 1000, max_event_bytes: 10_000, ..ClusterOptions::default() };
    let mut world = World::with(1, options);
    let (slow, writer) = (world.connect(0), world.connect(0));
    listen(&mut world, slow, "dist", "L", ListenerOptions::default());
    world.client(slow).reads = false;
    for n in 0..1000 {
        world.put(writer, "dist", &format!("key-{n}"), "v");
    }
    let closed = world.client(slow).closed.clone().expect("closed");
    assert!(closed.contains("has not read its events"), "{closed}");
    assert_eq!(world.get(writer, "dist", "key-999").as_deref(), Some("v"));
}

#[test]
fn a_client_that_does_not_read_its_answers_is_not_read_from() {
    let options = ClusterOptions { max_send_bytes: 1000, ..ClusterOptions::default() };
    let mut world = World::with(1, options);
    let writer = world.connect(0);
    world.put(writer, "dist", "k", &"v".repeat(600));
    world.client(writer).reads = false;
    let get = Request::Get { key: bytes("k") };
    let options = hotrod_core::wire::RequestOptions::cache("dist");
    let ids: Vec<_> = (0..10).map(|_| world.submit(writer, &options, &get)).collect();
    world.pump();
    let before = world.cluster.counts("dist", hotrod_embedded::MemberId(0)).hits;
    assert!(before <= 3, "{before} of 10 were executed though nobody read");
    world.client(writer).reads = true;
    assert!(ids.into_iter().all(|id| matches!(world.result(writer, id), Some(Ok(_)))));
}

#[test]
fn connections_are_limited() {
    let options = ClusterOptions { max_connections: 1, ..ClusterOptions::default() };
    let mut world = World::with(1, options);
    let first = world.connect(0);
    let member = hotrod_embedded::MemberId(0);
    assert!(Connection::open(&mut world.cluster, member).is_err());
    world.disconnect(first);
    assert!(Connection::open(&mut world.cluster, member).is_ok());
}
