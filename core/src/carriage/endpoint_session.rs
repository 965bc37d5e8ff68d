//! Endpoint side of one session.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::credit::{ReceiveWindow, SendWindow};
use super::frame::Fragment;
use super::outgoing::{Next, Outgoing, Room};
use super::registry::{
    DEFAULT_URGENCY, HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, flag, frame_type,
};
use super::terms::{Offer, check_opened, is_after};
use crate::http2::ErrorCode;
use crate::time::Instant;

/// Queued bytes of a session below which its host is notified that it can send again.
const ROOM: usize = 32 << 10;
/// Calls cancelled within this time of their beginning count against the flood budget.
const EARLY: Duration = Duration::from_secs(1);

/// Memory of an open call in bytes: a B-tree is half full in the worst case.
const CALL: usize = 2 * (size_of::<Call>() + size_of::<u32>());
/// Memory of a queued response in bytes, without its content.
const MESSAGE: usize = 256;

/// A session that was requested or accepted.
#[derive(Debug)]
pub(super) struct EndpointSession {
    pub(super) is_accepted: bool,
    /// Settings of both ends; `None` for a session without frames.
    terms: Option<Terms>,
    /// Id of the newest call; 0 before the first.
    newest: u32,
    /// Open calls: those whose response is not sent completely.
    calls: BTreeMap<u32, Call>,
    outgoing: Outgoing,
    events: EventQueue,
    /// CREDIT and CANCEL queued until NODE is sent.
    deferred: Vec<Numbers>,
    /// At least [`ROOM`] bytes were queued since the last notification.
    was_full: bool,
    /// The last fragment sent was one of an event.
    was_event: bool,
}

/// Settings of both ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) own: Offer,
    pub(super) client: Offer,
}

/// CREDIT or CANCEL of a session: type, flags, and the call with an increment or code.
pub(super) type Numbers = (u8, u8, [u32; 2]);

#[derive(Debug)]
struct Call {
    urgency: u8,
    opened: Instant,
    receive_window: ReceiveWindow,
    /// Received bytes of the request.
    size: usize,
    /// Bytes held against the connection's credit: received and not yet released.
    held: usize,
    /// FIN of the request was received.
    is_complete: bool,
    /// Code of the cancellation that the host was notified of and has not confirmed. No more of the request is passed
    /// on.
    cancel_code: Option<ErrorCode>,
    /// Send window of the response until it is queued.
    send_window: SendWindow,
    /// Bytes of the response, queued or sent.
    response_size: usize,
    /// The whole response is queued.
    has_response: bool,
}

/// Result of receiving a fragment of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// The fragment is passed on.
    Accepted,
    /// The call is closed or cancelled: the fragment was in flight.
    Late,
    /// The fragment would exceed the limit of open calls.
    TooMany,
    /// The fragment begins a request that is too large.
    TooLarge,
    /// The request, part of which was passed on, exceeds the limit.
    GrewTooLarge,
}

/// Result of a CANCEL from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancellation {
    /// The call is closed or cancelled already.
    Late,
    /// The whole response is queued: the host need not be notified.
    Answered {
        /// Whether the call began less than [`EARLY`] ago.
        is_early: bool,
    },
    /// The host has to end the call.
    Pending {
        /// Whether the call began less than [`EARLY`] ago.
        is_early: bool,
    },
}

impl EndpointSession {
    pub(super) fn new(terms: Option<Terms>) -> Self {
        Self {
            is_accepted: false,
            newest: 0,
            calls: BTreeMap::new(),
            outgoing: Outgoing::default(),
            events: EventQueue::new(terms.map(|terms| terms.client).unwrap_or_default()),
            deferred: Vec::new(),
            was_full: false,
            was_event: false,
            terms,
        }
    }

    pub(super) fn is_framed(&self) -> bool {
        self.terms.is_some()
    }

