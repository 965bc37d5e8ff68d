//! The first octets of a tunnel, which tell what it carries.

use std::collections::VecDeque;

use bytes::Bytes;
use hotrod_core::carriage::{Detected, detect};

/// Octets after which it is known what they begin: those of HTTP/2's preface.
const ENOUGH: usize = 24;

/// What a tunnel's client has sent before it is known what that is.
#[derive(Debug, Default)]
pub(super) struct Begins {
    pieces: VecDeque<Bytes>,
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
        self.pieces.push_back(bytes);
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

    pub(super) fn held(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// Hands everything on. Answers whether the client has ended its half.
    pub(super) fn hand_on(self, take: impl FnMut(Bytes)) -> bool {
        self.pieces.into_iter().for_each(take);
        self.is_finished
    }
}
