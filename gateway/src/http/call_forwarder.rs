//! Forwards the calls of a session in frames to its member, and the replies back.
//!
//! A member reads one request after the other, and replies have no length prefix. So requests are queued and forwarded one
//! by one, each checked to be exactly one request; replies are scanned for their ends. The forwarder holds only bytes for
//! which a side has no room: a client's credit bounds the requests, and replies are read as fast as the client gives credit.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::registry::{
    HOT_ROD_DRAINING, HOT_ROD_MESSAGE_ERROR, HOT_ROD_NOT_AUTHENTICATED, HOT_ROD_TOO_LARGE, HOT_ROD_TOO_MANY_CALLS,
    HOT_ROD_UPSTREAM_GONE,
};
use hotrod_core::carriage::{Fragment, Offer, ServerLink};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::wire::{
    Limits, MessageKind, Operation, ReplyContext, ReplyScanner, RequestHead, RequestScanner, Status, Topology,
    Violation,
};

use super::names::{CacheNames, NameId};
use super::outgoing::Outgoing;
use super::queued_request::{QueuedRequest, Verdict, is_too_large};
use crate::authenticated::Authenticated;
use crate::monitor::{NO_EXTERNAL, error_reply};

/// Bytes queued for the member's socket above which no request is forwarded.
const ENOUGH: usize = 64 << 10;

/// Calls of one session.
pub(super) struct CallForwarder {
    stream: StreamId,
    /// Requests of which nothing has been forwarded, oldest first.
    queued: VecDeque<QueuedRequest>,
    /// The request that is forwarded in part.
    current: Option<Current>,
    /// Requests forwarded whole or in part, and not yet answered, by their message id.
    in_flight: BTreeMap<u64, InFlight>,
    /// Limits on requests.
    limits: Limits,
    /// Finds the end of the present request.
    requests: RequestScanner,
    replies: ReplyScanner,
    out: Outgoing,
    /// Caches that the client has named.
    caches: CacheNames,
    authenticated: Authenticated,
    /// Whether the member has rejected the last AUTH.
    was_refused: bool,
    /// Whether the client has ended its half of the stream.
    is_finished: bool,
    /// Whether requests are no longer forwarded: the drain timeout is over.
    is_given_up: bool,
    /// Bytes of queued requests.
    queued_bytes: usize,
    /// Rejected AUTHs with EXTERNAL that are not yet counted in metrics.
    external_refused: usize,
    /// Calls rejected before the client was answered, whose CANCEL is sent after that; `None` since then.
    rejected_early: Option<Vec<(u32, ErrorCode)>>,
}

/// The request that is being forwarded.
struct Current {
    rest: QueuedRequest,
    message_id: u64,
    /// Its last byte, held back until its FIN: the member can't execute the request before.
    last: Option<u8>,
}

struct InFlight {
    /// `None` after CANCEL.
    call: Option<u32>,
    asked: ReplyContext,
    cache: Option<NameId>,
    /// Position of its first byte in the output.
    begin: u64,
    /// Position behind its last byte; `None` while it is not whole.
    end: Option<u64>,
}

/// Memory of a request in flight, in bytes: a map is half full at worst.
const FLIGHT: usize = 2 * (size_of::<u64>() + size_of::<InFlight>());

/// Reason why a session can't go on.
#[derive(Debug)]
pub(super) enum ForwardError {
    /// A request was cancelled after a part of it had been forwarded.
    HalfSent,
    /// The frames of a call are not exactly one request.
    NotOneRequest(String),
    /// A request has the message id of another in flight.
    DuplicateId(u64),
    /// The member violated the protocol.
    Violation(Violation),
    /// A reply answers no request in flight: the member could not read a request.
    LostTrack,
    /// The connection with the member is closed.
    Lost(String),
}

impl ForwardError {
    /// Label of the metric `refusals`; `None` where the client is not at fault.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotOneRequest(_) => Some("unreadable_request"),
            Self::DuplicateId(_) => Some("duplicate_id"),
            Self::Violation(_) | Self::LostTrack => Some("unreadable_reply"),
            Self::HalfSent | Self::Lost(_) => None,
        }
    }
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HalfSent => f.write_str("a request ended when half of it had gone to the member"),
            Self::NotOneRequest(what) => write!(f, "the frames of a call are not one request: {what}"),
            Self::DuplicateId(id) => write!(f, "message id {id} is used twice at a time"),
            Self::Violation(violation) => write!(f, "the member broke the protocol: {violation}"),
            Self::LostTrack => f.write_str("the member could not read a request"),
            Self::Lost(why) => f.write_str(why),
        }
    }
}

