//! From a key to the member that owns it: key → hash → segment.
//!
//! A cluster spreads keys by the hash of their bytes over a fixed number of segments, and tells clients in a
//! [`Topology`](crate::wire::Topology) which members own each segment, the primary owner first. Both sides must find
//! the same segment for the same bytes: the key in its *storage* form, which is the cache's and not the request's.

mod bloom;
mod hash;
mod segments;

pub use bloom::BloomFilter;
pub use hash::{key_hash, murmur3};
pub use segments::{segment_of, segment_size};
