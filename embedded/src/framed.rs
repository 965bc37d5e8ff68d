//! A session in Hot Rod frames with a native node (spec/hotrod-over-http.md).

use std::collections::{BTreeMap, VecDeque};

use hotrod_core::carriage::registry::{HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_MANY_CALLS};
use hotrod_core::carriage::{Fragment, ServerLink};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::session::write_fault;
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Limits, Operation, Reply, ReplyContext, Request, RequestDecoder, RequestFault, RequestHeader, SendBuffer, Status,
    write_counter_event, write_event, write_reply,
};

use crate::cluster::{Cluster, MAX_NAME_BYTES, Moment, cache_key};
use crate::connection::Transfer;
use crate::deadlines::{Activity, Deadlines, Progress};
use crate::event_queues::{ConnectionId, QueuedEvent};
use crate::members::MemberId;
use crate::single_key::Caller;

/// Bytes of answers waiting for credit above which the session executes no further request. Values are shared with the
/// cache.
const MAX_WAITING_BYTES: usize = 256 << 20;
/// Most caches whose new topologies a session receives unasked.
const MAX_CACHES: usize = 64;

/// Estimated memory of an incomplete request without its bytes.
const PART_BYTES: usize = 1 << 10;
/// Estimated memory of a complete request without its bytes.
const READY_BYTES: usize = 256;

/// One session. It executes calls in the order in which they become complete, and answers each by itself.
pub(crate) struct Framed {
    id: ConnectionId,
    member: MemberId,
    stream: StreamId,
    limits: Limits,
    max_event_bytes: usize,
    /// Decoder of requests in one fragment.
    whole: RequestDecoder,
    /// Incomplete requests, by call.
    parts: BTreeMap<u32, Part>,
    bytes_in_parts: usize,
    /// Those of them for which no credit is granted again yet.
    bytes_waiting: usize,
    /// Complete requests that wait for execution.
    ready: VecDeque<Ready>,
    /// Transfers of listeners' initial states, one at a time.
    transfers: VecDeque<(u32, Transfer)>,
    /// Id of the topology that the client received last, by cache.
    topology_ids: BTreeMap<String, u32>,
    out: SendBuffer,
    is_finished: bool,
    /// Bytes received and sent that the member's statistics do not include yet.
    traffic: (u64, u64),
    /// Bytes of `ready`.
    bytes_ready: usize,
    progress: Progress,
    activity: Activity,
}

struct Part {
    progress: Progress,
    decoder: RequestDecoder,
    size: usize,
    /// Bytes for which no credit is granted again yet.
    waiting: usize,
    /// The request, once its last byte has arrived; FIN may still be missing.
    read: Option<Result<(RequestHeader, Request), RequestFault>>,
}

