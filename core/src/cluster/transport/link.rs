//! Links: the host's connections, and the stage of each.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

use bytes::BytesMut;
use slotmap::new_key_type;

use crate::carriage::{Carriage, ChannelId, ClientLink};
use crate::cluster::discovery::endpoint::Endpoint;
use crate::cluster::transport::open_session::SessionId;
use crate::http1::{ClientExchange, Tunnel};
use crate::sasl::ChannelBinding;
use crate::send_buffer::SendBuffer;

new_key_type! {
    /// A connection of the host; never given twice.
    pub struct LinkId;
}

pub(super) struct Link {
    /// Index of the site whose cluster it leads to.
    pub(super) site: usize,
    /// The endpoint, also where a proxy is between.
    pub(super) endpoint: Endpoint,
    pub(super) stage: Stage,
    /// Bytes received before the host reported the connection.
    pub(super) early: BytesMut,
    /// The sessions that it carries, or will.
    pub(super) sessions: Vec<SessionId>,
    /// Sessions that were served since the last write, in the order in which their streams were opened.
    pub(super) served: BinaryHeap<Reverse<ChannelId>>,
    /// How it carries them; `None` before that is decided.
    pub(super) carriage: Option<Carriage>,
    /// Whether further sessions may share it, if it can carry more.
    pub(super) takes_sessions: bool,
    /// Whether the host was notified that there are bytes to send.
    pub(super) is_transmit_reported: bool,
    /// Whether the host has reported its loss: nothing can be sent any more.
    pub(super) is_lost: bool,
    /// Channel binding of its TLS connection.
    pub(super) channel_binding: Option<ChannelBinding>,
    /// The address to which it is connected, if its endpoint is a seed's.
    pub(super) seed_address: Option<IpAddr>,
    /// The ALPN id that the server has selected.
    pub(super) alpn: Option<String>,
}

pub(super) enum Stage {
    /// The host establishes it.
    Connecting,
    /// The proxy has not responded to CONNECT yet.
    Tunnelling(Box<Tunnel>),
    /// The host establishes TLS on it.
    Securing,
    /// The endpoint has not responded yet to an HTTP/1.1 request for a tunnel, which will carry one session.
    AwaitingResponse(Box<ClientExchange>, SessionId),
    /// It carries one session, which may still be in its handshake.
    Raw(SessionId),
    /// It carries any number of sessions over HTTP/2.
    Carried(Box<ClientLink>),
    /// It carries nothing any more: its last bytes are being sent, such as RST_STREAM and GOAWAY.
    Closing(Box<SendBuffer>),
}

impl Link {
    pub(super) fn new(site: usize, endpoint: Endpoint) -> Self {
        Self {
            site,
            endpoint,
            stage: Stage::Connecting,
            early: BytesMut::new(),
            carriage: None,
            takes_sessions: true,
            sessions: Vec::new(),
            served: BinaryHeap::new(),
            is_transmit_reported: false,
            is_lost: false,
            seed_address: None,
            alpn: None,
            channel_binding: None,
        }
    }

    pub(super) fn carried(&self) -> Option<&ClientLink> {
        match &self.stage {
            Stage::Carried(carried) => Some(carried),
            _ => None,
        }
    }

    pub(super) fn carried_mut(&mut self) -> Option<&mut ClientLink> {
        match &mut self.stage {
            Stage::Carried(carried) => Some(carried),
            _ => None,
        }
    }

    /// Stops carrying sessions. Returns whether bytes are left to be sent.
    pub(super) fn begin_closing(&mut self) -> bool {
        self.takes_sessions = false;
        let Stage::Carried(carried) = core::mem::replace(&mut self.stage, Stage::Connecting) else { return false };
        let last = carried.into_last_bytes().filter(|_| !self.is_lost);
        if let Some(last) = last {
            self.stage = Stage::Closing(Box::new(last));
            return true;
        }
        false
    }

    /// Whether it can carry one more session, as far as that is known; `usual` is the number of sessions that links to its endpoint
    /// carry.
    pub(super) fn has_room(&self, usual: usize) -> bool {
        let has_stream = match &self.stage {
            Stage::Carried(carried) if carried.has_peer_settings() => carried.has_room(),
            Stage::Raw(_) | Stage::AwaitingResponse(..) | Stage::Closing(_) => false,
            Stage::Connecting | Stage::Tunnelling(_) | Stage::Securing | Stage::Carried(_) => {
                self.sessions.len() < usual
            }
        };
        self.takes_sessions && has_stream
    }
}
