//! Listeners: what they hear, and what becomes of them when their member is lost.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Event, ListenerId, ListenerKind, MemberId};
use hotrod_core::wire::{EventData, Expiration, ListenerOptions, Request, RequestOptions};
use hotrod_sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn put(key: &str) -> Request {
    Request::Put { key: Bytes::copy_from_slice(key.as_bytes()), expiration: Expiration::DEFAULT, value: "v".into() }
}

fn settled(members: u16) -> World {
    let mut world = World::new(members, 5);
    world.call(put("anything")).expect("stored");
    world.run_for(SECOND);
    world
}

fn listen(world: &mut World, options: ListenerOptions) -> ListenerId {
    let (now, cache) = (world.now(), world.cache.clone());
    let listener = world.client.listen(now, &cache, ListenerKind::Cache(options)).expect("accepted");
    assert!(world.run_until(SECOND, |world| world.has_told(is_registered(listener))), "it is registered");
    listener
}

fn is_registered(wanted: ListenerId) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::ListenerRegistered { listener, .. } if *listener == wanted)
}

/// The keys that a listener was told of.
fn heard(world: &World, wanted: ListenerId) -> Vec<Bytes> {
    let keys = world.events.iter().filter_map(|event| match event {
        Event::Entry { listener, event, .. } if *listener == wanted => match &event.data {
            EventData::Key { key, .. } => Some(key.clone()),
            _ => None,
        },
        _ => None,
    });
    keys.collect()
}

fn served_by(world: &World, wanted: ListenerId) -> MemberId {
    let served = world.events.iter().rev().find_map(|event| match event {
        Event::ListenerRegistered { listener, member } | Event::ListenerMoved { listener, member } => {
            (*listener == wanted).then_some(*member)
        }
        _ => None,
    });
    served.expect("it is served")
}

fn port_of(world: &World, member: MemberId) -> u16 {
    world.client.address(member).expect("known").port
}

#[test]
fn a_listener_hears_of_writes_on_every_member() {
    let mut world = settled(3);
    let listener = listen(&mut world, ListenerOptions::default());
    for n in 0..30 {
        world.call(put(&format!("key {n}"))).expect("stored");
    }
    world.run_for(SECOND);
    assert_eq!(heard(&world, listener).len(), 30);
}

/// A listener outlives its member, and the application is told that it may have missed something.
#[test]
fn a_listener_moves_when_its_member_dies() {
    for silently in [false, true] {
        let mut world = settled(3);
        let listener = listen(&mut world, ListenerOptions::default());
        let first = served_by(&world, listener);
        world.crash(port_of(&world, first), silently);
        world.exclude_crashed();
        let moved = |event: &Event| matches!(event, Event::ListenerMoved { listener: moved, .. } if *moved == listener);
        assert!(world.run_until(60 * SECOND, |world| world.has_told(moved)), "silently: {silently}");
        assert_ne!(served_by(&world, listener), first);
        world.events.retain(|event| !matches!(event, Event::Entry { .. }));
        world.call(put("after")).expect("stored");
        world.run_for(SECOND);
        assert_eq!(heard(&world, listener), ["after"]);
        assert_eq!(world.client.counters().listener_failovers, 1);
    }
}

#[test]
fn a_listener_moves_when_its_member_leaves() {
    let mut world = settled(3);
    let listener = listen(&mut world, ListenerOptions::default());
    let first = served_by(&world, listener);
    world.leave(port_of(&world, first));
    world.call(put("anything")).expect("brings the topology");
    world.run_for(5 * SECOND);
    assert_ne!(served_by(&world, listener), first);
}

#[test]
fn a_listener_comes_back_with_the_only_member() {
    let mut world = settled(1);
    let listener = listen(&mut world, ListenerOptions::default());
    for _ in 0..4 {
        world.cut_one();
    }
    world.run_for(5 * SECOND);
    world.events.clear();
    world.call(put("after")).expect("stored");
    world.run_for(SECOND);
    assert_eq!(heard(&world, listener), ["after"]);
}

