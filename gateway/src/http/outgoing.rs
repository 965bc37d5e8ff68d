//! What the member's socket is to take, and how far it has.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use crate::pieces::Pieces;

/// Octets for the member's socket. Positions count from the first one that was ever put here, without those taken back.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pieces: Pieces,
    /// The position behind the last one.
    end: u64,
}

impl Outgoing {
    pub(super) fn push(&mut self, piece: Bytes) {
        self.end += piece.len() as u64;
        self.pieces.push(piece);
    }

    /// Octets that wait.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes of memory that they take.
    pub(super) fn memory(&mut self) -> usize {
        self.pieces.settle();
        self.pieces.memory()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The position behind the last octet.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The position up to which the socket has taken everything.
    pub(super) fn written(&self) -> u64 {
        self.end - self.pieces.len() as u64
    }

    /// Takes back what stands from one position up to another, none of which has been written.
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
