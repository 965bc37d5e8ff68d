//! Near caches whose keys have another media type than the cache.

use std::time::Duration;

use hotrod_core::cluster::{Event, NearCacheOptions};
use hotrod_core::protostream::Value;
use hotrod_core::wire::MediaType;
use hotrod_tokio::Client;
use infinispan_harness::Cluster;
use tokio::time::timeout;

use super::{KEYS, protostream};

/// A near cache of text keys hears of writes by ProtoStream keys, with a bloom filter and without.
pub(super) async fn hear_of_writes(cluster: &Cluster) -> Result<(), String> {
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
