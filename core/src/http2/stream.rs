//! One stream.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use super::flow::{ReceiveWindow, SendWindow};
use super::hpack::Field;

/// What is still to come of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// The response.
    Head,
    /// DATA or trailers.
    Body,
    /// Nothing: its END_STREAM came.
    Done,
}

/// What is still to go to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// The response.
    Head,
    /// DATA or trailers.
    Body,
    /// What is queued, and with it END_STREAM.
    Last,
    /// Nothing: END_STREAM is written.
    Done,
}

/// Where a stream stands in the order of those that have something to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing to send, or no window of its own.
    None,
    /// It will have its turn.
    Queued,
    /// It could send if the connection had a window.
    WaitsForConnection,
}

/// A stream that is open, in part or whole.
///
/// The states of RFC 9113, 5.1 are pairs here: open is `Receiving` not `Done` and `Sending` not `Done`; half-closed
/// (remote) is `Receiving::Done`; half-closed (local) is `Sending::Done`; with both it is closed and not kept.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) receiving: Receiving,
    pub(crate) sending: Sending,
    pub(crate) receive_window: ReceiveWindow,
    pub(crate) send_window: SendWindow,
    /// DATA taken of the application and not yet written.
    pub(crate) queue: VecDeque<Bytes>,
    /// Octets in the queue.
    pub(crate) queued: usize,
    /// To be written behind the queue.
    pub(crate) trailers: Option<Vec<Field>>,
    pub(crate) turn: Turn,
    /// The capacity at which the application is told that it can send again.
    pub(crate) wants_capacity: Option<usize>,
    /// Octets of DATA that are still to come, where `content-length` says so.
    pub(crate) content_left: Option<u64>,
    /// The request's method is HEAD.
    pub(crate) is_head: bool,
    /// The request's method is CONNECT, and it has not been refused: a tunnel, which has no trailers and no length.
    pub(crate) is_connect: bool,
    /// The application has marked it.
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
            turn: Turn::None,
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

    /// Whether there is something that waits to be written.
    pub(crate) fn has_output(&self) -> bool {
        self.queued > 0 || self.sending == Sending::Last
    }

    /// Counts DATA against `content-length`; false if there is too much.
    pub(crate) fn count_content(&mut self, octets: usize) -> bool {
        match &mut self.content_left {
            None => true,
            Some(left) => match left.checked_sub(octets as u64) {
                Some(fewer) => {
                    *left = fewer;
                    true
                }
                None => false,
            },
        }
    }

    /// Whether as much DATA came as `content-length` says.
    pub(crate) fn content_is_complete(&self) -> bool {
        self.content_left.is_none_or(|left| left == 0)
    }
}
