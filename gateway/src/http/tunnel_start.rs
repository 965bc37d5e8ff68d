//! The first bytes of a tunnel, which decide its protocol.

use bytes::Bytes;
use hotrod_core::carriage::{Detected, detect};

use crate::pieces::Pieces;

/// Number of bytes that decide the protocol: the length of the HTTP/2 preface.
const ENOUGH: usize = 24;

/// Bytes of a tunnel whose protocol is not known yet.
#[derive(Debug, Default)]
pub(super) struct TunnelStart {
    pieces: Pieces,
    first: Vec<u8>,
    /// Whether the client has ended its half of the stream.
    pub(super) is_finished: bool,
}

/// Protocol within a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TunnelProtocol {
    HotRod,
    Http2,
    /// Another protocol, or none.
    Other,
}

impl TunnelStart {
    pub(super) fn push(&mut self, bytes: Bytes) {
        let missing = ENOUGH.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..missing]);
        self.pieces.push(bytes);
    }

    /// The protocol, once it is known.
    pub(super) fn protocol(&self) -> Option<TunnelProtocol> {
        let detected = if self.first.is_empty() { Detected::NeedMore } else { detect(&self.first) };
        match detected {
            Detected::NeedMore => self.is_finished.then_some(TunnelProtocol::Other),
            Detected::HotRod => Some(TunnelProtocol::HotRod),
            Detected::Http2 => Some(TunnelProtocol::Http2),
            _ => Some(TunnelProtocol::Other),
        }
    }

    /// Memory in bytes.
    pub(super) fn memory(&mut self) -> usize {
        self.pieces.settle();
        self.pieces.memory()
    }

    /// Passes all bytes to `take`. Returns whether the client has ended its half of the stream.
    pub(super) fn pass_on(mut self, take: impl FnMut(Bytes)) -> bool {
        std::iter::from_fn(|| self.pieces.take(usize::MAX)).for_each(take);
        self.is_finished
    }
}
