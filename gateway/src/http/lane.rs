//! The calls of a session with frames on their way to a member, and what the member sends back.
//!
//! A member takes one request after the other and says nothing of where its answers end. So requests wait here for their
//! turn, and answers are taken apart just as far as it takes to find their ends. No bytes are held but those for which a
//! side has no room: a client's credit bounds the requests, and answers are read no faster than the client takes them.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::registry::{
    HOT_ROD_MESSAGE_ERROR, HOT_ROD_NOT_AUTHENTICATED, HOT_ROD_TOO_MANY_CALLS, HOT_ROD_UPSTREAM_GONE,
};
use hotrod_core::carriage::{Fragment, Offer, ServerLink};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::wire::{
    Asked, Limits, MessageKind, Operation, ReplyScanner, RequestHead, Status, Topology, Violation, peek_request_head,
};

use crate::gateway::Seen;
use crate::pieces::Pieces;
use crate::watch::{NO_EXTERNAL, error_reply, names_external};

/// Bytes that wait for the member's socket above which no more are taken from clients.
const ENOUGH: usize = 64 << 10;
/// Octets of waiting requests of one link above which one of them is sent away. Far below what grants are made in, half of
/// the connection's credit: so the request whose turn it is always gets more of it (spec, "Credit").
pub(super) const MOST_WAITING: usize = 4 << 20;

/// Calls of one session with one member.
pub(super) struct Lane {
    stream: StreamId,
    /// Calls of which nothing has gone to the member, oldest first.
    waiting: VecDeque<Waiting>,
    /// The call of which some has gone.
    current: Option<Waiting>,
    /// What the member has whole, and has not answered, by the id of the request.
    asked: BTreeMap<u64, Flight>,
    scanner: ReplyScanner,
    /// For the member's socket.
    out: Pieces,
    /// Caches that the member has answered about, with the id of the last topology that the client was sent.
    caches: BTreeMap<String, u32>,
    /// The member has refused the credentials.
    was_refused: bool,
    /// Octets of the requests that wait.
    waiting_bytes: usize,
    /// AUTHs that were answered here, until they are counted.
    external_refused: usize,
}

/// A request that has come, or begun to.
struct Waiting {
    call: u32,
    pieces: VecDeque<Bytes>,
    bytes: usize,
    is_whole: bool,
    /// Its head, once it is being forwarded.
    message_id: u64,
}

impl Waiting {
    fn add(&mut self, bytes: Bytes, is_last: bool) {
        self.bytes += bytes.len();
        self.pieces.push_back(bytes);
        self.is_whole = is_last;
    }
}

struct Flight {
    /// `None` if nobody waits for the answer any more.
    call: Option<u32>,
    asked: Asked,
    cache: String,
}

/// The member can't be talked to any more.
#[derive(Debug)]
pub(super) enum Broken {
    /// A request was given up when half of it had gone.
    HalfSent,
    /// The member broke the protocol.
    Violation(Violation),
    /// The member could not read a request.
    LostTrack,
}

impl Lane {
    pub(super) fn new(stream: StreamId) -> Self {
        Self {
            stream,
            waiting: VecDeque::new(),
            current: None,
            asked: BTreeMap::new(),
            scanner: ReplyScanner::new(Limits::default()),
            out: Pieces::default(),
            caches: BTreeMap::new(),
            was_refused: false,
            waiting_bytes: 0,
            external_refused: 0,
        }
    }

    /// Bytes held for the member.
    pub(super) fn held(&self) -> usize {
        let waiting: usize = self.waiting.iter().chain(&self.current).map(|waiting| waiting.bytes).sum();
        self.out.len() + waiting
    }

