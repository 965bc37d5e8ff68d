//! Keys are sent where Infinispan's own Java client sends them (spec/routing).

use bytes::Bytes;
use hotrod_core::cluster::{Cluster, Config, Output, View};
use hotrod_core::protostream::{TypeName, Value as Stored, encode};
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
    bytes(&mut SplitMix64(n))
}

fn bytes(random: &mut SplitMix64) -> Vec<u8> {
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

fn vectors() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/routing/java.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Gotchas 1 to 3: the size of a segment is rounded up, and the hash is Infinispan's own.
#[test]
fn the_same_member_as_infinispans_java_client_for_100_000_keys() {
    let vectors = vectors();
    assert_eq!((vectors["keys"].as_u64(), vectors["members"].as_u64()), (Some(KEYS), Some(MEMBERS.into())));
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let segments = vector["segments"].as_u64().unwrap() as u32;
        check(vector, segments, &format!("{segments} segments"), key);
    }
}

fn check(vector: &Value, segments: u32, what: &str, key: impl Fn(u64) -> Vec<u8>) {
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
            assert_eq!(serde_json::json!([segment, member]), *expected, "key {n}, {what}");
        }
    }
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(Some(digest.as_str()), vector["sha256"].as_str(), "{what}");
}

/// The stored form of a key of that kind, made of the numbers of a generator.
fn stored(kind: &str, random: &mut SplitMix64) -> Vec<u8> {
    const MONTH: TypeName<'_> = TypeName::Name("org.infinispan.protostream.commons.Month");
    const UUID: TypeName<'_> = TypeName::Id(1005);
    let (text, bytes_of_key, uuid);
    let value = match kind {
        "bool" => Stored::Bool(random.next() & 1 == 1),
        "byte" => Stored::Byte(random.next() as i8),
        "bytes" => {
            bytes_of_key = bytes(random);
            Stored::Bytes(&bytes_of_key)
        }
        "char" => Stored::Char(random.next() as u16),
        "date_millis" => Stored::DateMillis(random.next().cast_signed() >> 16),
        "double" => Stored::Double(random.next().cast_signed() as f64),
        "enum" => Stored::Enum { of: MONTH, number: (random.next() % 12) as i32 },
        "float" => Stored::Float(random.next().cast_signed() as f32),
        "instant" => {
            let seconds = random.next().cast_signed() >> 20;
            Stored::Instant { seconds, nanos: (random.next() % 1_000_000_000) as u32 }
        }
        "int32" => Stored::Int32(random.next() as i32),
        "int64" => Stored::Int64(random.next().cast_signed()),
        "message" => {
            let [most, least] = [random.next(), random.next()].map(u64::to_le_bytes);
            uuid = [&[0x19], &most[..], &[0x21], &least[..]].concat();
            Stored::Message { of: UUID, bytes: &uuid }
        }
        "short" => Stored::Short(random.next() as i16),
        "string" => {
            text = text_of(random);
            Stored::String(&text)
        }
        kind => panic!("{kind} is no kind of keys"),
    };
    encode(&value).expect("it can be stored")
}

fn text_of(random: &mut SplitMix64) -> String {
    let length = random.next() % 33;
    let points = (0..length).map(|_| (random.next() % 0x10_f800) as u32);
    points
        .map(|point| char::from_u32(if point < 0xd800 { point } else { point + 0x800 }).expect("no surrogate"))
        .collect()
}

/// Java's client marshals a key, and routes by the bytes: those of a ProtoStream cache are what core writes.
#[test]
fn keys_of_every_kind_have_the_owner_that_infinispans_java_client_computes() {
    let kinds = vectors()["kinds"].as_array().unwrap().clone();
    assert_eq!(kinds.len(), 14);
    for vector in &kinds {
        let kind = vector["kind"].as_str().unwrap();
        check(vector, 256, kind, |n| stored(kind, &mut SplitMix64(n)));
    }
}
