//! One client's conversation with one member.

use bytes::{Bytes, BytesMut};
use hotrod_core::session::ServerSession;
use hotrod_core::wire::{EntryChange, Event, Interests, Operation, Reply, Request, RequestHeader, SendBuffer};

use crate::cluster::{Cluster, Moment, cache_key};
use crate::deadlines::Seen;
use crate::listeners;
use crate::members::{MemberId, MemberState};
use crate::post::{ConnectionId, End, Letter};
use crate::single_key::Caller;

/// Events made at a time when a listener is told what was there before it.
const STATE_BATCH: usize = 64;

/// Why a member takes no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such member, or it has crashed.
    #[error("the member is not there")]
    NoSuchMember,
    /// It has as many as it may have.
    #[error("the member has {0} connections already")]
    TooMany(usize),
    /// The link that is to carry it carries as many as it may.
    #[error("the link has {0} sessions already")]
    TooManySessions(usize),
}

/// Whether a member takes one more connection; or one more session, which that link is to carry.
pub(crate) fn may_open(cluster: &Cluster, member: MemberId, carrier: Option<ConnectionId>) -> Result<(), Refused> {
    if cluster.member_state(member).is_none_or(|state| state == MemberState::Crashed) {
        return Err(Refused::NoSuchMember);
    }
    let most = cluster.options.max_sessions;
    if carrier.is_some_and(|carrier| cluster.post.carried_beside(carrier) >= most) {
        return Err(Refused::TooManySessions(most));
    }
    let limit = cluster.options.max_connections;
    if cluster.post.count_of(member) >= limit { Err(Refused::TooMany(limit)) } else { Ok(()) }
}

/// A client's conversation with a member; see the [module](super) for how to drive it.
pub struct Connection {
    id: ConnectionId,
    member: MemberId,
    session: ServerSession,
    max_send_bytes: usize,
    transfer: Option<Box<Transfer>>,
    end: Option<End>,
    received: u64,
    /// Requests that were there whole.
    requests: u64,
    /// Bytes received and sent that the member knows of.
    reported: (u64, u64),
}

/// A listener that is being told what was there before it. Its request is answered after that.
pub(crate) struct Transfer {
    pub(crate) cache: String,
    pub(crate) listener_id: Bytes,
    pub(crate) header: RequestHeader,
    pub(crate) reply: Reply,
}

impl Transfer {
    /// The listener that a request adds, if it is to be told what was there before it.
    pub(crate) fn wanted_by(request: &Request) -> Option<Bytes> {
        match request {
            Request::AddClientListener { listener_id, options } if options.include_current_state => {
                Some(listener_id.clone())
            }
            _ => None,
        }
    }
}

impl Connection {
    /// A client has connected to a member.
    pub fn open(cluster: &mut Cluster, member: MemberId) -> Result<Self, Refused> {
        may_open(cluster, member, None)?;
        let id = cluster.post.open(member, None);
        Ok(Self::new(cluster, id, member))
    }

    /// One whose id is known already.
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

