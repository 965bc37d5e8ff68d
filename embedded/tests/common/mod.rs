//! A cluster and its clients in one process, without sockets and threads, on virtual time.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::needless_pass_by_value)] // each test uses a part of it

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::session::{
    self, Authentication, Call, Config, Disconnect, OperationError, OperationId, Session, VersionChoice,
};
use hotrod_core::wire::{
    self, Body, CounterEvent, Expiration, Flags, Intelligence, Reply, Request, RequestOptions, Status, Version,
};
use hotrod_embedded::{Cluster, ClusterOptions, Connection, MemberId, Moment};

/// A cluster, its clients and the time.
pub struct World {
    pub cluster: Cluster,
    pub moment: Moment,
    clients: BTreeMap<usize, Client>,
}

/// A client of one member.
pub struct Client {
    session: Session,
    connection: Option<Connection>,
    completed: BTreeMap<OperationId, Result<Reply, OperationError>>,
    pub events: Vec<wire::Event>,
    pub counter_events: Vec<CounterEvent>,
    pub closed: Option<String>,
    pub topology_id: u32,
    /// Whether bytes reach the client.
    pub reads: bool,
}

pub const START_MS: u64 = 1_800_000_000_000;

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub fn address(number: u16) -> wire::Member {
    wire::Member { host: "10.0.0.1".into(), port: number }
}

impl World {
    pub fn new(members: u16) -> Self {
        Self::with(members, ClusterOptions::default())
    }

    pub fn with(members: u16, options: ClusterOptions) -> Self {
        let moment = Moment { unix_ms: START_MS, ..Moment::default() };
        let mut cluster = Cluster::new(options, moment);
        cluster.add_members((0..members).map(|number| address(11222 + number)));
        Self { cluster, moment, clients: BTreeMap::new() }
    }

    /// Connects a client to a member at the newest version and waits until it is ready.
    pub fn connect(&mut self, member: u32) -> usize {
        self.connect_at(member, Version::LATEST, Intelligence::HashDistributionAware)
    }

    pub fn connect_at(&mut self, member: u32, version: Version, intelligence: Intelligence) -> usize {
        let authentication: Option<Authentication> = None;
        let version = VersionChoice::Exactly(version);
        let mut config = Config::default();
        config.version = version;
        config.intelligence = intelligence;
        config.authentication = authentication;
        let client = Client {
            session: Session::new(config, [7; 32], self.moment.now),
            connection: Some(Connection::open(&mut self.cluster, MemberId(member)).expect("open")),
            completed: BTreeMap::new(),
            events: Vec::new(),
            counter_events: Vec::new(),
            closed: None,
            topology_id: 0,
            reads: true,
        };
        let id = self.clients.len();
        self.clients.insert(id, client);
        self.pump();
        assert!(self.clients[&id].session.is_ready());
        id
    }

    pub fn client(&mut self, id: usize) -> &mut Client {
        self.clients.get_mut(&id).expect("client")
    }

    pub fn disconnect(&mut self, id: usize) {
        if let Some(connection) = self.client(id).connection.take() {
            connection.close(&mut self.cluster);
        }
    }

    /// Moves bytes between clients and members until none are left.
    pub fn pump(&mut self) {
        let moment = self.moment;
        loop {
            let mut moved = false;
            for client in self.clients.values_mut() {
                moved |= client.pump(&mut self.cluster, moment);
            }
            if !moved {
                break;
            }
        }
        while self.cluster.poll_wakeup().is_some() {}
    }

    pub fn pass(&mut self, milliseconds: u64) {
        self.moment.now = self.moment.now + Duration::from_millis(milliseconds);
        self.moment.unix_ms += milliseconds;
        self.cluster.handle_timeout(self.moment);
        self.pump();
    }

    pub fn submit(&mut self, client: usize, options: &RequestOptions, request: &Request) -> OperationId {
        let now = self.moment.now;
        let client = self.client(client);
        let topology_id = client.topology_id;
        let timeout = Some(Duration::from_secs(1 << 30));
        client.session.submit(now, Call { topology_id, timeout, ..Call::new(request, options) }).expect("submit")
    }

    /// Sends a request past the checks of a client, on a connection of its own.
    pub fn send_raw(&mut self, member: u32, version: Version, options: &RequestOptions, request: &Request) {
        let mut connection = Connection::open(&mut self.cluster, MemberId(member)).expect("open");
        let envelope = wire::Envelope { message_id: 1, version, intelligence: Intelligence::Basic, topology_id: 0 };
        let mut out = wire::SendBuffer::new();
        wire::write_request(envelope, options, request, &mut out);
        connection.handle_received(&out.to_bytes());
        connection.process(&mut self.cluster, self.moment);
        assert!(!connection.transmit().is_empty(), "it is answered");
        connection.close(&mut self.cluster);
        self.pump();
    }

