//! Requests above the servers' `max-content-length`, 10 MB by default: the server cuts the connection without an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_core::session::Applied;
use hotrod_core::wire::Expiration;
use hotrod_tokio::{Cache, Client, Error};
use infinispan_harness::{Cluster, Options, skip_real};
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const TOO_LARGE: usize = 11_000_000;
const NEIGHBOURS: usize = 8;

#[test]
fn a_put_above_the_servers_limit_fails_soon_and_its_neighbours_do_not() {
    if skip_real() {
        return;
    }
    let cluster = Cluster::start(Options { nodes: 3, ..Options::default() }).unwrap();
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(beside_neighbours(&cluster));
}

/// Tasks with small gets and puts.
struct Neighbours {
    is_over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<Vec<Error>>>,
}

impl Neighbours {
    fn start(cache: &Cache) -> Self {
        let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let work = |task: usize| tokio::spawn(work(cache.clone(), task, is_over.clone(), answered.clone()));
        let tasks = (0..NEIGHBOURS).map(work).collect();
        Self { is_over, answered, tasks }
    }

    /// Waits until so many more operations were answered.
    async fn answer(&self, count: u64) {
        let target = self.answered.load(Ordering::Relaxed) + count;
        while self.answered.load(Ordering::Relaxed) < target {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The errors of all tasks.
    async fn end(self) -> Vec<Error> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut errors = Vec::new();
        for task in self.tasks {
            errors.extend(task.await.unwrap());
        }
        errors
    }
}

async fn work(cache: Cache, task: usize, is_over: Arc<AtomicBool>, answered: Arc<AtomicU64>) -> Vec<Error> {
    let mut errors = Vec::new();
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("small {task} {}", number % 50);
        let put = cache.put(key.clone(), "value").await.err();
        let get = cache.get(key).await.err();
        errors.extend(put.into_iter().chain(get));
        answered.fetch_add(2, Ordering::Relaxed);
    }
    errors
}

async fn beside_neighbours(cluster: &Cluster) {
    let seed = &cluster.endpoints()[0];
    let client = Client::connect(&format!("hotrod://{}:{}/dist", seed.host, seed.port)).await.unwrap();
    let cache = client.default_cache();
    let neighbours = Neighbours::start(&cache);
    neighbours.answer(1_000).await;
    let value = Bytes::from(vec![7; TOO_LARGE]);
    // Above the usual limit from the beginning; and once it is known it is not even sent.
    let first = failure(&client, "first", cache.put("large", value.clone()).await.err());
    assert!(first.contains("while sending 11000005 bytes") && first.contains("max-content-length"), "{first}");
    let second = failure(&client, "second", cache.put("large", value.clone()).await.err());
    assert!(second.contains("was not sent"), "{second}");
    let absent = cache.put_if_absent("other", value.clone(), Expiration::DEFAULT).await;
    failure(&client, "put_if_absent", absent.err());
    let all = cache.put_all(vec![("one", value)], Expiration::DEFAULT).await;
    failure(&client, "put_all", all.err());
    neighbours.answer(1_000).await;
    let errors = neighbours.end().await;
    assert!(errors.is_empty(), "{} neighbours failed: {}", errors.len(), errors[0]);
    let counters = client.counters();
    println!("connects {}, disconnects {}, retries {}", counters.connects, counters.disconnects, counters.retries);
    assert_eq!(counters.disconnects, 0, "no link of others was lost");
    assert!(counters.connects <= 4 + 2 + 2, "{} connects", counters.connects);
    // The decoder of 16.0.7 reads on behind the length that it refuses, and takes the value's first byte for the length of a
    // value: the error must not promise that nothing was stored.
    let stored = cache.get("large").await.unwrap();
    assert!(stored.is_none_or(|value| value.len() < TOO_LARGE && first.contains("may have been applied")), "{first}");
    client.close().await;
}

/// The message of a failure that came soon.
fn failure(client: &Client, what: &str, error: Option<Error>) -> String {
    let error = error.unwrap_or_else(|| panic!("{what}: no server takes it"));
    println!("{what}: {error}; connects {}", client.counters().connects);
    let text = error.to_string();
    // The system may have taken all bytes of the first one.
    assert!(error.applied() == Applied::No || text.contains("may have been applied"), "{text}");
    text
}

/// Where the limit is set, nothing larger is sent.
#[test]
fn max_request_size_refuses_before_sending() {
    if skip_real() {
        return;
    }
    let cluster = infinispan_harness::shared(Options::default());
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let seed = &cluster.endpoints()[0];
        let uri = format!("hotrod://{}:{}/local?max_request_size=10000000", seed.host, seed.port);
        let client = Client::connect(&uri).await.unwrap();
        let begun = Instant::now();
        let error = client.default_cache().put("large", vec![7; TOO_LARGE]).await.unwrap_err();
        assert!(error.to_string().contains("max_request_size=10000000"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5) && client.counters().connects <= 2, "{error}");
    });
}
