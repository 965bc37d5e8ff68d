//! A client outside of a cluster: pods that it can't dial, and what stands before them.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::cluster::{
    Access, CacheHandle, Call, CarriageConfig, Cluster, Config, Coverage, Event, LinkId, OperationId, Output,
};
use crate::http1::{self, Fields, Kind, Request as Asked, Response, ServerEvent, ServerExchange};
use crate::routing::{key_hash, segment_size};
use crate::session::ServerSession;
use crate::time::Instant;
use crate::wire::{
    Body, Hash, Limits, MediaType, Member, Operation, Ping, Reply, Request, RequestHeader, RequestOptions,
    SegmentOwners, Status, Topology, Version,
};

/// How whatever stands before the pods chooses one, where the client may not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chooses {
    InTurn,
    Randomly,
    TheFirst,
}

/// What stands before the pods.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It copies TCP to pods without a gateway.
    Balancer,
    /// A router that sets a cookie, before pods with a gateway each.
    CookieRouter,
    /// A router without cookies, before the same.
    Router,
    /// A gateway that leads to every pod.
    Front,
    /// A proxy that ends CONNECT, and goes by a header field.
    Proxy,
}

/// Outcome of a connection to the entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Connecting {
    Succeeds,
    Fails,
    Hangs,
}

pub(super) struct Outside {
    pub(super) cluster: Cluster,
    pub(super) now: Instant,
    pub(super) cache: CacheHandle,
    pub(super) stands: Stands,
    pub(super) chooses: Chooses,
    /// The pods by their place; those that are not there any more stay in their place.
    pub(super) pods: Vec<Pod>,
    /// Cookies of a router that was restarted lead nowhere.
    pub(super) cookie_salt: u32,
    /// Gateways lead to that pod whatever is asked.
    pub(super) wrong: Option<usize>,
    /// Gateways do not know the address of their member.
    pub(super) knows_nothing: bool,
    pub(super) connecting: Connecting,
    pub(super) topology_id: u32,
    pub(super) events: Vec<Event>,
    pub(super) completed: Vec<(OperationId, bool)>,
    pub(super) connections: usize,
    links: BTreeMap<LinkId, Far>,
    wanted: VecDeque<LinkId>,
    /// The host that the URI names.
    entry: String,
    turn: usize,
    random: ChaCha20Rng,
    /// The keys of the probe cache, if it is there.
    probe_keys: Option<BTreeSet<Bytes>>,
    pub(super) may_make_caches: bool,
    /// The media type in which pods store keys, and their conversion; `None` for one that is refused with PING.
    pub(super) storage: Option<(MediaType, Store)>,
}

/// Stored form of a key on a pod.
pub(super) type Store = fn(&[u8]) -> Vec<u8>;

pub(super) struct Pod {
    pub(super) address: Member,
    pub(super) is_up: bool,
    /// It closes each connection with the first bytes.
    pub(super) cuts: bool,
    /// Operations with a key: of keys that it owns, and of others.
    pub(super) hits: (usize, usize),
}

enum Far {
    Asked(Box<ServerExchange>),
    Pod(usize, Box<ServerSession>),
}

const SEGMENTS: u32 = 1024;

pub(super) fn address(place: usize) -> Member {
    Member { host: format!("10.0.{}.{}", place / 250, place % 250 + 1), port: 11222 }
}

impl Outside {
    pub(super) fn new(stands: Stands, chooses: Chooses, pods: usize, access: Access, carriage: CarriageConfig) -> Self {
        Self::at(
            Member { host: "gate".into(), port: 443 },
            stands,
            chooses,
            pods,
            Config { access, carriage, ..Config::default() },
        )
    }

    /// A client whose URI names this server.
    pub(super) fn at(seed: Member, stands: Stands, chooses: Chooses, pods: usize, config: Config) -> Self {
        let now = Instant::from_micros(1_000_000);
        let entry = seed.host.clone();
        let config = Config { seeds: [seed].to_vec(), ..config };
        let mut cluster = Cluster::new(config, [3; 32], now);
        let cache = cluster.cache(now, RequestOptions::cache("c"));
        cluster.start(now, &cache);
        let pods =
            (0..pods).map(|place| Pod { address: address(place), is_up: true, cuts: false, hits: (0, 0) }).collect();
        let mut outside = Self {
            cluster,
            now,
            cache,
            stands,
            chooses,
            pods,
            cookie_salt: 0,
            wrong: None,
            knows_nothing: false,
            connecting: Connecting::Succeeds,
            topology_id: 1,
            events: Vec::new(),
            completed: Vec::new(),
            connections: 0,
            links: BTreeMap::new(),
            wanted: VecDeque::new(),
            entry,
            turn: 0,
            random: ChaCha20Rng::from_seed([9; 32]),
            probe_keys: None,
            may_make_caches: true,
            storage: Some((MediaType::Unspecified, <[u8]>::to_vec)),
        };
        outside.run();
        outside
    }

