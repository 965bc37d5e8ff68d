//! A client that begins with HTTP/1.1: ordinary requests are answered, and a tunnel leads to the member.

use bytes::BytesMut;
use hotrod_core::carriage::registry::{ADDRESS_FIELD, NODE_FIELD};
use hotrod_core::http1::{Fields, Kind, Limits, Request, ServerEvent, ServerExchange};
use hotrod_core::time::Instant;
use hotrod_core::wire::SendBuffer;

use super::cluster::{Cluster, Moment};
use super::deadlines::Seen;
use super::link::Link;
use super::members::MemberId;
use super::post::{ConnectionId, End};
use crate::http::{Refusal, answer_ordinary, refuse, what_is_wrong};

/// What the head of a request may take.
const MOST_OF_HEAD: usize = 16 << 10;

pub(super) struct Http1 {
    id: ConnectionId,
    member: MemberId,
    exchange: ServerExchange,
    tunnel: Option<Box<Link>>,
    end: Option<End>,
}

impl Http1 {
    pub(super) fn new(id: ConnectionId, member: MemberId) -> Self {
        Self { id, member, exchange: ServerExchange::new(Limits::default()), tunnel: None, end: None }
    }

    pub(super) fn receive_buffer(&mut self) -> &mut BytesMut {
        match &mut self.tunnel {
            Some(tunnel) => tunnel.receive_buffer(),
            None => self.exchange.receive_buffer(),
        }
    }

    pub(super) fn handle_filled(&mut self, count: usize) {
        match &mut self.tunnel {
            Some(tunnel) => tunnel.handle_filled(count),
            None => self.exchange.handle_filled(),
        }
    }

    pub(super) fn wants_read(&self) -> bool {
        match &self.tunnel {
            Some(tunnel) => tunnel.wants_read(),
            None => self.end.is_none() && self.exchange.wants_read(),
        }
    }

    pub(super) fn process(&mut self, cluster: &mut Cluster, moment: Moment) {
        while self.tunnel.is_none()
            && let Some(event) = self.exchange.poll_event()
        {
            match event {
                ServerEvent::Request(request) if request.kind == Kind::Ordinary => {
                    answer_ordinary(&mut self.exchange, &request, false);
                }
                ServerEvent::Request(request) => self.open(cluster, &request),
                ServerEvent::Failed(violation) => self.end = Some(End::Http(violation.to_string())),
            }
        }
        if let Some(tunnel) = &mut self.tunnel {
            return tunnel.process(cluster, moment);
        }
        if self.exchange.closes() {
            self.end.get_or_insert_with(|| End::Http("answered".into()));
        }
    }

    /// A tunnel is asked for.
    fn open(&mut self, cluster: &mut Cluster, request: &Request) {
        let target = match &request.kind {
            Kind::Connect { authority } => Some(authority.as_str()),
            _ => None,
        };
        if what_is_wrong(&request.fields).is_some() {
            return refuse(&mut self.exchange, &Refusal::status(400));
        }
        let name = cluster.name_of(self.member);
        if !cluster.is_meant(self.member, request.fields.text(NODE_FIELD), target) {
            return refuse(&mut self.exchange, &Refusal { node: Some(name), ..Refusal::status(421) });
        }
        let Ok(mut tunnel) = Link::inside(cluster, self.member, self.id) else {
            return refuse(&mut self.exchange, &Refusal::for_now(429));
        };
        let mut fields = Fields::new();
        // The address of a member can be the value of a field.
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

    pub(super) fn drain(&mut self, moment: Moment, grace_ms: u32) {
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.drain(moment, grace_ms);
        }
    }

    pub(super) fn ends_by_itself(&self) -> bool {
        self.tunnel.as_ref().is_some_and(|tunnel| tunnel.ends_by_itself())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.tunnel.as_ref()?.poll_timeout()
    }

    /// The answer, and behind it what the tunnel says.
    pub(super) fn transmit(&self) -> &SendBuffer {
        match &self.tunnel {
            Some(tunnel) if self.exchange.transmit().is_empty() => tunnel.transmit(),
            _ => self.exchange.transmit(),
        }
    }

    pub(super) fn transmitted(&mut self, count: usize) {
        match &mut self.tunnel {
            Some(tunnel) if self.exchange.transmit().is_empty() => tunnel.transmitted(count),
            _ => self.exchange.transmitted(count),
        }
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref().or_else(|| self.tunnel.as_ref()?.end())
    }

    pub(super) fn seen(&self) -> Seen {
        self.tunnel.as_ref().map(|tunnel| tunnel.seen()).unwrap_or_default()
    }

    pub(super) fn held(&self, cluster: &Cluster) -> usize {
        self.exchange.transmit().len() + self.tunnel.as_ref().map_or(MOST_OF_HEAD, |tunnel| tunnel.held(cluster))
    }

    pub(super) fn close(self, cluster: &mut Cluster) {
        if let Some(tunnel) = self.tunnel {
            tunnel.close(cluster);
        }
    }
}
