//! Large states of caches, what a server forgets, and what expires there: whole clients against a real server.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::Event;
use hotrod_core::wire::{Expiration, Lifetime, ListenerOptions, MediaType};
use hotrod_tokio::{Cache, Client, ListenerEvent, NearCacheOptions};
use infinispan_harness::Cluster;
use tokio::time::timeout;

/// Time after which a step has failed: several times what a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many events fill the queue of a listener several times.
const ENTRIES: usize = 5_000;

/// A client that looks after its listeners each second.
async fn connect(server: &Cluster) -> Client {
    let endpoint = &server.endpoints()[0];
    Client::connect(&format!("hotrod://{}:{}/local?keep_alive=1000", endpoint.host, endpoint.port)).await.unwrap()
}

async fn task(client: &Client, name: &str, parameters: &[(&str, &str)]) {
    let cache = client.cache("").with_media_types(MediaType::TEXT, MediaType::TEXT);
    let parameters =
        parameters.iter().map(|(name, value)| ((*name).into(), Bytes::from((*value).to_string()))).collect();
    cache.exec(name, parameters).await.unwrap();
}

async fn create(client: &Client, name: &str) -> Cache {
    let configuration = r#"{"distributed-cache": {"mode": "SYNC"}}"#;
    task(client, "@@cache@create", &[("name", name), ("configuration", configuration)]).await;
    client.cache(name)
}

async fn remove(client: &Client, name: &str) {
    task(client, "@@cache@remove", &[("name", name)]).await;
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"));
}

/// The events of a state stand before the answer to the registration, which the application awaits.
pub async fn large_states(server: &Cluster) {
    let client = connect(server).await;
    let cache = create(&client, "large-state").await;
    let entries = (0..ENTRIES).map(|n| (Bytes::from(format!("{n}")), Bytes::from("v"))).collect();
    cache.put_all(entries, Expiration::DEFAULT).await.unwrap();
    let options = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
    let mut slow = timeout(PATIENCE, cache.listen(options.clone())).await.expect("in time").unwrap();
    let mut quick = timeout(PATIENCE, cache.listen(options)).await.expect("in time").unwrap();
    for listener in [&mut quick, &mut slow] {
        for n in 0..ENTRIES {
            let event = timeout(PATIENCE, listener.next()).await.unwrap_or_else(|_| panic!("event {n}"));
            assert!(matches!(event, Some(ListenerEvent::Entry(_))), "event {n}: {event:?}");
        }
    }
    cache.put("later", "v").await.unwrap();
    let event = timeout(PATIENCE, slow.next()).await.expect("in time");
    assert!(matches!(event, Some(ListenerEvent::Entry(_))), "{event:?}");
    remove(&client, "large-state").await;
    client.close().await;
}

/// Another client removes a cache and makes it anew, at once or later.
pub async fn removed_caches(server: &Cluster) {
    let (client, other) = (connect(server).await, connect(server).await);
    let cache = create(&other, "made-anew").await;
    let cache = client.cache(cache.name());
    cache.put("key", "old").await.unwrap();
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let mut events = client.events();
    cache.enable_near_cache(NearCacheOptions::default()).unwrap();
    while !matches!(timeout(PATIENCE, events.recv()).await, Ok(Ok(Event::NearCacheActive { .. }))) {}
    for (is_away, value) in [(false, "new"), (true, "newer")] {
        let hits = client.counters().near_hits;
        until("the value is kept", async || {
            cache.get("key").await.unwrap();
            client.counters().near_hits > hits
        })
        .await;
        cache.put("other", "v").await.unwrap();
        let event = timeout(PATIENCE, listener.next()).await.expect("in time");
        assert!(matches!(event, Some(ListenerEvent::Entry(_))), "{event:?}");
        remove(&other, "made-anew").await;
        if is_away {
            until("the near cache does not answer", async || cache.get("key").await.is_err()).await;
        }
        create(&other, "made-anew").await.put("key", value).await.unwrap();
        until("the new value", async || matches!(cache.get("key").await, Ok(Some(found)) if found == value)).await;
        let event = timeout(PATIENCE, listener.next()).await.expect("in time");
        assert!(matches!(event, Some(ListenerEvent::Moved)), "{event:?}");
        other.cache("made-anew").put("anything", value).await.unwrap();
        let event = timeout(PATIENCE, listener.next()).await.expect("in time");
        assert!(matches!(event, Some(ListenerEvent::Entry(_))), "{event:?}");
    }
    drop(listener);
    remove(&other, "made-anew").await;
    client.close().await;
    other.close().await;
}

/// Infinispan keeps the configuration of a removed counter, and forgets its listeners.
pub async fn removed_counters(server: &Cluster) {
    let (client, other) = (connect(server).await, connect(server).await);
    let counter = other.counter("made-anew");
    counter.create_strong(0).await.unwrap();
    counter.add_and_get(7).await.unwrap();
    let mut listener = client.counter("made-anew").listen().await.unwrap();
    counter.add_and_get(1).await.unwrap();
    let event = timeout(PATIENCE, listener.next()).await.expect("in time");
    assert!(matches!(event, Some(ListenerEvent::Counter(_))), "{event:?}");
    // Until a check has seen the value.
    tokio::time::sleep(Duration::from_secs(3)).await;
    counter.remove().await.unwrap();
    let event = timeout(PATIENCE, listener.next()).await.expect("in time");
    assert!(matches!(event, Some(ListenerEvent::Moved)), "{event:?}");
    counter.add_and_get(5).await.unwrap();
    let event = timeout(PATIENCE, listener.next()).await.expect("in time");
    assert!(matches!(event, Some(ListenerEvent::Counter(_))), "{event:?}");
    drop(listener);
    client.close().await;
    other.close().await;
}

/// A near cache returns nothing that the server does not return any more.
pub async fn lifetimes(server: &Cluster) {
    let (client, other) = (connect(server).await, connect(server).await);
    let (cache, far) = (client.cache("local"), other.cache("local"));
    let mut events = client.events();
    cache.enable_near_cache(NearCacheOptions::default()).unwrap();
    while !matches!(timeout(PATIENCE, events.recv()).await, Ok(Ok(Event::NearCacheActive { .. }))) {}
    for round in 0..2 {
        let (lifespan, key) = (Lifetime::seconds(4), format!("short {round}"));
        far.put_for(key.clone(), "v", Expiration { lifespan, ..Expiration::DEFAULT }).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        cache.get(key.clone()).await.unwrap();
        until("the entry expires", async || far.get(key.clone()).await.unwrap().is_none()).await;
        assert_eq!(cache.get(key).await.unwrap(), None, "round {round}");
    }
    // The server's time is known now: what lives longer is kept.
    let expiration = Expiration { lifespan: Lifetime::seconds(600), ..Expiration::DEFAULT };
    far.put_for("long", "v", expiration).await.unwrap();
    cache.get("long").await.unwrap();
    let hits = client.counters().near_hits;
    assert_eq!(cache.get("long").await.unwrap().unwrap(), "v");
    assert_eq!(client.counters().near_hits, hits + 1);
    client.close().await;
    other.close().await;
}
