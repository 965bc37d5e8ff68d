//! The cluster machine: finding an owner, and what it adds to a session.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{CacheHandle, Call, Cluster, Config, LinkId, MemberId, Output, View};
use hotrod_core::session::ServerSession;
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Body, Hash, Limits, MediaType, Member, Operation, Ping, Reply, Request, RequestOptions, SegmentOwners, Status,
    Topology, Version,
};

use super::Case;
use super::session::put_reply_start;
use crate::meter::{Measured, part};

const NOW: Instant = Instant::from_micros(1_000_000);
/// Longer than a member that has failed once is left alone.
const PAUSE: Duration = Duration::from_secs(10);
const KEY: Bytes = Bytes::from_static(b"sixteen-byte-key");
const VALUE: Bytes = Bytes::from_static(&[7; 64]);

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("routing.3", || route(3)),
        Case::new("routing.100", || route(100)),
        Case::new("routing.1000", || route(1000)),
        Case::new("cluster.get64", || get(World::large(1, 1), MediaType::Unspecified)),
        Case::new("cluster.get64.text", || get(World::large(1, 1), MediaType::TEXT)),
        Case::new("cluster.get64.text_in_protostream", || {
            get(World::storing(topology(1, 1, 1024), 1, MediaType::PROTOSTREAM), MediaType::TEXT)
        }),
        Case {
            simulated: Some(200),
            ..Case::new("cluster.get64.3", || get(World::large(3, 1), MediaType::Unspecified))
        },
        Case {
            simulated: Some(200),
            ..Case::new("cluster.get64.1000", || get(World::large(1000, 1000), MediaType::Unspecified))
        },
        Case { simulated: Some(200), ..Case::new("cluster.idle_tick.3", || idle_tick(3, 1)) },
        Case { simulated: Some(200), ..Case::new("cluster.idle_tick.1000", || idle_tick(1000, 1000)) },
        member_lost_case("cluster.member_lost.3", || lose_member(3, 1)),
        member_lost_case("cluster.member_lost.1000", || lose_member(1000, 1000)),
        Case { simulated: Some(20), ..Case::new("cluster.view_change_1000", change_views) },
    ]
}

/// The primary owner of a key.
fn route(members: u16) -> Box<dyn FnMut()> {
    let world = World::new(topology(1, members, 1024));
    let view = world.view();
    Box::new(move || {
        black_box(view.owners_of(black_box(&KEY)).next());
    })
}

/// A GET, as `session.get64`, through the cluster machine, which has a session with each member.
fn get(world: World, declared: MediaType) -> Box<dyn FnMut()> {
    let key = world.key_of_first();
    let World { mut client, link, .. } = world;
    let mut options = RequestOptions::cache("people");
    options.key_type = declared;
    let cache = client.cache(NOW, options);
    Box::new(move || {
        client.submit(NOW, Call::new(black_box(&cache), Request::Get { key: key.clone() })).expect("accepted");
        let Some(Output::Transmit { .. }) = client.poll_output() else { panic!("something is to be sent") };
        let out = client.transmit(link).expect("open");
        let (id, count) = (variable(&out.first()[1..]), out.len());
        client.transmitted(link, count);
        let buffer = client.receive_buffer(link).expect("open");
        put_reply_start(id, VALUE.len(), buffer);
        buffer.extend_from_slice(&VALUE);
        client.handle_filled(NOW, link);
        match client.poll_output() {
            Some(Output::Completed { result: Ok(reply), .. }) => drop(black_box(reply)),
            other => panic!("{other:?}"),
        }
        assert!(client.poll_output().is_none(), "nothing else happened");
    })
}

/// A tick: the time advances while nothing is due.
fn idle_tick(members: u16, caches: usize) -> Box<dyn FnMut()> {
    let World { mut client, .. } = World::large(members, caches);
    Box::new(move || {
        client.handle_timeout(NOW);
        black_box(client.poll_timeout());
        assert!(client.poll_output().is_none(), "nothing is due");
    })
}

fn member_lost_case(name: &'static str, prepare: fn() -> Box<dyn FnMut()>) -> Case {
    Case { simulated: Some(20), measured: Measured::Part, ..Case::new(name, prepare) }
}

/// The loss of one member's link, which is opened again after that.
fn lose_member(members: u16, caches: usize) -> Box<dyn FnMut()> {
    let mut world = World::large(members, caches);
    let (member, mut link) = world.newest.expect("more than one member");
    Box::new(move || {
        part(|| {
            world.client.handle_link_lost(world.now, link, "lost");
            world.take();
        });
        world.now = world.now + PAUSE;
        link = world.open_session(member);
    })
}

