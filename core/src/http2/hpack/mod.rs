//! HPACK header compression (RFC 7541): both directions of one connection.
//!
//! Implemented here because no crate combines no std, no panic on any input, and a limit to the size of a decoded
//! block.
//!
//! A [`Decoder`] and an [`Encoder`] each keep a dynamic table in step with the peer's. So every field block of a peer
//! is decoded, in order and completely, even on a refused stream.

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

/// Initial size of both dynamic tables, in bytes (RFC 9113, 6.5.2: SETTINGS_HEADER_TABLE_SIZE).
pub const DEFAULT_TABLE_SIZE: usize = 4096;
