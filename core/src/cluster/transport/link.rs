//! Links: connections of the host's, and how each carries sessions.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use slotmap::new_key_type;

use crate::carriage::{Carriage, ClientLink};
use crate::cluster::discovery::access::Endpoint;
use crate::cluster::transport::conversation::SessionId;
use crate::http1::{ClientExchange, Tunnel};
use crate::sasl::ChannelBinding;

new_key_type! {
    /// A connection that the host was asked for; never given twice.
    pub struct LinkId;
}

pub(in crate::cluster) struct Link {
    /// The site whose cluster it leads to.
    pub(in crate::cluster) site: usize,
    /// Where it leads, be it through a proxy.
    pub(in crate::cluster) endpoint: Endpoint,
    pub(in crate::cluster) stage: Stage,
    /// The sessions that it carries, or will.
    pub(in crate::cluster) sessions: Vec<SessionId>,
    /// How it carries them, once that is known.
    pub(in crate::cluster) carriage: Option<Carriage>,
    /// Whether more sessions may share it, if it can carry more.
    pub(in crate::cluster) takes_sessions: bool,
    /// The host knows that there are bytes to send.
    pub(in crate::cluster) told_to_transmit: bool,
    /// What TLS is known by at both ends.
    pub(in crate::cluster) channel_binding: Option<ChannelBinding>,
    /// The ALPN id that the server has selected.
    pub(in crate::cluster) alpn: Option<String>,
}

pub(in crate::cluster) enum Stage {
    /// The host establishes it.
    Connecting,
    /// It leads to a proxy, which is asked for a tunnel.
    Tunnelling(Box<Tunnel>),
    /// The host establishes TLS on it.
    Securing,
    /// Its endpoint is asked for a tunnel by HTTP/1.1, for that session.
    Asking(Box<ClientExchange>, SessionId),
    /// It carries one session and nothing else. The session may still be in its handshake.
    Raw(SessionId),
    /// It carries any number of sessions over HTTP/2.
    Carried(Box<ClientLink>),
}

impl Link {
    pub(in crate::cluster) fn new(site: usize, endpoint: Endpoint) -> Self {
        Self {
            site,
            endpoint,
            stage: Stage::Connecting,
            carriage: None,
            takes_sessions: true,
            sessions: Vec::new(),
            told_to_transmit: false,
            alpn: None,
            channel_binding: None,
        }
    }

    pub(in crate::cluster) fn carried(&self) -> Option<&ClientLink> {
        match &self.stage {
            Stage::Carried(carried) => Some(carried),
            _ => None,
        }
    }

    pub(in crate::cluster) fn carried_mut(&mut self) -> Option<&mut ClientLink> {
        match &mut self.stage {
            Stage::Carried(carried) => Some(carried),
            _ => None,
        }
    }

    /// Whether it can carry one more session, as far as it is known.
    pub(in crate::cluster) fn has_room(&self) -> bool {
        let has_stream = match &self.stage {
            Stage::Carried(carried) => carried.has_room(),
            Stage::Raw(_) | Stage::Asking(..) => false,
            Stage::Connecting | Stage::Tunnelling(_) | Stage::Securing => true,
        };
        self.takes_sessions && has_stream
    }
}
