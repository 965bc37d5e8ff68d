//! A request at which servers cut the connection endangers no neighbours, whatever carries it.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{ClusterError, Config, Event, OperationId};
use hotrod_core::wire::{Expiration, Member, Request};
use hotrod_sim::carried::Carried;
use hotrod_sim::poison;
use hotrod_sim::world::{BALANCER, World};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// Neighbours that are in flight at any time.
const NEIGHBOURS: usize = 30;

/// A client that works while it is poisoned.
struct Busy {
    world: World,
    pending: Vec<OperationId>,
    number: usize,
    failures: Vec<ClusterError>,
}

impl Busy {
    fn new(carried: Carried) -> Self {
        let seeds = vec![Member { host: "10.0.0.1".into(), port: BALANCER }];
        let mut world = World::with(3, 7, carried.apply(Config::new(seeds)));
        world.call(Request::Get { key: "key".into() }).expect("an answer");
        world.run_for(20 * SECOND);
        world.events.clear();
        Self { world, pending: Vec::new(), number: 0, failures: Vec::new() }
    }

    /// Works for some milliseconds.
    fn work(&mut self, milliseconds: usize) {
        for _ in 0..milliseconds {
            while self.pending.len() < NEIGHBOURS {
                let key = Bytes::from(format!("key {}", self.number % 100));
                let request = if self.number.is_multiple_of(3) {
                    Request::Put { key, expiration: Expiration::DEFAULT, value: "value".into() }
                } else {
                    Request::Get { key }
                };
                self.number += 1;
                self.pending.push(self.world.submit(request));
            }
            self.world.run_for(MILLISECOND);
            let Self { world, pending, failures, .. } = self;
            pending.retain(|id| match world.answers.remove(id) {
                Some(answer) => {
                    failures.extend(answer.err());
                    false
                }
                None => true,
            });
        }
    }

    /// Works until a poisonous request has failed. Returns its error.
    fn poison(&mut self, request: Request) -> ClusterError {
        let id = self.world.submit(request);
        for _ in 0..500 {
            self.work(10);
            if let Some(answer) = self.world.answers.remove(&id) {
                return answer.expect_err("no server answers it");
            }
        }
        panic!("it has not failed in 5 s");
    }

    fn losses(&self) -> usize {
        self.world.events.iter().filter(|event| matches!(event, Event::MemberUnavailable { .. })).count()
    }
}

#[test]
fn neighbours_hardly_notice_a_poisonous_request() {
    for carried in Carried::ALL {
        for (size, may_be_repeated) in [(poison::SMALL, true), (poison::LARGE, true), (poison::LARGE, false)] {
            let mut busy = Busy::new(carried);
            busy.work(100);
            let before = busy.world.client.counters();
            let error = busy.poison(poison::request(1, size, may_be_repeated));
            busy.work(2_000);
            let what = format!("{carried}, {size} bytes, {may_be_repeated}: {error}");
            assert!(matches!(error, ClusterError::LostWhileSending(_)), "{what}");
            assert!(busy.failures.is_empty(), "{what}: {:?}", busy.failures);
            // A link that members share counts once for each.
            assert!(busy.losses() <= 6, "{what}: {:?}", busy.world.events);
            let after = busy.world.client.counters();
            let (retries, connects) = (after.retries - before.retries, after.connects - before.connects);
            assert!(retries <= 4 * NEIGHBOURS as u64, "{what}: {retries} retries");
            assert!(connects <= 16, "{what}: {connects} links");
            let ready = busy.world.client.members().filter(|member| member.ready).count();
            assert_eq!(ready, 3, "{what}: no member is left in back-off");
        }
    }
}

/// What was lost alone is known: the next one costs no link at all.
#[test]
fn a_size_that_was_lost_alone_is_refused() {
    let mut busy = Busy::new(Carried::RAW);
    busy.work(100);
    busy.poison(poison::request(1, poison::LARGE, true));
    busy.work(1_000);
    let connects = busy.world.client.counters().connects;
    for number in 2..10 {
        let error = busy.poison(poison::request(number, poison::LARGE + 10, true));
        assert!(matches!(error, ClusterError::RequestTooLarge { .. }), "{error}");
    }
    assert_eq!(busy.world.client.counters().connects, connects);
    assert!(busy.failures.is_empty(), "{:?}", busy.failures);
}