    /// Its id, as [`Cluster::poll_wakeup`] names it.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The member that it leads to.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Takes bytes from the client; they are looked at by [`process`](Self::process).
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.session.handle_received(bytes);
        self.handle_filled(bytes.len());
    }

    /// The receive buffer, with room for a read; say with [`handle_filled`](Self::handle_filled) how much came.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.session.receive_buffer()
    }

    /// So many bytes were appended to [`receive_buffer`](Self::receive_buffer).
    pub fn handle_filled(&mut self, count: usize) {
        self.received += count as u64;
    }

    /// Whether the host should read from the link. Not while too much waits to be sent.
    pub fn wants_read(&self) -> bool {
        self.end.is_none() && self.transfer.is_none() && self.session.wants_read()
    }

    /// Executes what was received, and fetches events, as far as there is room for answers.
    pub fn process(&mut self, cluster: &mut Cluster, moment: Moment) {
        self.report_traffic(cluster);
        self.fetch_events(cluster);
        while self.end.is_none() && self.tell_state(cluster, moment) {
            let Some((header, request)) = self.session.poll_request() else { break };
            self.requests += 1;
            self.execute(cluster, header, request, moment);
        }
        self.fetch_events(cluster);
        if let Some(fault) = self.session.fault() {
            self.end.get_or_insert_with(|| End::Fault(fault.clone()));
        }
    }

    /// What is to be sent.
    pub fn transmit(&self) -> &SendBuffer {
        self.session.transmit()
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.session.transmitted(count);
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            requests: self.requests,
            is_partial: self.session.buffered() > 0,
            is_held: !self.wants_read(),
            received: self.received,
            sent: self.transmit().sent(),
        }
    }

    /// Bytes that the client makes the node hold.
    pub(crate) fn held(&self, cluster: &Cluster) -> usize {
        self.session.buffered() + self.transmit().len() + cluster.held_for(self.id)
    }

    /// Why it is over; `None` while it is not.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Whether the link can be closed: it is over, and an answer that says why has been sent.
    pub fn is_finished(&self) -> bool {
        match self.end {
            None => false,
            Some(End::Fault(_)) => self.transmit().is_empty(),
            Some(_) => true,
        }
    }

    /// The link is closed: its listeners, iterations and streams end.
    pub fn close(mut self, cluster: &mut Cluster) {
        self.report_traffic(cluster);
        cluster.disconnect(self.id);
    }

    fn execute(&mut self, cluster: &mut Cluster, header: RequestHeader, request: Request, moment: Moment) {
        let caller = Caller { connection: self.id, member: self.member, own_buffer: 0 };
        let operation = request.operation();
        let wants_state = Transfer::wanted_by(&request);
        let reply = cluster.execute(caller, &header, request, moment);
        match wants_state.filter(|_| reply.status.is_success()) {
            None => self.session.reply(&header, operation, &reply),
            Some(listener_id) => {
                let cache = cache_key(&header.options.cache).to_owned();
                self.transfer = Some(Box::new(Transfer { cache, listener_id, header, reply }));
            }
        }
    }

    /// Tells a listener what was there before it, as far as there is room; answers whether that is done.
    fn tell_state(&mut self, cluster: &mut Cluster, moment: Moment) -> bool {
        let Some(transfer) = &self.transfer else { return true };
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
        if let Some(end) = cluster.post.end_of(self.id) {
            self.end.get_or_insert_with(|| end.clone());
            return;
        }
        while self.session.transmit().len() < self.max_send_bytes {
            match cluster.post.take(self.id) {
                None => return,
                Some(Letter::Entry(event)) => self.session.event(&event),
                Some(Letter::Counter(event)) => self.session.counter_event(&event),
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
    /// The next entries that a listener has not been told of; none when it has been told of all.
    pub(crate) fn next_state(&mut self, member: MemberId, transfer: &Transfer, moment: Moment) -> Vec<Event> {
        let Some(cache) = self.caches.get_mut(&transfer.cache) else { return Vec::new() };
        cache.expire(moment.unix_ms, &mut self.post);
        let segments = cache.options.segments;
        let Some(listener) = cache.listeners.get_mut(member, &transfer.listener_id) else { return Vec::new() };
        let wanted = listener.interests.includes(Interests::CREATED);
        let Some(mut told) = listener.told.take().filter(|_| wanted) else { return Vec::new() };
        let mut events = Vec::new();
        if let Some(store) = cache.store(member) {
            while events.len() < STATE_BATCH && told.segment < segments {
                let after = told.key.clone();
                let next = store.scan(told.segment, after.as_ref()).next();
                let Some((key, entry)) = next else {
                    told = listeners::Told { segment: told.segment + 1, key: None };
                    continue;
                };
                told.key = Some(key.clone());
                let (id, message_id) = (&transfer.listener_id, transfer.header.message_id);
                events.push(listeners::event(message_id, id, EntryChange::Created, key, entry.version));
            }
        }
        if !events.is_empty()
            && let Some(listener) = cache.listeners.get_mut(member, &transfer.listener_id)
        {
            listener.told = Some(told);
        }
        events
    }
}
