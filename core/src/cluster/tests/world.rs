//! A machine, its host, and the other ends of its links.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::listened::Listened;
use crate::carriage::{Choice, Node, Offer, ReceivedSessionRequest, ServerConfig, ServerEvent, ServerLink};
use crate::cluster::{
    CacheHandle, Call, CarriageConfig, Cluster, ClusterError, Config, Dial, Event, LinkId, OperationId, Output,
};
use crate::http1::{self, Fields, Response, ServerExchange};
use crate::http2::{ErrorCode, StreamId};
use crate::sasl::{self, Accounts, Mechanism, SaltedPasswordCache, Secret};
use crate::session::ServerSession;
use crate::time::Instant;
use crate::wire::{
    Body, IterationEntry, Limits, Member, Operation, Ping, Reply, Request, RequestHeader, RequestOptions, Status,
    Topology, Version,
};

/// Above this number of links a test ends: the client does not pause.
pub(super) const FAR_TOO_MANY: usize = 1_000;

/// Bytes of one read.
const READ: usize = 4 << 10;

/// What is at the other end of a link.
pub(super) enum Far {
    /// It takes everything and says nothing.
    Silent(Vec<u8>),
    /// It says that once, whatever it is told.
    Words(&'static [u8]),
    /// A member.
    Raw(Box<ServerSession>),
    /// A member, or a gateway before it, that is about to stop: it refuses everything but PING, after one answer if it has a topology.
    Stopping(Box<ServerSession>, Option<Topology>),
    /// A member that has its clients authenticate.
    Login(Box<Login>),
    /// Answers an Upgrade with that status; 101 leads to a member.
    Http1(Box<ServerExchange>, u16, Option<u32>),
    /// A member that answers everything but PING by this function.
    Answering(Box<ServerSession>, Box<Answer>),
    /// A member whose listeners a test watches.
    Listened(Box<Listened>),
    /// A member that cuts its link at a poisonous request, and answers everything else.
    Cutting(Box<Cutting>),
    /// An endpoint that speaks HTTP/2.
    Gateway(Box<Gateway>),
}

/// A member whose link does not survive some requests, as with Infinispan's `max-content-length`.
pub(super) struct Cutting {
    member: ServerSession,
    is_poison: fn(&Request) -> bool,
    is_cut: bool,
}

impl Cutting {
    fn receive(&mut self, bytes: &[u8]) -> Bytes {
        self.member.handle_received(bytes);
        while let Some((header, request)) = self.member.poll_request() {
            if (self.is_poison)(&request) {
                self.is_cut = true;
                return Bytes::new();
            }
            let body = match &request {
                Request::Ping {} => ping(),
                Request::Get { .. } => Body::Value(Bytes::from_static(b"v")),
                Request::Size {} => Body::Size(0),
                _ => Body::Nothing,
            };
            reply(&mut self.member, &header, request.operation(), body);
        }
        let said = self.member.transmit().to_bytes();
        self.member.transmitted(said.len());
        said
    }
}

/// The answer to a request.
pub(super) type Answer = dyn FnMut(&Request) -> (Status, Body);

/// The user of a [`Login`], and the password.
pub(super) const USER: (&str, &str) = ("user", "pencil");

/// A member that has its clients authenticate with SCRAM-SHA-256. It answers everything else with 0, but GET, which it leaves
/// without an answer.
pub(super) struct Login {
    member: ServerSession,
    exchange: sasl::Server,
    cache: SaltedPasswordCache,
    /// Goes with its first answer after the authentication.
    topology: Option<Topology>,
}

struct OneUser;

impl Accounts for OneUser {
    fn password(&self, username: &str) -> Option<Secret> {
        (username == USER.0).then(|| USER.1.into())
    }
}

impl Login {
    fn receive(&mut self, bytes: &[u8]) -> Bytes {
        self.member.handle_received(bytes);
        while let Some((header, request)) = self.member.poll_request() {
            let body = match &request {
                Request::Ping {} => ping(),
                Request::AuthMechList {} => Body::Names(["SCRAM-SHA-256".into()].to_vec()),
                Request::Auth { response, .. } => self.step(&response.0),
                Request::Get { .. } => continue,
                _ => Body::Size(0),
            };
            let topology = self.topology.take_if(|_| body == Body::Size(0)).map(Box::new);
            let reply = Reply { message_id: header.message_id, status: Status::SUCCESS, topology, body };
            self.member.reply(&header, request.operation(), &reply);
        }
        let said = self.member.transmit().to_bytes();
        self.member.transmitted(said.len());
        said
    }