    /// Handles a fragment of a request; `is_after_end` if END_STREAM preceded it.
    ///
    /// Of several violations, returns the first in the specification's table (section 15).
    pub(super) fn admit(
        &mut self,
        now: Instant,
        fragment: &Fragment,
        is_after_end: bool,
    ) -> Result<Admission, ErrorCode> {
        let Some(Terms { own, client }) = self.terms else { return Ok(Admission::Late) };
        if !fragment.is_first {
            return self.admit_continuation(fragment, is_after_end, own.max_message_size);
        }
        let mut receive_window = ReceiveWindow::new(own.initial_credit);
        if !receive_window.receive(fragment.counted()) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        if fragment.call == 0 || self.newest != 0 && !is_after(fragment.call, self.newest) {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        if is_after_end {
            return Err(ErrorCode::STREAM_CLOSED);
        }
        self.newest = fragment.call;
        if fragment.bytes.len() > own.max_message_size as usize {
            return Ok(Admission::TooLarge);
        }
        if self.calls.len() >= own.max_calls as usize {
            return Ok(Admission::TooMany);
        }
        let call = Call {
            urgency: fragment.urgency,
            opened: now,
            receive_window,
            size: fragment.bytes.len(),
            held: fragment.counted(),
            is_complete: fragment.is_last,
            cancel_code: None,
            send_window: SendWindow::new(client.initial_credit),
            response_size: 0,
            has_response: false,
        };
        self.calls.insert(fragment.call, call);
        Ok(Admission::Accepted)
    }

    fn admit_continuation(
        &mut self,
        fragment: &Fragment,
        is_after_end: bool,
        limit: u32,
    ) -> Result<Admission, ErrorCode> {
        let Some(call) = self.calls.get_mut(&fragment.call) else {
            self.check_opened(fragment.call)?;
            return if is_after_end { Err(ErrorCode::STREAM_CLOSED) } else { Ok(Admission::Late) };
        };
        if !call.receive_window.receive(fragment.counted()) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        if call.is_complete {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        if is_after_end {
            return Err(ErrorCode::STREAM_CLOSED);
        }
        call.is_complete = fragment.is_last;
        if call.cancel_code.is_some() {
            return Ok(Admission::Late);
        }
        call.size += fragment.bytes.len();
        if call.size > limit as usize {
            call.cancel_code = Some(HOT_ROD_TOO_LARGE);
            return Ok(Admission::GrewTooLarge);
        }
        call.held += fragment.counted();
        Ok(Admission::Accepted)
    }

    /// Checks that a call with this id was opened.
    fn check_opened(&self, call: u32) -> Result<(), ErrorCode> {
        check_opened(call, self.newest)
    }

    /// Handles CREDIT; call 0 stands for events. Returns false if the call is closed.
    pub(super) fn grant(&mut self, call: u32, increment: u32) -> Result<bool, ErrorCode> {
        let granted = if call == 0 {
            self.events.send_window.grant(increment)
        } else if let Some(open) = self.calls.get_mut(&call) {
            if self.outgoing.contains(call) {
                self.outgoing.grant(call, increment)
            } else {
                open.send_window.grant(increment)
            }
        } else {
            self.check_opened(call)?;
            return Ok(false);
        };
        if granted { Ok(true) } else { Err(HOT_ROD_CREDIT_ERROR) }
    }

    /// Handles CANCEL from the client.
    pub(super) fn cancel(&mut self, now: Instant, call: u32) -> Result<Cancellation, ErrorCode> {
        let Some(open) = self.calls.get_mut(&call) else {
            self.check_opened(call)?;
            return Ok(Cancellation::Late);
        };
        let is_early = now - open.opened < EARLY;
        if open.has_response {
            return Ok(Cancellation::Answered { is_early });
        }
        match open.cancel_code.replace(ErrorCode::CANCEL) {
            None => Ok(Cancellation::Pending { is_early }),
            before => {
                open.cancel_code = before;
                Ok(Cancellation::Late)
            }
        }
    }

    /// Sends or queues bytes of a response; `room` is `None` if nothing can be sent now.
    pub(super) fn respond(&mut self, call: u32, bytes: Bytes, is_last: bool, room: Option<Room>) -> ResponseAction {
        let Some(open) = self.calls.get_mut(&call) else { return ResponseAction::Dropped };
        if open.has_response || open.cancel_code == Some(HOT_ROD_TOO_LARGE) {
            return ResponseAction::Dropped;
        }
        open.response_size += bytes.len();
        if self.terms.is_some_and(|terms| open.response_size > terms.client.max_message_size as usize) {
            return ResponseAction::TooLarge;
        }
        open.has_response = is_last;
        let is_begun = self.outgoing.contains(call) || open.response_size > bytes.len();
        if is_last && !is_begun && room.is_some_and(|room| bytes.len() <= room.frame) {
            return ResponseAction::Whole(bytes);
        }
        if self.outgoing.contains(call) {
            self.outgoing.extend(call, bytes, is_last);
        } else {
            self.outgoing.push(call, open.urgency, open.send_window, VecDeque::from([bytes]), is_last);
        }
        self.record_queued();
        ResponseAction::Queued
    }

    /// Queues an event, or its next fragment. Returns false if it exceeds the client's limit.
    pub(super) fn event(&mut self, bytes: Bytes, is_first: bool, is_last: bool) -> bool {
        let limit = self.terms.map_or(usize::MAX, |terms| terms.client.max_message_size as usize);
        let fits = self.events.push(bytes, is_first, is_last, limit);
        self.record_queued();
        fits
    }

    /// Releases bytes of a request that the host has consumed; `credit` is the size of the call's receive window.
    /// Returns the bytes to release to the connection's window, and the credit to grant to the call.
    pub(super) fn release(&mut self, call: u32, bytes: usize, credit: u32) -> (usize, Option<u32>) {
        let Some(call) = self.calls.get_mut(&call) else { return (0, None) };
        let bytes = bytes.min(call.held);
        call.held -= bytes;
        // A complete or cancelled request needs no more credit.
        let wants_more = !call.is_complete && call.cancel_code.is_none();
        call.receive_window.resize(credit);
        (bytes, if wants_more { call.receive_window.release(bytes) } else { None })
    }

    /// Closes a call. Returns the bytes that it held, and the code to send instead of `code` where its request was too
    /// large; `None` if the call is not open.
    pub(super) fn close(&mut self, call: u32, code: ErrorCode) -> Option<(usize, ErrorCode)> {
        let closed = self.calls.remove(&call)?;
        self.outgoing.remove(call);
        let code = closed.cancel_code.filter(|why| *why == HOT_ROD_TOO_LARGE).unwrap_or(code);
        Some((closed.held, code))
    }

    /// Returns the calls that the client still considers open.
    pub(super) fn open_calls(&self) -> Vec<u32> {
        self.calls.keys().copied().collect()
    }

    /// Returns the bytes that the session's calls hold.
    pub(super) fn held(&self) -> usize {
        self.calls.values().map(|call| call.held).sum()
    }

    /// Queues CREDIT or CANCEL until the session is accepted. Returns false if it is accepted already.
    pub(super) fn defer(&mut self, numbers: Numbers) -> bool {
        if !self.is_accepted {
            self.deferred.push(numbers);
        }
        !self.is_accepted
    }

    /// Removes the queued CREDIT and CANCEL.
    pub(super) fn take_deferred(&mut self) -> Vec<Numbers> {
        core::mem::take(&mut self.deferred)
    }

    /// Returns the queued bytes of responses and events.
    pub(super) fn waiting(&self) -> usize {
        self.outgoing.bytes() + self.events.bytes
    }

    /// Returns the memory in bytes that the client's use of this session takes: its calls, and the queued frames.
    pub(super) fn memory(&self) -> usize {
        let calls = self.calls.len() * CALL + self.outgoing.len() * MESSAGE;
        let frames = self.events.pieces.len() * size_of::<Piece>() + self.deferred.len() * size_of::<Numbers>();
        calls + frames + self.waiting()
    }

    /// Returns the queued bytes of events.
    pub(super) fn waiting_events(&self) -> usize {
        self.events.bytes
    }

    /// Records whether the queue has reached [`ROOM`].
    fn record_queued(&mut self) {
        self.was_full |= self.waiting() >= ROOM;
    }

    /// Returns whether the queue has fallen below [`ROOM`] after having reached it; true once.
    pub(super) fn has_room_again(&mut self) -> bool {
        self.was_full && self.waiting() < ROOM && core::mem::take(&mut self.was_full)
    }

    /// Returns the urgency of the next fragment; `None` if none can be sent.
    pub(super) fn urgency(&self, room: Room) -> Option<u8> {
        if !self.is_accepted {
            return None;
        }
        let event = self.events.is_ready().then_some(DEFAULT_URGENCY);
        [event, self.outgoing.urgency(room)].into_iter().flatten().min()
    }

    /// Removes the next fragment, and returns it with the type of its frame. Events and responses of equal urgency
    /// alternate.
    pub(super) fn next(&mut self, room: Room) -> Option<(u8, Next)> {
        let answer = self.outgoing.urgency(room);
        let event_is_due = match answer {
            Some(urgency) if urgency == DEFAULT_URGENCY => !self.was_event,
            Some(urgency) => urgency > DEFAULT_URGENCY,
            None => true,
        };
        self.was_event = event_is_due && self.events.is_ready();
        if self.was_event {
            return Some((frame_type::EVENT, self.events.next(room.frame)?));
        }
        let next = self.outgoing.next(room)?;
        Some((frame_type::RESPONSE, next))
    }
}

/// Result of sending a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ResponseAction {
    /// Dropped: the call is not open.
    Dropped,
    /// The response exceeds the client's limit.
    TooLarge,
    /// The response to send at once, in one frame.
    Whole(Bytes),
    /// The response is queued.
    Queued,
}

/// Send queue of events, which are sent one at a time and share one credit.
#[derive(Debug)]
struct EventQueue {
    send_window: SendWindow,
    pieces: VecDeque<Piece>,
    bytes: usize,
    /// Number of the event at the front.
    number: u32,
    /// Size in bytes of the event at the back.
    size: usize,
}

#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    is_first: bool,
    is_last: bool,
}

