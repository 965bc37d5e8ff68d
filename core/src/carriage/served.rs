//! One session as its endpoint sees it.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::credit::{Allowance, Window};
use super::frame::Fragment;
use super::outgoing::{Next, Outgoing, Room};
use super::registry::{
    HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, USUAL_URGENCY, flag, frame_type,
};
use super::terms::{Offer, comes_after, known};
use crate::http2::ErrorCode;
use crate::time::Instant;

/// Octets waiting in a session below which its host is told that there is room again.
const ROOM: usize = 32 << 10;
/// A call that is given up earlier than that is given up at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Bytes of memory that an open call takes: a map is half full at worst.
const CALL: usize = 2 * (size_of::<Call>() + size_of::<u32>());
/// Bytes of memory that an answer takes which waits, beside its octets.
const MESSAGE: usize = 256;

/// A session that was asked for or accepted.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) is_accepted: bool,
    /// What is agreed on; `None` for a session without frames.
    terms: Option<Terms>,
    /// The newest call; 0 before the first.
    newest: u32,
    /// Calls whose answer has not gone out whole.
    calls: BTreeMap<u32, Call>,
    outgoing: Outgoing,
    events: EventQueue,
    /// CREDIT and CANCEL that can't be sent before NODE.
    held_back: Vec<Numbers>,
    /// More than [`ROOM`] was waiting.
    was_full: bool,
    /// The last fragment was one of an event.
    was_event: bool,
}

/// What both ends have offered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) own: Offer,
    pub(super) client: Offer,
}

/// CREDIT or CANCEL of a session: its type, its flags, the call, and a number.
pub(super) type Numbers = (u8, u8, [u32; 2]);

#[derive(Debug)]
struct Call {
    urgency: u8,
    opened: Instant,
    window: Window,
    /// Octets of its request that have come.
    size: usize,
    /// Octets that count against the connection's credit and have not gone on.
    held: usize,
    /// The FIN of its request has come.
    is_complete: bool,
    /// Why no more of its request is wanted: its host has been told, and has not ended it yet.
    given_up: Option<ErrorCode>,
    /// What its answer may use, as long as nothing of it waits.
    allowance: Allowance,
    /// Octets of its answer that are here or have gone out.
    answered: usize,
    /// All of its answer is here.
    is_answered: bool,
}

/// What becomes of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It goes on.
    Accepted,
    /// Its call is closed, or given up: it crossed that on the way.
    Late,
    /// It would begin one call too many.
    TooMany,
    /// It would begin a request that is too large.
    TooLarge,
    /// The request, of which some has gone on, is too large with it.
    GrewTooLarge,
}

/// What becomes of a CANCEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// Its call is closed, or given up already.
    Late,
    /// Its answer is all here, and nobody else has to be asked.
    Answered {
        /// Whether the call has only just begun.
        at_once: bool,
    },
    /// The host has to end it.
    Asked {
        /// Whether the call has only just begun.
        at_once: bool,
    },
}

impl Served {
    pub(super) fn new(terms: Option<Terms>) -> Self {
        Self {
            is_accepted: false,
            newest: 0,
            calls: BTreeMap::new(),
            outgoing: Outgoing::default(),
            events: EventQueue::new(terms.map(|terms| terms.client).unwrap_or_default()),
            held_back: Vec::new(),
            was_full: false,
            was_event: false,
            terms,
        }
    }

    pub(super) fn is_framed(&self) -> bool {
        self.terms.is_some()
    }

