//! Transport: links, the sessions that they carry, and how each link carries them.

pub(super) mod binding;
pub(super) mod carriages;
pub(super) mod conversation;
pub(super) mod dial;
pub(super) mod endpoints;
pub(super) mod http2;
pub(super) mod large_values;
pub(super) mod link;
pub(super) mod links;
pub(super) mod session_end;
pub(super) mod sessions;
pub(super) mod timers;
