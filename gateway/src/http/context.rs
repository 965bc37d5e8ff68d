//! Where a link is: whose it is, what it may still have, and what tunnel it is in.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::endpoint::Meant;
use crate::budget::LinkBudget;
use crate::connection::Surplus;
use crate::gateway::Shared;
use crate::sources::Source;

/// Where a link is. Links in its tunnels share what it may have.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) source: &'a Source,
    /// What the client's connection may hold.
    pub(super) budget: &'a LinkBudget,
    /// Why everything is refused, if it is.
    pub(super) surplus: Option<Surplus>,
    /// Inside a tunnel, which asked for that member; there is no further tunnel in it.
    pub(super) inside: Option<Meant>,
    /// Sessions that the client's connection may still have: `max-tunnels` of them, the tunnels of inner links included.
    tunnels: Arc<Semaphore>,
}

impl<'a> Place<'a> {
    /// Of a client's connection.
    pub(super) fn new(
        shared: &Shared,
        (source, budget): (&'a Source, &'a LinkBudget),
        surplus: Option<Surplus>,
    ) -> Self {
        let tunnels = shared.config.limits.tunnels.min(Semaphore::MAX_PERMITS);
        Self { source, budget, surplus, inside: None, tunnels: Arc::new(Semaphore::new(tunnels)) }
    }

    /// Within a tunnel of this link, which asked for that member.
    pub(super) fn within(&self, meant: Meant) -> Self {
        Self { inside: Some(meant), ..self.clone() }
    }

    /// Who its sessions count for.
    pub(super) fn owner(&self) -> (&'a Source, &'a LinkBudget) {
        (self.source, self.budget)
    }

    /// Counts a session; `None` if the connection has as many as it may have.
    pub(super) fn session(&self) -> Option<OwnedSemaphorePermit> {
        self.tunnels.clone().try_acquire_owned().ok()
    }
}
