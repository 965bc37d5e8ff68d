//! The members of a cluster.

use std::collections::BTreeMap;

use hotrod_core::wire;

/// A member, for as long as the cluster exists: a number is not given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

/// How a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MemberState {
    /// It serves.
    #[default]
    Running,
    /// It answers every request with ILLEGAL_LIFECYCLE_STATE, as one that starts or stops.
    Stopping,
    /// It is gone and the others have not noticed yet: it still stands in the view, nobody can connect to it, and
    /// what needs it is answered with NODE_SUSPECTED.
    Crashed,
}

/// A member and where clients find it.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) address: wire::Member,
    pub(crate) state: MemberState,
}

/// The members in the view, in the order in which they joined.
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

    /// Whether it can take part in an operation.
    pub(crate) fn is_alive(&self, id: MemberId) -> bool {
        self.state(id).is_some_and(|state| state != MemberState::Crashed)
    }
}
