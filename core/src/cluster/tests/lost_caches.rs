//! Removed caches and counters, whose listeners a server drops while its connections live.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::time::Duration;

use bytes::Bytes;

use super::listened::Known;
use super::near_caches::{read, world};
use super::world::{Far, World};
use crate::cluster::{Event, ListenerId, ListenerKind};
use crate::wire::{Body, ListenerOptions, Metadata, Request};

const SECOND: Duration = Duration::from_secs(1);
/// The time in which the client finds out: the keep-alive interval, and a second look.
const NOTICED: Duration = Duration::from_secs(33);

fn immortal(version: u64, value: &'static str) -> (Metadata, Bytes) {
    (Metadata { version, ..Metadata::default() }, value.into())
}

fn listen(world: &mut World, known: &Rc<RefCell<Known>>, kind: ListenerKind) -> ListenerId {
    let listener = world.cluster.listen(world.now, &world.cache, kind).expect("accepted");
    world.run();
    while !world.wanted.is_empty() {
        world.connect(Far::listened(known));
    }
    world.events.clear();
    listener
}

fn on_cache() -> ListenerKind {
    ListenerKind::Cache(ListenerOptions::default())
}

fn pass(world: &mut World, known: &Rc<RefCell<Known>>, time: Duration) {
    let end = world.now + time;
    while world.now < end {
        world.wait(SECOND / 4);
        while !world.wanted.is_empty() {
            world.connect(Far::listened(known));
        }
    }
}

fn count(world: &World, is_it: impl Fn(&Event) -> bool) -> usize {
    world.events.iter().filter(|event| is_it(event)).count()
}

fn is_moved(event: &Event) -> bool {
    matches!(event, Event::ListenerMoved { .. })
}

fn is_inactive(event: &Event) -> bool {
    matches!(event, Event::NearCacheInactive { .. })
}

fn is_active(event: &Event) -> bool {
    matches!(event, Event::NearCacheActive { .. })
}

/// Any answer of the server will do: the near cache returns nothing from the removed cache after it.
#[test]
fn a_near_cache_is_emptied_by_an_answer_that_the_cache_is_not_there() {
    let (mut world, known) = world();
    known.borrow_mut().value = Some(immortal(1, "old"));
    read(&mut world);
    assert!(read(&mut world).1);
    world.events.clear();
    known.borrow_mut().is_gone = true;
    world.submit(Request::Size {});
    assert_eq!(count(&world, is_inactive), 1);
    world.submit(Request::Get { key: "key".into() });
    assert!(world.completed.last().expect("an answer").1.is_err(), "from the server");
    pass(&mut world, &known, 20 * SECOND);
    assert_eq!((count(&world, is_inactive), count(&world, is_active)), (1, 0), "there is no cache");
    known.borrow_mut().is_gone = false;
    known.borrow_mut().value = Some(immortal(2, "new"));
    pass(&mut world, &known, 11 * SECOND);
    assert_eq!(count(&world, is_active), 1);
    assert_eq!(read(&mut world).0, Body::Value("new".into()));
    assert!(read(&mut world).1);
}

#[test]
fn a_listener_moves_when_the_cache_is_back() {
    let (mut world, known) = world();
    let listener = listen(&mut world, &known, on_cache());
    known.borrow_mut().is_gone = true;
    pass(&mut world, &known, NOTICED);
    assert_eq!(count(&world, is_moved), 0, "there is nowhere to go");
    known.borrow_mut().is_gone = false;
    let before = known.borrow().registered.len();
    pass(&mut world, &known, 11 * SECOND);
    assert_eq!(
        count(&world, |event| matches!(event, Event::ListenerMoved { listener: moved, .. } if *moved == listener)),
        1
    );
    assert!(known.borrow().registered.len() > before);
    assert_eq!(count(&world, |event| matches!(event, Event::ListenerFailed { .. })), 0);
}

