//! Drives a cluster machine with arbitrary hosts and servers.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::input::Input;
use super::{sample_requests, samples};
use crate::cluster::{
    self, AccessPath, CacheHandle, Call, Cluster, Config, IterationId, IterationOptions, LinkId, ListenerId,
    ListenerKind, MemberId, NearCacheOptions, OperationId, Output, Site,
};
use crate::session::ServerSession;
use crate::time::Instant;
use crate::wire::{
    Body, EntryChange, Event, EventData, Hash, IterationBatch, IterationEntry, Limits, Member, Operation, Ping, Reply,
    ReplyContext, Request, RequestHeader, RequestOptions, SegmentOwners, Status, Topology, Version,
};

/// Number of different members in topologies.
const MEMBERS: u16 = 5;
const MAX_WAITING: usize = 20;

/// Runs a script with a client and several members, each of which may send arbitrary bytes.
///
/// Asserts that each operation completes exactly once unless it is cancelled, that each requested batch arrives once,
/// and that nothing is left after the client is closed and its timeouts have expired.
pub fn cluster(data: &[u8]) {
    let mut world = World::new(Input::new(data));
    while !world.input.is_empty() {
        world.step();
    }
    world.end();
}

struct World<'a> {
    input: Input<'a>,
    client: Cluster,
    caches: Vec<CacheHandle>,
    now: Instant,
    links: BTreeMap<LinkId, Server>,
    members: BTreeSet<MemberId>,
    waiting: BTreeSet<OperationId>,
    requested: BTreeSet<IterationId>,
    iterations: Vec<IterationId>,
    listeners: Vec<ListenerId>,
    event_count: usize,
    closing: bool,
}

/// Server end of a link.
#[derive(Default)]
struct Server {
    session: Option<ServerSession>,
    requests: VecDeque<(RequestHeader, Request)>,
    listening: Vec<(u64, Bytes)>,
}

fn member(port: u16) -> Member {
    Member { host: "member".into(), port }
}

impl<'a> World<'a> {
    fn new(mut input: Input<'a>) -> Self {
        let now = Instant::from_micros(1_000_000);
        let mut config = Config {
            seeds: (0..=input.below(3) as u16).map(member).collect(),
            max_waiting: MAX_WAITING,
            max_retries: input.pick(&[3, 0, 1]),
            connect_ahead: input.flag(),
            links_per_member: input.pick(&[1, 3]),
            listener_queue: input.pick(&[1024, 2]),
            ..Config::default()
        };
        if input.flag() {
            config.sites.push(Site { name: "other".into(), seeds: [member(100)].into() });
        }
        config.access.path = input.pick(&[AccessPath::Direct, AccessPath::LoadBalancer, AccessPath::Auto]);
        if config.access.path != AccessPath::Direct && input.flag() {
            // A load balancer that leads to an unknown member.
            config.seeds = [member(200)].into();
        }
        config.session.max_in_flight = input.pick(&[1024, 1, 3]);
        config.session.max_events = input.pick(&[4096, 2]);
        let mut client = Cluster::new(config, [3; 32], now);
        let caches = (0..2).map(|name| client.cache(now, RequestOptions::cache(format!("{name}")))).collect();
        Self {
            input,
            client,
            caches,
            now,
            links: BTreeMap::new(),
            members: BTreeSet::new(),
            waiting: BTreeSet::new(),
            requested: BTreeSet::new(),
            iterations: Vec::new(),
            listeners: Vec::new(),
            event_count: 0,
            closing: false,
        }
    }

    fn step(&mut self) {
        match self.input.below(20) {
            0..3 => self.submit(),
            3..6 => self.answer(),
            6..8 => self.connect(),
            8 => self.lose(),
            9 => self.wait(),
            10 => self.cancel(),
            11 => self.iterate(),
            12 => self.next_entries(),
            13 => self.listen(),
            14 => self.tell_listener(),
            15 => self.near_cache(),
            16 => self.send_anything(),
            17 => drop(self.client.switch_site(self.now, self.input.pick(&["other", "", "none"]))),
            18 => self.end_one(),
            _ if self.input.below(20) == 1 => self.close(),
            _ => {}
        }
        self.take();
        self.check();
    }

