//! A real cluster of three: every key at its owner, and nothing lost while members die, come back, join and leave.

#[path = "../common/mod.rs"]
mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_core::wire::{EventData, Expiration, Flags, ListenerOptions};
use hotrod_failover::{LoadOptions, Report};
use hotrod_tokio::{Cache, Client, Error, ListenerEvent, Versioned};
use infinispan_harness::{Cluster, Metrics, Options, skip_real};
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use common::settled;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_cluster_of_three_is_worked_on_through_everything_that_happens_to_it() {
    if skip_real() {
        return;
    }
    let cluster = Cluster::start(Options { nodes: 3, ..Options::default() }).unwrap();
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(everything(cluster));
}

async fn everything(mut cluster: Cluster) {
    let seed = &cluster.endpoints()[0];
    // One of them is enough to begin with.
    let client = Client::connect(&format!("hotrod://{}:{}/dist", seed.host, seed.port)).await.unwrap();
    let cache = client.default_cache();
    settled(&client, &cache, 3).await;
    every_keyed_operation_is_a_direct_hit(&cluster, &cache).await;
    caches_of_every_kind_answer(&client).await;
    fixed_entries(&cache).await;
    failures(&mut cluster, &client, &cache).await;
    client.close().await;
}

/// Counted by the servers: each knows whether it owns the key of what it is asked.
async fn every_keyed_operation_is_a_direct_hit(cluster: &Cluster, cache: &Cache) {
    let hits = || Metrics::of(&cluster.endpoints()).unwrap().hits("dist");
    let before = hits();
    let mut sent = 0;
    for n in 0..1000 {
        let key = format!("direct {n}");
        cache.put(key.clone(), "one").await.unwrap();
        assert_eq!(cache.get(key.clone()).await.unwrap().unwrap(), "one");
        let entry = cache.get_with_metadata(key.clone()).await.unwrap().unwrap();
        let version = entry.metadata.version;
        let done = cache.replace_if_unmodified(key.clone(), version, "two", Expiration::DEFAULT).await.unwrap();
        assert_eq!(done, Versioned::Done);
        assert!(cache.contains_key(key.clone()).await.unwrap());
        sent += 5;
        if n % 10 == 0 {
            assert_eq!(
                cache.with_flags(Flags::FORCE_RETURN_VALUE).remove(key).await.unwrap().previous.unwrap().value,
                "two"
            );
            sent += 1;
        }
    }
    let hits = hits().since(before);
    println!("direct hits: {hits:?} of {sent} operations");
    assert!(hits.primary >= sent, "{hits:?} of {sent}");
    assert_eq!((hits.backup, hits.none), (0, 0), "{hits:?}");
}

/// Each is used as its topology says: with segments, with members alone, or with nothing.
async fn caches_of_every_kind_answer(client: &Client) {
    for name in ["repl", "inval", "local", "probe"] {
        let cache = client.cache(name);
        for n in 0..100 {
            cache.put(format!("key {n}"), "v").await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = cache.get(format!("key {n}")).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            // Others of a local or an invalidation cache need not have it.
            if matches!(name, "repl" | "probe") {
                assert_eq!(found.unwrap(), "v", "{name}");
            }
        }
        let view = client.view(&cache);
        let shape = view.map(|view| (view.members().len(), view.segments()));
        println!("{name}: members and segments {shape:?}");
    }
}

const FIXED: usize = 2000;

/// Entries that nobody changes: iterations have to find each of them.
async fn fixed_entries(cache: &Cache) {
    let entries = (0..FIXED).map(|n| (fixed(n), Bytes::from("fixed"))).collect();
    cache.put_all(entries, Expiration::DEFAULT).await.unwrap();
}

fn fixed(n: usize) -> Bytes {
    format!("fixed {n}").into()
}

async fn failures(cluster: &mut Cluster, client: &Client, cache: &Cache) {
    let load = LoadOptions { workers: 16, keys: 50, duration: 60 * SECOND };
    let working = tokio::spawn({
        let cache = cache.clone();
        async move { hotrod_failover::run(&cache, load).await }
    });
    let iterating = tokio::spawn(iterate_again_and_again(cache.clone(), 60 * SECOND));
    // One on each member, so that each loss hits one.
    let is_over = Arc::new(AtomicBool::new(false));
    let listening: Vec<_> = (0..3).map(|_| tokio::spawn(listen(cache.clone(), is_over.clone()))).collect();
    sleep(5 * SECOND).await;

    step("kill -9 node 2", || cluster.kill(2).unwrap());
    back_to_direct_hits(client, cache, 2).await;
    step("start it again", || cluster.restart(2).unwrap());
    back_to_direct_hits(client, cache, 3).await;
    step("add a fourth", || assert_eq!(cluster.add_node().unwrap(), 3));
    back_to_direct_hits(client, cache, 4).await;
    step("stop node 1 in good order", || cluster.stop(1).unwrap());
    back_to_direct_hits(client, cache, 3).await;

    check_load(&working.await.unwrap());
    let (iterations, failed) = iterating.await.unwrap();
    println!("{iterations} iterations with every fixed entry exactly once, {failed} that failed and said so");
    assert!(iterations > 3 && failed <= iterations / 10);
    is_over.store(true, Ordering::Relaxed);
    let mut all_moves = 0;
    for listener in listening {
        let (heard, moves) = listener.await.unwrap();
        println!("a listener heard {heard} events and moved {moves} times");
        assert!(heard > 1000);
        all_moves += moves;
    }
    assert!(all_moves > 0, "a member that was lost had served one");
    let counters = client.counters();
    println!(
        "{} operations, {} direct and {} forwarded ({:.2}%), {} retries, {} sessions lost",
        counters.operations,
        counters.direct,
        counters.forwarded,
        100.0 * counters.direct as f64 / (counters.direct + counters.forwarded) as f64,
        counters.retries,
        counters.disconnects
    );
}

