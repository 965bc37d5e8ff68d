//! The keys that an iteration has returned.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

/// Stands for the segment of keys that the client can't hash.
pub(super) const ANY_SEGMENT: u32 = u32::MAX;

/// Maximum size of the remembered keys, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Size of the bookkeeping of a key, in bytes.
const KEY_OVERHEAD: usize = 32;

/// Returned keys of unfinished segments: a part that begins again sends them again.
#[derive(Default)]
pub(super) struct Seen {
    by_segment: BTreeMap<u32, BTreeSet<Box<[u8]>>>,
    bytes: usize,
    is_incomplete: bool,
}

impl Seen {
    /// Whether all returned keys of unfinished segments are remembered, so that a part may begin again. Where keys are not
    /// spread by hash no segment is ever finished, and above [`MAX_BYTES`] all keys are forgotten.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_incomplete
    }

    /// Number of remembered keys.
    pub(super) fn len(&self) -> usize {
        self.by_segment.values().map(BTreeSet::len).sum()
    }

    /// Remembers a key. Returns whether it is new.
    pub(super) fn insert(&mut self, segment: u32, key: &[u8]) -> bool {
        if self.is_incomplete {
            return true;
        }
        // Some keys may have come before the first topology.
        let before = self.by_segment.get(&ANY_SEGMENT).filter(|_| segment != ANY_SEGMENT);
        let is_new = before.is_none_or(|keys| !keys.contains(key))
            && self.by_segment.entry(segment).or_default().insert(key.into());
        if is_new {
            self.bytes += size_of(key);
        }
        if self.bytes > MAX_BYTES {
            *self = Self { is_incomplete: true, ..Self::default() };
        }
        is_new
    }

    /// Forgets the keys of a finished segment.
    pub(super) fn finish(&mut self, segment: u32) {
        if let Some(keys) = self.by_segment.remove(&segment) {
            self.bytes -= keys.iter().map(|key| size_of(key)).sum::<usize>();
        }
    }
}

fn size_of(key: &[u8]) -> usize {
    key.len() + KEY_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_remembered_until_their_segment_is_finished() {
        let mut seen = Seen::default();
        assert!(seen.insert(ANY_SEGMENT, b"early") && !seen.insert(7, b"early"));
        assert!(seen.insert(7, b"k") && !seen.insert(7, b"k"));
        assert_eq!(seen.len(), 2);
        seen.finish(7);
        assert_eq!((seen.len(), seen.bytes), (1, size_of(b"early")));
        assert!(seen.insert(7, b"k"));
    }

    #[test]
    fn finished_segments_make_room() {
        let mut seen = Seen::default();
        for segment in 0..10 {
            assert!(seen.insert(segment, &alloc::vec![0; 20 << 20]));
            seen.finish(segment);
        }
        assert!(seen.is_complete());
        (0..4).for_each(|number| assert!(seen.insert(ANY_SEGMENT, &alloc::vec![number; 20 << 20])));
        assert_eq!((seen.is_complete(), seen.len()), (false, 0));
    }
}
