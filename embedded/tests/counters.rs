//! Counters and multimaps.

mod common;

use common::{World, bytes};
use hotrod_core::wire::{Body, CounterConfiguration, CounterKind, CounterState, Expiration, Request, Status};

const COUNTERS: &str = "org.infinispan.COUNTER";
const BOUNDED: CounterKind = CounterKind::BoundedStrong { lower: 0, upper: 10 };

fn create(world: &mut World, client: usize, name: &str, kind: CounterKind) -> Status {
    let configuration = CounterConfiguration { kind, persistent: false, initial_value: 5 };
    world.call(client, COUNTERS, Request::CounterCreate { counter: name.into(), configuration }).0
}

fn add(world: &mut World, client: usize, delta: i64) -> (Status, Body) {
    world.call(client, COUNTERS, Request::CounterAddAndGet { counter: "c".into(), delta })
}

fn value(world: &mut World, client: usize) -> i64 {
    match world.call(client, COUNTERS, Request::CounterGet { counter: "c".into() }) {
        (Status::SUCCESS, Body::CounterValue(value)) => value,
        other => panic!("{other:?}"),
    }
}

fn is(value: i64) -> (Status, Body) {
    (Status::SUCCESS, Body::CounterValue(value))
}

const OUT_OF_BOUNDS: (Status, Body) = (Status::NOT_EXECUTED_WITH_PREVIOUS, Body::Nothing);

#[test]
fn a_bounded_counter_stops_at_its_bounds() {
    let mut world = World::new(3);
    let (one, two) = (world.connect(0), world.connect(2));
    assert_eq!(create(&mut world, one, "c", BOUNDED), Status::SUCCESS);
    assert_eq!(create(&mut world, two, "c", BOUNDED), Status::NOT_EXECUTED);
    assert_eq!(add(&mut world, one, 3), is(8));
    assert_eq!(add(&mut world, two, 3), OUT_OF_BOUNDS);
    assert_eq!(value(&mut world, one), 10);
    assert_eq!(add(&mut world, one, 1), OUT_OF_BOUNDS);
    assert_eq!(add(&mut world, one, -4), is(6));
    assert_eq!(add(&mut world, one, i64::MIN), OUT_OF_BOUNDS);
    assert_eq!(value(&mut world, one), 0);
    let counter = || "c".to_owned();
    let swap = |expected, update| Request::CounterCompareAndSwap { counter: counter(), expected, update };
    assert_eq!(world.call(one, COUNTERS, swap(0, 7)), is(0));
    assert_eq!(world.call(one, COUNTERS, swap(0, 8)), is(7));
    assert_eq!(world.call(one, COUNTERS, swap(7, 11)), OUT_OF_BOUNDS);
    let set = |value| Request::CounterGetAndSet { counter: counter(), value };
    assert_eq!(world.call(one, COUNTERS, set(2)), is(7));
    assert_eq!(world.call(one, COUNTERS, set(-1)), OUT_OF_BOUNDS);
    assert_eq!(world.call(one, COUNTERS, Request::CounterReset { counter: counter() }).0, Status::SUCCESS);
    assert_eq!(value(&mut world, two), 5);
}

#[test]
fn a_weak_counter_tells_no_sum_when_added_to() {
    let mut world = World::new(1);
    let client = world.connect(0);
    create(&mut world, client, "c", CounterKind::Weak { concurrency: 4 });
    assert_eq!(add(&mut world, client, i64::MAX), is(0));
    assert_eq!(value(&mut world, client), i64::MAX);
    let set = Request::CounterGetAndSet { counter: "c".into(), value: 1 };
    assert_eq!(world.error(client, COUNTERS, set).0, Status::SERVER_ERROR);
}

#[test]
fn a_counter_that_is_not_there_does_not_exist() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let counter = || "c".to_owned();
    assert_eq!(add(&mut world, client, 1).0, Status::KEY_DOES_NOT_EXIST);
    for request in [
        Request::CounterGet { counter: counter() },
        Request::CounterReset { counter: counter() },
        Request::CounterGetConfiguration { counter: counter() },
        Request::CounterAddListener { counter: counter(), listener_id: bytes("L") },
        Request::CounterRemoveListener { counter: counter(), listener_id: bytes("L") },
    ] {
        assert_eq!(world.call(client, COUNTERS, request).0, Status::KEY_DOES_NOT_EXIST);
    }
    let is_defined = Request::CounterIsDefined { counter: counter() };
    assert_eq!(world.call(client, COUNTERS, is_defined.clone()).0, Status::NOT_EXECUTED);
    create(&mut world, client, "c", BOUNDED);
    assert_eq!(world.call(client, COUNTERS, is_defined).0, Status::SUCCESS);
    let (_, body) = world.call(client, COUNTERS, Request::CounterGetConfiguration { counter: counter() });
    assert!(matches!(body, Body::CounterConfiguration(configuration) if configuration.kind == BOUNDED));
    let (_, names) = world.call(client, COUNTERS, Request::CounterGetNames {});
    assert_eq!(names, Body::Names(vec!["c".into()]));
}

