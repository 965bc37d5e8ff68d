//! HTTP/2 (RFC 9113), with Extended CONNECT (RFC 8441) and extension frames, in either role, without IO.

mod error_code;
pub mod frame;
pub mod hpack;
mod settings;
mod stream_id;

pub use crate::send_buffer::SendBuffer;
pub use error_code::ErrorCode;
pub use settings::{Settings, setting};
pub use stream_id::StreamId;
