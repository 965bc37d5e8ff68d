//! A cluster: its members, its caches and everything that goes on in them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::time::Instant;
use hotrod_core::wire::{self, Topology};

use crate::cache::Cache;
use crate::counters::{self, Counters};
use crate::held::{Budget, States};
use crate::iteration::Iterations;
use crate::members::{MemberId, MemberState, Members};
use crate::options::{CacheMode, CacheOptions, ClusterOptions, NamedCache};
use crate::post::{ConnectionId, Post};
use crate::statistics::Counts;
use crate::streams::Streams;

/// The default cache, which requests without a name mean.
const DEFAULT_CACHE: &str = "default";
/// Bytes of the name of a cache or a counter, as in Infinispan (`ByteString`).
pub(crate) const MOST_OF_NAME: usize = 255;
/// Where clients put protobuf schemas.
const SCHEMAS: &str = "___protobuf_metadata";

/// A point in time, by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// For timeouts.
    pub now: Instant,
    /// For the lifetimes of entries, which clients see: milliseconds since 1970.
    pub unix_ms: u64,
}

/// A Hot Rod cluster in memory; see the [module](super) for how to drive it.
pub struct Cluster {
    pub(crate) options: ClusterOptions,
    pub(crate) members: Members,
    pub(crate) caches: BTreeMap<String, Cache>,
    pub(crate) post: Post,
    pub(crate) counters: Counters,
    pub(crate) states: States,
    pub(crate) budget: Budget,
    pub(crate) iterations: Iterations,
    pub(crate) streams: Streams,
    pub(crate) last_version: u64,
    /// Bytes from and to the clients of each member.
    pub(crate) traffic: BTreeMap<MemberId, (u64, u64)>,
    pub(crate) started: Instant,
}

impl Cluster {
    /// A cluster without members, with the caches `default`, `dist`, `repl`, `local` and those of `options`.
    pub fn new(options: ClusterOptions, moment: Moment) -> Self {
        let mut cluster = Self {
            post: Post::new(options.max_event_bytes),
            members: Members::default(),
            caches: BTreeMap::new(),
            counters: Counters::default(),
            states: States::default(),
            budget: Budget::new(options.max_link_bytes, options.max_held_bytes),
            iterations: Iterations::default(),
            streams: Streams::default(),
            // As on a server, versions take more than 32 bits.
            last_version: 1 << 48,
            traffic: BTreeMap::new(),
            started: moment.now,
            options,
        };
        let distributed = CacheMode::Distributed { owners: 2 };
        for (name, mode, internal) in [
            (DEFAULT_CACHE, distributed, false),
            ("dist", distributed, false),
            ("repl", CacheMode::Replicated, false),
            ("local", CacheMode::Local, false),
            (counters::CACHE, distributed, true),
            (SCHEMAS, CacheMode::Replicated, true),
        ] {
            let cache = Cache::new(name, CacheOptions::of_mode(mode), internal, &cluster.members);
            cluster.caches.insert(name.into(), cache);
        }
        for NamedCache { name, options } in std::mem::take(&mut cluster.options.caches) {
            cluster.caches.insert(name.clone(), Cache::new(&name, options, false, &cluster.members));
        }
        cluster
    }

    /// A member joins at the address that clients are told; the view changes.
    pub fn add_member(&mut self, address: wire::Member) -> MemberId {
        let id = self.members.add(address);
        self.change_view();
        id
    }

    /// Members join all at once, with one change of the view.
    pub fn add_members(&mut self, addresses: impl IntoIterator<Item = wire::Member>) -> Vec<MemberId> {
        let ids = addresses.into_iter().map(|address| self.members.add(address)).collect();
        self.change_view();
        ids
    }

    /// A member leaves in order: its connections end, others have taken over its entries, the view changes.
    ///
    /// The entries of local caches go with it. The last member takes everything with it.
    pub fn remove_member(&mut self, id: MemberId) {
        if self.members.all.len() == 1 && self.members.all.contains_key(&id) {
            self.lose(&[id]);
        }
        self.leave(id);
        self.change_view();
    }

    /// A member is gone, and the others do not know yet: its connections end, the view stays.
    pub fn crash_member(&mut self, id: MemberId) {
        self.set_member_state(id, MemberState::Crashed);
        self.post.end_all_of(id);
        self.forget_states(|caller| caller.member != id);
    }

    /// The others notice: all crashed members leave the view, and entries that nobody else had are lost.
    pub fn exclude_crashed(&mut self) {
        let crashed = |id: &MemberId| self.members.state(*id) == Some(MemberState::Crashed);
        let crashed: Vec<_> = self.members.ids().into_iter().filter(crashed).collect();
        if crashed.is_empty() {
            return;
        }
        self.lose(&crashed);
        crashed.into_iter().for_each(|id| self.leave(id));
        self.change_view();
    }

    /// Sets how a member is; for a crash rather use [`crash_member`](Self::crash_member).
    pub fn set_member_state(&mut self, id: MemberId, state: MemberState) {
        if let Some(member) = self.members.all.get_mut(&id) {
            member.state = state;
        }
    }

    /// How a member is; `None` once it has left the view.
    pub fn member_state(&self, id: MemberId) -> Option<MemberState> {
        self.members.state(id)
    }

