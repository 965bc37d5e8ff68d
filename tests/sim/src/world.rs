//! Clients, servers, what is between them, and the time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use hotrod_core::cluster::{ClusterError, Config, LinkId, OperationId, Output};
use hotrod_core::happy_eyeballs::ConnectionAttempts;
use hotrod_core::time::Instant;
use hotrod_core::wire::{self, Reply, Request};
use hotrod_embedded::{Cluster as Servers, ClusterOptions, ConnectionId, Link, MemberId, MemberState, Moment};

use crate::host::Host;
use crate::network::{Pipe, To};
use crate::poison;
use crate::remade::Remade;
use crate::tally::{Kind, Tally};
use crate::trace::Trace;
use crate::world_faults::Change;

const START_UNIX_MS: u64 = 1_800_000_000_000;
const FIRST_PORT: u16 = 11222;
/// A balancer: it leads to any member that lives, as a Service does.
pub const BALANCER: u16 = 443;

/// A connection, dialled by some client.
pub type PipeId = u64;

/// Everything. It can be used as its first client, as situations with a name have only that one.
pub struct World {
    /// The clients.
    pub hosts: Vec<Host>,
    /// The servers.
    pub servers: Servers,
    /// Members by their port.
    pub by_port: BTreeMap<u16, MemberId>,
    /// Members that accept connections and bytes and never answer.
    pub hung: BTreeSet<u16>,
    /// Members that take longer.
    pub slow: BTreeMap<u16, Duration>,
    /// Members that make sessions and answer nothing more.
    pub mute: BTreeSet<u16>,
    /// Members that a client can't reach.
    pub unreachable: BTreeSet<(usize, u16)>,
    /// Whether what a client has sent can arrive after the client has given the link up, as with TCP. If not, it is
    /// lost at that moment.
    pub late_arrivals: bool,
    /// Now and then a host says what it need not say.
    pub clumsy_hosts: bool,
    /// A change of the members that waits for a reply to split.
    pub armed: Option<Change>,
    /// The cache that is removed and made anew.
    pub(crate) remade: Remade,
    /// What has happened.
    pub tally: Tally,
    /// The run as a number.
    pub trace: Trace,
    pub(crate) pipes: BTreeMap<PipeId, Pipe>,
    pub(crate) by_connection: BTreeMap<ConnectionId, PipeId>,
    pub(crate) changes: Vec<(Instant, Change)>,
    pub(crate) random: fastrand::Rng,
    pub(crate) now: Instant,
    next_port: u16,
    next_pipe: PipeId,
}

pub(crate) fn address(port: u16) -> wire::Member {
    wire::Member { host: "10.0.0.1".into(), port }
}

impl Deref for World {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.hosts[0]
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Host {
        &mut self.hosts[0]
    }
}

impl World {
    /// Servers, and a client that knows the balancer before them.
    pub fn new(members: u16, seed: u64) -> Self {
        Self::with(members, seed, Config::new(vec![address(BALANCER)]))
    }

    /// With other settings of the client.
    pub fn with(members: u16, seed: u64, config: Config) -> Self {
        Self::of(members, seed, vec![config])
    }

    /// With several clients, which know the balancer.
    pub fn shared_by(clients: usize, members: u16, seed: u64) -> Self {
        Self::of(members, seed, vec![Config::new(vec![address(BALANCER)]); clients])
    }

    /// With a client of each of these settings.
    pub fn of(members: u16, seed: u64, configs: Vec<Config>) -> Self {
        let now = Instant::from_micros(1_000_000);
        let moment = Moment { now, unix_ms: START_UNIX_MS };
        let host = |(index, config)| {
            let mut its_seed = [index as u8; 32];
            its_seed[..8].copy_from_slice(&seed.to_le_bytes());
            Host::new(config, its_seed, now)
        };
        let mut world = Self {
            hosts: configs.into_iter().enumerate().map(host).collect(),
            servers: Servers::new(ClusterOptions::default(), moment),
            by_port: BTreeMap::new(),
            hung: BTreeSet::new(),
            slow: BTreeMap::new(),
            mute: BTreeSet::new(),
            unreachable: BTreeSet::new(),
            late_arrivals: false,
            clumsy_hosts: false,
            armed: None,
            remade: Remade::default(),
            tally: Tally::default(),
            trace: Trace::default(),
            pipes: BTreeMap::new(),
            by_connection: BTreeMap::new(),
            changes: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
            now,
            next_port: FIRST_PORT,
            next_pipe: 0,
        };
        let ports: Vec<u16> = (0..members).map(|_| world.take_port()).collect();
        let ids = world.servers.add_members(ports.iter().map(|port| address(*port)));
        world.by_port = ports.into_iter().zip(ids).collect();
        world
    }

