//! Writing of Hot Rod frames to a connection.

use super::frame::CALL_ID;
use super::outgoing::Next;
use crate::http2::frame::FrameKind;
use crate::http2::{Connection, StreamId};
use crate::wire::SendBuffer;

/// Unsent bytes of a link above which no fragment is written, so that a message in one frame does not wait for
/// megabytes.
pub(super) const FRAGMENT_HIGH_WATER: usize = 32 << 10;

/// Unsent bytes of a link above which no message is written, even in one frame.
pub(super) const MESSAGE_HIGH_WATER: usize = 256 << 10;

/// Returns the size in bytes of the largest message that fits one frame.
pub(super) fn largest_whole(connection: &Connection) -> usize {
    let most = connection.peer_settings().map_or(0, |settings| settings.max_frame_size as usize);
    most.saturating_sub(CALL_ID)
}

/// Writes CREDIT or CANCEL: the call, and an increment or code. Nothing is written on a closed stream.
pub(super) fn put_numbers(connection: &mut Connection, stream: StreamId, kind: u8, flags: u8, numbers: [u32; 2]) {
    if let Ok(out) = connection.extension(stream, FrameKind(kind), flags, 8) {
        numbers.into_iter().for_each(|number| out.put_i32(number as i32));
    }
}

/// Writes the head of REQUEST, RESPONSE or EVENT; the caller appends the `length` bytes of the fragment. `None` on a
/// closed stream.
pub(super) fn put_head(
    connection: &mut Connection,
    stream: StreamId,
    kind: u8,
    flags: u8,
    call: u32,
    length: usize,
) -> Option<&mut SendBuffer> {
    let out = connection.extension(stream, FrameKind(kind), flags, CALL_ID + length).ok()?;
    out.put_i32(call as i32);
    Some(out)
}

/// Writes a fragment. Returns the offset of its end in the link's output.
pub(super) fn put_fragment(
    connection: &mut Connection,
    stream: StreamId,
    kind: u8,
    flags: u8,
    next: &Next,
) -> Option<u64> {
    let out = put_head(connection, stream, kind, flags, next.call, next.length)?;
    next.pieces.iter().for_each(|piece| out.put_raw(piece));
    Some(out.end())
}
