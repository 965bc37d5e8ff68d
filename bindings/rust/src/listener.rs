//! Listeners.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use hotrod_core::cluster::{ListenerId, ListenerKind};
use hotrod_core::wire::{CounterEvent, Event};
use tokio::sync::oneshot;

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
pub struct Listener {
    cache: Cache,
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

impl Listener {
    pub(crate) async fn register(cache: &Cache, kind: ListenerKind) -> Result<Self, Error> {
        let (ready, registered) = oneshot::channel();
        let id = cache.client.shared.with(|inner, now| {
            let id = inner.cluster.listen(now, &cache.handle, kind)?;
            inner.listeners.insert(id, Registration::new(ready));
            Ok::<_, Error>(id)
        })?;
        // From here on a drop removes the registration, including when this future is cancelled.
        let listener = Self { cache: cache.clone(), id };
        registered.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(listener)
    }

    /// Returns the next event; `None` after the last.
    pub async fn next(&mut self) -> Option<ListenerEvent> {
        let shared = Arc::clone(&self.cache.client.shared);
        poll_fn(|cx| {
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
        })
        .await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let id = self.id;
        self.cache.client.shared.with(|inner, now| {
            inner.cluster.remove_listener(now, id);
            inner.listeners.remove(id);
        });
    }
}
