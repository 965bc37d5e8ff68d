//! The yardstick: what the servers count, and not what the client says.
//!
//! A server counts an operation once, where it came in from a client, and there by what that member is to the key:
//! primary owner, backup owner, or none. (Tried with 16.0.7: a GET and a PUT sent on purpose to each of three members.)
//! So the sum over all members is the number of operations that clients have sent, and the share of the primary owners
//! in it is the share of direct hits.

use infinispan_harness::Hits;

/// The share of operations that came to the primary owner of their key.
pub fn direct_share(hits: Hits) -> f64 {
    hits.primary as f64 / total(hits).max(1) as f64
}

/// All operations that have been counted.
pub fn total(hits: Hits) -> u64 {
    hits.primary + hits.backup + hits.none
}
