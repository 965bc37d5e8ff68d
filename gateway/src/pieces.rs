//! A send buffer of pieces.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

/// Pieces in one vectored write.
const PIECES: usize = 32;

/// Queued pieces, none of them empty.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    queue: VecDeque<Bytes>,
    len: usize,
    /// Number of the last pieces that may share the buffer into which they were read.
    shared: usize,
}

/// Memory of a piece beside its bytes.
const PIECE: usize = 64;

impl Pieces {
    pub(crate) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.queue.push_back(piece);
            self.shared += 1;
        }
    }

    /// Copies the pieces out of the buffers into which they were read: a few bytes must not keep 64 KiB.
    pub(crate) fn settle(&mut self) {
        let shared = std::mem::take(&mut self.shared).min(self.queue.len());
        if shared > 0 {
            let pieces = self.queue.drain(self.queue.len() - shared..);
            let joined = pieces.fold(Vec::new(), |mut joined, piece| {
                joined.extend_from_slice(&piece);
                joined
            });
            self.queue.push_back(joined.into());
        }
    }

    /// Memory of all pieces in bytes, once they are [settled](Self::settle).
    pub(crate) fn memory(&self) -> usize {
        self.len + self.queue.len() * PIECE
    }

    /// Number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Writes until the stream accepts no more. Returns the number of bytes; pending if it is 0.
    pub(crate) fn poll_write(
        &mut self,
        mut to: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut total = 0;
        while !self.is_empty() {
            match poll_write_slices(to.as_mut(), self.queue.iter().map(|piece| &piece[..]), cx)? {
                Poll::Pending => break,
                Poll::Ready(taken) => {
                    self.advance(taken);
                    total += taken;
                }
            }
        }
        if total > 0 { Poll::Ready(Ok(total)) } else { Poll::Pending }
    }

    /// Writes as [`poll_write`](Self::poll_write) does, and flushes TLS.
    pub(crate) fn poll_write_through(
        &mut self,
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let written = self.poll_write(Pin::new(&mut *to), cx);
        if written.is_ready() {
            let _ = Pin::new(to).poll_flush(cx)?;
        }
        written
    }

    /// Takes at most `most` bytes of the first piece.
    pub(crate) fn take(&mut self, most: usize) -> Option<Bytes> {
        let count = self.queue.front()?.len().min(most);
        if count == 0 {
            return None;
        }
        let bytes = self.queue.front()?.slice(..count);
        self.advance(count);
        Some(bytes)
    }

    /// Removes `count` bytes behind the first `at`.
    pub(crate) fn remove(&mut self, at: usize, count: usize) {
        let (mut skip, mut left) = (at, count);
        let pieces = std::mem::take(&mut self.queue);
        for mut piece in pieces {
            let before = piece.split_to(skip.min(piece.len()));
            skip -= before.len();
            let taken = left.min(piece.len());
            piece.advance(taken);
            left -= taken;
            self.queue.extend([before, piece].into_iter().filter(|piece| !piece.is_empty()));
        }
        self.len -= count - left;
        self.shared = self.queue.len();
    }

    fn advance(&mut self, mut count: usize) {
        self.len -= count;
        while count > 0
            && let Some(piece) = self.queue.front_mut()
        {
            let part = piece.len().min(count);
            piece.advance(part);
            count -= part;
            if piece.is_empty() {
                self.queue.pop_front();
            }
        }
        if self.queue.is_empty() {
            // Frees the memory of an empty queue.
            self.queue = VecDeque::new();
        }
    }
}

/// Writes the first pieces in one vectored write.
pub(crate) fn poll_write_slices<'a>(
    to: Pin<&mut impl AsyncWrite>,
    pieces: impl Iterator<Item = &'a [u8]>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); PIECES];
    let mut count = 0;
    for (slice, piece) in slices.iter_mut().zip(pieces) {
        *slice = IoSlice::new(piece);
        count += 1;
    }
    match to.poll_write_vectored(cx, &slices[..count]) {
        Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_leaves_the_rest_in_order() {
        let all = b"0123456789";
        for at in 0..=all.len() {
            for count in 0..=all.len() - at {
                let mut pieces = Pieces::default();
                all.chunks(3).for_each(|piece| pieces.push(Bytes::copy_from_slice(piece)));
                pieces.remove(at, count);
                assert_eq!(pieces.len(), all.len() - count);
                let left: Vec<u8> = std::iter::from_fn(|| pieces.take(usize::MAX)).flatten().collect();
                assert_eq!(left, [&all[..at], &all[at + count..]].concat(), "{count} behind {at}");
            }
        }
    }
}
