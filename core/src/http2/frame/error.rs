//! Frame errors.

use core::fmt;

use super::head::{FrameHead, FrameKind};
use crate::http2::{ErrorCode, StreamId};

/// Error for a frame that is invalid in every state of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameError {
    /// Stream to reset (RFC 9113, 5.4.2); `None` for a connection error (5.4.1).
    pub stream: Option<StreamId>,
    /// Error code to send to the peer.
    pub code: ErrorCode,
    /// Type of the frame.
    pub kind: FrameKind,
    /// Description of the error.
    pub detail: &'static str,
}

impl FrameError {
    pub(super) fn connection(head: &FrameHead, code: ErrorCode, detail: &'static str) -> Self {
        Self { stream: None, code, kind: head.kind, detail }
    }

    pub(super) fn stream(head: &FrameHead, code: ErrorCode, detail: &'static str) -> Self {
        Self { stream: Some(head.stream), code, kind: head.kind, detail }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.kind, self.detail, self.code)
    }
}

impl core::error::Error for FrameError {}
