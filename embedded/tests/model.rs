//! Random operations at random members, on virtual time, compared with a map.

mod common;

use std::collections::BTreeMap;

use common::{World, bytes};
use hotrod_core::wire::{Body, Expiration, Flags, Intelligence, Lifetime, Request, Status, Version};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8, Option<u64>),
    PutIfAbsent(u8, u8),
    Replace(u8, u8),
    /// Whether the request has the entry's version or a wrong one.
    ReplaceIfUnmodified(u8, u8, bool),
    Remove(u8),
    RemoveIfUnmodified(u8, bool),
    Get(u8),
    Contains(u8),
    PutAll(Vec<(u8, u8)>),
    GetAll(Vec<u8>),
    Size,
    Clear,
    Pass(u64),
    Join,
    Leave,
}

fn step() -> impl Strategy<Value = Step> {
    let (key, value) = (0u8..8, any::<u8>());
    prop_oneof![
        4 => (key.clone(), value, prop::option::of(1u64..50)).prop_map(|(k, v, l)| Step::Put(k, v, l)),
        2 => (key.clone(), value).prop_map(|(k, v)| Step::PutIfAbsent(k, v)),
        2 => (key.clone(), value).prop_map(|(k, v)| Step::Replace(k, v)),
        2 => (key.clone(), value, any::<bool>()).prop_map(|(k, v, r)| Step::ReplaceIfUnmodified(k, v, r)),
        2 => key.clone().prop_map(Step::Remove),
        2 => (key.clone(), any::<bool>()).prop_map(|(k, r)| Step::RemoveIfUnmodified(k, r)),
        4 => key.clone().prop_map(Step::Get),
        1 => key.clone().prop_map(Step::Contains),
        1 => prop::collection::vec((key.clone(), value), 0..5).prop_map(Step::PutAll),
        1 => prop::collection::vec(key, 0..5).prop_map(Step::GetAll),
        1 => Just(Step::Size),
        1 => Just(Step::Clear),
        3 => (0u64..40).prop_map(Step::Pass),
        1 => Just(Step::Join),
        1 => Just(Step::Leave),
    ]
}

/// The expected values and their expiry.
#[derive(Default)]
struct Model {
    entries: BTreeMap<u8, (u8, u64)>,
    now: u64,
}

impl Model {
    fn get(&self, key: u8) -> Option<u8> {
        self.entries.get(&key).filter(|(_, end)| *end > self.now).map(|(value, _)| *value)
    }

    fn put(&mut self, key: u8, value: u8, lifespan: Option<u64>) {
        self.entries.insert(key, (value, lifespan.map_or(u64::MAX, |lifespan| self.now + lifespan)));
    }

    fn size(&self) -> u64 {
        self.entries.values().filter(|(_, end)| *end > self.now).count() as u64
    }
}

fn key(n: u8) -> bytes::Bytes {
    bytes(&format!("key-{n}"))
}

fn value(n: u8) -> bytes::Bytes {
    bytes(&format!("value-{n}"))
}

/// The answer to a conditional operation with previous values asked for.
fn conditional(done: bool, present: Option<u8>, if_absent: Status) -> (Status, Option<bytes::Bytes>) {
    match (done, present) {
        (_, None) => (if_absent, None),
        (true, Some(present)) => (Status::SUCCESS_WITH_PREVIOUS, Some(value(present))),
        (false, Some(present)) => (Status::NOT_EXECUTED_WITH_PREVIOUS, Some(value(present))),
    }
}

struct Run {
    world: World,
    clients: Vec<usize>,
    next: usize,
    model: Model,
}

impl Run {
    /// Executes a request at each client in turn (round robin).
    fn ask(&mut self, request: Request) -> (Status, Body) {
        self.next += 1;
        let client = self.clients[self.next % self.clients.len()];
        self.world.flagged(client, "dist", Flags::FORCE_RETURN_VALUE, request)
    }

    fn ask_previous(&mut self, request: Request) -> (Status, Option<bytes::Bytes>) {
        match self.ask(request) {
            (status, Body::Previous(previous)) => (status, previous.map(|previous| previous.value)),
            (status, Body::Nothing) => (status, None),
            other => panic!("{other:?}"),
        }
    }

