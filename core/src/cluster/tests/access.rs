//! Members that the client can't dial: each access path, and what happens on it.

use core::time::Duration;

use super::outside::{Chooses, Connecting, Outside, Stands, address};
use crate::carriage::{Carriage, Choice};
use crate::cluster::{Access, AccessPath, CarriageConfig, Config, Event, Uncovered};

fn outside(stands: Stands, chooses: Chooses, pods: usize, path: AccessPath) -> Outside {
    outside_with(stands, chooses, pods, Access { path, ..Access::default() })
}

fn outside_with(stands: Stands, chooses: Chooses, pods: usize, access: Access) -> Outside {
    let carriage = match stands {
        Stands::Balancer => Carriage::Raw,
        Stands::Proxy => Carriage::Connect,
        _ => Carriage::Upgrade,
    };
    let carriage = CarriageConfig { choice: Choice::Only(carriage), ..CarriageConfig::default() };
    Outside::new(stands, chooses, pods, access, carriage)
}

/// Every way of standing before pods, with the path that is meant for it.
const PATHS: [(Stands, AccessPath); 5] = [
    (Stands::Balancer, AccessPath::LoadBalancer),
    (Stands::Router, AccessPath::LoadBalancer),
    (Stands::CookieRouter, AccessPath::Cookie),
    (Stands::Front, AccessPath::Header),
    (Stands::Proxy, AccessPath::Connect),
];

fn is_whole(outside: &Outside) -> bool {
    let coverage = outside.coverage();
    coverage.covered == coverage.members && coverage.reason.is_none()
}

#[test]
fn every_path_leads_to_the_owner_of_every_key() {
    for (stands, path) in PATHS {
        for chooses in [Chooses::InTurn, Chooses::Randomly] {
            for pods in [1, 2, 3, 30] {
                let mut outside = outside(stands, chooses, pods, path);
                outside.wait(Duration::from_secs(30));
                let coverage = outside.coverage();
                assert_eq!((coverage.covered, coverage.members, coverage.reason), (pods, pods, None), "{path}");
                assert_eq!(outside.ask(200), (200, 200), "{path}, {pods} pods");
                assert_eq!(outside.open_links(), pods, "{path}: one link for each member, and no more");
            }
        }
    }
}

/// n tries by round robin, n (1 + 1/2 + … + 1/n) at random.
#[test]
fn the_search_takes_as_many_connections_as_it_has_to() {
    for (stands, path) in [(Stands::Router, AccessPath::LoadBalancer), (Stands::CookieRouter, AccessPath::Cookie)] {
        let in_turn = outside(stands, Chooses::InTurn, 20, path);
        assert_eq!((in_turn.connections, is_whole(&in_turn)), (20, true));
        assert_eq!(in_turn.balancing()[0], "round-robin");
        let harmonic: f64 = (1..=300).map(|rank| 1.0 / f64::from(rank)).sum();
        let random = outside(stands, Chooses::Randomly, 300, path);
        let expected = 300.0 * harmonic;
        let taken = random.connections as f64;
        assert!(is_whole(&random) && taken > 0.8 * expected && taken < 1.2 * expected, "{taken} beside {expected}");
        assert_eq!(random.balancing()[0], "random");
    }
}

#[test]
fn a_balancer_that_goes_by_the_clients_address_is_recognised() {
    for stands in [Stands::Balancer, Stands::Router] {
        let mut outside = outside(stands, Chooses::TheFirst, 3, AccessPath::LoadBalancer);
        let tries = outside.connections;
        assert!(tries < 20, "{tries} connections");
        assert_eq!(outside.balancing(), ["client-address"]);
        let coverage = outside.coverage();
        assert_eq!((coverage.covered, coverage.members), (1, 3));
        assert!(matches!(coverage.reason, Some(Uncovered::OneMember { .. })), "{:?}", coverage.reason);
        assert_eq!(outside.open_links(), 1);
        assert_eq!(outside.ask(30).1, 30, "the one member forwards what it does not own");
        outside.wait(Duration::from_secs(600));
        assert!(outside.connections < tries * 20, "{} connections in ten minutes", outside.connections);
        outside.chooses = Chooses::InTurn;
        outside.wait(Duration::from_secs(60));
        assert!(is_whole(&outside), "it is tried again from time to time");
    }
}

/// The URI names a member, and no balancer.
#[test]
fn a_members_own_address_is_recognised() {
    let access = Access { path: AccessPath::LoadBalancer, ..Access::default() };
    let config = Config { access, ..Config::default() };
    let mut outside = Outside::at(address(0), Stands::Balancer, Chooses::TheFirst, 3, config);
    outside.ask(30);
    outside.wait(Duration::from_secs(5));
    let coverage = outside.coverage();
    let reason = coverage.reason.expect("not all are covered");
    assert!(matches!(reason, Uncovered::OwnAddress { .. }), "{reason}");
    assert_eq!((coverage.covered, coverage.members), (1, 3));
    assert!(outside.balancing().is_empty(), "{:?}", outside.balancing());
    assert_eq!(outside.ask(30).1, 30);
}

