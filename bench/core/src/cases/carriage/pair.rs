//! A client and its one member, joined in memory.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use hotrod_core::cluster::{CacheHandle, Call, Cluster, Config, LinkId, Output};
use hotrod_core::time::Instant;
use hotrod_core::uri::ConnectionUri;
use hotrod_core::wire::{Body, Member, Reply, Request, RequestOptions, Topology};

use super::Carried;
use super::endpoint::{Endpoint, VALUE};
use crate::cases::cluster::topology;
use crate::meter::part;

const NOW: Instant = Instant::from_micros(1_000_000);
const KEY: Bytes = Bytes::from_static(b"sixteen-byte-key");

/// A client with one link, and the other end of it.
pub struct Pair {
    client: Cluster,
    cache: CacheHandle,
    link: LinkId,
    endpoint: Endpoint,
    /// What the client has sent and the endpoint has not seen.
    sent: BytesMut,
    /// And the other way.
    answered: BytesMut,
    /// Octets that have gone each way.
    pub octets: Octets,
}

/// Octets on a link.
#[derive(Default, Clone, Copy)]
pub struct Octets {
    pub sent: usize,
    pub received: usize,
}

impl Pair {
    /// Connected, and with the view of the cache.
    pub fn new(carried: Carried) -> Self {
        let uri = format!("hotrod://10.0.0.1:11222/people?{}", carried.properties);
        let uri: ConnectionUri = uri.parse().expect("a URI");
        let config = Config { connect_ahead: false, ..Config::from_uri(&uri).expect("settings") };
        let mut client = Cluster::new(config, [7; 32], NOW);
        let cache = client.cache(NOW, RequestOptions::cache("people"));
        let Some(Output::Connect { link, .. }) = client.poll_output() else { panic!("a link is wanted") };
        client.handle_connected(NOW, link, None);
        let members = vec![Member { host: "10.0.0.1".into(), port: 11222 }];
        let endpoint = Endpoint::new(carried.speaks, Topology { members, ..topology(1, 1, 256) }, NOW);
        let (sent, answered) = (BytesMut::new(), BytesMut::new());
        let mut pair = Self { client, cache, link, endpoint, sent, answered, octets: Octets::default() };
        while pair.client.view(&pair.cache).is_none() {
            pair.send();
            assert!(!pair.sent.is_empty(), "{}: nobody has anything to say", carried.case);
            pair.answer();
            pair.receive();
        }
        assert_eq!(pair.client.members().filter(|member| member.ready).count(), 1);
        pair
    }

    /// GETs, so many in flight together.
    pub fn get(&mut self, in_flight: usize) {
        part(|| self.submit(in_flight));
        self.send();
        self.answer();
        let completed = part(|| self.receive());
        assert_eq!(completed, in_flight);
    }

    fn submit(&mut self, count: usize) {
        for _ in 0..count {
            let call = Call::new(black_box(&self.cache), Request::Get { key: KEY });
            self.client.submit(NOW, call).expect("accepted");
        }
        assert_eq!(self.take(), 0);
    }

    /// Only what the machine does is measured, not the host's write.
    fn send(&mut self) {
        while let Some(out) = self.client.transmit(self.link).filter(|out| !out.is_empty()) {
            out.segments().for_each(|segment| self.sent.extend_from_slice(segment));
            let count = out.len();
            part(|| self.client.transmitted(self.link, count));
        }
    }

    fn answer(&mut self) {
        self.octets.sent += self.sent.len();
        self.endpoint.exchange(NOW, &self.sent, &mut self.answered);
        self.sent.clear();
        self.octets.received += self.answered.len();
    }

    /// As much at a time as there is room for, as a host reads. Answers how many operations are complete.
    fn receive(&mut self) -> usize {
        let mut completed = 0;
        let mut left = &self.answered[..];
        while !left.is_empty() {
            let buffer = self.client.receive_buffer(self.link).expect("open");
            let (now, later) = left.split_at(left.len().min(buffer.capacity() - buffer.len()));
            buffer.extend_from_slice(now);
            left = later;
            self.client.handle_filled(NOW, self.link);
            while let Some(output) = self.client.poll_output() {
                completed += completes(output);
            }
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
        Output::Completed { result, .. } => panic!("{result:?}"),
        _ => 0,
    }
}