    fn cache(&mut self) -> CacheHandle {
        self.caches[self.input.below(2)].clone()
    }

    fn submit(&mut self) {
        let cache = self.cache();
        let key = |n: usize| Bytes::from(format!("key {n}"));
        let request = match self.input.below(6) {
            0 => Request::Get { key: key(self.input.below(8)) },
            1 => Request::Put {
                key: key(self.input.below(8)),
                expiration: crate::wire::Expiration::DEFAULT,
                value: self.input.blob(),
            },
            2 => Request::GetAll { keys: (0..self.input.below(12)).map(key).collect() },
            3 => Request::PutAll {
                expiration: crate::wire::Expiration::DEFAULT,
                entries: (0..self.input.below(12)).map(|n| (key(n), key(n))).collect(),
            },
            _ => {
                let row = &Operation::table()[self.input.below(Operation::table().len())];
                sample_requests::request(row.operation, Version::LATEST, &mut self.input)
            }
        };
        let chosen = self.members.iter().nth(self.input.below(MEMBERS.into())).copied();
        let member = if self.input.below(8) == 1 { chosen } else { None };
        let call = Call { member, ..Call::new(&cache, request) };
        let is_refused = self.closing || self.client.waiting() >= MAX_WAITING;
        let submitted = self.client.submit(self.now, call);
        assert_eq!(submitted.is_err(), is_refused);
        assert!(submitted.is_ok_and(|id| self.waiting.insert(id)) != is_refused, "an id comes again");
    }

    fn cancel(&mut self) {
        let index = self.input.below(self.waiting.len());
        if let Some(id) = self.waiting.iter().nth(index).copied() {
            // The operation may be complete but not polled.
            self.client.cancel(id);
            self.take();
            self.waiting.remove(&id);
        }
    }

    fn iterate(&mut self) {
        let cache = self.cache();
        let segments = self.input.flag().then(|| Bytes::copy_from_slice(self.input.slice(3)));
        let options = IterationOptions { segments, batch_size: 3, ..IterationOptions::default() };
        if let Ok(id) = self.client.iterate(self.now, &cache, options) {
            self.iterations.push(id);
        }
    }

    fn next_entries(&mut self) {
        let index = self.input.below(self.iterations.len());
        if let Some(id) = self.iterations.get(index)
            && self.client.next_entries(self.now, *id)
        {
            assert!(self.requested.insert(*id), "asked twice");
        }
    }

    fn end_one(&mut self) {
        let index = self.input.below(self.iterations.len());
        if self.input.flag() {
            if let Some(id) = self.iterations.get(index).copied() {
                self.client.end_iteration(self.now, id);
                self.take();
                self.requested.remove(&id);
            }
        } else if let Some(listener) = self.listeners.pop() {
            self.client.remove_listener(self.now, listener);
        }
    }

    fn listen(&mut self) {
        let cache = self.cache();
        let kind = if self.input.flag() {
            ListenerKind::Counter("counter".into())
        } else {
            ListenerKind::Cache(crate::wire::ListenerOptions::default())
        };
        if let Ok(listener) = self.client.listen(self.now, &cache, kind) {
            self.listeners.push(listener);
        }
    }

    fn near_cache(&mut self) {
        let cache = self.cache();
        let settings = NearCacheOptions { max_entries: 3, max_bytes: 100, bloom_filter: self.input.flag() };
        if self.input.below(4) == 1 {
            self.client.remove_near_cache(self.now, &cache);
        } else {
            // Rejected once the client is closed.
            let _ = self.client.near_cache(self.now, &cache, settings);
        }
    }