/// Near hits alone reach no server.
#[test]
fn an_idle_client_notices_that_a_cache_is_gone() {
    let (mut world, known) = world();
    known.borrow_mut().value = Some(immortal(1, "old"));
    read(&mut world);
    known.borrow_mut().is_gone = true;
    pass(&mut world, &known, NOTICED);
    assert_eq!(count(&world, is_inactive), 1);
}

/// Removed and made anew between two looks: no answer differs, only an entry is not the same any more.
#[test]
fn a_near_cache_notices_that_its_cache_was_made_anew() {
    for value in [None, Some(immortal(2, "new"))] {
        let (mut world, known) = world();
        known.borrow_mut().value = Some(immortal(1, "old"));
        read(&mut world);
        pass(&mut world, &known, 3 * NOTICED);
        assert_eq!(count(&world, is_inactive), 0, "it is the same cache");
        known.borrow_mut().value = value.clone();
        pass(&mut world, &known, NOTICED);
        assert_eq!((count(&world, is_inactive), count(&world, is_active)), (1, 2));
        let expected = value.map_or(Body::Nothing, |(_, value)| Body::Value(value));
        assert_eq!(read(&mut world).0, expected);
    }
}

#[test]
fn a_listener_notices_that_its_cache_was_made_anew() {
    let (mut world, known) = world();
    known.borrow_mut().entries = 1;
    known.borrow_mut().value = Some(immortal(0, "old"));
    let options = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
    listen(&mut world, &known, ListenerKind::Cache(options));
    pass(&mut world, &known, 3 * NOTICED);
    assert_eq!(count(&world, is_moved), 0, "it is the same cache");
    known.borrow_mut().value = None;
    pass(&mut world, &known, NOTICED);
    assert_eq!(count(&world, is_moved), 1);
    assert_eq!(known.borrow().registered.len(), 4, "this one and that of the near cache, twice");
}

/// Infinispan resets a removed counter, keeps its configuration, and forgets its listeners.
#[test]
fn a_listener_notices_that_its_counter_was_removed() {
    let (mut world, known) = world();
    known.borrow_mut().counter = Some(7);
    listen(&mut world, &known, ListenerKind::Counter("counter".into()));
    pass(&mut world, &known, 3 * NOTICED);
    assert_eq!(count(&world, is_moved), 0);
    known.borrow_mut().counter = Some(0);
    pass(&mut world, &known, NOTICED);
    assert_eq!(count(&world, is_moved), 1);
    known.borrow_mut().counter = None;
    pass(&mut world, &known, NOTICED);
    assert_eq!(count(&world, is_moved), 1, "it is undefined");
    known.borrow_mut().counter = Some(0);
    pass(&mut world, &known, 11 * SECOND);
    assert_eq!(count(&world, is_moved), 2);
}

#[test]
fn a_listener_of_an_undefined_counter_fails() {
    let (mut world, known) = world();
    let listener = world.cluster.listen(world.now, &world.cache, ListenerKind::Counter("counter".into()));
    world.run();
    while !world.wanted.is_empty() {
        world.connect(Far::listened(&known));
    }
    let listener = listener.expect("accepted");
    let is_failed =
        |event: &Event| matches!(event, Event::ListenerFailed { listener: failed, .. } if *failed == listener);
    assert_eq!(count(&world, is_failed), 1);
}

/// The near cache is registered with the cache that was made anew, and the application's listener is not.
#[test]
fn a_listener_that_misses_what_another_one_hears_is_registered_anew() {
    let (mut world, known) = world();
    listen(&mut world, &known, on_cache());
    pass(&mut world, &known, 5 * SECOND);
    let near = known.borrow().registered[0].clone();
    known.borrow_mut().notified.push(near);
    world.hear();
    pass(&mut world, &known, NOTICED);
    assert_eq!((count(&world, is_moved), count(&world, is_inactive)), (1, 0));
}
