//! How many members are reached directly, and why not all.

use alloc::string::{String, ToString};
use alloc::sync::Arc;

use crate::cluster::machine::Cluster;
use crate::cluster::output::{Event, Output};
use crate::session::Disconnect;

/// Members that are reached directly; operations on keys of the others are forwarded by the servers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    /// Members with a session that is ready.
    pub covered: usize,
    /// Members of the newest topology; 0 before the first.
    pub members: usize,
    /// Why they are not the same; `None` if they are.
    pub reason: Option<Uncovered>,
}

/// Why a member is not reached directly.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Uncovered {
    /// Sessions are being established, or members looked for.
    #[error("on the way")]
    OnTheWay,
    /// The balancer leads all connections of this client to the same member.
    #[error("the balancer led {tries} connections in a row to the same member: it goes by the client's address")]
    OneMember {
        /// How many it led there.
        tries: u32,
    },
    /// Not every member was found in a round.
    #[error("{tries} connections did not lead to every member; there will be more tries")]
    NotFound {
        /// How many there were.
        tries: u32,
    },
    /// Nobody says who answers.
    #[error("members can't be told apart: {0}")]
    NotTold(String),
    /// A member could not be reached.
    #[error("{0}")]
    Unreachable(Arc<Disconnect>),
}

impl Cluster {
    /// How many members are reached directly, and why not all.
    pub fn coverage(&self) -> Coverage {
        let members = self.current.len();
        let covered = self.current.iter().filter(|member| self.has_ready_session(**member)).count();
        let reason = (covered < members).then(|| self.why_uncovered());
        Coverage { covered, members, reason }
    }

    fn why_uncovered(&self) -> Uncovered {
        if let Some(reason) = &self.search.gave_up {
            return reason.clone();
        }
        if self.config.access.path.is_searched() {
            // Whatever has become of a member: it is looked for.
            return Uncovered::OnTheWay;
        }
        let uncovered = self.current.iter().filter(|member| !self.has_ready_session(**member));
        let mut failures = uncovered.filter_map(|member| self.members.get(*member)?.failure.clone());
        failures.next().map_or(Uncovered::OnTheWay, Uncovered::Unreachable)
    }

    /// Tells when something has changed, where members are not simply dialled.
    pub(in crate::cluster) fn note_coverage(&mut self) {
        if !self.tells_coverage || self.is_closing() {
            return;
        }
        let Coverage { covered, members, reason } = self.coverage();
        let reason = reason.map(|reason| reason.to_string()).unwrap_or_default();
        let now = (covered, members, reason);
        if self.told_coverage != now {
            self.told_coverage.clone_from(&now);
            let (covered, members, reason) = now;
            self.outputs.push_back(Output::Event(Event::Coverage { covered, members, reason }));
        }
    }
}
