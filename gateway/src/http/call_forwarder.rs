//! The calls of a session with frames on their way to a member, and what the member sends back.
//!
//! A member takes one request after the other and says nothing of where its answers end. So requests wait here for their
//! turn, and are forwarded as far as they are the one request that a call's frames must make; answers are taken apart just
//! as far as it takes to find their ends. No bytes are held but those for which a side has no room: a client's credit
//! bounds the requests, and answers are read no faster than the client takes them.

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
use super::waiting::{Verdict, Waiting, is_too_large};
use crate::authenticated::Authenticated;
use crate::watch::{NO_EXTERNAL, error_reply};

/// Bytes that wait for the member's socket above which no more are taken from clients.
const ENOUGH: usize = 64 << 10;

/// Calls of one session with one member.
pub(super) struct Lane {
    stream: StreamId,
    /// Calls of which nothing has gone to the member, oldest first.
    waiting: VecDeque<Waiting>,
    /// The call of which some has gone.
    current: Option<Current>,
    /// What the member has or is being sent, and has not answered, by the id of the request.
    asked: BTreeMap<u64, Flight>,
    /// Limits on requests.
    limits: Limits,
    /// Follows requests that come in pieces to their ends.
    requests: RequestScanner,
    replies: ReplyScanner,
    out: Outgoing,
    /// Caches that the client has asked about.
    caches: CacheNames,
    authenticated: Authenticated,
    /// The last thing that the member said of credentials is that it does not want them.
    was_refused: bool,
    /// The client asks nothing more.
    is_finished: bool,
    /// Nothing more is asked of the member: the grace is over.
    is_given_up: bool,
    /// Octets of the requests that wait.
    waiting_bytes: usize,
    /// AUTHs that were answered here, until they are counted.
    external_refused: usize,
    /// Calls that were sent away before the client was answered, which has to come first; `None` since then.
    sent_away_early: Option<Vec<(u32, ErrorCode)>>,
}

/// The request that is being forwarded.
struct Current {
    rest: Waiting,
    message_id: u64,
    /// Its last octet, which waits until the client has said that it is the last: until then the member can't execute it.
    last: Option<u8>,
}

struct Flight {
    /// `None` if nobody waits for the answer any more.
    call: Option<u32>,
    asked: ReplyContext,
    cache: Option<NameId>,
    /// Where it stands in what goes to the member.
    begin: u64,
    /// `None` while not all of it has come.
    end: Option<u64>,
}

/// Bytes of memory that a request in flight takes: a map is half full at worst.
const FLIGHT: usize = 2 * (size_of::<u64>() + size_of::<Flight>());

/// Why a session can't go on.
#[derive(Debug)]
pub(super) enum Broken {
    /// A request was given up when half of it had gone.
    HalfSent,
    /// What the client has sent in the frames of a call is not one request.
    NotOneRequest(String),
    /// A request has the message id of another in flight.
    DuplicateId(u64),
    /// The member broke the protocol.
    Violation(Violation),
    /// The member could not read a request.
    LostTrack,
    /// The connection with the member is gone.
    Lost(String),
}

impl Broken {
    /// Label of the metric `refusals`; `None` for what is no fault of the client's.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotOneRequest(_) => Some("unreadable_request"),
            Self::DuplicateId(_) => Some("duplicate_id"),
            Self::Violation(_) | Self::LostTrack => Some("unreadable_reply"),
            Self::HalfSent | Self::Lost(_) => None,
        }
    }
}

impl fmt::Display for Broken {
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

impl Lane {
    pub(super) fn new(stream: StreamId, limits: Limits) -> Self {
        Self {
            stream,
            waiting: VecDeque::new(),
            current: None,
            asked: BTreeMap::new(),
            requests: RequestScanner::new(limits.clone()),
            limits,
            replies: ReplyScanner::new(Limits::default()),
            out: Outgoing::default(),
            caches: CacheNames::default(),
            authenticated: Authenticated::default(),
            was_refused: false,
            is_finished: false,
            is_given_up: false,
            waiting_bytes: 0,
            external_refused: 0,
            sent_away_early: Some(Vec::new()),
        }
    }

