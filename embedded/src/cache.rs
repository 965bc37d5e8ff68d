//! A cache: its entries, owners, listeners and counts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use hotrod_core::wire::{EntryChange, Hash, SegmentOwners, Topology};

use crate::answer::Failure;
use crate::entry::Content;
use crate::event_queues::EventQueues;
use crate::listeners::Listeners;
use crate::members::{Member, MemberId, Members};
use crate::options::{CacheMode, CacheOptions};
use crate::ownership::Ownership;
use crate::statistics::Counts;
use crate::store::{Place, Store};

/// The hash function that all Infinispan caches announce.
const MURMUR3: u8 = 3;

/// One cache of the cluster.
pub(crate) struct Cache {
    pub(crate) name: String,
    pub(crate) options: CacheOptions,
    /// Whether it is hidden from the list of caches and can't be removed.
    pub(crate) internal: bool,
    pub(crate) ownership: Ownership,
    /// Computed on first use after a change of the view.
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

    /// Returns the topology that clients receive; `None` for a local cache, and while there is no member.
    pub(crate) fn topology(&self, members: &Members) -> Option<&Topology> {
        let has_view = !self.is_local() && !members.all.is_empty();
        has_view.then(|| self.topology.get_or_init(|| topology(&self.ownership, members)))
    }

    /// Rebalances the segments over new members.
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

    /// Drops the segments whose owners have all crashed.
    pub(crate) fn lose_segments_owned_only_by(&mut self, crashed: &[MemberId]) {
        let Stores::Shared(store) = &mut self.stores else { return };
        for segment in 0..self.options.segments {
            let owners = self.ownership.of(segment);
            if !owners.is_empty() && owners.iter().all(|owner| crashed.contains(owner)) {
                store.lose(segment);
            }
        }
    }

    /// Returns the entries that a member serves.
    pub(crate) fn store(&self, member: MemberId) -> Option<&Store> {
        match &self.stores {
            Stores::Shared(store) => Some(store),
            Stores::PerMember(stores) => stores.get(&member),
        }
    }

    /// Returns the entries of all members; `None` for a local cache.
    pub(crate) fn any_store(&self) -> Option<&Store> {
        match &self.stores {
            Stores::Shared(store) => Some(store),
            Stores::PerMember(_) => None,
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

    /// Checks that `entries` and `bytes` more fit into the limits of the cache.
    fn make_room(&self, member: MemberId, entries: u64, bytes: u64) -> Result<(), Failure> {
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

    /// Checks that an entry fits in place of the present one.
    pub(crate) fn make_room_for(&self, member: MemberId, place: &Place, content: &Content) -> Result<(), Failure> {
        let present = self.store(member).and_then(|store| store.get(place));
        let present = present.map(|entry| entry.weight(&place.key));
        let more = content.weight(&place.key).saturating_sub(present.unwrap_or(0));
        self.make_room(member, u64::from(present.is_none()), more)
    }

    /// Removes expired entries in the order of their expiry, and notifies the listeners for which their keys can be converted.
    pub(crate) fn expire(&mut self, unix_ms: u64, queues: &mut EventQueues) {
        match &mut self.stores {
            Stores::Shared(store) => {
                while let Some(place) = store.remove_expired(unix_ms) {
                    let _ = self.listeners.publish(EntryChange::Expired, &place, 0, None, queues);
                }
            }
            Stores::PerMember(stores) => {
                for (member, store) in stores {
                    while let Some(place) = store.remove_expired(unix_ms) {
                        let _ = self.listeners.publish(EntryChange::Expired, &place, 0, Some(*member), queues);
                    }
                }
            }
        }
    }

    /// Time at which the next entry may expire, in milliseconds since 1970.
    pub(crate) fn next_due(&self) -> Option<u64> {
        match &self.stores {
            Stores::Shared(store) => store.next_due(),
            Stores::PerMember(stores) => stores.values().filter_map(Store::next_due).min(),
        }
    }

    /// Counts a member's entries: those of segments that it owns, and those of segments that it is the primary owner of.
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
    for (member, Member { address, .. }) in &members.all {
        id.add(member.0);
        id.add(address.port.into());
        id.add(address.host.len() as u32);
        address.host.bytes().for_each(|byte| id.add(byte.into()));
    }
    let hash = Hash { function: MURMUR3, segments: owners.len() as u32, owners };
    Topology {
        id: id.finish(),
        members: members.all.values().map(|member| member.address.clone()).collect(),
        hash: Some(hash),
    }
}

/// Hash of a view, used as its topology id: of its members' addresses, and of the owners of each segment. Infinispan uses a
/// hash as well: ids have no order.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number) ^ 0x9e37).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
    }

    /// Avoids the ids that clients send while they have no view.
    fn finish(self) -> u32 {
        let id = (self.0 ^ self.0 >> 32) as u32;
        if id == 0 || id >= u32::MAX - 1 { id ^ 0x5555_5555 } else { id }
    }
}