    pub(super) fn coverage(&self) -> Coverage {
        self.cluster.coverage()
    }

    /// One link after the other is there, until the machine wants nothing more.
    pub(super) fn run(&mut self) {
        for _ in 0..200_000 {
            let Some(output) = self.cluster.poll_output() else {
                if self.connecting == Connecting::Hangs {
                    return;
                }
                let Some(link) = self.wanted.pop_front() else { return };
                self.connect(link);
                continue;
            };
            match output {
                Output::Connect { link, dial, .. } => {
                    assert_eq!(dial.host, self.entry, "no other address of the topology is dialled");
                    self.wanted.push_back(link);
                }
                Output::Transmit { link } => self.carry(link),
                Output::Close { link } => {
                    self.links.remove(&link);
                    self.wanted.retain(|wanted| *wanted != link);
                }
                Output::Completed { id, result, .. } => self.completed.push((id, result.is_ok())),
                Output::Event(event) => self.events.push(event),
                _ => {}
            }
        }
        panic!("the machine does not come to rest");
    }

    fn connect(&mut self, link: LinkId) {
        self.connections += 1;
        if self.connecting == Connecting::Fails {
            return self.cluster.handle_link_lost(self.now, link, "connection refused");
        }
        let far = if self.stands == Stands::Balancer {
            let Some(pod) = self.choose() else {
                return self.cluster.handle_link_lost(self.now, link, "connection refused");
            };
            Far::pod(pod)
        } else {
            Far::Asked(Box::new(ServerExchange::new(http1::Limits::default())))
        };
        self.links.insert(link, far);
        self.cluster.handle_connected(self.now, link, None);
    }

    /// Whom the client gets where it says nothing.
    fn choose(&mut self) -> Option<usize> {
        let up: Vec<usize> = (0..self.pods.len()).filter(|place| self.pods[*place].is_up).collect();
        self.turn += 1;
        let at = match self.chooses {
            Chooses::InTurn => self.turn,
            Chooses::Randomly => self.random.next_u32() as usize,
            Chooses::TheFirst => 0,
        };
        (!up.is_empty()).then(|| up[at % up.len()])
    }

    fn carry(&mut self, link: LinkId) {
        while let Some(out) = self.cluster.transmit(link).filter(|out| !out.is_empty()) {
            let bytes = out.to_bytes();
            self.cluster.transmitted(link, bytes.len());
            match self.receive(link, &bytes) {
                Some(said) if said.is_empty() => {}
                Some(said) => self.cluster.handle_received(self.now, link, &said),
                None => {
                    self.links.remove(&link);
                    self.cluster.handle_link_lost(self.now, link, "closed by the other end");
                }
            }
        }
    }

    fn receive(&mut self, link: LinkId, bytes: &[u8]) -> Option<Bytes> {
        match self.links.remove(&link)? {
            Far::Asked(mut exchange) => {
                exchange.handle_received(bytes);
                if let Some(ServerEvent::Request(asked)) = exchange.poll_event() {
                    let pod = self.answer(&mut exchange, &asked);
                    let said = exchange.transmit().to_bytes();
                    let far = pod.map_or(Far::Asked(exchange), Far::pod);
                    self.links.insert(link, far);
                    return Some(said);
                }
                self.links.insert(link, Far::Asked(exchange));
                Some(Bytes::new())
            }
            Far::Pod(pod, mut server) => {
                let said =
                    (self.pods[pod].is_up && !self.pods[pod].cuts).then(|| self.serve(pod, &mut server, bytes))?;
                self.links.insert(link, Far::Pod(pod, server));
                Some(said)
            }
        }
    }

