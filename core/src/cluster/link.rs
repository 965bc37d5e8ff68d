//! Links: connections of the host's, and how each carries sessions.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use slotmap::new_key_type;

use super::access::Endpoint;
use super::conversation::SessionId;
use crate::http1::Tunnel;

new_key_type! {
    /// A connection that the host was asked for; never given twice.
    pub struct LinkId;
}

pub(super) struct Link {
    /// The site whose cluster it leads to.
    pub(super) site: usize,
    /// Where it leads, be it through a proxy.
    pub(super) endpoint: Endpoint,
    pub(super) stage: Stage,
    /// The sessions that it carries, or will.
    pub(super) sessions: Vec<SessionId>,
    /// The host knows that there are bytes to send.
    pub(super) told_to_transmit: bool,
    /// The ALPN id that the server has selected.
    pub(super) alpn: Option<String>,
}

pub(super) enum Stage {
    /// The host establishes it.
    Connecting,
    /// It leads to a proxy, which is asked for a tunnel.
    Tunnelling(Box<Tunnel>),
    /// The host establishes TLS on it.
    Securing,
    /// It carries one session and nothing else. The session may still be in its handshake.
    Raw(SessionId),
}

impl Link {
    pub(super) fn new(site: usize, endpoint: Endpoint) -> Self {
        Self { site, endpoint, stage: Stage::Connecting, sessions: Vec::new(), told_to_transmit: false, alpn: None }
    }
}