    /// The client has been told that its session is there.
    pub(super) fn opened(&mut self, link: &mut ServerLink) -> Result<(), Broken> {
        for (call, code) in self.sent_away_early.take().into_iter().flatten() {
            link.end_call(self.stream, call, code, false);
        }
        if self.is_finished { self.finish(link) } else { Ok(()) }
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&mut self) -> usize {
        let current = self.current.as_mut().map(|current| &mut current.rest);
        let requests: usize = self.waiting.iter_mut().chain(current).map(Waiting::memory).sum();
        let scanners = self.requests.memory() + self.replies.memory();
        let early = self.sent_away_early.as_ref().map_or(0, |early| early.len() * size_of::<(u32, ErrorCode)>());
        requests + scanners + early + self.out.memory() + self.asked.len() * FLIGHT + self.caches.memory()
    }

    /// Octets of requests that wait for their turn.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// A fragment of a request has come. What waits may have `room` octets.
    pub(super) fn request(&mut self, fragment: Fragment, room: usize, link: &mut ServerLink) {
        let Fragment { call, is_last, bytes, .. } = fragment;
        if self.is_given_up {
            return link.end_call(self.stream, call, HOT_ROD_DRAINING, false);
        }
        if let Some(current) = self.current.as_mut().filter(|current| current.rest.call == call) {
            return current.rest.add(bytes, is_last);
        }
        if self.sent_away_early.iter().flatten().any(|(gone, _)| *gone == call) {
            return;
        }
        self.waiting_bytes += bytes.len();
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.call == call) {
            waiting.add(bytes, is_last);
        } else {
            let mut waiting = Waiting::new(call);
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
        let may_starve = self.current.as_ref().is_some_and(|current| !current.rest.is_whole);
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
        match &mut self.sent_away_early {
            Some(early) => early.push((call, code)),
            None => link.end_call(self.stream, call, code, false),
        }
    }

    fn take_waiting(&mut self, index: usize) -> Option<Waiting> {
        let waiting = self.waiting.remove(index)?;
        self.waiting_bytes -= waiting.bytes;
        Some(waiting)
    }

    /// Moves requests to where the member's socket takes them from, while there is room.
    pub(super) fn forward(&mut self, link: &mut ServerLink) -> Result<(), Broken> {
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

    /// Begins with the next request that can be: a whole one before one that is still coming. Answers whether there was
    /// one.
    fn begin_next(&mut self, link: &mut ServerLink) -> Result<bool, Broken> {
        let mut index = 0;
        let mut whole = self.waiting.iter().position(|waiting| waiting.is_whole);
        loop {
            let at = whole.take().unwrap_or(index);
            let Some(next) = self.waiting.get_mut(at) else { return Ok(false) };
            let verdict = if next.bytes == 0 && !next.is_whole { Verdict::Wait } else { next.judge(&self.limits) };
            let call = next.call;
            match verdict {
                Verdict::Wait => {
                    // All that are whole were taken before it.
                    index = at + 1;
                    continue;
                }
                Verdict::Malformed(what) => return Err(Broken::NotOneRequest(what)),
                Verdict::Unknown => self.drop_waiting(call, HOT_ROD_MESSAGE_ERROR, link),
                Verdict::TooLong => self.drop_waiting(call, HOT_ROD_TOO_LARGE, link),
                Verdict::External(head) => {
                    self.take_waiting(at);
                    let answer = error_reply(head.message_id, head.context, Status::SERVER_ERROR, NO_EXTERNAL);
                    link.respond(self.stream, call, answer, true);
                    self.external_refused += 1;
                }
                Verdict::Forward(head) | Verdict::ForwardWhole(head) if self.asked.contains_key(&head.message_id) => {
                    return Err(Broken::DuplicateId(head.message_id));
                }
                Verdict::Forward(head) => {
                    let Some(rest) = self.take_waiting(at) else { return Ok(false) };
                    self.current = Some(Current { rest, message_id: head.message_id, last: None });
                    self.note(head, call, None);
                }
                Verdict::ForwardWhole(head) => {
                    let begin = self.out.end();
                    let mut request = self.take_waiting(at);
                    while let Some(piece) = request.as_mut().and_then(Waiting::take) {
                        link.fragment_taken(self.stream, call, piece.len());
                        self.out.push(piece);
                    }
                    self.note(head, call, Some(begin));
                }
            }
            return Ok(true);
        }
    }

    /// A request is being forwarded; if all of it has been, from which position on.
    fn note(&mut self, head: RequestHead, call: u32, whole_from: Option<u64>) {
        let RequestHead { message_id, context: asked, cache, .. } = head;
        let begin = whole_from.unwrap_or(self.out.end());
        let cache = self.caches.keep(&cache);
        let end = whole_from.map(|_| self.out.end());
        self.asked.insert(message_id, Flight { call: Some(call), asked, cache, begin, end });
    }

    /// Forwards what is here of the present request. Answers whether it is all forwarded.
    fn forward_current(&mut self, link: &mut ServerLink) -> Result<bool, Broken> {
        let Some(current) = &mut self.current else { return Ok(false) };
        let begin = self.asked.get(&current.message_id).map(|flight| flight.begin);
        while let Some(bytes) = current.rest.take() {
            link.fragment_taken(self.stream, current.rest.call, bytes.len());
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
                    Err(fault) => return Err(Broken::NotOneRequest(fault.to_string())),
                };
                let kept = usize::from(piece.is_last);
                let all_but_kept = piece.bytes.len() - kept;
                current.last = piece.bytes.get(all_but_kept).copied();
                self.out.push(piece.bytes.slice(..all_but_kept));
            }
            if current.last.is_some() && (self.requests.buffered() > 0 || current.rest.bytes > 0) {
                return Err(Broken::NotOneRequest("more follows it in its call".into()));
            }
        }
        if !current.rest.is_whole {
            return Ok(false);
        }
        let Some(last) = current.last else {
            return Err(Broken::NotOneRequest("it is not whole at its FIN".into()));
        };
        self.out.push(Bytes::copy_from_slice(&[last]));
        if let Some(flight) = self.asked.get_mut(&current.message_id) {
            flight.end = Some(self.out.end());
        }
        self.current = None;
        Ok(true)
    }

