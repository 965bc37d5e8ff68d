//! The calls of one session, as its client sees them.

use alloc::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};

use super::credit::{Allowance, Window};
use super::frame::Fragment;
use super::outgoing::Outgoing;
use super::registry::{HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_UNKNOWN_CALL};
use super::terms::{Offer, known};
use crate::http2::ErrorCode;

/// The calls of one session.
#[derive(Debug)]
pub(super) struct Calls {
    /// The newest, by the id that its session gave its message; a call's id is its lower half.
    newest: u64,
    /// Calls that are open, in the order in which they were opened. Most are answered in that order.
    open: VecDeque<Open>,
    pub(super) requests: Outgoing,
    /// Answers of which some fragments have come.
    answers: BTreeMap<u32, Partial>,
    /// The event of which some fragments have come.
    event: Option<BytesMut>,
    /// The newest event of which a fragment has come.
    newest_event: u32,
    event_window: Window,
    /// Octets of events that the application has not taken.
    withheld: usize,
    /// Events are to be withheld.
    is_paused: bool,
    own: Offer,
}

#[derive(Debug)]
struct Open {
    message: u64,
    /// It was given up here, and is not yet at the other end.
    is_cancelled: bool,
}

/// A message of which some fragments have come.
#[derive(Debug)]
struct Partial {
    bytes: BytesMut,
    /// Octets that have come, also of one that is not kept.
    size: usize,
    window: Window,
}

/// What a fragment has brought.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// A whole message.
    pub(super) message: Option<Bytes>,
    /// Credit to be granted to its call, or to events with call 0.
    pub(super) grant: Option<(u32, u32)>,
    /// The id of the message that it answers, if it is the last fragment of that answer.
    pub(super) answered: Option<u64>,
    /// Octets of the request that will never go out.
    pub(super) dropped: usize,
}

/// What has come of an answer.
enum Collected {
    Whole(Bytes),
    /// More is to come, and so much to be granted for it.
    Partly(Option<u32>),
}

/// A call that the other end has closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// The id of its message.
    pub(super) message: u64,
    /// Somebody waits for its answer.
    pub(super) is_awaited: bool,
    /// Octets of the request that will never go out.
    pub(super) dropped: usize,
}

impl Calls {
    pub(super) fn new(own: Offer) -> Self {
        Self {
            newest: 0,
            open: VecDeque::new(),
            requests: Outgoing::default(),
            answers: BTreeMap::new(),
            event: None,
            newest_event: 0,
            event_window: Window::new(own.initial_credit),
            withheld: 0,
            is_paused: false,
            own,
        }
    }

    /// Calls that are neither answered nor ended, those that were given up here included.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// A call begins, with a message of a higher id than all before it.
    pub(super) fn begin(&mut self, message: u64) {
        self.newest = message;
        self.open.push_back(Open { message, is_cancelled: false });
    }

    /// A call begins whose message goes out in fragments, behind a first one that is empty.
    pub(super) fn begin_in_fragments(
        &mut self,
        message: u64,
        urgency: u8,
        allowance: Allowance,
        pieces: VecDeque<Bytes>,
    ) {
        self.begin(message);
        self.requests.push_begun(message as u32, urgency, allowance, pieces);
    }

    /// The id of the message that a call was made of.
    pub(super) fn message_of(&self, call: u32) -> u64 {
        let newest = self.newest;
        let same_half = newest & !u64::from(u32::MAX) | u64::from(call);
        if same_half > newest { same_half.saturating_sub(1 << 32) } else { same_half }
    }

    fn place_of(&self, call: u32) -> Option<usize> {
        let message = self.message_of(call);
        match self.open.front() {
            Some(first) if first.message == message => Some(0),
            _ => self.open.binary_search_by_key(&message, |open| open.message).ok(),
        }
    }

    /// A call is given up here. Answers how much of its request is dropped, or `None` if it is not open, or was given up
    /// before.
    pub(super) fn cancel(&mut self, call: u32) -> Option<usize> {
        let place = self.place_of(call)?;
        let open = self.open.get_mut(place).filter(|open| !open.is_cancelled)?;
        open.is_cancelled = true;
        Some(self.requests.remove(call))
    }

    /// The other end gives a call up, or confirms that it was given up; `None` if it is closed already.
    pub(super) fn ended(&mut self, call: u32) -> Result<Option<Ended>, ErrorCode> {
        self.known(call)?;
        Ok(self.place_of(call).and_then(|place| self.close(place, call)))
    }

