//! Endpoints that ask not to be asked again (Retry-After, R-87).

use alloc::vec::Vec;
use core::time::Duration;

use super::world::{Far, World, auto, config};
use crate::carriage::Offer;
use crate::cluster::{Access, AccessPath, Config, Event, TlsConfig};
use crate::wire::{Member, Request};

fn frames(refusals: &[(u16, Option<u32>)]) -> Far {
    Far::gateway(Some(Offer::default()), refusals)
}

fn waited(world: &World) -> Vec<Duration> {
    let of = |event: &Event| match event {
        Event::MemberUnavailable { retry_after, .. } => Some(*retry_after),
        _ => None,
    };
    world.events.iter().filter_map(of).collect()
}

const PATIENCE: Duration = Duration::from_secs(3_600);

#[test]
fn an_endpoint_is_not_asked_again_before_it_says_so() {
    for status in [429, 503, 404, 421] {
        for over_http1 in [false, true] {
            let mut world = World::new(Config {
                operation_timeout: PATIENCE,
                tls: over_http1.then(TlsConfig::default),
                ..config(auto())
            });
            world.submit(Request::Size {});
            if over_http1 {
                world.connect_with(Far::http1(status, Some(30)), Some(b"http/1.1"));
            } else {
                world.connect(frames(&[(status, Some(30))]));
            }
            assert_eq!(waited(&world), [Duration::from_secs(30)], "{status}");
            world.wait(Duration::from_millis(29_900));
            assert!(world.wanted.is_empty(), "{status}: not yet");
            world.wait(Duration::from_millis(200));
            assert_eq!(world.wanted.len(), 1, "{status}: now");
        }
    }
}

/// The pause after failures is the longer one then.
#[test]
fn a_shorter_time_than_the_pause_changes_nothing() {
    let backoff = Duration::from_secs(8);
    let mut world = World::new(Config { min_backoff: backoff, max_backoff: backoff, ..config(auto()) });
    world.submit(Request::Size {});
    world.connect(frames(&[(503, Some(1))]));
    assert!(waited(&world)[0] >= backoff / 2);
    world.wait(Duration::from_secs(3));
    assert!(world.wanted.is_empty());
}

#[test]
fn no_endpoint_is_heeded_for_longer_than_the_settings_say() {
    let most = Duration::from_secs(40);
    let mut world = World::new(Config { operation_timeout: PATIENCE, max_retry_after: most, ..config(auto()) });
    world.submit(Request::Size {});
    world.connect(frames(&[(503, Some(u32::MAX))]));
    assert_eq!(waited(&world), [most]);
    world.wait(Duration::from_millis(39_900));
    assert!(world.wanted.is_empty());
    world.wait(Duration::from_millis(300));
    assert_eq!(world.wanted.len(), 1);
}

/// It is the same endpoint and the same member that are meant: another gateway may be asked for it.
#[test]
fn another_endpoint_may_be_asked_meanwhile() {
    let seeds = ["one", "two"].map(|host| Member { host: host.into(), port: 80 }).to_vec();
    let access = Access { path: AccessPath::Header, ..Access::default() };
    let mut world =
        World::new(Config { seeds, access, operation_timeout: PATIENCE, connect_ahead: false, ..config(auto()) });
    world.submit(Request::Size {});
    let (_, dial) = world.connect(frames(&[(503, Some(30))]));
    let first = dial.host;
    world.wait(Duration::from_secs(1));
    let (_, dial) = world.connect(frames(&[]));
    assert_ne!(dial.host, first, "not the one that has asked to wait");
    assert!(world.is_ready());
}

/// A second session is refused and the first one goes on: the endpoint is not asked for another one at once, and what the
/// other was for is done by the first.
#[test]
fn a_further_session_is_not_asked_for_again_either() {
    let mut world = World::new(Config { operation_timeout: PATIENCE, ..config(auto()) });
    let offer = Offer { lane_threshold: 1_000, ..Offer::default() };
    let (link, _) = world.connect(Far::gateway(Some(offer), &[]));
    assert!(world.is_ready());
    world.gateway(link).refusals.push_back((429, Some(30)));
    for _ in 0..3 {
        world.submit(Request::BulkGet { count: 0 });
    }
    world.wait(Duration::from_secs(5));
    let gateway = world.gateway(link);
    assert_eq!((gateway.asked.len(), gateway.held.len()), (2, 3), "by the session that is there");
    world.wait(Duration::from_secs(1));
    world.submit(Request::BulkGet { count: 0 });
    assert_eq!(world.gateway(link).asked.len(), 2);
}
