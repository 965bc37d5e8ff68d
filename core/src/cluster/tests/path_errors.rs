//! Errors of the path: each names the operation, the server, and the reason.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::world::{Far, World, config};
use crate::cluster::{CarriageConfig, Config, Event};
use crate::wire::{Expiration, Member, Request};

fn with(hosts: &[&str], timeout: u64) -> Config {
    let seeds = hosts.iter().map(|host| Member { host: (*host).into(), port: 11222 }).collect();
    Config { seeds, operation_timeout: Duration::from_secs(timeout), ..config(CarriageConfig::default()) }
}

fn put() -> Request {
    Request::Put { key: Bytes::from_static(b"k"), value: Bytes::new(), expiration: Expiration::default() }
}

fn start_error(world: &World) -> String {
    let of = |event: &Event| match event {
        Event::StartFailed { error } => Some(error.to_string()),
        _ => None,
    };
    world.events.iter().find_map(of).expect("the start has failed")
}

#[test]
fn refused_connections_are_told_for_each_server() {
    let mut world = World::new(with(&["one", "two"], 15));
    world.submit(put());
    world.meet_each(Duration::from_secs(16), World::refuse);
    let (_, result) = world.completed.last().expect("it has failed");
    let text = result.as_ref().unwrap_err().to_string();
    let expected = "PUT reached no member within 15000 ms: could not connect to one:11222: cut; \
                    could not connect to two:11222: cut; it was not applied";
    assert_eq!(text, expected);
}

#[test]
fn a_start_that_reaches_nobody_names_the_servers_and_no_ping() {
    for is_established in [false, true] {
        let mut world = World::new(with(&["one"], 2));
        world.cluster.start(world.now, &world.cache.clone());
        world.run();
        if is_established {
            world.connect(Far::Silent(Vec::new()));
        }
        world.wait(Duration::from_secs(3));
        let text = start_error(&world);
        assert!(!text.contains("PING reached") && text.contains("one:11222"), "{text}");
        assert!(text.contains("no answer within 2000 ms"), "{text}");
    }
}
