//! Listening to changes.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use hotrod_core::cluster::{ListenerId, ListenerKind};
use hotrod_core::wire::{CounterEvent, Event};
use tokio::sync::oneshot;

use crate::driver::Heard;
use crate::{Cache, Error};

/// What a listener hears.
#[derive(Debug, Clone)]
pub enum ListenerEvent {
    /// Of a cache.
    Entry(Event),
    /// Of a counter.
    Counter(CounterEvent),
    /// The member that served the listener was lost, and another serves it now: what happened in between was missed,
    /// unless the listener includes the current state.
    Moved,
    /// The listener is over: no server takes it any more. The last event.
    Ended(Error),
}

/// A listener; its events wait in order until they are taken, and none is dropped. Dropping it removes it from the
/// server.
///
/// Listeners have a link of their own: an application that takes events too slowly holds up those of its listeners on
/// the same member, and no operation.
pub struct Listener {
    cache: Cache,
    id: ListenerId,
}

/// What the driver knows of a listener.
pub(crate) struct Registration {
    ready: Option<oneshot::Sender<Result<(), Error>>>,
    heard: Heard,
    task: Option<Waker>,
    is_over: bool,
}

impl Registration {
    fn new(ready: oneshot::Sender<Result<(), Error>>) -> Self {
        Self { ready: Some(ready), heard: Heard::new(), task: None, is_over: false }
    }

    pub(crate) fn announce(&mut self, outcome: Result<(), Error>) {
        if let Some(ready) = self.ready.take() {
            // Nobody waits: the listener was given up.
            let _ = ready.send(outcome);
        }
    }

    /// Answers the task to wake.
    pub(crate) fn push(&mut self, event: ListenerEvent) -> Option<Waker> {
        self.heard.push_back(event);
        self.task.take()
    }

    /// It was not registered, or is no more.
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
        // From here on dropping it removes it, also if nobody waits for the answer.
        let listener = Self { cache: cache.clone(), id };
        registered.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(listener)
    }

    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<ListenerEvent> {
        let shared = Arc::clone(&self.cache.client.shared);
        poll_fn(|cx| {
            let mut inner = shared.lock();
            let Some(registration) = inner.listeners.get_mut(self.id) else { return Poll::Ready(None) };
            let Some(event) = registration.heard.pop_front() else {
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
