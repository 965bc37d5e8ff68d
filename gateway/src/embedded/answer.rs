//! What executing a request comes to.

use hotrod_core::wire::{Body, Status};

/// An answer that is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: Status,
    pub(super) body: Body,
}

/// An error answer: its status and the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) message: String,
}

pub(super) type Outcome = Result<Answer, Failure>;

impl Answer {
    pub(super) const SUCCESS: Self = Self { status: Status::SUCCESS, body: Body::Nothing };
    pub(super) const NOT_EXECUTED: Self = Self { status: Status::NOT_EXECUTED, body: Body::Nothing };
    pub(super) const NOT_EXISTING: Self = Self { status: Status::KEY_DOES_NOT_EXIST, body: Body::Nothing };

    pub(super) fn with(body: Body) -> Self {
        Self { status: Status::SUCCESS, body }
    }

    /// Done or not, without more.
    pub(super) fn done(done: bool) -> Self {
        if done { Self::SUCCESS } else { Self::NOT_EXECUTED }
    }
}

impl Failure {
    pub(super) fn server_error(message: impl Into<String>) -> Self {
        Self { status: Status::SERVER_ERROR, message: message.into() }
    }

    pub(super) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::server_error(format!("{what} is not supported by the embedded node"))
    }
}
