//! The context of a link: its source, its limits, and the tunnel around it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::endpoint::RequestedMember;
use crate::budget::LinkBudget;
use crate::connection::ConnectionLimit;
use crate::gateway::Shared;
use crate::sources::Source;

/// The context of a link. Links in its tunnels share its limits.
#[derive(Clone)]
pub(super) struct LinkContext<'a> {
    pub(super) source: &'a Source,
    /// Memory budget of the client's connection.
    pub(super) budget: &'a LinkBudget,
    /// Limit that the connection exceeds: every session is refused.
    pub(super) over_limit: Option<ConnectionLimit>,
    /// The member requested for the tunnel around an inner link, which carries no further tunnel.
    pub(super) inside: Option<RequestedMember>,
    /// Permits for sessions of the client's connection: `max-tunnels`, those of inner links included.
    tunnels: Arc<Semaphore>,
}

impl<'a> LinkContext<'a> {
    /// Context of a client's connection.
    pub(super) fn new(
        shared: &Shared,
        (source, budget): (&'a Source, &'a LinkBudget),
        over_limit: Option<ConnectionLimit>,
    ) -> Self {
        let tunnels = shared.config.limits.tunnels.min(Semaphore::MAX_PERMITS);
        Self { source, budget, over_limit, inside: None, tunnels: Arc::new(Semaphore::new(tunnels)) }
    }

    /// Context of a link within a tunnel for which `requested` was requested.
    pub(super) fn within(&self, requested: RequestedMember) -> Self {
        Self { inside: Some(requested), ..self.clone() }
    }

    /// Source and budget for which sessions count.
    pub(super) fn owner(&self) -> (&'a Source, &'a LinkBudget) {
        (self.source, self.budget)
    }

    /// Counts a session; `None` at the limit.
    pub(super) fn session(&self) -> Option<OwnedSemaphorePermit> {
        self.tunnels.clone().try_acquire_owned().ok()
    }
}
