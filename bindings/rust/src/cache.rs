//! Operations on one cache.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{
    CacheHandle, Call, ClusterError, IterationOptions, ListenerKind, MemberId, NearCacheOptions, OperationId, ReadFrom,
};
use hotrod_core::session::Applied;
use hotrod_core::vocabulary::{self, Refusal};
use hotrod_core::wire::{
    Expiration, Flags, ListenerOptions, MediaType, Metadata, Previous, Reply, Request, RequestOptions,
};
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::codec::{Codec, Encode, Raw};
use crate::conversion::Decoder;
use crate::driver::Answer;
use crate::reply::FromReply;
use crate::{Client, Error, Iteration, Listener};

/// A cache of the cluster; cheap to clone. `K` is the [codec](crate::codec) of its keys, `V` that of its values;
/// without codecs both are bytes.
///
/// An operation whose key or value can't be encoded fails with [`Error::Encode`] and sends nothing. One whose result
/// can't be decoded fails with [`Error::Decode`], after it was executed. Queries, tasks and transactions have bytes
/// as arguments and results.
#[derive(Clone)]
pub struct Cache<K = Raw, V = Raw> {
    pub(crate) client: Client,
    pub(crate) handle: CacheHandle,
    pub(crate) keys: K,
    pub(crate) values: V,
    timeout: Option<Duration>,
}

/// An entry and what the server tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<V = Bytes> {
    /// The value.
    pub value: V,
    /// Its version and lifetimes.
    pub metadata: Metadata,
}

/// The outcome of an operation with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional<V = Bytes> {
    /// Whether the condition held, and the operation was executed.
    pub executed: bool,
    /// The value before, or the present one if it was not executed: only with [`Flags::FORCE_RETURN_VALUE`].
    pub previous: Option<Previous<V>>,
}

/// The outcome of an operation on a certain version of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the operation may not have been executed"]
pub enum Versioned {
    /// The operation was executed.
    Done,
    /// The entry has another version. Infinispan (16.0.7) also answers this, rarely, for a change that it has stored while
    /// members join or leave: read the entry before you apply the change again.
    Modified,
    /// There is no entry.
    Missing,
}

impl Versioned {
    /// Whether the entry had the version, and the operation was executed.
    #[must_use]
    pub fn executed(self) -> bool {
        self == Self::Done
    }
}

impl Cache {
    pub(crate) fn new(client: Client, options: RequestOptions) -> Self {
        let handle = client.handle(options);
        Self { client, handle, keys: Raw, values: Raw, timeout: None }
    }
}

impl<K: Codec, V: Codec> Cache<K, V> {
    /// The same cache with codecs, whose media types its requests declare.
    ///
    /// ```no_run
    /// use hotrod_tokio::Cache;
    /// use hotrod_tokio::codec::{ProtoStream, Text};
    ///
    /// # async fn example(client: hotrod_tokio::Client) -> Result<(), hotrod_tokio::Error> {
    /// let visits: Cache<Text, ProtoStream<i64>> = client.cache("visits").with_codecs(Text, ProtoStream::new());
    /// visits.put("home", 1).await?;
    /// let found: Option<i64> = visits.get("home").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_codecs<L: Codec, W: Codec>(&self, keys: L, values: W) -> Cache<L, W> {
        let mut options = self.options().clone();
        options.key_type = keys.media_type();
        options.value_type = values.media_type();
        self.converted(self.client.handle(options), keys, values)
    }

    /// The same cache with other codecs, whatever it declares.
    pub(crate) fn converted<L, W>(&self, handle: CacheHandle, keys: L, values: W) -> Cache<L, W> {
        Cache { client: self.client.clone(), handle, keys, values, timeout: self.timeout }
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

    /// The same cache, keys and values in these forms; the server converts them from and to its own. The codecs stay
    /// and must be of these forms; [`with_codecs`](Self::with_codecs) declares their media types.
    #[must_use]
    pub fn with_media_types(&self, key_type: MediaType, value_type: MediaType) -> Self {
        let mut options = self.options().clone();
        options.key_type = key_type;
        options.value_type = value_type;
        self.with_options(options)
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

    /// Executes any operation of the protocol. Its keys and values are bytes, whatever the codecs.
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
        let storage_keys = self.storage_keys(&request);
        let span = tracing::debug_span!("hotrod", %operation, cache = self.name());
        let call = Call { cache: self.handle.clone(), request, member, timeout: self.timeout, storage_keys };
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

    /// Executes an operation, and converts its reply.
    pub(crate) async fn run<T: FromReply>(&self, request: Request) -> Result<T, Error> {
        Ok(self.run_on(None, request).await?.1)
    }

    /// As [`run`](Self::run), on one member; returns which one executed it.
    pub(crate) async fn run_on<T: FromReply>(
        &self,
        member: Option<MemberId>,
        request: Request,
    ) -> Result<(Option<MemberId>, T), Error> {
        let operation = request.operation();
        let (member, reply) = self.execute_on(member, request).await;
        let converted = T::from_reply(operation, reply?).map_err(|refusal| match refusal {
            Refusal::UnexpectedAnswer => Error::UnexpectedAnswer { operation },
            refusal => self.client.refused(member, operation, refusal),
        });
        Ok((member, converted?))
    }

    /// Executes an operation, and decodes its answer.
    pub(crate) async fn run_decoded<'a, A: FromReply, D>(
        &'a self,
        request: Request,
        decode: impl FnOnce(Decoder<'a, K, V>, A) -> Result<D, Error>,
    ) -> Result<D, Error> {
        let decoder = Decoder { cache: self, key_length: request.routing_key().map(Bytes::len) };
        decode(decoder, self.run(request).await?)
    }

    /// Stores a value with the lifetimes that the cache is configured with; otherwise as [`put_for`](Self::put_for).
    pub async fn put<Q, W>(&self, key: Q, value: W) -> Result<Option<Previous<V::Value>>, Error>
    where
        K: Encode<Q>,
        V: Encode<W>,
    {
        self.put_for(key, value, Expiration::DEFAULT).await
    }

    /// All entries, in batches of that many from each member.
    pub fn iterate(&self, batch_size: u32) -> Result<Iteration<K, V>, Error> {
        let mut options = IterationOptions::default();
        options.batch_size = batch_size;
        self.iterate_with(options)
    }

    /// Entries of some segments, passed through a filter-converter of the server, with or without metadata.
    pub fn iterate_with(&self, mut options: IterationOptions) -> Result<Iteration<K, V>, Error> {
        options.timeout = options.timeout.or(self.timeout);
        Iteration::start(self, options)
    }

    /// Listens to changes. Dropping the listener removes it from the server. [`Listener::key_of`] decodes the keys of
    /// its events.
    pub async fn listen(&self, options: ListenerOptions) -> Result<Listener<K>, Error> {
        Listener::register(self, ListenerKind::Cache(options)).await
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
