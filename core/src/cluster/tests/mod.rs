//! A machine and whatever a test puts at the other end of its links.

mod carriages;
mod fates;
mod stopping;
mod waits;
mod world;