impl CallForwarder {
    pub(super) fn new(stream: StreamId, limits: Limits) -> Self {
        Self {
            stream,
            queued: VecDeque::new(),
            current: None,
            in_flight: BTreeMap::new(),
            requests: RequestScanner::new(limits.clone()),
            limits,
            replies: ReplyScanner::new(Limits::default()),
            out: Outgoing::default(),
            caches: CacheNames::default(),
            authenticated: Authenticated::default(),
            was_refused: false,
            is_finished: false,
            is_given_up: false,
            queued_bytes: 0,
            external_refused: 0,
            rejected_early: Some(Vec::new()),
        }
    }

    /// Handles the answer to the client: frames may be sent from now on.
    pub(super) fn opened(&mut self, link: &mut ServerLink) -> Result<(), ForwardError> {
        for (call, code) in self.rejected_early.take().into_iter().flatten() {
            link.end_call(self.stream, call, code, false);
        }
        if self.is_finished { self.finish(link) } else { Ok(()) }
    }

    /// Memory of the calls, in bytes.
    pub(super) fn memory(&mut self) -> usize {
        let current = self.current.as_mut().map(|current| &mut current.rest);
        let requests: usize = self.queued.iter_mut().chain(current).map(QueuedRequest::memory).sum();
        let scanners = self.requests.memory() + self.replies.memory();
        let early = self.rejected_early.as_ref().map_or(0, |early| early.len() * size_of::<(u32, ErrorCode)>());
        requests + scanners + early + self.out.memory() + self.in_flight.len() * FLIGHT + self.caches.memory()
    }

    /// Bytes of queued requests.
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Receives a fragment of a request. Queued requests may have `room` bytes.
    pub(super) fn request(&mut self, fragment: Fragment, room: usize, link: &mut ServerLink) {
        let Fragment { call, is_last, bytes, .. } = fragment;
        if self.is_given_up {
            return link.end_call(self.stream, call, HOT_ROD_DRAINING, false);
        }
        if let Some(current) = self.current.as_mut().filter(|current| current.rest.call == call) {
            return current.rest.add(bytes, is_last);
        }
        if self.rejected_early.iter().flatten().any(|(gone, _)| *gone == call) {
            return;
        }
        self.queued_bytes += bytes.len();
        if let Some(queued) = self.queued.iter_mut().find(|queued| queued.call == call) {
            queued.add(bytes, is_last);
        } else {
            let mut queued = QueuedRequest::new(call);
            queued.add(bytes, is_last);
            self.queued.push_back(queued);
            // Cancelled calls in flight count as well.
            if self.queued.len() + self.in_flight.len() > Offer::default().max_calls as usize {
                self.drop_queued(call, HOT_ROD_TOO_MANY_CALLS, link);
            }
        }
        self.make_room(room, link);
    }

    /// Rejects the newest queued requests, incomplete ones first, until the others have at most `room` bytes: they must not
    /// hold all of the connection's credit, which the present request needs (spec, "Credit").
    fn make_room(&mut self, room: usize, link: &mut ServerLink) {
        let may_starve = self.current.as_ref().is_some_and(|current| !current.rest.is_whole);
        while self.queued_bytes > room {
            let partial = self.queued.iter().rev().find(|queued| !queued.is_whole);
            let newest = partial.or_else(|| self.queued.back().filter(|_| may_starve));
            let Some(call) = newest.map(|queued| queued.call) else { return };
            self.drop_queued(call, HOT_ROD_TOO_MANY_CALLS, link);
        }
    }

    fn drop_queued(&mut self, call: u32, code: ErrorCode, link: &mut ServerLink) {
        if let Some(index) = self.queued.iter().position(|queued| queued.call == call) {
            self.take_queued(index);
        }
        match &mut self.rejected_early {
            Some(early) => early.push((call, code)),
            None => link.end_call(self.stream, call, code, false),
        }
    }

    fn take_queued(&mut self, index: usize) -> Option<QueuedRequest> {
        let queued = self.queued.remove(index)?;
        self.queued_bytes -= queued.bytes;
        Some(queued)
    }

