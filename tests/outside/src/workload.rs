//! What the client is asked to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hotrod_tokio::Cache;
use tokio::task::JoinSet;

use crate::Failure;

/// Keys of one run.
pub const KEYS: usize = 500;

/// Operations of one run.
pub const OPERATIONS: u64 = 4 * KEYS as u64;

/// How long operations took, the shortest first.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// The duration that the given share of all is not longer than, in microseconds.
    pub fn quantile(&self, share: f64) -> u64 {
        let at = ((self.0.len() as f64 * share) as usize).min(self.0.len() - 1);
        self.0[at].as_micros() as u64
    }
}

/// One operation after the other, and each answer checked: so many keys, each written once and read three times.
pub async fn one_by_one(cache: &Cache, keys: usize) -> Result<Latencies, Failure> {
    let run = next_run();
    let mut latencies = Vec::new();
    for round in 0..4 {
        for n in 0..keys {
            let (key, value) = (format!("{run} {n}"), format!("value of {run} {n}"));
            let started = Instant::now();
            if round == 0 {
                cache.put(key, value).await?;
            } else {
                let found = cache.get(key.clone()).await?;
                if found.as_deref() != Some(value.as_bytes()) {
                    return Err(format!("{key} has {found:?} and not {value:?}").into());
                }
            }
            latencies.push(started.elapsed());
        }
    }
    latencies.sort();
    Ok(Latencies(latencies))
}

/// So many at a time, for so long; answers how many there were in a second.
pub async fn many_at_a_time(cache: &Cache, in_flight: usize, duration: Duration) -> Result<f64, Failure> {
    let run = next_run();
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..in_flight {
        let (cache, run) = (cache.clone(), run.clone());
        workers.spawn(async move {
            let mut done = 0u64;
            while started.elapsed() < duration {
                let key = format!("{run} {worker} {}", done % 10);
                if done < 10 {
                    cache.put(key, "v").await?;
                } else {
                    cache.get(key).await?;
                }
                done += 1;
            }
            Ok::<_, hotrod_tokio::Error>(done)
        });
    }
    let mut done = 0;
    while let Some(worker) = workers.join_next().await {
        done += worker??;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

/// No two runs have a key in common.
pub(crate) fn next_run() -> String {
    static RUN: AtomicUsize = AtomicUsize::new(0);
    format!("run {}", RUN.fetch_add(1, Ordering::Relaxed))
}
