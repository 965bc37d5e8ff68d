//! Requests that may be the cause of a link's loss: they are repeated alone, and cost nobody else anything.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::world::{Far, World, auto, config};
use crate::cluster::{Call, CarriageConfig, ClusterError, Config, Event, OperationId};
use crate::session::Applied;
use crate::time::Instant;
use crate::wire::{Expiration, Member, Request, Topology};

const HOSTS: [&str; 3] = ["pod-0", "pod-1", "pod-2"];
/// Larger than what the members take, and not so large that it is suspicious before it has cost a link.
const LARGE: usize = 2 << 20;
/// Above the default of Infinispan's `max-content-length`.
const VERY_LARGE: usize = 11_000_000;

fn is_poison(request: &Request) -> bool {
    request.value_bytes() >= LARGE || matches!(request, Request::Get { key } if key == "poison")
}

fn cutting() -> Far {
    Far::cutting(is_poison)
}

fn get(key: &'static str) -> Request {
    Request::Get { key: Bytes::from_static(key.as_bytes()) }
}

fn put(value: usize) -> Request {
    Request::Put {
        key: Bytes::from_static(b"k"),
        value: Bytes::from(alloc::vec![1; value]),
        expiration: Expiration::default(),
    }
}

/// A client of three members that cut their links at poison.
fn world_of(config: Config) -> World {
    let mut world = World::new(config);
    let members = HOSTS.iter().map(|host| Member { host: (*host).into(), port: 11222 }).collect();
    world.submit(Request::Size {});
    world.connect(Far::stopping(Some(Topology { id: 1, members, hash: None })));
    HOSTS.iter().for_each(|_| drop(world.connect(cutting())));
    assert!(world.wanted.is_empty());
    world.completed.clear();
    world.events.clear();
    world
}

fn world() -> World {
    world_of(config(CarriageConfig::default()))
}

impl World {
    /// Submits requests that are in flight together.
    fn submit_all(&mut self, requests: impl IntoIterator<Item = Request>) -> Vec<OperationId> {
        let submit = |request| self.cluster.submit(self.now, Call::new(&self.cache, request)).expect("it is taken");
        let ids = requests.into_iter().map(submit).collect();
        self.run();
        ids
    }

    /// Connects whatever is wanted until everything is answered. Returns the number of links.
    fn settle(&mut self, count: usize) -> usize {
        let (end, mut links) = (self.now + Duration::from_secs(60), 0);
        while self.completed.len() < count && self.now < end {
            if self.wanted.is_empty() {
                self.wait(Duration::from_millis(10));
            } else {
                self.connect(cutting());
                links += 1;
            }
        }
        links
    }

    fn error_of(&self, id: OperationId) -> &ClusterError {
        let (_, result) = self.completed.iter().find(|(completed, _)| *completed == id).expect("it has ended");
        result.as_ref().expect_err("it has failed")
    }

    fn succeeded(&self) -> BTreeSet<OperationId> {
        self.completed.iter().filter(|(_, result)| result.is_ok()).map(|(id, _)| *id).collect()
    }

    fn losses(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::MemberUnavailable { .. })).count()
    }
}

fn elapsed(world: &World, since: Instant) -> Duration {
    world.now - since
}

/// Neighbours before the request, and after it.
fn beside(request: Request) -> Vec<Request> {
    let neighbours = || (0..20).map(|_| get("k"));
    neighbours().chain([request]).chain(neighbours()).collect()
}

#[test]
fn a_large_request_that_cost_a_link_is_repeated_alone_and_fails_soon() {
    let mut world = world();
    let since = world.now;
    let ids = world.submit_all(beside(put(LARGE)));
    let links = world.settle(ids.len());
    assert_eq!(world.succeeded().len(), 40, "the neighbours do not fail");
    assert!(links <= 3, "{links} links: one lost with the first attempt, and two of its own");
    assert!(world.losses() <= 1, "{:?}", world.events);
    assert!(elapsed(&world, since) < Duration::from_secs(2), "{:?}", elapsed(&world, since));
    let error = world.error_of(ids[20]);
    let text = error.to_string();
    assert!(text.contains(&format!("while sending {} bytes to pod-", LARGE + 1)), "{text}");
    assert!(text.contains("max-content-length") && text.contains("connection reset"), "{text}");
    assert_eq!(error.applied(), Applied::Unknown, "it was sent whole");
}

#[test]
fn a_request_above_the_servers_default_endangers_no_link_of_others() {
    let mut world = world();
    let ids = world.submit_all(beside(put(VERY_LARGE)));
    let links = world.settle(ids.len());
    assert_eq!(world.succeeded().len(), 40);
    assert_eq!((world.losses(), links), (0, 2), "{:?}", world.events);
    assert!(world.error_of(ids[20]).to_string().contains("max-content-length"));
}

#[test]
fn a_small_request_that_was_in_flight_at_two_losses_is_repeated_alone() {
    let mut world = world();
    let ids = world.submit_all(beside(get("poison")));
    let links = world.settle(ids.len());
    assert_eq!(world.succeeded().len(), 40, "the neighbours do not fail");
    assert!(links <= 6, "{links} links");
    assert!(world.losses() <= 2, "{:?}", world.events);
    let text = world.error_of(ids[20]).to_string();
    assert!(text.contains("while sending 6 bytes to ") && !text.contains("max-content-length"), "{text}");
}

