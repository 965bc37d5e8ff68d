//! The other end of a link: a member, or one that speaks HTTP before it.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::{
    Form, Fragment, Knowledge, Mode, Node, Offer, ReceivedSessionRequest, ServerConfig, ServerEvent, ServerLink,
};
use hotrod_core::http1::{self, Fields, Kind, ServerExchange};
use hotrod_core::http2::{self, StreamId};
use hotrod_embedded::{Cluster, Connection, MemberId, Moment};

use crate::before::{Leads, named};

/// What an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Hot Rod, as a member does.
    HotRod,
    /// HTTP/1.1 with Upgrade and CONNECT.
    Http1,
    /// HTTP/2 with Extended CONNECT and CONNECT.
    Http2 {
        /// Whether Hot Rod frames are offered.
        frames: bool,
    },
}

/// One link, seen from where it leads to.
pub struct Endpoint {
    member: MemberId,
    /// What stands before the member goes by.
    leads: Option<Leads>,
    protocol: Protocol,
    /// What was said before the protocol became another.
    said: BytesMut,
}

enum Protocol {
    /// Also what a tunnel of HTTP/1.1 has become.
    HotRod(Box<Connection>),
    Http1(Box<ServerExchange>),
    Http2(Box<Http2>),
}

/// An HTTP/2 link with sessions to one member.
pub struct Http2 {
    /// The machine.
    pub link: ServerLink,
    /// The status with which the next session is refused.
    pub refuses: Option<u16>,
    /// Requests are kept, and neither executed nor answered.
    pub is_silent: bool,
    sessions: BTreeMap<StreamId, Session>,
}

struct Session {
    connection: Connection,
    /// What has come of requests that are not complete.
    requests: BTreeMap<u32, BytesMut>,
}

impl Endpoint {
    /// Accepts a link; `None` if nobody is there.
    pub fn accept(
        servers: &mut Cluster,
        member: MemberId,
        speaks: Speaks,
        leads: Option<Leads>,
        at: Moment,
    ) -> Option<Self> {
        let protocol = match speaks {
            Speaks::HotRod => Protocol::HotRod(Box::new(Connection::open(servers, member).ok()?)),
            Speaks::Http1 => Protocol::Http1(Box::new(ServerExchange::new(http1::Limits::default()))),
            Speaks::Http2 { frames } => {
                let mut config = ServerConfig::default();
                config.frames = frames.then(Offer::default);
                let link = ServerLink::new(config, at.now);
                Protocol::Http2(Box::new(Http2 { link, refuses: None, is_silent: false, sessions: BTreeMap::new() }))
            }
        };
        Some(Self { member, leads, protocol, said: BytesMut::new() })
    }

    /// The HTTP/2 of this link.
    pub fn http2(&mut self) -> &mut Http2 {
        match &mut self.protocol {
            Protocol::Http2(http2) => http2,
            _ => panic!("the link does not speak HTTP/2"),
        }
    }

    /// The client has closed the link.
    pub fn close(self, servers: &mut Cluster) {
        match self.protocol {
            Protocol::HotRod(connection) => connection.close(servers),
            Protocol::Http1(_) => {}
            Protocol::Http2(http2) => {
                http2.sessions.into_values().for_each(|session| session.connection.close(servers));
            }
        }
    }

    /// The client has sent bytes.
    pub fn receive(&mut self, servers: &mut Cluster, bytes: &[u8], at: Moment) {
        match &mut self.protocol {
            Protocol::HotRod(connection) => connection.handle_received(bytes),
            Protocol::Http1(exchange) => exchange.handle_received(bytes),
            Protocol::Http2(http2) => {
                http2.link.receive_buffer().extend_from_slice(bytes);
                http2.link.handle_filled(at.now);
            }
        }
        self.work(servers, at);
    }

    /// Does what there is to do, and says it.
    pub fn work(&mut self, servers: &mut Cluster, at: Moment) {
        match &mut self.protocol {
            Protocol::HotRod(connection) => connection.process(servers, at),
            Protocol::Http1(_) => self.answer_request(servers, at),
            Protocol::Http2(http2) => http2.work(servers, self.member, self.leads, at),
        }
    }

    /// What is to be sent.
    pub fn take(&mut self) -> Bytes {
        let mut all = self.said.split();
        all.extend_from_slice(&match &mut self.protocol {
            Protocol::HotRod(connection) => taken(connection),
            Protocol::Http1(exchange) => {
                let bytes = exchange.transmit().to_bytes();
                exchange.transmitted(bytes.len());
                bytes
            }
            Protocol::Http2(http2) => {
                let bytes = http2.link.transmit().to_bytes();
                http2.link.transmitted(bytes.len());
                bytes
            }
        });
        all.freeze()
    }

    /// A tunnel is given, and is the member's from then on; everything else gets an ordinary answer.
    fn answer_request(&mut self, servers: &mut Cluster, at: Moment) {
        let Protocol::Http1(exchange) = &mut self.protocol else { return };
        let Some(http1::ServerEvent::Request(request)) = exchange.poll_event() else { return };
        if request.kind == Kind::Ordinary {
            return exchange.respond(&http1::Response::text(200, "here\n"), true).expect("a request was made");
        }
        let (led, fields) = match self.leads {
            None => {
                let mut fields = Fields::new();
                fields.push("hot-rod-node", name(self.member)).expect("a value");
                (self.member, fields)
            }
            Some(leads) => match leads.lead(servers, self.member, &request) {
                Ok(led) => led,
                Err(status) => {
                    return exchange.respond(&http1::Response::new(status), true).expect("a request was made");
                }
            },
        };
        self.member = led;
        let first = exchange.accept(&fields).expect("a tunnel was asked for");
        self.said = BytesMut::from(&exchange.transmit().to_bytes()[..]);
        let mut connection = Connection::open(servers, self.member).expect("the member is there");
        connection.handle_received(&first);
        connection.process(servers, at);
        self.protocol = Protocol::HotRod(Box::new(connection));
    }
}