    /// What the member's socket is to take.
    pub(super) fn outgoing(&mut self) -> &mut Outgoing {
        &mut self.out
    }

    /// Where what the member sends is to be put; then say [`received`](Self::received).
    pub(super) fn receive_buffer(&mut self, most: usize) -> &mut BytesMut {
        self.replies.receive_buffer_for(most)
    }

    /// Forwards what the member has sent. Reports topologies to `hint`.
    pub(super) fn received(&mut self, link: &mut ServerLink, hint: impl Fn(&Topology)) -> Result<(), Broken> {
        loop {
            let asked = &self.asked;
            let piece = match self.replies.poll(|id| asked.get(&id).map(|flight| flight.asked)) {
                None => return Ok(()),
                Some(Err(violation)) => return Err(Broken::Violation(violation)),
                Some(Ok(piece)) => piece,
            };
            let MessageKind::Reply { message_id, operation, status } = piece.kind else {
                link.event(self.stream, piece.bytes, piece.is_first, piece.is_last);
                continue;
            };
            let Some(flight) = self.asked.get(&message_id) else { return Err(Broken::LostTrack) };
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
                self.asked.remove(&message_id);
                if self.current.as_ref().is_some_and(|current| current.message_id == message_id) {
                    // The client stops to send it, so the member will never have it whole.
                    return Err(Broken::HalfSent);
                }
            }
        }
    }

    /// Whether the member has let the session in.
    pub(super) fn is_authenticated(&self) -> bool {
        self.authenticated.is_done()
    }

    /// Of a call of which not all has come, whether its client has credit to go on; `None` if there is no such call. One
    /// whose turn it is gets credit as its fragments are taken, any other has its first and no more.
    pub(super) fn waits_for(&self, call: u32) -> Option<bool> {
        let mut waiting = self.waiting.iter().filter(|waiting| !waiting.is_whole);
        if let Some(waiting) = waiting.find(|waiting| waiting.call == call) {
            // Behind another one's turn a client may not want to send the very last of its credit.
            let first = Offer::default().initial_credit as usize;
            return Some(waiting.bytes < if self.current.is_some() { first / 2 } else { first });
        }
        let current = self.current.as_ref().filter(|current| !current.rest.is_whole && current.rest.call == call)?;
        Some(current.rest.bytes == 0)
    }

    /// How many AUTHs with EXTERNAL were answered here since the last time.
    pub(super) fn take_external_refused(&mut self) -> usize {
        std::mem::take(&mut self.external_refused)
    }

    /// A view that came by another way: it goes to a client that has asked about the cache and has another.
    pub(super) fn tell_topology(&mut self, cache: &str, topology: &Topology, link: &mut ServerLink) {
        if let Some(known) = self.caches.topology_of(cache)
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
            return Ok(());
        }
        let Some((&id, flight)) = self.asked.iter_mut().find(|(_, flight)| flight.call == Some(call)) else {
            return Ok(());
        };
        let (begin, end, written) = (flight.begin, flight.end, self.out.written());
        if begin >= written {
            // The member has nothing of it, so it is dropped.
            self.take_back(id, begin, end);
            link.end_call(self.stream, call, ErrorCode::CANCEL, false);
        } else if end.is_none() {
            // The member waits for the rest, which will never come.
            link.end_call(self.stream, call, ErrorCode::CANCEL, false);
            return Err(Broken::HalfSent);
        } else {
            // What is still here of it goes on by itself.
            flight.call = None;
            link.end_call(self.stream, call, ErrorCode::CANCEL, true);
        }
        Ok(())
    }

    /// Takes a request back of which nothing has been written.
    fn take_back(&mut self, id: u64, begin: u64, end: Option<u64>) {
        if end.is_none() {
            self.current = None;
            self.requests = RequestScanner::new(self.limits.clone());
        }
        let end = end.unwrap_or(self.out.end());
        self.out.take_back(begin, end);
        self.asked.remove(&id);
        for later in self.asked.values_mut().filter(|later| later.begin >= end) {
            later.begin -= end - begin;
            later.end = later.end.map(|position| position - (end - begin));
        }
    }

    /// The session can't go on: every call learns what may have become of it, and the session ends.
    pub(super) fn end(&mut self, broken: &Broken, link: &mut ServerLink) {
        self.end_calls(HOT_ROD_UPSTREAM_GONE, link);
        let code = match broken {
            Broken::NotOneRequest(_) | Broken::DuplicateId(_) => HOT_ROD_MESSAGE_ERROR,
            _ if self.was_refused => HOT_ROD_NOT_AUTHENTICATED,
            _ => HOT_ROD_UPSTREAM_GONE,
        };
        link.end(self.stream, code);
    }

    /// The client asks nothing more. What it has asked whole is answered; the rest of other requests will never come.
    pub(super) fn finish(&mut self, link: &mut ServerLink) -> Result<(), Broken> {
        self.is_finished = true;
        if self.sent_away_early.is_some() {
            return Ok(());
        }
        let partial = self.waiting.iter().filter(|waiting| !waiting.is_whole).map(|waiting| waiting.call);
        let current = self.current.as_ref().filter(|current| !current.rest.is_whole);
        let partial: Vec<u32> = partial.chain(current.map(|current| current.rest.call)).collect();
        partial.into_iter().try_for_each(|call| self.cancel(call, link))
    }

    /// Whether the client asks nothing more, and all that it has asked is answered.
    pub(super) fn is_done(&self, link: &ServerLink) -> bool {
        let is_asked = self.asked.values().any(|flight| flight.call.is_some());
        self.is_finished && !is_asked && self.waiting.is_empty() && link.open_calls(self.stream).is_empty()
    }

    /// Every call learns what may have become of it, and further ones are told to go elsewhere. The member is not
    /// talked to any more.
    pub(super) fn give_up(&mut self, link: &mut ServerLink) {
        self.is_given_up = true;
        self.end_calls(HOT_ROD_UPSTREAM_GONE, link);
    }

    fn end_calls(&mut self, code: ErrorCode, link: &mut ServerLink) {
        let written = self.out.written();
        self.current = None;
        self.waiting_bytes = 0;
        for waiting in self.waiting.drain(..) {
            link.end_call(self.stream, waiting.call, code, false);
        }
        for flight in std::mem::take(&mut self.asked).into_values() {
            if let Some(call) = flight.call {
                link.end_call(self.stream, call, code, flight.end.is_some_and(|end| end <= written));
            }
        }
        // Those whose answer is here and has not gone out whole.
        for call in link.open_calls(self.stream) {
            link.end_call(self.stream, call, code, true);
        }
    }
}

/// Whether an answer says that the client may know of the cache.
fn is_of_a_cache(operation: Option<Operation>) -> bool {
    operation.is_some_and(|operation| !operation.row().before_authentication)
}
