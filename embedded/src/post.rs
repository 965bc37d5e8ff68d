//! Events on their way from the cluster to connections.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hotrod_core::wire::{CounterEvent, Event, EventData, RequestFault};

use crate::deadlines::Late;
use crate::members::MemberId;

/// A connection, for as long as the cluster exists: a number is not given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The client sent what can't be read; an answer that says so is to be sent before the link is closed.
    #[error("the client broke the protocol: {0}")]
    Fault(RequestFault),
    /// The client does not read its events.
    #[error("the client has not read its events: {waiting} bytes wait, the limit is {limit}")]
    TooSlow {
        /// Bytes of events waiting.
        waiting: usize,
        /// The most that may wait.
        limit: usize,
    },
    /// The member left the cluster, or crashed.
    #[error("the member is gone")]
    MemberGone,
    /// The client took too long.
    #[error("the client {0}")]
    Late(#[from] Late),
    /// The client makes the node hold too much.
    #[error("{held} bytes are held for the client, and the limit is {limit} (of one link, or of all together)")]
    TooMuch {
        /// Bytes that are held for its link.
        held: usize,
        /// The limit that was reached, in bytes.
        limit: usize,
    },
    /// The link is over, for a reason of HTTP.
    #[error("{0}")]
    Http(String),
    /// The client speaks neither Hot Rod nor HTTP.
    #[error("the client speaks nothing that is known here")]
    NotUnderstood,
}

pub(crate) enum Letter {
    Entry(Event),
    Counter(CounterEvent),
}

impl Letter {
    /// About what it takes on the wire and to keep.
    fn size(&self) -> usize {
        64 + match self {
            Self::Entry(event) => match &event.data {
                EventData::Key { key, .. } => key.len() + event.listener_id.len(),
                EventData::Custom { data, .. } => data.len() + event.listener_id.len(),
            },
            Self::Counter(event) => event.counter.len() + event.listener_id.len(),
        }
    }
}

struct Mailbox {
    member: MemberId,
    /// The connection that carries it: it is the one to wake.
    carrier: ConnectionId,
    letters: VecDeque<Letter>,
    bytes: usize,
    /// Mailboxes of sessions that it carries, at whatever depth.
    carried: usize,
    end: Option<End>,
}

/// The mailboxes of all connections.
#[derive(Default)]
pub(crate) struct Post {
    mailboxes: BTreeMap<ConnectionId, Mailbox>,
    /// Mailboxes of each member.
    of_members: BTreeMap<MemberId, usize>,
    woken: BTreeSet<ConnectionId>,
    next: u64,
    max_bytes: usize,
}

impl Post {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, ..Self::default() }
    }

    /// A mailbox for a connection, or for one of several sessions that another carries.
    pub(crate) fn open(&mut self, member: MemberId, carrier: Option<ConnectionId>) -> ConnectionId {
        let id = ConnectionId(self.next);
        self.next += 1;
        let carrier = carrier.map_or(id, |carrier| self.outermost(carrier));
        if let Some(carrier) = self.mailboxes.get_mut(&carrier) {
            carrier.carried += 1;
        }
        *self.of_members.entry(member).or_default() += 1;
        let mailbox = Mailbox { member, carrier, letters: VecDeque::new(), bytes: 0, carried: 0, end: None };
        self.mailboxes.insert(id, mailbox);
        id
    }

    /// A tunnel may carry what carries a session: it is the outermost that a host knows.
    fn outermost(&self, carrier: ConnectionId) -> ConnectionId {
        self.mailboxes.get(&carrier).map_or(carrier, |mailbox| mailbox.carrier)
    }

    /// Sessions, and links within, on the link that carries this one.
    pub(crate) fn carried_beside(&self, id: ConnectionId) -> usize {
        self.mailboxes.get(&self.outermost(id)).map_or(0, |mailbox| mailbox.carried)
    }

    pub(crate) fn close(&mut self, id: ConnectionId) {
        self.woken.remove(&id);
        let Some(mailbox) = self.mailboxes.remove(&id) else { return };
        if let Some(count) = self.of_members.get_mut(&mailbox.member) {
            *count -= 1;
            if *count == 0 {
                self.of_members.remove(&mailbox.member);
            }
        }
        if let Some(carrier) = self.mailboxes.get_mut(&mailbox.carrier) {
            carrier.carried -= 1;
        }
    }

    /// Bytes of events that wait.
    pub(crate) fn held(&self, id: ConnectionId) -> usize {
        self.mailboxes.get(&id).map_or(0, |mailbox| mailbox.bytes)
    }

    /// Ends a connection, and has its host look at it.
    pub(crate) fn end(&mut self, id: ConnectionId, end: End) {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else { return };
        mailbox.letters.clear();
        mailbox.end.get_or_insert(end);
        self.woken.insert(mailbox.carrier);
    }

    /// Connections to a member.
    pub(crate) fn count_of(&self, member: MemberId) -> usize {
        self.of_members.get(&member).copied().unwrap_or_default()
    }

    pub(crate) fn send(&mut self, to: ConnectionId, letter: Letter) {
        let Some(mailbox) = self.mailboxes.get_mut(&to).filter(|mailbox| mailbox.end.is_none()) else { return };
        self.woken.insert(mailbox.carrier);
        mailbox.bytes += letter.size();
        mailbox.letters.push_back(letter);
        if mailbox.bytes > self.max_bytes {
            mailbox.end = Some(End::TooSlow { waiting: mailbox.bytes, limit: self.max_bytes });
            mailbox.letters.clear();
        }
    }

    /// Ends every connection to a member.
    pub(crate) fn end_all_of(&mut self, member: MemberId) {
        for mailbox in self.mailboxes.values_mut().filter(|mailbox| mailbox.member == member) {
            mailbox.letters.clear();
            mailbox.end.get_or_insert(End::MemberGone);
            self.woken.insert(mailbox.carrier);
        }
    }

    /// Wakes the connections that carry several sessions: they tell their clients of a new view.
    pub(crate) fn wake_carriers(&mut self) {
        let carriers = self.mailboxes.iter().filter(|(id, mailbox)| mailbox.carrier != **id);
        self.woken.extend(carriers.map(|(_, mailbox)| mailbox.carrier));
    }

    pub(crate) fn end_of(&self, id: ConnectionId) -> Option<&End> {
        self.mailboxes.get(&id).and_then(|mailbox| mailbox.end.as_ref())
    }

    pub(crate) fn take(&mut self, id: ConnectionId) -> Option<Letter> {
        let mailbox = self.mailboxes.get_mut(&id)?;
        let letter = mailbox.letters.pop_front()?;
        mailbox.bytes -= letter.size();
        Some(letter)
    }

    pub(crate) fn poll_wakeup(&mut self) -> Option<ConnectionId> {
        self.woken.pop_first()
    }
}
