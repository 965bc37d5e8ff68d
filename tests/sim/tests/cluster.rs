//! What the cluster machine does in situations that can be named; `simulation.rs` is for those that cannot.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Call, ClusterError, Config, Event, SubmitError};
use hotrod_core::routing::segment_of;
use hotrod_core::session::{self, Applied, OperationError};
use hotrod_core::wire::{Body, Expiration, MediaType, Member, Request, RequestOptions, Status};
use hotrod_sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn get(key: &str) -> Request {
    Request::Get { key: Bytes::copy_from_slice(key.as_bytes()) }
}

fn put(key: &str, value: &str) -> Request {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    Request::Put { key: bytes(key), expiration: Expiration::DEFAULT, value: bytes(value) }
}

/// A client that has the topology and a link to every member.
fn settled(members: u16) -> World {
    let mut world = World::new(members, 7);
    world.call(get("anything")).expect("an answer");
    world.run_for(SECOND);
    world
}

/// The port of the member that owns a key.
fn owner(world: &World, key: &str) -> u16 {
    let owner = world.servers.owners("dist", key.as_bytes())[0];
    *world.by_port.iter().find(|(_, member)| **member == owner).expect("a member").0
}

#[test]
fn every_key_goes_to_its_owner() {
    let mut world = settled(3);
    let before = world.client.counters();
    for n in 0..300 {
        assert_eq!(world.call(put(&format!("key {n}"), "v")).expect("stored").status, Status::SUCCESS);
    }
    let after = world.client.counters();
    assert_eq!((after.direct - before.direct, after.forwarded - before.forwarded), (300, 0));
}

#[test]
fn the_seed_is_let_go_once_the_members_are_known() {
    let world = settled(3);
    let ready: Vec<u16> =
        world.client.members().filter(|member| member.ready).map(|member| member.address.port).collect();
    assert_eq!(ready.len(), 3, "{ready:?}");
    assert!(!ready.contains(&443), "{ready:?}");
}

/// spec/gotchas.md, 5: the server hashes the stored form of a key.
#[test]
fn a_declared_key_is_routed_by_its_stored_form() {
    let mut world = settled(3);
    let mut ask = |key_type: MediaType, key: &str| {
        let before = world.client.counters();
        let now = world.now();
        let mut options = RequestOptions::cache("dist");
        options.key_type = key_type;
        let cache = world.client.cache(now, options);
        let now = world.now();
        let id = world.client.submit(now, Call::new(&cache, get(key))).expect("accepted");
        world.run_until(SECOND, |world| world.answers.contains_key(&id));
        let after = world.client.counters();
        (after.direct - before.direct, after.unrouted - before.unrouted)
    };
    assert_eq!(ask(MediaType::TEXT, "key"), (1, 0), "text is stored as it is in a cache that declares nothing");
    assert_eq!(ask(MediaType::JSON, "\"key\""), (0, 1));
}

#[test]
fn a_view_names_the_owners_of_each_segment() {
    let world = settled(3);
    let view = world.client.view(&world.cache).expect("a view").clone();
    for n in 0..100 {
        let key = format!("key {n}");
        let segment = segment_of(key.as_bytes(), view.segments() as u32) as usize;
        let by_key: Vec<_> = view.owners_of(key.as_bytes()).collect();
        assert_eq!(by_key, view.owners_of_segment(segment).collect::<Vec<_>>());
        let address = world.client.address(by_key[0]).expect("known");
        assert_eq!(address.port, owner(&world, &key));
    }
}

#[test]
fn caches_with_equal_topologies_share_one_view() {
    let mut world = settled(3);
    world.servers.create_cache("other", hotrod_embedded::CacheOptions::default()).expect("created");
    world.servers.create_cache("another", hotrod_embedded::CacheOptions::default()).expect("created");
    let now = world.now();
    let caches = ["other", "another"].map(|name| world.client.cache(now, RequestOptions::cache(name)));
    world.run_for(SECOND);
    let [one, two] = caches.map(|cache| world.client.view(&cache).expect("a view").clone());
    if one == two {
        assert!(std::sync::Arc::ptr_eq(&one, &two));
    } else {
        assert_ne!(one.id(), two.id(), "equal ids and other owners");
    }
}

#[test]
fn reads_go_on_while_an_owner_is_dead() {
    let mut world = settled(3);
    world.call(put("key", "v")).expect("stored");
    let port = owner(&world, "key");
    world.crash(port, false);
    world.exclude_crashed();
    let reply = world.call(get("key")).expect("answered by the other owner");
    assert_eq!(reply.body, Body::Value("v".into()));
}

