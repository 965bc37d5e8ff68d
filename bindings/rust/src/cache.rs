//! Operations on one cache.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{
    CacheHandle, Call, ClusterError, IterationOptions, ListenerKind, MemberId, NearCacheOptions, OperationId, ReadFrom,
};
use hotrod_core::session::Applied;
use hotrod_core::vocabulary;
use hotrod_core::wire::{
    Body, Expiration, Flags, ListenerOptions, MediaType, Metadata, Operation, Ping, Previous, Reply, Request,
    RequestOptions, Status,
};
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::driver::Answer;
use crate::{Client, Error, Iteration, Listener};

/// A cache of the cluster; cheap to clone. Keys and values are bytes, in whatever form the media types say.
#[derive(Clone)]
pub struct Cache {
    pub(crate) client: Client,
    pub(crate) handle: CacheHandle,
    timeout: Option<Duration>,
}

/// An entry and what the server tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// Its version and lifetimes.
    pub metadata: Metadata,
}

/// The outcome of an operation with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional {
    /// Whether the condition held, and the operation was executed.
    pub executed: bool,
    /// The value before, or the present one if it was not executed: only with [`Flags::FORCE_RETURN_VALUE`].
    pub previous: Option<Previous>,
}

/// The outcome of an operation on a certain version of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioned {
    /// It was executed.
    Done,
    /// The entry has another version by now.
    Modified,
    /// There is no entry.
    Missing,
}

impl Cache {
    pub(crate) fn new(client: Client, options: RequestOptions) -> Self {
        let handle = client.handle(options);
        Self { client, handle, timeout: None }
    }

    /// The cache's name; empty for the server's default cache.
    pub fn name(&self) -> &str {
        &self.options().cache
    }

    /// What all its requests carry.
    pub fn options(&self) -> &RequestOptions {
        self.handle.options()
    }

    /// The client that it is of.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same cache with other flags.
    #[must_use]
    pub fn with_flags(&self, flags: Flags) -> Self {
        Self { handle: self.handle.with_flags(flags), ..self.clone() }
    }

    /// The same cache, read from other owners of a key than the primary one.
    #[must_use]
    pub fn with_reads_from(&self, read_from: ReadFrom) -> Self {
        Self { handle: self.handle.with_reads_from(read_from), ..self.clone() }
    }

    /// The same cache, keys and values in these forms; the server converts them from and to its own.
    #[must_use]
    pub fn with_media_types(&self, key_type: MediaType, value_type: MediaType) -> Self {
        self.with_options(RequestOptions { key_type, value_type, ..self.options().clone() })
    }

    /// The same cache, whose operations are parts of a trace: `traceparent` as W3C Trace Context has it. Servers with
    /// tracing continue it (4.0 and later).
    #[must_use]
    pub fn with_traceparent(&self, traceparent: &str) -> Self {
        let mut options = self.options().clone();
        options.other_parameters.retain(|(name, _)| name != "traceparent");
        options.other_parameters.push(("traceparent".into(), Bytes::copy_from_slice(traceparent.as_bytes())));
        self.with_options(options)
    }

