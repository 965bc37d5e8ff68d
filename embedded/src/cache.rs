//! A cache: its entries, owners, listeners and counts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use hotrod_core::wire::{EntryChange, Hash, SegmentOwners, Topology};

use crate::answer::Failure;
use crate::entry::weight;
use crate::listeners::Listeners;
use crate::members::{MemberId, Members};
use crate::options::{CacheMode, CacheOptions};
use crate::ownership::Ownership;
use crate::post::Post;
use crate::statistics::Counts;
use crate::store::{Place, Store};

/// The hash function that all Infinispan caches announce.
const MURMUR3: u8 = 3;

/// A cache.
pub(crate) struct Cache {
    pub(crate) name: String,
    pub(crate) options: CacheOptions,
    /// Not shown among the names of caches, and not to be removed.
    pub(crate) internal: bool,
    pub(crate) ownership: Ownership,
    /// Made when first asked for.
    topology: OnceLock<Topology>,
    stores: Stores,
    pub(crate) counts: BTreeMap<MemberId, Counts>,
    pub(crate) listeners: Listeners,
}

enum Stores {
    Shared(Box<Store>),
    PerMember(BTreeMap<MemberId, Store>),
}

impl Cache {
    pub(crate) fn new(name: &str, options: CacheOptions, internal: bool, members: &Members) -> Self {
        let copies = match options.mode {
            CacheMode::Local => 0,
            CacheMode::Replicated => usize::MAX,
            CacheMode::Distributed { owners } => owners.max(1),
        };
        let stores = match options.mode {
            CacheMode::Local => Stores::PerMember(BTreeMap::new()),
            _ => Stores::Shared(Box::new(Store::new(options.segments))),
        };
        let mut cache = Self {
            name: name.into(),
            ownership: Ownership::new(options.segments, copies),
            options,
            internal,
            topology: OnceLock::new(),
            stores,
            counts: BTreeMap::new(),
            listeners: Listeners::default(),
        };
        cache.change_view(members);
        cache
    }

    pub(crate) fn is_local(&self) -> bool {
        self.options.mode == CacheMode::Local
    }

    /// The view that clients get; none of a local cache, or without members.
    pub(crate) fn topology(&self, members: &Members) -> Option<&Topology> {
        let has_view = !self.is_local() && !members.all.is_empty();
        has_view.then(|| self.topology.get_or_init(|| topology(&self.ownership, members)))
    }

    /// The members have changed: spreads the segments anew.
    pub(crate) fn change_view(&mut self, members: &Members) {
        let ids = members.ids();
        self.counts.retain(|member, _| ids.contains(member));
        if let Stores::PerMember(stores) = &mut self.stores {
            stores.retain(|member, _| ids.contains(member));
            for id in &ids {
                stores.entry(*id).or_insert_with(|| Store::new(self.options.segments));
            }
            return;
        }
        self.ownership.rebalance(&ids);
        self.topology = OnceLock::new();
    }

    /// Members have crashed: what no other had is gone.
    pub(crate) fn lose_what_only_they_had(&mut self, crashed: &[MemberId]) {
        let Stores::Shared(store) = &mut self.stores else { return };
        for segment in 0..self.options.segments {
            let owners = self.ownership.of(segment);
            if !owners.is_empty() && owners.iter().all(|owner| crashed.contains(owner)) {
                store.lose(segment);
            }
        }
    }

    /// The entries as a member sees them.
    pub(crate) fn store(&self, member: MemberId) -> Option<&Store> {
        match &self.stores {
            Stores::Shared(store) => Some(store),
            Stores::PerMember(stores) => stores.get(&member),
        }
    }

    pub(crate) fn store_mut(&mut self, member: MemberId) -> Option<&mut Store> {
        match &mut self.stores {
            Stores::Shared(store) => Some(store),
            Stores::PerMember(stores) => stores.get_mut(&member),
        }
    }