#[test]
fn a_write_whose_link_breaks_says_that_it_may_have_been_applied() {
    let mut world = settled(3);
    let port = owner(&world, "key");
    world.set_hung(port, true);
    let id =
        world.submit(Request::PutIfAbsent { key: "key".into(), expiration: Expiration::DEFAULT, value: "v".into() });
    world.run_for(Duration::from_millis(10));
    world.crash(port, false);
    world.set_hung(port, false);
    world.run_for(SECOND);
    match world.answers.remove(&id) {
        Some(Err(ClusterError::Operation {
            error: OperationError::Disconnected { applied: Applied::Unknown, .. },
            ..
        })) => {}
        other => panic!("it may have been applied, and must not be sent again: {other:?}"),
    }
}

#[test]
fn a_read_from_a_member_that_hangs_is_answered_by_another() {
    let mut world = settled(3);
    world.call(put("key", "v")).expect("stored");
    let port = owner(&world, "key");
    world.set_hung(port, true);
    let before = world.now();
    assert_eq!(world.call(get("key")).expect("answered").body, Body::Value("v".into()));
    assert!(world.now() - before >= 10 * SECOND, "only once nothing is received for the stall timeout");
    assert_eq!(world.client.counters().retries, 1);
}

#[test]
fn a_member_that_joins_gets_its_share_at_once() {
    let mut world = settled(3);
    let port = world.join();
    world.call(get("anything")).expect("brings the topology");
    world.run_for(SECOND);
    let joined = world.client.members().find(|member| member.address.port == port).expect("known");
    assert!(joined.ready, "a link is open ahead of need");
    let key = (0..1000).map(|n| format!("key {n}")).find(|key| owner(&world, key) == port).expect("it owns something");
    let before = world.client.counters().direct;
    world.call(put(&key, "v")).expect("stored");
    assert_eq!(world.client.counters().direct, before + 1);
}

#[test]
fn a_member_that_left_is_forgotten() {
    let mut world = settled(3);
    let port = owner(&world, "key");
    world.leave(port);
    for n in 0..20 {
        world.call(get(&format!("key {n}"))).expect("answered");
    }
    world.run_for(SECOND);
    let ports: Vec<u16> = world.client.members().map(|member| member.address.port).collect();
    assert!(!ports.contains(&port), "{ports:?}");
}

#[test]
fn a_quiet_client_hears_of_new_members() {
    let mut world = settled(3);
    let port = world.join();
    world.run_for(40 * SECOND);
    assert!(world.client.members().any(|member| member.address.port == port && member.ready));
}

#[test]
fn with_every_member_gone_the_seeds_are_asked() {
    let mut world = settled(2);
    let ports: Vec<u16> = world.by_port.keys().copied().collect();
    let joined = world.join();
    for port in ports {
        world.leave(port);
    }
    // The client knows only members that are gone; the balancer knows the one that is there.
    assert_eq!(world.call(get("key")).expect("answered").status, Status::KEY_DOES_NOT_EXIST);
    world.run_for(SECOND);
    assert!(world.client.members().any(|member| member.address.port == joined && member.ready));
    assert!(!world.client.is_degraded());
}

#[test]
fn nobody_there_is_said_at_the_deadline() {
    let mut world = World::new(0, 7);
    let error = world.call(get("key")).expect_err("nobody is there");
    let text = error.to_string();
    assert!(matches!(error, ClusterError::Unreachable { applied: Applied::No, .. }), "{error:?}");
    assert!(text.contains("GET") && text.contains("15000 ms") && text.contains("connection refused"), "{text}");
}

#[test]
fn attempts_to_reach_a_dead_member_get_rarer() {
    let mut world = World::new(0, 7);
    world.submit(get("key"));
    world.run_for(14 * SECOND);
    let attempts = world.client.counters().connects;
    assert!((5..=12).contains(&attempts), "{attempts}: doubling from 100 ms to 10 s");
}

#[test]
fn what_waits_has_a_limit() {
    let mut config = Config::new(vec![Member { host: "10.0.0.1".into(), port: 443 }]);
    config.max_waiting = 3;
    let mut world = World::with(0, 7, config);
    // The machine's own question about the cache is one of them.
    world.submit(get("a"));
    world.submit(get("b"));
    let (now, call) = (world.now(), Call::new(&world.cache, get("c")));
    let refused = world.client.submit(now, call);
    assert_eq!(refused, Err(SubmitError::Full { waiting: 3 }));
}

