//! What is wrong with a frame.

use core::fmt;

use super::head::{FrameHead, FrameKind};
use crate::http2::{ErrorCode, StreamId};

/// A frame that can't be, whatever the state of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameError {
    /// The stream that ends with it (RFC 9113, 5.4.2); `None` if the whole connection does (5.4.1).
    pub stream: Option<StreamId>,
    /// The code that the peer is told.
    pub code: ErrorCode,
    /// The frame's type.
    pub kind: FrameKind,
    /// What is wrong, in words.
    pub what: &'static str,
}

impl FrameError {
    pub(super) fn connection(head: &FrameHead, code: ErrorCode, what: &'static str) -> Self {
        Self { stream: None, code, kind: head.kind, what }
    }

    pub(super) fn stream(head: &FrameHead, code: ErrorCode, what: &'static str) -> Self {
        Self { stream: Some(head.stream), code, kind: head.kind, what }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.kind, self.what, self.code)
    }
}

impl core::error::Error for FrameError {}
