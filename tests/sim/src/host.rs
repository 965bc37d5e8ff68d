//! A client machine and what its host keeps for it.

use std::collections::BTreeMap;

use hotrod_core::carriage::{Choice, Inside};
use hotrod_core::cluster::{
    CacheHandle, Call, Cluster as Client, ClusterError, Config, Event, IterationId, LinkId, ListenerId, OperationId,
    SubmitError,
};
use hotrod_core::session::Disconnect;
use hotrod_core::time::Instant;
use hotrod_core::wire::{Flags, IterationEntry, Reply, Request, RequestOptions};

use crate::remade::Watching;
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
    /// When the machine last gave a session up that got no answer, on a link that may have others and live on.
    pub gave_up_at: Option<Instant>,
    /// Its listener, or the one that is being registered.
    pub listening: Option<ListenerId>,
    /// What it has of a cache that is removed and made anew.
    pub watching: Option<Watching>,
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
            gave_up_at: None,
            listening: None,
            watching: None,
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

    /// Whether an attempt of an operation that was submitted then may still arrive, although nobody waits for its answer.
    ///
    /// HTTP/2 can end a stream, and can't call back what was sent on it: while the link lives that arrives, before the end
    /// of the stream. A link that has one session ends with that.
    pub fn may_have_left_an_attempt(&self, submitted: Instant) -> bool {
        self.gave_up_at.is_some_and(|at| submitted <= at)
    }

    /// The machine has told something.
    pub(crate) fn take_event(&mut self, now: Instant, event: Event) {
        match &event {
            Event::Entry { listener, .. } | Event::Counter { listener, .. } => {
                self.client.events_taken(now, *listener, 1);
            }
            Event::MemberUnavailable { reason, .. }
                if self.shares_links() && matches!(**reason, Disconnect::Stalled { .. }) =>
            {
                self.gave_up_at = Some(now);
            }
            _ => {}
        }
        self.events.push(event);
    }

    /// Whether every link of its own carries HTTP/2.
    pub(crate) fn speaks_http2_alone(&self) -> bool {
        matches!(self.config.carriage.choice, Choice::Only(only) if only.is_http2())
    }

    /// Whether a link may have several sessions.
    fn shares_links(&self) -> bool {
        let carriage = &self.config.carriage;
        let is_http2 = match carriage.choice {
            Choice::Auto => true,
            Choice::Only(only) => only.is_http2(),
        };
        is_http2 || carriage.inside == Inside::Frames
    }

    /// The answer to an operation has come.
    pub(crate) fn take_answer(&mut self, id: OperationId, result: Result<Reply, ClusterError>) {
        assert!(self.answers.insert(id, result).is_none(), "{id:?} is answered twice");
        self.unanswered = self.unanswered.saturating_sub(1);
    }
}
