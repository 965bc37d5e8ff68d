//! One worker: its keys, what each may hold, and one operation at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_tokio::core::session::Applied;
use hotrod_tokio::core::wire::Expiration;
use hotrod_tokio::{Cache, Error, Versioned};

use crate::progress::Progress;
use crate::report::{Report, kind};

pub(crate) struct Worker {
    index: usize,
    cache: Cache,
    progress: Arc<Progress>,
    keys: Vec<Key>,
    random: fastrand::Rng,
    written: u64,
    report: Report,
}

struct Key {
    name: Bytes,
    /// The last value that was acknowledged, and those whose outcome nobody knows since.
    possible: Vec<Option<Bytes>>,
}

/// After a failure a worker does not try again at once.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(5);
/// How long the last reads may take: a cluster may still be mending itself.
const PATIENCE: Duration = Duration::from_secs(30);

impl Worker {
    pub(crate) fn new(index: usize, keys: usize, cache: Cache, progress: Arc<Progress>) -> Self {
        let key = |n| Key { name: format!("worker {index} key {n}").into(), possible: vec![None] };
        Self {
            index,
            cache,
            progress,
            keys: (0..keys).map(key).collect(),
            random: fastrand::Rng::with_seed(index as u64),
            written: 0,
            report: Report::default(),
        }
    }

    pub(crate) async fn work(mut self, goes_on: impl Fn() -> bool) -> Report {
        while goes_on() {
            let key = self.random.usize(..self.keys.len());
            let began = Instant::now();
            let result = match self.random.u8(..10) {
                0..5 => self.read(key).await,
                5..9 => self.write(key).await,
                _ => self.compare_and_set(key).await,
            };
            match result {
                Ok(()) => {
                    self.report.operations += 1;
                    self.progress.succeeded(began);
                }
                Err(error) => {
                    *self.report.errors.entry(kind(&error.to_string())).or_default() += 1;
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
        self.check_all().await;
        self.report
    }

    async fn read(&mut self, key: usize) -> Result<(), Error> {
        let found = self.cache.get(self.keys[key].name.clone()).await?;
        self.check(key, found.as_ref());
        Ok(())
    }

    async fn write(&mut self, key: usize) -> Result<(), Error> {
        let value = self.next_value();
        let result = self.cache.put(self.keys[key].name.clone(), value.clone()).await;
        self.keys[key].written(value, result.as_ref().err());
        result.map(drop)
    }

    async fn compare_and_set(&mut self, key: usize) -> Result<(), Error> {
        let name = self.keys[key].name.clone();
        let Some(entry) = self.cache.get_with_metadata(name.clone()).await? else {
            self.check(key, None);
            return Ok(());
        };
        self.check(key, Some(&entry.value));
        let value = self.next_value();
        let version = entry.metadata.version;
        let result = self.cache.replace_if_unmodified(name, version, value.clone(), Expiration::DEFAULT).await;
        match &result {
            Ok(Versioned::Done) => self.keys[key].written(value, None),
            // An earlier write of unknown outcome came through only now.
            Ok(outcome) if self.keys[key].possible.len() < 2 => {
                let name = self.keys[key].name.clone();
                let now = self.cache.get_with_metadata(name.clone()).await?;
                if now.as_ref().is_some_and(|now| now.value == value) {
                    self.report.stored_but_denied += 1;
                    self.keys[key].written(value, None);
                } else {
                    self.report.wrong_values.push(format!(
                        "{name:?}: {outcome:?} of version {version:x}, and nobody else writes it; asked for {value:?}, it \
                         was {:?} and now is {now:x?}",
                        entry.value
                    ));
                }
            }
            Ok(_) => {}
            Err(error) => self.keys[key].written(value, Some(error)),
        }
        result.map(drop)
    }

    fn next_value(&mut self) -> Bytes {
        self.written += 1;
        format!("value {} of worker {}", self.written, self.index).into()
    }

    fn check(&mut self, key: usize, found: Option<&Bytes>) {
        let key = &self.keys[key];
        if !key.possible.iter().any(|possible| possible.as_ref() == found) {
            self.report.wrong_values.push(format!("{:?} held {found:?}, possible were {:?}", key.name, key.possible));
        }
    }

    /// No acknowledged write is lost.
    async fn check_all(&mut self) {
        let cache = self.cache.with_timeout(PATIENCE);
        for key in &self.keys {
            match cache.get(key.name.clone()).await {
                Ok(found) if key.possible.contains(&found) => {}
                Ok(found) => {
                    let (name, possible) = (&key.name, &key.possible);
                    self.report.lost_writes.push(format!("{name:?} holds {found:?}, possible were {possible:?}"));
                }
                Err(error) => self.report.lost_writes.push(format!("{:?} can't be read: {error}", key.name)),
            }
        }
    }
}

impl Key {
    fn written(&mut self, value: Bytes, error: Option<&Error>) {
        match error.map(Error::applied) {
            None => self.possible = vec![Some(value)],
            Some(Applied::No) => {}
            Some(Applied::Unknown) => self.possible.push(Some(value)),
        }
    }
}