fn step(what: &str, action: impl FnOnce()) {
    let started = Instant::now();
    // The servers take their time; the load goes on meanwhile on the other thread.
    tokio::task::block_in_place(action);
    println!("{what}: {:.1} s", started.elapsed().as_secs_f64());
}

/// Waits until a second passes in which every keyed operation went to the owner of its key.
async fn back_to_direct_hits(client: &Client, cache: &Cache, members: usize) {
    let started = Instant::now();
    settled(client, cache, members).await;
    loop {
        let before = client.counters();
        sleep(SECOND).await;
        let after = client.counters();
        if after.forwarded == before.forwarded && after.retries == before.retries {
            break;
        }
        assert!(started.elapsed() < 60 * SECOND, "still forwarded: {after:?}");
    }
    println!("  all direct again after {:.1} s", (started.elapsed().saturating_sub(SECOND)).as_secs_f64());
}

fn check_load(report: &Report) {
    println!(
        "{} operations, {} stored but denied, {} errors {:?}, longest pause {:.0} ms (after {:.1} s), longest operation {:.0} ms",
        report.operations,
        report.stored_but_denied,
        report.error_count(),
        report.errors,
        report.longest_pause.as_secs_f64() * 1e3,
        report.longest_pause_at.as_secs_f64(),
        report.longest_operation.as_secs_f64() * 1e3,
    );
    assert!(report.operations > 1000);
    assert_eq!(report.wrong_values, [] as [String; 0]);
    // The server repeats a command while members change, and then compares it with what it has stored itself.
    assert!(report.stored_but_denied <= 5, "{}", report.stored_but_denied);
    assert_eq!(report.lost_writes, [] as [String; 0]);
}

/// Every entry that is there all the time comes exactly once, whatever happens meanwhile. An iteration may fail, when
/// the servers have no answer in time; it must not end early.
async fn iterate_again_and_again(cache: Cache, duration: Duration) -> (usize, usize) {
    let end = Instant::now() + duration;
    let expected: BTreeSet<Bytes> = (0..FIXED).map(fixed).collect();
    let (mut iterations, mut failed) = (0, 0);
    while Instant::now() < end {
        let mut found = BTreeSet::new();
        match iterate_once(&cache, &mut found).await {
            Ok(()) => {
                let missing: Vec<_> = expected.difference(&found).collect();
                assert!(missing.is_empty(), "{} missing, such as {:?}", missing.len(), missing[0]);
                iterations += 1;
            }
            Err(error) => {
                println!("  an iteration failed: {error}");
                failed += 1;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    (iterations, failed)
}

async fn iterate_once(cache: &Cache, found: &mut BTreeSet<Bytes>) -> Result<(), Error> {
    let mut iteration = cache.iterate(50)?;
    while let Some(entry) = iteration.next().await? {
        assert!(found.insert(entry.key.clone()), "{:?} came twice", entry.key);
    }
    Ok(())
}

/// Counts events and moves; in the end a write must be heard.
async fn listen(cache: Cache, is_over: Arc<AtomicBool>) -> (usize, usize) {
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let (mut heard, mut moves) = (0, 0);
    loop {
        match timeout(SECOND, listener.next()).await {
            Ok(Some(ListenerEvent::Entry(_))) => heard += 1,
            Ok(Some(ListenerEvent::Moved)) => moves += 1,
            Ok(other) => panic!("{other:?}"),
            Err(_) if is_over.load(Ordering::Relaxed) => break,
            Err(_) => {}
        }
    }
    cache.put("last words", "v").await.unwrap();
    let last = async {
        loop {
            if let Some(ListenerEvent::Entry(event)) = listener.next().await
                && matches!(&event.data, EventData::Key { key, .. } if key == "last words")
            {
                return;
            }
        }
    };
    timeout(10 * SECOND, last).await.expect("the last write is heard");
    (heard, moves)
}
