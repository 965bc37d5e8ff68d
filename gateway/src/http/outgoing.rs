//! Output to a member, with positions.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use crate::pieces::Pieces;

/// Bytes for the member's socket. Positions count from the first byte ever pushed, without those removed again.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pieces: Pieces,
    /// Position behind the last byte.
    end: u64,
}

impl Outgoing {
    pub(super) fn push(&mut self, piece: Bytes) {
        self.end += piece.len() as u64;
        self.pieces.push(piece);
    }

    /// Number of unwritten bytes.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Memory in bytes.
    pub(super) fn memory(&mut self) -> usize {
        self.pieces.settle();
        self.pieces.memory()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Position behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Position up to which everything is written.
    pub(super) fn written(&self) -> u64 {
        self.end - self.pieces.len() as u64
    }

    /// Removes the bytes between two positions, none of which has been written.
    pub(super) fn take_back(&mut self, from: u64, to: u64) {
        let written = self.written();
        self.pieces.remove((from - written) as usize, (to - from) as usize);
        self.end -= to - from;
    }

    pub(super) fn poll_write(
        &mut self,
        member: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.pieces.poll_write_through(member, cx)
    }
}
