//! The switch to another site.

use super::world::{Far, World, config};
use crate::cluster::{CarriageConfig, Config, Site};
use crate::wire::{Member, Request, Topology};

fn member(host: &str) -> Member {
    Member { host: host.into(), port: 11222 }
}

/// Its session leads to the cluster of the site that was left, and its topologies are not applied.
#[test]
fn a_seed_of_two_sites_gets_another_session_after_the_switch() {
    let seeds = [member("both")].to_vec();
    let sites = [Site { name: "north".into(), seeds: [member("both")].to_vec() }].to_vec();
    let mut world = World::new(Config { seeds, sites, ..config(CarriageConfig::default()) });
    let (before, _) = world.connect(Far::raw());
    assert!(world.cluster.switch_site(world.now, "north"));
    world.run();
    assert!(!world.links.contains_key(&before), "the session of the former site");
    world.submit(Request::Size {});
    let topology = Topology { id: 1, members: [member("pod-0")].to_vec(), hash: None };
    world.connect(Far::stopping(Some(topology)));
    assert_eq!(world.wanted.front().map(|(_, dial)| dial.host.as_str()), Some("pod-0"));
}
