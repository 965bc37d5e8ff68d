//! Parses payloads.

use bytes::{Buf, Bytes};
use nom::combinator::all_consuming;
use nom::error::Error;
use nom::number::complete::{be_u8, be_u32, be_u64};
use nom::{IResult, Parser};

use super::error::FrameError;
use super::head::{FrameHead, FrameKind, flag};
use super::{Frame, Priority, SettingsPayload};
use crate::http2::settings;
use crate::http2::{ErrorCode, StreamId};

/// Encoded size of a setting, in bytes.
pub(super) const SETTING_SIZE: usize = 6;
/// Encoded size of a priority signal, in bytes.
const PRIORITY_SIZE: usize = 5;

/// Parses a frame whose payload has a fixed size, if `head` announces one, without taking the payload out of its
/// buffer.
pub(super) fn fixed(head: &FrameHead, payload: &[u8]) -> Option<Result<Frame, FrameError>> {
    match head.kind {
        FrameKind::PRIORITY => Some(priority_frame(head, payload)),
        FrameKind::RST_STREAM => Some(rst_stream(head, payload)),
        FrameKind::PING => Some(ping(head, payload)),
        FrameKind::WINDOW_UPDATE => Some(window_update(head, payload)),
        _ => None,
    }
}

/// Parses any other frame into slices of `payload`.
pub(super) fn variable(head: &FrameHead, payload: Bytes) -> Result<Frame, FrameError> {
    match head.kind {
        FrameKind::DATA => data(head, payload),
        FrameKind::HEADERS => headers(head, payload),
        FrameKind::SETTINGS => settings(head, payload),
        FrameKind::PUSH_PROMISE => push_promise(head, payload),
        FrameKind::GOAWAY => goaway(head, payload),
        FrameKind::CONTINUATION => {
            on_stream(head)?;
            Ok(Frame::Continuation { stream: head.stream, fragment: payload, end_headers: head.has(flag::END_HEADERS) })
        }
        kind => Ok(Frame::Extension { stream: head.stream, kind, flags: head.flags, payload }),
    }
}

/// Parses DATA (RFC 9113, 6.1).
fn data(head: &FrameHead, mut payload: Bytes) -> Result<Frame, FrameError> {
    on_stream(head)?;
    let padding = unpad(head, &mut payload)?;
    Ok(Frame::Data { stream: head.stream, data: payload, padding, end_stream: head.has(flag::END_STREAM) })
}

/// Parses HEADERS (RFC 9113, 6.2).
fn headers(head: &FrameHead, mut payload: Bytes) -> Result<Frame, FrameError> {
    on_stream(head)?;
    unpad(head, &mut payload)?;
    let priority = if head.has(flag::PRIORITY) {
        let (_, priority) = priority(&payload).map_err(|_| wrong_size(head))?;
        payload.advance(PRIORITY_SIZE);
        Some(priority)
    } else {
        None
    };
    Ok(Frame::Headers {
        stream: head.stream,
        priority,
        fragment: payload,
        end_stream: head.has(flag::END_STREAM),
        end_headers: head.has(flag::END_HEADERS),
    })
}

/// Parses PRIORITY (RFC 9113, 6.3): a wrong length is a stream error.
fn priority_frame(head: &FrameHead, payload: &[u8]) -> Result<Frame, FrameError> {
    on_stream(head)?;
    let priority = exactly(priority, payload)
        .ok_or_else(|| FrameError::stream(head, ErrorCode::FRAME_SIZE_ERROR, "the payload is not 5 octets long"))?;
    if priority.dependency == head.stream {
        return Err(FrameError::stream(head, ErrorCode::PROTOCOL_ERROR, "the stream depends on itself"));
    }
    Ok(Frame::Priority { stream: head.stream, priority })
}

fn priority(input: &[u8]) -> IResult<&[u8], Priority> {
    let (rest, (word, weight)) = (be_u32, be_u8).parse(input)?;
    let priority =
        Priority { dependency: StreamId::new(word), exclusive: word >> 31 == 1, weight: u16::from(weight) + 1 };
    Ok((rest, priority))
}

/// Parses RST_STREAM (RFC 9113, 6.4).
fn rst_stream(head: &FrameHead, payload: &[u8]) -> Result<Frame, FrameError> {
    on_stream(head)?;
    let code = exactly(be_u32::<_, Error<&[u8]>>, payload).ok_or_else(|| wrong_size(head))?;
    Ok(Frame::RstStream { stream: head.stream, code: ErrorCode(code) })
}

