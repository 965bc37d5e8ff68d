//! Client side of the calls of one session.

use alloc::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};

use super::credit::{ReceiveWindow, SendWindow};
use super::frame::Fragment;
use super::outgoing::Outgoing;
use super::registry::{HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_UNKNOWN_CALL};
use super::terms::{Offer, check_opened};
use crate::http2::ErrorCode;

/// Open calls of a session, and the messages that are being sent and received in fragments.
#[derive(Debug)]
pub(super) struct Calls {
    /// Message id of the newest call. A call's id is the lower half of its message id.
    newest: u64,
    /// Open calls in the order in which they began. Most are answered in that order.
    open: VecDeque<Open>,
    pub(super) requests: Outgoing,
    /// Responses received in part.
    responses: BTreeMap<u32, Partial>,
    /// The event received in part.
    event: Option<BytesMut>,
    /// Number of the newest event.
    newest_event: u32,
    event_window: ReceiveWindow,
    /// Bytes of events received while events are paused.
    withheld: usize,
    /// While set, events get no further credit.
    is_paused: bool,
    own: Offer,
}

#[derive(Debug)]
struct Open {
    message: u64,
    /// The client sent CANCEL; the endpoint has not confirmed it yet.
    is_cancelled: bool,
}

/// A message received in part.
#[derive(Debug)]
struct Partial {
    bytes: BytesMut,
    /// Bytes received, including those of a cancelled call, which are dropped.
    size: usize,
    window: ReceiveWindow,
}

/// Effects of a received fragment.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The message, if the fragment completed one.
    pub(super) message: Option<Bytes>,
    /// Call and increment of the CREDIT to send; call 0 stands for events.
    pub(super) grant: Option<(u32, u32)>,
    /// Message id of the call that this fragment completed.
    pub(super) answered: Option<u64>,
    /// Bytes of the request that were dropped unsent.
    pub(super) dropped: usize,
}

/// State of a response after a fragment.
enum Collected {
    Complete(Bytes),
    /// An incomplete response, with the credit to grant for the rest.
    Incomplete(Option<u32>),
}

/// A call that the endpoint has closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// The call's message id.
    pub(super) message: u64,
    /// Unset for a call that the client cancelled.
    pub(super) is_awaited: bool,
    /// Bytes of the request that were dropped unsent.
    pub(super) dropped: usize,
}

impl Calls {
    pub(super) fn new(own: Offer) -> Self {
        Self {
            newest: 0,
            open: VecDeque::new(),
            requests: Outgoing::default(),
            responses: BTreeMap::new(),
            event: None,
            newest_event: 0,
            event_window: ReceiveWindow::new(own.initial_credit),
            withheld: 0,
            is_paused: false,
            own,
        }
    }

    /// Number of open calls, including cancelled ones.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Opens a call. Message ids ascend.
    pub(super) fn begin(&mut self, message: u64) {
        self.newest = message;
        self.open.push_back(Open { message, is_cancelled: false });
    }

    /// Opens a call whose message is sent in fragments, after an empty first one.
    pub(super) fn begin_in_fragments(
        &mut self,
        message: u64,
        urgency: u8,
        send_window: SendWindow,
        pieces: VecDeque<Bytes>,
    ) {
        self.begin(message);
        self.requests.push_begun(message as u32, urgency, send_window, pieces);
    }

    /// Returns the message id of a call.
    pub(super) fn message_of(&self, call: u32) -> u64 {
        let newest = self.newest;
        let same_half = newest & !u64::from(u32::MAX) | u64::from(call);
        if same_half > newest { same_half.saturating_sub(1 << 32) } else { same_half }
    }

    fn index_of(&self, call: u32) -> Option<usize> {
        let message = self.message_of(call);
        match self.open.front() {
            Some(first) if first.message == message => Some(0),
            _ => self.open.binary_search_by_key(&message, |open| open.message).ok(),
        }
    }

    /// Cancels a call. Returns the bytes of its request that were dropped, or `None` if it is not open or already
    /// cancelled.
    pub(super) fn cancel(&mut self, call: u32) -> Option<usize> {
        let index = self.index_of(call)?;
        let open = self.open.get_mut(index).filter(|open| !open.is_cancelled)?;
        open.is_cancelled = true;
        Some(self.requests.remove(call))
    }

    /// Handles CANCEL from the endpoint; `None` if the call is closed already.
    pub(super) fn ended(&mut self, call: u32) -> Result<Option<Ended>, ErrorCode> {
        self.check_opened(call)?;
        Ok(self.index_of(call).and_then(|index| self.close(index, call)))
    }

    fn close(&mut self, index: usize, call: u32) -> Option<Ended> {
        let closed = self.open.remove(index)?;
        let dropped = if self.requests.bytes() > 0 { self.requests.remove(call) } else { 0 };
        if !self.responses.is_empty() {
            self.responses.remove(&call);
        }
        Some(Ended { message: closed.message, is_awaited: !closed.is_cancelled, dropped })
    }