    /// The same cache with other options altogether.
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        Self { handle: self.client.handle(options), ..self.clone() }
    }

    /// The same cache with another timeout for each operation, over all its attempts.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// Keeps values of this cache in the client: reads in this form, by all its clones, are answered by them.
    pub fn enable_near_cache(&self, options: NearCacheOptions) -> Result<(), Error> {
        Ok(self.client.shared.with(|inner, now| inner.cluster.near_cache(now, &self.handle, options))?)
    }

    /// Keeps no values any more.
    pub fn disable_near_cache(&self) {
        self.client.shared.with(|inner, now| inner.cluster.remove_near_cache(now, &self.handle));
    }

    /// Executes any operation of the protocol.
    ///
    /// Dropping the future gives the operation up; it may be executed all the same.
    pub async fn execute(&self, request: Request) -> Result<Reply, Error> {
        self.execute_on(None, request).await.1
    }

    /// As [`execute`](Self::execute), on one member and no other: the one that holds the state that the operation speaks
    /// of. Answers which member did it.
    pub async fn execute_on(
        &self,
        member: Option<MemberId>,
        request: Request,
    ) -> (Option<MemberId>, Result<Reply, Error>) {
        let operation = request.operation();
        let span = tracing::debug_span!("hotrod", %operation, cache = self.name());
        let call = Call { cache: self.handle.clone(), request, member, timeout: self.timeout };
        async {
            let mut pending = match Pending::submit(&self.client, call) {
                Ok(pending) => pending,
                Err(error) => return (None, Err(error)),
            };
            let answer = (&mut pending.answer).await;
            pending.done = true;
            answer.unwrap_or_else(|_| {
                // The runtime dropped the driver.
                let error = ClusterError::Closed { operation, applied: Applied::Unknown };
                (None, Err(Error::Cluster { last: None, error }))
            })
        }
        .instrument(span)
        .await
    }

    /// Executes an operation, and tells what its answer means.
    pub async fn answer(&self, request: Request) -> Result<vocabulary::Answer, Error> {
        let operation = request.operation();
        let (member, reply) = self.execute_on(None, request).await;
        vocabulary::Answer::of(operation, reply?).map_err(|refusal| self.client.refused(member, operation, refusal))
    }

    /// Asks whether the server and the cache are there, and what the server can do.
    pub async fn ping(&self) -> Result<Ping, Error> {
        match self.execute(Request::Ping {}).await?.body {
            Body::Ping(ping) => Ok(ping),
            _ => Err(Error::UnexpectedAnswer { operation: Operation::Ping }),
        }
    }

    /// The value of a key.
    pub async fn get(&self, key: impl Into<Bytes>) -> Result<Option<Bytes>, Error> {
        match self.execute(Request::Get { key: key.into() }).await?.body {
            Body::Value(value) => Ok(Some(value)),
            Body::Nothing => Ok(None),
            _ => Err(Error::UnexpectedAnswer { operation: Operation::Get }),
        }
    }

    /// The value of a key, its version and its lifetimes.
    pub async fn get_with_metadata(&self, key: impl Into<Bytes>) -> Result<Option<Entry>, Error> {
        match self.execute(Request::GetWithMetadata { key: key.into() }).await?.body {
            Body::ValueWithMetadata { metadata, value } => Ok(Some(Entry { value, metadata })),
            Body::Nothing => Ok(None),
            _ => Err(Error::UnexpectedAnswer { operation: Operation::GetWithMetadata }),
        }
    }

    /// Whether there is an entry of that key.
    pub async fn contains_key(&self, key: impl Into<Bytes>) -> Result<bool, Error> {
        Ok(self.execute(Request::ContainsKey { key: key.into() }).await?.status.is_success())
    }

    /// Stores a value, with the lifetimes that the cache is configured with. Answers the value before, with
    /// [`Flags::FORCE_RETURN_VALUE`].
    pub async fn put(&self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<Option<Previous>, Error> {
        self.put_for(key, value, Expiration::DEFAULT).await
    }

    /// As [`put`](Self::put), with lifetimes.
    pub async fn put_for(
        &self,
        key: impl Into<Bytes>,
        value: impl Into<Bytes>,
        expiration: Expiration,
    ) -> Result<Option<Previous>, Error> {
        let request = Request::Put { key: key.into(), expiration, value: value.into() };
        Ok(self.conditional(request).await?.previous)
    }

    /// Stores a value if there is none.
    pub async fn put_if_absent(
        &self,
        key: impl Into<Bytes>,
        value: impl Into<Bytes>,
        expiration: Expiration,
    ) -> Result<Conditional, Error> {
        self.conditional(Request::PutIfAbsent { key: key.into(), expiration, value: value.into() }).await
    }

    /// Stores a value if there is one.
    pub async fn replace(
        &self,
        key: impl Into<Bytes>,
        value: impl Into<Bytes>,
        expiration: Expiration,
    ) -> Result<Conditional, Error> {
        self.conditional(Request::Replace { key: key.into(), expiration, value: value.into() }).await
    }

    /// Removes an entry; `executed` is false if there was none.
    pub async fn remove(&self, key: impl Into<Bytes>) -> Result<Conditional, Error> {
        self.conditional(Request::Remove { key: key.into() }).await
    }

    async fn conditional(&self, request: Request) -> Result<Conditional, Error> {
        let operation = request.operation();
        let reply = self.execute(request).await?;
        let executed = reply.status.is_success();
        match reply.body {
            Body::Nothing => Ok(Conditional { executed, previous: None }),
            Body::Previous(previous) => Ok(Conditional { executed, previous }),
            _ => Err(Error::UnexpectedAnswer { operation }),
        }
    }

    /// Stores a value if the entry still has that version.
    pub async fn replace_if_unmodified(
        &self,
        key: impl Into<Bytes>,
        value: impl Into<Bytes>,
        entry_version: u64,
        expiration: Expiration,
    ) -> Result<Versioned, Error> {
        let (key, value) = (key.into(), value.into());
        self.versioned(Request::ReplaceIfUnmodified { key, expiration, entry_version, value }).await
    }

    /// Removes an entry if it still has that version.
    pub async fn remove_if_unmodified(&self, key: impl Into<Bytes>, entry_version: u64) -> Result<Versioned, Error> {
        self.versioned(Request::RemoveIfUnmodified { key: key.into(), entry_version }).await
    }

    async fn versioned(&self, request: Request) -> Result<Versioned, Error> {
        match self.execute(request).await?.status {
            status if status.is_success() => Ok(Versioned::Done),
            Status::KEY_DOES_NOT_EXIST => Ok(Versioned::Missing),
            _ => Ok(Versioned::Modified),
        }
    }

    /// The number of entries in the whole cluster.
    pub async fn size(&self) -> Result<u64, Error> {
        match self.execute(Request::Size {}).await?.body {
            Body::Size(size) => Ok(size),
            _ => Err(Error::UnexpectedAnswer { operation: Operation::Size }),
        }
    }

    /// Removes all entries.
    pub async fn clear(&self) -> Result<(), Error> {
        self.execute(Request::Clear {}).await.map(drop)
    }

    /// Stores many values.
    pub async fn put_all(&self, entries: Vec<(Bytes, Bytes)>, expiration: Expiration) -> Result<(), Error> {
        self.execute(Request::PutAll { expiration, entries }).await.map(drop)
    }

    /// Reads many values; keys without an entry are left out.
    pub async fn get_all(&self, keys: Vec<Bytes>) -> Result<Vec<(Bytes, Bytes)>, Error> {
        match self.execute(Request::GetAll { keys }).await?.body {
            Body::Entries(entries) => Ok(entries),
            _ => Err(Error::UnexpectedAnswer { operation: Operation::GetAll }),
        }
    }

    /// Statistics of the cache and the server, by name.
    pub async fn stats(&self) -> Result<Vec<(String, String)>, Error> {
        match self.execute(Request::Stats {}).await?.body {
            Body::Statistics(statistics) => Ok(statistics),
            _ => Err(Error::UnexpectedAnswer { operation: Operation::Stats }),
        }
    }

    /// All entries, in batches of that many from each member.
    pub fn iterate(&self, batch_size: u32) -> Result<Iteration, Error> {
        self.iterate_with(IterationOptions { batch_size, ..IterationOptions::default() })
    }

    /// Entries of some segments, passed through a filter-converter of the server, with or without metadata.
    pub fn iterate_with(&self, options: IterationOptions) -> Result<Iteration, Error> {
        Iteration::start(self, IterationOptions { timeout: options.timeout.or(self.timeout), ..options })
    }

    /// Listens to changes. Dropping the listener removes it from the server.
    pub async fn listen(&self, options: ListenerOptions) -> Result<Listener, Error> {
        Listener::register(self, ListenerKind::Cache(options)).await
    }

    /// Runs a query, given as a serialized `QueryRequest`; answers a serialized `QueryResponse`.
    pub async fn query(&self, query: impl Into<Bytes>) -> Result<Bytes, Error> {
        self.value_of(Request::Query { query: query.into() }).await
    }

    /// Runs a task in the server.
    pub async fn exec(&self, task: &str, parameters: Vec<(String, Bytes)>) -> Result<Bytes, Error> {
        self.value_of(Request::Exec { task: task.into(), parameters }).await
    }

    async fn value_of(&self, request: Request) -> Result<Bytes, Error> {
        let operation = request.operation();
        match self.execute(request).await?.body {
            Body::Value(value) => Ok(value),
            _ => Err(Error::UnexpectedAnswer { operation }),
        }
    }
}

/// An operation in flight.
struct Pending<'a> {
    client: &'a Client,
    id: OperationId,
    answer: oneshot::Receiver<Answer>,
    done: bool,
}

impl<'a> Pending<'a> {
    fn submit(client: &'a Client, call: Call) -> Result<Self, Error> {
        let (sender, answer) = oneshot::channel();
        let id = client.shared.with(|inner, now| {
            let id = inner.cluster.submit(now, call)?;
            inner.waiting.insert(id, sender);
            Ok::<_, Error>(id)
        })?;
        Ok(Self { client, id, answer, done: false })
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.client.shared.with(|inner, _now| {
                inner.cluster.cancel(self.id);
                inner.waiting.remove(self.id);
            });
        }
    }
}
