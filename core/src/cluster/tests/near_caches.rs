//! Near caches: how long an entry is kept.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::time::Duration;

use super::listened::Known;
use super::world::{Far, World, config};
use crate::cluster::{CarriageConfig, Event, NearCacheOptions};
use crate::wire::{Body, LifetimeLeft, Metadata, Request};

const SECOND: Duration = Duration::from_secs(1);
/// The server's time, in milliseconds, when the machine's is 0.
const SERVER: u64 = 1_800_000_000_000;

/// A client of one member whose near cache is active.
pub(super) fn world() -> (World, Rc<RefCell<Known>>) {
    let known = Rc::new(RefCell::new(Known::default()));
    let mut world = World::new(config(CarriageConfig::default()));
    world.submit(Request::Size {});
    world.connect(Far::listened(&known));
    world.cluster.near_cache(world.now, &world.cache, NearCacheOptions::default()).expect("accepted");
    world.run();
    assert!(world.events.iter().any(|event| matches!(event, Event::NearCacheActive { .. })));
    (world, known)
}

/// Reads a key. Returns the answer, and whether the near cache has given it.
pub(super) fn read(world: &mut World) -> (Body, bool) {
    let before = world.cluster.counters().near_hits;
    let id = world.submit(Request::Get { key: "key".into() });
    let (_, result) = world.completed.iter().find(|(answered, _)| *answered == id).expect("an answer");
    (result.as_ref().expect("no error").body.clone(), world.cluster.counters().near_hits > before)
}

fn lifespan(world: &World, age: Duration, seconds: u32) -> Metadata {
    let since = SERVER + world.now.as_micros() / 1_000 - age.as_millis() as u64;
    Metadata { version: 7, lifespan: Some(LifetimeLeft { since, seconds }), max_idle: None }
}

/// An entry that is read at 3 s of its 4 is gone at 4 s, and not at 7 s.
#[test]
fn an_entry_is_not_kept_longer_than_the_server_has_it() {
    let (mut world, known) = world();
    known.borrow_mut().value = Some((lifespan(&world, 3 * SECOND, 4), "v".into()));
    assert_eq!(read(&mut world).0, Body::Value("v".into()));
    world.wait(SECOND + Duration::from_millis(1));
    known.borrow_mut().value = None;
    assert_eq!(read(&mut world), (Body::Nothing, false));
}

/// Once an entry has shown the server's time, others are kept for what is left of them.
#[test]
fn an_entry_is_kept_for_what_is_left_of_its_lifespan() {
    let (mut world, known) = world();
    known.borrow_mut().value = Some((lifespan(&world, Duration::from_millis(3_900), 4), "v".into()));
    read(&mut world);
    known.borrow_mut().value = Some((lifespan(&world, 20 * SECOND, 60), "w".into()));
    assert_eq!(read(&mut world), (Body::Value("w".into()), false));
    world.wait(38 * SECOND);
    assert_eq!(read(&mut world), (Body::Value("w".into()), true));
    world.wait(2 * SECOND);
    known.borrow_mut().value = None;
    assert_eq!(read(&mut world), (Body::Nothing, false));
}
