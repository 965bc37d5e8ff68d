//! Members that fail again and again: each is tried with a growing back-off, and never at round-trip speed.

use core::time::Duration;

use super::world::{Far, World, config};
use crate::cluster::{CarriageConfig, ListenerKind, MemberInfo};
use crate::wire::{ListenerOptions, Member, Request, Topology};

fn member(host: &str) -> Member {
    Member { host: host.into(), port: 11222 }
}

/// A client of members that have nothing to do.
fn with_members(hosts: &[&str]) -> World {
    let mut world = World::new(config(CarriageConfig::default()));
    let members = hosts.iter().copied().map(member).collect();
    world.submit(Request::Size {});
    world.connect(Far::stopping(Some(Topology { id: 1, members, hash: None })));
    hosts.iter().for_each(|_| drop(world.connect(Far::raw())));
    assert!(world.wanted.is_empty());
    world
}

fn known(world: &World, host: &str) -> MemberInfo {
    world.cluster.members().find(|known| known.address.host == host).expect("a known member")
}

#[test]
fn members_that_accept_and_cut_at_once_are_tried_less_and_less() {
    let mut world = with_members(&["pod-0"]);
    let link = *world.links.keys().next_back().expect("the link of the member");
    world.lose(link);
    let cut = |world: &mut World| {
        let (link, _) = world.connect(Far::raw());
        world.lose(link);
    };
    let links = world.meet_each(Duration::from_secs(60), cut);
    assert!((5..=20).contains(&links), "{links} links in a minute");
    world.wait_for_link();
    world.connect(Far::raw());
    world.submit(Request::Ping {});
    assert!(known(&world, "pod-0").failure.is_none(), "it has answered");
}

/// An answer on any session, not only the first one.
#[test]
fn every_answer_resets_the_failures_of_its_member() {
    let mut world = with_members(&["pod-0"]);
    world.submit(Request::Ping {});
    world.cluster.listen(world.now, &world.cache.clone(), ListenerKind::Cache(ListenerOptions::default())).unwrap();
    world.run();
    world.refuse();
    assert!(known(&world, "pod-0").failure.is_some());
    world.submit(Request::Ping {});
    assert!(known(&world, "pod-0").failure.is_none(), "it has answered");
}

#[test]
fn further_sessions_with_a_member_wait_for_its_back_off() {
    for hosts in [&["pod-0"][..], &["pod-0", "pod-1"]] {
        let mut world = with_members(hosts);
        world.cluster.listen(world.now, &world.cache.clone(), ListenerKind::Cache(ListenerOptions::default())).unwrap();
        world.run();
        // What other sessions with the member answer says nothing of further ones.
        let refuse = |world: &mut World| {
            world.refuse();
            world.submit(Request::Ping {});
        };
        let links = world.meet_each(Duration::from_secs(10), refuse);
        // The seed is tried as well.
        assert!((3..=30).contains(&links), "{links} links to {} members", hosts.len());
    }
}
