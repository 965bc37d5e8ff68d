//! A client that works while something goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hotrod_failover::Report;
use hotrod_tokio::Client;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

use super::{Finding, SOON};
use crate::outside::{PODS, TRIALS};
use crate::rows::ENOUGH;
use crate::{Failure, Outside, coverage, paths};

/// Of each client.
const WORKERS: usize = 4;
const KEYS: usize = 20;
/// How long the servers count until the share of direct hits is looked at.
const WINDOW: Duration = Duration::from_millis(300);
/// Fewer operations than these tell nothing.
const FEWEST: u64 = 50;
/// Longer than anything should take; what is not back then is not coming back.
const LONG: Duration = Duration::from_secs(60);

/// A client on its path, at work.
pub(super) struct Trial {
    path: &'static str,
    cache: String,
    pub(super) client: Client,
    is_over: Arc<AtomicBool>,
    load: JoinHandle<Report>,
    back_after: Option<Duration>,
    pub(super) problems: Vec<String>,
}

/// Clients that go through the same together.
pub(super) struct Trials(pub(super) Vec<Trial>);

impl Trials {
    /// Starts a client on each of these rows, and waits until all of them cover all members.
    pub(super) async fn start(outside: &Outside, rows: &[&'static str]) -> Result<Self, Failure> {
        let mut trials = Self::start_uncovered(outside, rows).await?;
        for trial in &mut trials.0 {
            let covered = coverage::wait_for(&trial.client, PODS, LONG).await;
            if !coverage::is_full(&covered, PODS) {
                return Err(format!("{}: {covered:?} before anything went wrong", trial.path).into());
            }
        }
        trials.until_direct(outside, PODS).await?;
        trials.0.iter_mut().for_each(|trial| trial.back_after = None);
        Ok(trials)
    }

    /// Starts a client on each of these rows.
    pub(super) async fn start_uncovered(outside: &Outside, rows: &[&'static str]) -> Result<Self, Failure> {
        assert!(rows.len() <= TRIALS, "there are {TRIALS} caches");
        let mut trials = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            trials.push(Trial::start(outside, row, format!("trial-{index}")).await?);
        }
        Ok(Self(trials))
    }

    /// Waits until each client covers so many members, and all that it does comes to the owners; notes how long that took.
    pub(super) async fn until_direct(&mut self, outside: &Outside, members: usize) -> Result<(), Failure> {
        let began = Instant::now();
        let mut waiting: Vec<_> = (0..self.0.len()).collect();
        while !waiting.is_empty() && began.elapsed() < LONG {
            let before = block_in_place(|| outside.metrics())?;
            sleep(WINDOW).await;
            let after = block_in_place(|| outside.metrics())?;
            waiting.retain(|index| {
                let trial = &mut self.0[*index];
                let hits = after.hits(&trial.cache).since(before.hits(&trial.cache));
                let is_covered = coverage::is_full(&trial.client.coverage(), members);
                let is_direct = is_covered && hits.total() >= FEWEST && hits.direct_share() >= ENOUGH;
                if is_direct {
                    let took = began.elapsed();
                    trial.back_after = Some(trial.back_after.map_or(took, |known| known.max(took)));
                }
                !is_direct
            });
        }
        for index in waiting {
            let trial = &mut self.0[index];
            let coverage = trial.client.coverage();
            trial.problems.push(format!("not all is direct after {LONG:?}: {coverage:?} of {members}"));
        }
        Ok(())
    }

    /// Ends the work, and tells what came of it.
    pub(super) async fn finish(self, failure: &str) -> Result<Vec<Finding>, Failure> {
        let mut findings = Vec::new();
        for trial in self.0 {
            findings.push(trial.finish(failure).await?);
        }
        Ok(findings)
    }
}

impl Trial {
    async fn start(outside: &Outside, row: &'static str, cache: String) -> Result<Self, Failure> {
        let path = paths::path(row).ok_or_else(|| format!("there is no row {row:?}"))?;
        let uri = path.uri(outside).replace("/dist", &format!("/{cache}"));
        let client = Client::connect(&uri).await?;
        let is_over = Arc::new(AtomicBool::new(false));
        let load = tokio::spawn({
            let (is_over, cache) = (is_over.clone(), client.default_cache());
            async move {
                cache.clear().await.expect("an empty cache to begin with");
                hotrod_failover::run_while(&cache, WORKERS, KEYS, move || !is_over.load(Ordering::Relaxed)).await
            }
        });
        Ok(Self { path: row, cache, client, is_over, load, back_after: None, problems: Vec::new() })
    }

    async fn finish(mut self, failure: &str) -> Result<Finding, Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        let report = self.load.await?;
        self.client.close().await;
        let back_after_ms = self.back_after.map(|took| took.as_millis() as u64);
        if self.back_after.is_some_and(|took| took > SOON) {
            self.problems.push(format!("direct again after {} ms", back_after_ms.unwrap_or_default()));
        }
        let lost = report.lost_writes.iter().map(|lost| format!("lost: {lost}"));
        let wrong = report.wrong_values.iter().map(|wrong| format!("wrong: {wrong}"));
        self.problems.extend(lost.chain(wrong).take(5));
        if report.operations < FEWEST {
            self.problems.push(format!("only {} operations succeeded", report.operations));
        }
        for (message, count) in &report.errors {
            eprintln!("    {}: {count} times {message}", self.path);
        }
        Ok(Finding {
            failure: failure.into(),
            path: self.path.into(),
            back_after_ms,
            longest_pause_ms: report.longest_pause.as_millis() as u64,
            operations: report.operations,
            errors: report.error_count(),
            problems: self.problems,
        })
    }
}
