//! What can go wrong.

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
    /// The connection URI is wrong.
    #[error("connection URI: {0}")]
    Uri(#[from] UriError),
    /// A file that the URI or the settings name can't be used.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The settings can't be used together.
    #[error("{0}")]
    Settings(String),
    /// No server could be reached, or none accepted the session.
    #[error(transparent)]
    Start(StartError),
    /// A [`Session`](crate::Session) was not established: the server refused it, or is no Hot Rod server.
    #[error("{server}: {reason}")]
    Handshake {
        /// The server.
        server: String,
        /// Why.
        reason: Arc<Disconnect>,
    },
    /// The client did not accept the operation; nothing of it has been sent.
    #[error(transparent)]
    NotAccepted(#[from] cluster::SubmitError),
    /// The session did not accept the operation; nothing of it has been sent.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The operation failed on a server.
    #[error("{server}: {error}{}", if *attempts > 1 { format!(" (attempt {attempts})") } else { String::new() })]
    Operation {
        /// The server that it was sent to last.
        server: Arc<str>,
        /// How it failed.
        error: OperationError,
        /// How often it reached a server.
        attempts: u8,
    },
    /// The operation failed, and that was not one server's doing.
    #[error("{error}{}", last.as_ref().map_or_else(String::new, |last| format!(" (the last one tried was {last})")))]
    Cluster {
        /// The server that was tried last, if any.
        last: Option<Arc<str>>,
        /// How it failed.
        error: ClusterError,
    },
    /// The server's answer is no error on the wire and one to you: there is no such counter, or its bound is reached.
    #[error("{server}: {operation}: {refusal}")]
    Refusal {
        /// The server.
        server: String,
        /// The operation.
        operation: hotrod_core::wire::Operation,
        /// Why.
        refusal: Refusal,
    },
    /// The server answered with something that this operation does not have for an answer.
    #[error("unexpected answer to {operation}")]
    UnexpectedAnswer {
        /// The operation.
        operation: hotrod_core::wire::Operation,
    },
}

impl Error {
    /// Whether the operation may have been executed all the same.
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
