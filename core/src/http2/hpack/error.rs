//! What can be wrong with a header block.

/// Why a header block gives no fields.
///
/// All but [`ListTooLarge`](Self::ListTooLarge) end the connection with COMPRESSION_ERROR: the dynamic tables of the two
/// ends are no longer in step (RFC 9113, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The fields are larger than what the decoder allows (RFC 9113, 10.5.1). The block was decoded to its end all the
    /// same, so this is a matter of its stream only.
    #[error("the header list is larger than {limit} bytes")]
    ListTooLarge {
        /// The limit in force, in bytes.
        limit: usize,
    },
    /// The block ends within a field.
    #[error("the header block ends within a field")]
    Truncated,
    /// A number has more bytes than any that is of use, or does not fit into 32 bits (RFC 7541, 5.1).
    #[error("a number without an end, or beyond 32 bits")]
    IntegerTooLarge,
    /// An index that stands for nothing: 0, or beyond the end of the dynamic table (RFC 7541, 2.3.3 and 6.1).
    #[error("index {index} in tables of {entries} entries")]
    IndexOutOfRange {
        /// The index received.
        index: usize,
        /// How many entries both tables have together.
        entries: usize,
    },
    /// A dynamic table larger than what our SETTINGS allow (RFC 7541, 6.3).
    #[error("a dynamic table of {size} bytes where {max} are allowed")]
    SizeUpdateTooLarge {
        /// The size received.
        size: usize,
        /// What is allowed.
        max: usize,
    },
    /// A size update that is not at the beginning of a block (RFC 7541, 4.2).
    #[error("a dynamic table size update behind a field")]
    SizeUpdateMisplaced,
    /// More than two size updates in a block (RFC 7541, 4.2).
    #[error("more than two dynamic table size updates")]
    SizeUpdateRepeated,
    /// Our SETTINGS have made the dynamic table smaller, and the block does not say so at its beginning (RFC 7541, 4.2).
    #[error("no dynamic table size update to {max} bytes or less")]
    SizeUpdateMissing {
        /// What is allowed.
        max: usize,
    },
    /// The end-of-string symbol within a string (RFC 7541, 5.2).
    #[error("EOS in a Huffman-coded string")]
    HuffmanEos,
    /// The last bits of a string are no symbol and not the padding either: up to seven bits, all of them ones (RFC 7541,
    /// 5.2).
    #[error("wrong padding of a Huffman-coded string")]
    HuffmanPadding,
}

impl DecodeError {
    /// Whether the connection can't go on: COMPRESSION_ERROR.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::ListTooLarge { .. })
    }
}
