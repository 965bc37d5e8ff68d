//! Members, and gateways before them, that answer that they are about to stop.

use core::time::Duration;

use super::world::{Far, World, config};
use crate::cluster::{Access, AccessPath, CarriageConfig, Config};
use crate::wire::{Member, Request, Topology};

fn member(host: &str) -> Member {
    Member { host: host.into(), port: 80 }
}

/// The gateway stops, and not the member behind it.
#[test]
fn another_endpoint_is_asked_for_a_member_whose_endpoint_stops() {
    let seeds = ["one", "two"].map(member).to_vec();
    let access = Access { path: AccessPath::Header, ..Access::default() };
    let mut world = World::new(Config { seeds, access, ..config(CarriageConfig::default()) });
    let topology = Topology { id: 1, members: [member("pod-0")].to_vec(), hash: None };
    world.submit(Request::Size {});
    world.connect(Far::stopping(Some(topology.clone())));
    world.connect(Far::stopping(Some(topology)));
    let (refuses, first) = world.connect(Far::stopping(None));
    assert_eq!(world.completed.len(), 1);
    world.submit(Request::Size {});
    assert!(!world.links.contains_key(&refuses), "what refuses everything is left");
    let (_, second) = world.connect(Far::raw());
    assert_ne!(first.host, second.host, "another gateway, and at once");
    let member = world.cluster.members().find(|known| known.address == member("pod-0")).unwrap();
    assert_eq!((member.in_flight, world.completed.len()), (1, 1));
}

const FAILED: &str = "SIZE failed in the server: illegal lifecycle state (0x88): about to stop (attempt 4)";

/// It may as well be one cache that has been stopped.
#[test]
fn a_member_that_stops_gets_another_session_once() {
    let mut world = World::new(config(CarriageConfig::default()));
    world.connect(Far::stopping(None));
    world.submit(Request::Size {});
    world.run();
    assert_eq!(world.links.len(), 0, "what refuses everything is left");
    world.wait(Duration::from_millis(150));
    world.connect(Far::stopping(None));
    world.wait(Duration::from_millis(900));
    assert_eq!((world.links.len(), world.wanted.len()), (1, 0), "and not again at once");
    let [(_, result)] = &world.completed[..] else { panic!("{:?}", world.completed) };
    assert_eq!(alloc::format!("{}", result.as_ref().unwrap_err()), FAILED);
}
