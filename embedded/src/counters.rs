//! Counters of the cluster. Results are those of `CounterRequestProcessor` and `FunctionHelper` of the Infinispan server.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use hotrod_core::wire::{Body, CounterConfiguration, CounterEvent, CounterKind, CounterState, Status};

use crate::answer::{Answer, Failure, Outcome};
use crate::cluster::MAX_NAME_BYTES;
use crate::event_queues::{ConnectionId, EventQueues, QueuedEvent};
use crate::single_key::Caller;

/// Name of the cache in requests on counters.
pub(crate) const CACHE: &str = "org.infinispan.COUNTER";

struct Counter {
    configuration: CounterConfiguration,
    value: i64,
    state: CounterState,
}

struct Listener {
    caller: Caller,
    counters: BTreeSet<String>,
}

/// The cluster's counters and their listeners.
#[derive(Default)]
pub(crate) struct Counters {
    all: BTreeMap<String, Counter>,
    listeners: BTreeMap<Bytes, Listener>,
}

/// Why a counter is not changed. Only `Failed` is an error on the wire.
enum Refusal {
    NotDefined,
    OutOfBounds,
    Failed(Failure),
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotDefined => Ok(Answer::NOT_EXISTING),
            Refusal::OutOfBounds => Ok(Answer { status: Status::NOT_EXECUTED_WITH_PREVIOUS, body: Body::Nothing }),
            Refusal::Failed(failure) => Err(failure),
        }
    }
}

impl Counters {
    pub(crate) fn create(&mut self, name: String, configuration: CounterConfiguration, limit: usize) -> Outcome {
        if let CounterKind::BoundedStrong { lower, upper } = configuration.kind {
            let initial = configuration.initial_value;
            if lower >= upper || !(lower..=upper).contains(&initial) {
                let message = format!("initial value {initial} of a counter with bounds {lower} and {upper}");
                return Err(Failure::server_error(message));
            }
        }
        if self.all.contains_key(&name) {
            return Ok(Answer::NOT_EXECUTED);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(Failure::server_error(format!(
                "ISPN000663: Name must be less than 256 bytes, current name '{name}'"
            )));
        }
        if self.all.len() >= limit {
            return Err(Failure::server_error(format!("there are {limit} counters already")));
        }
        let (value, state) = (configuration.initial_value, CounterState::Valid);
        self.all.insert(name, Counter { configuration, value, state });
        Ok(Answer::SUCCESS)
    }

    pub(crate) fn configuration(&self, name: &str) -> Answer {
        let counter = self.all.get(name);
        counter.map_or(Answer::NOT_EXISTING, |counter| {
            Answer::with(Body::CounterConfiguration(counter.configuration.clone()))
        })
    }

    pub(crate) fn is_defined(&self, name: &str) -> Answer {
        Answer::done(self.all.contains_key(name))
    }

    pub(crate) fn names(&self) -> Answer {
        Answer::with(Body::Names(self.all.keys().cloned().collect()))
    }

    pub(crate) fn get(&self, name: &str) -> Answer {
        self.all.get(name).map_or(Answer::NOT_EXISTING, |counter| Answer::with(Body::CounterValue(counter.value)))
    }

    pub(crate) fn add(&mut self, name: &str, delta: i64, queues: &mut EventQueues) -> Outcome {
        let result = self.change(name, queues, |counter| {
            counter.add(delta);
            match counter.state {
                CounterState::Valid if counter.is_weak() => Ok(0),
                CounterState::Valid => Ok(counter.value),
                _ if delta == 0 => Ok(counter.value),
                _ => Err(Refusal::OutOfBounds),
            }
        });
        answer(result)
    }

    pub(crate) fn compare_and_swap(
        &mut self,
        name: &str,
        expected: i64,
        update: i64,
        queues: &mut EventQueues,
    ) -> Outcome {
        answer(self.change(name, queues, |counter| {
            counter.must_be_strong()?;
            let value = counter.value;
            if value == expected {
                counter.set(update)?;
            }
            Ok(value)
        }))
    }

    pub(crate) fn get_and_set(&mut self, name: &str, value: i64, queues: &mut EventQueues) -> Outcome {
        answer(self.change(name, queues, |counter| {
            counter.must_be_strong()?;
            let before = counter.value;
            counter.set(value)?;
            Ok(before)
        }))
    }

    /// Resets a counter. The configuration stays, and a counter without one is no failure.
    pub(crate) fn remove(&mut self, name: &str, queues: &mut EventQueues) -> Answer {
        // The reset of a defined counter can't fail.
        let _ = self.reset(name, queues);
        Answer::SUCCESS
    }