#[test]
fn counter_listeners_hear_changes_and_only_changes() {
    let mut world = World::new(2);
    let (listener, writer) = (world.connect(0), world.connect(1));
    create(&mut world, writer, "c", BOUNDED);
    create(&mut world, writer, "d", BOUNDED);
    let listen = |counter: &str| Request::CounterAddListener { counter: counter.into(), listener_id: bytes("L") };
    assert_eq!(world.call(listener, COUNTERS, listen("c")).0, Status::SUCCESS);
    assert_eq!(world.call(listener, COUNTERS, listen("d")).0, Status::NOT_EXECUTED, "events come here already");
    add(&mut world, writer, 2);
    add(&mut world, writer, 0);
    add(&mut world, writer, 100);
    world.pump();
    let events = std::mem::take(&mut world.client(listener).counter_events);
    let told: Vec<_> = events.iter().map(|event| (event.old_value, event.new_value, event.new_state)).collect();
    assert_eq!(told, [(5, 7, CounterState::Valid), (7, 10, CounterState::UpperBoundReached)]);
    let stop = |counter: &str| Request::CounterRemoveListener { counter: counter.into(), listener_id: bytes("L") };
    assert_eq!(world.call(listener, COUNTERS, stop("c")).0, Status::NOT_EXECUTED, "events still come for the other");
    assert_eq!(world.call(listener, COUNTERS, stop("d")).0, Status::SUCCESS);
}

#[test]
fn a_multimap_keeps_several_values() {
    let mut world = World::new(3);
    let client = world.connect(0);
    let (key, expiration) = (bytes("k"), Expiration::DEFAULT);
    let put = |value: &str, supports_duplicates| Request::PutMultimap {
        key: bytes("k"),
        expiration,
        value: bytes(value),
        supports_duplicates,
    };
    let get = Request::GetMultimap { key: key.clone(), supports_duplicates: false };
    assert_eq!(world.call(client, "dist", get.clone()).0, Status::KEY_DOES_NOT_EXIST);
    for (value, duplicates) in [("a", false), ("b", false), ("a", false), ("b", true)] {
        assert_eq!(world.call(client, "dist", put(value, duplicates)).0, Status::SUCCESS);
    }
    assert_eq!(world.call(client, "dist", get).1, Body::Values(vec![bytes("a"), bytes("b"), bytes("b")]));
    let yes = (Status::SUCCESS, Body::Boolean(true));
    let supports_duplicates = true;
    let entry = |value| (bytes("k"), expiration, bytes(value), supports_duplicates);
    let (key_, _, value, _) = entry("b");
    let contains = Request::ContainsEntryMultimap { key: key_, expiration, value, supports_duplicates };
    assert_eq!(world.call(client, "dist", contains), yes);
    let contains = Request::ContainsValueMultimap { expiration, value: bytes("a"), supports_duplicates };
    assert_eq!(world.call(client, "dist", contains), yes);
    assert_eq!(world.call(client, "dist", Request::SizeMultimap { supports_duplicates }).1, Body::Size(3));
    let remove = Request::RemoveEntryMultimap { key: key.clone(), expiration, value: bytes("b"), supports_duplicates };
    assert_eq!(world.call(client, "dist", remove.clone()), yes);
    assert_eq!(world.call(client, "dist", remove).1, Body::Boolean(false));
    let (_, body) =
        world.call(client, "dist", Request::GetMultimapWithMetadata { key: key.clone(), supports_duplicates });
    assert!(matches!(body, Body::ValuesWithMetadata { values, .. } if values == [bytes("a")]));
    assert_eq!(world.call(client, "dist", Request::RemoveKeyMultimap { key: key.clone(), supports_duplicates }), yes);
    let contains = Request::ContainsKeyMultimap { key, supports_duplicates };
    assert_eq!(world.call(client, "dist", contains).1, Body::Boolean(false));
    assert_eq!(world.call(client, "dist", Request::Size {}).1, Body::Size(0));
}