    fn close(&mut self, place: usize, call: u32) -> Option<Ended> {
        let closed = self.open.remove(place)?;
        let dropped = if self.requests.bytes() > 0 { self.requests.remove(call) } else { 0 };
        if !self.answers.is_empty() {
            self.answers.remove(&call);
        }
        Some(Ended { message: closed.message, is_awaited: !closed.is_cancelled, dropped })
    }

    /// The other end grants a call more. Answers false if it is closed.
    pub(super) fn grant(&mut self, call: u32, increment: u32) -> Result<bool, ErrorCode> {
        if !self.requests.grant(call, increment) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        self.known(call)?;
        Ok(self.place_of(call).is_some())
    }

    /// The answer to the oldest call, in one fragment of so many octets, if that is what it is and nothing is against it: the
    /// call is closed. Answers whether it was so.
    pub(super) fn answer_oldest(&mut self, call: u32, octets: usize) -> bool {
        let message = self.message_of(call);
        let is_oldest = self.open.front().is_some_and(|open| open.message == message && !open.is_cancelled);
        let is_plain = self.answers.is_empty() && self.requests.bytes() == 0;
        let is_taken = is_oldest && is_plain && octets <= self.own.max_message_size as usize;
        if is_taken {
            self.open.pop_front();
        }
        is_taken
    }

    /// A fragment of an answer, of which so many octets may be on their way.
    ///
    /// Of several errors the one is answered that stands highest in the document's table (section 15).
    pub(super) fn answer(&mut self, fragment: Fragment, credit: u32) -> Result<Brought, ErrorCode> {
        let call = fragment.call;
        let place = self.place_of(call).ok_or(HOT_ROD_UNKNOWN_CALL)?;
        let is_wanted = self.open.get(place).is_some_and(|open| !open.is_cancelled);
        let message = if fragment.is_whole() {
            if self.answers.contains_key(&call) {
                return Err(HOT_ROD_MESSAGE_ERROR);
            }
            if fragment.bytes.len() > self.own.max_message_size as usize {
                return Err(HOT_ROD_TOO_LARGE);
            }
            fragment.bytes
        } else {
            match self.collect_answer(&fragment, is_wanted, credit)? {
                Collected::Whole(message) => message,
                Collected::Partly(grant) => {
                    return Ok(Brought { grant: grant.map(|grant| (call, grant)), ..Brought::default() });
                }
            }
        };
        let Some(Ended { message: answered, dropped, .. }) = self.close(place, call) else {
            return Ok(Brought::default());
        };
        Ok(Brought { message: is_wanted.then_some(message), grant: None, answered: Some(answered), dropped })
    }

    /// Puts a fragment where the others of its answer are.
    fn collect_answer(&mut self, fragment: &Fragment, is_wanted: bool, credit: u32) -> Result<Collected, ErrorCode> {
        let is_begun = self.answers.contains_key(&fragment.call);
        let window = Window::new(self.own.initial_credit);
        let new = || Partial { bytes: BytesMut::new(), size: 0, window };
        let partial = self.answers.entry(fragment.call).or_insert_with(new);
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
            // Nobody will look at it: what came need not be kept.
            partial.bytes = BytesMut::new();
        }
        Ok(if fragment.is_last {
            Collected::Whole(core::mem::take(&mut partial.bytes).freeze())
        } else {
            partial.window.resize(credit);
            Collected::Partly(partial.window.release(length))
        })
    }

    /// A fragment of an event.
    pub(super) fn event(&mut self, fragment: Fragment) -> Result<Brought, ErrorCode> {
        let length = fragment.bytes.len();
        if !self.event_window.receive(length) {
            return Err(HOT_ROD_CREDIT_ERROR);
        }
        // One after the other, each with the next number.
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
        Ok(Brought { message, grant: grant.map(|grant| (0, grant)), ..Brought::default() })
    }

    fn collect_event(&mut self, fragment: &Fragment) -> Option<Bytes> {
        self.event.get_or_insert_default().extend_from_slice(&fragment.bytes);
        if fragment.is_last { self.event.take().map(BytesMut::freeze) } else { None }
    }

    /// Whether the application takes events. Answers the credit to be granted.
    pub(super) fn pause_events(&mut self, paused: bool) -> Option<u32> {
        self.is_paused = paused;
        if paused { None } else { self.event_window.release(core::mem::take(&mut self.withheld)) }
    }

    /// An error if a call of that id never was.
    fn known(&self, call: u32) -> Result<(), ErrorCode> {
        known(call, self.newest as u32)
    }
}