/// Parses SETTINGS (RFC 9113, 6.5).
fn settings(head: &FrameHead, payload: Bytes) -> Result<Frame, FrameError> {
    on_connection(head)?;
    if head.has(flag::ACK) {
        return if payload.is_empty() { Ok(Frame::SettingsAck) } else { Err(wrong_size(head)) };
    }
    if !payload.len().is_multiple_of(SETTING_SIZE) {
        return Err(wrong_size(head));
    }
    let payload = SettingsPayload(payload);
    for (id, value) in payload.iter() {
        settings::check(id, value).map_err(|(code, detail)| FrameError::connection(head, code, detail))?;
    }
    Ok(Frame::Settings(payload))
}

/// Parses PUSH_PROMISE (RFC 9113, 6.6). A server's streams have even identifiers, and only a server pushes.
fn push_promise(head: &FrameHead, mut payload: Bytes) -> Result<Frame, FrameError> {
    on_stream(head)?;
    unpad(head, &mut payload)?;
    let (_, promised) = be_u32::<_, Error<&[u8]>>(&payload[..]).map_err(|_| wrong_size(head))?;
    payload.advance(4);
    let promised = StreamId::new(promised);
    if promised.is_connection() || promised.is_client_initiated() {
        let detail = "the promised stream is not one that a server can open";
        return Err(FrameError::connection(head, ErrorCode::PROTOCOL_ERROR, detail));
    }
    let end_headers = head.has(flag::END_HEADERS);
    Ok(Frame::PushPromise { stream: head.stream, promised, fragment: payload, end_headers })
}

/// Parses PING (RFC 9113, 6.7).
fn ping(head: &FrameHead, payload: &[u8]) -> Result<Frame, FrameError> {
    on_connection(head)?;
    let opaque = exactly(be_u64::<_, Error<&[u8]>>, payload).ok_or_else(|| wrong_size(head))?;
    Ok(Frame::Ping { ack: head.has(flag::ACK), opaque })
}

/// Parses GOAWAY (RFC 9113, 6.8).
fn goaway(head: &FrameHead, mut payload: Bytes) -> Result<Frame, FrameError> {
    on_connection(head)?;
    let (_, (last_stream, code)) =
        (be_u32::<_, Error<&[u8]>>, be_u32).parse(&payload[..]).map_err(|_| wrong_size(head))?;
    payload.advance(8);
    Ok(Frame::GoAway { last_stream: StreamId::new(last_stream), code: ErrorCode(code), debug: payload })
}

/// Parses WINDOW_UPDATE (RFC 9113, 6.9): an increment of 0 is a stream error, or a connection error on stream 0.
fn window_update(head: &FrameHead, payload: &[u8]) -> Result<Frame, FrameError> {
    let increment = exactly(be_u32::<_, Error<&[u8]>>, payload).ok_or_else(|| wrong_size(head))? & 0x7fff_ffff;
    if increment == 0 {
        let detail = "the increment is 0";
        return Err(if head.stream.is_connection() {
            FrameError::connection(head, ErrorCode::PROTOCOL_ERROR, detail)
        } else {
            FrameError::stream(head, ErrorCode::PROTOCOL_ERROR, detail)
        });
    }
    Ok(Frame::WindowUpdate { stream: head.stream, increment })
}

/// Removes the padding and returns its length with the length field (RFC 9113, 6.1).
fn unpad(head: &FrameHead, payload: &mut Bytes) -> Result<u16, FrameError> {
    if !head.has(flag::PADDED) {
        return Ok(0);
    }
    let Some(&padding) = payload.first() else { return Err(wrong_size(head)) };
    payload.advance(1);
    match payload.len().checked_sub(padding.into()) {
        Some(left) => {
            payload.truncate(left);
            Ok(u16::from(padding) + 1)
        }
        None => Err(FrameError::connection(head, ErrorCode::PROTOCOL_ERROR, "the padding is longer than the payload")),
    }
}

fn exactly<'a, T>(parser: impl Parser<&'a [u8], Output = T, Error = Error<&'a [u8]>>, payload: &'a [u8]) -> Option<T> {
    all_consuming(parser).parse(payload).ok().map(|(_, value)| value)
}

fn on_stream(head: &FrameHead) -> Result<(), FrameError> {
    if head.stream.is_connection() {
        return Err(FrameError::connection(head, ErrorCode::PROTOCOL_ERROR, "it must be on a stream, and is on none"));
    }
    Ok(())
}

fn on_connection(head: &FrameHead) -> Result<(), FrameError> {
    if head.stream.is_connection() {
        return Ok(());
    }
    Err(FrameError::connection(head, ErrorCode::PROTOCOL_ERROR, "it must not be on a stream"))
}

fn wrong_size(head: &FrameHead) -> FrameError {
    FrameError::connection(head, ErrorCode::FRAME_SIZE_ERROR, "the payload has a wrong size")
}
