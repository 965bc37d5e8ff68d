//! HPACK, the compression of header fields (RFC 7541): both directions of one connection.
//!
//! Our own, because no crate has all of: no std, no panic on any input, a limit to what a block expands to.
//!
//! A [`Decoder`] and an [`Encoder`] each keep a dynamic table that must stay in step with the one at the other end. So every
//! header block that a peer sends is decoded, in order and to its end, also one of a stream that was refused.

mod decoder;
mod dynamic_table;
mod encoder;
mod error;
mod field;
mod huffman;
mod integer;
mod search;
mod static_table;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::DecodeError;
pub use field::Field;

/// The size of a dynamic table that both ends begin with, in bytes (RFC 9113, 6.5.2: SETTINGS_HEADER_TABLE_SIZE).
pub const DEFAULT_TABLE_SIZE: usize = 4096;
