//! The retry rule: when an operation is sent again, and what its caller learns otherwise.

use crate::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE};
use crate::cluster::config::Config;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::{OperationId, Target};
use crate::cluster::operations::suspects::Loss;
use crate::cluster::operations::table::{Operation, Place};
use crate::cluster::output::ClusterError;
use crate::cluster::transport::open_session::SessionId;
use crate::session::{Applied, Disconnect, OperationError};
use crate::wire::{Effect, Flags};

impl Cluster {
    /// Retries an operation after a failed attempt, where that is safe, or ends it with the error. Another member is
    /// preferred, unless this one `has_moved` to another endpoint.
    pub(in crate::cluster) fn handle_failure(
        &mut self,
        id: OperationId,
        (session, member): (SessionId, MemberId),
        error: OperationError,
        has_moved: bool,
    ) {
        let closing = self.is_closing();
        let Config { max_retries, repeat_writes, min_backoff, max_backoff, .. } = self.config;
        let now = self.now;
        let Some(target) = self.operations.get(id).map(|operation| operation.target) else { return };
        let members = self.members_to_try(target);
        let loss = self.note_loss(id, session, &error);
        // A server that finds a request too large decodes the rest of it as something else, and may execute that (16.0.7).
        let may_be_misread = loss.as_ref().is_some_and(Loss::is_of_large) && self.transport.is_byte_stream(session);
        let error = if may_be_misread { unknown_of(error) } else { error };
        let Some(operation) = self.operations.get_mut(id) else { return };
        let is_first = operation.attempts <= 1;
        if error.was_not_applied() {
            operation.attempts = operation.attempts.saturating_sub(1);
        }
        // A lost session has its member in back-off; a refusal has not.
        let is_refused =
            matches!(error, OperationError::GivenUp { applied: Applied::No, .. }) || error.is_cache_starting();
        operation.refusals = operation.refusals.saturating_add(u8::from(is_refused));
        let attempts = operation.attempts;
        if !closing
            && attempts.saturating_sub(operation.uncounted) <= max_retries
            && loss.as_ref().is_none_or(|loss| loss.may_be_repeated)
            && now < operation.deadline
            && may_be_sent_again(operation, &error, repeat_writes)
        {
            let refused_by_all =
                if is_refused { (usize::from(operation.refusals) + 1).saturating_sub(members) } else { 0 };
            if refused_by_all == 0 {
                operation.avoid = (!has_moved).then_some(member);
                self.counters.retries += 1;
                return self.redispatch(id);
            }
            let back_off = self.entropy.pause(refused_by_all as u32, min_backoff, max_backoff);
            // Leaves time for the answer. A pause that is too short for another outcome ends the operation with the refusal.
            let pause = back_off.min((operation.deadline - now) / 2);
            if pause >= min_backoff / 4 {
                operation.avoid = (!has_moved && members > 1).then_some(member);
                self.counters.retries += 1;
                return self.operations.place(id, Place::Paced(now + pause));
            }
        }
        // An earlier attempt may have been applied.
        let error = if is_first { error } else { unknown_of(error) };
        let error = match loss {
            Some(loss) => self.lost_request(id, member, error, &loss),
            None => ClusterError::Operation { error, attempts },
        };
        self.complete(id, Some(member), Err(error));
    }
}

impl Cluster {
    /// The number of members that an operation is sent to before refusals without effect pace it.
    fn members_to_try(&self, target: Target) -> usize {
        let members = match target {
            Target::Only(_) | Target::Session(_) => 1,
            Target::Key | Target::Owner(_) | Target::Prefer(_) => {
                let (current, seeds) = (self.members.current().len(), self.members.seeds().len());
                if current > 0 { current } else { seeds }
            }
        };
        members.min(self.config.max_retries.into()).max(1)
    }
}

impl Operation {
    /// Whether the operation is idempotent, its answer included; `repeat_writes` assumes it of plain writes.
    pub(in crate::cluster) fn may_be_repeated(&self, repeat_writes: bool) -> bool {
        match self.request.operation().row().effect {
            Effect::Reads => true,
            Effect::Overwrites => repeat_writes && !self.cache.options().flags.contains(Flags::FORCE_RETURN_VALUE),
            Effect::Changes => false,
        }
    }

    /// Whether an attempt may have been executed.
    pub(in crate::cluster) fn applied(&self) -> Applied {
        if self.attempts == 0 { Applied::No } else { Applied::Unknown }
    }
}

/// Whether an operation may be sent again after this error.
fn may_be_sent_again(operation: &Operation, error: &OperationError, repeat_writes: bool) -> bool {
    match error {
        // Infinispan's own client repeats any operation then. But a member that was lost or stopped may have executed it
        // before, and a condition that the first attempt met fails the second.
        OperationError::Server { status, .. } => {
            error.is_cache_starting() || status.is_retryable() && operation.may_be_repeated(repeat_writes)
        }
        OperationError::Disconnected { reason, .. } if is_refusal(reason) => false,
        // Its session is gone.
        OperationError::Disconnected { .. } if matches!(operation.target, Target::Session(_)) => false,
        // The deadline is that of all attempts; a message that is too large or unknown would be refused again.
        OperationError::TimedOut { .. }
        | OperationError::GivenUp { code: HOT_ROD_TOO_LARGE | HOT_ROD_MESSAGE_ERROR, .. } => false,
        OperationError::Disconnected { applied, .. } | OperationError::GivenUp { applied, .. } => {
            *applied == Applied::No || operation.may_be_repeated(repeat_writes)
        }
    }
}

/// Whether the servers refuse this client, so that another attempt would end in the same way.
pub(in crate::cluster) fn is_refusal(reason: &Disconnect) -> bool {
    matches!(reason, Disconnect::AuthenticationFailed { .. } | Disconnect::Sasl(_) | Disconnect::VersionRefused { .. })
}

/// The same error, for an operation that an earlier attempt may have applied.
fn unknown_of(error: OperationError) -> OperationError {
    match error {
        OperationError::Disconnected { operation, reason, .. } => {
            OperationError::Disconnected { operation, reason, applied: Applied::Unknown }
        }
        OperationError::GivenUp { operation, code, .. } => {
            OperationError::GivenUp { operation, code, applied: Applied::Unknown }
        }
        other => other,
    }
}