    fn step(&mut self, response: &[u8]) -> Body {
        let step = self.exchange.step(response, &OneUser, &mut self.cache).expect("the right user");
        Body::Challenge { complete: step.complete, challenge: step.challenge.into() }
    }
}

/// An endpoint: with frames or without.
pub(super) struct Gateway {
    pub(super) link: ServerLink,
    /// What is answered to the next sessions, before any is accepted.
    pub(super) refusals: VecDeque<(u16, Option<u32>)>,
    pub(super) asked: Vec<(StreamId, ReceivedSessionRequest)>,
    /// Members of sessions without frames.
    members: BTreeMap<StreamId, ServerSession>,
    /// Fragments of requests that are not whole.
    partial: BTreeMap<(StreamId, u32), Vec<u8>>,
    /// Requests other than PING: with their session, call and first octets of their value.
    pub(super) held: Vec<(StreamId, u32, RequestHeader, Request)>,
    /// Goes with its first answer for a cache.
    pub(super) topology: Option<Topology>,
}

pub(super) struct World {
    pub(super) cluster: Cluster,
    pub(super) now: Instant,
    pub(super) cache: CacheHandle,
    pub(super) links: BTreeMap<LinkId, Far>,
    /// Links that are asked for and not there yet.
    pub(super) wanted: VecDeque<(LinkId, Dial)>,
    pub(super) events: Vec<Event>,
    pub(super) completed: Vec<(OperationId, Result<Reply, ClusterError>)>,
    /// What iterations have returned.
    pub(super) entries: Vec<Result<Vec<IterationEntry>, ClusterError>>,
    /// Links that are not read, and what has come on them meanwhile.
    paused: BTreeMap<LinkId, BytesMut>,
}

pub(super) fn auto() -> CarriageConfig {
    CarriageConfig { choice: Choice::Auto, ..CarriageConfig::default() }
}

/// One seed, `gate:11222`.
pub(super) fn config(carriage: CarriageConfig) -> Config {
    let seeds = [Member { host: "gate".into(), port: 11222 }].to_vec();
    Config { seeds, carriage, ..Config::default() }
}

impl Far {
    pub(super) fn raw() -> Self {
        Self::Raw(Box::new(ServerSession::new(Limits::default(), 1 << 20)))
    }

    pub(super) fn stopping(topology: Option<Topology>) -> Self {
        Self::Stopping(Box::new(ServerSession::new(Limits::default(), 1 << 20)), topology)
    }

    pub(super) fn answering(answer: impl FnMut(&Request) -> (Status, Body) + 'static) -> Self {
        Self::Answering(Box::new(ServerSession::new(Limits::default(), 1 << 20)), Box::new(answer))
    }

    /// A member that cuts its link at each request of which `is_poison` is true.
    pub(super) fn cutting(is_poison: fn(&Request) -> bool) -> Self {
        let member = ServerSession::new(Limits::default(), 1 << 20);
        Self::Cutting(Box::new(Cutting { member, is_poison, is_cut: false }))
    }

    fn is_cut(&self) -> bool {
        matches!(self, Self::Cutting(cutting) if cutting.is_cut)
    }

    /// A member that asks for so many iterations of the password's hash.
    pub(super) fn login(iterations: u32, topology: Option<Topology>) -> Self {
        Self::Login(Box::new(Login {
            member: ServerSession::new(Limits::default(), 1 << 20),
            exchange: sasl::Server::new(
                Mechanism::ScramSha256,
                sasl::ServerConfig { iterations, ..sasl::ServerConfig::default() },
                [3; 32],
            ),
            cache: SaltedPasswordCache::default(),
            topology,
        }))
    }

    pub(super) fn http1(status: u16, retry_after: Option<u32>) -> Self {
        Self::Http1(Box::new(ServerExchange::new(http1::Limits::default())), status, retry_after)
    }

