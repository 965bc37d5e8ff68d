//! Suspects: operations that may be the cause of a session's loss. A server cuts the connection at a request that it can't
//! read, or that is larger than it takes, and with it everything else in flight there. So a suspect is repeated alone, in a
//! session on a link of its own (see [`Isolation`](crate::cluster::transport::isolation::Isolation)).
//!
//! An operation is suspicious by its size, or because it was in flight at two losses. An innocent one is cleared by its
//! answer; and by the answer to a request as large, whose size then is none for a loss.

use core::time::Duration;

use crate::carriage::LinkEnd;
use crate::carriage::registry::HOT_ROD_UPSTREAM_GONE;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::{OperationId, Owner, Target};
use crate::cluster::operations::retry::is_refusal;
use crate::cluster::operations::table::Operation;
use crate::cluster::output::{ClusterError, LostRequest, SizeLimit};
use crate::cluster::transport::isolation::Company;
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::session::{Applied, Disconnect, OperationError};
use crate::time::Instant;
use crate::wire::{self, Routing};

/// Bytes of keys and values from which on a request is suspicious after one loss. Limits of servers and routers are seldom
/// below 1 MB, the default of nginx; smaller requests are sent in a moment, beside many others.
const LARGE: usize = 1_000_000;

/// Bytes of keys and values from which on a request is suspicious before any loss, until one as large was answered:
/// the default of Infinispan's `max-content-length` is 10 MB.
const USUAL_LIMIT: usize = 10_000_000;

/// Number of losses from which on a small operation is suspicious that was in flight at each, sent whole.
const SUSPICIOUS_LOSSES: u8 = 2;

/// Number of losses of an operation that was alone from which on it is not sent again: one may be a coincidence.
const MAX_LOST_ALONE: u8 = 2;

/// How long requests are refused that are as large as one that was lost alone. A server may be given another limit.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// Sizes of requests that servers have answered, and of those that have cost a session.
pub(in crate::cluster) struct RequestSizes {
    /// Size of the largest request that was answered.
    answered: usize,
    /// Size from which on a request is isolated from the beginning.
    suspicious: usize,
    /// Size from which on a request is refused, until that time.
    refused: Option<(usize, Instant)>,
}

impl Default for RequestSizes {
    fn default() -> Self {
        Self { answered: 0, suspicious: USUAL_LIMIT, refused: None }
    }
}

impl RequestSizes {
    /// Whether a request is isolated although it has cost no session yet.
    pub(in crate::cluster) fn is_suspicious(&self, bytes: usize) -> bool {
        bytes >= self.suspicious
    }

    /// Whether the size of a request may be the reason for a loss.
    pub(in crate::cluster) fn may_cost_a_session(&self, bytes: usize) -> bool {
        bytes >= LARGE && bytes > self.answered
    }

    /// Size from which on requests are refused.
    fn refused(&self, now: Instant) -> Option<usize> {
        self.refused.filter(|(_, until)| now < *until).map(|(bytes, _)| bytes)
    }

    /// A server has answered a request.
    pub(in crate::cluster) fn note_answered(&mut self, bytes: usize) {
        if bytes > self.answered && bytes >= LARGE {
            self.answered = bytes;
            self.suspicious = self.suspicious.max(bytes + 1);
            self.refused = self.refused.filter(|(refused, _)| *refused > bytes);
        }
    }

    /// A session was lost with a request in flight whose size may be the reason.
    fn note_lost(&mut self, bytes: usize) {
        self.suspicious = self.suspicious.min(bytes);
    }

    /// Sessions were lost again and again while this request was alone.
    fn note_refused(&mut self, bytes: usize, now: Instant) {
        let least = self.refused(now).map_or(bytes, |known| known.min(bytes));
        self.refused = Some((least, now + REFUSED_FOR));
    }

    /// The servers are others.
    pub(in crate::cluster) fn forget_refused(&mut self) {
        self.refused = None;
    }
}

impl Operation {
    /// Whether the operation may be repeated on a session of its own.
    fn may_be_isolated(&self) -> bool {
        matches!(self.owner, Owner::Host | Owner::Fetch { .. } | Owner::Part(_))
            && matches!(self.purpose, Purpose::Operations | Purpose::Suspects)
            && !matches!(self.target, Target::Session(_))
            && self.request.operation() != wire::Operation::Ping
    }

    /// Whether the operation is sent alone from the beginning if its size is suspicious: not if its state belongs to a session.
    pub(in crate::cluster) fn may_begin_isolated(&self) -> bool {
        self.purpose == Purpose::Operations
            && self.may_be_isolated()
            && self.request.operation().row().routing != Routing::Same
            && !matches!(self.target, Target::Only(_))
    }

