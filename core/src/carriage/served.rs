//! One session as its endpoint sees it.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use bytes::Bytes;

use super::credit::{Allowance, LARGEST, Window};
use super::frame::Fragment;
use super::outgoing::{Next, Outgoing};
use super::registry::{HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, flag};
use super::terms::{Offer, comes_after, known};
use crate::http2::ErrorCode;

/// Octets waiting in a session below which its host is told that there is room again.
const ROOM: usize = 32 << 10;

/// A session that was asked for or accepted.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) is_accepted: bool,
    /// What this endpoint has offered; `None` for a session without frames.
    own: Option<Offer>,
    /// The newest call; 0 before the first.
    newest: u32,
    /// Calls whose answer is not all here.
    calls: BTreeMap<u32, Call>,
    pub(super) outgoing: Outgoing,
    pub(super) events: EventQueue,
    /// More than [`ROOM`] was waiting.
    was_full: bool,
}

#[derive(Debug)]
struct Call {
    urgency: u8,
    window: Window,
    /// Octets of its request that have come.
    size: usize,
    /// Octets that count against the connection's credit and have not gone on.
    held: usize,
    /// No more of its request is wanted.
    is_complete: bool,
    /// Octets that the client has granted before there was any answer.
    granted_ahead: u32,
}

/// What becomes of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It goes on.
    Accepted,
    /// Its call is closed: it crossed that on the way.
    Late,
    /// It would begin one call too many.
    TooMany,
    /// Its request is too large with it.
    TooLarge,
}

impl Served {
    pub(super) fn new(own: Option<Offer>, events: Allowance) -> Self {
        Self {
            is_accepted: false,
            own,
            newest: 0,
            calls: BTreeMap::new(),
            outgoing: Outgoing::default(),
            events: EventQueue::new(events),
            was_full: false,
        }
    }

    pub(super) fn is_framed(&self) -> bool {
        self.own.is_some()
    }

    /// A fragment of a request has come.
    pub(super) fn take(&mut self, fragment: &Fragment) -> Result<Taken, ErrorCode> {
        let Some(own) = self.own else { return Ok(Taken::Late) };
        if fragment.is_first {
            if fragment.call == 0 || self.newest != 0 && !comes_after(fragment.call, self.newest) {
                return Err(HOT_ROD_MESSAGE_ERROR);
            }
            self.newest = fragment.call;
            if self.calls.len() >= own.max_calls as usize {
                return Ok(Taken::TooMany);
            }
            let window = Window::new(own.initial_credit);
            let call =
                Call { urgency: fragment.urgency, window, size: 0, held: 0, is_complete: false, granted_ahead: 0 };
            self.calls.insert(fragment.call, call);
        }
        let Some(call) = self.calls.get_mut(&fragment.call) else {
            self.known(fragment.call)?;
            return Ok(Taken::Late);
        };
        if call.is_complete {
            return Ok(Taken::Late);
        }
        call.size += fragment.bytes.len();
        let is_too_large = call.size > own.max_message_size as usize;
        call.is_complete = fragment.is_last || is_too_large;
        if !call.window.receive(fragment.counted()) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        if is_too_large {
            if fragment.is_first {
                self.calls.remove(&fragment.call);
            }
            return Ok(Taken::TooLarge);
        }
        call.held += fragment.counted();
        Ok(Taken::Accepted)
    }

    /// An error if a call of that id never was.
    pub(super) fn known(&self, call: u32) -> Result<(), ErrorCode> {
        known(call, self.newest)
    }

    /// The client grants credit, to events with call 0. Answers false if it can't be.
    pub(super) fn grant(&mut self, call: u32, increment: u32) -> Result<bool, ErrorCode> {
        if call == 0 {
            return Ok(self.events.allowance.grant(increment));
        }
        self.known(call)?;
        if let Some(open) = self.calls.get_mut(&call).filter(|_| !self.outgoing.contains(call)) {
            let sum = open.granted_ahead.checked_add(increment).filter(|sum| *sum <= LARGEST);
            open.granted_ahead = sum.unwrap_or(open.granted_ahead);
            return Ok(increment > 0 && sum.is_some());
        }
        Ok(increment > 0 && self.outgoing.grant(call, increment))
    }

    /// The urgency of a call that is open, and what its answer may use at first where the client's settings give every
    /// call `initial`.
    pub(super) fn answering(&self, call: u32, initial: u32) -> Option<(u8, Allowance)> {
        let call = self.calls.get(&call)?;
        Some((call.urgency, Allowance::new(initial.saturating_add(call.granted_ahead))))
    }

    /// Octets of a request have gone on: how many to give back to the connection's credit, and to the call's.
    pub(super) fn release(&mut self, call: u32, octets: usize) -> (usize, Option<u32>) {
        let Some(call) = self.calls.get_mut(&call) else { return (0, None) };
        let octets = octets.min(call.held);
        call.held -= octets;
        // A request that is all here needs no more.
        let grant = if call.is_complete { None } else { call.window.release(octets) };
        (octets, grant)
    }

    /// The urgency of a call that is open.
    pub(super) fn urgency_of(&self, call: u32) -> Option<u8> {
        self.calls.get(&call).map(|call| call.urgency)
    }

    /// The answer of a call is all here, or will never be. Answers the octets that it held.
    pub(super) fn close(&mut self, call: u32) -> usize {
        self.calls.remove(&call).map_or(0, |call| call.held)
    }

    /// Calls of which the client does not know yet that they are closed.
    pub(super) fn open_calls(&self) -> Vec<u32> {
        let mut calls: Vec<u32> = self.calls.keys().copied().chain(self.outgoing.calls()).collect();
        calls.sort_unstable();
        calls.dedup();
        calls
    }

    /// Octets that all its calls hold.
    pub(super) fn held(&self) -> usize {
        self.calls.values().map(|call| call.held).sum()
    }

    /// Octets of answers and events that wait.
    pub(super) fn waiting(&self) -> usize {
        self.outgoing.bytes() + self.events.bytes
    }

    /// Something was added to what waits.
    pub(super) fn note_waiting(&mut self) {
        self.was_full |= self.waiting() >= ROOM;
    }

    /// Whether there is room where there was none; true once.
    pub(super) fn has_room_again(&mut self) -> bool {
        self.was_full && self.waiting() < ROOM && core::mem::take(&mut self.was_full)
    }
}

/// Events on their way out, one after the other, under one credit.
#[derive(Debug)]
pub(super) struct EventQueue {
    allowance: Allowance,
    pieces: VecDeque<Piece>,
    bytes: usize,
    /// The number of the event whose pieces come first.
    number: u32,
}

#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    is_first: bool,
    is_last: bool,
}

impl EventQueue {
    fn new(allowance: Allowance) -> Self {
        Self { allowance, pieces: VecDeque::new(), bytes: 0, number: 0 }
    }

    /// Octets that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, bytes: Bytes, is_first: bool, is_last: bool) {
        self.bytes += bytes.len();
        self.pieces.push_back(Piece { bytes, is_first, is_last });
    }

    /// Takes out the next fragment, of at most `most` octets.
    pub(super) fn next(&mut self, most: usize) -> Option<Next> {
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
        Some(Next { call: self.number, flags, length, pieces: VecDeque::from([bytes]) })
    }
}
