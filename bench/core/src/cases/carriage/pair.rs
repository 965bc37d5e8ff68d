//! A client and the endpoint before its members, joined in memory by one link.

use std::hint::black_box;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hotrod_core::cluster::{CacheHandle, Call, Cluster, Config, LinkId, MemberId, Output};
use hotrod_core::time::Instant;
use hotrod_core::uri::ConnectionUri;
use hotrod_core::wire::{Body, Member, Reply, Request, RequestOptions};

use super::Carried;
use super::endpoint::{Endpoint, VALUE};
use crate::cases::cluster::topology;
use crate::meter::part_if;

const START: Instant = Instant::from_micros(1_000_000);
/// Longer than a member that has failed once is left alone.
const PAUSE: Duration = Duration::from_secs(10);
const KEY: Bytes = Bytes::from_static(b"sixteen-byte-key");

/// A client with one link, and the other end of it.
pub struct Pair {
    client: Cluster,
    cache: CacheHandle,
    link: LinkId,
    endpoint: Endpoint,
    now: Instant,
    /// Bytes of the client that the endpoint has not received.
    sent: BytesMut,
    /// Bytes of the endpoint that the client has not received.
    answered: BytesMut,
    /// Octets that have gone each way.
    pub octets: Octets,
    /// Whether the work of the client is measured.
    is_measured: bool,
}

/// Octets on a link.
#[derive(Default, Clone, Copy)]
pub struct Octets {
    pub sent: usize,
    pub received: usize,
}

impl Pair {
    /// Connected to the first of `members` members, and with the view of the cache.
    pub fn new(carried: Carried, members: u16) -> Self {
        let uri = format!("hotrod://10.0.0.1:11222/people?{}", carried.properties);
        let uri: ConnectionUri = uri.parse().expect("a URI");
        let mut config = Config::from_uri(&uri).expect("settings");
        config.connect_ahead = false;
        let mut client = Cluster::new(config, [7; 32], START);
        let cache = client.cache(START, RequestOptions::cache("people"));
        let Some(Output::Connect { link, .. }) = client.poll_output() else { panic!("a link is wanted") };
        client.handle_connected(START, link, None);
        let mut topology = topology(1, members, 256);
        topology.members[0] = Member { host: "10.0.0.1".into(), port: 11222 };
        let endpoint = Endpoint::new(carried.speaks, topology, START);
        let mut pair = Self {
            client,
            cache,
            link,
            endpoint,
            now: START,
            sent: BytesMut::new(),
            answered: BytesMut::new(),
            octets: Octets::default(),
            is_measured: false,
        };
        while pair.client.view(&pair.cache).is_none() {
            pair.send();
            assert!(!pair.sent.is_empty(), "{}: nobody has anything to say", carried.case);
            pair.answer();
            pair.receive();
        }
        assert_eq!(pair.client.members().filter(|member| member.ready).count(), 1);
        pair
    }

    /// Has the work of the client measured.
    pub fn measure_client(mut self) -> Self {
        self.is_measured = true;
        self
    }

    /// Has the work of the endpoint's link measured.
    pub fn measure_endpoint(mut self) -> Self {
        self.endpoint.measure();
        self
    }

    /// Opens a session with each member, and returns the members in the order of their sessions.
    pub fn open_all(&mut self) -> Vec<MemberId> {
        let members: Vec<_> = self.client.members().map(|member| member.id).collect();
        members.iter().for_each(|member| self.open_session(*member));
        assert_eq!(self.client.members().filter(|member| member.ready).count(), members.len());
        members
    }

    /// Makes GETs of any member, all of them in flight together.
    pub fn get(&mut self, in_flight: usize) {
        self.get_from((0..in_flight).map(|_| None));
    }

    /// Makes a GET of each of these members, all of them in flight together.
    pub fn get_from(&mut self, members: impl Iterator<Item = Option<MemberId>>) {
        let in_flight = part_if(self.is_measured, || self.submit(members));
        self.send();
        self.answer();
        let completed = part_if(self.is_measured, || self.receive());
        assert_eq!(completed, in_flight);
    }

    /// Ends the newest session, which is with `member`, and opens another. The end of the first is measured.
    pub fn lose_newest(&mut self, member: MemberId) {
        self.endpoint.end_newest(&mut self.answered);
        part_if(self.is_measured, || self.receive());
        self.send();
        self.now = self.now + PAUSE;
        let is_measured = std::mem::take(&mut self.is_measured);
        self.open_session(member);
        self.is_measured = is_measured;
    }

    /// A tick: the time advances while nothing is due.
    pub fn tick(&mut self) {
        part_if(self.is_measured, || {
            self.client.handle_timeout(self.now);
            black_box(self.client.poll_timeout());
            assert!(self.client.poll_output().is_none(), "nothing is due");
        });
    }

    fn open_session(&mut self, member: MemberId) {
        let call = Call { member: Some(member), ..Call::new(&self.cache, Request::Ping {}) };
        self.client.submit(self.now, call).expect("accepted");
        self.take();
        while self.client.in_flight() > 0 {
            self.send();
            assert!(!self.sent.is_empty(), "nothing is sent for the operation");
            self.answer();
            self.receive();
        }
    }

    fn submit(&mut self, members: impl Iterator<Item = Option<MemberId>>) -> usize {
        let mut count = 0;
        for member in members {
            let call = Call { member, ..Call::new(black_box(&self.cache), Request::Get { key: KEY }) };
            self.client.submit(self.now, call).expect("accepted");
            count += 1;
        }
        assert_eq!(self.take(), 0);
        count
    }

    /// Only what the machine does is measured, not the host's write.
    fn send(&mut self) {
        while let Some(out) = self.client.transmit(self.link).filter(|out| !out.is_empty()) {
            out.segments().for_each(|segment| self.sent.extend_from_slice(segment));
            let count = out.len();
            part_if(self.is_measured, || self.client.transmitted(self.link, count));
        }
    }

    fn answer(&mut self) {
        self.octets.sent += self.sent.len();
        self.endpoint.exchange(self.now, &self.sent, &mut self.answered);
        self.sent.clear();
        self.octets.received += self.answered.len();
    }

    /// Receives as much at a time as there is room for, as a host reads. Returns how many GETs are complete.
    fn receive(&mut self) -> usize {
        let mut completed = 0;
        let mut left = &self.answered[..];
        while !left.is_empty() {
            let buffer = self.client.receive_buffer(self.link).expect("open");
            let (first, rest) = left.split_at(left.len().min(buffer.capacity() - buffer.len()));
            buffer.extend_from_slice(first);
            left = rest;
            self.client.handle_filled(self.now, self.link);
            while let Some(output) = self.client.poll_output() {
                completed += completes(output);
            }
            black_box(self.client.wants_read(self.link));
        }
        self.answered.clear();
        completed
    }

    fn take(&mut self) -> usize {
        let mut completed = 0;
        while let Some(output) = self.client.poll_output() {
            completed += completes(output);
        }
        completed
    }
}

fn completes(output: Output) -> usize {
    match black_box(output) {
        Output::Completed { result: Ok(Reply { body: Body::Value(value), .. }), .. } => {
            assert_eq!(value.len(), VALUE.len());
            1
        }
        Output::Completed { result: Ok(_), .. } => 0,
        Output::Completed { result, .. } => panic!("{result:?}"),
        _ => 0,
    }
}
