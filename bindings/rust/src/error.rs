//! Errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotrod_core::cluster::{self, ClusterError, StartError};
use hotrod_core::session::{Applied, Disconnect, OperationError, SubmitError};
use hotrod_core::uri::UriError;
use hotrod_core::vocabulary::Refusal;
use hotrod_core::wire::{MediaType, Member};

use crate::codec::CodecError;

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
    /// A schema can't be registered; nothing was sent.
    #[error("schema {name:?}: {problem}")]
    SchemaFile {
        /// The schema's name, or the file.
        name: String,
        /// Why it can't be registered.
        problem: String,
    },
    /// Schemas of Protocol Buffers have errors. The servers have stored them all the same.
    #[error("schemas have errors: {}", each(errors))]
    Schemas {
        /// The server's text for each schema by its name, with line and column.
        errors: BTreeMap<String, String>,
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
    /// The cache's codec can't encode a key or a value; no byte was sent.
    #[error("{}: {source}", conversion("encode", cache, *part, *key_length, media_type))]
    Encode {
        /// Name of the cache.
        cache: Arc<str>,
        /// The key or the value.
        part: Part,
        /// Length of the encoded key in bytes; `None` for a key, and for a value without one.
        key_length: Option<usize>,
        /// Media type of keys or of values that the cache declares.
        media_type: Arc<MediaType>,
        /// The codec's error.
        source: CodecError,
    },
    /// The cache's codec can't decode a key or a value that a server sent. The operation was executed.
    #[error("{}: {source}", conversion("decode", cache, *part, *key_length, media_type))]
    Decode {
        /// Name of the cache.
        cache: Arc<str>,
        /// The key or the value.
        part: Part,
        /// Length of the encoded key in bytes; `None` for a value without one.
        key_length: Option<usize>,
        /// Media type of keys or of values that the cache declares.
        media_type: Arc<MediaType>,
        /// The codec's error.
        source: CodecError,
    },
    /// The server sent a response that this operation does not have.
    #[error("unexpected answer to {operation}")]
    UnexpectedAnswer {
        /// The operation.
        operation: hotrod_core::wire::Operation,
    },
}

/// Part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The key.
    Key,
    /// The value.
    Value,
}

fn each(errors: &BTreeMap<String, String>) -> String {
    let errors: Vec<_> = errors.iter().map(|(name, error)| format!("{name}: {error}")).collect();
    errors.join("; ")
}

/// Describes a failed conversion without content of the key or the value.
fn conversion(verb: &str, cache: &str, part: Part, key_length: Option<usize>, media_type: &MediaType) -> String {
    let what = match (part, key_length) {
        (Part::Key, None) => "the key".into(),
        (Part::Key, Some(length)) => format!("the key of {length} bytes"),
        (Part::Value, None) => "the value".into(),
        (Part::Value, Some(length)) => format!("the value of a key of {length} bytes"),
    };
    format!("cache {cache:?}: can't {verb} {what} ({media_type})")
}

impl Error {
    /// Returns whether the operation may have been executed.
    pub fn applied(&self) -> Applied {
        match self {
            Self::Operation { error, attempts, .. } => {
                ClusterError::Operation { error: error.clone(), attempts: *attempts }.applied()
            }
            Self::Cluster { error, .. } => error.applied(),
            Self::Decode { .. }
            | Self::Schemas { .. }
            | Self::UnexpectedAnswer { .. }
            | Self::Refusal { refusal: Refusal::UnexpectedAnswer, .. } => Applied::Unknown,
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
