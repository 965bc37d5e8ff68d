//! Links: connections of the host's, and the session that each carries.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;

use slotmap::new_key_type;

use super::access::Endpoint;
use super::member::MemberId;
use super::operation::OperationId;
use crate::http1::Tunnel;
use crate::session::{Ready, Session};
use crate::time::Instant;
use crate::wire::SendBuffer;

new_key_type! {
    /// A connection that the host was asked for; never given twice.
    pub struct LinkId;
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Operations, and the listeners of near caches.
    Operations,
    /// The application's listeners: one that takes its events too slowly must not hold up operations.
    Events,
}

pub(super) struct Link {
    pub(super) member: MemberId,
    pub(super) purpose: Purpose,
    /// The site whose cluster it leads to.
    pub(super) site: usize,
    /// Where it leads, be it through a proxy.
    pub(super) endpoint: Endpoint,
    pub(super) stage: Stage,
    /// What negotiation has found, once it is over.
    pub(super) negotiated: Option<Box<Ready>>,
    /// Operations for this member, oldest first, until the session takes them.
    pub(super) queue: VecDeque<OperationId>,
    /// Operations that the session has.
    pub(super) in_flight: usize,
    /// Operations that were answered here.
    pub(super) answered: u64,
    /// The host knows that there are bytes to send.
    pub(super) told_to_transmit: bool,
    /// It is in the list of links whose session may have events.
    pub(super) has_events: bool,
    /// The timeout under which it stands in the machine's table.
    pub(super) timeout: Option<Instant>,
    /// Since when nothing was sent or received.
    pub(super) quiet_since: Instant,
    /// Listeners because of which the host does not read from it.
    pub(super) full_listeners: usize,
    /// The ALPN id that the server has selected.
    pub(super) alpn: Option<String>,
}

pub(super) enum Stage {
    /// The host establishes it; given up at that time.
    Connecting { until: Instant },
    /// It leads to a proxy, which is asked for a tunnel.
    Tunnelling { until: Instant, tunnel: Box<Tunnel> },
    /// The host establishes TLS on it.
    Securing { until: Instant },
    /// It is there. The session may still be in its handshake.
    Open(Box<Session>),
}

impl Link {
    pub(super) fn new(
        member: MemberId,
        purpose: Purpose,
        site: usize,
        endpoint: Endpoint,
        until: Instant,
        now: Instant,
    ) -> Self {
        Self {
            member,
            purpose,
            site,
            endpoint,
            stage: Stage::Connecting { until },
            negotiated: None,
            queue: VecDeque::new(),
            in_flight: 0,
            answered: 0,
            told_to_transmit: false,
            has_events: false,
            timeout: None,
            quiet_since: now,
            full_listeners: 0,
            alpn: None,
        }
    }

    pub(super) fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::Open(session) => Some(session),
            _ => None,
        }
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::Open(session) => Some(session),
            _ => None,
        }
    }

    /// What is to be sent.
    pub(super) fn transmit(&self) -> Option<&SendBuffer> {
        match &self.stage {
            Stage::Connecting { .. } | Stage::Securing { .. } => None,
            Stage::Tunnelling { tunnel, .. } => Some(tunnel.transmit()),
            Stage::Open(session) => Some(session.transmit()),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.session().is_some_and(Session::is_ready)
    }

    /// Operations that it has to do.
    pub(super) fn load(&self) -> usize {
        self.in_flight + self.queue.len()
    }
}
