//! Caches: their handles, and each one's view of the cluster.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use super::features::near_cache::NearCache;
use super::view::View;
use crate::wire::{Flags, MediaType, RequestOptions};

/// A cache that a machine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheId(pub(super) u32);
/// The owner from which a key is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReadFrom {
    /// The primary owner, which has seen every write.
    #[default]
    PrimaryOwner,
    /// Round robin over the owners, which spreads the reads of a hot key. With asynchronous replication a backup owner may
    /// answer with an old value.
    AnyOwner,
}

/// A cache and the options of its requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct CacheHandle {
    pub(super) id: CacheId,
    pub(super) options: Arc<RequestOptions>,
    pub(super) read_from: ReadFrom,
}

impl CacheHandle {
    /// The identity of the cache, the same for every handle.
    pub fn id(&self) -> CacheId {
        self.id
    }

    /// The options of every request.
    pub fn options(&self) -> &RequestOptions {
        &self.options
    }

    /// A handle whose requests have these flags.
    #[must_use]
    pub fn with_flags(&self, flags: Flags) -> Self {
        let options = RequestOptions { flags, ..(*self.options).clone() };
        Self { options: Arc::new(options), ..self.clone() }
    }

    /// A handle that reads from other owners.
    #[must_use]
    pub fn with_reads_from(&self, read_from: ReadFrom) -> Self {
        Self { read_from, ..self.clone() }
    }
}

pub(super) struct Cache {
    pub(super) name: String,
    pub(super) view: Option<Arc<View>>,
    /// Whether requests name no topology id, so that the server sends its topology also if the id is the same.
    asks_anew: bool,
    /// Media type of stored keys; `None` before the answer to the first PING.
    pub(super) key_type: Option<MediaType>,
    pub(super) near: Option<Box<NearCache>>,
}

impl Cache {
    /// Replaces the view; returns the one before.
    pub(super) fn set_view(&mut self, view: Arc<View>) -> Option<Arc<View>> {
        self.asks_anew = false;
        self.view.replace(view)
    }

    /// The topology id of requests; 0 has the server send its topology.
    pub(super) fn topology_id(&self) -> u32 {
        self.view.as_ref().filter(|_| !self.asks_anew).map_or(0, |view| view.id)
    }

    /// Whether a key of this media type has the bytes that the server hashes (spec/gotchas.md, 5).
    pub(super) fn hashes(&self, key_type: &MediaType) -> bool {
        *key_type == MediaType::Unspecified || self.key_type.as_ref() == Some(key_type)
    }
}

/// All caches, by number and by name.
#[derive(Default)]
pub(super) struct Caches {
    all: Vec<Cache>,
    by_name: BTreeMap<String, CacheId>,
    /// The cache of the last keep-alive PING.
    last_pinged: Option<CacheId>,
    /// Views by topology id; caches with an equal view share it.
    views: BTreeMap<u32, Vec<Weak<View>>>,
}

impl Caches {
    /// The cache with a name, added if it is new; and whether it is new.
    pub(super) fn named(&mut self, name: &str) -> (CacheId, bool) {
        if let Some(id) = self.by_name.get(name) {
            return (*id, false);
        }
        let id = CacheId(self.all.len() as u32);
        self.all.push(Cache { name: name.into(), view: None, asks_anew: false, key_type: None, near: None });
        self.by_name.insert(name.into(), id);
        (id, true)
    }

    /// A handle without options.
    pub(super) fn plain(&self, id: CacheId) -> CacheHandle {
        let options = RequestOptions::cache(self.get(id).name.as_str());
        CacheHandle { id, options: Arc::new(options), read_from: ReadFrom::default() }
    }

    /// The cache after that one, and the first after the last; `None` if there is none at all.
    pub(super) fn after(&self, cache: Option<CacheId>) -> Option<CacheId> {
        let next = cache.map_or(0, |CacheId(id)| id as usize + 1);
        let next = if next < self.all.len() { next } else { 0 };
        (next < self.all.len()).then_some(CacheId(next as u32))
    }

    /// Round robin over the caches, for keep-alive PINGs; `except` is left out unless it is the only one.
    pub(super) fn next_to_ping(&mut self, except: Option<CacheId>) -> Option<CacheId> {
        let mut next = self.after(self.last_pinged);
        if next.is_some() && next == except {
            next = self.after(next);
        }
        if next.is_some() {
            self.last_pinged = next;
        }
        next
    }

    /// The cache with a name, if it is in use.
    pub(super) fn find_named(&self, name: &str) -> Option<CacheId> {
        self.by_name.get(name).copied()
    }

    pub(super) fn contains(&self, id: CacheId) -> bool {
        (id.0 as usize) < self.all.len()
    }

    pub(super) fn get(&self, id: CacheId) -> &Cache {
        &self.all[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: CacheId) -> &mut Cache {
        &mut self.all[id.0 as usize]
    }

    /// As [`get`](Self::get), for an id that may be of another machine.
    pub(super) fn find(&self, id: CacheId) -> Option<&Cache> {
        self.all.get(id.0 as usize)
    }

    pub(super) fn find_mut(&mut self, id: CacheId) -> Option<&mut Cache> {
        self.all.get_mut(id.0 as usize)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Cache> {
        self.all.iter_mut()
    }

    pub(super) fn view(&self, id: CacheId) -> Option<&Arc<View>> {
        self.all.get(id.0 as usize)?.view.as_ref()
    }

    /// Has the topologies of all caches sent anew: the members that are reached next may be of another cluster, in which
    /// the ids have another meaning.
    pub(super) fn ask_anew(&mut self) {
        self.all.iter_mut().for_each(|cache| cache.asks_anew = true);
    }

    /// The views in use, each once.
    pub(super) fn distinct_views(&self) -> impl Iterator<Item = Arc<View>> {
        self.views.values().flatten().filter_map(Weak::upgrade)
    }

    /// Shares a view with the caches that have an equal one.
    pub(super) fn share(&mut self, view: View) -> Arc<View> {
        self.views.retain(|_, views| {
            views.retain(|view| view.strong_count() > 0);
            !views.is_empty()
        });
        let same_id = self.views.entry(view.id).or_default();
        if let Some(known) = same_id.iter().filter_map(Weak::upgrade).find(|known| **known == view) {
            return known;
        }
        let view = Arc::new(view);
        same_id.push(Arc::downgrade(&view));
        view
    }
}
