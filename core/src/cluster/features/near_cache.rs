//! Near caches: values kept in the client until the cluster reports a change.
//!
//! A near cache never returns a value that an acknowledged write of the same client has replaced: a write removes its key
//! when it is submitted and again when it is answered, and the result of a concurrent read is not kept. Writes of other
//! clients take effect when the event arrives; while no listener is registered no value is kept.
//!
//! An entry with a lifespan or a maximum idle time is kept for what is left of it on the server, as far as the machine knows
//! ([`ServerClock`](super::server_clock::ServerClock)).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::ops::ControlFlow;

use bytes::Bytes;
use lru::LruCache;

use crate::cluster::cache::{CacheHandle, CacheId, ReadFrom};
use crate::cluster::features::listener::ListenerId;
use crate::cluster::machine::Cluster;
use crate::cluster::operations::operation::{Call, OperationId, Owner, Target};
use crate::cluster::operations::table::Operation;
use crate::cluster::output::{ClusterError, Event, Output, SubmitError};
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::routing::BloomFilter;
use crate::time::Instant;
use crate::wire::{self, Body, Flags, Metadata, NearCacheEffect, Reply, ReplyShape, Request, RequestOptions, Status};

/// Settings of a near cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearCacheOptions {
    /// Maximum number of entries; the least recently used one is evicted first. Default 10,000.
    pub max_entries: usize,
    /// Maximum bytes of keys and values. Default 64 MiB.
    pub max_bytes: usize,
    /// Whether the server leaves out events of keys that this client has not read, by a bloom filter (3.1 and later). Reads
    /// then go to the member that sends the events, and not to the owner of their key. Default false.
    pub bloom_filter: bool,
}

impl Default for NearCacheOptions {
    fn default() -> Self {
        Self { max_entries: 10_000, max_bytes: 64 << 20, bloom_filter: false }
    }
}

pub(in crate::cluster) struct NearCache {
    settings: NearCacheOptions,
    /// Options with which the entries were read; reads with other media types do not use them.
    options: Arc<RequestOptions>,
    listener: Option<ListenerId>,
    /// The session on which events arrive; without one no value is kept.
    at: Option<SessionId>,
    entries: LruCache<Bytes, Kept>,
    bytes: usize,
    /// Reads in flight whose answer may be kept.
    fetching: BTreeMap<Bytes, OperationId>,
    /// Entries removed since the last bloom filter was sent.
    forgotten: usize,
}

/// Kept entries among which one is looked for that does not expire.
const MOST_LOOKED_AT: usize = 64;

struct Kept {
    metadata: Metadata,
    value: Bytes,
    until: Instant,
}

impl Cluster {
    /// Keeps values of a cache in the client: they answer reads through this handle, and through others with the same media
    /// types and no flags. [`Event::NearCacheActive`] reports when it begins.
    ///
    /// It is emptied by the first answer that the cache does not exist. Where the cache is removed and made anew between two
    /// operations of this client, that takes at most [`Config::keep_alive`](super::super::Config::keep_alive) and a few seconds.
    ///
    /// A value whose entry has a lifespan or a maximum idle time is kept for what is left of it on the server. The machine knows
    /// the servers' time only from entries that it reads late in their lifetime: before that such values are not kept. A value
    /// outlives its entry at most by the time by which the servers' clocks differ, or were set forward. A read that the near cache
    /// answers is no access for the maximum idle time, as with Infinispan's own clients: the entry may expire on the server
    /// although it is read.
    pub fn near_cache(
        &mut self,
        now: Instant,
        cache: &CacheHandle,
        settings: NearCacheOptions,
    ) -> Result<(), SubmitError> {
        self.now = now;
        self.may_submit(cache)?;
        self.remove_near_cache(now, cache);
        let near = Box::new(NearCache::new(settings, cache.shared_options()));
        let bloom_bits = near.bloom_bits();
        self.caches.get_mut(cache.id()).near = Some(near);
        let listener = self.listen_for_near_cache(cache, bloom_bits);
        if let Some(near) = &mut self.caches.get_mut(cache.id()).near {
            near.listener = Some(listener);
        }
        Ok(())
    }

