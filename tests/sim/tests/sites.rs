//! Sites, endpoints and links: where the machine goes, and by how many ways.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Config, Event, Site};
use hotrod_core::wire::{Expiration, Member, Request};
use hotrod_sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn put(key: &str) -> Request {
    Request::Put { key: Bytes::copy_from_slice(key.as_bytes()), expiration: Expiration::DEFAULT, value: "v".into() }
}

fn address(port: u16) -> Member {
    Member { host: "10.0.0.1".into(), port }
}

/// A client whose own site nobody answers at, with another that does.
fn config(own: u16) -> Config {
    let other = Site::new("other", vec![address(443)]);
    let mut config = Config::new(vec![address(own)]);
    config.sites = vec![other];
    config
}

/// gotcha 24: however few retries an operation has.
#[test]
fn a_client_that_retries_nothing_finds_the_other_site_too() {
    let mut settings = config(1);
    settings.max_retries = 0;
    let mut world = World::with(3, 1, settings);
    world.call(put("key")).expect("stored in the other site");
    assert_eq!(world.client.site(), "other");
}

/// gotcha 24: not before every member and every seed has failed so many times.
#[test]
fn a_site_is_not_left_while_one_of_its_members_answers() {
    let mut world = World::with(3, 1, config(443));
    world.call(put("key")).expect("stored");
    let ports: Vec<u16> = world.by_port.keys().copied().collect();
    world.crash(ports[0], false);
    world.crash(ports[1], true);
    world.run_for(120 * SECOND);
    world.call(Request::Get { key: "key".into() }).expect("answered by the one that is left");
    assert_eq!(world.client.site(), "");
}

#[test]
fn another_site_is_taken_when_nobody_can_be_reached() {
    let mut world = World::with(3, 1, config(1));
    world.call(put("key")).expect("stored in the other site");
    assert_eq!(world.client.site(), "other");
    let switched = |event: &Event| matches!(event, Event::SiteSwitched { to, automatic: true, .. } if to == "other");
    assert!(world.has_told(switched));
}

#[test]
fn one_failure_is_no_reason_to_leave() {
    let mut world = World::with(3, 1, config(443));
    world.call(put("key")).expect("stored");
    world.cut_one();
    world.run_for(SECOND);
    world.call(put("key")).expect("stored");
    assert_eq!(world.client.site(), "");
}

#[test]
fn a_site_can_be_chosen_and_left_again() {
    let mut world = World::with(3, 1, config(443));
    world.call(put("key")).expect("stored");
    let now = world.now();
    assert!(!world.client.switch_site(now, "no such site"));
    let now = world.now();
    assert!(world.client.switch_site(now, "other"));
    assert!(world.client.view(&world.cache).is_none(), "the owners of another cluster are not those of this one");
    world.call(put("key")).expect("stored in the other site");
    let now = world.now();
    assert!(world.client.switch_site(now, ""));
    world.call(put("key")).expect("stored at home");
    assert_eq!(world.client.site(), "");
}

/// Operations in flight when a site is left end where they are.
#[test]
fn a_switch_loses_no_operation() {
    let mut world = World::with(3, 1, config(443));
    world.call(put("key")).expect("stored");
    let pending: Vec<_> = (0..20).map(|n| world.submit(put(&format!("key {n}")))).collect();
    let now = world.now();
    world.client.switch_site(now, "other");
    world.run_for(10 * SECOND);
    for id in pending {
        world.answers.remove(&id).expect("an answer").expect("stored");
    }
}

#[test]
fn a_busy_member_gets_as_many_links_as_it_may_and_keeps_one() {
    let mut config = Config::new(vec![address(443)]);
    config.links_per_member = 3;
    let mut world = World::with(1, 1, config);
    world.call(put("key")).expect("stored");
    world.run_for(SECOND);
    let port = *world.by_port.keys().next().expect("a member");
    let links = |world: &World| world.member(port).expect("known").links;
    assert_eq!(links(&world), 1);
    let pending: Vec<_> = (0..500).map(|n| world.submit(put(&format!("key {n}")))).collect();
    assert_eq!(links(&world), 3);
    world.run_for(10 * SECOND);
    pending.iter().for_each(|id| assert!(world.answers.remove(id).expect("an answer").is_ok()));
    world.run_for(120 * SECOND);
    assert_eq!(links(&world), 1, "spare links are closed when they have nothing to do");
}

/// A member that accepts links and answers nothing is not trusted again until it has answered.
#[test]
fn a_member_that_only_accepts_links_is_given_longer_and_longer_pauses() {
    let mut world = World::new(3, 9);
    world.call(put("key")).expect("stored");
    world.run_for(SECOND);
    let port = world.owner(b"key");
    world.set_mute(port);
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let before = world.events.len();
        world.call(Request::Get { key: "key".into() }).expect("answered by the other owner");
        let of_member = |event: &Event| match event {
            Event::MemberUnavailable { address, retry_after, .. } if address.port == port => Some(*retry_after),
            _ => None,
        };
        pauses.extend(world.events[before..].iter().find_map(of_member));
        world.run_for(12 * SECOND);
    }
    assert!(pauses.len() >= 2 && pauses.is_sorted(), "{pauses:?}");
}
