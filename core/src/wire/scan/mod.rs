//! Where messages begin and end, for who passes them on: a gateway between a client and a server.
//!
//! A scanner reads by the grammar of the decoders and keeps nothing: a message comes out as the bytes that came in, in
//! one [`ReplyPiece`] or [`RequestPiece`] if it was all there, else in several as they come. Each says what message it
//! belongs to. A value of 64 MiB passes in pieces as large as the reads of the host, and a list of a million entries
//! leaves nothing behind but their number.
//!
//! What waits in a scanner, or is remembered by it, is the sum of: the head of a message (13 bytes of a reply, of a
//! request a name more), an array of up to 1 KiB or a name ([`Limits::name`](super::Limits)) of which the last bytes are
//! missing, a topology that is being received ([`Limits::members`](super::Limits), [`Limits::segments`](super::Limits),
//! at most 4 MiB of it), and the room for the next read (up to 64 KiB).
//!
//! The other limits are those of the decoders, and are held against what is announced before it is passed on. Texts that
//! may pass by unseen (of errors and filter factories) are not checked to be UTF-8; everything else that a decoder
//! refuses is refused here.

mod buffer;
mod replies;
mod requests;

pub use replies::{MessageKind, ReplyPiece, ReplyScanner};
pub use requests::{RequestPiece, RequestScanner, peek_request_head};