impl Http2 {
    fn work(&mut self, servers: &mut Cluster, member: MemberId, leads: Option<Leads>, at: Moment) {
        while let Some(event) = self.link.poll_event() {
            match event {
                ServerEvent::SessionRequested { stream, request: asked } => {
                    self.begin(servers, member, leads, stream, &asked);
                }
                ServerEvent::Bytes { stream, bytes } => {
                    self.link.release_bytes(stream, bytes.len());
                    let session = self.sessions.get_mut(&stream).expect("a session");
                    session.connection.handle_received(&bytes);
                    session.connection.process(servers, at);
                }
                ServerEvent::Request { stream, fragment } => self.request(servers, stream, &fragment, at),
                ServerEvent::Cancelled { stream, call, .. } => {
                    // Half of it may have come; all of it, and it was kept.
                    let code = http2::ErrorCode::CANCEL;
                    self.link.end_call(stream, call, code, self.is_silent);
                }
                ServerEvent::Finished { stream } => {
                    self.link.end(stream, http2::ErrorCode::NO_ERROR);
                    self.forget(servers, stream);
                }
                ServerEvent::Ended { stream, .. } => self.forget(servers, stream),
                _ => {}
            }
        }
        for (stream, session) in &mut self.sessions {
            if self.link.form(*stream) != Some(Form::Frames) {
                let bytes = taken(&mut session.connection);
                if !bytes.is_empty() {
                    self.link.send_bytes(*stream, bytes);
                }
            }
        }
    }

    fn begin(
        &mut self,
        servers: &mut Cluster,
        member: MemberId,
        leads: Option<Leads>,
        stream: StreamId,
        asked: &ReceivedSessionRequest,
    ) {
        assert!(!asked.is_foreign && !asked.is_malformed, "{asked:?}");
        if let Some(status) = self.refuses.take() {
            return self.link.refuse(stream, status, None);
        }
        if leads == Some(Leads::Front) {
            return self.begin_at_front(servers, member, stream, asked);
        }
        let port = asked.node.as_deref().and_then(|node| node.rsplit_once(':')?.1.parse().ok()).unwrap_or_default();
        let host = if port == 0 { String::new() } else { "10.0.0.1".into() };
        let node = Node { mode: Mode::SIDECAR, knowledge: Knowledge::FROM_REPLIES, name: name(member), host, port };
        self.link.accept(stream, &node);
        self.open(servers, member, stream);
    }

    /// A gateway before all members: it leads to the one that is asked for.
    fn begin_at_front(
        &mut self,
        servers: &mut Cluster,
        turn: MemberId,
        stream: StreamId,
        asked: &ReceivedSessionRequest,
    ) {
        let Some(member) = asked.node.as_deref().map_or(Some(turn), |node| named(servers, node)) else {
            return self.link.refuse(stream, 404, None);
        };
        let address = servers.members().find(|(id, _)| *id == member).map(|(_, address)| address.clone());
        let (host, port) = address.map(|address| (address.host, address.port)).unwrap_or_default();
        let node = Node { mode: Mode::FRONT, knowledge: Knowledge::OWN_CONNECTION, name: name(member), host, port };
        self.link.accept(stream, &node);
        self.open(servers, member, stream);
    }

    fn open(&mut self, servers: &mut Cluster, member: MemberId, stream: StreamId) {
        let connection = Connection::open(servers, member).expect("the member is there");
        self.sessions.insert(stream, Session { connection, requests: BTreeMap::new() });
    }

    /// One request after the other, so what comes of it is its response.
    fn request(&mut self, servers: &mut Cluster, stream: StreamId, fragment: &Fragment, at: Moment) {
        let session = self.sessions.get_mut(&stream).expect("a session");
        let (call, octets) = (fragment.call, fragment.bytes.len());
        if !(fragment.is_first && fragment.is_last) {
            self.link.release_fragment(stream, call, octets);
        }
        session.requests.entry(call).or_default().extend_from_slice(&fragment.bytes);
        if fragment.is_last && !self.is_silent {
            self.answer(servers, stream, call, at);
        }
    }

    /// Sessions that are open.
    pub fn open_sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The one call that is open.
    pub fn open_call(&self) -> (StreamId, u32) {
        let open = self.sessions.keys().find_map(|stream| Some((*stream, *self.link.open_calls(*stream).first()?)));
        open.expect("a call")
    }

    /// Executes a request that is complete, and answers it.
    pub fn answer(&mut self, servers: &mut Cluster, stream: StreamId, call: u32, at: Moment) {
        let session = self.sessions.get_mut(&stream).expect("a session");
        let request = session.requests.remove(&call).unwrap_or_default();
        session.connection.handle_received(&request);
        session.connection.process(servers, at);
        let response = taken(&mut session.connection);
        self.link.respond(stream, call, response, true);
    }

    fn forget(&mut self, servers: &mut Cluster, stream: StreamId) {
        if let Some(session) = self.sessions.remove(&stream) {
            session.connection.close(servers);
        }
    }
}

fn taken(connection: &mut Connection) -> Bytes {
    let bytes = connection.transmit().to_bytes();
    connection.transmitted(bytes.len());
    bytes
}

fn name(member: MemberId) -> String {
    format!("node-{}", member.0)
}
