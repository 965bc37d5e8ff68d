//! What an error says of an operation's outcome.

use hotrod_core::cluster::ClusterError;
use hotrod_core::session::{Applied, OperationError};

/// What became of an operation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was not executed, and never will be.
    NotApplied,
    /// It was executed or not, and every session that it went by is gone.
    Unknown,
    /// It was executed or not, or will be: the link is still there.
    MayStillCome,
}

/// What the error says. Errors that no fault explains are themselves wrong.
pub fn fate_of(error: &ClusterError) -> Result<Fate, String> {
    let of = |applied: Applied| if applied == Applied::No { Fate::NotApplied } else { Fate::Unknown };
    match error {
        ClusterError::Operation { error: OperationError::Disconnected { applied, .. }, .. }
        | ClusterError::Closed { applied, .. }
        | ClusterError::RequestTooLarge { applied, .. }
        | ClusterError::Unreachable { applied, .. } => Ok(of(*applied)),
        ClusterError::LostWhileSending(lost) => Ok(of(lost.applied)),
        ClusterError::Operation { error: OperationError::TimedOut { applied, .. }, .. } => match applied {
            Applied::No => Ok(Fate::NotApplied),
            Applied::Unknown => Ok(Fate::MayStillCome),
        },
        ClusterError::Operation { error: OperationError::Server { status, .. }, .. } if status.is_retryable() => {
            Ok(Fate::Unknown)
        }
        other => Err(format!("unexpected: {other}")),
    }
}
