//! Sessions as transport keeps them: each with its member, its link and its protocol machine.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use slotmap::new_key_type;

use crate::carriage::ChannelId;
use crate::cluster::config::Config;
use crate::cluster::members::MemberId;
use crate::cluster::transport::isolation::Isolation;
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
    LargeValues,
    /// Operations that may be the cause of a session's loss.
    Suspects,
}

/// A session from the wish for it to its end.
pub(in crate::cluster) struct OpenSession {
    pub(super) member: MemberId,
    pub(super) purpose: Purpose,
    /// The seed at which it was opened for whichever member answers; `None` for a session with a member.
    pub(super) seed: Option<MemberId>,
    /// Index of the site whose cluster it leads to.
    pub(super) site: usize,
    /// The link that carries it, or will.
    pub(super) link: LinkId,
    /// Its stream, on a link that has many.
    pub(super) channel: Option<ChannelId>,
    /// The endpoint announced its end; another session takes the place of this one as soon as that is ready.
    pub(super) is_leaving: bool,
    /// The protocol machine; `None` until the link carries the session.
    pub(super) protocol: Option<Box<Session>>,
    /// Time at which it was wanted first.
    pub(super) begun: Instant,
    /// Time at which the session fails, if its link does not carry it by then.
    pub(super) until: Instant,
    /// Result of the negotiation, once it is over.
    pub(super) negotiated: Option<Box<Ready>>,
    /// Operations that were answered here.
    pub(super) answered: u64,
    /// Whether it stands in the list of sessions that may have events.
    pub(super) has_events: bool,
    /// Whether it stands in its link's list of sessions that were served since the last write.
    pub(super) is_served: bool,
    /// Time of the last byte sent or received.
    pub(super) quiet_since: Instant,
    /// Time at which its queue was left because it took long to be ready.
    pub(super) late_since: Option<Instant>,
    /// Time from which on its operations do not wait for it to be established.
    pub(super) late_from: Instant,
    /// Silence after which it is asked for a sign of life.
    pub(super) suspicious_silence: Duration,
    /// Beginning of the last silence that was noticed.
    pub(super) silence: Option<Instant>,
    /// Paces the operations of a session for suspects.
    pub(super) isolation: Isolation,
    /// Number of listeners whose queue is full, so that the session is not read.
    pub(super) full_listeners: usize,
}

impl OpenSession {
    pub(super) fn new(
        member: MemberId,
        purpose: Purpose,
        site: usize,
        link: LinkId,
        config: &Config,
        now: Instant,
    ) -> Self {
        Self {
            member,
            purpose,
            seed: None,
            site,
            link,
            channel: None,
            is_leaving: false,
            protocol: None,
            begun: now,
            until: now + config.connect_timeout,
            negotiated: None,
            answered: 0,
            has_events: false,
            is_served: false,
            quiet_since: now,
            late_since: None,
            late_from: now + config.longest_establishment(),
            suspicious_silence: config.suspicious_silence(),
            silence: None,
            isolation: Isolation::default(),
            full_listeners: 0,
        }
    }

    /// Number of requests without an answer, those of cancelled operations included.
    pub(super) fn in_flight(&self) -> usize {
        self.protocol.as_ref().map_or(0, |protocol| protocol.in_flight())
    }

    pub(in crate::cluster) fn member(&self) -> MemberId {
        self.member
    }

    pub(in crate::cluster) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The seed at which it was opened for whichever member answers.
    pub(in crate::cluster) fn seed(&self) -> Option<MemberId> {
        self.seed
    }

    pub(in crate::cluster) fn site(&self) -> usize {
        self.site
    }

    pub(in crate::cluster) fn link(&self) -> LinkId {
        self.link
    }

    /// Time at which it was wanted first.
    pub(in crate::cluster) fn begun(&self) -> Instant {
        self.begun
    }

    /// Number of operations that were answered here.
    pub(in crate::cluster) fn answered(&self) -> u64 {
        self.answered
    }

    pub(in crate::cluster) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Whether it is not read, because the queue of a listener is full.
    pub(in crate::cluster) fn is_paused(&self) -> bool {
        self.full_listeners > 0
    }

    pub(in crate::cluster) fn is_ready(&self) -> bool {
        self.protocol.as_ref().is_some_and(|protocol| protocol.is_ready())
    }

    /// Whether its handshake is between two slices of a key derivation.
    pub(super) fn is_deriving(&self) -> bool {
        self.protocol.as_ref().is_some_and(|protocol| protocol.is_deriving())
    }
}

/// The sessions with one member.
#[derive(Default)]
pub(in crate::cluster) struct MemberSessions {
    /// Sessions for operations, the oldest first.
    pub(super) operations: Vec<SessionId>,
    /// Sessions for the application's listeners: a further one where the others wait for the application.
    pub(super) events: Vec<SessionId>,
    /// The session for large messages.
    pub(super) large_values: Option<SessionId>,
    /// The session for suspects.
    pub(super) suspects: Option<SessionId>,
}

impl MemberSessions {
    pub(super) fn all(&self) -> impl Iterator<Item = SessionId> {
        let one = self.large_values.into_iter().chain(self.suspects);
        self.operations.iter().chain(&self.events).copied().chain(one)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Whether operations of this purpose have a session without another being begun.
    pub(super) fn serve(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Events => !self.events.is_empty(),
            Purpose::Suspects => self.suspects.is_some(),
            Purpose::Operations | Purpose::LargeValues => !self.operations.is_empty(),
        }
    }

    /// Adds a session; one for large messages only if there is none.
    pub(super) fn add(&mut self, session: SessionId, purpose: Purpose) {
        match purpose {
            Purpose::Operations => self.operations.push(session),
            Purpose::Events => self.events.push(session),
            Purpose::LargeValues => _ = self.large_values.get_or_insert(session),
            Purpose::Suspects => _ = self.suspects.get_or_insert(session),
        }
    }

    /// Whether a session of this purpose that has reached the member by chance is kept.
    pub(super) fn has_place(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Operations => true,
            Purpose::Events => self.events.is_empty(),
            Purpose::LargeValues => self.large_values.is_none(),
            Purpose::Suspects => self.suspects.is_none(),
        }
    }

    pub(super) fn remove(&mut self, session: SessionId) {
        self.operations.retain(|other| *other != session);
        self.events.retain(|other| *other != session);
        self.large_values.take_if(|other| *other == session);
        self.suspects.take_if(|other| *other == session);
    }
}
