//! An application that works through failures of a cluster, and checks what it is told.
//!
//! Each worker has keys of its own, so that it knows what each may hold: the last value whose write was acknowledged,
//! or one whose outcome nobody knows. Half of the operations read, four in ten write, one in ten compares and sets.

mod progress;
mod report;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hotrod_tokio::Cache;

pub use progress::Progress;
pub use report::Report;

/// How much work.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions {
    /// Workers, each with one operation at a time.
    pub workers: usize,
    /// Keys of each.
    pub keys: usize,
    /// For how long.
    pub duration: Duration,
}

/// Works for the given time, and then reads every key.
pub async fn run(cache: &Cache, options: LoadOptions) -> Report {
    let end = Instant::now() + options.duration;
    run_while(cache, options.workers, options.keys, move || Instant::now() < end).await
}

/// Works with so many workers of so many keys as long as that is true, and then reads every key.
pub async fn run_while(
    cache: &Cache,
    workers: usize,
    keys: usize,
    goes_on: impl Fn() -> bool + Clone + Send + 'static,
) -> Report {
    let progress = Arc::new(Progress::start());
    let mut working = tokio::task::JoinSet::new();
    for index in 0..workers {
        let worker = worker::Worker::new(index, keys, cache.clone(), progress.clone());
        working.spawn(worker.work(goes_on.clone()));
    }
    let mut report = Report::default();
    while let Some(done) = working.join_next().await {
        match done {
            Ok(findings) => report.add(findings),
            Err(error) => report.wrong_values.push(format!("a worker ended early: {error}")),
        }
    }
    report.finish(&progress);
    report
}
