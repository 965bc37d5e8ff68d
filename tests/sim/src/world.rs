//! A client, the servers, what is between them, and the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{
    CacheHandle, Call, Cluster as Client, ClusterError, Config, Event, IterationId, LinkId, MemberInfo, OperationId,
    Output,
};
use hotrod_core::time::Instant;
use hotrod_core::wire::{self, IterationEntry, Reply, Request, RequestOptions};
use hotrod_gateway::embedded::{Cluster as Servers, ClusterOptions, Connection, MemberId, MemberState, Moment};

use crate::network::Pipe;

const START_UNIX_MS: u64 = 1_800_000_000_000;
const FIRST_PORT: u16 = 11222;
/// A balancer: it leads to any member that lives, as a Service does.
const BALANCER: u16 = 443;

/// Everything.
pub struct World {
    /// The machine under test.
    pub client: Client,
    /// The servers.
    pub servers: Servers,
    /// Members by their port.
    pub by_port: BTreeMap<u16, MemberId>,
    /// Members that accept connections and bytes and never answer.
    pub hung: BTreeSet<u16>,
    /// Members that make sessions and answer nothing more.
    mute: BTreeSet<u16>,
    /// The answers, until the test takes them.
    pub answers: BTreeMap<OperationId, Result<Reply, ClusterError>>,
    /// Entries of iterations, until the test takes them.
    pub entries: BTreeMap<IterationId, Result<Vec<IterationEntry>, ClusterError>>,
    /// What the machine has told.
    pub events: Vec<Event>,
    /// The cache that tests use.
    pub cache: CacheHandle,
    pipes: BTreeMap<LinkId, Pipe>,
    random: fastrand::Rng,
    now: Instant,
    next_port: u16,
}

fn address(port: u16) -> wire::Member {
    wire::Member { host: "10.0.0.1".into(), port }
}

impl World {
    /// Servers, and a client that knows the balancer before them.
    pub fn new(members: u16, seed: u64) -> Self {
        let seeds = vec![address(BALANCER)];
        Self::with(members, seed, Config { seeds, ..Config::default() })
    }

    /// With other settings of the client.
    pub fn with(members: u16, seed: u64, config: Config) -> Self {
        let now = Instant::from_micros(1_000_000);
        let moment = Moment { now, unix_ms: START_UNIX_MS };
        let mut client = Client::new(config, [seed as u8; 32], now);
        let mut world = Self {
            cache: client.cache(now, RequestOptions::cache("dist")),
            client,
            servers: Servers::new(ClusterOptions::default(), moment),
            by_port: BTreeMap::new(),
            hung: BTreeSet::new(),
            mute: BTreeSet::new(),
            answers: BTreeMap::new(),
            entries: BTreeMap::new(),
            events: Vec::new(),
            pipes: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
            now,
            next_port: FIRST_PORT,
        };
        let ports: Vec<u16> = (0..members).map(|_| world.take_port()).collect();
        let ids = world.servers.add_members(ports.iter().map(|port| address(*port)));
        world.by_port = ports.into_iter().zip(ids).collect();
        world
    }