    /// Removes the near cache of a cache.
    pub fn remove_near_cache(&mut self, now: Instant, cache: &CacheHandle) {
        let near = self.caches.find_mut(cache.id()).and_then(|cache| cache.near.take());
        if let Some(listener) = near.and_then(|near| near.listener) {
            self.remove_listener(now, listener);
        }
    }

    /// Number of entries, and bytes of keys and values, in a near cache.
    pub fn near_cache_size(&self, cache: &CacheHandle) -> (usize, usize) {
        let near = self.caches.find(cache.id()).and_then(|cache| cache.near.as_ref());
        near.map_or((0, 0), |near| (near.entries.len(), near.bytes))
    }

    /// Answers an operation by the near cache, or has the near cache ask for it; returns a call that is not one for it.
    pub(in crate::cluster) fn submit_near(&mut self, call: Call) -> ControlFlow<OperationId, Call> {
        let (now, id) = (self.now, call.cache.id());
        let Some(near) = &mut self.caches.get_mut(id).near else { return ControlFlow::Continue(call) };
        let Some(key) = near.readable_key(&call) else {
            near.forget_written(&call.request, call.cache.options());
            return ControlFlow::Continue(call);
        };
        let key = key.clone();
        if let Some(body) = near.get(&key, &call.request, now) {
            self.counters.near_hits += 1;
            let reply = Reply { message_id: 0, status: Status::SUCCESS, topology: None, body };
            let id = self.take_in(call, Owner::Host, Target::Key, Purpose::Operations);
            self.complete(id, None, Ok(reply));
            return ControlFlow::Break(id);
        }
        self.counters.near_misses += 1;
        let reply = call.request.operation().row().reply;
        let value_only = reply == ReplyShape::Value;
        if near.at.is_none() || reply == ReplyShape::Nothing {
            return ControlFlow::Continue(call);
        }
        let target = match (near.settings.bloom_filter, near.at.and_then(|session| self.transport.get(session))) {
            (true, Some(session)) => Target::Prefer(session.member()),
            _ => Target::Key,
        };
        // The primary owner sees every write first; another may still have the value that an event invalidates.
        let cache = call.cache.with_reads_from(ReadFrom::PrimaryOwner);
        let id = cache.id();
        let call = Call { request: Request::GetWithMetadata { key: key.clone() }, cache, ..call };
        let operation = self.take_in(call, Owner::Fetch { value_only }, target, Purpose::Operations);
        if let Some(near) = &mut self.caches.get_mut(id).near {
            near.fetching.insert(key, operation);
        }
        self.dispatch(operation);
        ControlFlow::Break(operation)
    }

    /// Keeps the answer of a read, if it is not out of date.
    pub(in crate::cluster) fn keep_fetched(
        &mut self,
        id: OperationId,
        operation: &Operation,
        session: Option<SessionId>,
        reply: &Reply,
    ) {
        let now = self.now;
        let (cache, server_clock) = self.caches.get_with_clock(operation.cache.id());
        let Some(near) = &mut cache.near else { return };
        let Some(key) = operation.request.routing_key() else { return };
        if let Body::ValueWithMetadata { metadata, .. } = &reply.body {
            server_clock.note_alive(metadata, operation.submitted, now);
        }
        if near.fetching.get(key) != Some(&id) {
            return;
        }
        near.fetching.remove(key);
        let may_be_heard_of = !near.settings.bloom_filter || session.is_some() && near.at == session;
        if let Body::ValueWithMetadata { metadata, value } = &reply.body
            && near.at.is_some()
            && may_be_heard_of
        {
            let until = server_clock.lives_until(metadata, now);
            near.keep(key, Kept { metadata: **metadata, value: value.clone(), until }, now);
            self.update_bloom_filter(operation.cache.id());
        }
    }