    /// A fragment of a request has come. `is_behind_end` if END_STREAM has come before it.
    ///
    /// Of several errors the one is answered that stands highest in the document's table (section 15).
    pub(super) fn take(&mut self, now: Instant, fragment: &Fragment, is_behind_end: bool) -> Result<Taken, ErrorCode> {
        let Some(Terms { own, client }) = self.terms else { return Ok(Taken::Late) };
        if !fragment.is_first {
            return self.take_further(fragment, is_behind_end, own.max_message_size);
        }
        let mut window = Window::new(own.initial_credit);
        if !window.receive(fragment.counted()) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        if fragment.call == 0 || self.newest != 0 && !comes_after(fragment.call, self.newest) {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        if is_behind_end {
            return Err(ErrorCode::STREAM_CLOSED);
        }
        self.newest = fragment.call;
        if fragment.bytes.len() > own.max_message_size as usize {
            return Ok(Taken::TooLarge);
        }
        if self.calls.len() >= own.max_calls as usize {
            return Ok(Taken::TooMany);
        }
        let call = Call {
            urgency: fragment.urgency,
            opened: now,
            window,
            size: fragment.bytes.len(),
            held: fragment.counted(),
            is_complete: fragment.is_last,
            given_up: None,
            allowance: Allowance::new(client.initial_credit),
            answered: 0,
            is_answered: false,
        };
        self.calls.insert(fragment.call, call);
        Ok(Taken::Accepted)
    }

    fn take_further(&mut self, fragment: &Fragment, is_behind_end: bool, limit: u32) -> Result<Taken, ErrorCode> {
        let Some(call) = self.calls.get_mut(&fragment.call) else {
            self.known(fragment.call)?;
            return if is_behind_end { Err(ErrorCode::STREAM_CLOSED) } else { Ok(Taken::Late) };
        };
        if !call.window.receive(fragment.counted()) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        if call.is_complete {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        if is_behind_end {
            return Err(ErrorCode::STREAM_CLOSED);
        }
        call.is_complete = fragment.is_last;
        if call.given_up.is_some() {
            return Ok(Taken::Late);
        }
        call.size += fragment.bytes.len();
        if call.size > limit as usize {
            call.given_up = Some(HOT_ROD_TOO_LARGE);
            return Ok(Taken::GrewTooLarge);
        }
        call.held += fragment.counted();
        Ok(Taken::Accepted)
    }

    /// An error if a call of that id never was.
    fn known(&self, call: u32) -> Result<(), ErrorCode> {
        known(call, self.newest)
    }

    /// The client grants credit, to events with call 0. Answers false if its call is closed.
    pub(super) fn grant(&mut self, call: u32, increment: u32) -> Result<bool, ErrorCode> {
        let granted = if call == 0 {
            self.events.allowance.grant(increment)
        } else if let Some(open) = self.calls.get_mut(&call) {
            if self.outgoing.contains(call) {
                self.outgoing.grant(call, increment)
            } else {
                open.allowance.grant(increment)
            }
        } else {
            self.known(call)?;
            return Ok(false);
        };
        if granted { Ok(true) } else { Err(HOT_ROD_CREDIT_ERROR) }
    }

    /// The client gives a call up.
    pub(super) fn give_up(&mut self, now: Instant, call: u32) -> Result<GivenUp, ErrorCode> {
        let Some(open) = self.calls.get_mut(&call) else {
            self.known(call)?;
            return Ok(GivenUp::Late);
        };
        let at_once = now - open.opened < AT_ONCE;
        if open.is_answered {
            return Ok(GivenUp::Answered { at_once });
        }
        match open.given_up.replace(ErrorCode::CANCEL) {
            None => Ok(GivenUp::Asked { at_once }),
            before => {
                open.given_up = before;
                Ok(GivenUp::Late)
            }
        }
    }

    /// Some of an answer, or the last of it. What becomes of it is told by `room`, which is `None` where nothing can be sent
    /// now.
    pub(super) fn answer(&mut self, call: u32, bytes: Bytes, is_last: bool, room: Option<Room>) -> Answered {
        let Some(open) = self.calls.get_mut(&call) else { return Answered::Dropped };
        if open.is_answered || open.given_up == Some(HOT_ROD_TOO_LARGE) {
            return Answered::Dropped;
        }
        open.answered += bytes.len();
        if self.terms.is_some_and(|terms| open.answered > terms.client.max_message_size as usize) {
            return Answered::TooLarge;
        }
        open.is_answered = is_last;
        let is_begun = self.outgoing.contains(call) || open.answered > bytes.len();
        if is_last && !is_begun && room.is_some_and(|room| bytes.len() <= room.frame) {
            return Answered::Whole(bytes);
        }
        if self.outgoing.contains(call) {
            self.outgoing.extend(call, bytes, is_last);
        } else {
            self.outgoing.push(call, open.urgency, open.allowance, VecDeque::from([bytes]), is_last);
        }
        self.note_waiting();
        Answered::Waits
    }

    /// An event, or its next fragment. Answers false if it is larger than the client takes.
    pub(super) fn event(&mut self, bytes: Bytes, is_first: bool, is_last: bool) -> bool {
        let limit = self.terms.map_or(usize::MAX, |terms| terms.client.max_message_size as usize);
        let fits = self.events.push(bytes, is_first, is_last, limit);
        self.note_waiting();
        fits
    }

    /// Octets of a request have gone on, of which so many may be on their way as is the credit: how many to give back to
    /// the connection's, and to the call's.
    pub(super) fn release(&mut self, call: u32, octets: usize, credit: u32) -> (usize, Option<u32>) {
        let Some(call) = self.calls.get_mut(&call) else { return (0, None) };
        let octets = octets.min(call.held);
        call.held -= octets;
        // A request that is all here, or not wanted, needs no more.
        let wants_more = !call.is_complete && call.given_up.is_none();
        call.window.resize(credit);
        (octets, if wants_more { call.window.release(octets) } else { None })
    }

    /// A call is closed. Answers the octets that it held, and the code with which it ends where it is to end with `code`;
    /// `None` if it is not open.
    pub(super) fn close(&mut self, call: u32, code: ErrorCode) -> Option<(usize, ErrorCode)> {
        let closed = self.calls.remove(&call)?;
        self.outgoing.remove(call);
        let code = closed.given_up.filter(|why| *why == HOT_ROD_TOO_LARGE).unwrap_or(code);
        Some((closed.held, code))
    }

    /// Calls of which the client does not know yet that they are closed.
    pub(super) fn open_calls(&self) -> Vec<u32> {
        self.calls.keys().copied().collect()
    }

    /// Octets that all its calls hold.
    pub(super) fn held(&self) -> usize {
        self.calls.values().map(|call| call.held).sum()
    }

    /// Keeps CREDIT or CANCEL until the session is accepted. Answers false if it is.
    pub(super) fn hold_back(&mut self, numbers: Numbers) -> bool {
        if !self.is_accepted {
            self.held_back.push(numbers);
        }
        !self.is_accepted
    }

    /// What was held back.
    pub(super) fn take_held_back(&mut self) -> Vec<Numbers> {
        core::mem::take(&mut self.held_back)
    }

    /// Octets of answers and events that wait.
    pub(super) fn waiting(&self) -> usize {
        self.outgoing.bytes() + self.events.bytes
    }

    /// Bytes of memory that the client has this session take: its calls, and what waits to be sent.
    pub(super) fn memory(&self) -> usize {
        let calls = self.calls.len() * CALL + self.outgoing.len() * MESSAGE;
        let frames = self.events.pieces.len() * size_of::<Piece>() + self.held_back.len() * size_of::<Numbers>();
        calls + frames + self.waiting()
    }

    /// Octets of events that wait.
    pub(super) fn waiting_events(&self) -> usize {
        self.events.bytes
    }

    /// Something was added to what waits.
    fn note_waiting(&mut self) {
        self.was_full |= self.waiting() >= ROOM;
    }

    /// Whether there is room where there was none; true once.
    pub(super) fn has_room_again(&mut self) -> bool {
        self.was_full && self.waiting() < ROOM && core::mem::take(&mut self.was_full)
    }

    /// The urgency of the next fragment; `None` if none can be sent.
    pub(super) fn urgency(&self, room: Room) -> Option<u8> {
        if !self.is_accepted {
            return None;
        }
        let event = self.events.is_ready().then_some(USUAL_URGENCY);
        [event, self.outgoing.urgency(room)].into_iter().flatten().min()
    }

    /// Takes out the next fragment, with the type of its frame. Events and answers of one urgency take turns.
    pub(super) fn next(&mut self, room: Room) -> Option<(u8, Next)> {
        let answer = self.outgoing.urgency(room);
        let event_is_due = match answer {
            Some(urgency) if urgency == USUAL_URGENCY => !self.was_event,
            Some(urgency) => urgency > USUAL_URGENCY,
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

/// What becomes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// Its call is not open.
    Dropped,
    /// It is larger than the client takes.
    TooLarge,
    /// It goes out at once, in one frame.
    Whole(Bytes),
    /// It waits for its turn.
    Waits,
}

/// Events on their way out, one after the other, under one credit.
#[derive(Debug)]
struct EventQueue {
    allowance: Allowance,
    pieces: VecDeque<Piece>,
    bytes: usize,
    /// The number of the event whose pieces come first.
    number: u32,
    /// Octets of the event whose pieces come last.
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
        let allowance = Allowance::new(client.initial_credit);
        Self { allowance, pieces: VecDeque::new(), bytes: 0, number: 0, size: 0 }
    }

    /// Answers false if the event is larger than `limit` with it.
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
        self.pieces.front().is_some_and(|piece| piece.bytes.is_empty() || self.allowance.left() > 0)
    }

    /// Takes out the next fragment, of at most `most` octets.
    fn next(&mut self, most: usize) -> Option<Next> {
        let piece = self.pieces.front_mut()?;
        let length = piece.bytes.len().min(most).min(self.allowance.left());
        if length == 0 && !piece.bytes.is_empty() {
            return None;
        }
        let is_first = core::mem::take(&mut piece.is_first);
        let bytes = piece.bytes.split_to(length);
        let is_last = piece.is_last && piece.bytes.is_empty();
        if piece.bytes.is_empty() {
            self.pieces.pop_front();
        }
        self.allowance.take(length);
        self.bytes -= length;
        if is_first {
            self.number = self.number.wrapping_add(1);
        }
        let flags = if is_first { flag::FIRST } else { 0 } | if is_last { flag::FIN } else { 0 };
        Some(Next { call: self.number, flags, length, pieces: VecDeque::from([bytes]), counted: 0 })
    }
}
