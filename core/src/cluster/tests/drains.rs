//! Endpoints that announce their end (DRAIN).

use core::time::Duration;

use super::world::{Far, World, auto, config};
use crate::carriage::Offer;
use crate::cluster::{LinkId, ListenerKind};
use crate::time::Instant;
use crate::wire::ListenerOptions;

fn drain(world: &mut World) -> LinkId {
    let (link, _) = world.connect(Far::gateway(Some(Offer::default()), &[]));
    world.gateway(link).link.drain(Instant::EPOCH, 60_000);
    world.gateway_speaks(link);
    link
}

fn drain_again(world: &mut World) {
    let link = *world.links.keys().next().expect("a link");
    world.gateway(link).link.drain(Instant::EPOCH, 60_000);
    world.gateway_speaks(link);
}

#[test]
fn an_endpoint_that_drains_every_session_is_replaced_less_and_less() {
    let mut world = World::new(config(auto()));
    drain(&mut world);
    assert_eq!(world.wanted.len(), 1, "the first time at once");
    let links = world.meet_each(Duration::from_secs(10), |world| {
        drain(world);
    });
    assert!((3..=20).contains(&links), "{links} links");
    world.wait_for_link();
    world.connect(Far::gateway(Some(Offer::default()), &[]));
    assert!(world.is_ready() && world.links.len() == 1, "only what drains is left");
    world.wait(Duration::from_secs(60));
    drain_again(&mut world);
    assert_eq!(world.wanted.len(), 1, "and after a long time at once again");
}

#[test]
fn a_listener_whose_endpoint_drains_every_session_is_moved_less_and_less() {
    let mut world = World::new(config(auto()));
    world.cluster.listen(world.now, &world.cache.clone(), ListenerKind::Cache(ListenerOptions::default())).unwrap();
    let links = world.meet_each(Duration::from_secs(10), |world| {
        drain(world);
    });
    assert!((3..=30).contains(&links), "{links} links");
}