    /// Moves requests to the output while it has room.
    pub(super) fn forward(&mut self, link: &mut ServerLink) -> Result<(), ForwardError> {
        while self.out.len() < ENOUGH {
            if self.current.is_none() && !self.begin_next(link)? {
                break;
            }
            if self.current.is_some() && !self.forward_current(link)? {
                break;
            }
        }
        Ok(())
    }

    /// Begins to forward the next request, a whole one before an incomplete one. Returns whether there was one.
    fn begin_next(&mut self, link: &mut ServerLink) -> Result<bool, ForwardError> {
        let mut index = 0;
        let mut whole = self.queued.iter().position(|queued| queued.is_whole);
        loop {
            let at = whole.take().unwrap_or(index);
            let Some(next) = self.queued.get_mut(at) else { return Ok(false) };
            let verdict = if next.bytes == 0 && !next.is_whole { Verdict::Wait } else { next.judge(&self.limits) };
            let call = next.call;
            match verdict {
                Verdict::Wait => {
                    // No whole request is queued any more.
                    index = at + 1;
                    continue;
                }
                Verdict::Malformed(what) => return Err(ForwardError::NotOneRequest(what)),
                Verdict::Unknown => self.drop_queued(call, HOT_ROD_MESSAGE_ERROR, link),
                Verdict::TooLong => self.drop_queued(call, HOT_ROD_TOO_LARGE, link),
                Verdict::External(head) => {
                    self.take_queued(at);
                    let answer = error_reply(head.message_id, head.context, Status::SERVER_ERROR, NO_EXTERNAL);
                    link.respond(self.stream, call, answer, true);
                    self.external_refused += 1;
                }
                Verdict::Forward(head) | Verdict::ForwardWhole(head)
                    if self.in_flight.contains_key(&head.message_id) =>
                {
                    return Err(ForwardError::DuplicateId(head.message_id));
                }
                Verdict::Forward(head) => {
                    let Some(rest) = self.take_queued(at) else { return Ok(false) };
                    self.current = Some(Current { rest, message_id: head.message_id, last: None });
                    self.note(head, call, None);
                }
                Verdict::ForwardWhole(head) => {
                    let begin = self.out.end();
                    let mut request = self.take_queued(at);
                    while let Some(piece) = request.as_mut().and_then(QueuedRequest::take) {
                        link.release_fragment(self.stream, call, piece.len());
                        self.out.push(piece);
                    }
                    self.note(head, call, Some(begin));
                }
            }
            return Ok(true);
        }
    }

    /// Adds a request in flight; `whole_from` is the position of one that is forwarded whole.
    fn note(&mut self, head: RequestHead, call: u32, whole_from: Option<u64>) {
        let RequestHead { message_id, context: asked, cache, .. } = head;
        let begin = whole_from.unwrap_or(self.out.end());
        let cache = self.caches.keep(&cache);
        let end = whole_from.map(|_| self.out.end());
        self.in_flight.insert(message_id, InFlight { call: Some(call), asked, cache, begin, end });
    }

    /// Forwards the received part of the present request. Returns whether the request has been forwarded whole.
    fn forward_current(&mut self, link: &mut ServerLink) -> Result<bool, ForwardError> {
        let Some(current) = &mut self.current else { return Ok(false) };
        let begin = self.in_flight.get(&current.message_id).map(|flight| flight.begin);
        while let Some(bytes) = current.rest.take() {
            link.release_fragment(self.stream, current.rest.call, bytes.len());
            self.requests.receive(&bytes);
            while current.last.is_none()
                && let Some(piece) = self.requests.poll()
            {
                let piece = match piece {
                    Ok(piece) => piece,
                    Err(fault) if is_too_large(&fault) && begin == Some(self.out.end()) => {
                        let (id, call) = (current.message_id, current.rest.call);
                        self.take_back(id, self.out.end(), None);
                        link.end_call(self.stream, call, HOT_ROD_TOO_LARGE, false);
                        return Ok(true);
                    }
                    Err(fault) => return Err(ForwardError::NotOneRequest(fault.to_string())),
                };
                let kept = usize::from(piece.is_last);
                let all_but_kept = piece.bytes.len() - kept;
                current.last = piece.bytes.get(all_but_kept).copied();
                self.out.push(piece.bytes.slice(..all_but_kept));
            }
            if current.last.is_some() && (self.requests.buffered() > 0 || current.rest.bytes > 0) {
                return Err(ForwardError::NotOneRequest("more follows it in its call".into()));
            }
        }
        if !current.rest.is_whole {
            return Ok(false);
        }
        let Some(last) = current.last else {
            return Err(ForwardError::NotOneRequest("it is not whole at its FIN".into()));
        };
        self.out.push(Bytes::copy_from_slice(&[last]));
        if let Some(flight) = self.in_flight.get_mut(&current.message_id) {
            flight.end = Some(self.out.end());
        }
        self.current = None;
        Ok(true)
    }

