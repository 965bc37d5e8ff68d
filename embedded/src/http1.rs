//! A link that starts with HTTP/1.1: answers ordinary requests, and opens a tunnel to the member.

use std::net::SocketAddr;

use bytes::BytesMut;
use hotrod_core::carriage::registry::{ADDRESS_FIELD, NODE_FIELD};
use hotrod_core::carriage::{Refusal, answer_ordinary, check_tunnel_fields};
use hotrod_core::http1::{Fields, Kind, Limits, Request, ServerEvent, ServerExchange};
use hotrod_core::time::Instant;
use hotrod_core::wire::SendBuffer;

use crate::cluster::{Cluster, Moment};
use crate::deadlines::Activity;
use crate::event_queues::{ConnectionId, End};
use crate::link::{Link, Place};
use crate::members::MemberId;

/// Body of the answer to GET.
pub(crate) const GREETING: &str =
    "hotrod-embedded: Hot Rod is served here, by Upgrade, CONNECT, Extended CONNECT or as it is.\n";

/// Memory that counts for the head of a request, in bytes.
const HEAD_BYTES: usize = 16 << 10;

pub(crate) struct Http1 {
    id: ConnectionId,
    member: MemberId,
    local_address: Option<SocketAddr>,
    exchange: ServerExchange,
    tunnel: Option<Box<Link>>,
    end: Option<End>,
}

impl Http1 {
    pub(crate) fn new(id: ConnectionId, member: MemberId, local_address: Option<SocketAddr>) -> Self {
        Self { id, member, local_address, exchange: ServerExchange::new(Limits::default()), tunnel: None, end: None }
    }

    pub(crate) fn receive_buffer(&mut self) -> &mut BytesMut {
        match &mut self.tunnel {
            Some(tunnel) => tunnel.receive_buffer(),
            None => self.exchange.receive_buffer(),
        }
    }

    pub(crate) fn handle_filled(&mut self, count: usize) {
        match &mut self.tunnel {
            Some(tunnel) => tunnel.handle_filled(count),
            None => self.exchange.handle_filled(),
        }
    }

    pub(crate) fn wants_read(&self) -> bool {
        match &self.tunnel {
            Some(tunnel) => tunnel.wants_read(),
            None => self.end.is_none() && self.exchange.wants_read(),
        }
    }

    pub(crate) fn process(&mut self, cluster: &mut Cluster, moment: Moment) {
        while self.tunnel.is_none()
            && let Some(event) = self.exchange.poll_event()
        {
            match event {
                ServerEvent::Request(request) if request.kind == Kind::Ordinary => {
                    answer_ordinary(&mut self.exchange, &request, GREETING, false);
                }
                ServerEvent::Request(request) => self.open(cluster, &request),
                ServerEvent::Failed(violation) => self.end = Some(End::Http(violation.to_string())),
                // Only a request needs a response, and only a failure ends the connection.
                _ => {}
            }
        }
        if let Some(tunnel) = &mut self.tunnel {
            return tunnel.process(cluster, moment);
        }
        if self.exchange.closes() {
            self.end.get_or_insert_with(|| End::Http("answered".into()));
        }
    }

    /// Opens or refuses the tunnel that a request asks for.
    fn open(&mut self, cluster: &mut Cluster, request: &Request) {
        let target = match &request.kind {
            Kind::Connect { authority } => Some(authority.as_str()),
            _ => None,
        };
        if check_tunnel_fields(&request.fields).is_err() {
            return Refusal::new(400).answer_http1(&mut self.exchange);
        }
        let name = cluster.name_of(self.member);
        if !cluster.is_addressed((self.member, self.local_address), request.fields.text(NODE_FIELD), target) {
            return Refusal::another_member(name).answer_http1(&mut self.exchange);
        }
        let Ok(mut tunnel) = Link::inside(cluster, self.member, (self.id, Place::Outermost)) else {
            return Refusal::temporary(429).answer_http1(&mut self.exchange);
        };
        let mut fields = Fields::new();
        // An address is a valid field value.
        let _ = fields.push(NODE_FIELD, name);
        if let Some(address) = cluster.node_of(self.member).address() {
            let _ = fields.push(ADDRESS_FIELD, address.to_string());
        }
        match self.exchange.accept(&fields) {
            Ok(first) => tunnel.handle_received(&first),
            Err(misuse) => self.end = Some(End::Http(misuse.to_string())),
        }
        self.tunnel = Some(Box::new(tunnel));
    }

    pub(crate) fn drain(&mut self, moment: Moment, grace_ms: u32) {
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.drain(moment, grace_ms);
        }
    }

    pub(crate) fn ends_by_itself(&self) -> bool {
        self.tunnel.as_ref().is_some_and(|tunnel| tunnel.ends_by_itself())
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.tunnel.as_ref()?.poll_timeout()
    }

    /// Returns the bytes of the answer, and after these the tunnel's.
    pub(crate) fn transmit(&self) -> &SendBuffer {
        match &self.tunnel {
            Some(tunnel) if self.exchange.transmit().is_empty() => tunnel.transmit(),
            _ => self.exchange.transmit(),
        }
    }

    pub(crate) fn transmitted(&mut self, count: usize) {
        match &mut self.tunnel {
            Some(tunnel) if self.exchange.transmit().is_empty() => tunnel.transmitted(count),
            _ => self.exchange.transmitted(count),
        }
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref().or_else(|| self.tunnel.as_ref()?.end())
    }

    pub(crate) fn activity(&self) -> Activity {
        self.tunnel.as_ref().map(|tunnel| tunnel.activity()).unwrap_or_default()
    }

    pub(crate) fn held(&self, cluster: &Cluster) -> usize {
        self.exchange.transmit().len() + self.tunnel.as_ref().map_or(HEAD_BYTES, |tunnel| tunnel.held(cluster))
    }

    pub(crate) fn close(self, cluster: &mut Cluster) {
        if let Some(tunnel) = self.tunnel {
            tunnel.close(cluster);
        }
    }
}