    /// An endpoint of the ladder's first rung, or with `None` of its second.
    pub(super) fn gateway(frames: Option<Offer>, refusals: &[(u16, Option<u32>)]) -> Self {
        let config = ServerConfig { frames, ..ServerConfig::default() };
        Self::Gateway(Box::new(Gateway {
            link: ServerLink::new(config, Instant::EPOCH),
            refusals: refusals.iter().copied().collect(),
            asked: Vec::new(),
            members: BTreeMap::new(),
            partial: BTreeMap::new(),
            held: Vec::new(),
            topology: None,
        }))
    }

    /// Takes bytes, and answers with bytes.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Bytes {
        match self {
            Self::Silent(all) => {
                all.extend_from_slice(bytes);
                Bytes::new()
            }
            Self::Words(words) => Bytes::from_static(core::mem::take(words)),
            Self::Raw(member) => answered_by(member, bytes),
            Self::Answering(member, answer) => {
                member.handle_received(bytes);
                while let Some((header, request)) = member.poll_request() {
                    let (status, body) = match request {
                        Request::Ping {} => (Status::SUCCESS, ping()),
                        _ => answer(&request),
                    };
                    let reply = Reply { message_id: header.message_id, status, topology: None, body };
                    member.reply(&header, request.operation(), &reply);
                }
                let said = member.transmit().to_bytes();
                member.transmitted(said.len());
                said
            }
            Self::Login(login) => login.receive(bytes),
            Self::Listened(member) => member.receive(bytes),
            Self::Cutting(cutting) => cutting.receive(bytes),
            Self::Stopping(member, topology) => refused_by(member, bytes, topology),
            Self::Http1(exchange, status, retry_after) => {
                exchange.handle_received(bytes);
                let mut accepted = None;
                if let Some(http1::ServerEvent::Request(_)) = exchange.poll_event() {
                    if *status == 101 {
                        accepted = exchange.accept(&Fields::new()).ok();
                    } else {
                        let answer = Response::new(*status);
                        let answer = match retry_after {
                            Some(seconds) => answer.with("retry-after", seconds.to_string()).expect("a field"),
                            None => answer,
                        };
                        exchange.respond(&answer, true).expect("an answer");
                    }
                }
                let said = exchange.transmit().to_bytes();
                exchange.transmitted(said.len());
                if accepted.is_some() {
                    *self = Self::raw();
                }
                said
            }
            Self::Gateway(gateway) => gateway.receive(bytes),
        }
    }
}

/// What a member that is about to stop has to say: no topology goes with a refusal, so its last answer has it.
fn refused_by(member: &mut ServerSession, bytes: &[u8], topology: &mut Option<Topology>) -> Bytes {
    member.handle_received(bytes);
    while let Some((header, request)) = member.poll_request() {
        if request == (Request::Ping {}) {
            reply(member, &header, Operation::Ping, ping());
            continue;
        }
        let topology = topology.take().map(Box::new);
        let (status, body) = match topology {
            Some(_) => (Status::SUCCESS, Body::Size(0)),
            None => (Status::ILLEGAL_LIFECYCLE_STATE, Body::Error("about to stop".into())),
        };
        let reply = Reply { message_id: header.message_id, status, topology, body };
        member.reply(&header, request.operation(), &reply);
    }
    let said = member.transmit().to_bytes();
    member.transmitted(said.len());
    said
}

/// What a member has to say to PING, whatever else is asked.
fn answered_by(member: &mut ServerSession, bytes: &[u8]) -> Bytes {
    member.handle_received(bytes);
    while let Some((header, request)) = member.poll_request() {
        if request == (Request::Ping {}) {
            reply(member, &header, Operation::Ping, ping());
        }
    }
    let said = member.transmit().to_bytes();
    member.transmitted(said.len());
    said
}

pub(super) fn ping() -> Body {
    let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
    Body::Ping(Box::new(Ping { server_version: Some(Version::V4_1.to_byte()), operations, ..Ping::default() }))
}

fn reply(member: &mut ServerSession, header: &RequestHeader, operation: Operation, body: Body) {
    let status = Status::SUCCESS;
    member.reply(header, operation, &Reply { message_id: header.message_id, status, topology: None, body });
}

impl Gateway {
    fn receive(&mut self, bytes: &[u8]) -> Bytes {
        self.link.receive_buffer().extend_from_slice(bytes);
        self.link.handle_filled(Instant::EPOCH);
        self.poll();
        let said = self.link.transmit().to_bytes();
        self.link.transmitted(said.len());
        said
    }

