//! Listeners and the application that takes their events slowly, or before their registration is answered.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::time::Duration;

use super::listened::Known;
use super::world::{Far, World, config};
use crate::cluster::{CarriageConfig, Config, Event, ListenerId, ListenerKind};
use crate::wire::{ListenerOptions, Metadata, Operation, Request};

const SECOND: Duration = Duration::from_secs(1);
const QUEUE: usize = 100;
/// Entries of the cache: several times the queue, and the events of several reads.
const ENTRIES: u64 = 1_000;

/// A client of one member that has all these entries.
fn world(entries: u64) -> (World, Rc<RefCell<Known>>) {
    let known = Rc::new(RefCell::new(Known { entries, counter: Some(0), ..Known::default() }));
    let config = Config { listener_queue: QUEUE, ..config(CarriageConfig::default()) };
    let mut world = World::new(config);
    world.submit(Request::Size {});
    connect_all(&mut world, &known);
    (world, known)
}

fn connect_all(world: &mut World, known: &Rc<RefCell<Known>>) {
    while !world.wanted.is_empty() {
        world.connect(Far::listened(known));
    }
}

fn state() -> ListenerKind {
    ListenerKind::Cache(ListenerOptions { include_current_state: true, ..ListenerOptions::default() })
}

fn listen(world: &mut World, known: &Rc<RefCell<Known>>, kind: ListenerKind) -> ListenerId {
    let listener = world.cluster.listen(world.now, &world.cache, kind).expect("accepted");
    world.run();
    connect_all(world, known);
    listener
}

fn registered(world: &World, wanted: ListenerId) -> usize {
    let is_it = |event: &&Event| matches!(event, Event::ListenerRegistered { listener, .. } if *listener == wanted);
    world.events.iter().filter(is_it).count()
}

fn moved(world: &World, wanted: ListenerId) -> usize {
    let is_it = |event: &&Event| matches!(event, Event::ListenerMoved { listener, .. } if *listener == wanted);
    world.events.iter().filter(is_it).count()
}

fn failures(world: &World) -> Vec<&Event> {
    let is_failure = |event: &&Event| {
        matches!(event, Event::ListenerFailed { .. } | Event::MemberUnavailable { .. } | Event::StartFailed { .. })
    };
    world.events.iter().filter(is_failure).collect()
}

fn is_event_of(event: &Event, wanted: ListenerId) -> bool {
    matches!(event, Event::Entry { listener, .. } | Event::Counter { listener, .. } if *listener == wanted)
}

fn heard(world: &World, wanted: ListenerId) -> usize {
    world.events.iter().filter(|event| is_event_of(event, wanted)).count()
}

/// The application takes what there is, until nothing more comes.
fn take_all(world: &mut World, listener: ListenerId) -> usize {
    let mut taken = 0;
    loop {
        let there = heard(world, listener);
        world.events.retain(|event| !is_event_of(event, listener));
        if there == 0 {
            return taken;
        }
        taken += there;
        world.cluster.events_taken(world.now, listener, there);
        world.run();
    }
}

/// The state comes before the answer: an application without its listener could not take the events that hold up the answer.
#[test]
fn a_listener_whose_state_fills_the_queue_is_handed_over_before_the_answer() {
    for kind in [state(), ListenerKind::Counter("counter".into())] {
        let (mut world, known) = world(ENTRIES);
        let listener = listen(&mut world, &known, kind);
        assert_eq!(registered(&world, listener), 1, "the application has it");
        let held = heard(&world, listener);
        assert!(held >= QUEUE && held < ENTRIES as usize, "the link is paused: {held}");
        let first = world.events.iter().position(|event| is_event_of(event, listener));
        let handed_over = world.events.iter().position(|event| matches!(event, Event::ListenerRegistered { .. }));
        assert!(handed_over < first.map(|first| first + QUEUE), "with its first events");
        assert_eq!(take_all(&mut world, listener), ENTRIES as usize);
        assert_eq!((registered(&world, listener), moved(&world, listener), failures(&world).len()), (1, 0, 0));
    }
}

/// Minutes may pass before the application takes its next event.
#[test]
fn a_slow_application_lets_no_registration_time_out() {
    let (mut world, known) = world(ENTRIES);
    let listener = listen(&mut world, &known, state());
    world.wait(300 * SECOND);
    assert_eq!((failures(&world), moved(&world, listener)), (Vec::new(), 0));
    assert_eq!(take_all(&mut world, listener), ENTRIES as usize);
    assert_eq!(known.borrow().registered.len(), 1, "the same registration");
}

