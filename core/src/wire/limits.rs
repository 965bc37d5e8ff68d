//! Limits on messages from a peer.

/// Upper bounds on lengths and counts in a peer's messages, checked before any allocation.
///
/// Sizes are in bytes, counts in items. The defaults accept every message that an Infinispan server sends in practice
/// and reject those of a broken or hostile peer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// A whole message, header included. Default 1 GiB.
    pub message: usize,
    /// A key. Default 64 MiB.
    pub key: usize,
    /// A value, a chunk, a query, a task result or a Bloom filter. Default 256 MiB.
    pub value: usize,
    /// A cache name in a request. Default 255, the longest that Infinispan allows (16.0, `ByteString.MAX_LENGTH`).
    pub cache_name: usize,
    /// Any other name: counter, mechanism, task, media type, parameter, host, listener id. Default 64 KiB.
    pub name: usize,
    /// An error message. Default 1 MiB.
    pub error_message: usize,
    /// Entries, keys, names, modifications or chunks in one message. Default 16,777,216.
    pub entries: usize,
    /// Members of a topology. Default 16,384.
    pub members: usize,
    /// Segments of a topology. Default 1,048,576.
    pub segments: usize,
    /// Parameters of a media type, filter, converter or task, and further parameters of a header. Default 1,024.
    pub parameters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 1 << 30,
            key: 64 << 20,
            value: 256 << 20,
            cache_name: 255,
            name: 64 << 10,
            error_message: 1 << 20,
            entries: 1 << 24,
            members: 1 << 14,
            segments: 1 << 20,
            parameters: 1 << 10,
        }
    }
}
