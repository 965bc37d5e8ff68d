//! Mistakes of the caller.

use alloc::string::String;

/// Reason for which nothing was written. Holds no field values: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The name is not a token (RFC 9110, 5.6.2).
    #[error("{0:?} is no name of a field")]
    FieldName(String),
    /// The value has a control character, or whitespace at its beginning or end (RFC 9110, 5.5).
    #[error("the value of the field {0:?} has a control character in it or whitespace at an end")]
    FieldValue(String),
    /// The exchange writes this field itself, or it belongs to the connection (RFC 9110, 7.6.1).
    #[error("the field {0:?} is not the caller's to write")]
    ReservedField(String),
    /// The authority is not `host`, or not `host:port` where the port is required.
    #[error("{0:?} is no host name")]
    Authority(String),
    /// The path is not absolute, with or without a query (RFC 9112, 3.2.1).
    #[error("{0:?} is no path")]
    Path(String),
    /// The status is not in its range: 200 to 599 for a final response, 300 to 599 for a refusal.
    #[error("{0} is not a status to answer with")]
    Status(u16),
    /// No request awaits a response.
    #[error("no request waits for an answer")]
    NoRequest,
    /// The request does not ask for a tunnel.
    #[error("the request asked for no tunnel")]
    NotATunnelRequest,
}
