//! The cluster: members, caches and their operations.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::time::Instant;
use hotrod_core::wire::{self, Topology};

use crate::cache::Cache;
use crate::counters::{self, Counters};
use crate::event_queues::{ConnectionId, EventQueues};
use crate::iteration::Iterations;
use crate::members::{MemberId, MemberState, Members};
use crate::memory::{Budget, StateMemory};
use crate::options::{CacheMode, CacheOptions, ClusterOptions, NamedCache};
use crate::statistics::Counts;
use crate::streams::Streams;

/// Name of the cache that requests without a cache name use.
const DEFAULT_CACHE: &str = "default";
/// Longest name of a cache or a counter, in bytes, as in Infinispan (`ByteString`).
pub(crate) const MAX_NAME_BYTES: usize = 255;
/// Cache in which clients register Protobuf schemas.
const SCHEMAS: &str = "___protobuf_metadata";
/// Cache of scripts. Clients can write to it, and no script is executed.
pub(crate) const SCRIPTS: &str = "___script_cache";

/// A point in time on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Monotonic time, for timeouts.
    pub now: Instant,
    /// Wall-clock time in milliseconds since 1970, for lifetimes of entries; clients see it.
    pub unix_ms: u64,
}

/// A Hot Rod cluster in memory. The [crate's documentation](crate) describes the loop that drives it.
pub struct Cluster {
    pub(crate) options: ClusterOptions,
    pub(crate) members: Members,
    pub(crate) caches: BTreeMap<String, Cache>,
    pub(crate) queues: EventQueues,
    pub(crate) counters: Counters,
    pub(crate) states: StateMemory,
    pub(crate) budget: Budget,
    pub(crate) iterations: Iterations,
    pub(crate) streams: Streams,
    pub(crate) last_version: u64,
    /// Bytes received from and sent to the clients of each member.
    pub(crate) traffic: BTreeMap<MemberId, (u64, u64)>,
    pub(crate) started: Instant,
}

impl Cluster {
    /// Creates a cluster without members, with the caches `default`, `dist`, `repl`, `local` and those of `options`.
    pub fn new(options: ClusterOptions, moment: Moment) -> Self {
        let mut cluster = Self {
            queues: EventQueues::new(options.max_event_bytes),
            members: Members::default(),
            caches: BTreeMap::new(),
            counters: Counters::default(),
            states: StateMemory::default(),
            budget: Budget::new(options.max_link_bytes, options.max_held_bytes),
            iterations: Iterations::default(),
            streams: Streams::default(),
            // Versions take more than 32 bits, as those of a server do.
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
            (SCRIPTS, CacheMode::Replicated, true),
        ] {
            let cache = Cache::new(name, CacheOptions::of_mode(mode), internal, &cluster.members);
            cluster.caches.insert(name.into(), cache);
        }
        for NamedCache { name, options } in std::mem::take(&mut cluster.options.caches) {
            cluster.caches.insert(name.clone(), Cache::new(&name, options, false, &cluster.members));
        }
        cluster
    }

    /// Adds a member and changes the view. `address` is the one that topologies name.
    pub fn add_member(&mut self, address: wire::Member) -> MemberId {
        let id = self.members.add(address);
        self.change_view();
        id
    }

    /// Adds several members with one change of the view.
    pub fn add_members(&mut self, addresses: impl IntoIterator<Item = wire::Member>) -> Vec<MemberId> {
        let ids = addresses.into_iter().map(|address| self.members.add(address)).collect();
        self.change_view();
        ids
    }

    /// Removes a member in an orderly shutdown: its connections end, the other members keep its entries, the view changes.
    ///
    /// Its entries of local caches are lost. When the last member leaves, all entries are lost.
    pub fn remove_member(&mut self, id: MemberId) {
        if self.members.all.len() == 1 && self.members.all.contains_key(&id) {
            self.lose(&[id]);
        }
        self.leave(id);
        self.change_view();
    }

    /// Crashes a member: its connections end, and the view still names it until [`exclude_crashed`](Self::exclude_crashed).
    pub fn crash_member(&mut self, id: MemberId) {
        self.set_member_state(id, MemberState::Crashed);
        self.queues.end_all_of(id);
        self.forget_states(|caller| caller.member != id);
    }

    /// Removes all crashed members from the view. Entries without another owner are lost.
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

    /// Sets a member's state. To crash it use [`crash_member`](Self::crash_member), which also ends its connections.
    pub fn set_member_state(&mut self, id: MemberId, state: MemberState) {
        if let Some(member) = self.members.all.get_mut(&id) {
            member.state = state;
        }
    }

    /// Returns a member's state; `None` once it has left the view.
    pub fn member_state(&self, id: MemberId) -> Option<MemberState> {
        self.members.state(id)
    }

