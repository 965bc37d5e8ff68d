//! Keys of every media type on caches that store every media type: each goes to its owner, by the servers' own metrics, or the
//! client counts that it does not.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Event, NearCacheOptions};
use hotrod_core::protostream::{Value, encode};
use hotrod_core::wire::{Expiration, MediaType};
use hotrod_tokio::{Cache, Client};
use infinispan_harness::{Cluster, Metrics, Options, skip_real};
use tokio::runtime::Builder;
use tokio::time::timeout;

use common::settled;

/// Cache, and its declaration of the media type in which it stores keys.
const STORAGES: [(&str, &str); 7] = [
    ("in-undeclared", ""),
    ("in-text", "text/plain"),
    ("in-latin", "text/plain; charset=ISO-8859-1"),
    ("in-protostream", "application/x-protostream"),
    ("in-octets", "application/octet-stream"),
    ("in-json", "application/json"),
    ("in-object", "application/x-java-object"),
];

/// The bytes of a key, by its number.
type Key = fn(i32) -> Vec<u8>;

/// Media type that the client declares, and keys of it.
const DECLARED: [(&str, Key); 12] = [
    ("", |n| format!("{n} bytes").into()),
    ("text/plain", |n| format!("{n} text").into()),
    ("text/plain; charset=utf-8", |n| format!("{n} Zürich 𝄞").into()),
    ("application/octet-stream", |n| format!("{n} octets").into()),
    ("application/json", |n| format!("\"{n} json\"").into()),
    ("application/x-protostream", |n| protostream(&Value::String(&format!("{n} string")))),
    ("application/x-protostream", |n| protostream(&Value::Bytes(&[n.to_le_bytes(), [255; 4]].concat()))),
    ("application/x-protostream", |n| protostream(&Value::Int32(n - 30))),
    ("application/x-protostream", |n| protostream(&Value::Int64(i64::from(n - 30) << 40))),
    ("application/x-protostream", |n| protostream(&Value::Double(f64::from(n - 30) / 7.0))),
    ("application/x-protostream", |n| protostream(&Value::Bool(n % 2 == 0))),
    ("application/x-protostream", |n| {
        protostream(&Value::Instant { seconds: i64::from(n) * 1_000_000, nanos: n as u32 })
    }),
];

const KEYS: i32 = 60;

fn protostream(value: &Value<'_>) -> Vec<u8> {
    encode(value).unwrap()
}

#[test]
fn keys_of_every_media_type_go_to_their_owner_or_are_counted() {
    if skip_real() {
        return;
    }
    let cache = |(name, stored): &(&str, &str)| {
        let encoding = if stored.is_empty() {
            String::new()
        } else {
            format!(
                r#"<encoding><key media-type="{stored}"/><value media-type="application/octet-stream"/></encoding>"#
            )
        };
        format!(
            r#"<distributed-cache name="{name}" owners="1" segments="256" mode="SYNC" statistics="true">{encoding}</distributed-cache>"#
        )
    };
    let extra_caches = STORAGES.iter().map(cache).collect();
    let cluster = Cluster::start(Options { nodes: 3, extra_caches, ..Options::default() }).unwrap();
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(everything(&cluster));
}

async fn everything(cluster: &Cluster) {
    let seed = &cluster.endpoints()[0];
    let client = Client::connect(&format!("hotrod://{}:{}", seed.host, seed.port)).await.unwrap();
    let mut problems = Vec::new();
    for (name, stored) in STORAGES {
        for (declared, key) in DECLARED {
            match cell(cluster, &client, (name, declared), key).await {
                Ok(outcome) => println!("{stored:30} {declared:28} {:14} {outcome}", shown(&key(31))),
                Err(problem) => problems.push(format!("{name}: {declared} {}: {problem}", shown(&key(31)))),
            }
        }
    }
    client.close().await;
    problems.extend(near_caches(cluster).await.err());
    assert!(problems.is_empty(), "{problems:#?}");
}

fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).chars().filter(char::is_ascii_graphic).take(12).collect()
}

