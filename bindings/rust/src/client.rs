//! The client.

use std::sync::Arc;

use hotrod_core::cluster::{AccessPath, CacheHandle, Counters, Coverage, Event, MemberId, MemberInfo, View};
use hotrod_core::session::Ready;
use hotrod_core::vocabulary::Refusal;
use hotrod_core::wire::{Operation, RequestOptions};
use tokio::sync::{broadcast, oneshot};

use crate::dial::Dialer;
use crate::driver::Shared;
use crate::timer::Timer;
use crate::tls::TlsFiles;
use crate::{Cache, Counter, Error, Multimap, Schemas, Settings};

/// A client of one cluster; cheap to clone, and shared by any number of tasks.
///
/// Keeps a link to every member, sends each operation to the member that owns its key, and continues while members
/// join, leave and fail. Operations are retried where that is safe; the error of a failed operation says whether the
/// operation may have been applied. Dropping the last clone, including those in caches, listeners and iterations,
/// closes the links.
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
    /// Connects to the cluster of a URI: `hotrod://user:password@host:port/cache?property=value`, or `hotrods://` for
    /// TLS.
    pub async fn connect(uri: &str) -> Result<Self, Error> {
        Self::connect_with(Settings::from_uri(&uri.parse()?)?).await
    }

    /// Connects; fails if no server can be reached or no server accepts the session.
    pub async fn connect_with(settings: Settings) -> Result<Self, Error> {
        let dialer = Dialer {
            tls: settings.cluster.tls.as_ref().map(TlsFiles::read).transpose()?.map(Arc::new),
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

    /// Returns a cache by its name. A cache that does not exist fails with the first operation.
    pub fn cache(&self, name: &str) -> Cache {
        Cache::new(self.clone(), RequestOptions::cache(name))
    }

    /// Returns the cache of the URI, or the server's default cache.
    pub fn default_cache(&self) -> Cache {
        self.cache(&self.default_cache)
    }

    /// Returns the schemas of Protocol Buffers in the servers: register, update, list and remove them.
    pub fn schemas(&self) -> Schemas {
        Schemas::new(self)
    }

    /// Returns a counter by its name. A counter that does not exist fails with the first operation.
    pub fn counter(&self, name: &str) -> Counter {
        Counter::new(self.cache(""), name)
    }

    /// Returns a multimap stored in the cache `name`; with duplicates a key may have the same value more than once.
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

    /// Returns the client's statistics: operations, direct hits, retries, bytes, latencies.
    pub fn counters(&self) -> Counters {
        self.shared.lock().cluster.counters()
    }

    /// Returns the access path of the members: that of the settings, or with `auto` the one chosen by the first answers.
    pub fn access_path(&self) -> AccessPath {
        self.shared.lock().cluster.access_path()
    }

    /// Returns how many members are reached directly, and why not all.
    pub fn coverage(&self) -> Coverage {
        self.shared.lock().cluster.coverage()
    }

    /// Returns every known member, and the seeds.
    pub fn members(&self) -> Vec<MemberInfo> {
        self.shared.lock().cluster.members().collect()
    }

    /// Returns the negotiated properties of a member's session; `None` if no session with it is ready.
    pub fn session_of(&self, member: MemberId) -> Option<Ready> {
        self.shared.lock().cluster.session_of(member).cloned()
    }

    /// Returns the view by which operations of `cache` are routed; `None` before its first topology.
    pub fn view<K, V>(&self, cache: &Cache<K, V>) -> Option<Arc<View>> {
        self.shared.lock().cluster.view(&cache.handle).cloned()
    }

    /// Subscribes to events of members, topologies, sites and near caches. A slow subscriber loses the oldest.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// Switches to another site; an empty name means the site of the URI. Returns false if the site is unknown.
    pub fn switch_site(&self, name: &str) -> bool {
        self.shared.with(|inner, now| inner.cluster.switch_site(now, name))
    }

    /// Lets operations in flight finish, closes every link, and returns when all are closed. New operations are
    /// refused.
    pub async fn close(&self) {
        let (sender, closed) = oneshot::channel();
        self.shared.with(|inner, now| {
            inner.closed.push(sender);
            inner.cluster.close(now);
        });
        // An error means that the runtime is shutting down, which closes the links.
        let _ = closed.await;
    }
}
