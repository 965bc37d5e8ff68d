//! Limits on messages from a peer.

/// Upper bounds on a peer's messages.
///
/// Exceeding one ends the exchange: a client's with a [`Violation`](super::Violation), a server's after a response
/// (414, 431 or 501).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Length of a line in a head, without its end, in bytes. Default 8 KiB.
    pub line: usize,
    /// Number of field lines in a head. Default 64.
    pub fields: usize,
    /// Length of a head with all line ends, in bytes. Default 16 KiB.
    pub head: usize,
    /// Number of interim responses (1xx) before the final one. Default 8.
    pub interim: usize,
    /// Length of an ordinary request's content, in bytes, which is skipped so that another request can follow. A
    /// request with more gets its response, then the link closes. Default 64 KiB.
    pub content: u64,
    /// Number of requests on a link, which closes after the last response. Default 100.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 8 << 10, fields: 64, head: 16 << 10, interim: 8, content: 64 << 10, requests: 100 }
    }
}
