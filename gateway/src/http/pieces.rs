//! Bytes on their way to a socket, in the pieces in which they came.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

/// Pieces in one vectored write.
const AT_ONCE: usize = 32;

/// Pieces that wait, oldest first.
#[derive(Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Pieces {
    /// Bytes in all of them.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    /// Writes what a socket takes; ready with how much that was.
    pub(super) fn poll_write(
        &mut self,
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let written = poll_write_slices(to, self.pieces.iter().map(|piece| &piece[..]), cx);
        if let Poll::Ready(Ok(count)) = written {
            self.advance(count);
            // Whatever TLS still holds goes with the next one, or now.
            let _ = Pin::new(to).poll_flush(cx)?;
        }
        written
    }

    fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        while count > 0
            && let Some(piece) = self.pieces.front_mut()
        {
            let part = piece.len().min(count);
            piece.advance(part);
            count -= part;
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
    }
}

/// One vectored write of the first pieces.
pub(super) fn poll_write_slices<'a>(
    to: &mut (impl AsyncWrite + Unpin),
    pieces: impl Iterator<Item = &'a [u8]>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); AT_ONCE];
    let mut count = 0;
    for (slice, piece) in slices.iter_mut().zip(pieces) {
        *slice = IoSlice::new(piece);
        count += 1;
    }
    Pin::new(to).poll_write_vectored(cx, &slices[..count])
}