    /// Octets of requests that wait for their turn.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// A fragment of a request has come. What waits may have `room` octets.
    pub(super) fn request(&mut self, fragment: Fragment, room: usize, link: &mut ServerLink) {
        let Fragment { call, is_last, bytes, .. } = fragment;
        if let Some(current) = self.current.as_mut().filter(|current| current.call == call) {
            return current.add(bytes, is_last);
        }
        self.waiting_bytes += bytes.len();
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.call == call) {
            waiting.add(bytes, is_last);
        } else {
            let mut waiting = Waiting { call, pieces: VecDeque::new(), bytes: 0, is_whole: false, message_id: 0 };
            waiting.add(bytes, is_last);
            self.waiting.push_back(waiting);
            // Those whose answer nobody waits for any more count as well.
            if self.waiting.len() + self.asked.len() > Offer::default().max_calls as usize {
                self.drop_waiting(call, HOT_ROD_TOO_MANY_CALLS, link);
            }
        }
        self.make_room(room, link);
    }

    /// What waits must not hold all of the connection's credit, or the one whose turn it is could starve: the newest
    /// is sent away, one that is not whole before others (spec, "Credit").
    fn make_room(&mut self, room: usize, link: &mut ServerLink) {
        let may_starve = self.current.as_ref().is_some_and(|current| !current.is_whole);
        while self.waiting_bytes > room {
            let partial = self.waiting.iter().rev().find(|waiting| !waiting.is_whole);
            let newest = partial.or_else(|| self.waiting.back().filter(|_| may_starve));
            let Some(call) = newest.map(|waiting| waiting.call) else { return };
            self.drop_waiting(call, HOT_ROD_TOO_MANY_CALLS, link);
        }
    }

    fn drop_waiting(&mut self, call: u32, code: ErrorCode, link: &mut ServerLink) {
        if let Some(index) = self.waiting.iter().position(|waiting| waiting.call == call) {
            self.take_waiting(index);
        }
        link.end_call(self.stream, call, code, false);
    }

    fn take_waiting(&mut self, index: usize) -> Option<Waiting> {
        let waiting = self.waiting.remove(index)?;
        self.waiting_bytes -= waiting.bytes;
        Some(waiting)
    }

    fn wait_on(&mut self, waiting: Waiting) {
        self.waiting_bytes += waiting.bytes;
        self.waiting.push_front(waiting);
    }

    /// Moves requests to where the member's socket takes them from, while there is room.
    pub(super) fn forward(&mut self, link: &mut ServerLink) {
        while self.out.len() < ENOUGH {
            if self.current.is_none() && !self.begin_next(link) {
                return;
            }
            if !self.forward_current(link) {
                return;
            }
        }
    }

    /// Takes the next request to be forwarded: a whole one before one that is still coming.
    fn begin_next(&mut self, link: &mut ServerLink) -> bool {
        loop {
            let whole = self.waiting.iter().position(|waiting| waiting.is_whole);
            // One that has only been opened says nothing yet.
            let begun = || self.waiting.iter().position(|waiting| waiting.bytes > 0);
            let Some(mut next) = whole.or_else(begun).and_then(|index| self.take_waiting(index)) else {
                return false;
            };
            match head_of(&mut next) {
                Ok(Some(head)) if head.asked.operation == Operation::Auth && !next.is_whole => {
                    // It is looked at whole.
                    self.wait_on(next);
                    return false;
                }
                Ok(Some(head)) if head.asked.operation == Operation::Auth && names_external(&joined(&next.pieces)) => {
                    let answer = error_reply(head.message_id, head.asked, Status::SERVER_ERROR, NO_EXTERNAL);
                    link.respond(self.stream, next.call, answer, true);
                    self.external_refused += 1;
                }
                Ok(Some(head)) if !self.asked.contains_key(&head.message_id) => {
                    next.message_id = head.message_id;
                    let RequestHead { message_id, asked, cache, .. } = head;
                    self.asked.insert(message_id, Flight { call: Some(next.call), asked, cache });
                    self.current = Some(next);
                    return true;
                }
                Ok(None) if !next.is_whole => {
                    // Its head is not all here. Others that are whole were looked at before it.
                    self.wait_on(next);
                    return false;
                }
                // Nothing that a member could answer, or an id that is in use.
                _ => link.end_call(self.stream, next.call, HOT_ROD_MESSAGE_ERROR, false),
            }
        }
    }

    /// Forwards what is here of the present request. Answers whether it is all forwarded.
    ///
    /// Its last octet waits until it is known to be the last: until then the member can't execute it.
    fn forward_current(&mut self, link: &mut ServerLink) -> bool {
        let Some(current) = &mut self.current else { return false };
        let keep = usize::from(!current.is_whole);
        while current.bytes > keep
            && let Some(mut piece) = current.pieces.pop_front()
        {
            if current.bytes - piece.len() < keep {
                let last = piece.split_off(piece.len() - keep);
                current.pieces.push_front(last);
            }
            current.bytes -= piece.len();
            link.fragment_taken(self.stream, current.call, piece.len());
            self.out.push(piece);
        }
        let is_over = current.is_whole;
        if is_over {
            self.current = None;
        }
        is_over
    }

    /// What the member's socket is to take.
    pub(super) fn outgoing(&mut self) -> &mut Pieces {
        &mut self.out
    }

    /// Where what the member sends is to be put; then say [`received`](Self::received).
    pub(super) fn receive_buffer(&mut self) -> &mut BytesMut {
        self.scanner.receive_buffer()
    }

    /// Passes on what the member has sent. Answers the views that came with it.
    pub(super) fn received(&mut self, link: &mut ServerLink) -> Result<Vec<Seen>, Broken> {
        let mut seen = Vec::new();
        loop {
            let asked = &self.asked;
            let piece = match self.scanner.poll(|id| asked.get(&id).map(|flight| flight.asked)) {
                None => return Ok(seen),
                Some(Err(violation)) => return Err(Broken::Violation(violation)),
                Some(Ok(piece)) => piece,
            };
            let MessageKind::Reply { message_id, operation, status } = piece.kind else {
                link.event(self.stream, piece.bytes, piece.is_first, piece.is_last);
                continue;
            };
            let Some(flight) = self.asked.get(&message_id) else { return Err(Broken::LostTrack) };
            if let Some(topology) = piece.topology {
                self.caches.insert(flight.cache.clone(), topology.id);
                seen.push(Seen { cache: flight.cache.clone(), topology });
            } else if piece.is_last && !status.is_error() && is_of_a_cache(operation) {
                self.caches.entry(flight.cache.clone()).or_default();
            }
            self.was_refused |= operation == Some(Operation::Auth) && status.is_error();
            if let Some(call) = flight.call {
                link.respond(self.stream, call, piece.bytes, piece.is_last);
            }
            if piece.is_last {
                self.asked.remove(&message_id);
            }
        }
    }

    /// How many AUTHs with EXTERNAL were answered here since the last time.
    pub(super) fn take_external_refused(&mut self) -> usize {
        std::mem::take(&mut self.external_refused)
    }

    /// A view that came by another way: it goes to a client that has asked about the cache and has another.
    pub(super) fn tell_topology(&mut self, cache: &str, topology: &Topology, link: &mut ServerLink) {
        if let Some(known) = self.caches.get_mut(cache)
            && *known != topology.id
        {
            *known = topology.id;
            link.tell_topology(self.stream, cache, topology);
        }
    }

    /// The client gives a call up.
    pub(super) fn cancel(&mut self, call: u32, link: &mut ServerLink) -> Result<(), Broken> {
        if self.waiting.iter().any(|waiting| waiting.call == call) {
            self.drop_waiting(call, ErrorCode::CANCEL, link);
        } else if let Some(current) = self.current.take_if(|current| current.call == call) {
            // The member waits for the rest, which will never come.
            self.asked.remove(&current.message_id);
            link.end_call(self.stream, call, ErrorCode::CANCEL, false);
            return Err(Broken::HalfSent);
        } else if let Some(flight) = self.asked.values_mut().find(|flight| flight.call == Some(call)) {
            flight.call = None;
            link.end_call(self.stream, call, ErrorCode::CANCEL, true);
        }
        Ok(())
    }

    /// The member is gone: every call learns what may have become of it, and the session ends.
    pub(super) fn end(&mut self, link: &mut ServerLink) {
        self.end_calls(HOT_ROD_UPSTREAM_GONE, link);
        let code = if self.was_refused { HOT_ROD_NOT_AUTHENTICATED } else { HOT_ROD_UPSTREAM_GONE };
        link.end(self.stream, code);
    }

    /// The client wants nothing more: the same in good order.
    pub(super) fn finish(&mut self, link: &mut ServerLink) {
        self.end_calls(ErrorCode::CANCEL, link);
        link.end(self.stream, ErrorCode::NO_ERROR);
    }

    fn end_calls(&mut self, code: ErrorCode, link: &mut ServerLink) {
        if let Some(current) = self.current.take() {
            // The member has not got it whole.
            self.asked.remove(&current.message_id);
            link.end_call(self.stream, current.call, code, false);
        }
        self.waiting_bytes = 0;
        for waiting in self.waiting.drain(..) {
            link.end_call(self.stream, waiting.call, code, false);
        }
        for flight in std::mem::take(&mut self.asked).into_values() {
            if let Some(call) = flight.call {
                link.end_call(self.stream, call, code, true);
            }
        }
    }
}

/// Whether an answer says that the client may know of the cache.
fn is_of_a_cache(operation: Option<Operation>) -> bool {
    !matches!(operation, None | Some(Operation::Ping | Operation::AuthMechList | Operation::Auth))
}

/// The head of a request, of which the first pieces are put together as far as that needs.
fn head_of(waiting: &mut Waiting) -> Result<Option<RequestHead>, ()> {
    loop {
        let Some(first) = waiting.pieces.front() else { return Ok(None) };
        match peek_request_head(first, &Limits::default()) {
            Ok(Some(head)) => return Ok(Some(head)),
            Err(_) => return Err(()),
            Ok(None) if waiting.pieces.len() < 2 => return Ok(None),
            Ok(None) => {
                let rest = waiting.pieces.split_off(2);
                let first = joined(&waiting.pieces);
                waiting.pieces = rest;
                waiting.pieces.push_front(first);
            }
        }
    }
}

fn joined(pieces: &VecDeque<Bytes>) -> Bytes {
    let mut joined = BytesMut::new();
    pieces.iter().for_each(|piece| joined.extend_from_slice(piece));
    joined.freeze()
}
