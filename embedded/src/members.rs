//! The members of a cluster.

use std::collections::BTreeMap;

use hotrod_core::wire;

/// Identity of a member. A cluster uses no number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

/// State of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MemberState {
    /// Serves clients.
    #[default]
    Running,
    /// Answers each request with ILLEGAL_LIFECYCLE_STATE, as a server does while it starts or stops.
    Stopping,
    /// Crashed and not yet excluded: the view still names it, no client can connect to it, and operations that need it are
    /// answered with NODE_SUSPECTED.
    Crashed,
}

/// A member's address, as topologies name it, and state.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) address: wire::Member,
    pub(crate) state: MemberState,
}

/// The members of the view, in the order in which they joined.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) all: BTreeMap<MemberId, Member>,
    next: u32,
}

impl Members {
    pub(crate) fn add(&mut self, address: wire::Member) -> MemberId {
        let id = MemberId(self.next);
        self.next += 1;
        self.all.insert(id, Member { address, state: MemberState::Running });
        id
    }

    pub(crate) fn ids(&self) -> Vec<MemberId> {
        self.all.keys().copied().collect()
    }

    pub(crate) fn state(&self, id: MemberId) -> Option<MemberState> {
        self.all.get(&id).map(|member| member.state)
    }

    /// Returns whether a member can take part in an operation.
    pub(crate) fn is_alive(&self, id: MemberId) -> bool {
        self.state(id).is_some_and(|state| state != MemberState::Crashed)
    }
}