/// A rolling restart: many operations are in flight at the loss of one member, and then of the next.
#[test]
fn many_innocents_of_two_losses_are_cleared_by_few_links() {
    let mut world = World::new(config(CarriageConfig::default()));
    let members = HOSTS.iter().map(|host| Member { host: (*host).into(), port: 11222 }).collect();
    world.submit(Request::Size {});
    world.connect(Far::stopping(Some(Topology { id: 1, members, hash: None })));
    let links: Vec<_> = HOSTS.iter().map(|_| world.connect(Far::raw()).0).collect();
    world.completed.clear();
    let ids = world.submit_all((0..3_000).map(|_| get("k")));
    for link in &links[..2] {
        world.lose(*link);
    }
    let wanted = world.wanted.len();
    assert!(wanted <= 6, "{wanted} links");
    // The third answers what has come to it on the shared link, when that is lost too.
    world.lose(links[2]);
    let links = world.settle(ids.len());
    assert_eq!(world.succeeded().len(), 3_000);
    assert!(links <= 12, "{links} links");
}

#[test]
fn a_size_that_was_proved_too_large_is_refused_before_it_is_sent() {
    let mut world = world();
    world.submit_all([put(LARGE)]);
    world.settle(1);
    let connects = world.cluster.counters().connects;
    let losses = world.losses();
    world.meet_each(Duration::from_secs(5), |world| drop(world.connect(cutting())));
    world.completed.clear();
    let ids = world.submit_all([put(LARGE + 5), put(LARGE - 10)]);
    world.settle(2);
    let error = world.error_of(ids[0]).clone();
    assert!(matches!(error, ClusterError::RequestTooLarge { .. }), "{error}");
    assert!(error.to_string().contains("max-content-length"), "{error}");
    assert_eq!(error.applied(), Applied::No);
    assert!(world.succeeded().contains(&ids[1]), "a smaller one is sent");
    // The server may have been given another limit since: it is tried again, alone.
    world.meet_each(Duration::from_secs(60), |world| drop(world.connect(cutting())));
    world.completed.clear();
    let ids = world.submit_all(beside(put(LARGE)));
    world.settle(ids.len());
    assert_eq!((world.losses(), world.succeeded().len()), (losses, 40));
    assert!(world.cluster.counters().connects <= connects + 3);
}

#[test]
fn a_request_above_max_request_size_is_refused() {
    let mut world = world_of(Config { max_request_size: Some(1_000), ..config(CarriageConfig::default()) });
    let ids = world.submit_all([put(1_000), put(999)]);
    let text = world.error_of(ids[0]).to_string();
    assert!(text.contains("1001 bytes") && text.contains("max_request_size=1000"), "{text}");
    assert!(world.succeeded().contains(&ids[1]));
}

/// Also where nothing may be repeated once it may have been applied.
#[test]
fn requests_of_every_kind_endanger_no_neighbours() {
    let (key, value) = (Bytes::from_static(b"k"), Bytes::from(alloc::vec![1; LARGE]));
    let expiration = Expiration::default();
    let entries = [(key.clone(), value.clone())].to_vec();
    for request in [
        Request::PutIfAbsent { key: key.clone(), value: value.clone(), expiration },
        Request::Replace { key: key.clone(), value: value.clone(), expiration },
        Request::PutAll { expiration, entries },
        Request::Exec { task: "task".into(), parameters: [("p".into(), value.clone())].to_vec() },
        Request::Query { query: value },
    ] {
        let mut world = world();
        let ids = world.submit_all(beside(request.clone()));
        let links = world.settle(ids.len());
        assert_eq!(world.succeeded().len(), 40, "{request:?}", request = request.operation());
        assert!(links <= 3, "{links} links for {:?}", request.operation());
        let text = world.error_of(ids[20]).to_string();
        assert!(text.contains("max-content-length"), "{text}");
    }
}

/// A size that was answered once is no reason for a loss: failover with large values is as quick as with small ones.
#[test]
fn a_size_that_was_answered_before_is_not_suspicious() {
    let mut world = World::new(config(CarriageConfig::default()));
    let members = HOSTS.iter().map(|host| Member { host: (*host).into(), port: 11222 }).collect();
    world.submit(Request::Size {});
    world.connect(Far::stopping(Some(Topology { id: 1, members, hash: None })));
    let innocent = || Far::cutting(|_| false);
    let links: Vec<_> = HOSTS.iter().map(|_| world.connect(innocent()).0).collect();
    world.submit(put(VERY_LARGE));
    assert_eq!(world.wanted.len(), 1, "the first of its size goes alone");
    world.connect(innocent());
    for link in &links {
        world.links.insert(*link, Far::Silent(Vec::new()));
    }
    world.completed.clear();
    let ids = world.submit_all((0..3).map(|_| put(VERY_LARGE)));
    assert!(world.wanted.is_empty());
    world.links.insert(links[1], innocent());
    world.links.insert(links[2], innocent());
    world.completed.clear();
    world.lose(links[0]);
    assert_eq!(world.succeeded().len(), 1, "it goes to another member at once: {:?}", ids.len());
}

/// A link that many sessions share is not risked either.
#[test]
fn over_http2_a_suspect_has_a_link_of_its_own() {
    let mut world = World::new(config(auto()));
    let (shared, _) = world.connect(Far::gateway(None, &[]));
    world.submit(get("neighbour"));
    world.submit(put(LARGE));
    world.lose(shared);
    world.wait_for_link();
    let (one, _) = world.connect(Far::gateway(None, &[]));
    for _ in 0..100 {
        world.wait(Duration::from_millis(10));
        if !world.wanted.is_empty() {
            break;
        }
    }
    let (other, _) = world.connect(Far::gateway(None, &[]));
    assert_ne!(one, other);
    let asked: Vec<_> = [one, other].into_iter().map(|link| world.gateway(link).asked.len()).collect();
    assert_eq!(asked, [1, 1], "one session on each");
}
