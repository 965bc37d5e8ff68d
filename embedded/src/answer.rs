//! Results of executed requests.

use hotrod_core::wire::{Body, Status};

/// An answer that is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) body: Body,
}

/// An error answer: its status and a message in the words of an Infinispan server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) message: String,
}

pub(crate) type Outcome = Result<Answer, Failure>;

impl Answer {
    pub(crate) const SUCCESS: Self = Self { status: Status::SUCCESS, body: Body::Nothing };
    pub(crate) const NOT_EXECUTED: Self = Self { status: Status::NOT_EXECUTED, body: Body::Nothing };
    pub(crate) const NOT_EXISTING: Self = Self { status: Status::KEY_DOES_NOT_EXIST, body: Body::Nothing };

    pub(crate) fn with(body: Body) -> Self {
        Self { status: Status::SUCCESS, body }
    }

    /// Success or NOT_EXECUTED, without a body.
    pub(crate) fn done(done: bool) -> Self {
        if done { Self::SUCCESS } else { Self::NOT_EXECUTED }
    }
}

impl Failure {
    pub(crate) fn server_error(message: impl Into<String>) -> Self {
        Self { status: Status::SERVER_ERROR, message: message.into() }
    }

    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::server_error(format!("{what} is not supported by the embedded server"))
    }
}