    pub fn result(&mut self, client: usize, id: OperationId) -> Option<Result<Reply, OperationError>> {
        self.pump();
        self.client(client).completed.remove(&id)
    }

    /// Executes a request; returns the reply, or the error's status and message.
    pub fn ask(
        &mut self,
        client: usize,
        options: &RequestOptions,
        request: &Request,
    ) -> Result<Reply, (Status, String)> {
        let id = self.submit(client, options, request);
        match self.result(client, id).expect("an answer") {
            Ok(reply) => Ok(reply),
            Err(OperationError::Server { status, message, .. }) => Err((status, message)),
            Err(other) => panic!("{other}"),
        }
    }

    /// Executes a request that succeeds; returns the reply's status and body.
    pub fn call(&mut self, client: usize, cache: &str, request: Request) -> (Status, Body) {
        self.flagged(client, cache, Flags::NONE, request)
    }

    pub fn flagged(&mut self, client: usize, cache: &str, flags: Flags, request: Request) -> (Status, Body) {
        let mut options = RequestOptions::cache(cache);
        options.flags = flags;
        let reply = self.ask(client, &options, &request).unwrap_or_else(|error| panic!("{request:?}: {error:?}"));
        (reply.status, reply.body)
    }

    pub fn error(&mut self, client: usize, cache: &str, request: Request) -> (Status, String) {
        self.ask(client, &RequestOptions::cache(cache), &request).expect_err("an error")
    }

    pub fn put(&mut self, client: usize, cache: &str, key: &str, value: &str) {
        self.put_for(client, cache, key, value, Expiration::DEFAULT);
    }

    pub fn put_for(&mut self, client: usize, cache: &str, key: &str, value: &str, expiration: Expiration) {
        let request = Request::Put { key: bytes(key), expiration, value: bytes(value) };
        assert_eq!(self.call(client, cache, request), (Status::SUCCESS, Body::Nothing));
    }

    pub fn get(&mut self, client: usize, cache: &str, key: &str) -> Option<String> {
        match self.call(client, cache, Request::Get { key: bytes(key) }) {
            (Status::SUCCESS, Body::Value(value)) => Some(String::from_utf8(value.to_vec()).unwrap()),
            (Status::KEY_DOES_NOT_EXIST, Body::Nothing) => None,
            other => panic!("{other:?}"),
        }
    }

    pub fn version(&mut self, client: usize, cache: &str, key: &str) -> u64 {
        match self.call(client, cache, Request::GetWithVersion { key: bytes(key) }) {
            (Status::SUCCESS, Body::VersionedValue { version, .. }) => version,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the entry events since the last call, as text.
    pub fn events(&mut self, client: usize) -> Vec<String> {
        self.pump();
        let events = std::mem::take(&mut self.client(client).events);
        events.iter().map(describe).collect()
    }
}

fn describe(event: &wire::Event) -> String {
    let wire::EventData::Key { key, .. } = &event.data else { panic!("{event:?}") };
    format!("{:?} {}", event.change, String::from_utf8_lossy(key))
}

impl Client {
    fn pump(&mut self, cluster: &mut Cluster, moment: Moment) -> bool {
        let mut moved = false;
        if let Some(connection) = &mut self.connection {
            if connection.wants_read() {
                let out = self.session.transmit().to_bytes();
                connection.handle_received(&out);
                self.session.transmitted(out.len());
                moved |= !out.is_empty();
            }
            connection.process(cluster, moment);
            if self.reads {
                let back = connection.transmit().to_bytes();
                connection.transmitted(back.len());
                self.session.handle_received(moment.now, &back);
                moved |= !back.is_empty();
            }
            if connection.is_finished() {
                self.session.handle_link_lost(connection.end().map(ToString::to_string).unwrap_or_default());
                if let Some(connection) = self.connection.take() {
                    connection.close(cluster);
                }
            }
        }
        while let Some(event) = self.session.poll_event() {
            self.handle(event);
        }
        moved
    }

    fn handle(&mut self, event: session::Event) {
        match event {
            session::Event::Ready(_) | session::Event::Topology { .. } => {}
            session::Event::Completed { id, result, .. } => {
                self.completed.insert(id, result);
            }
            session::Event::Entry(event) => self.events.push(event),
            session::Event::Counter(event) => self.counter_events.push(event),
            session::Event::Closed(reason) => {
                let Disconnect::LinkLost(text) = &*reason else { panic!("{reason}") };
                self.closed = Some(text.clone());
            }
            other => panic!("unexpected: {other:?}"),
        }
    }
}
