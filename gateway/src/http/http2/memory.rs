//! Memory of a link: flow control before and after authentication, and the count of what the link holds.

use hotrod_core::http2::{self, ErrorCode};

use super::Server;
use crate::budget::{LinkBudget, SESSION_COVERED, SHED_AFTER};
use crate::http::session::Session;

/// Upper bound on fragments that a link has received and not forwarded, in bytes; less if the link's budget is smaller.
const CREDIT: usize = 16 << 20;
/// The same before authentication. A quarter of it holds the longest AUTH.
const EARLY_CREDIT: usize = 256 << 10;
/// Divisor of the credit that gives the upper bound on queued requests: the request that is being forwarded always gets
/// further credit (spec, "Credit").
const QUEUE_SHARE: usize = 4;
/// Connection window before authentication: the smallest that HTTP/2 has (RFC 9113, 6.9.2).
const EARLY_WINDOW: u32 = 65_535;

/// Flow control of a link: upper bounds on received bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceiveLimits {
    /// Connection window, in bytes of DATA of all tunnels.
    pub(super) window: u32,
    /// Credit of the connection, in bytes of fragments of all calls.
    pub(super) credit: usize,
    /// Upper bound on the credit of one call, in bytes.
    pub(super) call: u32,
}

impl ReceiveLimits {
    pub(super) const BEFORE_AUTHENTICATION: Self = Self { window: EARLY_WINDOW, credit: EARLY_CREDIT, call: 0 };

    pub(super) fn after_authentication(budget: &LinkBudget, tunnels: usize) -> Self {
        let window = http2::Config::default().connection_window;
        let credit = CREDIT.min(budget.limit());
        // Leaves credit to other sessions even when each session has a request that its member does not receive.
        let call = (credit - credit / QUEUE_SHARE) / tunnels.max(1);
        Self { window, credit, call: u32::try_from(call).unwrap_or(u32::MAX) }
    }

    /// Upper bound on the bytes of queued requests of all sessions.
    pub(super) fn max_queued(self) -> usize {
        self.credit / QUEUE_SHARE
    }
}

impl Server<'_> {
    /// Closes the link to free memory if it holds bytes and none can be written.
    pub(super) fn shed_if_stuck(&mut self) {
        if self.is_starved && !self.held.is_empty() && self.moved_at.elapsed() > SHED_AFTER {
            self.end_at_once("takes nothing of what is held while memory is used up (max-memory)".into());
        }
    }

    /// Closes the link without waiting for its client: it holds too much.
    fn end_at_once(&mut self, reason: String) {
        self.machine.close(ErrorCode::ENHANCE_YOUR_CALM, b"memory");
        self.end_reason.get_or_insert(reason);
        self.ends_at_once = true;
    }

    fn is_authenticated(&self) -> bool {
        !self.shared.wants_authentication() || self.sessions.values().any(Session::is_authenticated)
    }

    /// Counts the memory of the link, and raises the receive limits after authentication.
    pub(super) fn update_memory(&mut self) {
        if !self.budget.is_admitted() && self.is_authenticated() {
            self.budget.admit();
        }
        if self.budget.is_admitted() && !self.is_grown {
            self.is_grown = true;
            self.receive_limits = ReceiveLimits::after_authentication(self.budget, self.shared.config.limits.tunnels);
            let ReceiveLimits { window, credit, call } = self.receive_limits;
            self.machine.grow(window, credit as u32, call);
        }
        let machine = &self.machine;
        let sessions = self.sessions.values_mut();
        let sessions: usize = sessions.map(|session| session.memory(machine).saturating_sub(SESSION_COVERED)).sum();
        self.held.set(machine.memory() + sessions);
        if let Some(why) = self.budget.overdrawn() {
            self.end_at_once(why.to_string());
        }
    }
}
