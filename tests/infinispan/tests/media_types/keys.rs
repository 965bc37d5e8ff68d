//! Operations on keys, one by one and in bulk.

use std::collections::BTreeSet;

use bytes::Bytes;
use hotrod_core::cluster::Event;
use hotrod_core::wire::{Expiration, MediaType};
use hotrod_tokio::{Cache, Client};
use infinispan_harness::{Cluster, Metrics};

use super::common::settled;
use super::{KEYS, Key, first_line};

/// One kind of keys on one cache: puts and gets, of which the servers count all at the owner, or the client counts all as
/// unrouted, or the server refuses the first.
pub(super) async fn go_to_their_owner(
    cluster: &Cluster,
    client: &Client,
    (name, declared): (&str, &str),
    key: Key,
) -> Result<String, String> {
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

/// Conversions that depend on the key's characters, or on rules of Java's or the schema's.
fn may_be_unrouted(cache: &str, declared: &str) -> bool {
    let is_text = matches!(cache, "in-text" | "in-latin" | "in-json");
    let needs_schema = cache == "in-protostream" && declared == "application/json";
    needs_schema
        || is_text && declared == "application/x-protostream"
        || cache == "in-latin" && declared == "text/plain; charset=utf-8"
}
