//! RFC 9113, 4 and 6: the frame codec.

use bytes::{BufMut, Bytes};
use hotrod_core::http2::frame::{Frame, FrameDecoder, FrameError, FrameKind};
use hotrod_core::http2::{ErrorCode, SendBuffer, StreamId};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{content, frame};

pub(crate) fn written<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Bytes {
    let mut out = SendBuffer::new();
    for frame in frames {
        frame.write(&mut out).unwrap();
    }
    out.to_bytes()
}

/// Decodes `bytes` in chunks of these sizes, repeated.
pub(crate) fn read(bytes: &[u8], sizes: &[usize], in_place: bool) -> (Vec<Result<Frame, FrameError>>, usize) {
    let mut decoder = FrameDecoder::new(1 << 14);
    let (mut frames, mut rest, mut sizes) = (Vec::new(), bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap_or(&usize::MAX)));
        rest = after;
        if in_place {
            decoder.receive_buffer().put_slice(piece);
        } else {
            decoder.receive(piece);
        }
        frames.extend(std::iter::from_fn(|| decoder.poll()));
    }
    (frames, decoder.buffered())
}

proptest! {
    #[test]
    fn a_frame_is_read_as_it_was_written(frame in frame()) {
        let (frames, left) = read(&written([&frame]), &[], false);
        prop_assert_eq!(frames, [Ok(frame)]);
        prop_assert_eq!(left, 0);
    }

    #[test]
    fn frames_are_the_same_however_they_are_cut(
        frames in vec(frame(), 0..12),
        sizes in vec(prop_oneof![1usize..40, 1usize..20_000], 1..6),
        in_place: bool,
    ) {
        let (read, left) = read(&written(&frames), &sizes, in_place);
        prop_assert_eq!(read, frames.into_iter().map(Ok).collect::<Vec<_>>());
        prop_assert_eq!(left, 0);
    }

    #[test]
    fn any_bytes_are_read_the_same_however_they_are_cut(
        frames in vec(frame(), 0..4),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        sizes in vec(1usize..40, 1..6),
    ) {
        let mut bytes = written(&frames).to_vec();
        if !bytes.is_empty() {
            changes.iter().for_each(|(at, to)| { let at = at.index(bytes.len()); bytes[at] = *to; });
        }
        let (whole, left) = read(&bytes, &[], false);
        let (in_pieces, left_in_pieces) = read(&bytes, &sizes, false);
        prop_assert_eq!(&whole, &in_pieces);
        if !matches!(whole.last(), Some(Err(FrameError { stream: None, .. }))) {
            prop_assert_eq!(left, left_in_pieces);
        }
    }

    /// Padding is decoded but never written.
    #[test]
    fn padding_is_taken_away_and_counted(data in content(16_000), padding in 0u8..=255) {
        let mut bytes = vec![0, 0, 0, 0x00, 0x08, 0, 0, 0, 1, padding];
        bytes.extend_from_slice(&data);
        bytes.extend(std::iter::repeat_n(0, padding.into()));
        let length = (bytes.len() - 9) as u32;
        bytes[..3].copy_from_slice(&length.to_be_bytes()[1..]);
        let expected =
            Frame::Data { stream: StreamId::new(1), data, padding: u16::from(padding) + 1, end_stream: false };
        prop_assert_eq!(read(&bytes, &[], false).0, [Ok(expected)]);
    }
}

#[test]
fn payloads_are_slices_of_the_receive_buffer() {
    let frame = Frame::Data { stream: StreamId::new(1), data: vec![7; 100].into(), padding: 0, end_stream: false };
    let bytes = written([&frame, &frame]);
    let mut decoder = FrameDecoder::new(1 << 14);
    let buffer = decoder.receive_buffer();
    buffer.put_slice(&bytes);
    let range = buffer.as_ptr_range();
    for _ in 0..2 {
        let Some(Ok(Frame::Data { data, .. })) = decoder.poll() else { panic!("a frame") };
        assert!(range.contains(&data.as_ptr()));
    }
}

/// RFC 9113, 4.2: the length is known from the head.
#[test]
fn a_frame_longer_than_allowed_is_refused_by_its_head_after_those_before_it() {
    let ping = Frame::Ping { ack: false, opaque: 7 };
    let mut bytes = written([&ping]).to_vec();
    bytes.extend_from_slice(&[0, 0x40, 1, 0xf0, 0, 0, 0, 0, 1]);
    let error = FrameError {
        stream: None,
        code: ErrorCode::FRAME_SIZE_ERROR,
        kind: FrameKind(0xf0),
        detail: "the payload is longer than allowed",
    };
    assert_eq!(read(&bytes, &[], false).0, [Ok(ping), Err(error)]);
    assert_eq!(error.to_string(), "frame type 0xf0: the payload is longer than allowed (FRAME_SIZE_ERROR)");
}

/// RFC 9113, 5.4.1.
#[test]
fn nothing_follows_an_error_of_the_connection() {
    let mut decoder = FrameDecoder::new(1 << 14);
    decoder.receive(&[0, 0, 0, 0x06, 0, 0, 0, 0, 0]);
    decoder.receive(&written([&Frame::SettingsAck]));
    assert!(matches!(decoder.poll(), Some(Err(FrameError { stream: None, .. }))));
    assert_eq!(decoder.poll(), None);
}

/// RFC 9113, 5.4.2.
#[test]
fn an_error_of_a_stream_stands_in_the_place_of_its_frame() {
    let mut bytes = vec![0, 0, 1, 0x02, 0, 0, 0, 0, 5, 0];
    bytes.extend_from_slice(&written([&Frame::SettingsAck]));
    let (frames, _) = read(&bytes, &[], false);
    assert!(matches!(frames[..], [Err(FrameError { stream: Some(_), .. }), Ok(Frame::SettingsAck)]), "{frames:?}");
}

#[test]
fn a_payload_that_no_frame_can_have_is_not_written() {
    let frame = Frame::Data { stream: StreamId::new(1), data: vec![0; 1 << 24].into(), padding: 0, end_stream: true };
    let mut out = SendBuffer::new();
    assert_eq!(frame.write(&mut out).unwrap_err().size, 1 << 24);
    assert!(out.is_empty());
}