struct Ready {
    call: u32,
    header: RequestHeader,
    request: Request,
    /// The same as in [`Caller`].
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
            bytes_waiting: 0,
            ready: VecDeque::new(),
            transfers: VecDeque::new(),
            topology_ids: BTreeMap::new(),
            out: SendBuffer::new(),
            is_finished: false,
            traffic: (0, 0),
            bytes_ready: 0,
            progress: Progress::default(),
            activity: Activity::default(),
        }
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    /// Reads a fragment of a request. An error ends the session. Incomplete requests behind the oldest one may hold `room`
    /// bytes of the connection's credit.
    pub(crate) fn request(&mut self, fragment: &Fragment, room: usize, link: &mut ServerLink) -> Result<(), ErrorCode> {
        let call = fragment.call;
        self.traffic.0 += fragment.bytes.len() as u64;
        self.activity.received += fragment.bytes.len() as u64;
        if fragment.is_first && fragment.is_last {
            self.whole.receive(&fragment.bytes);
            let read = self.whole.poll().ok_or(HOT_ROD_MESSAGE_ERROR)?;
            let is_all = self.whole.buffered() == 0;
            if read.is_err() {
                self.whole = RequestDecoder::new(self.limits.clone());
            }
            return self.complete(call, read, is_all, (0, fragment.bytes.len()), link);
        }
        let size = fragment.bytes.len();
        let limits = &self.limits;
        let new = || Part {
            progress: Progress::default(),
            decoder: RequestDecoder::new(limits.clone()),
            size: 0,
            waiting: 0,
            read: None,
        };
        let part = self.parts.entry(call).or_insert_with(new);
        part.size += size;
        part.waiting += size;
        self.bytes_in_parts += size;
        self.bytes_waiting += size;
        part.decoder.receive(&fragment.bytes);
        if part.read.is_none() {
            part.read = part.decoder.poll();
        }
        // A call carries exactly one request, so bytes after it are an error.
        if part.read.as_ref().is_some_and(Result::is_ok) && part.decoder.buffered() > 0 {
            return Err(HOT_ROD_MESSAGE_ERROR);
        }
        if !fragment.is_last {
            self.grant_oldest(link);
            self.make_room(room, link);
            return Ok(());
        }
        let Some(part) = self.drop_part(call) else { return Ok(()) };
        link.release_fragment(self.stream, call, part.waiting);
        self.grant_oldest(link);
        self.complete(call, part.read.ok_or(HOT_ROD_MESSAGE_ERROR)?, true, (part.size, part.size), link)
    }

    /// Grants credit to the oldest incomplete request, and to no other: a client that finishes none holds what it was granted
    /// and one request (spec/hotrod-over-http.md, "Credit exhaustion").
    fn grant_oldest(&mut self, link: &mut ServerLink) {
        let Some(mut oldest) = self.parts.first_entry() else { return };
        let waiting = std::mem::take(&mut oldest.get_mut().waiting);
        self.bytes_waiting -= waiting;
        link.release_fragment(self.stream, *oldest.key(), waiting);
    }

    /// Rejects the newest incomplete requests until those behind the oldest hold at most `room` bytes: they must not hold all
    /// of the credit that it needs. They were not applied, so the client sends them again.
    fn make_room(&mut self, room: usize, link: &mut ServerLink) {
        while self.bytes_waiting > room
            && let Some(newest) = self.parts.keys().next_back().copied()
        {
            self.drop_part(newest);
            link.end_call(self.stream, newest, HOT_ROD_TOO_MANY_CALLS, false);
        }
    }

    /// Queues a complete request for execution.
    fn complete(
        &mut self,
        call: u32,
        read: Result<(RequestHeader, Request), RequestFault>,
        is_all: bool,
        (own_buffer, size): (usize, usize),
        link: &mut ServerLink,
    ) -> Result<(), ErrorCode> {
        self.activity.requests += 1;
        match read {
            Ok((header, _)) if self.is_in_use(header.message_id) => return Err(HOT_ROD_MESSAGE_ERROR),
            Ok((header, request)) if is_all => {
                self.bytes_ready += READY_BYTES + size;
                self.ready.push_back(Ready { call, header, request, own_buffer, size });
            }
            Ok(_) | Err(RequestFault::Violation(_)) => return Err(HOT_ROD_MESSAGE_ERROR),
            // The session continues.
            Err(unknown) => {
                write_fault(&unknown, &mut self.out);
                link.respond_whole(self.stream, call, &mut self.out);
            }
        }
        Ok(())
    }

    /// Returns whether a call that is not answered has this message id.
    fn is_in_use(&self, message_id: u64) -> bool {
        let transfers = self.transfers.iter().map(|(_, transfer)| &transfer.header);
        self.ready.iter().map(|ready| &ready.header).chain(transfers).any(|header| header.message_id == message_id)
    }

    fn drop_part(&mut self, call: u32) -> Option<Part> {
        let part = self.parts.remove(&call)?;
        self.bytes_in_parts -= part.size;
        self.bytes_waiting -= part.waiting;
        Some(part)
    }

    /// Drops a call that the client cancels or whose request is too large. It was not executed, unless it adds a listener.
    pub(crate) fn cancelled(&mut self, call: u32, code: ErrorCode, link: &mut ServerLink) {
        self.drop_part(call);
        self.ready.retain(|ready| ready.call != call);
        self.bytes_ready = self.ready.iter().map(|ready| READY_BYTES + ready.size).sum();
        let before = self.transfers.len();
        self.transfers.retain(|(transfer, _)| *transfer != call);
        let may_have_been_applied = self.transfers.len() < before;
        link.end_call(self.stream, call, code, may_have_been_applied);
        self.grant_oldest(link);
    }

    /// Returns whether the client has missed a deadline.
    pub(crate) fn is_late(&mut self, deadlines: Deadlines, now: Instant, is_held: bool) -> bool {
        let rests = self.parts.values_mut().enumerate().any(|(number, part)| {
            // Only the oldest gets credit.
            let is_held = is_held || number > 0;
            let activity = Activity { requests: 1, is_partial: true, is_held, received: part.size as u64, sent: 0 };
            part.progress.check(deadlines, now, activity).is_some()
        });
        rests || self.progress.check(deadlines, now, Activity { is_held, ..self.activity }).is_some()
    }

    pub(crate) fn activity(&self) -> Activity {
        self.activity
    }

    /// Bytes of requests that are not executed, and of names of caches.
    pub(crate) fn held(&self) -> usize {
        self.bytes_in_parts
            + self.parts.len() * PART_BYTES
            + self.bytes_ready
            + self.topology_ids.len() * MAX_NAME_BYTES
    }

    /// Notes that the client starts no further call.
    pub(crate) fn finished(&mut self) {
        self.is_finished = true;
    }

    /// Executes complete requests and fetches events while there is room. Returns whether the session has ended.
    pub(crate) fn process(&mut self, cluster: &mut Cluster, moment: Moment, link: &mut ServerLink) -> bool {
        self.fetch_events(cluster, link);
        while link.waiting(self.stream) < MAX_WAITING_BYTES
            && let Some(ready) = self.ready.pop_front()
        {
            self.execute(cluster, ready, moment, link);
        }
        self.send_states(cluster, moment, link);
        self.fetch_events(cluster, link);
        self.send_topologies(cluster, link);
        let (read, written) = std::mem::take(&mut self.traffic);
        cluster.count_traffic(self.member, read, written);
        self.is_finished && link.open_calls(self.stream).is_empty()
    }

    fn execute(&mut self, cluster: &mut Cluster, ready: Ready, moment: Moment, link: &mut ServerLink) {
        let Ready { call, header, request, own_buffer, size } = ready;
        self.bytes_ready -= READY_BYTES + size;
        let caller = Caller { connection: self.id, member: self.member, own_buffer };
        let operation = request.operation();
        let state_listener = Transfer::requested_by(&request);
        let reply = cluster.execute(caller, &header, request, moment);
        self.note_topology(&header, operation, &reply);
        match state_listener.filter(|_| reply.status.is_success()) {
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
        let asked = ReplyContext { operation, version: header.version, intelligence: header.intelligence };
        write_reply(reply, asked, &mut self.out);
        self.traffic.1 += self.out.len() as u64;
        self.activity.sent += self.out.len() as u64;
        link.respond_whole(self.stream, call, &mut self.out);
    }

    fn send_states(&mut self, cluster: &mut Cluster, moment: Moment, link: &mut ServerLink) {
        while let Some((call, mut transfer)) = self.transfers.pop_front() {
            loop {
                if link.waiting_events(self.stream) >= self.max_event_bytes {
                    return self.transfers.push_front((call, transfer));
                }
                let events = cluster.next_state(self.member, &mut transfer, moment);
                if events.is_empty() {
                    break;
                }
                events.iter().for_each(|event| self.send_event(link, |out| write_event(event, out)));
            }
            self.answer(call, &transfer.header, Operation::AddClientListener, &transfer.reply, link);
        }
    }

    fn fetch_events(&mut self, cluster: &mut Cluster, link: &mut ServerLink) {
        while link.waiting_events(self.stream) < self.max_event_bytes
            && let Some(queued) = cluster.queues.take(self.id)
        {
            self.send_event(link, |out| match &queued {
                QueuedEvent::Entry(event) => write_event(event, out),
                QueuedEvent::Counter(event) => write_counter_event(event, out),
            });
        }
    }

    fn send_event(&mut self, link: &mut ServerLink, write: impl FnOnce(&mut SendBuffer)) {
        write(&mut self.out);
        let bytes = self.out.to_bytes();
        self.traffic.1 += bytes.len() as u64;
        self.activity.sent += bytes.len() as u64;
        self.out.clear();
        link.event(self.stream, bytes, true, true);
    }

    /// Notes a cache whose topologies the client receives from now on: one that it had an answer about.
    fn note_topology(&mut self, header: &RequestHeader, operation: Operation, reply: &Reply) {
        let is_known = reply.status != Status::PARSE_ERROR && !reply.status.is_error() && operation != Operation::Ping;
        let cache = &header.options.cache;
        if let Some(topology) = &reply.topology {
            if self.topology_ids.len() < MAX_CACHES || self.topology_ids.contains_key(cache) {
                self.topology_ids.insert(cache.clone(), topology.id);
            }
        } else if is_known && self.topology_ids.len() < MAX_CACHES && !self.topology_ids.contains_key(cache) {
            self.topology_ids.insert(cache.clone(), header.topology_id);
        }
    }

    fn send_topologies(&mut self, cluster: &Cluster, link: &mut ServerLink) {
        for (cache, id) in &mut self.topology_ids {
            if let Some(topology) = cluster.topology(cache).filter(|topology| topology.id != *id) {
                *id = topology.id;
                link.send_topology(self.stream, cache, topology);
            }
        }
    }
}
