//! A client machine and what its host keeps for it.

use std::collections::BTreeMap;

use hotrod_core::cluster::{
    CacheHandle, Call, Cluster as Client, ClusterError, Config, Event, IterationId, LinkId, OperationId, SubmitError,
};
use hotrod_core::time::Instant;
use hotrod_core::wire::{Flags, IterationEntry, Reply, Request, RequestOptions};

use crate::world::PipeId;

/// A client and its host.
pub struct Host {
    /// The machine under test.
    pub client: Client,
    /// The cache that tests use.
    pub cache: CacheHandle,
    /// The same cache, asked for what was there before a write. Such a write is never sent again once it may have been
    /// executed, so it takes effect at most once.
    pub asking_previous: CacheHandle,
    /// The answers, until the test takes them.
    pub answers: BTreeMap<OperationId, Result<Reply, ClusterError>>,
    /// Entries of iterations, until the test takes them.
    pub entries: BTreeMap<IterationId, Result<Vec<IterationEntry>, ClusterError>>,
    /// What the machine has told.
    pub events: Vec<Event>,
    /// It has a listener, or one that is being registered.
    pub is_listening: bool,
    /// Operations that were submitted and not answered.
    pub unanswered: usize,
    /// The settings that it was made with.
    pub config: Config,
    pub(crate) links: BTreeMap<LinkId, PipeId>,
}

impl Host {
    /// A client without links.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut client = Client::new(config.clone(), seed, now);
        let cache = client.cache(now, RequestOptions::cache("dist"));
        Self {
            client,
            asking_previous: cache.with_flags(Flags::FORCE_RETURN_VALUE),
            cache,
            answers: BTreeMap::new(),
            entries: BTreeMap::new(),
            events: Vec::new(),
            is_listening: false,
            unanswered: 0,
            config,
            links: BTreeMap::new(),
        }
    }

    /// Submits an operation on a cache. It is refused exactly if as many wait as may.
    pub fn submit_to(
        &mut self,
        now: Instant,
        cache: &CacheHandle,
        request: Request,
    ) -> Result<OperationId, SubmitError> {
        let waiting = self.client.waiting();
        let submitted = self.client.submit(now, Call::new(cache, request));
        let is_full = waiting >= self.config.max_waiting;
        assert_eq!(submitted.is_err(), is_full, "{waiting} wait, and one more: {submitted:?}");
        self.unanswered += usize::from(submitted.is_ok());
        submitted
    }

    /// The answer to an operation has come.
    pub(crate) fn take_answer(&mut self, id: OperationId, result: Result<Reply, ClusterError>) {
        assert!(self.answers.insert(id, result).is_none(), "{id:?} is answered twice");
        self.unanswered = self.unanswered.saturating_sub(1);
    }
}
