//! Maps keys to segments.

use super::hash::key_hash;

/// Number of hashes per segment: 2³¹ divided by `segments`, rounded up.
///
/// 0 segments count as 1. (`HashFunctionPartitioner` of the server, `SegmentConsistentHash` of its client.)
pub fn segment_size(segments: u32) -> u32 {
    (1u32 << 31).div_ceil(segments.max(1))
}

/// Segment of `key` (in its stored form); always below `segments`, or 0 for 0 segments.
///
/// Segments are ranges of hashes, not remainders. If the number does not divide 2³¹, the last range is shorter.
pub fn segment_of(key: &[u8], segments: u32) -> u32 {
    let hash = key_hash(key) as u32 & 0x7fff_ffff;
    hash / segment_size(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Largest hash.
    const LARGEST: u32 = 0x7fff_ffff;

    fn last_segment(segments: u32) -> u32 {
        LARGEST / segment_size(segments)
    }

    /// Gotcha 1: a client that uses the remainder gets 232.
    #[test]
    fn hello_is_in_segment_199_of_256() {
        assert_eq!(segment_of(b"hello", 256), 199);
    }

    #[test]
    fn one_segment_holds_every_key() {
        assert_eq!(segment_size(1), 1 << 31);
        assert_eq!(last_segment(1), 0);
        assert_eq!(segment_of(b"hello", 1), 0);
    }

    /// Gotcha 3: a segment size rounded down gives an index one past the last segment.
    #[test]
    fn three_segments_do_not_become_four() {
        assert_eq!(segment_size(3), 715_827_883);
        assert_eq!(last_segment(3), 2);
    }

    #[test]
    fn twenty_segments_do_not_become_twenty_one() {
        assert_eq!(segment_size(20), 107_374_183);
        assert_eq!(last_segment(20), 19);
    }

    #[test]
    fn sixty_segments_do_not_become_sixty_one() {
        assert_eq!(segment_size(60), 35_791_395);
        assert_eq!(last_segment(60), 59);
    }

    #[test]
    fn two_hundred_and_fifty_six_segments_divide_evenly() {
        assert_eq!(segment_size(256), 1 << 23);
        assert_eq!(last_segment(256), 255);
    }

    #[test]
    fn two_hundred_and_fifty_seven_segments_do_not_become_258() {
        assert_eq!(segment_size(257), 8_355_968);
        assert_eq!(last_segment(257), 256);
    }

    #[test]
    fn no_segments_are_no_reason_to_panic() {
        assert_eq!(segment_of(b"hello", 0), 0);
    }

    proptest! {
        #[test]
        fn a_segment_is_below_their_number(key in prop::collection::vec(any::<u8>(), 0..40), segments in 1u32..=1 << 20) {
            prop_assert!(segment_of(&key, segments) < segments);
        }
    }
}