    /// Handles CREDIT for a call. Returns false if the call is closed.
    pub(super) fn grant(&mut self, call: u32, increment: u32) -> Result<bool, ErrorCode> {
        if !self.requests.grant(call, increment) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        self.check_opened(call)?;
        Ok(self.index_of(call).is_some())
    }

    /// Closes the oldest call if `call` is that and its response of `bytes` bytes in one frame breaks no rule. Returns
    /// whether the call was closed; if not, [`receive_response`](Self::receive_response) has to handle the fragment.
    pub(super) fn complete_oldest(&mut self, call: u32, bytes: usize) -> bool {
        let message = self.message_of(call);
        let is_oldest = self.open.front().is_some_and(|open| open.message == message && !open.is_cancelled);
        let is_plain = self.responses.is_empty() && self.requests.bytes() == 0;
        let completes = is_oldest && is_plain && bytes <= self.own.max_message_size as usize;
        if completes {
            self.open.pop_front();
        }
        completes
    }

    /// Handles a fragment of a response; `credit` is the size of the call's receive window.
    ///
    /// Of several violations, returns the first in the specification's table (section 15).
    pub(super) fn receive_response(&mut self, fragment: Fragment, credit: u32) -> Result<Received, ErrorCode> {
        let call = fragment.call;
        let index = self.index_of(call).ok_or(HOT_ROD_UNKNOWN_CALL)?;
        let is_wanted = self.open.get(index).is_some_and(|open| !open.is_cancelled);
        let message = if fragment.is_whole() {
            if self.responses.contains_key(&call) {
                return Err(HOT_ROD_MESSAGE_ERROR);
            }
            if fragment.bytes.len() > self.own.max_message_size as usize {
                return Err(HOT_ROD_TOO_LARGE);
            }
            fragment.bytes
        } else {
            match self.collect_response(&fragment, is_wanted, credit)? {
                Collected::Complete(message) => message,
                Collected::Incomplete(grant) => {
                    return Ok(Received { grant: grant.map(|grant| (call, grant)), ..Received::default() });
                }
            }
        };
        let Some(Ended { message: answered, dropped, .. }) = self.close(index, call) else {
            return Ok(Received::default());
        };
        Ok(Received { message: is_wanted.then_some(message), grant: None, answered: Some(answered), dropped })
    }

    /// Appends a fragment to its response.
    fn collect_response(&mut self, fragment: &Fragment, is_wanted: bool, credit: u32) -> Result<Collected, ErrorCode> {
        let is_begun = self.responses.contains_key(&fragment.call);
        let window = ReceiveWindow::new(self.own.initial_credit);
        let new = || Partial { bytes: BytesMut::new(), size: 0, window };
        let partial = self.responses.entry(fragment.call).or_insert_with(new);
        let length = fragment.bytes.len();
        if !partial.window.receive(length) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        if fragment.is_first == is_begun {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        partial.size += length;
        if partial.size > self.own.max_message_size as usize {
            return Err(HOT_ROD_TOO_LARGE);
        }
        if is_wanted {
            partial.bytes.extend_from_slice(&fragment.bytes);
        } else {
            // The call is cancelled: its response is not buffered.
            partial.bytes = BytesMut::new();
        }
        Ok(if fragment.is_last {
            Collected::Complete(core::mem::take(&mut partial.bytes).freeze())
        } else {
            partial.window.resize(credit);
            Collected::Incomplete(partial.window.release(length))
        })
    }

    /// Handles a fragment of an event.
    pub(super) fn receive_event(&mut self, fragment: Fragment) -> Result<Received, ErrorCode> {
        let length = fragment.bytes.len();
        if !self.event_window.receive(length) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        // Events are sent one at a time and numbered consecutively.
        let is_next = fragment.call == self.newest_event.wrapping_add(u32::from(fragment.is_first));
        if !is_next || fragment.is_first != self.event.is_none() {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        self.newest_event = fragment.call;
        let size = self.event.as_ref().map_or(0, BytesMut::len) + length;
        if size > self.own.max_message_size as usize {
            return Err(HOT_ROD_TOO_LARGE);
        }
        let message = if fragment.is_whole() { Some(fragment.bytes) } else { self.collect_event(&fragment) };
        let grant = if self.is_paused {
            self.withheld += length;
            None
        } else {
            self.event_window.release(length)
        };
        Ok(Received { message, grant: grant.map(|grant| (0, grant)), ..Received::default() })
    }

    fn collect_event(&mut self, fragment: &Fragment) -> Option<Bytes> {
        self.event.get_or_insert_default().extend_from_slice(&fragment.bytes);
        if fragment.is_last { self.event.take().map(BytesMut::freeze) } else { None }
    }

    /// Pauses or resumes events. Returns the credit to grant.
    pub(super) fn pause_events(&mut self, paused: bool) -> Option<u32> {
        self.is_paused = paused;
        if paused { None } else { self.event_window.release(core::mem::take(&mut self.withheld)) }
    }

    /// Checks that a call with this id was opened.
    fn check_opened(&self, call: u32) -> Result<(), ErrorCode> {
        check_opened(call, self.newest as u32)
    }
}