impl EventQueue {
    fn new(client: Offer) -> Self {
        let send_window = SendWindow::new(client.initial_credit);
        Self { send_window, pieces: VecDeque::new(), bytes: 0, number: 0, size: 0 }
    }

    /// Queues a piece of an event. Returns false if the event exceeds `limit`.
    fn push(&mut self, bytes: Bytes, is_first: bool, is_last: bool, limit: usize) -> bool {
        self.size = if is_first { bytes.len() } else { self.size + bytes.len() };
        if self.size > limit {
            return false;
        }
        self.bytes += bytes.len();
        if !bytes.is_empty() || is_first || is_last {
            self.pieces.push_back(Piece { bytes, is_first, is_last });
        }
        true
    }

    fn is_ready(&self) -> bool {
        self.pieces.front().is_some_and(|piece| piece.bytes.is_empty() || self.send_window.available() > 0)
    }

    /// Removes the next fragment, of at most `most` bytes.
    fn next(&mut self, most: usize) -> Option<Next> {
        let piece = self.pieces.front_mut()?;
        let length = piece.bytes.len().min(most).min(self.send_window.available());
        if length == 0 && !piece.bytes.is_empty() {
            return None;
        }
        let is_first = core::mem::take(&mut piece.is_first);
        let bytes = piece.bytes.split_to(length);
        let is_last = piece.is_last && piece.bytes.is_empty();
        if piece.bytes.is_empty() {
            self.pieces.pop_front();
        }
        self.send_window.consume(length);
        self.bytes -= length;
        if is_first {
            self.number = self.number.wrapping_add(1);
        }
        let flags = if is_first { flag::FIRST } else { 0 } | if is_last { flag::FIN } else { 0 };
        Some(Next { call: self.number, flags, length, pieces: VecDeque::from([bytes]), counted: 0 })
    }
}
