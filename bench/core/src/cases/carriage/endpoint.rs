//! The other end of a client's link: one member, and what speaks HTTP before it.

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::{Node, Offer, ServerConfig, ServerEvent, ServerLink};
use hotrod_core::http1::{self, Fields, ServerExchange};
use hotrod_core::http2::StreamId;
use hotrod_core::session::ServerSession;
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, Limits, Operation, Ping, Reply, Request, Status, Topology, Version};

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
    member: Member,
    /// What is to be sent before what the protocol has.
    said: BytesMut,
}

enum Protocol {
    HotRod,
    Http1(Box<ServerExchange>),
    /// With the one session's stream.
    Http2(Box<ServerLink>, Option<StreamId>),
}

impl Endpoint {
    /// Questions about a cache are answered with that view.
    pub fn new(speaks: Speaks, topology: Topology, now: Instant) -> Self {
        let protocol = match speaks {
            Speaks::HotRod => Protocol::HotRod,
            Speaks::Http1 => Protocol::Http1(Box::new(ServerExchange::new(http1::Limits::default()))),
            Speaks::Http2 | Speaks::Frames => {
                let config =
                    ServerConfig { frames: (speaks == Speaks::Frames).then(Offer::default), ..ServerConfig::default() };
                Protocol::Http2(Box::new(ServerLink::new(config, now)), None)
            }
        };
        let session = ServerSession::new(Limits::default(), 64 << 20);
        Self { protocol, member: Member { session, topology }, said: BytesMut::new() }
    }

    /// Takes what the client has sent, and puts what it is answered behind `out`.
    pub fn exchange(&mut self, now: Instant, bytes: &[u8], out: &mut BytesMut) {
        match &mut self.protocol {
            Protocol::HotRod => {
                self.member.session.handle_received(bytes);
                self.member.answer();
            }
            Protocol::Http1(exchange) => {
                exchange.handle_received(bytes);
                self.open_tunnel();
            }
            Protocol::Http2(link, _) => {
                link.receive_buffer().extend_from_slice(bytes);
                link.handle_filled(now);
                self.serve();
            }
        }
        self.take(out);
    }

    fn take(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&self.said.split());
        let Protocol::Http2(link, _) = &mut self.protocol else { return self.member.take(out) };
        while !link.transmit().is_empty() {
            link.transmit().segments().for_each(|segment| out.extend_from_slice(segment));
            link.transmitted(link.transmit().len());
        }
    }

    fn open_tunnel(&mut self) {
        let Protocol::Http1(exchange) = &mut self.protocol else { return };
        let Some(http1::ServerEvent::Request(_)) = exchange.poll_event() else { return };
        let first = exchange.accept(&Fields::new()).expect("a tunnel was asked for");
        exchange.transmit().segments().for_each(|segment| self.said.extend_from_slice(segment));
        self.protocol = Protocol::HotRod;
        self.member.session.handle_received(&first);
        self.member.answer();
    }

    fn serve(&mut self) {
        let Protocol::Http2(link, session) = &mut self.protocol else { return };
        while let Some(event) = link.poll_event() {
            match event {
                ServerEvent::Asked { stream, .. } => {
                    link.accept(stream, &Node { name: "node-0".into(), ..Node::default() });
                    *session = Some(stream);
                }
                ServerEvent::Request { stream, fragment } => {
                    self.member.session.handle_received(&fragment.bytes);
                    self.member.answer();
                    let mut answer = BytesMut::new();
                    self.member.take(&mut answer);
                    link.respond(stream, fragment.call, answer.freeze(), true);
                }
                ServerEvent::Bytes { stream, bytes } => {
                    link.bytes_taken(stream, bytes.len());
                    self.member.session.handle_received(&bytes);
                    self.member.answer();
                }
                _ => {}
            }
        }
        let mut answers = BytesMut::new();
        self.member.take(&mut answers);
        if let Some(stream) = session.filter(|_| !answers.is_empty()) {
            link.send_bytes(stream, answers.freeze());
        }
    }
}

/// A member whose every key has the same value.
struct Member {
    session: ServerSession,
    topology: Topology,
}

impl Member {
    fn answer(&mut self) {
        while let Some((header, request)) = self.session.poll_request() {
            let (body, topology) = match request {
                Request::Ping {} => {
                    let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
                    let server_version = Some(Version::LATEST.to_byte());
                    let asks_for_view = !header.options.cache.is_empty();
                    let ping = Ping { server_version, operations, ..Ping::default() };
                    (Body::Ping(ping), asks_for_view.then(|| Box::new(self.topology.clone())))
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
