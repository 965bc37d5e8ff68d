//! Protocol violations of a peer.

/// Reason for which an exchange ended without a usable message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The first bytes are not those of an HTTP/1.x message.
    #[error("what came does not begin like HTTP/1.1")]
    NotHttp,
    /// A method exceeds the line limit.
    #[error("the method is longer than {limit} bytes")]
    MethodTooLong {
        /// Limit, in bytes.
        limit: usize,
    },
    /// A first line exceeds the line limit.
    #[error("the first line is longer than {limit} bytes")]
    FirstLineTooLong {
        /// Limit, in bytes.
        limit: usize,
    },
    /// A field line exceeds the line limit.
    #[error("a field line is longer than {limit} bytes")]
    LineTooLong {
        /// Limit, in bytes.
        limit: usize,
    },
    /// A head exceeds the head limit.
    #[error("the head is longer than {limit} bytes")]
    HeadTooLong {
        /// Limit, in bytes.
        limit: usize,
    },
    /// A head has too many field lines.
    #[error("the head has more than {limit} fields")]
    TooManyFields {
        /// Limit on the number of field lines.
        limit: usize,
    },
    /// A line does not end with CR LF, or one of the two is alone (RFC 9112, 2.2).
    #[error("a line does not end with CR LF")]
    LineEnd,
    /// A head contains a control character (RFC 9110, 5.5).
    #[error("the control character {0:#04x} in the head")]
    Control(u8),
    /// The first line is not a request line or a status line (RFC 9112, 3 and 4).
    #[error("the first line can't be understood")]
    FirstLine,
    /// The version is not HTTP/1.0 or HTTP/1.1 (RFC 9110, 15.6.6).
    #[error("another version than HTTP/1.1")]
    Version,
    /// A field line has no colon, no token before the colon, or is folded (RFC 9112, 5.1 and 5.2).
    #[error("a field line does not begin with a name and a colon")]
    FieldName,
    /// The request target has none of the four forms, or not the form of its method (RFC 9112, 3.2).
    #[error("the target of the request is malformed")]
    Target,
    /// Host is missing, repeated or not a host (RFC 9112, 3.2).
    #[error("the request needs exactly one Host field that is a host")]
    Host,
    /// Content-Length is not a number, or is repeated (RFC 9112, 6.3).
    #[error("Content-Length is not one number")]
    ContentLength,
    /// Both Content-Length and Transfer-Encoding are present: two readers might see two messages (RFC 9112, 6.3).
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndEncoding,
    /// Transfer-Encoding is not allowed here, or its last coding is not `chunked` (RFC 9112, 6.1 and 6.3).
    #[error("a Transfer-Encoding that does not tell where the content ends")]
    TransferEncoding,
    /// A transfer coding is not `chunked` (RFC 9112, 6.1).
    #[error("a transfer coding other than chunked")]
    UnknownCoding,
    /// A request for a tunnel has content, whose bytes might be taken for the tunnel's.
    #[error("a request for a tunnel has no content")]
    TunnelWithContent,
    /// The host's timeout for a request expired; see
    /// [`ServerExchange::handle_timeout`](super::ServerExchange::handle_timeout).
    #[error("the request did not come in time")]
    TimedOut,
    /// The link was lost before the end of a head.
    #[error("the connection ended before the head did")]
    Truncated,
    /// The status is below 100 (RFC 9110, 15).
    #[error("{0} is no status")]
    Status(u16),
    /// There are too many interim responses.
    #[error("more than {limit} interim responses")]
    TooManyInterim {
        /// Limit on the number of interim responses.
        limit: usize,
    },
    /// A 101 response selects another protocol than the requested one (RFC 9110, 7.8).
    #[error("101, but not to the protocol that was asked for")]
    WrongProtocol,
    /// Bytes follow the head although [`Trailing::Refused`](super::Trailing::Refused) was set.
    #[error("{0} bytes came before the tunnel was used")]
    TrailingData(usize),
}

impl Violation {
    /// Status of a server's response to this violation.
    pub fn status(&self) -> u16 {
        match self {
            Self::FirstLineTooLong { .. } => 414,
            Self::LineTooLong { .. } | Self::HeadTooLong { .. } | Self::TooManyFields { .. } => 431,
            Self::TimedOut => 408,
            Self::MethodTooLong { .. } | Self::UnknownCoding => 501,
            Self::Version => 505,
            _ => 400,
        }
    }
}
