//! The cluster machine and the embedded cluster in one process: no sockets, no threads, time and chance from a seed.
//!
//! A run is repeated exactly by its seed. [`world::World`] joins clients and servers by a [`network`] that delays,
//! splits, stalls and cuts; [`faults`] are what happens to the servers and the network meanwhile. Two applications
//! check every answer: [`load`] has one writer for each key and knows exactly what can be there; in [`shared`] all
//! clients use the same keys, and a checker searches for an order that explains each [`history`].

#![allow(clippy::missing_panics_doc)] // a panic here is a failed test

pub mod applied;
mod asking;
pub mod carried;
pub mod faults;
pub mod history;
pub mod host;
mod invariants;
mod links;
mod listening;
pub mod load;
pub mod network;
pub mod poison;
pub mod remade;
mod run;
pub mod shared;
pub mod tally;
pub mod trace;
pub mod value;
pub mod world;
pub mod world_faults;

pub use run::{LOADED, Summary, run, run_aloud};
