//! Multimaps and counters of a client that declares media types.

use hotrod_core::wire::{CounterConfiguration, CounterKind};
use hotrod_tokio::codec::{Octets, Text};
use hotrod_tokio::{Client, Error};
use infinispan_harness::{Cluster, Metrics};

use super::{KEYS, STORAGES};

/// Keys of multimaps, which servers do not convert, on each storage; and counters, whose names have no media type.
pub(super) async fn go_to_their_owner(cluster: &Cluster, client: &Client) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, stored) in STORAGES {
        match of_cache(cluster, client, name).await {
            Ok(outcome) => println!("{stored:30} {:28} multimap       {outcome}", "text/plain"),
            Err(problem) => problems.push(format!("{name}: multimap: {problem}")),
        }
    }
    problems.extend(counters(cluster).await.err().map(|error| format!("counters: {error}")));
    problems
}

async fn of_cache(cluster: &Cluster, client: &Client, name: &str) -> Result<String, String> {
    let multimap = client.multimap(name, false).with_codecs(Text, Octets);
    let hits = || Metrics::of(&cluster.endpoints()).unwrap().hits(name);
    let (before, counters) = (hits(), client.counters());
    for n in 0..KEYS {
        let key = format!("multimap {n}");
        for value in [b"one", b"two"] {
            multimap.put(&*key, &value[..]).await.map_err(|error| format!("put {n}: {error}"))?;
        }
        let mut values = multimap.get(&*key).await.map_err(|error| format!("get {n}: {error}"))?;
        values.sort_unstable();
        if values != ["one", "two"] {
            return Err(format!("get {n}: {values:?}"));
        }
    }
    let (hits, now) = (hits().since(before), client.counters());
    let (sent, direct) = (3 * KEYS as u64, now.direct - counters.direct);
    if (hits.primary, hits.total(), direct) != (sent, sent, sent) {
        return Err(format!("{hits:?}, {direct} counted as direct, of {sent}"));
    }
    Ok("100% direct".into())
}

async fn counters(cluster: &Cluster) -> Result<(), Error> {
    let seed = &cluster.endpoints()[0];
    let uri =
        format!("hotrod://{}:{}?key_media_type=text/plain&value_media_type=application/json", seed.host, seed.port);
    let client = Client::connect(&uri).await?;
    let counter = client.counter("with media types");
    let configuration =
        CounterConfiguration { kind: CounterKind::UnboundedStrong, persistent: false, initial_value: 0 };
    counter.create(configuration).await?;
    assert_eq!(counter.add_and_get(7).await?, 7);
    client.close().await;
    Ok(())
}
