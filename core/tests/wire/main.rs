//! The Hot Rod grammar in both roles, in the protocol's terms.
//!
//! "Gotcha 10" and the like are mistakes of other clients, numbered in spec/gotchas.md (spec/vectors/README.md
//! describes how the golden vectors are recorded from a real server).

#![allow(unreachable_pub)]

mod chunks;
mod columns;
mod counters;
mod decode;
mod expirations;
mod hand;
mod hostile;
mod iterations;
mod limits;
mod listeners;
mod malformed;
mod meaning;
mod ping;
mod previous_values;
mod readings;
mod round_trips;
mod scanning;
mod scans;
mod statuses;
mod strategies;
mod streams;
mod topologies;
mod transactions;
mod vectors;
mod volumes;
