//! What a peer can get wrong.

/// Why an exchange ended without an answer that can be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The first bytes begin no head of HTTP/1.x.
    #[error("what came does not begin like HTTP/1.1")]
    NotHttp,
    /// A method longer than a line may be.
    #[error("the method is longer than {limit} bytes")]
    MethodTooLong {
        /// The limit.
        limit: usize,
    },
    /// A first line longer than a line may be.
    #[error("the first line is longer than {limit} bytes")]
    FirstLineTooLong {
        /// The limit.
        limit: usize,
    },
    /// A field line longer than a line may be.
    #[error("a field line is longer than {limit} bytes")]
    LineTooLong {
        /// The limit.
        limit: usize,
    },
    /// A head longer than it may be.
    #[error("the head is longer than {limit} bytes")]
    HeadTooLong {
        /// The limit.
        limit: usize,
    },
    /// More field lines than there may be.
    #[error("the head has more than {limit} fields")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
    /// Lines end with CR LF, and neither comes alone (RFC 9112, 2.2).
    #[error("a line does not end with CR LF")]
    LineEnd,
    /// A control character (RFC 9110, 5.5).
    #[error("the control character {0:#04x} in the head")]
    Control(u8),
    /// The first line is no request line, or no status line (RFC 9112, 3 and 4).
    #[error("the first line can't be understood")]
    FirstLine,
    /// Another version than HTTP/1.0 and HTTP/1.1 (RFC 9110, 15.6.6).
    #[error("another version than HTTP/1.1")]
    Version,
    /// A field line without a colon, with something else than a token before it, or folded (RFC 9112, 5.1 and 5.2).
    #[error("a field line does not begin with a name and a colon")]
    FieldName,
    /// The request's target is in none of the four forms, or not in the one that its method has (RFC 9112, 3.2).
    #[error("the target of the request is malformed")]
    Target,
    /// No Host field, more than one, or one that is no host (RFC 9112, 3.2).
    #[error("the request needs exactly one Host field that is a host")]
    Host,
    /// Content-Length is no number, or comes more than once (RFC 9112, 6.3).
    #[error("Content-Length is not one number")]
    ContentLength,
    /// Both Content-Length and Transfer-Encoding: two readers might see two messages (RFC 9112, 6.3).
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndEncoding,
    /// Transfer-Encoding where there can't be any, or without `chunked` as its last (RFC 9112, 6.1 and 6.3).
    #[error("a Transfer-Encoding that does not tell where the content ends")]
    TransferEncoding,
    /// A transfer coding other than `chunked` (RFC 9112, 6.1).
    #[error("a transfer coding other than chunked")]
    UnknownCoding,
    /// A request for a tunnel with content: its bytes might be taken for the tunnel's.
    #[error("a request for a tunnel has no content")]
    TunnelWithContent,
    /// The host's time for a request was over: see [`ServerExchange::handle_timeout`](super::ServerExchange::handle_timeout).
    #[error("the request did not come in time")]
    TimedOut,
    /// The link was lost before the end of a head.
    #[error("the connection ended before the head did")]
    Truncated,
    /// A status below 100 (RFC 9110, 15).
    #[error("{0} is no status")]
    Status(u16),
    /// More interim responses than there may be.
    #[error("more than {limit} interim responses")]
    TooManyInterim {
        /// The limit.
        limit: usize,
    },
    /// 101 for another protocol than the one asked for (RFC 9110, 7.8).
    #[error("101, but not to the protocol that was asked for")]
    WrongProtocol,
    /// Bytes behind the head, where [`Trailing::Refused`](super::Trailing::Refused) was chosen.
    #[error("{0} bytes came before the tunnel was used")]
    TrailingData(usize),
}

impl Violation {
    /// The status that a server answers with.
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
