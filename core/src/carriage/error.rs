//! Ends of sessions and links.

use alloc::string::{String, ToString};
use core::fmt;

use super::registry::Explained;
use super::request::{node_of, text_of};
use crate::http1;
use crate::http2::hpack::Field;
use crate::http2::{ErrorCode, Reason, RequestError};

/// An endpoint's response to a session request that it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Retry-After, in seconds.
    pub retry_after: Option<u32>,
    /// Name of the member that responded, from `Hot-Rod-Node`.
    pub node: Option<String>,
}

impl Refusal {
    pub(super) fn of_fields(fields: &[Field]) -> Self {
        Self {
            status: text_of(fields, ":status").and_then(|status| status.parse().ok()).unwrap_or_default(),
            retry_after: text_of(fields, "retry-after").and_then(|seconds| seconds.parse().ok()),
            node: node_of(fields).map(ToString::to_string),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.status {
            400 => "the request is malformed",
            401 | 403 => "it is not allowed",
            404 => "it knows no such member",
            405 | 501 => "it has no such tunnel",
            421 => "it leads to another member",
            426 => "it wants another protocol",
            429 => "there are too many sessions",
            502..=504 => "it does not reach the member, or stops",
            _ => "that is no tunnel",
        };
        write!(f, "the endpoint refused the session: {} ({meaning}", self.status)?;
        if let Some(seconds) = self.retry_after {
            write!(f, "; try again in {seconds} s")?;
        }
        f.write_str(")")
    }
}

/// Reason for the end of a session or of a whole link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkEnd {
    /// The HTTP/2 connection was closed.
    #[error("{0}")]
    Connection(Reason),
    /// The endpoint closed the link by GOAWAY with this code.
    #[error("the endpoint ended the link: {}", Explained(*.0))]
    GoAway(ErrorCode),
    /// No stream could be opened.
    #[error("no stream for the session: {0}")]
    NoStream(RequestError),
    /// The endpoint refused the session.
    #[error("{0}")]
    Refused(Refusal),
    /// The endpoint reset the session's stream.
    #[error("the endpoint ended the session: {}", Explained(*.0))]
    Reset(ErrorCode),
    /// The endpoint ended the session's stream with END_STREAM.
    #[error("the endpoint ended the session")]
    Finished,
    /// The endpoint did not respond in time.
    #[error("the endpoint does not answer")]
    Silence,
    /// The endpoint violated Hot Rod over HTTP.
    #[error("the endpoint broke the protocol: {}", Explained(*.0))]
    Violation(ErrorCode),
    /// The endpoint's response to a request for a tunnel is not valid HTTP/1.1.
    #[error("the endpoint does not speak HTTP/1.1: {0}")]
    NotHttp(http1::Violation),
    /// The endpoint does not support Hot Rod frames.
    #[error("the endpoint does not offer Hot Rod frames (SETTINGS_HOT_ROD)")]
    NoFrames,
    /// The endpoint does not support Extended CONNECT.
    #[error("the endpoint does not offer Extended CONNECT (RFC 8441)")]
    NoExtendedConnect,
}
