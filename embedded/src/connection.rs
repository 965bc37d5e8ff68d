//! One client's Hot Rod session with one member.

use bytes::{Bytes, BytesMut};
use hotrod_core::session::ServerSession;
use hotrod_core::wire::{Body, EntryChange, Event, Interests, Operation, Reply, Request, RequestHeader, SendBuffer};

use crate::answer::Failure;
use crate::cluster::{Cluster, Moment, cache_key};
use crate::deadlines::Activity;
use crate::event_queues::{ConnectionId, End, QueuedEvent};
use crate::listeners;
use crate::members::{MemberId, MemberState};
use crate::single_key::Caller;

/// Events of a listener's initial state that are created at a time.
const STATE_BATCH: usize = 64;

/// A member's reason to accept no further connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such member, or it has crashed.
    #[error("the member is not there")]
    NoSuchMember,
    /// The member has [`max_connections`](crate::ClusterOptions::max_connections).
    #[error("the member has {0} connections already")]
    TooMany(usize),
    /// The link has [`max_sessions`](crate::ClusterOptions::max_sessions).
    #[error("the link has {0} sessions already")]
    TooManySessions(usize),
}

/// Checks that a member accepts one more connection, or with `carrier` one more session on that link.
pub(crate) fn check_capacity(
    cluster: &Cluster,
    member: MemberId,
    carrier: Option<ConnectionId>,
) -> Result<(), Refused> {
    if cluster.member_state(member).is_none_or(|state| state == MemberState::Crashed) {
        return Err(Refused::NoSuchMember);
    }
    let most = cluster.options.max_sessions;
    if carrier.is_some_and(|carrier| cluster.queues.carried_beside(carrier) >= most) {
        return Err(Refused::TooManySessions(most));
    }
    let limit = cluster.options.max_connections;
    if cluster.queues.count_of(member) >= limit { Err(Refused::TooMany(limit)) } else { Ok(()) }
}

/// A client's Hot Rod session with a member, without HTTP. The [crate's documentation](crate) describes the loop that
/// drives it.
pub struct Connection {
    id: ConnectionId,
    member: MemberId,
    session: ServerSession,
    max_send_bytes: usize,
    transfer: Option<Box<Transfer>>,
    end: Option<End>,
    received: u64,
    /// Complete requests.
    requests: u64,
    /// Bytes received and sent that the member's statistics include.
    reported: (u64, u64),
}

/// The transfer of a listener's initial state. The listener's request is answered after it.
pub(crate) struct Transfer {
    pub(crate) cache: String,
    pub(crate) listener_id: Bytes,
    pub(crate) header: RequestHeader,
    pub(crate) reply: Reply,
}

impl Transfer {
    /// Returns the id of the listener that a request adds, if the listener includes the current state.
    pub(crate) fn requested_by(request: &Request) -> Option<Bytes> {
        match request {
            Request::AddClientListener { listener_id, options } if options.include_current_state => {
                Some(listener_id.clone())
            }
            _ => None,
        }
    }
}

impl Connection {
    /// Opens the session of a client that has connected to `member`.
    pub fn open(cluster: &mut Cluster, member: MemberId) -> Result<Self, Refused> {
        check_capacity(cluster, member, None)?;
        let id = cluster.queues.open(member, None);
        Ok(Self::new(cluster, id, member))
    }

    /// Creates the session of a connection that is open already.
    pub(crate) fn new(cluster: &Cluster, id: ConnectionId, member: MemberId) -> Self {
        let max_send_bytes = cluster.options.max_send_bytes;
        Self {
            id,
            member,
            session: ServerSession::new(cluster.options.limits.clone(), max_send_bytes),
            max_send_bytes,
            transfer: None,
            end: None,
            received: 0,
            requests: 0,
            reported: (0, 0),
        }
    }

