//! Listening to changes.

use bytes::Bytes;
use hotrod_core::wire::{CounterEvent, Event, Request, RequestOptions};
use tokio::sync::mpsc;

use crate::Session;

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerEvent {
    /// Of a cache.
    Entry(Event),
    /// Of a counter.
    Counter(CounterEvent),
}

/// A listener; its events wait in order until they are taken. Dropping it removes it from the server.
///
/// An application that takes them too slowly holds up its whole link: no event is dropped.
pub struct Listener {
    session: Session,
    options: RequestOptions,
    id: Bytes,
    removal: Request,
    events: mpsc::Receiver<ListenerEvent>,
}

impl Listener {
    pub(crate) fn new(
        session: Session,
        options: RequestOptions,
        id: Bytes,
        removal: Request,
        events: mpsc::Receiver<ListenerEvent>,
    ) -> Self {
        Self { session, options, id, removal, events }
    }

    /// The id under which the server knows it.
    pub fn id(&self) -> &Bytes {
        &self.id
    }

    /// The next event; `None` when the session is over: the listener has to be added again, and events were missed.
    pub async fn next(&mut self) -> Option<ListenerEvent> {
        let event = self.events.recv().await;
        self.session.resume();
        event
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.session.forget_listener(&self.id);
        self.session.submit_and_forget(&self.options, &self.removal);
    }
}
