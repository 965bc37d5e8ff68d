//! Errors in field blocks.

/// Error in a field block.
///
/// All but [`ListTooLarge`](Self::ListTooLarge) end the connection with COMPRESSION_ERROR: the dynamic tables of the
/// two ends are no longer in step (RFC 9113, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The fields exceed the decoder's limit (RFC 9113, 10.5.1). The block was decoded completely, so this is a stream
    /// error.
    #[error("the header list is larger than {limit} bytes")]
    ListTooLarge {
        /// Limit in bytes.
        limit: usize,
    },
    /// The block ends within a field.
    #[error("the header block ends within a field")]
    Truncated,
    /// An integer has too many bytes, or exceeds 32 bits (RFC 7541, 5.1).
    #[error("a number without an end, or beyond 32 bits")]
    IntegerTooLarge,
    /// An index is 0, or beyond the end of the dynamic table (RFC 7541, 2.3.3 and 6.1).
    #[error("index {index} in tables of {entries} entries")]
    IndexOutOfRange {
        /// Received index.
        index: usize,
        /// Number of entries of both tables.
        entries: usize,
    },
    /// A size update exceeds our SETTINGS (RFC 7541, 6.3).
    #[error("a dynamic table of {size} bytes where {max} are allowed")]
    SizeUpdateTooLarge {
        /// Received size.
        size: usize,
        /// Maximum size.
        max: usize,
    },
    /// A size update is not at the beginning of a block (RFC 7541, 4.2).
    #[error("a dynamic table size update behind a field")]
    SizeUpdateMisplaced,
    /// A block has more than two size updates (RFC 7541, 4.2).
    #[error("more than two dynamic table size updates")]
    SizeUpdateRepeated,
    /// The block lacks the size update required by a smaller SETTINGS_HEADER_TABLE_SIZE (RFC 7541, 4.2).
    #[error("no dynamic table size update to {max} bytes or less")]
    SizeUpdateMissing {
        /// Maximum size.
        max: usize,
    },
    /// A string contains the end-of-string symbol (RFC 7541, 5.2).
    #[error("EOS in a Huffman-coded string")]
    HuffmanEos,
    /// The last bits of a string are neither a symbol nor padding: up to seven ones (RFC 7541, 5.2).
    #[error("wrong padding of a Huffman-coded string")]
    HuffmanPadding,
}

impl DecodeError {
    /// Whether the error ends the connection: COMPRESSION_ERROR.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::ListTooLarge { .. })
    }
}
