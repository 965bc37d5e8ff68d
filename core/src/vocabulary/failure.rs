//! How operations fail, in one form for all languages.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::answer::Refusal;
use crate::cluster::{self, Cluster, ClusterError, MemberId, PartFailure, SettingsError, StartError};
use crate::session::{self, Applied, Disconnect, OperationError};
use crate::uri::UriError;
use crate::wire::{Operation, Status};

/// How something failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The kind: in each language a class of its own, or a code.
    pub kind: FailureKind,
    /// Everything, for people: which member, which operation, what may have become of it.
    pub message: String,
    /// The operation, if one failed.
    pub operation: Option<Operation>,
    /// The address of the member that it was sent to last.
    pub member: Option<String>,
    /// What the server said, if it did.
    pub status: Option<Status>,
    /// Whether the operation may have been executed all the same.
    pub applied: Applied,
    /// How often it reached a member.
    pub attempts: u8,
    /// What else is known of a bulk operation that failed in part.
    pub partial: Option<PartialFailure>,
}

/// A bulk operation of which not every part was done.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialFailure {
    /// The keys of the parts that failed, and how. What is not in them was done.
    pub parts: Vec<(Vec<Bytes>, Failure)>,
    /// What the other parts have read.
    pub entries: Vec<(Bytes, Bytes)>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal;)*) => {
        /// The kinds of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum FailureKind {
            $($(#[doc = $doc])+ $name = $code,)*
        }

        impl FailureKind {
            /// Every kind, and what it means.
            pub const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$name, stringify!($name), concat!($($doc, "\n"),+)),)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

kinds! {
    /// The caller did something wrong: an argument, a URI, the order of calls. Nothing was sent.
    Misuse = 1;
    /// Too much is going on: not now. Nothing was sent.
    Full = 2;
    /// The client is closed.
    Closed = 3;
    /// The server answered with an error; its status and words are given.
    Server = 4;
    /// No answer came in time.
    TimedOut = 5;
    /// The connection was lost, or the server broke the protocol, before the answer came.
    Disconnected = 6;
    /// No member could be reached in time.
    Unreachable = 7;
    /// A server was reached and did not accept the session: wrong credentials, another protocol.
    Handshake = 8;
    /// The operation can't be sent: the server's protocol version does not have it, or a field is too large.
    Refused = 9;
    /// The member that holds the state that the operation speaks of is gone.
    MemberGone = 10;
    /// Servers lost an iteration again and again.
    IterationLost = 11;
    /// Some parts of a bulk operation failed, and the others did not.
    Partial = 12;
    /// There is no counter of that name.
    NoSuchCounter = 13;
    /// A counter would leave its bounds; it was not changed.
    OutOfBounds = 14;
    /// The server answered with something that the operation does not have for an answer.
    UnexpectedAnswer = 15;
}

impl Failure {
    /// The caller's own mistake.
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

    /// Of an operation; `member` is the one that answered or was tried last.
    pub fn of(error: ClusterError, member: Option<MemberId>, cluster: &Cluster) -> Self {
        let address = member.and_then(|member| cluster.address(member)).map(ToString::to_string);
        let message = match (&address, &error) {
            (Some(address), ClusterError::Operation { .. }) => alloc::format!("{address}: {error}"),
            (Some(address), _) if !is_local(&error) => alloc::format!("{error} (the last one tried was {address})"),
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
            ClusterError::Refused { operation, .. }
            | ClusterError::Unreachable { operation, .. }
            | ClusterError::IterationLost { operation, .. }
            | ClusterError::MemberGone { operation, .. }
            | ClusterError::Closed { operation, .. } => failure.operation = Some(operation),
        }
        failure
    }

    /// Of the beginning.
    pub fn of_start(error: StartError, cluster: &Cluster) -> Self {
        match error {
            StartError::Operation { member, error } => Self::of(error, member, cluster),
            StartError::Unreachable(_) => Self::plain(FailureKind::Unreachable, error.to_string()),
            StartError::Handshake { ref server, .. } => {
                let member = Some(server.to_string());
                Self { member, ..Self::plain(FailureKind::Handshake, error.to_string()) }
            }
        }
    }

    /// Of an answer that is none.
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

/// Whether the member has nothing to do with it, or the message names members already.
fn is_local(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Partial(_) | ClusterError::Refused { .. })
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
        ClusterError::Refused { .. } => FailureKind::Refused,
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
            cluster::SubmitError::ForeignCache => FailureKind::Misuse,
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
