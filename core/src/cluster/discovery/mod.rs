//! Discovery: where members are reached, and which member answers where they can't be addressed.

pub(super) mod access;
pub(super) mod balancing;
pub(super) mod cookies;
pub(super) mod coverage;
pub(super) mod host_template;
pub(super) mod identity;
pub(super) mod member_hosts;
mod path;
pub(super) mod permitted;
pub(super) mod probe_cache;
pub(super) mod search;