    /// Returns the members of the view and their addresses, in the order in which they joined.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, &wire::Member)> {
        self.members.all.iter().map(|(id, member)| (*id, &member.address))
    }

    /// Creates a cache. The error is the message for the client.
    pub fn create_cache(&mut self, name: &str, options: CacheOptions) -> Result<(), String> {
        if name.is_empty() || self.caches.contains_key(name) {
            return Err(format!("cache '{name}' exists already"));
        }
        if name.len() > MAX_NAME_BYTES {
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

    /// Removes a cache with all its entries; returns false if there is none or it is internal.
    pub fn remove_cache(&mut self, name: &str) -> bool {
        let removable = self.caches.get(name).is_some_and(|cache| !cache.internal);
        removable && self.caches.remove(name).is_some()
    }

    /// Returns whether there is a cache of this name; the empty name stands for `default`.
    pub fn has_cache(&self, name: &str) -> bool {
        self.caches.contains_key(cache_key(name))
    }

    /// Returns the names of all caches that clients may use, those of schemas and scripts included.
    pub fn cache_names(&self) -> impl Iterator<Item = &str> {
        self.caches.keys().map(String::as_str).filter(|name| *name != counters::CACHE)
    }

    /// Returns the topology of a cache as clients receive it; `None` for a local cache, and while there is no member.
    pub fn topology(&self, cache: &str) -> Option<&Topology> {
        self.caches.get(cache_key(cache))?.topology(&self.members)
    }

    /// Returns the owners of a key, primary owner first; empty for a local cache.
    pub fn owners(&self, cache: &str, key: &[u8]) -> &[MemberId] {
        let Some(cache) = self.caches.get(cache_key(cache)) else { return &[] };
        cache.ownership.of(hotrod_core::routing::segment_of(key, cache.options.segments))
    }

    /// Returns a member's statistics of a cache.
    pub fn counts(&self, cache: &str, member: MemberId) -> Counts {
        let cache = self.caches.get(cache_key(cache));
        cache.and_then(|cache| cache.counts.get(&member)).copied().unwrap_or_default()
    }

    /// Returns the value that a client of `member` would read at `moment`, without counting it as a read or a use.
    pub fn peek(&self, cache: &str, member: MemberId, key: &[u8], moment: Moment) -> Option<Bytes> {
        let store = self.caches.get(cache_key(cache))?.store(member)?;
        let entry = store.get(&store.place(&Bytes::copy_from_slice(key)))?;
        entry.value().ok().filter(|_| !entry.is_expired(moment.unix_ms)).cloned()
    }

    /// Counts the iterations that clients have started and not ended.
    pub fn open_iterations(&self) -> usize {
        self.iterations.len()
    }

    /// Returns a connection that has events to send or has ended: call its [`process`](crate::Connection::process).
    pub fn poll_wakeup(&mut self) -> Option<ConnectionId> {
        self.queues.poll_wakeup()
    }

    /// Expires entries, and unused iterations and streams.
    pub fn handle_timeout(&mut self, moment: Moment) {
        for cache in self.caches.values_mut() {
            cache.expire(moment.unix_ms, &mut self.queues);
        }
        let timeout = self.options.state_timeout;
        self.iterations.retain(&mut self.states, |_, used| used + timeout > moment.now);
        self.streams.retain(&mut self.states, |_, used| used + timeout > moment.now);
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout) next; `moment` joins the two clocks.
    pub fn poll_timeout(&self, moment: Moment) -> Option<Instant> {
        let entry = self.caches.values().filter_map(Cache::next_due).min();
        let entry = entry.map(|due| moment.now + Duration::from_millis(due.saturating_sub(moment.unix_ms)));
        let state = self.iterations.oldest_use().into_iter().chain(self.streams.oldest_use()).min();
        entry.into_iter().chain(state.map(|used| used + self.options.state_timeout)).min()
    }

    /// Counts bytes received from and sent to clients of a member.
    pub(crate) fn count_traffic(&mut self, member: MemberId, read: u64, written: u64) {
        let traffic = self.traffic.entry(member).or_default();
        traffic.0 += read;
        traffic.1 += written;
    }

    /// Removes the listeners, iterations and streams of a connection.
    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        self.queues.close(id);
        self.counters.remove_listeners_of(id);
        for cache in self.caches.values_mut() {
            cache.listeners.remove_all_of(id);
        }
        self.forget_states(|caller| caller.connection != id);
        self.states.forget(id);
    }

    /// Bytes of a session's queued events, listeners, iterations and streams.
    pub(crate) fn held_for(&self, id: ConnectionId) -> usize {
        self.queues.held(id) + self.states.of(id)
    }

    fn forget_states(&mut self, keep: impl Fn(crate::single_key::Caller) -> bool) {
        self.iterations.retain(&mut self.states, |caller, _| keep(caller));
        self.streams.retain(&mut self.states, |caller, _| keep(caller));
    }

    fn lose(&mut self, crashed: &[MemberId]) {
        self.caches.values_mut().for_each(|cache| cache.lose_segments_owned_only_by(crashed));
    }

    fn leave(&mut self, id: MemberId) {
        self.queues.end_all_of(id);
        self.members.all.remove(&id);
        self.traffic.remove(&id);
        self.forget_states(|caller| caller.member != id);
    }

    fn change_view(&mut self) {
        self.caches.values_mut().for_each(|cache| cache.change_view(&self.members));
        self.queues.wake_carriers();
    }
}

/// Returns the key of a cache in the map of caches.
pub(crate) fn cache_key(name: &str) -> &str {
    if name.is_empty() { DEFAULT_CACHE } else { name }
}