    /// Removes the entries that an answered operation may have changed.
    pub(in crate::cluster) fn forget_written(&mut self, cache: CacheId, request: &Request, options: &RequestOptions) {
        if let Some(near) = &mut self.caches.get_mut(cache).near {
            near.forget_written(request, options);
            self.update_bloom_filter(cache);
        }
    }

    /// Forgets a read in flight.
    pub(in crate::cluster) fn forget_fetch(&mut self, cache: CacheId, request: &Request, id: OperationId) {
        if let (Some(near), Some(key)) = (&mut self.caches.get_mut(cache).near, request.routing_key())
            && near.fetching.get(key) == Some(&id)
        {
            near.fetching.remove(key);
        }
    }

    /// Removes the entry of a changed key.
    pub(in crate::cluster) fn handle_near_event(&mut self, cache: CacheId, event: &wire::Event) {
        if let Some(near) = &mut self.caches.get_mut(cache).near {
            match &event.data {
                wire::EventData::Key { key, .. } => near.forget(key),
                // Events of this kind were not requested; their key is unknown.
                wire::EventData::Custom { .. } => near.clear(),
            }
            self.update_bloom_filter(cache);
        }
    }

    pub(in crate::cluster) fn start_near_cache(&mut self, cache: CacheId, session: SessionId) {
        if let Some(near) = &mut self.caches.get_mut(cache).near {
            near.clear();
            near.at = Some(session);
            self.outputs.push_back(Output::Event(Event::NearCacheActive { cache }));
        }
    }

    pub(in crate::cluster) fn stop_near_cache(&mut self, cache: CacheId) {
        if let Some(near) = &mut self.caches.get_mut(cache).near {
            near.clear();
            near.at = None;
            self.outputs.push_back(Output::Event(Event::NearCacheInactive { cache, error: None }));
        }
    }

    pub(in crate::cluster) fn fail_near_cache(&mut self, cache: CacheId, error: ClusterError) {
        self.caches.get_mut(cache).near = None;
        self.outputs.push_back(Output::Event(Event::NearCacheInactive { cache, error: Some(error) }));
    }

    /// Sends the server a new bloom filter, once the present one has too many keys that are gone.
    fn update_bloom_filter(&mut self, cache: CacheId) {
        let Some(near) = &mut self.caches.get_mut(cache).near else { return };
        if !near.settings.bloom_filter || near.forgotten <= near.settings.max_entries / 16 + 3 {
            return;
        }
        let (Some(session), bloom_filter) = (near.at, near.bloom_filter()) else { return };
        near.forgotten = 0;
        // The server replaces its filter while these reads are in flight: it may lack their keys.
        near.fetching.clear();
        let options = near.options.clone();
        let request = Request::UpdateBloomFilter { bloom_filter };
        // If the session is too full the server sends a few events too many until the next time.
        self.transport.submit_unanswered(self.now, session, &request, &options);
        self.transport.set_timeout(&self.config, session);
        self.refresh(session);
    }
}

impl NearCache {
    fn new(settings: NearCacheOptions, options: Arc<RequestOptions>) -> Self {
        Self {
            settings: NearCacheOptions { max_entries: settings.max_entries.max(1), ..settings },
            options,
            listener: None,
            at: None,
            // A bounded one would allocate for its limit at once.
            entries: LruCache::unbounded(),
            bytes: 0,
            fetching: BTreeMap::new(),
            forgotten: 0,
        }
    }

    /// Bits of the bloom filter, as many as Infinispan's own client has: with three hashes about 15% of foreign keys pass.
    fn bloom_bits(&self) -> u32 {
        if self.settings.bloom_filter {
            // The server reads a signed integer.
            u32::try_from(self.settings.max_entries).unwrap_or(u32::MAX).saturating_mul(4).min(i32::MAX as u32)
        } else {
            0
        }
    }

