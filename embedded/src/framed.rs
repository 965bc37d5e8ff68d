//! A session in Hot Rod frames, served by the member itself (spec/hotrod-over-http.md, "native").

use std::collections::{BTreeMap, VecDeque};

use hotrod_core::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_MANY_CALLS};
use hotrod_core::carriage::{Fragment, ServerLink};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::session::write_fault;
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Asked, Limits, Operation, Reply, Request, RequestDecoder, RequestFault, RequestHeader, SendBuffer, Status,
    write_counter_event, write_event, write_reply,
};

use crate::cluster::{Cluster, MOST_OF_NAME, Moment, cache_key};
use crate::connection::Transfer;
use crate::deadlines::{Deadlines, Progress, Seen};
use crate::members::MemberId;
use crate::post::{ConnectionId, Letter};
use crate::single_key::Caller;

/// Bytes of requests in pieces that a session may hold before it takes no further one. The largest goes on all the same.
const MOST_IN_PIECES: usize = 256 << 20;
/// Bytes of answers that wait for a client above which no further request is executed. Values are shared with the cache.
const MOST_WAITING: usize = 256 << 20;
/// Caches of which a session is told that their topology has changed.
const MOST_CACHES: usize = 64;

/// About what a request takes to keep beside its bytes: one of which not all is here, and one that is not executed.
const PART_BYTES: usize = 1 << 10;
const READY_BYTES: usize = 256;

/// One session: its calls are executed in the order in which they are complete, and answered each by itself.
pub(crate) struct Framed {
    id: ConnectionId,
    member: MemberId,
    stream: StreamId,
    limits: Limits,
    max_event_bytes: usize,
    /// Reads requests that come in one piece.
    whole: RequestDecoder,
    /// Requests of which not all is here.
    parts: BTreeMap<u32, Part>,
    bytes_in_parts: usize,
    /// Requests that are complete and not executed.
    ready: VecDeque<Ready>,
    /// Listeners that are being told what was there before them, one after the other.
    transfers: VecDeque<(u32, Transfer)>,
    /// The topology that the client was last told of, by cache.
    told: BTreeMap<String, u32>,
    out: SendBuffer,
    is_finished: bool,
    /// Bytes of requests, and of answers and events, that the member has not been told of.
    traffic: (u64, u64),
    /// Bytes of those that are complete and not executed.
    bytes_ready: usize,
    progress: Progress,
    seen: Seen,
}

struct Part {
    progress: Progress,
    decoder: RequestDecoder,
    size: usize,
    /// It is all here, but for its FIN.
    read: Option<Result<(RequestHeader, Request), RequestFault>>,
}

struct Ready {
    call: u32,
    header: RequestHeader,
    request: Request,
    /// As in [`Caller`].
    own_buffer: usize,
    size: usize,
}

