//! Iterating over the entries of a cache.

use std::vec;

use hotrod_core::cluster::{IterationId, IterationOptions};
use hotrod_core::wire::IterationEntry;
use tokio::sync::oneshot;

use crate::driver::Entries;
use crate::{Cache, Error};

/// Entries of a cache, each once, from all members at the same time. Dropping it early ends the iteration in the servers.
///
/// It goes on when members fail, join or leave: entries that are there all the time come exactly once. Those that come,
/// go or change meanwhile may come as they were or as they are, or not.
pub struct Iteration {
    cache: Cache,
    id: IterationId,
    batch: vec::IntoIter<IterationEntry>,
    /// The batch that was asked for: a future that is dropped must not take it with it.
    asked: Option<oneshot::Receiver<Entries>>,
    finished: bool,
}

impl Iteration {
    pub(crate) fn start(cache: &Cache, options: IterationOptions) -> Result<Self, Error> {
        let shared = &cache.client.shared;
        let id = shared.with(|inner, now| inner.cluster.iterate(now, &cache.handle, options))?;
        Ok(Self { cache: cache.clone(), id, batch: Vec::new().into_iter(), asked: None, finished: false })
    }

    /// The next entry; `None` after the last. After an error nothing more comes.
    pub async fn next(&mut self) -> Result<Option<IterationEntry>, Error> {
        if let Some(entry) = self.batch.next() {
            return Ok(Some(entry));
        }
        if self.finished {
            return Ok(None);
        }
        let asked = self.asked.get_or_insert_with(|| ask(&self.cache, self.id));
        let entries = asked.await.unwrap_or_else(|_| Err(Error::closed()));
        self.asked = None;
        self.finished = entries.as_ref().is_ok_and(Vec::is_empty) || entries.is_err();
        self.batch = entries?.into_iter();
        Ok(self.batch.next())
    }
}

fn ask(cache: &Cache, id: IterationId) -> oneshot::Receiver<Entries> {
    let (sender, entries) = oneshot::channel();
    cache.client.shared.with(|inner, now| {
        inner.iterations.insert(id, sender);
        if !inner.cluster.next_entries(now, id) {
            // The machine knows it no more: nothing will come.
            inner.iterations.remove(id);
        }
    });
    entries
}

impl Drop for Iteration {
    fn drop(&mut self) {
        if !self.finished {
            let id = self.id;
            self.cache.client.shared.with(|inner, now| {
                inner.iterations.remove(id);
                inner.cluster.end_iteration(now, id);
            });
        }
    }
}