    fn poll(&mut self) {
        while let Some(event) = self.link.poll_event() {
            match event {
                ServerEvent::SessionRequested { stream, request: asked } => {
                    // A pod is asked for by its address.
                    let pod = asked.node.as_deref().and_then(|node| node.split(':').next()).unwrap_or("pod-0").into();
                    self.asked.push((stream, asked));
                    match self.refusals.pop_front() {
                        Some((status, retry_after)) => self.link.refuse(stream, status, retry_after),
                        None => self.link.accept(stream, &Node { name: pod, ..Node::default() }),
                    }
                }
                ServerEvent::Bytes { stream, bytes } => {
                    let member =
                        self.members.entry(stream).or_insert_with(|| ServerSession::new(Limits::default(), 1 << 20));
                    let said = answered_by(member, &bytes);
                    self.link.release_bytes(stream, bytes.len());
                    self.link.send_bytes(stream, said);
                }
                ServerEvent::Request { stream, fragment } => {
                    let partial = self.partial.entry((stream, fragment.call)).or_default();
                    partial.extend_from_slice(&fragment.bytes);
                    if fragment.is_last {
                        self.request(stream, fragment.call);
                    }
                }
                ServerEvent::Finished { stream } => self.link.end(stream, ErrorCode::NO_ERROR),
                _ => {}
            }
        }
    }

    fn request(&mut self, stream: StreamId, call: u32) {
        let mut member = ServerSession::new(Limits::default(), 1 << 20);
        member.handle_received(&self.partial.remove(&(stream, call)).expect("it has come"));
        let (header, request) = member.poll_request().expect("a whole request");
        if request == (Request::Ping {}) {
            let topology = self.topology.take_if(|_| !header.options.cache.is_empty()).map(Box::new);
            let reply = Reply { message_id: header.message_id, status: Status::SUCCESS, topology, body: ping() };
            member.reply(&header, Operation::Ping, &reply);
            self.link.respond(stream, call, member.transmit().to_bytes(), true);
        } else {
            self.held.push((stream, call, header, request));
        }
    }
}

impl World {
    /// A machine that has been asked for a cache.
    pub(super) fn new(config: Config) -> Self {
        let now = Instant::from_micros(1_000_000);
        let mut cluster = Cluster::new(config, [7; 32], now);
        let cache = cluster.cache(now, RequestOptions::cache("c"));
        let mut world = Self {
            cluster,
            now,
            cache,
            links: BTreeMap::new(),
            wanted: VecDeque::new(),
            events: Vec::new(),
            completed: Vec::new(),
            entries: Vec::new(),
            paused: BTreeMap::new(),
        };
        world.run();
        world
    }

    /// Does what the machine says, until it says nothing more.
    pub(super) fn run(&mut self) {
        for _ in 0..10_000 {
            let Some(output) = self.cluster.poll_output() else { return };
            match output {
                Output::Connect { link, dial, .. } => self.wanted.push_back((link, *dial)),
                Output::Transmit { link } => self.carry(link),
                Output::Close { link } => {
                    self.links.remove(&link);
                    self.paused.remove(&link);
                    self.wanted.retain(|(wanted, _)| *wanted != link);
                }
                Output::Pause { link } => drop(self.paused.insert(link, BytesMut::new())),
                Output::Resume { link } => {
                    let unread = self.paused.remove(&link).unwrap_or_default();
                    self.deliver(link, &unread);
                }
                Output::Completed { id, result, .. } => self.completed.push((id, result)),
                Output::Entries { result, .. } => self.entries.push(result),
                Output::Event(event) => self.events.push(event),
                _ => {}
            }
        }
        panic!("the machine does not come to rest");
    }

    fn carry(&mut self, link: LinkId) {
        while let Some(out) = self.cluster.transmit(link).filter(|out| !out.is_empty()) {
            let bytes = out.to_bytes();
            self.cluster.transmitted(link, bytes.len());
            let said = self.links.get_mut(&link).map(|far| far.receive(&bytes)).unwrap_or_default();
            if !said.is_empty() {
                self.deliver(link, &said);
            }
            if self.links.get(&link).is_some_and(Far::is_cut) {
                self.links.remove(&link);
                self.cluster.handle_link_lost(self.now, link, "connection reset");
            }
        }
    }

