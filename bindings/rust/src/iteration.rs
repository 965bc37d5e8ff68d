//! Iterations.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use hotrod_core::cluster::{IterationId, IterationOptions};
use hotrod_core::wire::IterationEntry;
use tokio::sync::oneshot;

use crate::codec::{Codec, Raw};
use crate::conversion::Decoder;
use crate::driver::Entries;
use crate::{Cache, Error};

/// Entries of a cache, each once, from all members in parallel. Dropping it early ends the iteration on the servers.
///
/// It continues when members fail, join or leave. Entries that exist during the whole iteration are returned exactly
/// once; entries that are created, changed or removed meanwhile are returned in either state, or not at all.
///
/// Keys and values are decoded by the cache's codecs; those of a filter-converter are values too.
pub struct Iteration<K: Codec = Raw, V: Codec = Raw> {
    cache: Cache<K, V>,
    id: IterationId,
    batch: vec::IntoIter<IterationEntry>,
    /// The pending batch; kept here so that a cancelled `next` does not lose it.
    requested: Option<oneshot::Receiver<Entries>>,
    finished: bool,
}

impl<K: Codec, V: Codec> Iteration<K, V> {
    pub(crate) fn start(cache: &Cache<K, V>, options: IterationOptions) -> Result<Self, Error> {
        let shared = &cache.client.shared;
        let id = shared.with(|inner, now| inner.cluster.iterate(now, &cache.handle, options))?;
        Ok(Self { cache: cache.clone(), id, batch: Vec::new().into_iter(), requested: None, finished: false })
    }

    /// Returns the next entry; `None` after the last, and after an error of the iteration.
    ///
    /// Fails with [`Error::Decode`] for an entry that the codecs can't decode; the next call returns the entry after
    /// it.
    pub async fn next(&mut self) -> Result<Option<IterationEntry<K::Value, V::Value>>, Error> {
        poll_fn(|cx| self.poll_entry(cx)).await.transpose()
    }

    fn poll_entry(&mut self, cx: &mut Context<'_>) -> Poll<Option<Entry<K, V>>> {
        let entry = ready!(self.poll_encoded(cx)).transpose();
        Poll::Ready(entry.map(|entry| Decoder { cache: &self.cache, key_length: None }.iterated(entry?)))
    }

    fn poll_encoded(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<IterationEntry>, Error>> {
        if let Some(entry) = self.batch.next() {
            return Poll::Ready(Ok(Some(entry)));
        }
        if self.finished {
            return Poll::Ready(Ok(None));
        }
        let requested = self.requested.get_or_insert_with(|| request_batch(&self.cache, self.id));
        let entries = ready!(Pin::new(requested).poll(cx)).unwrap_or_else(|_| Err(Error::closed()));
        self.requested = None;
        self.finished = entries.as_ref().is_ok_and(Vec::is_empty) || entries.is_err();
        self.batch = entries?.into_iter();
        Poll::Ready(Ok(self.batch.next()))
    }
}

type Entry<K, V> = Result<IterationEntry<<K as Codec>::Value, <V as Codec>::Value>, Error>;

/// The entries of [`next`](Self::next), for the combinators of `futures` and `tokio_stream`.
impl<K: Codec, V: Codec> Stream for Iteration<K, V> {
    type Item = Entry<K, V>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Entry<K, V>>> {
        self.get_mut().poll_entry(cx)
    }
}

/// No field is pinned.
impl<K: Codec, V: Codec> Unpin for Iteration<K, V> {}

fn request_batch<K, V>(cache: &Cache<K, V>, id: IterationId) -> oneshot::Receiver<Entries> {
    let (sender, entries) = oneshot::channel();
    cache.client.shared.with(|inner, now| {
        inner.iterations.insert(id, sender);
        if !inner.cluster.next_entries(now, id) {
            // An unknown iteration: no batch will follow.
            inner.iterations.remove(id);
        }
    });
    entries
}

impl<K: Codec, V: Codec> Drop for Iteration<K, V> {
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