    fn take_port(&mut self) -> u16 {
        self.next_port += 1;
        self.next_port - 1
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, unix_ms: START_UNIX_MS + self.now.as_micros() / 1000 }
    }

    /// Submits an operation on the cache of the tests.
    pub fn submit(&mut self, request: Request) -> OperationId {
        let call = Call::new(&self.cache, request);
        self.client.submit(self.now, call).expect("accepted")
    }

    /// Submits an operation and waits for its answer.
    pub fn call(&mut self, request: Request) -> Result<Reply, ClusterError> {
        let id = self.submit(request);
        self.run_until(Duration::from_secs(60), |world| world.answers.contains_key(&id));
        self.answers.remove(&id).expect("an answer")
    }

    /// Submits an operation on another cache, or for one member, and waits for its answer.
    pub fn call_of(&mut self, call: Call) -> Result<Reply, ClusterError> {
        let id = self.client.submit(self.now, call).expect("accepted");
        self.run_until(Duration::from_secs(60), |world| world.answers.contains_key(&id));
        self.answers.remove(&id).expect("an answer")
    }

    /// The next entries of an iteration; none at its end.
    pub fn next_entries(&mut self, id: IterationId) -> Result<Vec<IterationEntry>, ClusterError> {
        assert!(self.client.next_entries(self.now, id), "it can be asked");
        self.run_until(Duration::from_secs(60), |world| world.entries.contains_key(&id));
        self.entries.remove(&id).expect("entries")
    }

    /// The port of the primary owner of a key of the cache of the tests.
    pub fn owner(&self, key: &[u8]) -> u16 {
        let owner = self.servers.owners("dist", key)[0];
        *self.by_port.iter().find(|(_, member)| **member == owner).expect("a member").0
    }

    /// A member as the client knows it.
    pub fn member(&self, port: u16) -> Option<MemberInfo> {
        self.client.members().find(|member| member.address.port == port)
    }

    /// Whether the client has told of such an event.
    pub fn has_told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(what)
    }

    /// Lets time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.step(end) {}
    }

    /// Lets time pass until something is so, or for so long.
    pub fn run_until(&mut self, longest: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + longest;
        while !is_so(self) {
            if !self.step(end) {
                return is_so(self);
            }
        }
        true
    }

    /// Goes to the next moment at which something happens, and lets it happen. Answers false at the end.
    fn step(&mut self, end: Instant) -> bool {
        self.settle();
        let timers = [self.client.poll_timeout(), self.servers.poll_timeout(self.moment())];
        let next = self.pipes.values().filter_map(Pipe::next).chain(timers.into_iter().flatten()).min();
        let Some(next) = next.filter(|next| *next < end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        self.servers.handle_timeout(self.moment());
        self.client.handle_timeout(self.now);
        self.deliver();
        self.settle();
        true
    }

    /// Does what the client asks for.
    fn settle(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { link, endpoint, .. } => {
                    let answered_at = self.now + Duration::from_micros(self.random.u64(100..5_000));
                    self.pipes.insert(link, Pipe::new(endpoint.port, answered_at));
                }
                Output::Transmit { link } => self.transmit(link),
                Output::Close { link } => self.close(link),
                Output::Completed { id, result, .. } => {
                    assert!(self.answers.insert(id, result).is_none(), "{id:?} is answered twice");
                }
                Output::Entries { id, result } => {
                    assert!(self.entries.insert(id, result).is_none(), "{id:?} is answered twice");
                }
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn transmit(&mut self, link: LinkId) {
        let Some(bytes) = self.client.transmit(link).map(wire::SendBuffer::to_bytes) else { return };
        if let Some(pipe) = self.pipes.get_mut(&link) {
            pipe.send(true, &bytes, self.now, &mut self.random);
        }
        self.client.transmitted(link, bytes.len());
    }

    fn close(&mut self, link: LinkId) {
        if let Some(Pipe { server: Some(connection), .. }) = self.pipes.remove(&link) {
            connection.close(&mut self.servers);
        }
    }

    /// Moves what has arrived, at both ends of every connection.
    fn deliver(&mut self) {
        // What one connection brings may be news for another that was served already.
        loop {
            self.deliver_once();
            if self.servers.poll_wakeup().is_none() {
                return;
            }
            while self.servers.poll_wakeup().is_some() {}
        }
    }

    fn deliver_once(&mut self) {
        let links: Vec<LinkId> = self.pipes.keys().copied().collect();
        for link in links {
            self.establish(link);
            self.serve(link);
            while let Some(bytes) = self.pipes.get_mut(&link).and_then(|pipe| pipe.arrived(false, self.now)) {
                self.client.handle_received(self.now, link, &bytes);
            }
            if self.pipes.get(&link).is_some_and(|pipe| pipe.broken_at.is_some_and(|at| at <= self.now)) {
                self.client.handle_link_lost(self.now, link, "connection reset");
                self.close(link);
            }
        }
    }

    fn establish(&mut self, link: LinkId) {
        let Some(pipe) = self.pipes.get_mut(&link) else { return };
        if pipe.answered_at.is_none_or(|at| at > self.now) {
            return;
        }
        pipe.answered_at = None;
        if pipe.port == BALANCER {
            let alive = |member: &MemberId| self.servers.member_state(*member) == Some(MemberState::Running);
            let ports = self.by_port.iter().filter(|(_, member)| alive(member)).map(|(port, _)| *port);
            pipe.port = self.random.choice(ports.collect::<Vec<_>>()).unwrap_or(BALANCER);
        }
        let member = self.by_port.get(&pipe.port);
        if let Some(Ok(connection)) = member.map(|member| Connection::open(&mut self.servers, *member)) {
            pipe.server = Some(connection);
            pipe.stalled = self.hung.contains(&pipe.port);
            pipe.answers_left = self.mute.contains(&pipe.port).then_some(1);
            self.client.handle_connected(self.now, link);
        } else {
            self.pipes.remove(&link);
            self.client.handle_link_lost(self.now, link, "connection refused");
        }
    }

    fn serve(&mut self, link: LinkId) {
        let moment = self.moment();
        let Some(pipe) = self.pipes.get_mut(&link) else { return };
        let Some(mut connection) = pipe.server.take() else {
            // Nobody is there to take it.
            while pipe.arrived(true, self.now).is_some() {}
            return;
        };
        while let Some(bytes) = pipe.arrived(true, self.now) {
            connection.handle_received(&bytes);
        }
        connection.process(&mut self.servers, moment);
        let bytes = connection.transmit().to_bytes();
        connection.transmitted(bytes.len());
        if !bytes.is_empty() && pipe.may_answer() {
            pipe.send(false, &bytes, self.now, &mut self.random);
        }
        if connection.is_finished() {
            pipe.broken_at.get_or_insert(self.now + Duration::from_millis(5));
            connection.close(&mut self.servers);
        } else {
            pipe.server = Some(connection);
        }
    }

    /// A member dies; `silently` is without a word to its connections, as when its machine is gone.
    pub fn crash(&mut self, port: u16, silently: bool) {
        self.servers.crash_member(self.by_port[&port]);
        for pipe in self.pipes.values_mut().filter(|pipe| pipe.port == port) {
            if silently {
                pipe.stalled = true;
            } else {
                pipe.broken_at.get_or_insert(self.now + Duration::from_millis(1));
            }
        }
    }

    /// The others notice which members are dead, and take over what these owned.
    pub fn exclude_crashed(&mut self) {
        let servers = &self.servers;
        self.by_port.retain(|_, member| servers.member_state(*member) != Some(MemberState::Crashed));
        self.servers.exclude_crashed();
    }

    /// A member leaves in good order.
    pub fn leave(&mut self, port: u16) {
        if let Some(member) = self.by_port.remove(&port) {
            self.servers.remove_member(member);
        }
    }

    /// A new member joins.
    pub fn join(&mut self) -> u16 {
        let port = self.take_port();
        let member = self.servers.add_member(address(port));
        self.by_port.insert(port, member);
        port
    }

    /// A member accepts everything and answers nothing, or wakes up again.
    pub fn set_hung(&mut self, port: u16, hung: bool) {
        if hung {
            self.hung.insert(port);
        } else {
            self.hung.remove(&port);
        }
        for pipe in self.pipes.values_mut().filter(|pipe| pipe.port == port) {
            pipe.stalled = hung;
        }
    }

    /// A member makes a session with everybody and then answers nothing more.
    pub fn set_hung_after_handshake(&mut self, port: u16) {
        self.mute.insert(port);
        for pipe in self.pipes.values_mut().filter(|pipe| pipe.port == port) {
            pipe.stalled = true;
        }
    }

    /// The host reads a link no more.
    pub fn stall_link(&mut self, link: LinkId) {
        if let Some(pipe) = self.pipes.get_mut(&link) {
            pipe.stalled = true;
        }
    }

    /// Another client, of which nothing more is seen, writes to the cache of the tests.
    pub fn write_by_another(&mut self, key: &Bytes, value: &Bytes) {
        let member = *self.by_port.values().next().expect("a member");
        let mut connection = Connection::open(&mut self.servers, member).expect("accepted");
        let request = Request::Put { key: key.clone(), expiration: wire::Expiration::DEFAULT, value: value.clone() };
        let intelligence = wire::Intelligence::Basic;
        let envelope = wire::Envelope { message_id: 1, version: wire::Version::V4_0, intelligence, topology_id: 0 };
        let mut out = wire::SendBuffer::new();
        wire::write_request(envelope, self.cache.options(), &request, &mut out);
        connection.handle_received(&out.to_bytes());
        let moment = self.moment();
        connection.process(&mut self.servers, moment);
        assert!(!connection.transmit().is_empty(), "it is answered");
        connection.close(&mut self.servers);
        self.deliver();
    }

    /// A connection breaks; which one is up to chance.
    pub fn cut_one(&mut self) {
        let index = self.random.usize(..self.pipes.len().max(1));
        if let Some(pipe) = self.pipes.values_mut().nth(index) {
            pipe.broken_at.get_or_insert(self.now + Duration::from_micros(10));
        }
    }

    /// What holds at any time.
    pub fn check(&self) -> Result<(), String> {
        let links = self.pipes.len();
        // One for each member that is or was, and the seed.
        let most = usize::from(self.next_port - FIRST_PORT) + 1;
        if links > most {
            return Err(format!("{links} links to {most} members"));
        }
        Ok(())
    }

    /// Operations of a key that the servers had to forward, and those that came to an owner.
    pub fn counted(&self) -> hotrod_core::cluster::Counters {
        self.client.counters()
    }
}
