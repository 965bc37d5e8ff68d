//! Listeners.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use hotrod_core::cluster::{ListenerId, ListenerKind};
use hotrod_core::wire::{CounterEvent, Event, EventData};
use tokio::sync::oneshot;

use crate::codec::{Codec, Raw};
use crate::conversion::Decoder;
use crate::driver::ListenerEvents;
use crate::{Cache, Error};

/// An event of a listener.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ListenerEvent {
    /// Change of a cache entry.
    Entry(Event),
    /// Change of a counter.
    Counter(CounterEvent),
    /// The listener moved to another member after its own was lost: events in between were missed, unless the listener
    /// includes the current state.
    Moved,
    /// The last event: no server accepts the listener any more.
    Ended(Error),
}

/// A registered listener. Events are queued in order and none is dropped. Dropping the listener removes it from the
/// server.
///
/// Listeners have a link of their own: an application that consumes events too slowly delays its listeners on the same
/// member, but no operation.
///
/// Events have keys in bytes; [`key_of`](Self::key_of) decodes them with the codec `K` of the cache.
pub struct Listener<K: Codec = Raw> {
    cache: Cache<K>,
    id: ListenerId,
}

/// The driver's state of a listener.
pub(crate) struct Registration {
    ready: Option<oneshot::Sender<Result<(), Error>>>,
    events: ListenerEvents,
    task: Option<Waker>,
    is_over: bool,
}

impl Registration {
    fn new(ready: oneshot::Sender<Result<(), Error>>) -> Self {
        Self { ready: Some(ready), events: ListenerEvents::new(), task: None, is_over: false }
    }

    pub(crate) fn announce(&mut self, outcome: Result<(), Error>) {
        if let Some(ready) = self.ready.take() {
            // The receiver is gone if the registration was cancelled.
            let _ = ready.send(outcome);
        }
    }

    /// Queues an event and returns the task to wake.
    pub(crate) fn push(&mut self, event: ListenerEvent) -> Option<Waker> {
        self.events.push_back(event);
        self.task.take()
    }

    /// Ends a listener that was refused or lost, and returns the task to wake.
    pub(crate) fn end(&mut self, error: Error) -> Option<Waker> {
        if self.ready.is_some() {
            self.announce(Err(error));
            return None;
        }
        if self.is_over {
            return None;
        }
        self.is_over = true;
        self.push(ListenerEvent::Ended(error))
    }
}

impl<K: Codec> Listener<K> {
    pub(crate) async fn register<V: Codec>(cache: &Cache<K, V>, kind: ListenerKind) -> Result<Self, Error> {
        let (ready, registered) = oneshot::channel();
        let id = cache.client.shared.with(|inner, now| {
            let id = inner.cluster.listen(now, &cache.handle, kind)?;
            inner.listeners.insert(id, Registration::new(ready));
            Ok::<_, Error>(id)
        })?;
        // From here on a drop removes the registration, including when this future is cancelled.
        let cache = cache.converted(cache.handle.clone(), cache.keys.clone(), Raw);
        let listener = Self { cache, id };
        registered.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(listener)
    }

    /// Decodes the key of an event; `None` if a converter of the server made the event's data. Fails with
    /// [`Error::Decode`].
    ///
    /// ```no_run
    /// use hotrod_tokio::codec::Text;
    /// use hotrod_tokio::core::wire::ListenerOptions;
    /// use hotrod_tokio::ListenerEvent;
    ///
    /// # async fn example(client: hotrod_tokio::Client) -> Result<(), hotrod_tokio::Error> {
    /// let cache = client.cache("dist").with_codecs(Text, Text);
    /// let mut listener = cache.listen(ListenerOptions::default()).await?;
    /// while let Some(event) = listener.next().await {
    ///     if let ListenerEvent::Entry(event) = event {
    ///         println!("{:?} {:?}", event.change, listener.key_of(&event)?);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn key_of(&self, event: &Event) -> Result<Option<K::Value>, Error> {
        match &event.data {
            EventData::Key { key, .. } => {
                Decoder { cache: &self.cache, key_length: Some(key.len()) }.key(key.clone()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Returns the next event; `None` after the last.
    pub async fn next(&mut self) -> Option<ListenerEvent> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<ListenerEvent>> {
        let shared = Arc::clone(&self.cache.client.shared);
        let mut inner = shared.lock();
        let Some(registration) = inner.listeners.get_mut(self.id) else { return Poll::Ready(None) };
        let Some(event) = registration.events.pop_front() else {
            if registration.is_over {
                return Poll::Ready(None);
            }
            registration.task = Some(cx.waker().clone());
            return Poll::Pending;
        };
        drop(inner);
        if matches!(event, ListenerEvent::Entry(_) | ListenerEvent::Counter(_)) {
            shared.with(|inner, now| inner.cluster.events_taken(now, self.id, 1));
        }
        Poll::Ready(Some(event))
    }
}

/// The events of [`next`](Self::next), for the combinators of `futures` and `tokio_stream`.
impl<K: Codec> Stream for Listener<K> {
    type Item = ListenerEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ListenerEvent>> {
        self.get_mut().poll_event(cx)
    }
}

/// No field is pinned.
impl<K: Codec> Unpin for Listener<K> {}

impl<K: Codec> Drop for Listener<K> {
    fn drop(&mut self) {
        let id = self.id;
        self.cache.client.shared.with(|inner, now| {
            inner.cluster.remove_listener(now, id);
            inner.listeners.remove(id);
        });
    }
}
