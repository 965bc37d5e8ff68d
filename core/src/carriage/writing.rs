//! Hot Rod's frames on their way into a connection.

use super::frame::CALL_ID;
use super::outgoing::Next;
use crate::http2::frame::FrameKind;
use crate::http2::{Connection, StreamId};
use crate::wire::SendBuffer;

/// Octets waiting on a link above which no more fragments are written: a whole message must not wait behind megabytes.
pub(super) const ENOUGH: usize = 32 << 10;

/// Octets waiting on a link above which no more messages are written, not even whole ones.
pub(super) const FULL: usize = 256 << 10;

/// Octets of the largest message that travels in one frame.
pub(super) fn largest_whole(connection: &Connection) -> usize {
    let most = connection.peer_settings().map_or(0, |settings| settings.max_frame_size as usize);
    most.saturating_sub(CALL_ID)
}

/// CREDIT or CANCEL: the call, and a number. Nothing is written on a stream that takes no more.
pub(super) fn put_numbers(connection: &mut Connection, stream: StreamId, kind: u8, flags: u8, numbers: [u32; 2]) {
    if let Ok(out) = connection.extension(stream, FrameKind(kind), flags, 8) {
        numbers.into_iter().for_each(|number| out.put_i32(number as i32));
    }
}

/// REQUEST, RESPONSE or EVENT up to the fragment, whose `length` octets the caller puts behind it; `None` on a stream that
/// takes no more.
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

/// A fragment. Answers where it ends in what the link sends.
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
