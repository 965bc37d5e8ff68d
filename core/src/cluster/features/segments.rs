//! Sets of segments, in the form that iterations have on the wire.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

/// One bit a segment, least significant first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::cluster) struct SegmentSet(Vec<u8>);

impl SegmentSet {
    /// All segments, `segments` in number.
    pub(in crate::cluster) fn all(segments: usize) -> Self {
        let mut bytes = vec![0xff; segments / 8];
        if !segments.is_multiple_of(8) {
            bytes.push((1 << (segments % 8)) - 1);
        }
        Self(bytes)
    }

    pub(in crate::cluster) fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(in crate::cluster) fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }

    pub(in crate::cluster) fn contains(&self, segment: usize) -> bool {
        self.0.get(segment / 8).is_some_and(|byte| byte & 1 << (segment % 8) != 0)
    }

    pub(in crate::cluster) fn insert(&mut self, segment: usize) {
        if self.0.len() <= segment / 8 {
            self.0.resize(segment / 8 + 1, 0);
        }
        self.0[segment / 8] |= 1 << (segment % 8);
    }

    pub(in crate::cluster) fn remove(&mut self, segment: usize) {
        if let Some(byte) = self.0.get_mut(segment / 8) {
            *byte &= !(1 << (segment % 8));
        }
    }

    pub(in crate::cluster) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 8).filter(|segment| self.contains(*segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_least_significant_first() {
        let mut set = SegmentSet::default();
        set.insert(0);
        set.insert(9);
        assert_eq!(set.to_bytes(), Bytes::from_static(&[0x01, 0x02]));
        set.remove(0);
        assert_eq!(set.iter().collect::<Vec<_>>(), [9]);
        assert!(!set.contains(1000));
        assert_eq!(SegmentSet::all(10).iter().collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
        assert_eq!(SegmentSet::all(16).to_bytes().len(), 2);
    }
}
