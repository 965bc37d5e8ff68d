//! The Hot Rod grammar, both roles: what must hold in the words of the protocol.
//!
//! "Gotcha 10" and the like are mistakes seen in other clients, numbered in spec/gotchas.md (spec/vectors/README.md tells
//! how the golden vectors are made, which say what a real server does).

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