/// The number with which bytes begin, seven bits in each.
fn variable(bytes: &[u8]) -> u64 {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

/// A GET whose answer brings another view of 1,000 members and 1,024 segments.
fn change_views() -> Box<dyn FnMut()> {
    let mut world = World::new(topology(1, 1000, 1024));
    let mut views = [topology(2, 1000, 1024), topology(3, 1000, 1024)];
    Box::new(move || {
        views.swap(0, 1);
        world.get(Some(views[0].clone()));
    })
}

pub fn topology(id: u32, members: u16, segments: u16) -> Topology {
    let member = |n: u16| Member { host: format!("10.128.{}.{}", n / 256, n % 256), port: 11222 };
    let mut owners = SegmentOwners::default();
    for segment in 0..segments {
        owners.push(&[segment % members, (segment + 1) % members]);
    }
    let hash = Some(Hash { function: 3, segments: segments.into(), owners });
    Topology { id, members: (0..members).map(member).collect(), hash }
}

fn server() -> ServerSession {
    ServerSession::new(Limits::default(), 64 << 20)
}

/// A client with one link, to the first member, which answers for all.
pub struct World {
    pub client: Cluster,
    cache: CacheHandle,
    server: ServerSession,
    link: LinkId,
    /// Media type in which its caches store keys.
    stored: MediaType,
    /// The member of the session that was opened last, and its link.
    newest: Option<(MemberId, LinkId)>,
    now: Instant,
}

impl World {
    pub fn new(topology: Topology) -> Self {
        Self::storing(topology, 1, MediaType::Unspecified)
    }

    /// A client that has a session with each of so many members, and knows so many caches.
    fn large(members: u16, caches: usize) -> Self {
        let mut world = Self::storing(topology(1, members, 1024), caches, MediaType::Unspecified);
        let others: Vec<_> =
            world.client.members().filter(|member| member.links == 0).map(|member| member.id).collect();
        for member in others {
            let link = world.open_session(member);
            world.newest = Some((member, link));
        }
        assert_eq!(world.client.members().filter(|member| member.ready).count(), usize::from(members));
        world
    }

    /// Only the first cache has that view: the others are local ones.
    fn storing(topology: Topology, caches: usize, stored: MediaType) -> Self {
        let mut config = Config::new(topology.members[..1].to_vec());
        config.connect_ahead = false;
        let mut client = Cluster::new(config, [7; 32], NOW);
        let cache = client.cache(NOW, RequestOptions::cache("people"));
        (1..caches).for_each(|number| drop(client.cache(NOW, RequestOptions::cache(format!("cache {number}")))));
        let Some(Output::Connect { link, .. }) = client.poll_output() else { panic!("a link is wanted") };
        client.handle_connected(NOW, link, None);
        let mut world = Self { client, cache, server: server(), link, stored, newest: None, now: NOW };
        // The handshake, and then the question about the cache, whose answer brings the view.
        world.answer(None);
        world.answer(Some(topology));
        while world.client.in_flight() > 0 {
            world.answer(None);
        }
        assert!(world.client.view(&world.cache).is_some(), "the view has come");
        world
    }

    /// A key whose primary owner is the first member.
    fn key_of_first(&self) -> Bytes {
        let (view, first) = (self.view(), self.client.members().find(|member| member.is_seed).expect("the seed").id);
        let mut keys = (0..1_000_000).map(|number| format!("key-{number:012}"));
        let key = keys.find(|key| view.owners_of(key.as_bytes()).next() == Some(first)).expect("a key");
        assert_eq!(key.len(), KEY.len());
        Bytes::from_static(key.leak().as_bytes())
    }

    /// The present view.
    pub fn view(&self) -> Arc<View> {
        self.client.view(&self.cache).expect("a view").clone()
    }

    /// Asks for another cache, whose answer brings that view.
    pub fn add_cache(&mut self, name: &str, topology: &Topology) {
        let cache = self.client.cache(self.now, RequestOptions::cache(name));
        self.answer(Some(topology.clone()));
        assert!(self.client.view(&cache).is_some(), "the view has come");
    }

    /// Has an operation sent to that member, which needs a session of its own, and makes one.
    pub fn open_session(&mut self, member: MemberId) -> LinkId {
        let call = Call { member: Some(member), ..Call::new(&self.cache, Request::Ping {}) };
        self.client.submit(self.now, call).expect("accepted");
        let Some(Output::Connect { link, .. }) = self.client.poll_output() else { panic!("a link is wanted") };
        self.client.handle_connected(self.now, link, None);
        let (server, own) = (std::mem::replace(&mut self.server, server()), self.link);
        self.link = link;
        // The handshake, and the operation.
        self.answer(None);
        self.answer(None);
        let link = std::mem::replace(&mut self.link, own);
        self.server = server;
        link
    }

    pub fn get(&mut self, topology: Option<Topology>) {
        let call = Call::new(&self.cache, Request::Get { key: KEY });
        // Whoever owns the key, the one link carries it.
        let member = topology.is_some().then(|| self.client.members().find(|member| member.ready).expect("ready").id);
        self.client.submit(self.now, Call { member, ..call }).expect("accepted");
        self.answer(topology);
    }

    /// Answers everything that the client has sent, and takes what comes of it.
    fn answer(&mut self, mut topology: Option<Topology>) {
        self.take();
        if let Some(out) = self.client.transmit(self.link) {
            out.segments().for_each(|segment| self.server.handle_received(segment));
            let count = out.len();
            self.client.transmitted(self.link, count);
        }
        while let Some((header, request)) = self.server.poll_request() {
            let body = match request {
                Request::Ping {} => {
                    let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
                    Body::Ping(Box::new(Ping {
                        server_version: Some(Version::LATEST.to_byte()),
                        operations,
                        key_type: self.stored.clone(),
                        ..Ping::default()
                    }))
                }
                _ => Body::Value(VALUE),
            };
            let (message_id, topology) = (header.message_id, topology.take().map(Box::new));
            self.server.reply(
                &header,
                request.operation(),
                &Reply { message_id, status: Status::SUCCESS, topology, body },
            );
        }
        let count = self.server.transmit().len();
        if let Some(buffer) = self.client.receive_buffer(self.link) {
            self.server.transmit().segments().for_each(|segment| buffer.extend_from_slice(segment));
        }
        self.server.transmitted(count);
        self.client.handle_filled(self.now, self.link);
        self.take();
    }

    fn take(&mut self) {
        while let Some(output) = self.client.poll_output() {
            drop(black_box(output));
        }
    }
}
