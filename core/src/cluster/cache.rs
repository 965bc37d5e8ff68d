//! Caches: their handles, and each one's view of the cluster.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use slotmap::{SlotMap, new_key_type};

use super::features::near_cache::NearCache;
use super::features::server_clock::ServerClock;
use super::stored_form::StoredForm;
use super::view::View;
use crate::wire::{Flags, MediaType, RequestOptions};

/// Caches above which those that are not in use are forgotten.
const FEW: usize = 64;

/// Media types of a cache's keys that are reported to have no known owners; an application has few.
const MOST_UNROUTED: usize = 16;

new_key_type! {
    /// A cache that a machine knows; never given twice.
    pub struct CacheId;
}

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
pub struct CacheHandle(Arc<Settings>);

/// The settings of a handle, shared by its clones: one word moves with each operation.
#[derive(Debug, Clone)]
struct Settings {
    cache: CacheId,
    options: Arc<RequestOptions>,
    read_from: ReadFrom,
    /// Shared by all handles of the cache.
    #[allow(dead_code)] // counted, not read
    in_use: Arc<()>,
}

impl CacheHandle {
    /// The identity of the cache, the same for every handle.
    pub fn id(&self) -> CacheId {
        self.0.cache
    }

    /// The options of every request.
    pub fn options(&self) -> &RequestOptions {
        &self.0.options
    }

    pub(super) fn shared_options(&self) -> Arc<RequestOptions> {
        self.0.options.clone()
    }

    /// The owner from which its keys are read.
    pub(super) fn read_from(&self) -> ReadFrom {
        self.0.read_from
    }

    /// A handle whose requests have these flags.
    #[must_use]
    pub fn with_flags(&self, flags: Flags) -> Self {
        let options = RequestOptions { flags, ..self.options().clone() };
        Self(Arc::new(Settings { options: Arc::new(options), ..(*self.0).clone() }))
    }

    /// A handle that reads from other owners.
    #[must_use]
    pub fn with_reads_from(&self, read_from: ReadFrom) -> Self {
        Self(Arc::new(Settings { read_from, ..(*self.0).clone() }))
    }
}

pub(super) struct Cache {
    pub(super) name: String,
    pub(super) view: Option<Arc<View>>,
    /// Whether requests name no topology id, so that the server sends its topology also if the id is the same.
    asks_anew: bool,
    stored_types: StoredTypes,
    pub(super) near: Option<Box<NearCache>>,
    /// Media types of keys of which the application was told that they are not routed.
    unrouted: Vec<MediaType>,
    /// Shared with the handles of the cache.
    in_use: Arc<()>,
}

/// Media types in which a cache stores keys and values, as far as they are known.
enum StoredTypes {
    /// The first PING is unanswered.
    Requested,
    /// The server has not reported them: it failed to answer, or its protocol has no field for it.
    Unreported,
    /// That of keys and that of values; [`MediaType::Unspecified`] for a cache that declares none.
    Reported([MediaType; 2]),
}

impl Cache {
    /// Replaces the view; returns the one before.
    pub(super) fn set_view(&mut self, view: Arc<View>) -> Option<Arc<View>> {
        self.asks_anew = false;
        self.view.replace(view)
    }

    /// Whether there are handles of the cache, or a near cache.
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.in_use) > 1 || self.near.is_some()
    }

    /// The topology id of requests; 0 has the server send its topology.
    pub(super) fn topology_id(&self) -> u32 {
        self.view.as_ref().filter(|_| !self.asks_anew).map_or(0, |view| view.id)
    }

    /// The stored form of keys that are declared so; `None` while the media type of stored keys is requested.
    pub(super) fn stored_form(&self, declared: &MediaType) -> Option<StoredForm> {
        match (declared, &self.stored_types) {
            (MediaType::Unspecified, _) => Some(StoredForm::SAME),
            (_, StoredTypes::Requested) => None,
            (_, StoredTypes::Unreported) => Some(StoredForm::UNKNOWN),
            (_, StoredTypes::Reported([stored, _])) => Some(StoredForm::between(declared, stored)),
        }
    }

    /// Whether the media type of stored keys is requested, and was never reported.
    pub(super) fn requests_key_type(&self) -> bool {
        matches!(self.stored_types, StoredTypes::Requested)
    }

    /// The media types of stored keys and of stored values, if a server has told them.
    pub(super) fn stored_types(&self) -> Option<&[MediaType; 2]> {
        match &self.stored_types {
            StoredTypes::Reported(types) => Some(types),
            StoredTypes::Requested | StoredTypes::Unreported => None,
        }
    }

    /// Notes the answer to a PING: the media types of stored keys and values; `None` if the server does not tell them.
    pub(super) fn note_stored_types(&mut self, types: Option<[MediaType; 2]>) {
        match types {
            Some(types) => self.stored_types = StoredTypes::Reported(types),
            None if self.requests_key_type() => self.stored_types = StoredTypes::Unreported,
            None => {}
        }
    }

    /// The owners of a key, as far as they are known; without a key those of several keys, which are not one member's.
    pub(super) fn placement<'a>(&'a self, key: Option<&'a [u8]>, declared: &MediaType) -> Placement<'a> {
        if self.view.as_ref().is_some_and(|view| view.ownership.is_none()) {
            return Placement::Unspread;
        }
        let Some(form) = self.stored_form(declared) else { return Placement::Requested };
        let Some(view) = &self.view else { return Placement::Unspread };
        match key {
            Some(key) => form.of(key).map_or(Placement::Unknown, |stored| Placement::Spread(view, stored)),
            None if form.is_known() => Placement::Unspread,
            None => Placement::Unknown,
        }
    }

    /// Whether the application is to be told that keys that are declared so are not routed: once for each media type.
    pub(super) fn report_unrouted(&mut self, declared: &MediaType) -> bool {
        let is_new = self.unrouted.len() < MOST_UNROUTED && !self.unrouted.contains(declared);
        if is_new {
            self.unrouted.push(declared.clone());
        }
        is_new
    }
}

