//! Queues of events for connections.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hotrod_core::wire::{CounterEvent, Event, EventData, RequestFault};

use crate::deadlines::Late;
use crate::members::MemberId;

/// Identity of a connection. A cluster uses no number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The reason for the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The client broke the protocol. Send the error answer before closing the socket.
    #[error("the client broke the protocol: {0}")]
    Fault(RequestFault),
    /// The client reads its events too slowly.
    #[error("the client has not read its events: {waiting} bytes wait, the limit is {limit}")]
    TooSlow {
        /// Bytes of queued events.
        waiting: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The member left the cluster, or crashed.
    #[error("the member is gone")]
    MemberGone,
    /// The client missed a deadline.
    #[error("the client {0}")]
    Late(#[from] Late),
    /// The client occupies too much memory.
    #[error("{held} bytes are held for the client, and the limit is {limit} (of one link, or of all together)")]
    TooMuch {
        /// Bytes that its link occupies.
        held: usize,
        /// The exceeded limit, in bytes: of one link or of all.
        limit: usize,
    },
    /// The HTTP connection has ended.
    #[error("{0}")]
    Http(String),
    /// The client speaks neither Hot Rod nor HTTP.
    #[error("the client speaks nothing that is known here")]
    NotUnderstood,
}

pub(crate) enum QueuedEvent {
    Entry(Event),
    Counter(CounterEvent),
}

impl QueuedEvent {
    /// Estimated bytes on the wire and in memory.
    fn size(&self) -> usize {
        64 + match self {
            Self::Entry(event) => match &event.data {
                EventData::Key { key, .. } => key.len() + event.listener_id.len(),
                EventData::Custom { data, .. } => data.len() + event.listener_id.len(),
                // The node sends no other form.
                _ => event.listener_id.len(),
            },
            Self::Counter(event) => event.counter.len() + event.listener_id.len(),
        }
    }
}

struct EventQueue {
    member: MemberId,
    /// The connection of the host that carries it, and that wakes up for its events.
    carrier: ConnectionId,
    events: VecDeque<QueuedEvent>,
    bytes: usize,
    /// Queues of sessions that it carries, at any depth of tunnels.
    carried: usize,
    end: Option<End>,
}

/// The queues of all connections.
#[derive(Default)]
pub(crate) struct EventQueues {
    queues: BTreeMap<ConnectionId, EventQueue>,
    /// Count of queues of each member.
    of_members: BTreeMap<MemberId, usize>,
    woken: BTreeSet<ConnectionId>,
    next: u64,
    max_bytes: usize,
}

impl EventQueues {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, ..Self::default() }
    }

    /// Opens a queue for a connection, or for a session that `carrier` carries.
    pub(crate) fn open(&mut self, member: MemberId, carrier: Option<ConnectionId>) -> ConnectionId {
        let id = ConnectionId(self.next);
        self.next += 1;
        let carrier = carrier.map_or(id, |carrier| self.outermost(carrier));
        if let Some(carrier) = self.queues.get_mut(&carrier) {
            carrier.carried += 1;
        }
        *self.of_members.entry(member).or_default() += 1;
        let queue = EventQueue { member, carrier, events: VecDeque::new(), bytes: 0, carried: 0, end: None };
        self.queues.insert(id, queue);
        id
    }

    /// Returns the outermost connection around a carrier, the only one that the host knows.
    fn outermost(&self, carrier: ConnectionId) -> ConnectionId {
        self.queues.get(&carrier).map_or(carrier, |queue| queue.carrier)
    }

    /// Counts sessions and inner links of the connection that carries `id`.
    pub(crate) fn carried_beside(&self, id: ConnectionId) -> usize {
        self.queues.get(&self.outermost(id)).map_or(0, |queue| queue.carried)
    }

    pub(crate) fn close(&mut self, id: ConnectionId) {
        self.woken.remove(&id);
        let Some(queue) = self.queues.remove(&id) else { return };
        if let Some(count) = self.of_members.get_mut(&queue.member) {
            *count -= 1;
            if *count == 0 {
                self.of_members.remove(&queue.member);
            }
        }
        if let Some(carrier) = self.queues.get_mut(&queue.carrier) {
            carrier.carried -= 1;
        }
    }

    /// Bytes of queued events.
    pub(crate) fn held(&self, id: ConnectionId) -> usize {
        self.queues.get(&id).map_or(0, |queue| queue.bytes)
    }

    /// Ends a connection and wakes it up.
    pub(crate) fn end(&mut self, id: ConnectionId, end: End) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        queue.events.clear();
        queue.end.get_or_insert(end);
        self.woken.insert(queue.carrier);
    }

    /// Counts the connections to a member.
    pub(crate) fn count_of(&self, member: MemberId) -> usize {
        self.of_members.get(&member).copied().unwrap_or_default()
    }

    pub(crate) fn send(&mut self, to: ConnectionId, event: QueuedEvent) {
        let Some(queue) = self.queues.get_mut(&to).filter(|queue| queue.end.is_none()) else { return };
        self.woken.insert(queue.carrier);
        queue.bytes += event.size();
        queue.events.push_back(event);
        if queue.bytes > self.max_bytes {
            queue.end = Some(End::TooSlow { waiting: queue.bytes, limit: self.max_bytes });
            queue.events.clear();
        }
    }

    /// Ends all connections to a member.
    pub(crate) fn end_all_of(&mut self, member: MemberId) {
        for queue in self.queues.values_mut().filter(|queue| queue.member == member) {
            queue.events.clear();
            queue.end.get_or_insert(End::MemberGone);
            self.woken.insert(queue.carrier);
        }
    }

    /// Wakes the connections that carry sessions: they send the new topology.
    pub(crate) fn wake_carriers(&mut self) {
        let carriers = self.queues.iter().filter(|(id, queue)| queue.carrier != **id);
        self.woken.extend(carriers.map(|(_, queue)| queue.carrier));
    }

    pub(crate) fn end_of(&self, id: ConnectionId) -> Option<&End> {
        self.queues.get(&id).and_then(|queue| queue.end.as_ref())
    }

    pub(crate) fn take(&mut self, id: ConnectionId) -> Option<QueuedEvent> {
        let queue = self.queues.get_mut(&id)?;
        let event = queue.events.pop_front()?;
        queue.bytes -= event.size();
        Some(event)
    }

    pub(crate) fn poll_wakeup(&mut self) -> Option<ConnectionId> {
        self.woken.pop_first()
    }
}