    fn version(&mut self, k: u8, right: bool) -> u64 {
        match self.ask(Request::GetWithVersion { key: key(k) }) {
            (Status::SUCCESS, Body::VersionedValue { version, .. }) if right => version,
            (_, Body::VersionedValue { version, .. }) => version + 1,
            _ => 1,
        }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let expiration = Expiration::DEFAULT;
        match step {
            Step::Put(k, v, lifespan) => {
                let expected = (Status::SUCCESS_WITH_PREVIOUS, self.model.get(k).map(value));
                let expiration =
                    lifespan.map_or(expiration, |milliseconds| Expiration::after(Lifetime::milliseconds(milliseconds)));
                let answer = self.ask_previous(Request::Put { key: key(k), expiration, value: value(v) });
                prop_assert_eq!(answer, expected);
                self.model.put(k, v, lifespan);
            }
            Step::PutIfAbsent(k, v) => {
                let present = self.model.get(k);
                let answer = self.ask_previous(Request::PutIfAbsent { key: key(k), expiration, value: value(v) });
                prop_assert_eq!(answer, conditional(false, present, Status::SUCCESS));
                if present.is_none() {
                    self.model.put(k, v, None);
                }
            }
            Step::Replace(k, v) => {
                let present = self.model.get(k);
                let answer = self.ask_previous(Request::Replace { key: key(k), expiration, value: value(v) });
                prop_assert_eq!(answer, conditional(true, present, Status::NOT_EXECUTED));
                if present.is_some() {
                    self.model.put(k, v, None);
                }
            }
            Step::ReplaceIfUnmodified(k, v, right) => {
                let (present, entry_version) = (self.model.get(k), self.version(k, right));
                let request = Request::ReplaceIfUnmodified { key: key(k), expiration, entry_version, value: value(v) };
                prop_assert_eq!(self.ask_previous(request), conditional(right, present, Status::KEY_DOES_NOT_EXIST));
                if present.is_some() && right {
                    self.model.put(k, v, None);
                }
            }
            Step::Remove(k) => {
                let present = self.model.get(k);
                let answer = self.ask_previous(Request::Remove { key: key(k) });
                prop_assert_eq!(answer, conditional(true, present, Status::KEY_DOES_NOT_EXIST));
                self.model.entries.remove(&k);
            }
            Step::RemoveIfUnmodified(k, right) => {
                let (present, entry_version) = (self.model.get(k), self.version(k, right));
                let answer = self.ask_previous(Request::RemoveIfUnmodified { key: key(k), entry_version });
                prop_assert_eq!(answer, conditional(right, present, Status::KEY_DOES_NOT_EXIST));
                if right {
                    self.model.entries.remove(&k);
                }
            }
            other => self.more(other)?,
        }
        Ok(())
    }

    fn more(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Get(k) => {
                let expected = self.model.get(k).map_or(Body::Nothing, |v| Body::Value(value(v)));
                prop_assert_eq!(self.ask(Request::Get { key: key(k) }).1, expected);
            }
            Step::Contains(k) => {
                let found = self.ask(Request::ContainsKey { key: key(k) }).0 == Status::SUCCESS;
                prop_assert_eq!(found, self.model.get(k).is_some());
            }
            Step::PutAll(entries) => {
                let wire = entries.iter().map(|(k, v)| (key(*k), value(*v))).collect();
                self.ask(Request::PutAll { expiration: Expiration::DEFAULT, entries: wire });
                entries.into_iter().for_each(|(k, v)| self.model.put(k, v, None));
            }
            Step::GetAll(keys) => {
                let expected = keys.iter().filter_map(|k| Some((key(*k), value(self.model.get(*k)?)))).collect();
                let keys = keys.into_iter().map(key).collect();
                prop_assert_eq!(self.ask(Request::GetAll { keys }).1, Body::Entries(expected));
            }
            Step::Size => prop_assert_eq!(self.ask(Request::Size {}).1, Body::Size(self.model.size())),
            Step::Clear => {
                self.ask(Request::Clear {});
                self.model.entries.clear();
            }
            Step::Pass(milliseconds) => {
                self.model.now += milliseconds;
                self.world.pass(milliseconds);
            }
            Step::Join => {
                self.world.cluster.add_member(common::address(9));
            }
            // Members with clients stay.
            _ => {
                let last = self.world.cluster.members().last().expect("a member").0;
                if last.0 > 2 {
                    self.world.cluster.remove_member(last);
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_cluster_is_a_map(
        steps in prop::collection::vec(step(), 1..60),
        version in prop::sample::select(vec![Version::V2_2, Version::V2_8, Version::V3_1, Version::V4_1]),
    ) {
        let mut world = World::new(3);
        let clients = (0..3).map(|member| world.connect_at(member, version, Intelligence::Basic)).collect();
        let mut run = Run { world, clients, next: 0, model: Model::default() };
        for step in steps {
            run.step(step)?;
        }
    }

    /// The same steps give the same bytes, views and versions included.
    #[test]
    fn a_run_can_be_repeated(steps in prop::collection::vec(step(), 1..30)) {
        let play = || {
            let mut world = World::new(3);
            let clients = (0..3).map(|member| world.connect(member)).collect();
            let mut run = Run { world, clients, next: 0, model: Model::default() };
            for step in steps.clone() {
                run.step(step).expect("as the model");
            }
            let (_, body) = run.ask(Request::Stats {});
            let view = run.world.cluster.topology("dist").cloned();
            (body, view)
        };
        prop_assert_eq!(play(), play());
    }
}
