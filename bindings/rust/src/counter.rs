//! Counters of the cluster.

use hotrod_core::cluster::ListenerKind;
use hotrod_core::wire::{CounterConfiguration, CounterKind};

use crate::{Cache, Error, Listener};

/// A counter, by its name; cheap to clone. Whether it exists shows with the first operation.
#[derive(Clone)]
pub struct Counter {
    pub(crate) cache: Cache,
    pub(crate) name: String,
}

impl Counter {
    pub(crate) fn new(cache: Cache, name: &str) -> Self {
        Self { cache, name: name.into() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
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

    /// Listens to its changes.
    pub async fn listen(&self) -> Result<Listener, Error> {
        Listener::register(&self.cache, ListenerKind::Counter(self.name.clone())).await
    }
}
