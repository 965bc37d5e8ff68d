//! Sessions as the machine keeps them: each with its member, its link, and the operations that wait for it.

use alloc::boxed::Box;

use slotmap::new_key_type;

use super::cookies::Cookies;
use super::identity::Identity;
use super::link::LinkId;
use super::member::MemberId;
use super::session_queue::SessionQueue;
use crate::carriage::ChannelId;
use crate::session::{Ready, Session};
use crate::time::Instant;

new_key_type! {
    /// A session, from the moment in which it is wanted; never given twice.
    pub(super) struct SessionId;
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Operations, and the listeners of near caches.
    Operations,
    /// The application's listeners: one that takes its events too slowly must not hold up operations.
    Events,
    /// Large messages: a server behind a gateway takes one message after the other, and small ones must not wait.
    Bulk,
}

pub(super) struct Conversation {
    pub(super) member: MemberId,
    pub(super) purpose: Purpose,
    /// The site whose cluster it leads to.
    pub(super) site: usize,
    /// The link that carries it, or will.
    pub(super) link: LinkId,
    /// Its stream, on a link that has many.
    pub(super) channel: Option<ChannelId>,
    /// What its other end has said of itself.
    pub(super) identity: Identity,
    /// What leads to its other end.
    pub(super) cookies: Cookies,
    /// Its endpoint will end: another takes its place as soon as that is ready.
    pub(super) is_leaving: bool,
    /// `None` until its link carries it.
    pub(super) machine: Option<Box<Session>>,
    /// When it is given up, if its link does not carry it by then.
    pub(super) until: Instant,
    /// What negotiation has found, once it is over.
    pub(super) negotiated: Option<Box<Ready>>,
    /// Operations for this member, until the session takes them.
    pub(super) queue: SessionQueue,
    /// Operations that the session has.
    pub(super) in_flight: usize,
    /// Operations that were answered here.
    pub(super) answered: u64,
    /// It is in the list of sessions that may have events.
    pub(super) has_events: bool,
    /// The timeout under which it stands in the machine's table.
    pub(super) timeout: Option<Instant>,
    /// Since when nothing was sent or received.
    pub(super) quiet_since: Instant,
    /// Listeners because of which nothing is read from it.
    pub(super) full_listeners: usize,
}

impl Conversation {
    pub(super) fn new(
        member: MemberId,
        purpose: Purpose,
        site: usize,
        link: LinkId,
        until: Instant,
        now: Instant,
    ) -> Self {
        Self {
            member,
            purpose,
            site,
            link,
            channel: None,
            identity: Identity::default(),
            cookies: Cookies::default(),
            is_leaving: false,
            machine: None,
            until,
            negotiated: None,
            queue: SessionQueue::default(),
            in_flight: 0,
            answered: 0,
            has_events: false,
            timeout: None,
            quiet_since: now,
            full_listeners: 0,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.is_ready())
    }

    /// Whether its handshake is between two slices of a key derivation.
    pub(super) fn is_deriving(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.is_deriving())
    }

    /// Operations that it has to do.
    pub(super) fn load(&self) -> usize {
        self.in_flight + self.queue.len()
    }
}
