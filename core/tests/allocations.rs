//! Allocations of decoding and encoding: work is measured in bytes instead of time, so the results are the same
//! everywhere.

#![allow(unreachable_pub)]

#[path = "allocations/announced.rs"]
mod announced;
#[path = "allocations/counting.rs"]
mod counting;
#[path = "wire/hand.rs"]
#[allow(dead_code)] // shared with the tests of the grammar
mod hand;
#[path = "allocations/heads.rs"]
mod heads;
#[path = "allocations/hpack.rs"]
mod hpack;
#[path = "allocations/http2.rs"]
mod http2;
#[path = "allocations/linear.rs"]
mod linear;
#[path = "allocations/scanned.rs"]
mod scanned;
#[path = "allocations/steady.rs"]
mod steady;
#[path = "allocations/wiped.rs"]
mod wiped;