    pub(crate) fn take_port(&mut self) -> u16 {
        self.next_port += 1;
        self.next_port - 1
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now, unix_ms: START_UNIX_MS + self.now.as_micros() / 1000 }
    }

    /// Submits an operation of the first client on the cache of the tests.
    pub fn submit(&mut self, request: Request) -> OperationId {
        self.submit_from(0, request)
    }

    /// Submits an operation of a client.
    pub fn submit_from(&mut self, host: usize, request: Request) -> OperationId {
        let cache = self.hosts[host].cache.clone();
        self.hosts[host].submit_to(self.now, &cache, request).expect("accepted")
    }

    /// Submits an operation of the first client and waits for its answer.
    pub fn call(&mut self, request: Request) -> Result<Reply, ClusterError> {
        self.call_from(0, request)
    }

    /// Submits an operation of a client and waits for its answer.
    pub fn call_from(&mut self, host: usize, request: Request) -> Result<Reply, ClusterError> {
        let id = self.submit_from(host, request);
        self.run_until(Duration::from_secs(60), |world| world.hosts[host].answers.contains_key(&id));
        self.hosts[host].answers.remove(&id).expect("an answer")
    }

    /// Connections that a client or a server still has.
    pub fn open_connections(&self) -> usize {
        self.pipes.len()
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
        self.settle_all();
        let Some(next) = self.next().filter(|next| *next < end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        self.servers.handle_timeout(self.moment());
        for host in &mut self.hosts {
            host.client.handle_timeout(self.now);
        }
        self.make_changes();
        self.deliver();
        // At once: whoever waits for an answer goes on at the moment at which it has come.
        self.settle_all();
        true
    }

    fn settle_all(&mut self) {
        (0..self.hosts.len()).for_each(|host| self.settle(host));
    }

    fn next(&self) -> Option<Instant> {
        let pipes = self.pipes.values().filter_map(Pipe::next);
        let clients = self.hosts.iter().filter_map(|host| host.client.poll_timeout());
        let changes = self.changes.iter().map(|(at, _)| *at);
        pipes.chain(clients).chain(changes).chain(self.servers.poll_timeout(self.moment())).min()
    }

    /// Does what a client asks for.
    fn settle(&mut self, host: usize) {
        while let Some(output) = self.hosts[host].client.poll_output() {
            self.trace.note(self.now, format_args!("{host} {output:?}"));
            match output {
                Output::Connect { link, dial, .. } => self.dial(host, link, dial.port),
                Output::Transmit { link } => self.transmit(host, link),
                Output::Close { link } => self.close(host, link),
                Output::Completed { id, result, .. } => self.hosts[host].take_answer(id, result),
                Output::Entries { id, result } => {
                    assert!(self.hosts[host].entries.insert(id, result).is_none(), "{id:?} is answered twice");
                }
                Output::Event(event) => self.hosts[host].take_event(self.now, event),
                Output::StartTls { .. } | Output::Pause { .. } | Output::Resume { .. } => {
                    unreachable!("no proxy is used, and every event is taken at once")
                }
                other => unreachable!("the simulation does not execute {other:?}"),
            }
        }
    }

    fn dial(&mut self, host: usize, link: LinkId, port: u16) {
        let begun = self.begin_connection();
        let pipe = Pipe::new(host, link, port, begun, &mut self.random);
        self.pipes.insert(self.next_pipe, pipe);
        self.hosts[host].links.insert(link, self.next_pipe);
        self.next_pipe += 1;
        self.refresh_pipes();
    }

    /// When the connection is begun that will be established: the name has two addresses, and the first may be silent.
    fn begin_connection(&mut self) -> Instant {
        let mut attempts = ConnectionAttempts::new(&[true, false]);
        attempts.poll_attempt(self.now).expect("the first is begun at once");
        if !self.clumsy_hosts || self.random.u8(..8) > 0 {
            return self.now;
        }
        self.tally.add(Kind::SilentAddress);
        let second = attempts.poll_timeout().expect("there is another address");
        attempts.poll_attempt(second).expect("it is begun while the first attempt goes on");
        second
    }

    /// Writes as much as the connection takes; the rest goes when there is room again.
    fn transmit(&mut self, host: usize, link: LinkId) {
        let (links, client) = (&self.hosts[host].links, &self.hosts[host].client);
        let Some(pipe) = links.get(&link).and_then(|id| self.pipes.get_mut(id)) else { return };
        let Some(buffer) = client.transmit(link).filter(|buffer| !buffer.is_empty()) else { return };
        let bytes = buffer.to_bytes();
        let count = bytes.len().min(pipe.room(To::Server));
        pipe.send(To::Server, &bytes[..count], self.now, &mut self.random);
        self.trace.bytes(&bytes[..count]);
        self.hosts[host].client.transmitted(link, count);
    }

    /// Moves what has arrived, at both ends of every connection where something has.
    pub(crate) fn deliver(&mut self) {
        let is_due = |pipe: &Pipe| pipe.next().is_some_and(|at| at <= self.now);
        let due: Vec<PipeId> = self.pipes.iter().filter(|(_, pipe)| is_due(pipe)).map(|(id, _)| *id).collect();
        for id in due {
            self.establish(id);
            self.report(id);
            self.serve(id);
            self.receive(id);
            self.finish(id);
        }
        while let Some(connection) = self.servers.poll_wakeup() {
            if let Some(id) = self.by_connection.get(&connection).copied() {
                self.serve(id);
            }
        }
    }

    fn establish(&mut self, id: PipeId) {
        let moment = self.moment();
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        if pipe.unreachable || pipe.answered_at.is_none_or(|at| at > self.now) {
            return;
        }
        pipe.answered_at = None;
        let Some(link) = pipe.link else { return };
        let host = pipe.host;
        // Behind the balancer a member has the balancer's address, as behind a virtual IP address.
        let dialled = SocketAddr::from(([10, 0, 0, 1], pipe.port));
        if pipe.port == BALANCER {
            let alive = |member: &MemberId| self.servers.member_state(*member) == Some(MemberState::Running);
            let ports = self.by_port.iter().filter(|(_, member)| alive(member)).map(|(port, _)| *port);
            pipe.port = self.random.choice(ports.collect::<Vec<_>>()).unwrap_or(BALANCER);
        }
        let member = self.by_port.get(&pipe.port);
        if let Some(Ok(mut connection)) = member.map(|member| Link::open(&mut self.servers, *member)) {
            connection.set_local_address(dialled);
            let speaks_first = self.hosts[host].speaks_http2_alone() && self.random.bool();
            if speaks_first {
                connection.begin_http2(&self.servers, moment);
            }
            self.by_connection.insert(connection.id(), id);
            pipe.server = Some(connection);
            pipe.answers_left = self.mute.contains(&pipe.port).then_some(1);
            let is_late = speaks_first && self.random.bool();
            pipe.reported_at =
                Some(self.now + Duration::from_micros(if is_late { self.random.u64(..20_000) } else { 0 }));
            self.refresh_pipes();
            self.serve(id);
        } else {
            self.forget(id);
            self.tell_lost(host, link, "connection refused");
        }
    }

    /// The host reports that a connection is established.
    fn report(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        if pipe.unreachable || pipe.reported_at.take_if(|at| *at <= self.now).is_none() {
            return;
        }
        let (host, Some(link)) = (pipe.host, pipe.link) else { return };
        self.hosts[host].client.handle_connected(self.now, link, None);
        if self.is_clumsy() {
            self.tally.add(Kind::ConnectedTwice);
            self.hosts[host].client.handle_connected(self.now, link, None);
        }
    }

    /// The server's end: takes what has arrived, and sends what there is to say.
    pub(crate) fn serve(&mut self, id: PipeId) {
        let moment = self.moment();
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        let Some(mut connection) = pipe.server.take() else {
            // Nobody is there to take it.
            while pipe.arrived(To::Server, self.now).is_some() {}
            return;
        };
        let (mut has_read, mut is_poisoned) = (false, false);
        while let Some(bytes) = pipe.arrived(To::Server, self.now) {
            is_poisoned |= poison::is_in(&bytes);
            if is_poisoned {
                break;
            }
            connection.handle_received(&bytes);
            has_read = true;
        }
        if is_poisoned {
            pipe.lose(To::Server);
            pipe.broken_at.get_or_insert(self.now + Duration::from_millis(1));
            return self.hang_up(connection);
        }
        if has_read && pipe.link.is_none() {
            self.tally.add(Kind::LateArrival);
        }
        connection.process(&mut self.servers, moment);
        let count = connection.transmit().len().min(pipe.room(To::Client));
        let bytes = connection.transmit().to_bytes().slice(..count);
        connection.transmitted(count);
        self.trace.bytes(&bytes);
        if count > 0 && !pipe.may_answer() {
            // It has said all that it says.
        } else if count > 1
            && let Some(change) = self.armed.take()
        {
            self.changes.push((pipe.send_in_halves(To::Client, &bytes, self.now), change));
        } else {
            pipe.send(To::Client, &bytes, self.now, &mut self.random);
        }
        let (host, link) = (pipe.host, pipe.link);
        if connection.is_finished() {
            pipe.broken_at.get_or_insert(self.now + Duration::from_millis(5));
            self.hang_up(connection);
        } else {
            pipe.server = Some(connection);
        }
        if let Some(link) = link.filter(|_| has_read) {
            self.transmit(host, link);
        }
    }

    /// The client's end.
    fn receive(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        let (host, link) = (pipe.host, pipe.link);
        let mut has_read = false;
        while let Some(bytes) = pipe.arrived(To::Client, self.now) {
            if let Some(link) = link {
                if pipe.reported_at.is_some() {
                    self.tally.add(Kind::EarlyBytes);
                }
                self.hosts[host].client.handle_received(self.now, link, &bytes);
            }
            has_read = true;
        }
        if has_read && pipe.server.is_some() {
            self.serve(id);
        }
    }

    /// Ends a connection whose time has come.
    fn finish(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get(&id).filter(|pipe| pipe.is_over(self.now)) else { return };
        let (host, link) = (pipe.host, pipe.link);
        self.forget(id);
        if let Some(link) = link {
            self.tell_lost(host, link, "connection reset");
        }
    }
}