    fn link(&mut self) -> Option<LinkId> {
        let index = self.input.below(self.links.len());
        self.links.keys().nth(index).copied()
    }

    fn connect(&mut self) {
        if let Some(link) = self.link() {
            // Reporting it twice is harmless.
            self.client.handle_connected(self.now, link, None);
            if let Some(server) = self.links.get_mut(&link) {
                server.session.get_or_insert_with(|| ServerSession::new(Limits::default(), 1 << 30));
            }
        }
    }

    fn lose(&mut self) {
        if let Some(link) = self.link() {
            self.client.handle_link_lost(self.now, link, "lost");
        }
    }

    fn wait(&mut self) {
        let micros = 1u64 << self.input.below(26);
        self.now = self.now + Duration::from_micros(micros);
        self.client.handle_timeout(self.now);
    }

    /// Sends bytes that no server would send.
    fn send_anything(&mut self) {
        let size = self.input.size().min(64);
        let bytes = Bytes::copy_from_slice(self.input.slice(size));
        if let Some(link) = self.link() {
            self.client.handle_received(self.now, link, &bytes);
        }
    }

    fn answer(&mut self) {
        let Some(link) = self.link() else { return };
        let Some((header, request)) = self.links.get_mut(&link).and_then(|server| server.requests.pop_front()) else {
            return;
        };
        let reply = self.reply(&header, &request);
        let Some(Server { session: Some(session), listening, .. }) = self.links.get_mut(&link) else { return };
        if let Request::AddClientListener { listener_id, .. } | Request::AddBloomFilterListener { listener_id, .. } =
            &request
        {
            listening.push((header.message_id, listener_id.clone()));
        }
        session.reply(&header, request.operation(), &reply);
        let bytes = session.transmit().to_bytes();
        session.transmitted(bytes.len());
        self.client.handle_received(self.now, link, &bytes);
    }

    fn reply(&mut self, header: &RequestHeader, request: &Request) -> Reply {
        let context =
            ReplyContext { operation: request.operation(), version: header.version, intelligence: header.intelligence };
        let topology = (self.input.below(3) == 1).then(|| alloc::boxed::Box::new(self.topology()));
        let statuses =
            [Status::SUCCESS, Status::SUCCESS, Status::SERVER_ERROR, Status::NODE_SUSPECTED, Status::INVALID_ITERATION];
        let status = self.input.pick(&statuses);
        let body = match (status, request) {
            (Status::SUCCESS, Request::Ping {}) => Body::Ping(Box::new(Ping {
                server_version: Some(Version::LATEST.to_byte()),
                operations: Operation::table().iter().map(|row| row.request_opcode.into()).collect(),
                ..Ping::default()
            })),
            (Status::SUCCESS, Request::IterationStart { .. }) => Body::IterationId("iteration".into()),
            (Status::SUCCESS, Request::IterationNext { .. }) => Body::Iteration(self.batch()),
            _ => {
                let body = samples::body(status, context, &mut self.input);
                return Reply { message_id: header.message_id, status, topology, body };
            }
        };
        Reply { message_id: header.message_id, status, topology, body }
    }

    fn batch(&mut self) -> IterationBatch {
        let entry =
            |n: u8| IterationEntry { key: Bytes::copy_from_slice(&[n]), values: [Bytes::new()].into(), metadata: None };
        let first = self.input.byte();
        let entries = (0..self.input.below(4) as u8).map(|n| entry(first.wrapping_add(n))).collect();
        IterationBatch { finished_segments: Bytes::copy_from_slice(self.input.slice(2)), entries }
    }

    fn topology(&mut self) -> Topology {
        let count = self.input.below(usize::from(MEMBERS) + 1) as u16;
        let members: Vec<Member> = (0..count).map(member).collect();
        let segments = self.input.pick(&[1u32, 7, 20]);
        let mut owners = SegmentOwners::default();
        for _ in 0..segments {
            let owner = self.input.below(usize::from(count)) as u16;
            owners.push(if count == 0 || owner == 3 { &[] } else { core::slice::from_ref(&owner) });
        }
        let hash = self.input.flag().then_some(Hash { function: 3, segments, owners });
        Topology { id: self.input.byte().into(), members, hash }
    }