    /// Resets a counter to its initial value.
    pub(crate) fn reset(&mut self, name: &str, queues: &mut EventQueues) -> Outcome {
        let result = self.change(name, queues, |counter| {
            counter.value = counter.configuration.initial_value;
            counter.state = CounterState::Valid;
            Ok(0)
        });
        answer(result).map(|done| if done.status.is_success() { Answer::SUCCESS } else { done })
    }

    /// Adds a listener. Returns success if its events now come on this connection, and NOT_EXECUTED if it existed.
    pub(crate) fn add_listener(&mut self, name: String, id: &Bytes, caller: Caller, limit: usize) -> Outcome {
        if !self.all.contains_key(&name) {
            return Ok(Answer::NOT_EXISTING);
        }
        let is_new = !self.listeners.contains_key(id);
        let of_caller = self.listeners.values().filter(|listener| listener.caller.connection == caller.connection);
        if of_caller.map(|listener| listener.counters.len()).sum::<usize>() >= limit {
            return Err(Failure::server_error(format!("this connection listens to {limit} counters already")));
        }
        let listener = self.listeners.entry(Bytes::copy_from_slice(id));
        listener.or_insert_with(|| Listener { caller, counters: BTreeSet::new() }).counters.insert(name);
        Ok(Answer::done(is_new))
    }

    /// Removes a listener from a counter, or with an empty name from all. Returns success if none is left.
    pub(crate) fn remove_listener(&mut self, name: &str, id: &Bytes) -> Answer {
        let Some(listener) = self.listeners.get_mut(id) else { return Answer::NOT_EXISTING };
        if name.is_empty() {
            listener.counters.clear();
        } else {
            listener.counters.remove(name);
        }
        let none_left = listener.counters.is_empty();
        if none_left {
            self.listeners.remove(id);
        }
        Answer::done(none_left)
    }

    pub(crate) fn remove_listeners_of(&mut self, connection: ConnectionId) {
        self.listeners.retain(|_, listener| listener.caller.connection != connection);
    }

    /// Changes a counter, and notifies its listeners if value or state changed.
    fn change(
        &mut self,
        name: &str,
        queues: &mut EventQueues,
        change: impl FnOnce(&mut Counter) -> Result<i64, Refusal>,
    ) -> Result<i64, Refusal> {
        let counter = self.all.get_mut(name).ok_or(Refusal::NotDefined)?;
        let (old_value, old_state) = (counter.value, counter.state);
        let result = change(counter);
        let (new_value, new_state) = (counter.value, counter.state);
        if (new_value, new_state) == (old_value, old_state) {
            return result;
        }
        for (id, listener) in self.listeners.iter().filter(|(_, listener)| listener.counters.contains(name)) {
            let (counter, listener_id) = (name.into(), id.clone());
            let event = CounterEvent { counter, listener_id, old_value, old_state, new_value, new_state };
            queues.send(listener.caller.connection, QueuedEvent::Counter(event));
        }
        result
    }
}

impl Counter {
    fn is_weak(&self) -> bool {
        matches!(self.configuration.kind, CounterKind::Weak { .. })
    }

    fn must_be_strong(&self) -> Result<(), Refusal> {
        if self.is_weak() {
            return Err(Refusal::Failed(Failure::server_error("a weak counter can't be compared or set")));
        }
        Ok(())
    }

    fn add(&mut self, delta: i64) {
        let sum = i128::from(self.value) + i128::from(delta);
        let CounterKind::BoundedStrong { lower, upper } = self.configuration.kind else {
            self.value = sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            return;
        };
        (self.value, self.state) = if sum > upper.into() {
            (upper, CounterState::UpperBoundReached)
        } else if sum < lower.into() {
            (lower, CounterState::LowerBoundReached)
        } else if delta == 0 {
            (self.value, self.state)
        } else {
            (sum as i64, CounterState::Valid)
        };
    }

    fn set(&mut self, value: i64) -> Result<(), Refusal> {
        if let CounterKind::BoundedStrong { lower, upper } = self.configuration.kind
            && !(lower..=upper).contains(&value)
        {
            return Err(Refusal::OutOfBounds);
        }
        (self.value, self.state) = (value, CounterState::Valid);
        Ok(())
    }
}

fn answer(result: Result<i64, Refusal>) -> Outcome {
    match result {
        Ok(value) => Ok(Answer::with(Body::CounterValue(value))),
        Err(refusal) => refusal.into(),
    }
}
