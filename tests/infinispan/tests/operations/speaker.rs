//! What executes the operations of a conversation: a session alone, or a whole client.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::wire::{Body, Reply, Request, RequestOptions, Status};
use hotrod_tokio::{Client, Error, Listener, ListenerEvent, Session};
use tokio::task::JoinHandle;

pub enum Speaker {
    Session(Session),
    Client(WholeClient),
}

/// A client, which has one member. Listeners are its own matter: requests about them are done by its listeners.
pub struct WholeClient {
    pub client: Client,
    heard: Arc<AtomicU64>,
    listeners: Mutex<HashMap<Bytes, JoinHandle<()>>>,
}

impl Speaker {
    pub async fn execute(
        &self,
        options: &RequestOptions,
        request: &Request,
        timeout: Option<Duration>,
    ) -> Result<Reply, Error> {
        match self {
            Self::Session(session) => session.execute(options, request, timeout).await,
            Self::Client(client) => client.execute(options, request.clone(), timeout).await,
        }
    }

    /// The operations that the server says it has; none if it does not say.
    pub fn operations(&self) -> Vec<u16> {
        match self {
            Self::Session(session) => session.ready().operations.clone(),
            Self::Client(client) => {
                let member = client.client.members().iter().find(|member| member.ready).map(|member| member.id);
                member
                    .and_then(|member| client.client.session_of(member))
                    .map_or_else(Vec::new, |ready| ready.operations)
            }
        }
    }

    /// How many events of listeners have come.
    pub fn events(&self) -> u64 {
        match self {
            Self::Session(session) => session.counters().events,
            Self::Client(client) => client.heard.load(Ordering::Relaxed),
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Session(session) => session.close(),
            Self::Client(client) => client.client.close().await,
        }
    }
}

impl WholeClient {
    pub fn new(client: Client) -> Self {
        Self { client, heard: Arc::default(), listeners: Mutex::default() }
    }

    async fn execute(
        &self,
        options: &RequestOptions,
        request: Request,
        timeout: Option<Duration>,
    ) -> Result<Reply, Error> {
        let cache = self.client.cache("").with_options(options.clone());
        match &request {
            Request::AddClientListener { listener_id, options } => {
                self.listen(listener_id, cache.listen(options.clone()).await?);
                return Ok(done());
            }
            Request::CounterAddListener { counter, listener_id } => {
                self.listen(listener_id, self.client.counter(counter).listen().await?);
                return Ok(done());
            }
            Request::RemoveClientListener { listener_id } | Request::CounterRemoveListener { listener_id, .. } => {
                let known = self.listeners.lock().unwrap().remove(listener_id);
                if let Some(known) = known {
                    known.abort();
                    return Ok(done());
                }
            }
            _ => {}
        }
        cache.with_timeout(timeout.unwrap_or(Duration::from_secs(20))).execute(request).await
    }

    fn listen(&self, id: &Bytes, mut listener: Listener) {
        let heard = self.heard.clone();
        let hears = tokio::spawn(async move {
            while let Some(event) = listener.next().await {
                if matches!(event, ListenerEvent::Entry(_) | ListenerEvent::Counter(_)) {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        self.listeners.lock().unwrap().insert(id.clone(), hears);
    }
}

fn done() -> Reply {
    Reply { message_id: 0, status: Status::SUCCESS, topology: None, body: Body::Nothing }
}
