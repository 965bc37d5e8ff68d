//! The retry rule: when an operation is sent again, and what its caller learns otherwise.

use crate::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE};
use crate::cluster::config::Config;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::OperationId;
use crate::cluster::operations::table::Operation;
use crate::cluster::output::ClusterError;
use crate::session::{Applied, Disconnect, OperationError};
use crate::wire::{Effect, Flags};

impl Cluster {
    /// An attempt has failed: another where that is safe, or the honest answer. With another member, unless this one
    /// `has_moved` to another endpoint.
    pub(in crate::cluster) fn handle_failure(
        &mut self,
        id: OperationId,
        member: MemberId,
        error: OperationError,
        has_moved: bool,
    ) {
        let closing = self.is_closing();
        let Config { max_retries, repeat_writes, .. } = self.config;
        let now = self.now;
        let Some(operation) = self.operations.get_mut(id) else { return };
        let is_first = operation.attempts <= 1;
        if error.was_not_applied() {
            operation.attempts = operation.attempts.saturating_sub(1);
        }
        let attempts = operation.attempts;
        if !closing
            && attempts <= max_retries
            && now < operation.deadline
            && may_be_sent_again(operation, &error, repeat_writes)
        {
            operation.avoid = (!has_moved).then_some(member);
            self.counters.retries += 1;
            return self.redispatch(id);
        }
        // What an earlier attempt may have done counts as well.
        let error = if is_first { error } else { unknown_of(error) };
        self.complete(id, Some(member), Err(ClusterError::Operation { error, attempts }));
    }
}

impl Operation {
    /// Whether executing it twice equals once, its answer included; of writes, if that is to be supposed.
    pub(in crate::cluster) fn may_be_repeated(&self, repeat_writes: bool) -> bool {
        match self.request.operation().row().effect {
            Effect::Reads => true,
            Effect::Overwrites => repeat_writes && !self.options.flags.contains(Flags::FORCE_RETURN_VALUE),
            Effect::Changes => false,
        }
    }

    /// Whether an attempt may have been executed.
    pub(in crate::cluster) fn applied(&self) -> Applied {
        if self.attempts == 0 { Applied::No } else { Applied::Unknown }
    }
}

/// Whether an operation that failed so may be sent again.
fn may_be_sent_again(operation: &Operation, error: &OperationError, repeat_writes: bool) -> bool {
    match error {
        // Infinispan's own client repeats any operation then. But a member that was lost or stopped on the way may have
        // done it before, and a condition that was met by the first attempt fails the second.
        OperationError::Server { status, .. } => status.is_retryable() && operation.may_be_repeated(repeat_writes),
        OperationError::Disconnected { reason, .. } if is_refusal(reason) => false,
        // Its deadline is that of all attempts; and what is too large, or unknown, would be as large again.
        OperationError::TimedOut { .. }
        | OperationError::GivenUp { code: HOT_ROD_TOO_LARGE | HOT_ROD_MESSAGE_ERROR, .. } => false,
        OperationError::Disconnected { applied, .. } | OperationError::GivenUp { applied, .. } => {
            *applied == Applied::No || operation.may_be_repeated(repeat_writes)
        }
    }
}

/// Whether another attempt would end the same: the servers do not want this client.
pub(in crate::cluster) fn is_refusal(reason: &Disconnect) -> bool {
    matches!(reason, Disconnect::AuthenticationFailed { .. } | Disconnect::Sasl(_) | Disconnect::VersionRefused { .. })
}

/// The same error of an operation that an earlier attempt may have executed.
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