    /// Bytes for the member's socket.
    pub(super) fn outgoing(&mut self) -> &mut Outgoing {
        &mut self.out
    }

    /// Where what the member sends is to be put; then say [`received`](Self::received).
    pub(super) fn receive_buffer(&mut self, most: usize) -> &mut BytesMut {
        self.replies.receive_buffer_for(most)
    }

    /// Forwards what the member has sent. Reports topologies to `hint`.
    pub(super) fn received(&mut self, link: &mut ServerLink, hint: impl Fn(&Topology)) -> Result<(), ForwardError> {
        loop {
            let asked = &self.in_flight;
            let piece = match self.replies.poll(|id| asked.get(&id).map(|flight| flight.asked)) {
                None => return Ok(()),
                Some(Err(violation)) => return Err(ForwardError::Violation(violation)),
                Some(Ok(piece)) => piece,
            };
            let MessageKind::Reply { message_id, operation, status } = piece.kind else {
                link.event(self.stream, piece.bytes, piece.is_first, piece.is_last);
                continue;
            };
            let Some(flight) = self.in_flight.get(&message_id) else { return Err(ForwardError::LostTrack) };
            self.authenticated.answer(flight.asked, &piece);
            let is_of_a_cache = is_of_a_cache(operation);
            if piece.is_last && is_of_a_cache && !status.is_error() {
                self.caches.answered(flight.cache);
            }
            if let Some(topology) = piece.topology {
                flight.cache.into_iter().for_each(|cache| self.caches.set_topology(cache, topology.id));
                hint(&topology);
            }
            if operation == Some(Operation::Auth) || is_of_a_cache && !status.is_error() {
                self.was_refused = operation == Some(Operation::Auth) && status.is_error();
            }
            if let Some(call) = flight.call {
                link.respond(self.stream, call, piece.bytes, piece.is_last);
            }
            if piece.is_last {
                self.in_flight.remove(&message_id);
                if self.current.as_ref().is_some_and(|current| current.message_id == message_id) {
                    // The client stops sending it, so it never becomes whole.
                    return Err(ForwardError::HalfSent);
                }
            }
        }
    }

    /// Whether the member has authenticated the session.
    pub(super) fn is_authenticated(&self) -> bool {
        self.authenticated.is_done()
    }

    /// Whether the client has credit to continue an incomplete call; `None` if there is no such call. The present request
    /// gets credit as its fragments are forwarded, a queued one has its initial credit only.
    pub(super) fn needs_more_of(&self, call: u32) -> Option<bool> {
        let mut partial = self.queued.iter().filter(|queued| !queued.is_whole);
        if let Some(queued) = partial.find(|queued| queued.call == call) {
            // Behind another request a client may keep the last of its credit.
            let first = Offer::default().initial_credit as usize;
            return Some(queued.bytes < if self.current.is_some() { first / 2 } else { first });
        }
        let current = self.current.as_ref().filter(|current| !current.rest.is_whole && current.rest.call == call)?;
        Some(current.rest.bytes == 0)
    }

    /// Takes the number of rejected AUTHs with EXTERNAL.
    pub(super) fn take_external_refused(&mut self) -> usize {
        std::mem::take(&mut self.external_refused)
    }

    /// Sends a topology of the gateway's own connection to a client that has named the cache and has another one.
    pub(super) fn send_topology(&mut self, cache: &str, topology: &Topology, link: &mut ServerLink) {
        if let Some(known) = self.caches.topology_of(cache)
            && *known != topology.id
        {
            *known = topology.id;
            link.send_topology(self.stream, cache, topology);
        }
    }