    /// The members in the view and their addresses, in the order in which they joined.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, &wire::Member)> {
        self.members.all.iter().map(|(id, member)| (*id, &member.address))
    }

    /// Makes a cache; the text is why that can't be.
    pub fn create_cache(&mut self, name: &str, options: CacheOptions) -> Result<(), String> {
        if name.is_empty() || self.caches.contains_key(name) {
            return Err(format!("cache '{name}' exists already"));
        }
        if name.len() > MOST_OF_NAME {
            return Err(format!(
                "ISPN000663: Name must be less than 256 bytes, current name '{name}' exceeds the size."
            ));
        }
        if self.caches.len() >= self.options.max_definitions {
            return Err(format!("there are {} caches already", self.caches.len()));
        }
        self.caches.insert(name.into(), Cache::new(name, options, false, &self.members));
        Ok(())
    }

    /// Removes a cache with all its entries; answers false if there is none or it is internal.
    pub fn remove_cache(&mut self, name: &str) -> bool {
        let removable = self.caches.get(name).is_some_and(|cache| !cache.internal);
        removable && self.caches.remove(name).is_some()
    }

    /// Whether there is such a cache; the empty name stands for `default`.
    pub fn has_cache(&self, name: &str) -> bool {
        self.caches.contains_key(cache_key(name))
    }

    /// The names of all caches, internal ones excluded.
    pub fn cache_names(&self) -> impl Iterator<Item = &str> {
        self.caches.values().filter(|cache| !cache.internal).map(|cache| cache.name.as_str())
    }

    /// The view of a cache that clients get; `None` for a local cache, and while there is no member.
    pub fn topology(&self, cache: &str) -> Option<&Topology> {
        self.caches.get(cache_key(cache))?.topology(&self.members)
    }

    /// The owners of a key, primary first; empty for a local cache.
    pub fn owners(&self, cache: &str, key: &[u8]) -> &[MemberId] {
        let Some(cache) = self.caches.get(cache_key(cache)) else { return &[] };
        cache.ownership.of(hotrod_core::routing::segment_of(key, cache.options.segments))
    }

    /// What a member has counted of a cache.
    pub fn counts(&self, cache: &str, member: MemberId) -> Counts {
        let cache = self.caches.get(cache_key(cache));
        cache.and_then(|cache| cache.counts.get(&member)).copied().unwrap_or_default()
    }

    /// A value as a client of that member would read it at that time, without counting or using it.
    pub fn peek(&self, cache: &str, member: MemberId, key: &[u8], moment: Moment) -> Option<Bytes> {
        let store = self.caches.get(cache_key(cache))?.store(member)?;
        let entry = store.get(&store.place(&Bytes::copy_from_slice(key)))?;
        (!entry.is_expired(moment.unix_ms)).then(|| entry.value.clone())
    }

    /// Iterations that clients have begun and not ended.
    pub fn open_iterations(&self) -> usize {
        self.iterations.len()
    }

    /// A connection that has something to send, or has ended: [`process`](crate::Connection::process) it.
    pub fn poll_wakeup(&mut self) -> Option<ConnectionId> {
        self.post.poll_wakeup()
    }

    /// Time has passed: entries end, and so do iterations and streams that nobody uses.
    pub fn handle_timeout(&mut self, moment: Moment) {
        for cache in self.caches.values_mut() {
            cache.expire(moment.unix_ms, &mut self.post);
        }
        let timeout = self.options.state_timeout;
        self.iterations.retain(&mut self.states, |_, used| used + timeout > moment.now);
        self.streams.retain(&mut self.states, |_, used| used + timeout > moment.now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), as seen from `moment`.
    pub fn poll_timeout(&self, moment: Moment) -> Option<Instant> {
        let entry = self.caches.values().filter_map(Cache::next_due).min();
        let entry = entry.map(|due| moment.now + Duration::from_millis(due.saturating_sub(moment.unix_ms)));
        let state = self.iterations.oldest_use().into_iter().chain(self.streams.oldest_use()).min();
        entry.into_iter().chain(state.map(|used| used + self.options.state_timeout)).min()
    }

    /// Bytes have come from clients of a member, and gone to them.
    pub(crate) fn count_traffic(&mut self, member: MemberId, read: u64, written: u64) {
        let traffic = self.traffic.entry(member).or_default();
        traffic.0 += read;
        traffic.1 += written;
    }

    /// Ends everything that belongs to a connection.
    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        self.post.close(id);
        self.counters.remove_listeners_of(id);
        for cache in self.caches.values_mut() {
            cache.listeners.remove_all_of(id);
        }
        self.forget_states(|caller| caller.connection != id);
        self.states.forget(id);
    }

    /// Bytes of events and states of a session.
    pub(crate) fn held_for(&self, id: ConnectionId) -> usize {
        self.post.held(id) + self.states.of(id)
    }

    fn forget_states(&mut self, keep: impl Fn(crate::single_key::Caller) -> bool) {
        self.iterations.retain(&mut self.states, |caller, _| keep(caller));
        self.streams.retain(&mut self.states, |caller, _| keep(caller));
    }

    fn lose(&mut self, crashed: &[MemberId]) {
        self.caches.values_mut().for_each(|cache| cache.lose_what_only_they_had(crashed));
    }

    fn leave(&mut self, id: MemberId) {
        self.post.end_all_of(id);
        self.members.all.remove(&id);
        self.traffic.remove(&id);
        self.forget_states(|caller| caller.member != id);
    }

    fn change_view(&mut self) {
        self.caches.values_mut().for_each(|cache| cache.change_view(&self.members));
        self.post.wake_carriers();
    }
}

/// The name under which a cache is kept.
pub(crate) fn cache_key(name: &str) -> &str {
    if name.is_empty() { DEFAULT_CACHE } else { name }
}
