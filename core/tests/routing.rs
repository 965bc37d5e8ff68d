//! Keys are sent where Infinispan's own Java client sends them (spec/routing).

use bytes::Bytes;
use hotrod_core::cluster::{Cluster, Config, Output, View};
use hotrod_core::routing::segment_of;
use hotrod_core::session::ServerSession;
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Body, Hash, Limits, Member, Operation, Ping, Reply, Request, RequestOptions, SegmentOwners, Status, Topology,
    Version,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

const NOW: Instant = Instant::from_micros(0);
const KEYS: u64 = 100_000;
const MEMBERS: u16 = 7;

struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

fn key(n: u64) -> Vec<u8> {
    let mut random = SplitMix64(n);
    let length = random.next() % 65;
    (0..length).map(|_| random.next() as u8).collect()
}

fn owner(segment: u32) -> u16 {
    (segment.wrapping_mul(2_654_435_761) >> 16) as u16 % MEMBERS
}

fn topology(segments: u32) -> Topology {
    let mut owners = SegmentOwners::default();
    (0..segments).for_each(|segment| owners.push(&[owner(segment)]));
    let members = (0..MEMBERS).map(|port| Member { host: "member".into(), port }).collect();
    Topology { id: 1, members, hash: Some(Hash { function: 3, segments, owners }) }
}

/// A machine with this topology, and its view of it.
fn client_with(topology: &Topology) -> (Cluster, std::sync::Arc<View>) {
    let mut config = Config::new(topology.members[..1].to_vec());
    config.connect_ahead = false;
    let mut client = Cluster::new(config, [1; 32], NOW);
    let cache = client.cache(NOW, RequestOptions::cache("dist"));
    let Some(Output::Connect { link, .. }) = client.poll_output() else { panic!("a link is wanted") };
    client.handle_connected(NOW, link, None);
    let mut server = ServerSession::new(Limits::default(), 1 << 20);
    while client.view(&cache).is_none() {
        while client.poll_output().is_some() {}
        let sent = client.transmit(link).expect("open").to_bytes();
        assert!(!sent.is_empty(), "the client asks until it has a view");
        client.transmitted(link, sent.len());
        server.handle_received(&sent);
        while let Some((header, request)) = server.poll_request() {
            assert_eq!(request, Request::Ping {});
            let known = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
            let ping = Ping { server_version: Some(Version::LATEST.to_byte()), operations: known, ..Ping::default() };
            let topology = (header.options.cache == "dist").then(|| Box::new(topology.clone()));
            let (message_id, body) = (header.message_id, Body::Ping(Box::new(ping)));
            let reply = Reply { message_id, status: Status::SUCCESS, topology, body };
            server.reply(&header, Operation::Ping, &reply);
        }
        let answer: Bytes = server.transmit().to_bytes();
        server.transmitted(answer.len());
        client.handle_received(NOW, link, &answer);
        while client.poll_output().is_some() {}
    }
    let view = client.view(&cache).expect("a view").clone();
    (client, view)
}

/// Gotchas 1 to 3: the size of a segment is rounded up, and the hash is Infinispan's own.
#[test]
fn the_same_member_as_infinispans_java_client_for_100_000_keys() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/routing/java.json")).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((vectors["keys"].as_u64(), vectors["members"].as_u64()), (Some(KEYS), Some(MEMBERS.into())));
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let segments = vector["segments"].as_u64().unwrap() as u32;
        let (client, view) = client_with(&topology(segments));
        let first = vector["first"].as_array().unwrap();
        let mut digest = Sha256::new();
        for n in 0..KEYS {
            let key = key(n);
            let segment = segment_of(&key, segments);
            let member = client.address(view.owners_of(&key).next().expect("an owner")).expect("known").port;
            digest.update((segment as u16).to_be_bytes());
            digest.update([member as u8]);
            if let Some(expected) = first.get(n as usize) {
                assert_eq!(serde_json::json!([segment, member]), *expected, "key {n} at {segments} segments");
            }
        }
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(digest.as_str()), vector["sha256"].as_str(), "{segments} segments");
    }
}