    fn bloom_filter(&self) -> Bytes {
        let mut filter = BloomFilter::new(self.bloom_bits());
        self.entries.iter().for_each(|(key, _)| filter.add(key));
        filter.to_bytes()
    }

    /// The key of a read that an entry may answer.
    fn readable_key<'a>(&self, call: &'a Call) -> Option<&'a Bytes> {
        let (asked, options) = (call.cache.options(), &self.options);
        let same_form = asked.key_type == options.key_type && asked.value_type == options.value_type;
        if !same_form || asked.flags != Flags::NONE || call.member.is_some() {
            return None;
        }
        match call.request.near_cache() {
            NearCacheEffect::Read(key) => Some(key),
            _ => None,
        }
    }

    /// The key of a kept entry that does not expire; among the oldest ones.
    pub(in crate::cluster) fn witness(&self) -> Option<&Bytes> {
        let immortal = |kept: &Kept| kept.metadata.lifespan.is_none() && kept.metadata.max_idle.is_none();
        let mut oldest = self.entries.iter().rev().take(MOST_LOOKED_AT);
        oldest.find(|(_, kept)| immortal(kept)).map(|(key, _)| key)
    }

    /// The version of a kept entry.
    pub(in crate::cluster) fn version_of(&self, key: &Bytes) -> Option<u64> {
        Some(self.entries.peek(key)?.metadata.version)
    }

    fn get(&mut self, key: &Bytes, request: &Request, now: Instant) -> Option<Body> {
        let kept = self.entries.get(key)?;
        if now >= kept.until {
            self.forget(key);
            return None;
        }
        Some(match request.operation().row().reply {
            ReplyShape::Value => Body::Value(kept.value.clone()),
            ReplyShape::ValueWithMetadata => {
                Body::ValueWithMetadata { metadata: Box::new(kept.metadata), value: kept.value.clone() }
            }
            _ => Body::Nothing,
        })
    }

    /// Keeps a copy: a slice would keep the whole receive buffer alive.
    fn keep(&mut self, key: &Bytes, kept: Kept, now: Instant) {
        let size = key.len() + kept.value.len();
        if size > self.settings.max_bytes || kept.until <= now {
            return;
        }
        let kept = Kept { value: Bytes::copy_from_slice(&kept.value), ..kept };
        if let Some(before) = self.entries.put(Bytes::copy_from_slice(key), kept) {
            self.bytes -= key.len() + before.value.len();
        }
        self.bytes += size;
        while self.entries.len() > self.settings.max_entries || self.bytes > self.settings.max_bytes {
            let Some((key, kept)) = self.entries.pop_lru() else { break };
            self.bytes -= key.len() + kept.value.len();
            self.forgotten += 1;
        }
    }

    fn forget(&mut self, key: &Bytes) {
        self.fetching.remove(key);
        // An event of a key that is not kept shows that the bloom filter has it: that counts too.
        self.forgotten += 1;
        if let Some(kept) = self.entries.pop(key) {
            self.bytes -= key.len() + kept.value.len();
        }
    }

    fn forget_written(&mut self, request: &Request, options: &RequestOptions) {
        // With another media type the same key has other bytes.
        let same_form = options.key_type == self.options.key_type;
        match request.near_cache() {
            NearCacheEffect::Nothing | NearCacheEffect::Read(_) => {}
            NearCacheEffect::Key(key) if same_form => self.forget(key),
            NearCacheEffect::Entries(entries) if same_form => entries.iter().for_each(|(key, _)| self.forget(key)),
            NearCacheEffect::Key(_) | NearCacheEffect::Entries(_) | NearCacheEffect::Everything => self.clear(),
        }
    }

    fn clear(&mut self) {
        self.forgotten += self.entries.len();
        self.entries.clear();
        self.fetching.clear();
        self.bytes = 0;
    }
}
