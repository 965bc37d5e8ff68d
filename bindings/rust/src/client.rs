//! The client that applications use.

use std::sync::Arc;

use hotrod_core::cluster::{CacheHandle, Counters, Coverage, Event, MemberId, MemberInfo, View};
use hotrod_core::session::Ready;
use hotrod_core::vocabulary::Refusal;
use hotrod_core::wire::{Operation, RequestOptions};
use tokio::sync::{broadcast, oneshot};

use crate::dial::Dialer;
use crate::driver::Shared;
use crate::timer::Timer;
use crate::{Cache, Counter, Error, Multimap, Settings, tls};

/// A client of one cluster; cheap to clone, and shared by any number of tasks.
///
/// It keeps a link to every member, sends each operation to the member that owns its key, and goes on while members
/// join, leave and fail: operations are sent again where that is safe, and an operation that fails says whether it may
/// have been applied. When the last clone is dropped, and with it every cache, listener and iteration, the links are
/// closed.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    default_cache: Arc<str>,
    _alive: Arc<Alive>,
}

struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.with(|inner, now| inner.cluster.close(now));
    }
}

impl Client {
    /// Connects to what a URI names: `hotrod://user:password@host:port/cache?property=value`, or `hotrods://` for TLS.
    pub async fn connect(uri: &str) -> Result<Self, Error> {
        Self::connect_with(Settings::from_uri(&uri.parse()?)?).await
    }

    /// Connects; fails if no server can be reached or none accepts the session.
    pub async fn connect_with(settings: Settings) -> Result<Self, Error> {
        let dialer = Dialer {
            tls: settings.cluster.tls.as_ref().map(tls::client_config).transpose()?,
            timeout: settings.cluster.connect_timeout,
        };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| Error::Settings(format!("no randomness: {error}")))?;
        let shared = Shared::new(dialer, settings.cluster, seed);
        let default_cache = settings.cache.into();
        let client = Self { _alive: Arc::new(Alive(shared.clone())), shared, default_cache };
        tokio::spawn(Timer::new(client.shared.clone()));
        let (sender, started) = oneshot::channel();
        let cache = client.default_cache();
        client.shared.with(|inner, now| {
            inner.started = Some(sender);
            inner.cluster.start(now, &cache.handle);
        });
        started.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(client)
    }

    /// A cache, by its name; whether it exists shows with the first operation.
    pub fn cache(&self, name: &str) -> Cache {
        Cache::new(self.clone(), RequestOptions::cache(name))
    }

    /// The cache that the URI names, or the server's default cache.
    pub fn default_cache(&self) -> Cache {
        self.cache(&self.default_cache)
    }

    /// A counter, by its name; whether it exists shows with the first operation.
    pub fn counter(&self, name: &str) -> Counter {
        Counter::new(self.cache(""), name)
    }

    /// A multimap in the cache of that name; with duplicates a key may have the same value more than once.
    pub fn multimap(&self, name: &str, supports_duplicates: bool) -> Multimap {
        Multimap::new(self.cache(name), supports_duplicates)
    }

    pub(crate) fn refused(&self, member: Option<MemberId>, operation: Operation, refusal: Refusal) -> Error {
        let server = member.and_then(|member| self.shared.lock().cluster.address(member).map(ToString::to_string));
        Error::Refusal { server: server.unwrap_or_default(), operation, refusal }
    }

    pub(crate) fn handle(&self, options: RequestOptions) -> CacheHandle {
        self.shared.with(|inner, now| inner.cluster.cache(now, options))
    }

    /// What the client has done: operations, direct hits, retries, bytes, latencies.
    pub fn counters(&self) -> Counters {
        self.shared.lock().cluster.counters()
    }

    /// How many members are reached directly, and why not all.
    pub fn coverage(&self) -> Coverage {
        self.shared.lock().cluster.coverage()
    }

    /// Every member that the client knows, and the seeds.
    pub fn members(&self) -> Vec<MemberInfo> {
        self.shared.lock().cluster.members().collect()
    }

    /// What the negotiation with a member has found; `None` if no session with it is ready.
    pub fn session_of(&self, member: MemberId) -> Option<Ready> {
        self.shared.lock().cluster.session_of(member).cloned()
    }

    /// The present view of the cluster that operations of a cache are routed by; `None` before its first topology.
    pub fn view(&self, cache: &Cache) -> Option<Arc<View>> {
        self.shared.lock().cluster.view(&cache.handle).cloned()
    }

    /// What happens to members, topologies, sites and near caches. A subscriber that is too slow misses some.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// Goes over to another site, or with an empty name back to the one of the URI. Answers false if there is none of
    /// that name.
    pub fn switch_site(&self, name: &str) -> bool {
        self.shared.with(|inner, now| inner.cluster.switch_site(now, name))
    }

    /// Lets operations in flight finish and closes every link; returns when all are closed. Nothing more is accepted.
    pub async fn close(&self) {
        let (sender, closed) = oneshot::channel();
        self.shared.with(|inner, now| {
            inner.closed.push(sender);
            inner.cluster.close(now);
        });
        // The runtime ends: so do the links.
        let _ = closed.await;
    }
}
