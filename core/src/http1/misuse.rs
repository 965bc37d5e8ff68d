//! What the caller can get wrong.

use alloc::string::String;

/// Why something was not written. Nothing of it was. Values are not told: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// Not a token (RFC 9110, 5.6.2).
    #[error("{0:?} is no name of a field")]
    FieldName(String),
    /// A value with a control character in it, or with whitespace at an end (RFC 9110, 5.5).
    #[error("the value of the field {0:?} has a control character in it or whitespace at an end")]
    FieldValue(String),
    /// A field that the exchange writes itself, or that belongs to the connection (RFC 9110, 7.6.1).
    #[error("the field {0:?} is not the caller's to write")]
    ReservedField(String),
    /// Not `host`, or not `host:port` where there must be a port.
    #[error("{0:?} is no host name")]
    Authority(String),
    /// Not an absolute path with or without a query (RFC 9112, 3.2.1).
    #[error("{0:?} is no path")]
    Path(String),
    /// A final status is 200 to 599; a refusal 300 to 599.
    #[error("{0} is not a status to answer with")]
    Status(u16),
    /// No request waits for an answer.
    #[error("no request waits for an answer")]
    NothingAsked,
    /// The request asked for no tunnel.
    #[error("the request asked for no tunnel")]
    NoTunnelAsked,
}