    /// Handles CANCEL.
    pub(super) fn cancel(&mut self, call: u32, link: &mut ServerLink) -> Result<(), ForwardError> {
        if self.queued.iter().any(|queued| queued.call == call) {
            self.drop_queued(call, ErrorCode::CANCEL, link);
            return Ok(());
        }
        let Some((&id, flight)) = self.in_flight.iter_mut().find(|(_, flight)| flight.call == Some(call)) else {
            return Ok(());
        };
        let (begin, end, written) = (flight.begin, flight.end, self.out.written());
        if begin >= written {
            // No byte of it is written, so it is dropped.
            self.take_back(id, begin, end);
            link.end_call(self.stream, call, ErrorCode::CANCEL, false);
        } else if end.is_none() {
            // The member waits for the rest.
            link.end_call(self.stream, call, ErrorCode::CANCEL, false);
            return Err(ForwardError::HalfSent);
        } else {
            // The unwritten rest is still written.
            flight.call = None;
            link.end_call(self.stream, call, ErrorCode::CANCEL, true);
        }
        Ok(())
    }

    /// Removes a request from the output of which no byte has been written.
    fn take_back(&mut self, id: u64, begin: u64, end: Option<u64>) {
        if end.is_none() {
            self.current = None;
            self.requests = RequestScanner::new(self.limits.clone());
        }
        let end = end.unwrap_or(self.out.end());
        self.out.take_back(begin, end);
        self.in_flight.remove(&id);
        for later in self.in_flight.values_mut().filter(|later| later.begin >= end) {
            later.begin -= end - begin;
            later.end = later.end.map(|position| position - (end - begin));
        }
    }

    /// Ends the session; CANCEL reports for each call whether it may have been applied.
    pub(super) fn end(&mut self, broken: &ForwardError, link: &mut ServerLink) {
        self.end_calls(HOT_ROD_UPSTREAM_GONE, link);
        let code = match broken {
            ForwardError::NotOneRequest(_) | ForwardError::DuplicateId(_) => HOT_ROD_MESSAGE_ERROR,
            _ if self.was_refused => HOT_ROD_NOT_AUTHENTICATED,
            _ => HOT_ROD_UPSTREAM_GONE,
        };
        link.end(self.stream, code);
    }

    /// Handles the end of the client's half of the stream: whole requests are still answered, incomplete ones are cancelled.
    pub(super) fn finish(&mut self, link: &mut ServerLink) -> Result<(), ForwardError> {
        self.is_finished = true;
        if self.rejected_early.is_some() {
            return Ok(());
        }
        let partial = self.queued.iter().filter(|queued| !queued.is_whole).map(|queued| queued.call);
        let current = self.current.as_ref().filter(|current| !current.rest.is_whole);
        let partial: Vec<u32> = partial.chain(current.map(|current| current.rest.call)).collect();
        partial.into_iter().try_for_each(|call| self.cancel(call, link))
    }

    /// Whether the client has ended its half of the stream and has been answered.
    pub(super) fn is_done(&self, link: &ServerLink) -> bool {
        let is_asked = self.in_flight.values().any(|flight| flight.call.is_some());
        self.is_finished && !is_asked && self.queued.is_empty() && link.open_calls(self.stream).is_empty()
    }

    /// Cancels every call, and rejects further ones with an error that has the client try another server. Forwards
    /// nothing more.
    pub(super) fn give_up(&mut self, link: &mut ServerLink) {
        self.is_given_up = true;
        self.end_calls(HOT_ROD_UPSTREAM_GONE, link);
    }

    fn end_calls(&mut self, code: ErrorCode, link: &mut ServerLink) {
        let written = self.out.written();
        self.current = None;
        self.queued_bytes = 0;
        for queued in self.queued.drain(..) {
            link.end_call(self.stream, queued.call, code, false);
        }
        for flight in std::mem::take(&mut self.in_flight).into_values() {
            if let Some(call) = flight.call {
                link.end_call(self.stream, call, code, flight.end.is_some_and(|end| end <= written));
            }
        }
        // Calls whose reply is only partly sent.
        for call in link.open_calls(self.stream) {
            link.end_call(self.stream, call, code, true);
        }
    }
}

/// Whether a reply shows that the client may know the cache.
fn is_of_a_cache(operation: Option<Operation>) -> bool {
    operation.is_some_and(|operation| !operation.row().before_authentication)
}
