//! How much a peer may ask of an exchange.

/// Upper bounds on what is read from a peer.
///
/// Beyond them an exchange ends: a client's with a [`Violation`](super::Violation), a server's after an answer that says
/// so (414, 431 or 501).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a line of a head, without its end. Default 8 KiB.
    pub line: usize,
    /// Field lines of a head. Default 64.
    pub fields: usize,
    /// Bytes of a head, with all line ends. Default 16 KiB.
    pub head: usize,
    /// Interim responses (1xx) before the answer. Default 8.
    pub interim: usize,
    /// Bytes of the content of an ordinary request, which are skipped so that another can follow on the link. A request
    /// with more is answered, and the link closed. Default 64 KiB.
    pub content: u64,
    /// Requests on a link; after the last one's answer it is closed. Default 100.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 8 << 10, fields: 64, head: 16 << 10, interim: 8, content: 64 << 10, requests: 100 }
    }
}
