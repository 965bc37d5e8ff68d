//! Scanners, which find message boundaries for a proxy between a client and a server.
//!
//! A scanner uses the grammar of the decoders, with a reader that [skims](super::reader::Reader::skim).

mod buffer;
mod replies;
mod requests;

pub use replies::{MessageKind, ReplyPiece, ReplyScanner};
pub use requests::{RequestPiece, RequestScanner, measure_request, peek_request_head};
