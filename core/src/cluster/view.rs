//! A cache's view of the cluster: which member owns which segment.

use alloc::vec::Vec;

use super::members::MemberId;
use crate::routing::{key_hash, segment_size};
use crate::wire::SegmentOwners;

/// A topology with the identities of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub(super) id: u32,
    pub(super) members: Vec<MemberId>,
    /// `None` where keys are not spread by hash.
    pub(super) ownership: Option<Ownership>,
}

/// The owners of each segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ownership {
    pub(super) segment_size: u32,
    pub(super) owners: SegmentOwners,
}

impl View {
    /// Topology id of the server; compare for equality only.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The members, in the order of the topology.
    pub fn members(&self) -> &[MemberId] {
        &self.members
    }

    /// Number of segments; 0 where keys are not spread by hash.
    pub fn segments(&self) -> usize {
        self.ownership.as_ref().map_or(0, |ownership| ownership.owners.len())
    }

    /// The owners of a segment, primary first.
    pub fn owners_of_segment(&self, segment: usize) -> impl Iterator<Item = MemberId> {
        let owners = self.ownership.as_ref().map_or(&[][..], |ownership| ownership.owners.of(segment));
        owners.iter().filter_map(|index| self.members.get(usize::from(*index)).copied())
    }

    /// The owners of a key in its storage form, primary first; none where keys are not spread by hash.
    pub fn owners_of(&self, key: &[u8]) -> impl Iterator<Item = MemberId> {
        // The divisor is computed with the view: one division, whatever the number of members.
        let segment = self.ownership.as_ref().map_or(0, |ownership| {
            let hash = key_hash(key) as u32 & 0x7fff_ffff;
            (hash / ownership.segment_size) as usize
        });
        self.owners_of_segment(segment)
    }
}

impl Ownership {
    pub(super) fn new(segments: u32, owners: SegmentOwners) -> Self {
        Self { segment_size: segment_size(segments), owners }
    }
}