    /// Counts a loss. Returns whether the size of the operation may be its reason.
    fn note_loss(&mut self, company: Company, was_sent: bool, sizes: &mut RequestSizes, now: Instant) -> bool {
        let is_large = sizes.may_cost_a_session(self.bytes);
        match company {
            Company::Alone => self.lost_alone = self.lost_alone.saturating_add(1),
            Company::Suspects => self.uncounted = self.uncounted.saturating_add(u8::from(was_sent)),
            Company::Others => self.losses = self.losses.saturating_add(u8::from(was_sent)),
        }
        if is_large {
            sizes.note_lost(self.bytes);
            if self.lost_alone >= MAX_LOST_ALONE {
                sizes.note_refused(self.bytes, now);
            }
        }
        is_large
    }
}

impl Cluster {
    /// Counts the loss of a session for an operation that was in flight there. Returns the loss, if the operation is
    /// suspicious because of it.
    pub(in crate::cluster) fn note_loss(
        &mut self,
        id: OperationId,
        session: SessionId,
        error: &OperationError,
    ) -> Option<Loss> {
        if !is_loss(error) {
            return None;
        }
        let operation = self.operations.get(id).filter(|operation| operation.may_be_isolated())?;
        // Where its only member can't be dialled there is no second session.
        let can_be_isolated = match operation.target {
            Target::Only(member) => self.members.get(member).is_some_and(|known| self.can_be_dialled(member, known)),
            _ => true,
        };
        let (now, company) = (self.now, self.transport.company_in(session));
        let (operation, sizes) = self.operations.get_with_sizes(id)?;
        let is_large = operation.note_loss(company, !error.was_not_applied(), sizes, now);
        let is_suspect = is_large || company != Company::Others || operation.losses >= SUSPICIOUS_LOSSES;
        if can_be_isolated && is_suspect {
            operation.purpose = Purpose::Suspects;
        }
        (is_large || can_be_isolated && is_suspect).then_some(Loss {
            may_be_repeated: can_be_isolated && operation.lost_alone < MAX_LOST_ALONE,
            is_blamed: is_large || company == Company::Alone,
            is_large,
        })
    }

    /// The limit that a request exceeds, by the settings or by what servers have shown.
    pub(in crate::cluster) fn exceeded_limit(&self, bytes: usize) -> Option<SizeLimit> {
        if let Some(limit) = self.config.max_request_size.filter(|limit| bytes > *limit) {
            return Some(SizeLimit::Configured(limit));
        }
        let refused = self.operations.sizes().refused(self.now);
        refused.filter(|refused| bytes >= *refused).map(SizeLimit::Observed)
    }

    /// The error of an operation that ends with the loss of a session, for which it may be the reason.
    pub(in crate::cluster) fn lost_request(
        &self,
        id: OperationId,
        member: MemberId,
        error: OperationError,
        loss: &Loss,
    ) -> ClusterError {
        let (bytes, attempts) = self.operations.get(id).map_or((0, 0), |known| (known.bytes, known.attempts));
        match error {
            OperationError::Disconnected { operation, reason, applied } if loss.is_blamed => {
                let server = self.members.get(member).map(|known| known.address.clone());
                let hints_at_limit = loss.is_large;
                let lost = LostRequest { operation, bytes, server, reason, applied, attempts, hints_at_limit };
                ClusterError::LostWhileSending(lost.into())
            }
            error => ClusterError::Operation { error, attempts },
        }
    }
}

/// A loss for which an operation may be the reason.
pub(in crate::cluster) struct Loss {
    /// Whether the operation may be sent again, alone.
    pub(in crate::cluster) may_be_repeated: bool,
    /// Whether the operation is more likely the reason than others.
    is_blamed: bool,
    /// Whether its size may be the reason.
    is_large: bool,
}

impl Loss {
    /// Whether the size of the operation may be the reason.
    pub(in crate::cluster) fn is_of_large(&self) -> bool {
        self.is_large
    }
}

/// Whether a session was cut: a request may be the reason. Silence, and an end in good order, have other reasons.
fn is_loss(error: &OperationError) -> bool {
    match error {
        OperationError::Disconnected { reason, .. } => match &**reason {
            Disconnect::Closed
            | Disconnect::Stalled { .. }
            | Disconnect::Carriage(LinkEnd::Finished | LinkEnd::Refused(_)) => false,
            reason => !is_refusal(reason),
        },
        OperationError::GivenUp { code: HOT_ROD_UPSTREAM_GONE, applied: Applied::Unknown, .. } => true,
        _ => false,
    }
}