    /// What a router, gateway or proxy says to a request for a tunnel; and whom it leads to.
    fn answer(&mut self, exchange: &mut ServerExchange, asked: &Asked) -> Option<usize> {
        assert_eq!(matches!(asked.kind, Kind::Connect { .. }), self.stands == Stands::Proxy);
        let place_of = |pods: &[Pod], address: &str| pods.iter().position(|pod| pod.address.to_string() == address);
        let named = asked.fields.text("hot-rod-node").map(ToString::to_string);
        let mut fields = Fields::new();
        let pod = match self.stands {
            Stands::Front => match &named {
                Some(named) => place_of(&self.pods, named).filter(|pod| self.pods[*pod].is_up),
                None => self.choose(),
            },
            Stands::Proxy => {
                let wanted = named.and_then(|named| Base64::decode_vec(&named).ok());
                let wanted = wanted.and_then(|wanted| place_of(&self.pods, &String::from_utf8_lossy(&wanted)));
                wanted.filter(|pod| self.pods[*pod].is_up).or_else(|| self.choose())
            }
            _ => self.of_cookie(&asked.fields).or_else(|| self.choose()),
        };
        let pod = self.wrong.or(pod);
        let is_refused = pod.is_none_or(|pod| {
            let address = self.pods[pod].address.to_string();
            let named = asked.fields.text("hot-rod-node");
            !matches!(self.stands, Stands::Front | Stands::Proxy) && named.is_some_and(|named| named != address)
        });
        let Some(pod) = pod.filter(|_| !is_refused) else {
            let status = if pod.is_some() { 421 } else { 503 };
            exchange.respond(&Response::new(status), true).expect("an answer");
            return None;
        };
        let address = self.pods[pod].address.to_string();
        if self.stands == Stands::Proxy {
            fields.push("hot-rod-node", Base64::encode_string(address.as_bytes())).expect("a field");
        } else {
            fields.push("hot-rod-node", format!("pod-{pod}")).expect("a field");
            if !self.knows_nothing {
                fields.push("hot-rod-address", address).expect("a field");
            }
        }
        if self.stands == Stands::CookieRouter {
            let cookie = format!("hotrod={}-{pod}; path=/; HttpOnly", self.cookie_salt);
            fields.push("set-cookie", cookie).expect("a field");
        }
        exchange.accept(&fields).expect("it is accepted");
        Some(pod)
    }

    fn of_cookie(&self, fields: &Fields) -> Option<usize> {
        let value = fields.text("cookie")?.strip_prefix("hotrod=")?;
        let (salt, pod) = value.split_once('-')?;
        let pod: usize = pod.parse().ok().filter(|_| salt.parse() == Ok(self.cookie_salt))?;
        (self.stands == Stands::CookieRouter && self.pods[pod].is_up).then_some(pod)
    }

    /// A pod answers.
    fn serve(&mut self, pod: usize, server: &mut ServerSession, bytes: &[u8]) -> Bytes {
        server.handle_received(bytes);
        while let Some((header, request)) = server.poll_request() {
            let (status, body) = self.execute(pod, &header, &request);
            let is_news = !header.options.cache.is_empty() && header.topology_id != self.topology_id;
            let topology = (is_news && status == Status::SUCCESS).then(|| Box::new(self.topology()));
            server.reply(
                &header,
                request.operation(),
                &Reply { message_id: header.message_id, status, topology, body },
            );
        }
        let said = server.transmit().to_bytes();
        server.transmitted(said.len());
        said
    }

    fn execute(&mut self, pod: usize, header: &RequestHeader, request: &Request) -> (Status, Body) {
        let is_probe = header.options.cache == "libhotrod-probe";
        if is_probe && self.probe_keys.is_none() {
            return (Status::SERVER_ERROR, Body::Error("no such cache".into()));
        }
        let body = match request {
            Request::Ping {} if self.storage.is_none() && !header.options.cache.is_empty() => {
                return (Status::SERVER_ERROR, Body::Error("no such cache".into()));
            }
            Request::Ping {} => {
                let key_type = self.storage.as_ref().map(|(key_type, _)| key_type.clone()).unwrap_or_default();
                let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
                Body::Ping(Box::new(Ping {
                    server_version: Some(Version::V4_1.to_byte()),
                    operations,
                    key_type,
                    ..Ping::default()
                }))
            }
            Request::Exec { task, .. } if task == "@@cache@getorcreate" => {
                if !self.may_make_caches {
                    return (Status::SERVER_ERROR, Body::Error("not allowed".into()));
                }
                self.probe_keys.get_or_insert_default();
                Body::Value(Bytes::new())
            }
            Request::Size {} => Body::Size(self.probe_keys.iter().flatten().count() as u64),
            Request::Clear {} => {
                self.probe_keys.iter_mut().for_each(BTreeSet::clear);
                Body::Nothing
            }
            Request::PutAll { entries, .. } => {
                let keys = entries.iter().map(|(key, _)| key.clone());
                self.probe_keys.get_or_insert_default().extend(keys);
                Body::Nothing
            }
            Request::Stats {} => {
                let own = self.probe_keys.iter().flatten().filter(|key| self.owner_of(key) == pod).count();
                Body::Statistics([("approximateEntriesUnique".to_string(), own.to_string())].to_vec())
            }
            Request::Get { key } => {
                let stored = self.storage.as_ref().map_or_else(|| key.to_vec(), |(_, store)| store(key));
                self.note_hit(pod, &stored);
                Body::Value(key.clone())
            }
            Request::ContainsKeyMultimap { key, .. } => {
                self.note_hit(pod, key);
                Body::Boolean(true)
            }
            other => panic!("{other:?} is not asked for"),
        };
        (Status::SUCCESS, body)
    }

