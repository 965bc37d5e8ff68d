//! Sessions as the machine keeps them: each with its member, its link, and the operations that wait for it.

use alloc::boxed::Box;

use slotmap::new_key_type;

use crate::carriage::ChannelId;
use crate::cluster::discovery::cookies::Cookies;
use crate::cluster::discovery::identity::Identity;
use crate::cluster::members::MemberId;
use crate::cluster::transport::link::LinkId;
use crate::session::{Ready, Session};
use crate::time::Instant;

new_key_type! {
    /// A session, from the moment in which it is wanted; never given twice.
    pub(in crate::cluster) struct SessionId;
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Purpose {
    /// Operations, and the listeners of near caches.
    Operations,
    /// The application's listeners: one that takes its events too slowly must not hold up operations.
    Events,
    /// Large messages: a server behind a gateway takes one message after the other, and small ones must not wait.
    Bulk,
}

pub(in crate::cluster) struct Conversation {
    pub(in crate::cluster) member: MemberId,
    pub(in crate::cluster) purpose: Purpose,
    /// The site whose cluster it leads to.
    pub(in crate::cluster) site: usize,
    /// The link that carries it, or will.
    pub(in crate::cluster) link: LinkId,
    /// Its stream, on a link that has many.
    pub(in crate::cluster) channel: Option<ChannelId>,
    /// What its other end has said of itself.
    pub(in crate::cluster) identity: Identity,
    /// What leads to its other end.
    pub(in crate::cluster) cookies: Cookies,
    /// Its endpoint will end: another takes its place as soon as that is ready.
    pub(in crate::cluster) is_leaving: bool,
    /// `None` until its link carries it.
    pub(in crate::cluster) machine: Option<Box<Session>>,
    /// When it is given up, if its link does not carry it by then.
    pub(in crate::cluster) until: Instant,
    /// What negotiation has found, once it is over.
    pub(in crate::cluster) negotiated: Option<Box<Ready>>,
    /// Operations that the session has.
    pub(in crate::cluster) in_flight: usize,
    /// Operations that were answered here.
    pub(in crate::cluster) answered: u64,
    /// It is in the list of sessions that may have events.
    pub(in crate::cluster) has_events: bool,
    /// Since when nothing was sent or received.
    pub(in crate::cluster) quiet_since: Instant,
    /// Listeners because of which nothing is read from it.
    pub(in crate::cluster) full_listeners: usize,
}

impl Conversation {
    pub(in crate::cluster) fn new(
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
            in_flight: 0,
            answered: 0,
            has_events: false,
            quiet_since: now,
            full_listeners: 0,
        }
    }

    pub(in crate::cluster) fn is_ready(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.is_ready())
    }

    /// Whether its handshake is between two slices of a key derivation.
    pub(in crate::cluster) fn is_deriving(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.is_deriving())
    }
}
