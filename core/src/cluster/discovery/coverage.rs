//! How many members are reached directly, and why not all.

use alloc::string::{String, ToString};
use alloc::sync::Arc;

use super::Discovery;
use crate::cluster::members::{MemberId, Members};
use crate::cluster::output::Event;
use crate::session::Disconnect;

/// Members that are reached directly; operations on keys of the others are forwarded by the servers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    /// Members with a session that is ready.
    pub covered: usize,
    /// Members of the newest topology; 0 before the first.
    pub members: usize,
    /// Why not all members are covered; `None` if they are.
    pub reason: Option<Uncovered>,
}

/// Why a member is not reached directly.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Uncovered {
    /// Sessions are being established, or members searched for.
    #[error("on the way")]
    OnTheWay,
    /// The balancer leads all connections of this client to the same member.
    #[error("the balancer led {tries} connections in a row to the same member: it goes by the client's address")]
    OneMember {
        /// The number of those connections.
        tries: u32,
    },
    /// All connections of this client have led to the member at whose own address they were opened.
    #[error(
        "{tries} connections in a row led to the member whose own address the URI names: behind it is no balancer; name the balancer, or use access=direct"
    )]
    OwnAddress {
        /// The number of those connections.
        tries: u32,
    },
    /// A round has not found every member.
    #[error("{tries} connections did not lead to every member; there will be more tries")]
    NotFound {
        /// The number of connections of the round.
        tries: u32,
    },
    /// Servers do not state who they are.
    #[error("members can't be told apart: {0}")]
    NotTold(String),
    /// A member could not be reached.
    #[error("{0}")]
    Unreachable(Arc<Disconnect>),
}

impl Discovery {
    /// Why `uncovered` members, of those of the newest topology, are not reached directly.
    pub(in crate::cluster) fn why_uncovered(
        &self,
        mut uncovered: impl Iterator<Item = MemberId>,
        members: &Members,
    ) -> Uncovered {
        if let Some(reason) = self.search_outcome() {
            return reason.clone();
        }
        if self.path.is_searched() {
            // A member that has failed is searched for like any other.
            return Uncovered::OnTheWay;
        }
        let failure = uncovered.find_map(|member| members.get(member)?.failure.clone());
        failure.map_or(Uncovered::OnTheWay, Uncovered::Unreachable)
    }

    /// The event for the present coverage; `None` if it has been reported, or where members are simply dialled.
    pub(in crate::cluster) fn coverage_event(&mut self, coverage: Coverage) -> Option<Event> {
        let Coverage { covered, members, reason } = coverage;
        let reason = reason.map(|reason| reason.to_string()).unwrap_or_default();
        let present = (covered, members, reason);
        if self.reported_coverage == present {
            return None;
        }
        self.reported_coverage.clone_from(&present);
        let (covered, members, reason) = present;
        Some(Event::Coverage { covered, members, reason })
    }
}