#[test]
fn a_member_that_is_lost_and_replaced_is_found_again() {
    for (stands, path) in PATHS {
        for pods in [3, 100] {
            let mut outside = outside(stands, Chooses::Randomly, pods, path);
            if stands == Stands::Balancer && pods > 64 {
                continue;
            }
            outside.wait(Duration::from_secs(30));
            assert!(is_whole(&outside), "{path}: {:?}", outside.coverage());
            outside.kill(1);
            assert_eq!(outside.ask(50).1, 50, "{path}: nothing is lost");
            outside.start(pods);
            outside.ask(1);
            outside.wait(Duration::from_secs(10));
            assert_eq!(outside.coverage().members, pods);
            assert!(is_whole(&outside), "{path}: {:?}", outside.coverage());
            assert_eq!(outside.ask(100), (100, 100), "{path}");
        }
    }
}

#[test]
fn a_pod_that_comes_back_under_its_address_is_found_again() {
    for (stands, path) in PATHS {
        let mut outside = outside(stands, Chooses::InTurn, 3, path);
        outside.kill(2);
        outside.ask(10);
        outside.start(2);
        outside.ask(1);
        outside.wait(Duration::from_secs(15));
        assert!(is_whole(&outside), "{path}: {:?}", outside.coverage());
        assert_eq!(outside.ask(100), (100, 100), "{path}");
    }
}

#[test]
fn cookies_that_a_restarted_router_does_not_know_are_forgotten() {
    for (stands, path) in PATHS {
        let mut outside = outside(stands, Chooses::Randomly, 5, path);
        outside.restart_router();
        outside.wait(Duration::from_secs(10));
        assert!(is_whole(&outside), "{path}: {:?}", outside.coverage());
        assert_eq!(outside.ask(100), (100, 100), "{path}");
    }
}

#[test]
fn a_lost_session_is_asked_for_by_its_cookie() {
    let mut outside = outside(Stands::CookieRouter, Chooses::InTurn, 3, AccessPath::Cookie);
    let before = outside.connections;
    outside.cut_all();
    outside.wait(Duration::from_secs(5));
    assert_eq!((outside.connections - before, is_whole(&outside)), (3, true));
    assert!(outside.balancing().contains(&"cookie"));
}

/// It answers for the wrong pod: the client goes on where it is, and says what is wrong.
#[test]
fn a_gateway_that_leads_elsewhere_is_not_believed() {
    for (stands, path) in [(Stands::Front, AccessPath::Header), (Stands::Proxy, AccessPath::Connect)] {
        let mut outside = outside(stands, Chooses::InTurn, 3, path);
        assert!(is_whole(&outside));
        outside.wrong = Some(0);
        outside.cut_all();
        outside.wait(Duration::from_secs(20));
        let coverage = outside.coverage();
        assert_eq!((coverage.covered, coverage.members), (1, 3));
        let reason = alloc::format!("{}", coverage.reason.expect("a reason"));
        assert_eq!(reason, "another member answered: 10.0.0.1:11222", "{path}");
        assert_eq!(outside.ask(30).1, 30);
        assert!(outside.connections < 60, "{} connections", outside.connections);
        outside.wrong = None;
        outside.wait(Duration::from_secs(20));
        assert!(is_whole(&outside), "{path}: {:?}", outside.coverage());
    }
}

#[test]
fn without_a_sign_of_who_answers_the_servers_forward_and_it_is_said() {
    let access = Access { path: AccessPath::LoadBalancer, probe_cache: None, ..Access::default() };
    let mut outside = outside_with(Stands::Balancer, Chooses::InTurn, 3, access);
    outside.wait(Duration::from_secs(5));
    let reason = outside.coverage().reason.expect("a reason");
    assert!(matches!(reason, Uncovered::NotTold(_)), "{reason}");
    assert_eq!(outside.ask(30).1, 30);
    let told = |event: &Event| matches!(event, Event::Coverage { covered: 0, members: 3, reason } if reason.contains("probe_cache"));
    assert!(outside.events.iter().any(told), "{:?}", outside.events);
    assert_eq!(outside.open_links(), 1);
}

#[test]
fn a_probe_cache_that_may_not_be_made_is_told() {
    let mut outside = outside(Stands::Balancer, Chooses::InTurn, 3, AccessPath::LoadBalancer);
    assert!(is_whole(&outside));
    outside.may_make_caches = false;
    outside.lose_probe_cache();
    outside.cut_all();
    outside.wait(Duration::from_secs(5));
    assert_eq!(outside.ask(30).1, 30);
    let reason = alloc::format!("{}", outside.coverage().reason.expect("a reason"));
    assert!(reason.contains("not allowed"), "{reason}");
    assert!(outside.connections < 30, "{} connections", outside.connections);
}

