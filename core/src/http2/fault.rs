//! What a peer has done wrong, and what ends with it.

use super::frame::FrameError;
use super::{ErrorCode, StreamId};

/// A violation by the peer (RFC 9113, 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The stream that ends; `None` if the connection does.
    pub(crate) stream: Option<StreamId>,
    pub(crate) code: ErrorCode,
    pub(crate) what: &'static str,
}

impl Fault {
    pub(crate) fn connection(code: ErrorCode, what: &'static str) -> Self {
        Self { stream: None, code, what }
    }

    pub(crate) fn protocol(what: &'static str) -> Self {
        Self::connection(ErrorCode::PROTOCOL_ERROR, what)
    }

    pub(crate) fn stream(stream: StreamId, code: ErrorCode, what: &'static str) -> Self {
        Self { stream: Some(stream), code, what }
    }

    /// RFC 9113, 8.1.1
    pub(crate) fn malformed(stream: StreamId, what: &'static str) -> Self {
        Self::stream(stream, ErrorCode::PROTOCOL_ERROR, what)
    }
}

impl From<FrameError> for Fault {
    fn from(error: FrameError) -> Self {
        Self { stream: error.stream, code: error.code, what: error.what }
    }
}