#[test]
fn a_cache_of_another_machine_is_refused() {
    let mut one = World::new(1, 7);
    let mut other = World::new(1, 8);
    let now = other.now();
    let foreign = other.client.cache(now, RequestOptions::cache("only there"));
    let now = one.now();
    let refused = one.client.submit(now, Call::new(&foreign, get("key")));
    assert_eq!(refused, Err(SubmitError::ForeignCache));
}

#[test]
fn an_operation_that_was_cancelled_is_never_answered() {
    let mut world = settled(3);
    let id = world.submit(get("key"));
    assert!(world.client.cancel(id));
    assert!(!world.client.cancel(id));
    world.run_for(SECOND);
    assert!(world.answers.is_empty());
    assert_eq!(world.client.in_flight(), 0);
    assert!(world.client.members().all(|member| member.in_flight == 0));
}

#[test]
fn an_operation_of_one_member_goes_nowhere_else() {
    let mut world = settled(3);
    let member = world.client.members().find(|member| member.ready).expect("a member");
    let call = Call { member: Some(member.id), ..Call::new(&world.cache, Request::Size {}) };
    let now = world.now();
    let id = world.client.submit(now, call.clone()).expect("accepted");
    world.run_for(SECOND);
    assert!(world.answers.remove(&id).expect("an answer").is_ok());
    world.leave(member.address.port);
    for n in 0..20 {
        world.call(get(&format!("key {n}"))).expect("answered");
    }
    let now = world.now();
    let id = world.client.submit(now, call).expect("accepted");
    world.run_for(SECOND);
    assert!(matches!(world.answers.remove(&id), Some(Err(ClusterError::MemberGone { applied: Applied::No, .. }))));
}

#[test]
fn close_lets_what_is_in_flight_finish() {
    let mut world = settled(3);
    let id = world.submit(get("key"));
    let now = world.now();
    world.client.close(now);
    let (now, call) = (world.now(), Call::new(&world.cache, get("key")));
    assert_eq!(world.client.submit(now, call), Err(SubmitError::Closed));
    world.run_for(SECOND);
    assert!(world.answers.remove(&id).expect("an answer").is_ok());
    assert!(world.client.is_closed());
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_version_that_no_member_speaks_fails_at_once() {
    let mut settings = session::Config::default();
    settings.version = session::VersionChoice::Exactly(hotrod_core::wire::Version::V2_0);
    let session = settings;
    let mut config = Config::new(vec![Member { host: "10.0.0.1".into(), port: 443 }]);
    config.session = session;
    let mut world = World::with(1, 7, config);
    let error =
        world.call(Request::Exec { task: "task".into(), parameters: Vec::new() }).expect_err("2.0 has no tasks");
    assert!(matches!(error, ClusterError::Refused { .. }), "{error}");
}

#[test]
fn a_host_is_told_who_comes_and_goes() {
    let mut world = settled(2);
    let port = *world.by_port.keys().next().expect("a member");
    assert!(world.events.iter().any(|event| matches!(event, Event::Topology { members: 2, .. })));
    world.events.clear();
    world.crash(port, false);
    world.run_for(SECOND);
    let unavailable = world.events.iter().any(|event| {
        matches!(event, Event::MemberUnavailable { address, reason, .. }
            if address.port == port && reason.to_string().contains("connection reset"))
    });
    assert!(unavailable, "{:?}", world.events);
}

/// A client that has reached no member does not trust its topology id: a cluster made anew may have the same one.
#[test]
fn a_degraded_client_has_the_topology_sent_anew() {
    let mut world = settled(3);
    let before = world.client.counters().topologies;
    let ports: Vec<u16> = world.by_port.keys().copied().chain([443]).collect();
    world.part(0, &ports);
    assert!(world.run_until(120 * SECOND, |world| world.client.is_degraded()));
    world.reunite(0, true);
    assert!(world.run_until(120 * SECOND, |world| !world.client.is_degraded()));
    assert_eq!(world.call(put("key", "v")).expect("stored").status, Status::SUCCESS);
    assert!(world.client.counters().topologies > before, "it has the same id, and came all the same");
    let before = world.client.counters().topologies;
    assert_eq!(world.call(put("key", "v")).expect("stored").status, Status::SUCCESS);
    assert_eq!(world.client.counters().topologies, before, "once");
}