#[test]
fn the_current_state_comes_again_after_a_move() {
    let mut world = settled(3);
    for n in 0..20 {
        world.call(put(&format!("key {n}"))).expect("stored");
    }
    let options = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
    let listener = listen(&mut world, options);
    world.run_for(SECOND);
    assert_eq!(heard(&world, listener).len(), 21);
    let member = served_by(&world, listener);
    world.events.retain(|event| !matches!(event, Event::Entry { .. }));
    world.crash(port_of(&world, member), false);
    world.exclude_crashed();
    world.run_for(10 * SECOND);
    assert_eq!(heard(&world, listener).len(), 21);
}

#[test]
fn a_listener_that_is_removed_hears_nothing_and_its_link_is_closed() {
    let mut world = settled(3);
    let one = listen(&mut world, ListenerOptions::default());
    let links = |world: &World| world.client.members().map(|member| member.links).sum::<usize>();
    assert_eq!(links(&world), 4, "a link for events beside those for operations");
    let now = world.now();
    assert!(world.client.remove_listener(now, one));
    let now = world.now();
    assert!(!world.client.remove_listener(now, one));
    world.run_for(SECOND);
    world.call(put("key")).expect("stored");
    world.run_for(SECOND);
    assert_eq!(heard(&world, one), [] as [Bytes; 0]);
    assert_eq!(links(&world), 3);
}

#[test]
fn a_listener_that_the_server_refuses_fails_and_says_why() {
    let mut world = settled(3);
    let now = world.now();
    let cache = world.client.cache(now, RequestOptions::cache("no such cache"));
    let kind = ListenerKind::Cache(ListenerOptions::default());
    let now = world.now();
    let listener = world.client.listen(now, &cache, kind).expect("accepted");
    world.run_for(SECOND);
    let failed = world.events.iter().find_map(|event| match event {
        Event::ListenerFailed { listener: failed, error, .. } if *failed == listener => Some(error.to_string()),
        _ => None,
    });
    assert!(failed.expect("it failed").contains("ADD_CLIENT_LISTENER"));
    let now = world.now();
    assert!(!world.client.remove_listener(now, listener), "it is gone");
}

#[test]
fn a_counter_listener_moves_too() {
    let mut world = settled(3);
    let configuration = hotrod_core::wire::CounterConfiguration {
        kind: hotrod_core::wire::CounterKind::UnboundedStrong,
        persistent: false,
        initial_value: 0,
    };
    world.call(Request::CounterCreate { counter: "c".into(), configuration }).expect("created");
    let (now, cache) = (world.now(), world.cache.clone());
    let listener = world.client.listen(now, &cache, ListenerKind::Counter("c".into())).expect("accepted");
    world.run_for(SECOND);
    let member = served_by(&world, listener);
    world.crash(port_of(&world, member), false);
    world.exclude_crashed();
    world.run_for(10 * SECOND);
    assert_ne!(served_by(&world, listener), member);
    world.call(Request::CounterAddAndGet { counter: "c".into(), delta: 3 }).expect("added");
    world.run_for(SECOND);
    let told = world.has_told(|event| matches!(event, Event::Counter { event, .. } if event.new_value == 3));
    assert!(told, "it hears of the counter again");
}

/// gotcha 22: a link that the host does not read stands for a listener that takes nothing: operations go on.
#[test]
fn operations_do_not_share_a_link_with_listeners() {
    let mut world = settled(1);
    let listener = listen(&mut world, ListenerOptions::default());
    world.call(put("key")).expect("stored");
    world.run_for(SECOND);
    let link_of_events = world.events.iter().find_map(|event| match event {
        Event::Entry { listener: of, link, .. } if *of == listener => Some(*link),
        _ => None,
    });
    world.stall_link(link_of_events.expect("an event"));
    let before = world.now();
    world.call(put("key")).expect("stored");
    assert!(world.now() - before < SECOND);
}
