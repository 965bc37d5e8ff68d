//! Operations on keys whose owner is searched for, or whose session is being established (`owner_wait`).

use core::time::Duration;

use super::outside::{Chooses, Connecting, Outside, Stands};
use super::world::{Far, World, config};
use crate::cluster::{CarriageConfig, Config};
use crate::wire::{Member, Request, Topology};

const KEYS: usize = 200;
const OWNER_WAIT: Duration = Duration::from_secs(1);
const A_LITTLE_LESS: Duration = Duration::from_millis(999);

/// A client behind a balancer whose cluster has just grown from one pod to five, while no connection is established.
fn grown(config: Config) -> Outside {
    let seed = Member { host: "gate".into(), port: 443 };
    let access = crate::cluster::Access { path: crate::cluster::AccessPath::LoadBalancer, ..Default::default() };
    let mut world = Outside::at(seed, Stands::Balancer, Chooses::InTurn, 1, Config { access, ..config });
    (1..5).for_each(|place| world.start(place));
    world.connecting = Connecting::Hangs;
    world.ask(1);
    world.ask(KEYS);
    world
}

#[test]
fn operations_wait_for_owners_that_are_searched_for() {
    let mut world = grown(Config::default());
    let (direct, forwarded) = world.hits();
    assert_eq!(forwarded, 0);
    assert!(direct < KEYS / 2, "{direct}: those of the first pod");
    world.connecting = Connecting::Succeeds;
    world.run();
    world.wait(Duration::from_millis(10));
    assert_eq!(world.hits(), (KEYS, 0));
}

#[test]
fn operations_do_not_wait_longer_than_the_setting_says() {
    let mut world = grown(Config::default());
    world.wait(A_LITTLE_LESS);
    assert_eq!(world.hits().1, 0);
    world.wait(Duration::from_millis(1));
    let (direct, forwarded) = world.hits();
    assert_eq!(direct + forwarded, KEYS);
    // The owners are still not found: nobody waits for them again.
    let (direct, all) = world.ask(KEYS);
    assert!(all == KEYS && direct < KEYS / 2, "{direct} of {all}");
    let mut world = grown(Config { owner_wait: Duration::ZERO, ..Config::default() });
    let (direct, forwarded) = world.hits();
    assert_eq!(direct + forwarded, KEYS);
    assert!(world.cluster.poll_output().is_none());
}

/// The next round may be seconds away.
#[test]
fn operations_do_not_wait_while_the_search_pauses() {
    let mut world = grown(Config::default());
    world.connecting = Connecting::Fails;
    world.run();
    world.wait(Duration::from_millis(1));
    let (direct, forwarded) = world.hits();
    assert_eq!(direct + forwarded, KEYS);
}

/// There would be no room for operations that no member can take.
#[test]
fn at_most_half_of_those_that_may_wait_wait_for_owners() {
    let world = grown(Config { max_waiting: 20, ..Config::default() });
    assert_eq!(world.cluster.waiting(), 10);
    let (direct, forwarded) = world.hits();
    assert_eq!(direct + forwarded, KEYS - 10);
}

/// Of two members one is reached only later.
#[test]
fn operations_do_not_wait_longer_for_a_session_that_is_being_established() {
    for owner_wait in [OWNER_WAIT, Duration::ZERO] {
        let mut world = World::new(Config { owner_wait, ..config(CarriageConfig::default()) });
        let members = ["pod-0", "pod-1"].iter().map(|host| Member { host: (*host).into(), port: 11222 }).collect();
        world.submit(Request::Size {});
        world.connect(Far::stopping(Some(Topology { id: 1, members, hash: None })));
        world.connect(Far::cutting(|_| false));
        world.completed.clear();
        (0..4).for_each(|_| _ = world.submit(Request::Size {}));
        if !owner_wait.is_zero() {
            world.wait(A_LITTLE_LESS);
            assert_eq!(world.completed.len(), 2, "by the member that is reached");
        }
        world.wait(Duration::from_millis(1));
        assert_eq!(world.completed.len(), 4, "{owner_wait:?}");
    }
}
