//! What can go wrong.

use std::io;
use std::sync::Arc;

use hotrod_core::session::{Disconnect, OperationError, SubmitError};
use hotrod_core::uri::UriError;

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
    /// No server could be reached; one line for each that was tried.
    #[error("no server could be reached: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unreachable(Arc<[DialError]>),
    /// The link was established and the session was not: the server refused it, or is no Hot Rod server.
    #[error("{server}: {reason}")]
    Handshake {
        /// The server.
        server: String,
        /// Why.
        reason: Arc<Disconnect>,
    },
    /// The operation was not accepted; nothing of it has been sent.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The operation failed.
    #[error("{server}: {error}")]
    Operation {
        /// The server that it was sent to.
        server: Arc<str>,
        /// How it failed.
        error: OperationError,
    },
    /// The server answered with something that this operation does not have for an answer.
    #[error("{server}: unexpected answer to {operation}")]
    UnexpectedAnswer {
        /// The server.
        server: Arc<str>,
        /// The operation.
        operation: hotrod_core::wire::Operation,
    },
}

/// Why one server could not be reached.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{server}: {problem}")]
pub struct DialError {
    /// The server.
    pub server: String,
    /// What happened.
    pub problem: String,
}

impl DialError {
    pub(crate) fn new(server: impl Into<String>, error: &io::Error) -> Self {
        Self { server: server.into(), problem: error.to_string() }
    }
}
