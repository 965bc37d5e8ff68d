//! The first octets of a tunnel, which tell what it carries.

use bytes::Bytes;
use hotrod_core::carriage::{Detected, detect};

use crate::pieces::Pieces;

/// Octets after which it is known what they begin: those of HTTP/2's preface.
const ENOUGH: usize = 24;

/// What a tunnel's client has sent before it is known what that is.
#[derive(Debug, Default)]
pub(super) struct Begins {
    pieces: Pieces,
    first: Vec<u8>,
    /// The client has ended its half.
    pub(super) is_finished: bool,
}

/// What a tunnel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    HotRod,
    Http2,
    /// Nothing that it may.
    Nothing,
}

impl Begins {
    pub(super) fn push(&mut self, bytes: Bytes) {
        let missing = ENOUGH.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..missing]);
        self.pieces.push(bytes);
    }

    /// What it is, once that is known.
    pub(super) fn carries(&self) -> Option<Carries> {
        let detected = if self.first.is_empty() { Detected::NeedMore } else { detect(&self.first) };
        match detected {
            Detected::NeedMore => self.is_finished.then_some(Carries::Nothing),
            Detected::HotRod => Some(Carries::HotRod),
            Detected::Http2 => Some(Carries::Http2),
            _ => Some(Carries::Nothing),
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&mut self) -> usize {
        self.pieces.settle();
        self.pieces.memory()
    }

    /// Hands everything on. Answers whether the client has ended its half.
    pub(super) fn hand_on(mut self, take: impl FnMut(Bytes)) -> bool {
        std::iter::from_fn(|| self.pieces.take(usize::MAX)).for_each(take);
        self.is_finished
    }
}