/// A large state takes longer than an operation may.
#[test]
fn a_registration_whose_state_is_on_its_way_does_not_time_out() {
    let (mut world, known) = world(ENTRIES);
    known.borrow_mut().is_silent = true;
    let listener = listen(&mut world, &known, state());
    assert_eq!(take_all(&mut world, listener), ENTRIES as usize);
    let other = world.submit(Request::Size {});
    // The member goes on to speak: it is not lost.
    world.wait(9 * SECOND);
    let (link, _) = world.links.iter().next_back().map(|(link, far)| (*link, far)).expect("a link");
    world.cluster.handle_received(world.now, link, &[]);
    world.wait(9 * SECOND);
    assert_eq!(failures(&world), [] as [&Event; 0]);
    assert!(world.completed.iter().any(|(id, result)| *id == other && result.is_ok()));
    known.borrow_mut().is_silent = false;
    world.hear();
    assert_eq!((registered(&world, listener), moved(&world, listener)), (1, 0));
}

#[test]
fn a_listener_that_moves_is_handed_over_before_the_answer_too() {
    let (mut world, known) = world(ENTRIES);
    let listener = listen(&mut world, &known, state());
    // Its queue is still full when the member is lost.
    let links: Vec<_> = world.links.keys().copied().collect();
    links.into_iter().for_each(|link| world.lose(link));
    for _ in 0..4 {
        world.wait(SECOND);
        connect_all(&mut world, &known);
    }
    assert_eq!(moved(&world, listener), 1);
    world.wait(60 * SECOND);
    let taken = take_all(&mut world, listener);
    assert!(taken > ENTRIES as usize, "the state once more: {taken}");
    assert_eq!((registered(&world, listener), moved(&world, listener)), (1, 1));
    assert_eq!(known.borrow().registered.len(), 2);
}

/// The queue of one listener is full: the next one is registered elsewhere.
#[test]
fn a_registration_does_not_wait_behind_the_events_of_another_listener() {
    let (mut world, known) = world(ENTRIES);
    let slow = listen(&mut world, &known, state());
    let quick = ListenerKind::Cache(ListenerOptions::default());
    for kind in [quick, ListenerKind::Counter("counter".into())] {
        let listener = listen(&mut world, &known, kind);
        assert_eq!(registered(&world, listener), 1);
    }
    assert!(heard(&world, slow) < ENTRIES as usize);
    assert_eq!(failures(&world), [] as [&Event; 0]);
}

/// The queue of one listener fills while another one is being registered on the same session.
#[test]
fn a_registration_in_flight_leaves_the_session_that_is_paused() {
    let (mut world, known) = world(ENTRIES);
    let quick = ListenerKind::Cache(ListenerOptions::default());
    let (now, cache) = (world.now, world.cache.clone());
    // The session for events is begun by the first; all are in flight when it is ready.
    let slow = world.cluster.listen(now, &cache, state()).expect("accepted");
    let others: Vec<_> = (0..3).map(|_| world.cluster.listen(now, &cache, quick.clone()).expect("accepted")).collect();
    world.run();
    connect_all(&mut world, &known);
    world.wait(SECOND);
    connect_all(&mut world, &known);
    assert!(heard(&world, slow) < ENTRIES as usize, "paused");
    for other in others {
        assert_eq!(registered(&world, other), 1);
    }
    assert_eq!(take_all(&mut world, slow), ENTRIES as usize);
    world.wait(SECOND);
    assert_eq!((failures(&world), moved(&world, slow)), (Vec::new(), 0));
    let known = known.borrow();
    assert_eq!(known.registered.len() - known.removed.len(), 4, "a registration that was left is removed");
}

/// An answer behind events that the application does not take any more does not delay the end of the client.
#[test]
fn a_client_is_closed_although_a_listener_is_not_registered_yet() {
    let (mut world, known) = world(ENTRIES);
    listen(&mut world, &known, state());
    world.cluster.close(world.now);
    world.run();
    world.wait(SECOND);
    assert!(world.cluster.is_closed());
}

/// A keep-alive is due on each session, and none on one that is paused.
#[test]
fn sessions_for_events_are_kept_alive_each() {
    let (mut world, known) = world(ENTRIES);
    let slow = listen(&mut world, &known, state());
    listen(&mut world, &known, ListenerKind::Cache(ListenerOptions::default()));
    known.borrow_mut().value = Some((Metadata { version: ENTRIES - 1, ..Metadata::default() }, "v".into()));
    let pings = |known: &Rc<RefCell<Known>>| {
        known.borrow().executed.iter().filter(|operation| **operation == Operation::Ping).count()
    };
    let before = pings(&known);
    world.wait(31 * SECOND);
    assert_eq!(pings(&known) - before, 3, "that for operations, that of the quick listener, and a check of the cache");
    take_all(&mut world, slow);
    let before = pings(&known);
    world.wait(31 * SECOND);
    assert_eq!(pings(&known) - before, 3, "one on each; the check is a read");
}
