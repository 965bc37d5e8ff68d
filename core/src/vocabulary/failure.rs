//! Failures of operations, in one form for all languages.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::answer::Refusal;
use crate::cluster::{self, Cluster, ClusterError, MemberId, PartFailure, StartError};
use crate::session::{self, Applied, Disconnect, OperationError};
use crate::uri::{SettingsError, UriError};
use crate::wire::{Operation, Status};

/// Failure of an operation or a command.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// Kind of failure: a class or a code in each language.
    pub kind: FailureKind,
    /// Message for the user: member, operation, and whether it may have been executed.
    pub message: String,
    /// Failed operation, if the failure is an operation's.
    pub operation: Option<Operation>,
    /// Address of the member to which it was last sent.
    pub member: Option<String>,
    /// Status of the server's reply, if there was one.
    pub status: Option<Status>,
    /// Whether the operation may have been executed.
    pub applied: Applied,
    /// Number of attempts that reached a member.
    pub attempts: u8,
    /// Results of a bulk operation that failed in part.
    pub partial: Option<PartialFailure>,
}

/// Results of a bulk operation that failed in part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialFailure {
    /// Keys and failures of the failed parts. All other keys succeeded.
    pub parts: Vec<(Vec<Bytes>, Failure)>,
    /// Entries read by the other parts.
    pub entries: Vec<(Bytes, Bytes)>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal;)*) => {
        /// Kinds of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum FailureKind {
            $($(#[doc = $doc])+ $name = $code,)*
        }

        impl FailureKind {
            /// All kinds, with name and documentation.
            pub const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$name, stringify!($name), concat!($($doc, "\n"),+)),)*];

            /// Name of the kind.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

kinds! {
    /// The caller made a mistake: an argument, a URI, the order of calls. Nothing was sent.
    Misuse = 1;
    /// A queue is full; retry later. Nothing was sent.
    Full = 2;
    /// The client is closed.
    Closed = 3;
    /// The server replied with an error; its status and message are given.
    Server = 4;
    /// No reply arrived in time.
    TimedOut = 5;
    /// The connection was lost, or the server violated the protocol, before the reply.
    Disconnected = 6;
    /// No member could be reached in time.
    Unreachable = 7;
    /// A server was reached and did not accept the session: wrong credentials, another protocol.
    Handshake = 8;
    /// The operation can't be sent: the server's protocol version does not have it, or the request is too large.
    Refused = 9;
    /// The member that holds the state of the operation is gone.
    MemberGone = 10;
    /// Servers lost an iteration repeatedly.
    IterationLost = 11;
    /// Some parts of a bulk operation failed, and the others succeeded.
    Partial = 12;
    /// The counter does not exist.
    NoSuchCounter = 13;
    /// A counter would leave its bounds; it was not changed.
    OutOfBounds = 14;
    /// The server's reply does not belong to the operation.
    UnexpectedAnswer = 15;
}

impl Failure {
    /// Creates a failure for a mistake of the caller.
    pub fn misuse(message: impl Into<String>) -> Self {
        Self::plain(FailureKind::Misuse, message)
    }