#[test]
fn auto_takes_what_the_first_answers_suggest() {
    for (stands, paths) in [
        (Stands::Balancer, &["load-balancer"][..]),
        (Stands::Router, &["header", "load-balancer"]),
        (Stands::CookieRouter, &["header", "cookie"]),
        (Stands::Front, &["header"]),
        (Stands::Proxy, &["connect"]),
    ] {
        let mut outside = outside(stands, Chooses::InTurn, 3, AccessPath::Auto);
        outside.wait(Duration::from_secs(15));
        assert_eq!(outside.chosen(), paths);
        assert!(is_whole(&outside), "{paths:?}: {:?}", outside.coverage());
        assert_eq!(outside.ask(100), (100, 100), "{paths:?}");
    }
}

/// A gateway beside a member that has just started does not know yet which member that is.
#[test]
fn a_cookie_that_leads_to_somebody_unknown_is_not_trusted() {
    let mut outside = outside(Stands::CookieRouter, Chooses::InTurn, 3, AccessPath::Cookie);
    assert!(is_whole(&outside));
    outside.knows_nothing = true;
    outside.wrong = Some(0);
    outside.cut_all();
    outside.wait(Duration::from_secs(5));
    let coverage = outside.coverage();
    assert_eq!((coverage.covered, coverage.members), (1, 3), "the probe cache tells who it is");
    assert_eq!(outside.ask(30).1, 30);
    (outside.knows_nothing, outside.wrong) = (false, None);
    outside.wait(Duration::from_secs(90));
    assert!(is_whole(&outside), "{:?}", outside.coverage());
}

#[test]
fn a_balancer_that_leads_to_one_member_is_asked_once_in_a_while() {
    let mut outside = outside(Stands::Balancer, Chooses::TheFirst, 3, AccessPath::LoadBalancer);
    let tries = outside.connections;
    outside.wait(Duration::from_secs(5));
    assert!(outside.connections - tries <= 6, "{} more in five seconds", outside.connections - tries);
}

#[test]
fn a_router_that_is_away_for_a_moment_costs_little_more_than_that_moment() {
    for (stands, path) in PATHS {
        let mut outside = outside(stands, Chooses::InTurn, 3, path);
        outside.wait(Duration::from_secs(1));
        outside.connecting = Connecting::Fails;
        outside.cut_all();
        outside.wait(Duration::from_millis(1_500));
        outside.connecting = Connecting::Succeeds;
        outside.wait(Duration::from_millis(3_500));
        assert!(is_whole(&outside), "{path}: {:?}", outside.coverage());
    }
}

/// One failure of the probe cache, whatever the number of sessions that waited for it.
#[test]
fn the_failure_of_the_probe_cache_ends_one_round() {
    let mut outside = outside(Stands::Balancer, Chooses::InTurn, 8, AccessPath::LoadBalancer);
    assert_eq!(outside.coverage().covered, 8);
    outside.may_make_caches = false;
    outside.lose_probe_cache();
    outside.connecting = Connecting::Fails;
    outside.cut_all();
    outside.connecting = Connecting::Succeeds;
    outside.wait(Duration::from_secs(2));
    assert!(outside.coverage().covered < 8);
    outside.may_make_caches = true;
    outside.wait(Duration::from_secs(4));
    assert_eq!(outside.coverage().covered, 8, "{:?}", outside.coverage());
}

/// A router without cookies, before three pods.
fn behind_router() -> Outside {
    outside(Stands::Router, Chooses::InTurn, 3, AccessPath::LoadBalancer)
}

#[test]
fn a_member_that_is_found_and_cuts_at_once_is_searched_for_less_and_less() {
    let mut outside = behind_router();
    assert_eq!(outside.coverage().covered, 3);
    let before = outside.connections;
    outside.pods.iter_mut().for_each(|pod| pod.cuts = true);
    outside.cut_all();
    outside.wait(Duration::from_secs(10));
    assert!(outside.connections - before <= 60, "{} connections", outside.connections - before);
    outside.pods.iter_mut().for_each(|pod| pod.cuts = false);
    outside.wait(Duration::from_secs(15));
    assert_eq!(outside.coverage().covered, 3);
}

#[test]
fn a_member_that_answers_resets_the_failures_of_the_seed_that_led_to_it() {
    let mut outside = behind_router();
    for _ in 0..8 {
        outside.connecting = Connecting::Fails;
        outside.cut_all();
        outside.connecting = Connecting::Succeeds;
        outside.wait(Duration::from_secs(15));
        assert_eq!((outside.coverage().covered, outside.ask(30).1), (3, 30));
    }
    outside.events.clear();
    outside.connecting = Connecting::Fails;
    outside.cut_all();
    let of_seed = |event: &Event| match event {
        Event::MemberUnavailable { address, retry_after, .. } if address.host == "gate" => Some(*retry_after),
        _ => None,
    };
    let first = outside.events.iter().find_map(of_seed).expect("the seed has failed");
    assert!(first <= Duration::from_millis(100), "{first:?}");
}
