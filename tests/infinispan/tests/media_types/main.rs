//! Keys of every media type on caches that store every media type: each goes to its owner, by the servers' own metrics, or the
//! client counts that it does not.

#[path = "../common/mod.rs"]
mod common;
mod keys;
mod multimaps;
mod near_caches;
mod schemas;

use hotrod_core::protostream::{Value, encode};
use hotrod_tokio::Client;
use infinispan_harness::{Cluster, Options, skip_real};
use tokio::runtime::Builder;

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
const DECLARED: [(&str, Key); 13] = [
    ("", |n| format!("{n} bytes").into()),
    ("text/plain", |n| format!("{n} text").into()),
    ("text/plain; charset=utf-8", |n| format!("{n} Zürich 𝄞").into()),
    ("application/octet-stream", |n| format!("{n} octets").into()),
    ("application/json", |n| format!("\"{n} json\"").into()),
    ("application/json", |n| format!(r#"{{"_type":"string","_value":"{n} typed"}}"#).into()),
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
            match keys::go_to_their_owner(cluster, &client, (name, declared), key).await {
                Ok(outcome) => println!("{stored:30} {declared:28} {:14} {outcome}", shown(&key(31))),
                Err(problem) => problems.push(format!("{name}: {declared} {}: {problem}", shown(&key(31)))),
            }
        }
    }
    problems.extend(multimaps::go_to_their_owner(cluster, &client).await);
    problems.extend(schemas::have_errors(&client).await.err());
    problems.extend(schemas::route_by_storage_keys(cluster, &client).await.err());
    client.close().await;
    problems.extend(near_caches::hear_of_writes(cluster).await.err());
    assert!(problems.is_empty(), "{problems:#?}");
}

fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).chars().filter(char::is_ascii_graphic).take(12).collect()
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(200).collect()
}
