//! Errors.

use std::sync::Arc;

use hotrod_core::cluster::{self, ClusterError, StartError};
use hotrod_core::session::{Applied, Disconnect, OperationError, SubmitError};
use hotrod_core::uri::UriError;
use hotrod_core::vocabulary::Refusal;
use hotrod_core::wire::Member;

/// Why an operation, or a connection, failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection URI is invalid.
    #[error("connection URI: {0}")]
    Uri(#[from] UriError),
    /// A file that the URI or the settings name can't be used.
    #[error("{property}={path}: {problem}")]
    File {
        /// The URI property that names the file.
        property: &'static str,
        /// The file.
        path: String,
        /// Why it can't be used.
        problem: String,
    },
    /// The settings can't be used together.
    #[error("{0}")]
    Settings(String),
    /// No server could be reached, or no server accepted the session.
    #[error(transparent)]
    Start(StartError),
    /// A [`Session`](crate::Session) was not established: the server refused it, or does not speak Hot Rod.
    #[error("{server}: {reason}")]
    Handshake {
        /// The server.
        server: String,
        /// Why.
        reason: Arc<Disconnect>,
    },
    /// The client refused the operation; no byte of it was sent.
    #[error(transparent)]
    NotAccepted(#[from] cluster::SubmitError),
    /// The session refused the operation; no byte of it was sent.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The operation failed on a server.
    #[error("{server}: {error}{}", if *attempts > 1 { format!(" (attempt {attempts})") } else { String::new() })]
    Operation {
        /// The server to which it was sent last.
        server: Arc<str>,
        /// The cause.
        error: OperationError,
        /// Number of attempts that reached a server.
        attempts: u8,
    },
    /// The operation failed for a reason that concerns no single server.
    #[error("{error}{}", last.as_ref().filter(|_| !error.names_servers()).map_or_else(String::new, |last| format!(" (the last one tried was {last})")))]
    Cluster {
        /// The server that was tried last, if any.
        last: Option<Arc<str>>,
        /// The cause.
        error: ClusterError,
    },
    /// The server's response has no error status but means failure: the counter does not exist, or its bound is
    /// reached.
    #[error("{server}: {operation}: {refusal}")]
    Refusal {
        /// The server.
        server: String,
        /// The operation.
        operation: hotrod_core::wire::Operation,
        /// Why.
        refusal: Refusal,
    },
    /// The server sent a response that this operation does not have.
    #[error("unexpected answer to {operation}")]
    UnexpectedAnswer {
        /// The operation.
        operation: hotrod_core::wire::Operation,
    },
}

impl Error {
    /// Returns whether the operation may have been executed.
    pub fn applied(&self) -> Applied {
        match self {
            Self::Operation { error, attempts, .. } => {
                ClusterError::Operation { error: error.clone(), attempts: *attempts }.applied()
            }
            Self::Cluster { error, .. } => error.applied(),
            Self::UnexpectedAnswer { .. } | Self::Refusal { refusal: Refusal::UnexpectedAnswer, .. } => {
                Applied::Unknown
            }
            _ => Applied::No,
        }
    }

    pub(crate) fn of_cluster(member: Option<&Member>, error: ClusterError) -> Self {
        match (member, error) {
            (Some(member), ClusterError::Operation { error, attempts }) => {
                Self::Operation { server: member.to_string().into(), error, attempts }
            }
            (_, ClusterError::Refused { error, .. }) => Self::Submit(error),
            (last, error) => Self::Cluster { last: last.map(|last| last.to_string().into()), error },
        }
    }

    pub(crate) fn closed() -> Self {
        Self::NotAccepted(cluster::SubmitError::Closed)
    }
}