    /// Returns the id that [`Cluster::poll_wakeup`] uses.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Returns the member at the other end.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Appends received bytes; [`process`](Self::process) reads them.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.session.handle_received(bytes);
        self.handle_filled(bytes.len());
    }

    /// Returns the receive buffer, with room for a read. Report the count with [`handle_filled`](Self::handle_filled).
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.session.receive_buffer()
    }

    /// Reports the count of bytes that were appended to [`receive_buffer`](Self::receive_buffer).
    pub fn handle_filled(&mut self, count: usize) {
        self.received += count as u64;
    }

    /// Returns whether the host should read from the socket: not while too many bytes wait to be sent.
    pub fn wants_read(&self) -> bool {
        self.end.is_none() && self.transfer.is_none() && self.session.wants_read()
    }

    /// Executes received requests and fetches events while there is room for their answers.
    pub fn process(&mut self, cluster: &mut Cluster, moment: Moment) {
        self.report_traffic(cluster);
        self.fetch_events(cluster);
        while self.end.is_none() && self.send_state(cluster, moment) {
            let Some((header, request)) = self.session.poll_request() else { break };
            self.requests += 1;
            self.execute(cluster, header, request, moment);
        }
        self.fetch_events(cluster);
        if let Some(fault) = self.session.fault() {
            self.end.get_or_insert_with(|| End::Fault(fault.clone()));
        }
    }

    /// Returns the bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        self.session.transmit()
    }

    /// Reports that the first `count` bytes of [`transmit`](Self::transmit) were sent.
    pub fn transmitted(&mut self, count: usize) {
        self.session.transmitted(count);
    }

    pub(crate) fn activity(&self) -> Activity {
        Activity {
            requests: self.requests,
            is_partial: self.session.buffered() > 0,
            is_held: !self.wants_read(),
            received: self.received,
            sent: self.transmit().sent(),
        }
    }

    /// Bytes of memory that the client occupies.
    pub(crate) fn held(&self, cluster: &Cluster) -> usize {
        self.session.buffered() + self.transmit().len() + cluster.held_for(self.id)
    }

    /// Returns why the session has ended; `None` while it has not.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Returns whether the socket can be closed: the session has ended, and the answer with the reason has been sent.
    pub fn is_finished(&self) -> bool {
        match self.end {
            None => false,
            Some(End::Fault(_)) => self.transmit().is_empty(),
            Some(_) => true,
        }
    }

    /// Closes the session: its listeners, iterations and streams end.
    pub fn close(mut self, cluster: &mut Cluster) {
        self.report_traffic(cluster);
        cluster.disconnect(self.id);
    }

    fn execute(&mut self, cluster: &mut Cluster, header: RequestHeader, request: Request, moment: Moment) {
        let caller = Caller { connection: self.id, member: self.member, own_buffer: 0 };
        let operation = request.operation();
        let state_listener = Transfer::requested_by(&request);
        let reply = cluster.execute(caller, &header, request, moment);
        match state_listener.filter(|_| reply.status.is_success()) {
            None => self.session.reply(&header, operation, &reply),
            Some(listener_id) => {
                let cache = cache_key(&header.options.cache).to_owned();
                self.transfer = Some(Box::new(Transfer { cache, listener_id, header, reply }));
            }
        }
    }

    /// Sends a listener's initial state while there is room; returns whether all of it is sent.
    fn send_state(&mut self, cluster: &mut Cluster, moment: Moment) -> bool {
        let Some(transfer) = &mut self.transfer else { return true };
        loop {
            if self.session.transmit().len() >= self.max_send_bytes {
                return false;
            }
            let events = cluster.next_state(self.member, transfer, moment);
            if events.is_empty() {
                break;
            }
            events.iter().for_each(|event| self.session.event(event));
        }
        self.session.reply(&transfer.header, Operation::AddClientListener, &transfer.reply);
        self.transfer = None;
        true
    }

    fn fetch_events(&mut self, cluster: &mut Cluster) {
        if let Some(end) = cluster.queues.end_of(self.id) {
            self.end.get_or_insert_with(|| end.clone());
            return;
        }
        while self.session.transmit().len() < self.max_send_bytes {
            match cluster.queues.take(self.id) {
                None => return,
                Some(QueuedEvent::Entry(event)) => self.session.event(&event),
                Some(QueuedEvent::Counter(event)) => self.session.counter_event(&event),
            }
        }
    }

    fn report_traffic(&mut self, cluster: &mut Cluster) {
        let now = (self.received, self.session.transmit().sent());
        cluster.count_traffic(self.member, now.0 - self.reported.0, now.1 - self.reported.1);
        self.reported = now;
    }
}

impl Cluster {
    /// Returns events for the next entries of a listener's initial state; none after the last entry. A key that can't be
    /// converted for the listener ends the transfer, and the reply becomes the error.
    pub(crate) fn next_state(&mut self, member: MemberId, transfer: &mut Transfer, moment: Moment) -> Vec<Event> {
        let Some(cache) = self.caches.get_mut(&transfer.cache) else { return Vec::new() };
        cache.expire(moment.unix_ms, &mut self.queues);
        let segments = cache.options.segments;
        let Some(listener) = cache.listeners.get_mut(member, &transfer.listener_id) else { return Vec::new() };
        let wanted = listener.interests.includes(Interests::CREATED);
        let Some(mut cursor) = listener.cursor.take().filter(|_| wanted) else { return Vec::new() };
        let transcoding = listener.transcoding.clone();
        let mut events = Vec::new();
        if let Some(store) = cache.store(member) {
            while events.len() < STATE_BATCH && cursor.segment < segments {
                let after = cursor.key.clone();
                let next = store.scan(cursor.segment, after.as_ref()).next();
                let Some((key, entry)) = next else {
                    cursor = listeners::StateCursor { segment: cursor.segment + 1, key: None };
                    continue;
                };
                let shown = match transcoding.key_of_event(key) {
                    Ok(shown) => shown,
                    Err(Failure { status, message }) => {
                        (transfer.reply.status, transfer.reply.body) = (status, Body::Error(message));
                        return Vec::new();
                    }
                };
                cursor.key = Some(key.clone());
                let (id, message_id) = (&transfer.listener_id, transfer.header.message_id);
                events.push(listeners::event(message_id, id, EntryChange::Created, &shown, entry.version));
            }
        }
        if !events.is_empty()
            && let Some(listener) = cache.listeners.get_mut(member, &transfer.listener_id)
        {
            listener.cursor = Some(cursor);
        }
        events
    }
}