    fn note_hit(&mut self, pod: usize, stored: &[u8]) {
        let is_owner = self.owner_of(stored) == pod;
        let hits = &mut self.pods[pod].hits;
        *if is_owner { &mut hits.0 } else { &mut hits.1 } += 1;
    }

    fn up(&self) -> Vec<usize> {
        (0..self.pods.len()).filter(|place| self.pods[*place].is_up).collect()
    }

    fn topology(&self) -> Topology {
        let up = self.up();
        let mut owners = SegmentOwners::default();
        (0..SEGMENTS).for_each(|segment| owners.push(&[(segment as usize % up.len()) as u16]));
        let members = up.iter().map(|place| self.pods[*place].address.clone()).collect();
        Topology { id: self.topology_id, members, hash: Some(Hash { function: 3, segments: SEGMENTS, owners }) }
    }

    fn owner_of(&self, key: &[u8]) -> usize {
        let up = self.up();
        let segment = (key_hash(key) as u32 & 0x7fff_ffff) / segment_size(SEGMENTS);
        up[segment as usize % up.len()]
    }

    /// A pod is gone, and its connections with it; the others notice.
    pub(super) fn kill(&mut self, place: usize) {
        self.pods[place].is_up = false;
        self.topology_id += 1;
        self.cut(|far| matches!(far, Far::Pod(pod, _) if *pod == place));
    }

    /// A pod comes back under the same address, or a new one joins.
    pub(super) fn start(&mut self, place: usize) {
        match self.pods.get_mut(place) {
            Some(pod) => pod.is_up = true,
            None => self.pods.push(Pod { address: address(place), is_up: true, cuts: false, hits: (0, 0) }),
        }
        self.topology_id += 1;
    }

    /// What stands before the pods is restarted: every connection is lost, and cookies mean nothing any more.
    pub(super) fn restart_router(&mut self) {
        self.cookie_salt += 1;
        self.cut(|_| true);
    }

    /// Every connection is lost.
    pub(super) fn cut_all(&mut self) {
        self.cut(|_| true);
    }

    pub(super) fn lose_probe_cache(&mut self) {
        self.probe_keys = None;
    }

    fn cut(&mut self, which: impl Fn(&Far) -> bool) {
        let cut: Vec<LinkId> = self.links.iter().filter(|(_, far)| which(far)).map(|(link, _)| *link).collect();
        for link in cut {
            self.links.remove(&link);
            self.cluster.handle_link_lost(self.now, link, "cut");
            self.run();
        }
    }

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

    /// Asks for so many keys. Answers how many of them came to their owner, and how many came at all.
    pub(super) fn ask(&mut self, keys: usize) -> (usize, usize) {
        self.ask_by(keys, |key| Request::Get { key })
    }

    /// As [`ask`](Self::ask), by another operation.
    pub(super) fn ask_by(&mut self, keys: usize, request: fn(Bytes) -> Request) -> (usize, usize) {
        self.pods.iter_mut().for_each(|pod| pod.hits = (0, 0));
        let before = self.completed.len();
        for key in 0..keys {
            let request = request(Bytes::from(format!("key {key}")));
            self.cluster.submit(self.now, Call::new(&self.cache, request)).expect("it is taken");
            self.run();
        }
        assert!(self.completed[before..].iter().all(|(_, is_answered)| *is_answered));
        let direct = self.pods.iter().map(|pod| pod.hits.0).sum();
        (direct, self.completed.len() - before)
    }

    /// The numbers of answered operations of the present pods: those of their owner, and others.
    pub(super) fn hits(&self) -> (usize, usize) {
        self.pods.iter().fold((0, 0), |all, pod| (all.0 + pod.hits.0, all.1 + pod.hits.1))
    }

    pub(super) fn open_links(&self) -> usize {
        self.links.len()
    }

    pub(super) fn balancing(&self) -> Vec<&str> {
        let mut all = Vec::new();
        for event in &self.events {
            if let Event::BalancingRecognised { balancing, .. } = event {
                all.push(balancing.as_str());
            }
        }
        all
    }

    pub(super) fn chosen(&self) -> Vec<&str> {
        let mut all = Vec::new();
        for event in &self.events {
            if let Event::AccessChosen { path, .. } = event {
                all.push(path.as_str());
            }
        }
        all
    }
}

impl Far {
    fn pod(pod: usize) -> Self {
        Self::Pod(pod, Box::new(ServerSession::new(Limits::default(), 1 << 20)))
    }
}
