//! The other end of a client's link: its members, and the endpoint that speaks HTTP before them.

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::registry::HOT_ROD_UPSTREAM_GONE;
use hotrod_core::carriage::{Node, Offer, ReceivedSessionRequest, ServerConfig, ServerEvent, ServerLink};
use hotrod_core::http1::{self, Fields, ServerExchange};
use hotrod_core::http2::{self, StreamId};
use hotrod_core::session::ServerSession;
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, Limits, Operation, Ping, Reply, Request, Status, Topology, Version};

use crate::meter::part_if;

pub const VALUE: Bytes = Bytes::from_static(&[7; 64]);

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    HotRod,
    Http1,
    Http2,
    /// HTTP/2 with Hot Rod frames.
    Frames,
}

pub struct Endpoint {
    protocol: Protocol,
    topology: Rc<Topology>,
    /// Bytes that go out before those of the protocol.
    said: BytesMut,
    /// Whether the work of its HTTP/2 link is measured.
    is_measured: bool,
}

enum Protocol {
    HotRod(Box<Member>),
    Http1(Box<ServerExchange>),
    Http2(Box<ServerLink>, BTreeMap<StreamId, Member>),
}

impl Endpoint {
    /// An endpoint whose members answer PING of a cache with `topology`.
    pub fn new(speaks: Speaks, topology: Topology, now: Instant) -> Self {
        let topology = Rc::new(topology);
        let protocol = match speaks {
            Speaks::HotRod => Protocol::HotRod(Box::new(Member::new(&topology))),
            Speaks::Http1 => Protocol::Http1(Box::new(ServerExchange::new(http1::Limits::default()))),
            Speaks::Http2 | Speaks::Frames => {
                let mut http2 = http2::Config::default();
                http2.settings.max_concurrent_streams = Some(topology.members.len().max(100) as u32);
                let frames = (speaks == Speaks::Frames).then(Offer::default);
                let mut config = ServerConfig::default();
                config.frames = frames;
                config.http2 = http2;
                Protocol::Http2(Box::new(ServerLink::new(config, now)), BTreeMap::new())
            }
        };
        Self { protocol, topology, said: BytesMut::new(), is_measured: false }
    }

    /// Has the work of its HTTP/2 link measured.
    pub fn measure(&mut self) {
        self.is_measured = true;
    }

    /// Takes bytes of the client, and appends the answers to `out`.
    pub fn exchange(&mut self, now: Instant, bytes: &[u8], out: &mut BytesMut) {
        match &mut self.protocol {
            Protocol::HotRod(member) => {
                member.session.handle_received(bytes);
                member.answer();
            }
            Protocol::Http1(exchange) => {
                exchange.handle_received(bytes);
                self.open_tunnel();
            }
            Protocol::Http2(link, _) => {
                link.receive_buffer().extend_from_slice(bytes);
                part_if(self.is_measured, || link.handle_filled(now));
                self.serve();
            }
        }
        self.take(out);
    }

    /// Ends the newest session, as if its member was lost, and appends what says so to `out`.
    pub fn end_newest(&mut self, out: &mut BytesMut) {
        let Protocol::Http2(link, members) = &mut self.protocol else { panic!("one session") };
        let (stream, _) = members.pop_last().expect("a session");
        part_if(self.is_measured, || link.end(stream, HOT_ROD_UPSTREAM_GONE));
        self.take(out);
    }

    fn take(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&self.said.split());
        match &mut self.protocol {
            Protocol::HotRod(member) => member.take(out),
            Protocol::Http1(_) => {}
            Protocol::Http2(link, _) => {
                while !link.transmit().is_empty() {
                    link.transmit().segments().for_each(|segment| out.extend_from_slice(segment));
                    part_if(self.is_measured, || link.transmitted(link.transmit().len()));
                }
            }
        }
    }

    fn open_tunnel(&mut self) {
        let Protocol::Http1(exchange) = &mut self.protocol else { return };
        let Some(http1::ServerEvent::Request(_)) = exchange.poll_event() else { return };
        let first = exchange.accept(&Fields::new()).expect("a tunnel was asked for");
        exchange.transmit().segments().for_each(|segment| self.said.extend_from_slice(segment));
        let mut member = Member::new(&self.topology);
        member.session.handle_received(&first);
        member.answer();
        self.protocol = Protocol::HotRod(Box::new(member));
    }

    fn serve(&mut self) {
        let Protocol::Http2(link, members) = &mut self.protocol else { return };
        let is_measured = self.is_measured;
        while let Some(event) = part_if(is_measured, || link.poll_event()) {
            match event {
                ServerEvent::SessionRequested { stream, request } => {
                    part_if(is_measured, || link.accept(stream, &node(&request)));
                    members.insert(stream, Member::new(&self.topology));
                }
                ServerEvent::Request { stream, fragment } => {
                    let Some(member) = members.get_mut(&stream) else { continue };
                    member.session.handle_received(&fragment.bytes);
                    member.answer();
                    let mut answer = BytesMut::new();
                    member.take(&mut answer);
                    part_if(is_measured, || link.respond(stream, fragment.call, answer.freeze(), true));
                }
                ServerEvent::Bytes { stream, bytes } => {
                    link.release_bytes(stream, bytes.len());
                    let Some(member) = members.get_mut(&stream) else { continue };
                    member.session.handle_received(&bytes);
                    member.answer();
                }
                _ => {}
            }
        }
        for (stream, member) in members {
            if !member.session.transmit().is_empty() {
                let mut answers = BytesMut::new();
                member.take(&mut answers);
                link.send_bytes(*stream, answers.freeze());
            }
        }
    }
}

/// The member that a session is with: the one that it asks for.
fn node(request: &ReceivedSessionRequest) -> Node {
    let address = request.node.as_deref().and_then(|node| node.rsplit_once(':'));
    let (host, port) = address.map_or(("", 0), |(host, port)| (host, port.parse().expect("a port")));
    Node { name: request.node.clone().unwrap_or("node-0".into()), host: host.into(), port, ..Node::default() }
}

/// A member whose every key has the same value.
struct Member {
    session: ServerSession,
    topology: Rc<Topology>,
}

impl Member {
    fn new(topology: &Rc<Topology>) -> Self {
        Self { session: ServerSession::new(Limits::default(), 64 << 20), topology: topology.clone() }
    }

    fn answer(&mut self) {
        while let Some((header, request)) = self.session.poll_request() {
            let (body, topology) = match request {
                Request::Ping {} => {
                    let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
                    let server_version = Some(Version::LATEST.to_byte());
                    let asks_for_view = !header.options.cache.is_empty();
                    let ping = Ping { server_version, operations, ..Ping::default() };
                    (Body::Ping(Box::new(ping)), asks_for_view.then(|| Box::new(Topology::clone(&self.topology))))
                }
                _ => (Body::Value(VALUE), None),
            };
            let reply = Reply { message_id: header.message_id, status: Status::SUCCESS, topology, body };
            self.session.reply(&header, request.operation(), &reply);
        }
    }

    fn take(&mut self, out: &mut BytesMut) {
        self.session.transmit().segments().for_each(|segment| out.extend_from_slice(segment));
        self.session.transmitted(self.session.transmit().len());
    }
}
