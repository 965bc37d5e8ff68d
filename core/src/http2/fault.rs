//! Protocol violations, and their scope.

use super::frame::FrameError;
use super::{ErrorCode, StreamId};

/// A violation by the peer (RFC 9113, 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Stream to reset; `None` for a connection error.
    pub(crate) stream: Option<StreamId>,
    pub(crate) code: ErrorCode,
    pub(crate) detail: &'static str,
}

impl Fault {
    pub(crate) fn connection(code: ErrorCode, detail: &'static str) -> Self {
        Self { stream: None, code, detail }
    }

    pub(crate) fn protocol(detail: &'static str) -> Self {
        Self::connection(ErrorCode::PROTOCOL_ERROR, detail)
    }

    pub(crate) fn stream(stream: StreamId, code: ErrorCode, detail: &'static str) -> Self {
        Self { stream: Some(stream), code, detail }
    }

    /// RFC 9113, 8.1.1.
    pub(crate) fn malformed(stream: StreamId, detail: &'static str) -> Self {
        Self::stream(stream, ErrorCode::PROTOCOL_ERROR, detail)
    }
}

impl From<FrameError> for Fault {
    fn from(error: FrameError) -> Self {
        Self { stream: error.stream, code: error.code, detail: error.detail }
    }
}
