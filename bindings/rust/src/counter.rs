//! Counters of the cluster.

use hotrod_core::cluster::ListenerKind;
use hotrod_core::vocabulary::Answer;
use hotrod_core::wire::{CounterConfiguration, CounterKind, Request};

use crate::{Cache, Error, Listener};

/// A counter, by its name; cheap to clone. Whether it exists shows with the first operation.
#[derive(Clone)]
pub struct Counter {
    cache: Cache,
    name: String,
}

impl Counter {
    pub(crate) fn new(cache: Cache, name: &str) -> Self {
        Self { cache, name: name.into() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes it; answers false if there is one of that name.
    pub async fn create(&self, configuration: CounterConfiguration) -> Result<bool, Error> {
        self.flag(Request::CounterCreate { counter: self.name.clone(), configuration }).await
    }

    /// Makes it a strong counter without bounds; answers false if there is one of that name.
    pub async fn create_strong(&self, initial_value: i64) -> Result<bool, Error> {
        self.create(CounterConfiguration { kind: CounterKind::UnboundedStrong, persistent: false, initial_value }).await
    }

    /// Makes it a strong counter between two bounds; answers false if there is one of that name.
    pub async fn create_bounded(&self, lower: i64, upper: i64, initial_value: i64) -> Result<bool, Error> {
        let kind = CounterKind::BoundedStrong { lower, upper };
        self.create(CounterConfiguration { kind, persistent: false, initial_value }).await
    }

    /// Makes it a weak counter of so many values; answers false if there is one of that name.
    pub async fn create_weak(&self, concurrency: u32, initial_value: i64) -> Result<bool, Error> {
        let kind = CounterKind::Weak { concurrency };
        self.create(CounterConfiguration { kind, persistent: false, initial_value }).await
    }

    /// How it was made; `None` if there is none of that name.
    pub async fn get_configuration(&self) -> Result<Option<CounterConfiguration>, Error> {
        match self.cache.answer(Request::CounterGetConfiguration { counter: self.name.clone() }).await? {
            Answer::Counter(configuration) => Ok(configuration),
            _ => Ok(None),
        }
    }

    /// Whether there is such a counter.
    pub async fn is_defined(&self) -> Result<bool, Error> {
        self.flag(Request::CounterIsDefined { counter: self.name.clone() }).await
    }

    /// Its value. Fails if there is no such counter, as the following do.
    pub async fn get(&self) -> Result<i64, Error> {
        self.number(Request::CounterGet { counter: self.name.clone() }).await
    }

    /// Adds, and answers the new value; 0 of a weak counter. Fails at a bound.
    pub async fn add_and_get(&self, delta: i64) -> Result<i64, Error> {
        self.number(Request::CounterAddAndGet { counter: self.name.clone(), delta }).await
    }

    /// Sets a strong counter, and answers the value that it had.
    pub async fn get_and_set(&self, value: i64) -> Result<i64, Error> {
        self.number(Request::CounterGetAndSet { counter: self.name.clone(), value }).await
    }

    /// Sets a strong counter if it has the expected value, and answers the value that it had.
    pub async fn compare_and_swap(&self, expected: i64, update: i64) -> Result<i64, Error> {
        self.number(Request::CounterCompareAndSwap { counter: self.name.clone(), expected, update }).await
    }

    /// Sets it back to its initial value.
    pub async fn reset(&self) -> Result<(), Error> {
        self.cache.answer(Request::CounterReset { counter: self.name.clone() }).await.map(drop)
    }

    /// Drops its value; its configuration stays. Answers false if there is none.
    pub async fn remove(&self) -> Result<bool, Error> {
        self.flag(Request::CounterRemove { counter: self.name.clone() }).await
    }

    /// Listens to its changes.
    pub async fn listen(&self) -> Result<Listener, Error> {
        Listener::register(&self.cache, ListenerKind::Counter(self.name.clone())).await
    }

    async fn flag(&self, request: Request) -> Result<bool, Error> {
        Ok(self.cache.answer(request).await? == Answer::Flag(true))
    }

    async fn number(&self, request: Request) -> Result<i64, Error> {
        match self.cache.answer(request).await? {
            Answer::Number(number) => Ok(number),
            _ => Ok(0),
        }
    }
}
