//! State of one stream.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use super::flow::{ReceiveWindow, SendWindow};
use super::hpack::Field;

/// Receiving half of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// Expects the response.
    Head,
    /// Expects DATA or trailers.
    Body,
    /// END_STREAM was received.
    Done,
}

/// Sending half of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// The response is not sent yet.
    Head,
    /// DATA or trailers may follow.
    Body,
    /// END_STREAM is queued behind the remaining content.
    Last,
    /// END_STREAM is written.
    Done,
}

/// Position of a stream in the round robin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScheduleState {
    /// No output, or no send window of its own.
    None,
    /// Queued for its turn.
    Queued,
    /// Blocked by the connection's send window.
    Blocked,
}

/// A stream that is open or half-closed.
///
/// The states of RFC 9113, 5.1 are pairs: open is `Receiving` not `Done` and `Sending` not `Done`; half-closed
/// (remote) is `Receiving::Done`; half-closed (local) is `Sending::Done`; a stream with both is closed and removed.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) receiving: Receiving,
    pub(crate) sending: Sending,
    pub(crate) receive_window: ReceiveWindow,
    pub(crate) send_window: SendWindow,
    /// DATA accepted and not yet written.
    pub(crate) queue: VecDeque<Bytes>,
    /// Length of the queue in bytes.
    pub(crate) queued: usize,
    /// Trailers to write behind the queue.
    pub(crate) trailers: Option<Vec<Field>>,
    pub(crate) schedule: ScheduleState,
    /// Capacity at which the application is notified.
    pub(crate) wants_capacity: Option<usize>,
    /// Remaining bytes of DATA according to `content-length`.
    pub(crate) content_left: Option<u64>,
    /// Whether the request's method is HEAD.
    pub(crate) is_head: bool,
    /// Whether the stream is a tunnel, without trailers and length: a CONNECT request that was not refused.
    pub(crate) is_connect: bool,
    /// Whether the application has marked it.
    pub(crate) is_marked: bool,
}

impl Stream {
    pub(crate) fn new(
        receiving: Receiving,
        sending: Sending,
        receive_window: ReceiveWindow,
        send_window: SendWindow,
    ) -> Self {
        Self {
            receiving,
            sending,
            receive_window,
            send_window,
            queue: VecDeque::new(),
            queued: 0,
            trailers: None,
            schedule: ScheduleState::None,
            wants_capacity: None,
            content_left: None,
            is_head: false,
            is_connect: false,
            is_marked: false,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.receiving == Receiving::Done && self.sending == Sending::Done
    }

    /// Whether output waits to be written.
    pub(crate) fn has_output(&self) -> bool {
        self.queued > 0 || self.sending == Sending::Last
    }

    /// Counts DATA against `content-length`; false if it is exceeded.
    pub(crate) fn count_content(&mut self, bytes: usize) -> bool {
        match &mut self.content_left {
            None => true,
            Some(left) => match left.checked_sub(bytes as u64) {
                Some(fewer) => {
                    *left = fewer;
                    true
                }
                None => false,
            },
        }
    }

    /// Whether `content-length` is reached exactly.
    pub(crate) fn content_is_complete(&self) -> bool {
        self.content_left.is_none_or(|left| left == 0)
    }
}
