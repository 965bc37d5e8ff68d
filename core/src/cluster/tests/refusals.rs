//! Operations that endpoints refuse before the member has them (CALL_ERROR).

use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::world::{FAR_TOO_MANY, Far, World, auto, config};
use crate::carriage::Offer;
use crate::carriage::registry::HOT_ROD_TOO_MANY_CALLS;
use crate::cluster::{CarriageConfig, Config, LinkId};
use crate::session::Applied;
use crate::wire::{Body, Expiration, Member, Request, Status};

fn member(host: &str) -> Member {
    Member { host: host.into(), port: 11222 }
}

fn refuse_calls(world: &mut World) -> usize {
    let links: Vec<LinkId> = world.links.keys().copied().collect();
    let mut refused = 0;
    for link in links {
        for (stream, call, ..) in core::mem::take(&mut world.gateway(link).held) {
            world.gateway(link).link.end_call(stream, call, HOT_ROD_TOO_MANY_CALLS, false);
            refused += 1;
        }
        world.gateway_speaks(link);
    }
    refused
}

/// Refuses every call for that long. Returns the number of calls, at most about [`FAR_TOO_MANY`].
fn refuse_for(world: &mut World, duration: Duration) -> usize {
    let (mut calls, end) = (0, world.now + duration);
    while world.now < end && calls < FAR_TOO_MANY {
        while !world.wanted.is_empty() {
            world.connect(Far::gateway(Some(Offer::default()), &[]));
        }
        let refused = refuse_calls(world);
        calls += refused;
        if refused == 0 {
            world.wait(Duration::from_millis(10));
        }
    }
    calls
}

/// Calls that the endpoint refuses before the member has them cost no attempt, and must not run at round-trip speed.
#[test]
fn operations_that_every_member_refuses_are_sent_less_and_less() {
    for hosts in [&["one"][..], &["one", "two"], &["one", "two", "three"]] {
        let seeds = hosts.iter().copied().map(member).collect();
        let mut world = World::new(Config { seeds, ..config(auto()) });
        world.submit(Request::Size {});
        world.submit(Request::Size {});
        let calls = refuse_for(&mut world, Duration::from_secs(10));
        assert!((10..=40).contains(&calls), "{calls} calls to {} members", hosts.len());
        assert_eq!(world.completed.len(), 0, "{hosts:?}");
        refuse_for(&mut world, Duration::from_secs(5));
        assert_eq!(world.completed.len(), 2, "not after the deadline");
        for (_, result) in &world.completed {
            let error = result.as_ref().expect_err("no answer");
            assert!(error.to_string().contains("HOT_ROD_TOO_MANY_CALLS"), "{error}");
            assert_eq!(error.applied(), Applied::No);
        }
    }
}

/// An ordinary refusal: another member is asked at once.
#[test]
fn an_operation_that_one_member_refuses_goes_to_another_at_once() {
    let seeds = ["one", "two"].map(member).to_vec();
    let mut world = World::new(Config { seeds, ..config(auto()) });
    world.submit(Request::Size {});
    while !world.wanted.is_empty() {
        world.connect(Far::gateway(Some(Offer::default()), &[]));
    }
    let links: Vec<LinkId> = world.links.keys().copied().collect();
    let mut holds = |link: &LinkId| !world.gateway(*link).held.is_empty();
    let link = links.into_iter().find(|link| holds(link)).expect("the link of the operation");
    let (stream, call, ..) = world.gateway(link).held.pop().expect("the operation");
    world.gateway(link).link.end_call(stream, call, HOT_ROD_TOO_MANY_CALLS, false);
    world.gateway_speaks(link);
    while !world.wanted.is_empty() {
        world.connect(Far::gateway(Some(Offer::default()), &[]));
    }
    let others: Vec<LinkId> = world.links.keys().copied().filter(|other| *other != link).collect();
    assert!(others.into_iter().any(|other| world.gateway(other).held.len() == 1), "no time has passed");
}

/// A cache that was just made anew: nothing was executed, so that holds for operations with a condition too.
#[test]
fn operations_on_a_cache_that_is_not_started_are_sent_again_until_it_is() {
    const NOT_READY: &str = "IllegalLifecycleStateException: ISPN005066: Cache 'c' is not ready";
    let mut left = 6;
    let mut world = World::new(config(CarriageConfig::default()));
    world.connect(Far::answering(move |_| {
        left -= 1;
        if left >= 0 {
            return (Status::SERVER_ERROR, Body::Error(NOT_READY.into()));
        }
        (Status::SUCCESS, Body::Nothing)
    }));
    let key = Bytes::from_static(b"k");
    world.submit(Request::PutIfAbsent { key: key.clone(), expiration: Expiration::DEFAULT, value: key });
    world.wait(Duration::from_secs(10));
    let [(_, Ok(reply))] = &world.completed[..] else { panic!("{:?}", world.completed) };
    assert_eq!(reply.status, Status::SUCCESS);
}

/// The task may have done a part of its work.
#[test]
fn a_task_that_met_a_cache_that_is_not_started_is_not_sent_again() {
    let mut world = World::new(config(CarriageConfig::default()));
    world.connect(Far::answering(|_| (Status::SERVER_ERROR, Body::Error("ISPN005066: Cache 'c' is not ready".into()))));
    world.submit(Request::Exec { task: "t".into(), parameters: Vec::new() });
    world.run();
    assert!(matches!(&world.completed[..], [(_, Err(_))]), "{:?}", world.completed);
}
