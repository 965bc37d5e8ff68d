//! Decodes one stream as a whole and in chunks.

use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::{BufMut, BytesMut};

use super::input::Input;
use crate::wire::{
    Incoming, Limits, ReplyContext, ReplyDecoder, Request, RequestDecoder, RequestFault, RequestHeader, Violation,
};

/// Common interface of the decoders.
pub(super) trait Decoder {
    type Message: Debug + PartialEq;

    fn receive(&mut self, bytes: &[u8]);
    fn buffer(&mut self) -> &mut BytesMut;
    fn poll(&mut self) -> Option<Self::Message>;
    fn buffered(&self) -> usize;
    fn is_last(message: &Self::Message) -> bool;
}

/// Reply decoder with the contexts of its message ids.
pub(super) struct Replies<F> {
    pub(super) decoder: ReplyDecoder,
    pub(super) in_flight: F,
}

impl<F: Fn(u64) -> Option<ReplyContext>> Decoder for Replies<F> {
    type Message = Result<Incoming, Violation>;

    fn receive(&mut self, bytes: &[u8]) {
        self.decoder.receive(bytes);
    }

    fn buffer(&mut self) -> &mut BytesMut {
        self.decoder.receive_buffer()
    }

    fn poll(&mut self) -> Option<Self::Message> {
        self.decoder.poll(&self.in_flight)
    }

    fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    fn is_last(message: &Self::Message) -> bool {
        message.is_err()
    }
}

impl Decoder for RequestDecoder {
    type Message = Result<(RequestHeader, Request), RequestFault>;

    fn receive(&mut self, bytes: &[u8]) {
        self.receive(bytes);
    }

    fn buffer(&mut self) -> &mut BytesMut {
        self.receive_buffer()
    }

    fn poll(&mut self) -> Option<Self::Message> {
        self.poll()
    }

    fn buffered(&self) -> usize {
        self.buffered()
    }

    fn is_last(message: &Self::Message) -> bool {
        message.is_err()
    }
}

/// Chunking of a stream.
pub(super) struct Pieces {
    sizes: Vec<usize>,
    /// Writes straight into the receive buffer.
    in_place: bool,
    /// Polls only after the last chunk.
    late: bool,
}

impl Pieces {
    pub(super) const WHOLE: Self = Self { sizes: Vec::new(), in_place: false, late: false };

    pub(super) fn choose(input: &mut Input<'_>) -> Self {
        let how = input.byte();
        let sizes = input.slice((how & 7).into()).iter().map(|byte| match byte {
            small @ 0..192 => usize::from(*small) + 1,
            large => (usize::from(*large) - 190) * 128,
        });
        let mut sizes: Vec<_> = sizes.collect();
        if sizes.is_empty() {
            sizes.push(1);
        }
        Self { sizes, in_place: how & 8 != 0, late: how & 16 != 0 }
    }

    pub(super) fn are_in_place(&self) -> bool {
        self.in_place
    }

    /// Chunks of the stream, each with whether to poll after it.
    pub(super) fn of<'a>(&'a self, mut left: &'a [u8]) -> impl Iterator<Item = (&'a [u8], bool)> {
        let mut sizes = self.sizes.iter().cycle();
        core::iter::from_fn(move || {
            let size = sizes.next().map_or(left.len(), |size| (*size).min(left.len()));
            let piece = left.split_off(..size).filter(|piece| !piece.is_empty())?;
            Some((piece, !self.late || left.is_empty()))
        })
    }
}

/// Small limits that an input can reach, or the default ones.
pub(super) fn limits(small: bool) -> Limits {
    if !small {
        return Limits::default();
    }
    Limits {
        message: 4096,
        key: 64,
        value: 1024,
        cache_name: 64,
        name: 64,
        error_message: 64,
        entries: 16,
        members: 8,
        segments: 64,
        parameters: 4,
    }
}

/// Decodes a stream: returns the messages, and the number of undecoded bytes unless the last message ends the stream.
fn decode<D: Decoder>(mut decoder: D, bytes: &[u8], pieces: &Pieces) -> (Vec<D::Message>, Option<usize>) {
    let mut messages = Vec::new();
    for (piece, look) in pieces.of(bytes) {
        if pieces.in_place {
            decoder.buffer().put_slice(piece);
        } else {
            decoder.receive(piece);
        }
        while look && let Some(message) = decoder.poll() {
            messages.push(message);
        }
    }
    let failed = messages.last().is_some_and(D::is_last);
    assert!(failed || messages.len() <= bytes.len(), "more messages than bytes");
    (messages, (!failed).then(|| decoder.buffered()))
}

/// Decodes `bytes` as a whole and in chunks, and asserts equal results.
pub(super) fn decode_both_ways<D: Decoder>(new: impl Fn() -> D, bytes: &[u8], pieces: &Pieces) -> Vec<D::Message> {
    let whole = decode(new(), bytes, &Pieces::WHOLE);
    let in_pieces = decode(new(), bytes, pieces);
    assert_eq!(whole, in_pieces, "whole and in pieces");
    whole.0
}
