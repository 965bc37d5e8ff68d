//! A machine and whatever a test puts at the other end of its links.

mod access;
mod backoffs;
mod carriages;
mod derivation;
mod drains;
mod fates;
mod iterations;
mod listened;
mod listeners;
mod lost_caches;
mod near_caches;
mod outside;
mod owner_wait;
mod path_errors;
mod promises;
mod refusals;
mod silence;
mod sites;
mod starts;
mod stopping;
mod stored_forms;
mod suspects;
mod waits;
mod world;