    fn plain(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            operation: None,
            member: None,
            status: None,
            applied: Applied::No,
            attempts: 0,
            partial: None,
        }
    }

    /// Creates the failure of an operation; `member` is the one that replied or was tried last.
    pub fn of(error: ClusterError, member: Option<MemberId>, cluster: &Cluster) -> Self {
        let address = member.and_then(|member| cluster.address(member)).map(ToString::to_string);
        let message = match (&address, &error) {
            (Some(address), ClusterError::Operation { .. }) => alloc::format!("{address}: {error}"),
            (Some(address), _) if !error.names_servers() => {
                alloc::format!("{error} (the last one tried was {address})")
            }
            _ => error.to_string(),
        };
        let mut failure = Self::plain(kind_of(&error), message);
        failure.applied = error.applied();
        failure.member = address;
        match error {
            ClusterError::Operation { error, attempts } => {
                failure.attempts = attempts;
                failure.operation = Some(match error {
                    OperationError::Server { operation, status, .. } => {
                        failure.status = Some(status);
                        operation
                    }
                    OperationError::TimedOut { operation, .. }
                    | OperationError::GivenUp { operation, .. }
                    | OperationError::Disconnected { operation, .. } => operation,
                });
            }
            ClusterError::Partial(partial) => {
                failure.operation = Some(partial.operation);
                let part =
                    |part: &PartFailure| (part.keys.to_vec(), Self::of(part.error.clone(), part.member, cluster));
                let parts = partial.failures.iter().map(part).collect();
                failure.partial = Some(PartialFailure { parts, entries: partial.entries.clone() });
            }
            ClusterError::LostWhileSending(lost) => {
                failure.attempts = lost.attempts;
                failure.operation = Some(lost.operation);
            }
            ClusterError::Refused { operation, .. }
            | ClusterError::RequestTooLarge { operation, .. }
            | ClusterError::Unreachable { operation, .. }
            | ClusterError::IterationLost { operation, .. }
            | ClusterError::MemberGone { operation, .. }
            | ClusterError::Closed { operation, .. } => failure.operation = Some(operation),
        }
        failure
    }

    /// Creates the failure of [`Cluster::start`].
    pub fn of_start(error: StartError, cluster: &Cluster) -> Self {
        match error {
            StartError::Operation { member, error } => Self::of(error, member, cluster),
            StartError::ForeignCache => Self::misuse(error.to_string()),
            StartError::Unreachable(_) => Self::plain(FailureKind::Unreachable, error.to_string()),
            StartError::Handshake { ref server, .. } => {
                let member = Some(server.to_string());
                Self { member, ..Self::plain(FailureKind::Handshake, error.to_string()) }
            }
        }
    }

    /// Creates the failure for a reply that is an error to the user.
    pub fn of_refusal(operation: Operation, refusal: Refusal, member: Option<MemberId>, cluster: &Cluster) -> Self {
        let kind = match refusal {
            Refusal::NoSuchCounter => FailureKind::NoSuchCounter,
            Refusal::OutOfBounds => FailureKind::OutOfBounds,
            Refusal::UnexpectedAnswer => FailureKind::UnexpectedAnswer,
        };
        let member = member.and_then(|member| cluster.address(member)).map(ToString::to_string);
        let place = member.as_ref().map_or(String::new(), |member| alloc::format!("{member}: "));
        let applied = if kind == FailureKind::UnexpectedAnswer { Applied::Unknown } else { Applied::No };
        let message = alloc::format!("{place}{operation}: {refusal}");
        Self { operation: Some(operation), member, applied, attempts: 1, ..Self::plain(kind, message) }
    }
}

fn kind_of(error: &ClusterError) -> FailureKind {
    match error {
        ClusterError::Operation { error, .. } => match error {
            OperationError::Server { .. } => FailureKind::Server,
            OperationError::TimedOut { .. } => FailureKind::TimedOut,
            OperationError::GivenUp { .. } => FailureKind::Disconnected,
            OperationError::Disconnected { reason, .. } => match **reason {
                Disconnect::AuthenticationFailed { .. }
                | Disconnect::Sasl(_)
                | Disconnect::VersionRefused { .. }
                | Disconnect::Refused { .. } => FailureKind::Handshake,
                _ => FailureKind::Disconnected,
            },
        },
        ClusterError::Refused { error: session::SubmitError::Full { .. }, .. } => FailureKind::Full,
        ClusterError::Refused { .. } | ClusterError::RequestTooLarge { .. } => FailureKind::Refused,
        ClusterError::LostWhileSending(_) => FailureKind::Disconnected,
        ClusterError::Unreachable { .. } => FailureKind::Unreachable,
        ClusterError::Partial(_) => FailureKind::Partial,
        ClusterError::IterationLost { .. } => FailureKind::IterationLost,
        ClusterError::MemberGone { .. } => FailureKind::MemberGone,
        ClusterError::Closed { .. } => FailureKind::Closed,
    }
}

impl From<cluster::SubmitError> for Failure {
    fn from(error: cluster::SubmitError) -> Self {
        let kind = match error {
            cluster::SubmitError::Full { .. } => FailureKind::Full,
            cluster::SubmitError::Closed => FailureKind::Closed,
            cluster::SubmitError::ForeignCache | cluster::SubmitError::StorageKeys { .. } => FailureKind::Misuse,
        };
        Self::plain(kind, error.to_string())
    }
}

impl From<UriError> for Failure {
    fn from(error: UriError) -> Self {
        Self::misuse(alloc::format!("connection URI: {error}"))
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::misuse(error.to_string())
    }
}
