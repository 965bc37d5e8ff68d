//! Startup, and handles of other machines.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use super::world::{World, config};
use crate::cluster::{CarriageConfig, Cluster, Config, Event, StartError};
use crate::time::Instant;
use crate::wire::{Member, Request, RequestOptions};

fn member(host: &str) -> Member {
    Member { host: host.into(), port: 11222 }
}

fn with_seeds(hosts: &[&str]) -> Config {
    Config { seeds: hosts.iter().copied().map(member).collect(), ..config(CarriageConfig::default()) }
}

fn start_errors(world: &World) -> Vec<StartError> {
    let of = |event: &Event| match event {
        Event::StartFailed { error } => Some(error.clone()),
        _ => None,
    };
    world.events.iter().filter_map(of).collect()
}

#[test]
fn a_start_with_the_cache_of_another_machine_fails() {
    let mut other = Cluster::new(with_seeds(&["two"]), [1; 32], Instant::EPOCH);
    (0..5).for_each(|number| drop(other.cache(Instant::EPOCH, RequestOptions::cache(number.to_string().as_str()))));
    let foreign = other.cache(Instant::EPOCH, RequestOptions::cache("of another"));
    let mut world = World::new(with_seeds(&["one"]));
    world.cluster.start(world.now, &foreign);
    world.run();
    assert_eq!(start_errors(&world), [StartError::ForeignCache]);
    // Nothing else takes such a handle either.
    let cluster = &mut world.cluster;
    assert!(cluster.view(&foreign).is_none() && cluster.cache_name(foreign.id()).is_empty());
    assert_eq!(cluster.near_cache_size(&foreign), (0, 0));
    cluster.remove_near_cache(world.now, &foreign);
    assert!(cluster.iterate(world.now, &foreign, crate::cluster::IterationOptions::default()).is_err());
}

#[test]
fn each_server_that_could_not_be_reached_is_listed_once() {
    let mut world = World::new(with_seeds(&["one", "two"]));
    world.cluster.start(world.now, &world.cache.clone());
    world.run();
    let (first, _) = world.wanted.front().expect("a link").clone();
    world.lose(first);
    let other = world.wanted.front().expect("a link to the other").0;
    for _ in 0..3 {
        world.wait(Duration::from_secs(1));
        world.submit(Request::Size {});
        world.submit(Request::Size {});
        let again = world.wanted.iter().map(|(link, _)| *link).find(|link| *link != other).expect("a further attempt");
        world.lose(again);
    }
    world.lose(other);
    let [StartError::Unreachable(failures)] = &start_errors(&world)[..] else { panic!("{:?}", start_errors(&world)) };
    let mut servers: Vec<_> = failures.iter().map(|failure| failure.server.host.as_str()).collect();
    servers.sort_unstable();
    assert_eq!(servers, ["one", "two"]);
}