/// Owners of a key, as far as they are known.
pub(super) enum Placement<'a> {
    /// Keys have no owners, or no topology has named them yet.
    Unspread,
    /// The media type of stored keys is requested.
    Requested,
    /// The stored form of the key is not certain.
    Unknown,
    /// The view, and the stored form of the key.
    Spread(&'a View, Cow<'a, [u8]>),
}

/// All caches, by identity and by name.
#[derive(Default)]
pub(super) struct Caches {
    all: SlotMap<CacheId, Cache>,
    /// Number of caches that were in use when the others were forgotten last.
    kept: usize,
    by_name: BTreeMap<String, CacheId>,
    /// The cache of the last keep-alive PING.
    last_pinged: Option<CacheId>,
    /// Views by topology id; caches with an equal view share it.
    views: BTreeMap<u32, Vec<Weak<View>>>,
    /// The clock that dates the entries of near caches.
    server_clock: ServerClock,
}

impl Caches {
    /// The cache with a name, added if it is new; and whether it is new.
    pub(super) fn named(&mut self, name: &str) -> (CacheId, bool) {
        if let Some(id) = self.by_name.get(name) {
            return (*id, false);
        }
        let id = self.all.insert(Cache {
            name: name.into(),
            view: None,
            asks_anew: false,
            stored_types: StoredTypes::Requested,
            near: None,
            unrouted: Vec::new(),
            in_use: Arc::default(),
        });
        self.by_name.insert(name.into(), id);
        (id, true)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are so many caches that those that are not in use should be forgotten: twice as many as were kept last, so
    /// that a new cache costs constant time on average.
    pub(super) fn are_many(&self) -> bool {
        self.len() >= FEW.max(2 * self.kept)
    }

    /// Forgets the caches that have no handle, no near cache, and no other use.
    pub(super) fn retain_used(&mut self, is_used: impl Fn(CacheId) -> bool) {
        let by_name = &mut self.by_name;
        self.all.retain(|id, cache| {
            let is_kept = cache.is_in_use() || is_used(id);
            if !is_kept {
                by_name.remove(&cache.name);
            }
            is_kept
        });
        self.kept = self.len();
    }

    pub(super) fn handle(&self, id: CacheId, options: Arc<RequestOptions>) -> CacheHandle {
        let in_use = self.get(id).in_use.clone();
        CacheHandle(Arc::new(Settings { cache: id, options, read_from: ReadFrom::default(), in_use }))
    }

    /// A handle without options.
    pub(super) fn plain(&self, id: CacheId) -> CacheHandle {
        self.handle(id, Arc::new(RequestOptions::cache(self.get(id).name.as_str())))
    }

    /// The cache after that one, and the first after the last; `None` if there is none at all.
    pub(super) fn after(&self, cache: Option<CacheId>) -> Option<CacheId> {
        let mut rest = self.all.keys().skip_while(|id| cache.is_some_and(|cache| cache != *id));
        let next = if cache.is_some() { rest.nth(1) } else { rest.next() };
        next.or_else(|| self.all.keys().next())
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
        self.all.contains_key(id)
    }

    pub(super) fn get(&self, id: CacheId) -> &Cache {
        &self.all[id]
    }

    pub(super) fn get_mut(&mut self, id: CacheId) -> &mut Cache {
        &mut self.all[id]
    }

    /// As [`get`](Self::get), for an id that may be of another machine.
    pub(super) fn find(&self, id: CacheId) -> Option<&Cache> {
        self.all.get(id)
    }

    pub(super) fn find_mut(&mut self, id: CacheId) -> Option<&mut Cache> {
        self.all.get_mut(id)
    }

    /// A cache, and the clock of its servers.
    pub(super) fn get_with_clock(&mut self, id: CacheId) -> (&mut Cache, &mut ServerClock) {
        (&mut self.all[id], &mut self.server_clock)
    }

    /// Forgets what was learned of a cluster that is left.
    pub(super) fn forget_cluster(&mut self) {
        self.all.values_mut().for_each(|cache| cache.view = None);
        self.server_clock = ServerClock::default();
    }

    pub(super) fn view(&self, id: CacheId) -> Option<&Arc<View>> {
        self.all.get(id)?.view.as_ref()
    }

    /// Has the topologies of all caches sent anew: the members that are reached next may be of another cluster, in which
    /// the ids have another meaning.
    pub(super) fn ask_anew(&mut self) {
        self.all.values_mut().for_each(|cache| cache.asks_anew = true);
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