impl Framed {
    pub(crate) fn new(cluster: &Cluster, id: ConnectionId, member: MemberId, stream: StreamId) -> Self {
        let limits = cluster.options.limits.clone();
        Self {
            id,
            member,
            stream,
            max_event_bytes: cluster.options.max_send_bytes,
            whole: RequestDecoder::new(limits.clone()),
            limits,
            parts: BTreeMap::new(),
            bytes_in_parts: 0,
            ready: VecDeque::new(),
            transfers: VecDeque::new(),
            told: BTreeMap::new(),
            out: SendBuffer::new(),
            is_finished: false,
            traffic: (0, 0),
            bytes_ready: 0,
            progress: Progress::default(),
            seen: Seen::default(),
        }
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    /// A fragment of a request has come. The error ends the session.
    pub(crate) fn request(&mut self, fragment: &Fragment, link: &mut ServerLink) -> Result<(), ErrorCode> {
        let call = fragment.call;
        self.traffic.0 += fragment.bytes.len() as u64;
        self.seen.received += fragment.bytes.len() as u64;
        if fragment.is_first && fragment.is_last {
            self.whole.receive(&fragment.bytes);
            let read = self.whole.poll().ok_or(HOT_ROD_MESSAGE_ERROR)?;
            let is_all = self.whole.buffered() == 0;
            if read.is_err() {
                self.whole = RequestDecoder::new(self.limits.clone());
            }
            return self.complete(call, read, is_all, (0, fragment.bytes.len()), link);
        }
        let octets = fragment.bytes.len();
        if !self.parts.is_empty() && self.bytes_in_parts + octets > MOST_IN_PIECES {
            self.drop_part(call);
            link.end_call(self.stream, call, HOT_ROD_TOO_MANY_CALLS, false);
            return Ok(());
        }
        let limits = &self.limits;
        let new = || Part {
            progress: Progress::default(),
            decoder: RequestDecoder::new(limits.clone()),
            size: 0,
            read: None,
        };
        let part = self.parts.entry(call).or_insert_with(new);
        part.size += octets;
        self.bytes_in_parts += octets;
        part.decoder.receive(&fragment.bytes);
        if part.read.is_none() {
            part.read = part.decoder.poll();
        }
        // Octets behind a request can't become one: what a call's fragments make is exactly one.
        if part.read.as_ref().is_some_and(Result::is_ok) && part.decoder.buffered() > 0 {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        link.fragment_taken(self.stream, call, octets);
        if !fragment.is_last {
            return Ok(());
        }
        let Some(part) = self.drop_part(call) else { return Ok(()) };
        self.complete(call, part.read.ok_or(HOT_ROD_MESSAGE_ERROR)?, true, (part.size, part.size), link)
    }

    /// A request is all here.
    fn complete(
        &mut self,
        call: u32,
        read: Result<(RequestHeader, Request), RequestFault>,
        is_all: bool,
        (own_buffer, size): (usize, usize),
        link: &mut ServerLink,
    ) -> Result<(), ErrorCode> {
        self.seen.requests += 1;
        match read {
            Ok((header, request)) if is_all => {
                self.bytes_ready += READY_BYTES + size;
                self.ready.push_back(Ready { call, header, request, own_buffer, size });
            }
            Ok(_) | Err(RequestFault::Violation(_)) => return Err(HOT_ROD_MESSAGE_ERROR),
            // The session goes on.
            Err(unknown) => {
                write_fault(&unknown, &mut self.out);
                link.respond_whole(self.stream, call, &mut self.out);
            }
        }
        Ok(())
    }

    fn drop_part(&mut self, call: u32) -> Option<Part> {
        let part = self.parts.remove(&call)?;
        self.bytes_in_parts -= part.size;
        Some(part)
    }

    /// The client gives a call up whose answer is not there, or its request is too large: nothing of it was executed, but
    /// for a listener's request.
    pub(crate) fn cancelled(&mut self, call: u32, code: ErrorCode, link: &mut ServerLink) {
        self.drop_part(call);
        self.ready.retain(|ready| ready.call != call);
        self.bytes_ready = self.ready.iter().map(|ready| READY_BYTES + ready.size).sum();
        let before = self.transfers.len();
        self.transfers.retain(|(transfer, _)| *transfer != call);
        let may_have_been_applied = self.transfers.len() < before;
        link.end_call(self.stream, call, code, may_have_been_applied);
    }

    /// Whether its client takes too long: for the first request, for the rest of one, or with nothing at all.
    pub(crate) fn is_late(&mut self, deadlines: Deadlines, now: Instant, is_held: bool) -> bool {
        let rests = self.parts.values_mut().any(|part| {
            let seen = Seen { requests: 1, is_partial: true, is_held, received: part.size as u64, sent: 0 };
            part.progress.look(deadlines, now, seen).is_some()
        });
        rests || self.progress.look(deadlines, now, Seen { is_held, ..self.seen }).is_some()
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    /// Bytes of requests that are not executed, and of topologies' names.
    pub(crate) fn held(&self) -> usize {
        self.bytes_in_parts + self.parts.len() * PART_BYTES + self.bytes_ready + self.told.len() * MOST_OF_NAME
    }

    /// The client begins no further call.
    pub(crate) fn finished(&mut self) {
        self.is_finished = true;
    }

    /// Executes what is ready and fetches events, as far as there is room. Answers whether the session has come to its
    /// end.
    pub(crate) fn process(&mut self, cluster: &mut Cluster, moment: Moment, link: &mut ServerLink) -> bool {
        self.fetch_events(cluster, link);
        while link.waiting(self.stream) < MOST_WAITING
            && let Some(ready) = self.ready.pop_front()
        {
            self.execute(cluster, ready, moment, link);
        }
        self.tell_states(cluster, moment, link);
        self.fetch_events(cluster, link);
        self.tell_topologies(cluster, link);
        let (read, written) = std::mem::take(&mut self.traffic);
        cluster.count_traffic(self.member, read, written);
        self.is_finished && link.open_calls(self.stream).is_empty()
    }

    fn execute(&mut self, cluster: &mut Cluster, ready: Ready, moment: Moment, link: &mut ServerLink) {
        let Ready { call, header, request, own_buffer, size } = ready;
        self.bytes_ready -= READY_BYTES + size;
        let caller = Caller { connection: self.id, member: self.member, own_buffer };
        let operation = request.operation();
        let wants_state = Transfer::wanted_by(&request);
        let reply = cluster.execute(caller, &header, request, moment);
        self.note_topology(&header, operation, &reply);
        match wants_state.filter(|_| reply.status.is_success()) {
            None => self.answer(call, &header, operation, &reply, link),
            Some(listener_id) => {
                let cache = cache_key(&header.options.cache).to_owned();
                self.transfers.push_back((call, Transfer { cache, listener_id, header, reply }));
            }
        }
    }

    fn answer(
        &mut self,
        call: u32,
        header: &RequestHeader,
        operation: Operation,
        reply: &Reply,
        link: &mut ServerLink,
    ) {
        let asked = Asked { operation, version: header.version, intelligence: header.intelligence };
        write_reply(reply, asked, &mut self.out);
        self.traffic.1 += self.out.len() as u64;
        self.seen.sent += self.out.len() as u64;
        link.respond_whole(self.stream, call, &mut self.out);
    }

    fn tell_states(&mut self, cluster: &mut Cluster, moment: Moment, link: &mut ServerLink) {
        while let Some((call, transfer)) = self.transfers.pop_front() {
            loop {
                if link.waiting_events(self.stream) >= self.max_event_bytes {
                    return self.transfers.push_front((call, transfer));
                }
                let events = cluster.next_state(self.member, &transfer, moment);
                if events.is_empty() {
                    break;
                }
                events.iter().for_each(|event| self.tell(link, |out| write_event(event, out)));
            }
            self.answer(call, &transfer.header, Operation::AddClientListener, &transfer.reply, link);
        }
    }

    fn fetch_events(&mut self, cluster: &mut Cluster, link: &mut ServerLink) {
        while link.waiting_events(self.stream) < self.max_event_bytes
            && let Some(letter) = cluster.post.take(self.id)
        {
            self.tell(link, |out| match &letter {
                Letter::Entry(event) => write_event(event, out),
                Letter::Counter(event) => write_counter_event(event, out),
            });
        }
    }

    fn tell(&mut self, link: &mut ServerLink, write: impl FnOnce(&mut SendBuffer)) {
        write(&mut self.out);
        let bytes = self.out.to_bytes();
        self.traffic.1 += bytes.len() as u64;
        self.seen.sent += bytes.len() as u64;
        self.out.clear();
        link.event(self.stream, bytes, true, true);
    }

    /// A client that has got an answer about a cache may be told of its topologies.
    fn note_topology(&mut self, header: &RequestHeader, operation: Operation, reply: &Reply) {
        let is_known = reply.status != Status::PARSE_ERROR && !reply.status.is_error() && operation != Operation::Ping;
        let cache = &header.options.cache;
        if let Some(topology) = &reply.topology {
            if self.told.len() < MOST_CACHES || self.told.contains_key(cache) {
                self.told.insert(cache.clone(), topology.id);
            }
        } else if is_known && self.told.len() < MOST_CACHES && !self.told.contains_key(cache) {
            self.told.insert(cache.clone(), header.topology_id);
        }
    }

    fn tell_topologies(&mut self, cluster: &Cluster, link: &mut ServerLink) {
        for (cache, told) in &mut self.told {
            if let Some(topology) = cluster.topology(cache).filter(|topology| topology.id != *told) {
                *told = topology.id;
                link.tell_topology(self.stream, cache, topology);
            }
        }
    }
}