    pub(crate) fn counts_mut(&mut self, member: MemberId) -> &mut Counts {
        self.counts.entry(member).or_default()
    }

    /// Whether so much more fits.
    pub(crate) fn make_room(&self, member: MemberId, entries: u64, bytes: u64) -> Result<(), Failure> {
        let Some(store) = self.store(member) else { return Ok(()) };
        let (limit, what, has) = if store.len() + entries > self.options.max_entries {
            (self.options.max_entries, "entries", store.len())
        } else if store.bytes() + bytes > self.options.max_bytes {
            (self.options.max_bytes, "bytes", store.bytes())
        } else {
            return Ok(());
        };
        let name = &self.name;
        Err(Failure::server_error(format!("cache '{name}' is full: it has {has} {what}, the limit is {limit}")))
    }

    /// Whether an entry fits in place of the one that is there.
    pub(crate) fn make_room_for(&self, member: MemberId, place: &Place, value: &Bytes) -> Result<(), Failure> {
        let present = self.store(member).and_then(|store| store.get(place));
        let present = present.map(|entry| weight(&place.key, &entry.value));
        let more = weight(&place.key, value).saturating_sub(present.unwrap_or(0));
        self.make_room(member, u64::from(present.is_none()), more)
    }

    /// Removes what has ended, in time order, and tells the listeners.
    pub(crate) fn expire(&mut self, unix_ms: u64, post: &mut Post) {
        match &mut self.stores {
            Stores::Shared(store) => {
                while let Some(place) = store.remove_expired(unix_ms) {
                    self.listeners.publish(EntryChange::Expired, &place, 0, None, post);
                }
            }
            Stores::PerMember(stores) => {
                for (member, store) in stores {
                    while let Some(place) = store.remove_expired(unix_ms) {
                        self.listeners.publish(EntryChange::Expired, &place, 0, Some(*member), post);
                    }
                }
            }
        }
    }

    /// When the next entry may end, in milliseconds since 1970.
    pub(crate) fn next_due(&self) -> Option<u64> {
        match &self.stores {
            Stores::Shared(store) => store.next_due(),
            Stores::PerMember(stores) => stores.values().filter_map(Store::next_due).min(),
        }
    }

    /// Entries that a member holds: in segments that it owns, and in those that it is the primary owner of.
    pub(crate) fn entries_of(&self, member: MemberId) -> (u64, u64) {
        let Some(store) = self.store(member) else { return (0, 0) };
        if self.is_local() {
            return (store.len(), store.len());
        }
        let (mut owned, mut primary) = (0, 0);
        for (segment, owners) in (0..).zip(self.ownership.iter()) {
            if owners.contains(&member) {
                owned += store.len_of(segment);
            }
            if owners.first() == Some(&member) {
                primary += store.len_of(segment);
            }
        }
        (owned, primary)
    }
}

fn topology(ownership: &Ownership, members: &Members) -> Topology {
    let ids = members.ids();
    let index = |id: &MemberId| ids.binary_search(id).unwrap_or_default() as u16;
    let mut owners = SegmentOwners::default();
    let mut id = Fingerprint::new();
    for segment in ownership.iter() {
        owners.push(&segment.iter().map(index).collect::<Vec<_>>());
        segment.iter().for_each(|owner| id.add(owner.0));
    }
    for member in &ids {
        id.add(member.0);
    }
    let hash = Hash { function: MURMUR3, segments: owners.len() as u32, owners };
    Topology {
        id: id.finish(),
        members: members.all.values().map(|member| member.address.clone()).collect(),
        hash: Some(hash),
    }
}

/// A number that follows from a view, as the hash code that the server uses: its order means nothing.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number) ^ 0x9e37).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
    }

    /// Never one of the numbers that clients send before they have a view.
    fn finish(self) -> u32 {
        let id = (self.0 ^ self.0 >> 32) as u32;
        if id == 0 || id >= u32::MAX - 1 { id ^ 0x5555_5555 } else { id }
    }
}
