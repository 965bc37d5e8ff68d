//! Features that consist of several operations: listeners, near caches, iterations.

pub(super) mod iteration;
pub(super) mod listener;
pub(super) mod listener_check;
pub(super) mod listener_queue;
pub(super) mod listeners;
pub(super) mod near_cache;
mod seen;
pub(super) mod segments;
pub(super) mod server_clock;