/// One kind of keys on one cache: puts and gets, of which the servers count all at the owner, or the client counts all as
/// unrouted, or the server refuses the first.
async fn cell(cluster: &Cluster, client: &Client, (name, declared): (&str, &str), key: Key) -> Result<String, String> {
    let key_type = if declared.is_empty() { MediaType::Unspecified } else { declared.parse().unwrap() };
    let cache = client.cache(name).with_media_types(key_type, MediaType::Unspecified);
    settled(client, &cache, 3).await;
    let mut events = client.events();
    let hits = || Metrics::of(&cluster.endpoints()).unwrap().hits(name);
    let (before, counters) = (hits(), client.counters());
    for n in 0..KEYS {
        let key = Bytes::from(key(n));
        match cache.put(key.clone(), format!("{n}")).await {
            Ok(_) => {}
            Err(error) if n == 0 && error.to_string().contains(&format!("; cache {name:?} stores keys")) => {
                return Ok(format!("refused: {}", first_line(&error.to_string())));
            }
            Err(error) => return Err(format!("put {n}: {error}")),
        }
        let found = cache.get(key).await.map_err(|error| format!("get {n}: {error}"))?;
        // Java's text for an array of bytes is another one each time.
        if found.is_none() && client.counters().unrouted == counters.unrouted {
            return Err(format!("get {n}: nothing is found"));
        }
    }
    let (hits, now) = (hits().since(before), client.counters());
    let (direct, unrouted) = (now.direct - counters.direct, now.unrouted - counters.unrouted);
    let sent = 2 * KEYS as u64;
    if unrouted == 0 && direct == sent && (hits.primary, hits.total()) == (sent, sent) {
        return in_bulk(client, &cache, key).await.map(|()| "100% direct".into());
    }
    if unrouted == 0 || direct + unrouted != sent || !may_be_unrouted(name, declared) {
        return Err(format!("{hits:?}, {direct} counted as direct and {unrouted} as unrouted, of {sent}"));
    }
    let mut reason = String::from("reported before");
    while let Ok(event) = events.try_recv() {
        if let Event::KeysNotRouted { reason: told, .. } = event {
            reason = told;
        }
    }
    if direct > hits.primary {
        return Err(format!("{hits:?}, {direct} counted as direct"));
    }
    Ok(format!("{unrouted} of {sent} unrouted: {reason}"))
}

/// PUT_ALL and GET_ALL have a part for each owner; servers do not count them by owner.
async fn in_bulk(client: &Client, cache: &Cache, key: Key) -> Result<(), String> {
    let counters = client.counters();
    // A kind may have fewer keys than that.
    let keys: BTreeSet<Bytes> = (0..KEYS).map(|n| Bytes::from(key(n))).collect();
    let entries = keys.iter().map(|key| (key.clone(), Bytes::from_static(b"bulk"))).collect();
    cache.put_all(entries, Expiration::DEFAULT).await.map_err(|error| format!("put_all: {error}"))?;
    let found = cache.get_all(keys.iter().cloned().collect()).await.map_err(|error| format!("get_all: {error}"))?;
    // Their keys are converted back, where a number of a text cache becomes a string.
    let found = found.into_iter().filter(|(_, value)| value == "bulk").count();
    let now = client.counters();
    let parts = now.direct - counters.direct;
    if found != keys.len() || keys.len() > 10 && parts != 6 || now.unrouted != counters.unrouted {
        return Err(format!("in bulk: {found} of {} found, {parts} parts", keys.len()));
    }
    Ok(())
}

/// A near cache of text keys hears of writes by ProtoStream keys, with a bloom filter and without.
async fn near_caches(cluster: &Cluster) -> Result<(), String> {
    let seed = &cluster.endpoints()[0];
    let uri = format!("hotrod://{}:{}/in-protostream", seed.host, seed.port);
    let (reader, writer) = (Client::connect(&uri).await.unwrap(), Client::connect(&uri).await.unwrap());
    let near = reader.default_cache().with_media_types(MediaType::TEXT, MediaType::Unspecified);
    let far = writer.default_cache().with_media_types(MediaType::PROTOSTREAM, MediaType::Unspecified);
    for bloom_filter in [false, true] {
        let mut options = NearCacheOptions::default();
        options.bloom_filter = bloom_filter;
        let mut events = reader.events();
        near.enable_near_cache(options).map_err(|error| error.to_string())?;
        while !matches!(events.recv().await, Ok(Event::NearCacheActive { .. })) {}
        for n in 0..KEYS {
            let (text, stored) = (format!("near {n}"), protostream(&Value::String(&format!("near {n}"))));
            far.put(stored.clone(), "one").await.map_err(|error| error.to_string())?;
            near.get(text.clone()).await.map_err(|error| error.to_string())?;
            let hits = reader.counters().near_hits;
            near.get(text.clone()).await.map_err(|error| error.to_string())?;
            if reader.counters().near_hits == hits {
                return Err(format!("{text}: not kept, bloom filter {bloom_filter}"));
            }
            far.put(stored, "two").await.map_err(|error| error.to_string())?;
            let is_new = async { while near.get(text.clone()).await.unwrap().is_none_or(|value| value != "two") {} };
            timeout(Duration::from_secs(10), is_new)
                .await
                .map_err(|_| format!("{text}: the old value is kept, bloom filter {bloom_filter}"))?;
        }
        near.disable_near_cache();
    }
    reader.close().await;
    writer.close().await;
    Ok(())
}

/// Conversions that depend on the key's characters, or on rules of Java's or the schema's.
fn may_be_unrouted(cache: &str, declared: &str) -> bool {
    let is_text = matches!(cache, "in-text" | "in-latin" | "in-json");
    is_text && declared == "application/x-protostream" || cache == "in-latin" && declared == "text/plain; charset=utf-8"
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(200).collect()
}