    fn tell_listener(&mut self) {
        let Some(link) = self.link() else { return };
        let Some(Server { session: Some(session), listening, .. }) = self.links.get_mut(&link) else { return };
        let Some((message_id, listener_id)) = listening.last().cloned() else { return };
        let key = Bytes::from(format!("key {}", self.input.below(8)));
        let data = EventData::Key { key, version: None };
        let event = Event { message_id, listener_id, retried: false, change: EntryChange::Removed, data };
        session.event(&event);
        let bytes = session.transmit().to_bytes();
        session.transmitted(bytes.len());
        self.client.handle_received(self.now, link, &bytes);
    }

    fn close(&mut self) {
        self.closing = true;
        self.client.close(self.now);
    }

    /// Carries out an output of the machine.
    fn take(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { link, member, .. } => {
                    self.members.insert(member);
                    assert!(self.links.insert(link, Server::default()).is_none(), "a link comes again");
                }
                Output::Transmit { link } => self.transmit(link),
                Output::Close { link } => assert!(self.links.remove(&link).is_some(), "it is closed twice"),
                Output::Completed { id, .. } => assert!(self.waiting.remove(&id), "{id:?} completes, and nobody waits"),
                Output::Entries { id, .. } => assert!(self.requested.remove(&id), "entries that nobody asked for"),
                Output::Event(cluster::Event::Entry { listener, .. } | cluster::Event::Counter { listener, .. }) => {
                    // Acknowledges the others late or never.
                    self.event_count += 1;
                    let acknowledged = usize::from(!self.event_count.is_multiple_of(3)) * 2;
                    self.client.events_taken(self.now, listener, acknowledged);
                }
                Output::Pause { link } => assert!(self.links.contains_key(&link), "a link that is not there is paused"),
                Output::Event(_) | Output::StartTls { .. } | Output::Resume { .. } => {}
            }
        }
    }

    fn transmit(&mut self, link: LinkId) {
        let Some(out) = self.client.transmit(link) else { return };
        let bytes = out.to_bytes();
        self.client.transmitted(link, bytes.len());
        let Some(Server { session: Some(session), requests, .. }) = self.links.get_mut(&link) else { return };
        session.handle_received(&bytes);
        requests.extend(core::iter::from_fn(|| session.poll_request()));
    }

    fn check(&self) {
        // Upper bound of waiting operations after all links are lost: a part for each member of each operation, all
        // parts of each iteration, and each listener. The machine itself sends PINGs on caches and idle links.
        let parts = usize::from(MEMBERS) + 1;
        let own = self.listeners.len() + 2 * self.caches.len() + self.links.len();
        let max = parts * (self.waiting.len() + self.iterations.len()) + own;
        assert!(self.client.waiting() <= max, "{} operations wait, {max} may", self.client.waiting());
        // At most four links to each member: for operations, in reserve, and for listeners.
        assert!(self.links.len() <= 4 * (usize::from(MEMBERS) + 1), "{} links", self.links.len());
    }

    /// Runs until every deadline has expired.
    fn end(&mut self) {
        self.close();
        self.take();
        for _ in 0..10_000 {
            let Some(deadline) = self.client.poll_timeout() else { break };
            self.now = self.now.max(deadline);
            self.client.handle_timeout(self.now);
            self.take();
        }
        assert!(self.waiting.is_empty(), "never completed: {:?}", self.waiting);
        assert!(self.requested.is_empty(), "never told: {:?}", self.requested);
        assert!(self.client.is_closed() && self.links.is_empty());
        assert_eq!((self.client.in_flight(), self.client.poll_timeout()), (0, None));
    }
}