    /// Passes on what has come on a link, read by read, while the link is read.
    fn deliver(&mut self, link: LinkId, bytes: &[u8]) {
        for read in bytes.chunks(READ) {
            if let Some(unread) = self.paused.get_mut(&link) {
                unread.extend_from_slice(read);
                continue;
            }
            self.cluster.handle_received(self.now, link, read);
            if bytes.len() > READ {
                self.run();
            }
        }
    }

    /// Delivers bytes that members send without a request.
    pub(super) fn hear(&mut self) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            let said = match self.links.get_mut(&link) {
                Some(Far::Listened(member)) => member.take_bytes(),
                _ => continue,
            };
            self.deliver(link, &said);
            self.run();
        }
    }

    /// The oldest link that is wanted is there, and leads to that.
    pub(super) fn connect(&mut self, far: Far) -> (LinkId, Dial) {
        self.connect_with(far, None)
    }

    pub(super) fn connect_with(&mut self, far: Far, alpn: Option<&[u8]>) -> (LinkId, Dial) {
        let (link, dial) = self.wanted.pop_front().expect("a link is wanted");
        self.links.insert(link, far);
        self.cluster.handle_connected(self.now, link, alpn);
        self.run();
        (link, dial)
    }

    /// A link is lost.
    pub(super) fn lose(&mut self, link: LinkId) {
        self.links.remove(&link);
        self.cluster.handle_link_lost(self.now, link, "cut");
        self.run();
    }

    /// Lets time pass in small steps, so that nothing is late.
    pub(super) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..100_000 {
            let next = self.cluster.poll_timeout().filter(|next| *next <= end);
            self.now = next.map_or(end, |next| next.max(self.now));
            self.cluster.handle_timeout(self.now);
            self.run();
            if next.is_none() {
                return;
            }
        }
        panic!("timeouts without end");
    }

    /// Passes each wanted link to `meet` for that long. Returns the number of links, at most [`FAR_TOO_MANY`].
    pub(super) fn meet_each(&mut self, duration: Duration, mut meet: impl FnMut(&mut Self)) -> usize {
        let (end, mut count) = (self.now + duration, 0);
        while self.now < end && count < FAR_TOO_MANY {
            if self.wanted.is_empty() {
                self.wait(Duration::from_millis(10));
            } else {
                meet(self);
                count += 1;
            }
        }
        count
    }

    /// Lets time pass until a link is wanted.
    pub(super) fn wait_for_link(&mut self) {
        for _ in 0..2_000 {
            if !self.wanted.is_empty() {
                return;
            }
            self.wait(Duration::from_millis(10));
        }
        panic!("no link is wanted");
    }

    /// The oldest link that is wanted can't be established.
    pub(super) fn refuse(&mut self) {
        let (link, _) = self.wanted.front().expect("a wanted link").clone();
        self.lose(link);
    }

    pub(super) fn submit(&mut self, request: Request) -> OperationId {
        let id = self.cluster.submit(self.now, Call::new(&self.cache, request)).expect("it is taken");
        self.run();
        id
    }

    pub(super) fn gateway(&mut self, link: LinkId) -> &mut Gateway {
        match self.links.get_mut(&link) {
            Some(Far::Gateway(gateway)) => gateway,
            _ => panic!("no gateway there"),
        }
    }

    /// What the gateway at the end of a link has been made to say comes.
    pub(super) fn gateway_speaks(&mut self, link: LinkId) {
        let said = self.gateway(link).receive(&[]);
        self.cluster.handle_received(self.now, link, &said);
        self.run();
    }

    /// What was told of carriages since the last time: their names, and whether there was a reason.
    pub(super) fn chosen(&mut self) -> Vec<(String, bool)> {
        let of = |event: &Event| match event {
            Event::CarriageChosen { carriage, reason, .. } => Some((carriage.clone(), !reason.is_empty())),
            _ => None,
        };
        let chosen = self.events.iter().filter_map(of).collect();
        self.events.clear();
        chosen
    }

    pub(super) fn is_ready(&self) -> bool {
        self.cluster.members().any(|member| member.ready)
    }
}
