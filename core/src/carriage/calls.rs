//! The calls of one session, as its client sees them.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Bytes, BytesMut};

use super::credit::{Allowance, Window};
use super::frame::Fragment;
use super::outgoing::Outgoing;
use super::registry::{HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE};
use super::terms::{Offer, known};
use crate::http2::ErrorCode;

/// The calls of one session.
#[derive(Debug)]
pub(super) struct Calls {
    /// The newest, by the id that its session gave its message; a call's id is its lower half.
    newest: u64,
    /// Calls that are neither answered nor given up.
    open: usize,
    pub(super) requests: Outgoing,
    /// Answers of which some fragments have come.
    answers: BTreeMap<u32, Partial>,
    /// Calls that were given up here and not yet at the other end.
    cancelled: BTreeSet<u32>,
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

/// A message of which some fragments have come.
#[derive(Debug)]
struct Partial {
    bytes: BytesMut,
    window: Window,
}

/// What a fragment has brought.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// A whole message.
    pub(super) message: Option<Bytes>,
    /// Credit to be granted to its call, or to events with call 0.
    pub(super) grant: Option<(u32, u32)>,
    /// Octets that count against the connection's credit.
    pub(super) counted: usize,
}

impl Calls {
    pub(super) fn new(own: Offer) -> Self {
        Self {
            newest: 0,
            open: 0,
            requests: Outgoing::default(),
            answers: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            event: None,
            newest_event: 0,
            event_window: Window::new(own.initial_credit),
            withheld: 0,
            is_paused: false,
            own,
        }
    }

    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// A call begins. Answers its id.
    pub(super) fn begin(&mut self, message: u64) -> u32 {
        self.newest = message;
        self.open += 1;
        message as u32
    }

    /// A call begins whose message goes out in fragments, behind a first one that is empty.
    pub(super) fn begin_in_fragments(
        &mut self,
        message: u64,
        urgency: u8,
        allowance: Allowance,
        pieces: VecDeque<Bytes>,
    ) {
        let call = self.begin(message);
        self.requests.push_begun(call, urgency, allowance, pieces);
    }

    /// The id of the message that a call was made of.
    pub(super) fn message_of(&self, call: u32) -> u64 {
        let newest = self.newest;
        let same_half = newest & !u64::from(u32::MAX) | u64::from(call);
        if same_half > newest { same_half.saturating_sub(1 << 32) } else { same_half }
    }

    /// A call is given up here. Answers how much of its request is dropped.
    pub(super) fn cancel(&mut self, call: u32) -> usize {
        self.cancelled.insert(call);
        self.requests.remove(call)
    }

    /// The other end gives a call up, or confirms that it was given up. Answers false if it never was.
    pub(super) fn ended(&mut self, call: u32) -> Result<bool, ErrorCode> {
        self.known(call)?;
        self.requests.remove(call);
        self.answers.remove(&call);
        self.open = self.open.saturating_sub(1);
        Ok(!self.cancelled.remove(&call))
    }

    /// A fragment of an answer.
    pub(super) fn answer(&mut self, fragment: Fragment) -> Result<Brought, ErrorCode> {
        self.known(fragment.call)?;
        if fragment.is_whole() {
            self.open = self.open.saturating_sub(1);
            let is_wanted = self.cancelled.is_empty() || !self.cancelled.remove(&fragment.call);
            return Ok(Brought { message: is_wanted.then_some(fragment.bytes), ..Brought::default() });
        }
        let counted = fragment.counted();
        let (call, is_last) = (fragment.call, fragment.is_last);
        let window = Window::new(self.own.initial_credit);
        let (grant, message) = collect(&mut self.answers, fragment, window, self.own.max_message_size)?;
        if is_last {
            self.open = self.open.saturating_sub(1);
        }
        let is_wanted = self.cancelled.is_empty() || !self.cancelled.contains(&call);
        if !is_wanted {
            // Nobody will look at it: what came need not be kept.
            self.answers.get_mut(&call).into_iter().for_each(|partial| partial.bytes.clear());
            if is_last {
                self.cancelled.remove(&call);
            }
        }
        Ok(Brought { message: message.filter(|_| is_wanted), grant: grant.map(|grant| (call, grant)), counted })
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
        let message = if fragment.is_whole() { Some(fragment.bytes) } else { self.collect_event(&fragment)? };
        let grant = if self.is_paused {
            self.withheld += length;
            None
        } else {
            self.event_window.release(length)
        };
        Ok(Brought { message, grant: grant.map(|grant| (0, grant)), counted: 0 })
    }

    fn collect_event(&mut self, fragment: &Fragment) -> Result<Option<Bytes>, ErrorCode> {
        let event = self.event.get_or_insert_default();
        if event.len() + fragment.bytes.len() > self.own.max_message_size as usize {
            return Err(HOT_ROD_TOO_LARGE);
        }
        event.extend_from_slice(&fragment.bytes);
        Ok(if fragment.is_last { self.event.take().map(BytesMut::freeze) } else { None })
    }

    /// Whether the application takes events. Answers the credit to be granted.
    pub(super) fn pause_events(&mut self, paused: bool) -> Option<u32> {
        self.is_paused = paused;
        if paused { None } else { self.event_window.release(core::mem::take(&mut self.withheld)) }
    }

    /// An error if a call of that id never was.
    pub(super) fn known(&self, call: u32) -> Result<(), ErrorCode> {
        known(call, self.newest as u32)
    }
}

/// Puts a fragment where the others of its message are. Answers what to grant for it, and the message if it is whole.
fn collect(
    partials: &mut BTreeMap<u32, Partial>,
    fragment: Fragment,
    window: Window,
    limit: u32,
) -> Result<(Option<u32>, Option<Bytes>), ErrorCode> {
    let Fragment { call, is_first, is_last, bytes, .. } = fragment;
    if is_first && partials.insert(call, Partial { bytes: BytesMut::new(), window }).is_some() {
        return Err(HOT_ROD_MESSAGE_ERROR);
    }
    let Some(partial) = partials.get_mut(&call) else { return Err(HOT_ROD_MESSAGE_ERROR) };
    if !partial.window.receive(bytes.len()) {
        return Err(HOT_ROD_CREDIT_ERROR);
    }
    if partial.bytes.len() + bytes.len() > limit as usize {
        return Err(HOT_ROD_TOO_LARGE);
    }
    partial.bytes.extend_from_slice(&bytes);
    if is_last {
        return Ok((None, partials.remove(&call).map(|partial| partial.bytes.freeze())));
    }
    Ok((partial.window.release(bytes.len()), None))
}
