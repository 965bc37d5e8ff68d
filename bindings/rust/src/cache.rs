//! Operations on one cache.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::wire::{
    Body, CounterConfiguration, Expiration, Factory, Flags, ListenerOptions, MediaType, Metadata, Operation, Ping,
    Previous, Reply, Request, RequestOptions, Status,
};

use crate::{Client, Error, Iteration, Listener, Session};

/// A cache of the cluster; cheap to clone. Keys and values are bytes, in whatever form the media types say.
#[derive(Clone)]
pub struct Cache {
    client: Client,
    options: Arc<RequestOptions>,
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
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self { client, options: Arc::new(RequestOptions::cache(name)), timeout: None }
    }

    /// The cache's name; empty for the server's default cache.
    pub fn name(&self) -> &str {
        &self.options.cache
    }

    /// What all its requests carry.
    pub fn options(&self) -> &RequestOptions {
        &self.options
    }

    /// The session that its operations go over.
    pub async fn session(&self) -> Result<Session, Error> {
        self.client.session().await
    }

    /// The same cache with other flags.
    #[must_use]
    pub fn with_flags(&self, flags: Flags) -> Self {
        self.with_options(RequestOptions { flags, ..(*self.options).clone() })
    }

    /// The same cache, keys and values in these forms; the server converts them from and to its own.
    #[must_use]
    pub fn with_media_types(&self, key_type: MediaType, value_type: MediaType) -> Self {
        self.with_options(RequestOptions { key_type, value_type, ..(*self.options).clone() })
    }

    /// The same cache with other options altogether.
    #[must_use]
    pub fn with_options(&self, options: RequestOptions) -> Self {
        Self { options: Arc::new(options), ..self.clone() }
    }

    /// The same cache with another timeout for each operation.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// Executes any operation of the protocol.
    pub async fn execute(&self, request: &Request) -> Result<Reply, Error> {
        self.session().await?.execute(&self.options, request, self.timeout).await
    }

    async fn unexpected<T>(&self, operation: Operation) -> Result<T, Error> {
        let server = self.session().await?.server().clone();
        Err(Error::UnexpectedAnswer { server, operation })
    }

    /// Asks whether the server and the cache are there, and what the server can do.
    pub async fn ping(&self) -> Result<Ping, Error> {
        match self.execute(&Request::Ping {}).await?.body {
            Body::Ping(ping) => Ok(ping),
            _ => self.unexpected(Operation::Ping).await,
        }
    }

    /// The value of a key.
    pub async fn get(&self, key: impl Into<Bytes>) -> Result<Option<Bytes>, Error> {
        match self.execute(&Request::Get { key: key.into() }).await?.body {
            Body::Value(value) => Ok(Some(value)),
            Body::Nothing => Ok(None),
            _ => self.unexpected(Operation::Get).await,
        }
    }

    /// The value of a key, its version and its lifetimes.
    pub async fn get_with_metadata(&self, key: impl Into<Bytes>) -> Result<Option<Entry>, Error> {
        match self.execute(&Request::GetWithMetadata { key: key.into() }).await?.body {
            Body::ValueWithMetadata { metadata, value } => Ok(Some(Entry { value, metadata })),
            Body::Nothing => Ok(None),
            _ => self.unexpected(Operation::GetWithMetadata).await,
        }
    }

    /// Whether there is an entry of that key.
    pub async fn contains_key(&self, key: impl Into<Bytes>) -> Result<bool, Error> {
        Ok(self.execute(&Request::ContainsKey { key: key.into() }).await?.status.is_success())
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
        Ok(self.conditional(&request).await?.previous)
    }

    /// Stores a value if there is none.
    pub async fn put_if_absent(
        &self,
        key: impl Into<Bytes>,
        value: impl Into<Bytes>,
        expiration: Expiration,
    ) -> Result<Conditional, Error> {
        self.conditional(&Request::PutIfAbsent { key: key.into(), expiration, value: value.into() }).await
    }

    /// Stores a value if there is one.
    pub async fn replace(
        &self,
        key: impl Into<Bytes>,
        value: impl Into<Bytes>,
        expiration: Expiration,
    ) -> Result<Conditional, Error> {
        self.conditional(&Request::Replace { key: key.into(), expiration, value: value.into() }).await
    }

    /// Removes an entry; `executed` is false if there was none.
    pub async fn remove(&self, key: impl Into<Bytes>) -> Result<Conditional, Error> {
        self.conditional(&Request::Remove { key: key.into() }).await
    }

    async fn conditional(&self, request: &Request) -> Result<Conditional, Error> {
        let reply = self.execute(request).await?;
        let executed = reply.status.is_success();
        match reply.body {
            Body::Nothing => Ok(Conditional { executed, previous: None }),
            Body::Previous(previous) => Ok(Conditional { executed, previous }),
            _ => self.unexpected(request.operation()).await,
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
        self.versioned(&Request::ReplaceIfUnmodified { key, expiration, entry_version, value }).await
    }

    /// Removes an entry if it still has that version.
    pub async fn remove_if_unmodified(&self, key: impl Into<Bytes>, entry_version: u64) -> Result<Versioned, Error> {
        self.versioned(&Request::RemoveIfUnmodified { key: key.into(), entry_version }).await
    }

    async fn versioned(&self, request: &Request) -> Result<Versioned, Error> {
        match self.execute(request).await?.status {
            status if status.is_success() => Ok(Versioned::Done),
            Status::KEY_DOES_NOT_EXIST => Ok(Versioned::Missing),
            _ => Ok(Versioned::Modified),
        }
    }

    /// The number of entries in the whole cluster.
    pub async fn size(&self) -> Result<u64, Error> {
        match self.execute(&Request::Size {}).await?.body {
            Body::Size(size) => Ok(size),
            _ => self.unexpected(Operation::Size).await,
        }
    }

    /// Removes all entries.
    pub async fn clear(&self) -> Result<(), Error> {
        self.execute(&Request::Clear {}).await.map(drop)
    }

    /// Stores many values.
    pub async fn put_all(&self, entries: Vec<(Bytes, Bytes)>, expiration: Expiration) -> Result<(), Error> {
        self.execute(&Request::PutAll { expiration, entries }).await.map(drop)
    }

    /// Reads many values; keys without an entry are left out.
    pub async fn get_all(&self, keys: Vec<Bytes>) -> Result<Vec<(Bytes, Bytes)>, Error> {
        match self.execute(&Request::GetAll { keys }).await?.body {
            Body::Entries(entries) => Ok(entries),
            _ => self.unexpected(Operation::GetAll).await,
        }
    }

    /// Statistics of the cache and the server, by name.
    pub async fn statistics(&self) -> Result<Vec<(String, String)>, Error> {
        match self.execute(&Request::Stats {}).await?.body {
            Body::Statistics(statistics) => Ok(statistics),
            _ => self.unexpected(Operation::Stats).await,
        }
    }

    /// All entries, in batches of that many.
    pub async fn iterate(&self, batch_size: u32) -> Result<Iteration, Error> {
        self.iterate_with(None, None, batch_size, false).await
    }

    /// Entries of some segments (one bit each, least significant first), passed through a filter-converter of the
    /// server, with or without metadata.
    pub async fn iterate_with(
        &self,
        segments: Option<Bytes>,
        filter_converter: Option<Factory>,
        batch_size: u32,
        include_metadata: bool,
    ) -> Result<Iteration, Error> {
        let session = self.session().await?;
        let request = Request::IterationStart { segments, filter_converter, batch_size, include_metadata };
        let reply = session.execute(&self.options, &request, self.timeout).await?;
        match reply.body {
            Body::IterationId(id) => Ok(Iteration::new(session, self.options.clone(), id)),
            _ => self.unexpected(Operation::IterationStart).await,
        }
    }

    /// Listens to changes. Dropping the listener removes it from the server.
    pub async fn listen(&self, options: ListenerOptions) -> Result<Listener, Error> {
        let listener_id = random_id()?;
        let request = Request::AddClientListener { listener_id: listener_id.clone(), options };
        let removal = Request::RemoveClientListener { listener_id: listener_id.clone() };
        self.session().await?.listen(&self.options, listener_id, &request, removal).await
    }

    /// Listens to a counter.
    pub async fn listen_to_counter(&self, counter: &str) -> Result<Listener, Error> {
        let listener_id = random_id()?;
        let id = listener_id.clone();
        let request = Request::CounterAddListener { counter: counter.into(), listener_id: id.clone() };
        let removal = Request::CounterRemoveListener { counter: counter.into(), listener_id: id };
        self.session().await?.listen(&self.options, listener_id, &request, removal).await
    }

    /// Runs a query, given as a serialized `QueryRequest`; answers a serialized `QueryResponse`.
    pub async fn query(&self, query: impl Into<Bytes>) -> Result<Bytes, Error> {
        self.value_of(&Request::Query { query: query.into() }).await
    }

    /// Runs a task in the server.
    pub async fn run_task(&self, task: &str, parameters: Vec<(String, Bytes)>) -> Result<Bytes, Error> {
        self.value_of(&Request::Exec { task: task.into(), parameters }).await
    }

    async fn value_of(&self, request: &Request) -> Result<Bytes, Error> {
        match self.execute(request).await?.body {
            Body::Value(value) => Ok(value),
            _ => self.unexpected(request.operation()).await,
        }
    }

    /// Makes a counter; answers false if there is one of that name.
    pub async fn create_counter(&self, counter: &str, configuration: CounterConfiguration) -> Result<bool, Error> {
        let request = Request::CounterCreate { counter: counter.into(), configuration };
        Ok(self.execute(&request).await?.status.is_success())
    }
}

fn random_id() -> Result<Bytes, Error> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| Error::Settings(format!("no randomness: {error}")))?;
    Ok(Bytes::copy_from_slice(&id))
}
