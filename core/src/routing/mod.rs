//! Computes the segment of a key, from which its owner follows.
//!
//! A cluster distributes keys over a fixed number of segments by the hash of their bytes, and sends the owners of each
//! segment to clients in a [`Topology`](crate::wire::Topology), the primary owner first. Client and server must
//! compute the same segment from the same bytes: the key in its *stored* form, which is the cache's and not the
//! request's.
//!
//! ```
//! use hotrod_core::routing::{BloomFilter, segment_of};
//! use hotrod_core::wire::SegmentOwners;
//!
//! // A topology with two members; the first owns segments 0 to 127, the second the others.
//! let members = ["10.0.0.1:11222", "10.0.0.2:11222"];
//! let owners: SegmentOwners = (0..256).map(|segment| if segment < 128 { &[0, 1][..] } else { &[1, 0][..] }).collect();
//!
//! let segment = segment_of(b"hello", owners.len() as u32);
//! assert_eq!(segment, 199);
//! assert_eq!(members[usize::from(owners.of(segment as usize)[0])], "10.0.0.2:11222");
//!
//! // The filter of a near cache that holds one key; the server sends events of that key only.
//! let mut filter = BloomFilter::new(1 << 10);
//! filter.add(b"hello");
//! assert!(filter.may_contain(b"hello") && !filter.may_contain(b"world"));
//! ```

mod bloom;
mod hash;
mod segments;

pub use bloom::BloomFilter;
pub use hash::{key_hash, murmur3};
pub use segments::{segment_of, segment_size};
