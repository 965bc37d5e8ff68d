//! Strategies for topologies, for each intelligence.

use hotrod_core::wire::{Hash, Intelligence, Member, SegmentOwners, Topology};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::values::{int, text};

/// A new topology or none; always none for basic intelligence.
pub fn topology(intelligence: Intelligence) -> BoxedStrategy<Option<Topology>> {
    if intelligence == Intelligence::Basic {
        return Just(None).boxed();
    }
    let member = (text(), any::<u16>()).prop_map(|(host, port)| Member { host, port });
    let topology = (any::<u32>(), vec(member, 0..5)).prop_flat_map(move |(id, members)| {
        let hash = hash(intelligence, members.len());
        hash.prop_map(move |hash| Topology { id, members: members.clone(), hash })
    });
    option::of(topology).boxed()
}

fn hash(intelligence: Intelligence, members: usize) -> BoxedStrategy<Option<Hash>> {
    if intelligence == Intelligence::TopologyAware {
        return Just(None).boxed();
    }
    let unspread =
        int().prop_map(|segments| Hash { function: 0, segments: segments & 0xfffff, owners: SegmentOwners::default() });
    // A member may own nothing, and a segment may have no owner.
    let owners = if members == 0 { Just(Vec::new()).boxed() } else { vec(0..members as u16, 0..4).boxed() };
    let spread = (1..=u8::MAX, vec(owners, 0..12)).prop_map(|(function, owners)| Hash {
        function,
        segments: owners.len() as u32,
        owners: owners.iter().map(Vec::as_slice).collect(),
    });
    prop_oneof![1 => unspread, 3 => spread].prop_map(Some).boxed()
}
