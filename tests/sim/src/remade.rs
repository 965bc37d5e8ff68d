//! A cache that is removed and made anew, while every client listens to it and keeps its values near.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{CacheHandle, ClusterError, Event, ListenerId, ListenerKind, NearCacheOptions, OperationId};
use hotrod_core::wire::{self, Body, Expiration, ListenerOptions, Reply, Request, RequestOptions};
use hotrod_embedded::{CacheOptions, Connection, MemberState};

use crate::host::Host;
use crate::world::World;

const CACHE: &str = "remade";
const KEY: Bytes = Bytes::from_static(b"key");
/// How long it takes at most until a client has found out that servers have forgotten its listeners: a check after 30 s, a
/// second one after 2 s, and a pause.
const NOTICED: Duration = Duration::from_secs(45);

/// The cache as the servers have it.
#[derive(Default)]
pub struct Remade {
    /// How many times a value was stored.
    stored: u64,
    /// The value that it has; `None` if the cache is empty, or away.
    value: Option<Bytes>,
}

/// What a client has of it.
pub struct Watching {
    cache: CacheHandle,
    listener: Option<ListenerId>,
    has_near_cache: bool,
    reading: Option<OperationId>,
}

impl World {
    /// Makes the cache, and has every client watch it.
    pub fn watch_remade_cache(&mut self) {
        let now = self.now;
        for host in &mut self.hosts {
            let cache = host.client.cache(now, RequestOptions::cache(CACHE));
            host.watching = Some(Watching { cache, listener: None, has_near_cache: false, reading: None });
        }
        self.make_cache();
    }

    /// Removes the cache. Returns false if there is none.
    pub fn remove_cache(&mut self) -> bool {
        self.remade.value = None;
        self.servers.remove_cache(CACHE)
    }

    /// Makes the cache, if it is away, with a value that it never had.
    pub fn make_cache(&mut self) {
        if self.servers.create_cache(CACHE, CacheOptions::default()).is_ok() && self.nobody_is_dead() {
            self.store_in_remade();
        }
    }

    fn store_in_remade(&mut self) {
        let serves =
            |member: &&hotrod_embedded::MemberId| self.servers.member_state(**member) == Some(MemberState::Running);
        let Some(member) = self.by_port.values().find(serves).copied() else { return };
        self.remade.stored += 1;
        let value = Bytes::from(format!("value {}", self.remade.stored));
        let request = Request::Put { key: KEY, expiration: Expiration::DEFAULT, value: value.clone() };
        self.request_by_another(member, &RequestOptions::cache(CACHE), &request);
        self.remade.value = Some(value);
    }

    /// A request of a client that knows one member.
    pub(crate) fn request_by_another(
        &mut self,
        member: hotrod_embedded::MemberId,
        options: &RequestOptions,
        request: &Request,
    ) {
        let mut connection = Connection::open(&mut self.servers, member).expect("accepted");
        let intelligence = wire::Intelligence::Basic;
        let envelope = wire::Envelope { message_id: 1, version: wire::Version::V4_0, intelligence, topology_id: 0 };
        let mut out = wire::SendBuffer::new();
        wire::write_request(envelope, options, request, &mut out);
        connection.handle_received(&out.to_bytes());
        let moment = self.moment();
        connection.process(&mut self.servers, moment);
        assert!(!connection.transmit().is_empty(), "it is answered");
        connection.close(&mut self.servers);
        self.deliver();
    }

    /// Every client asks again for what was refused, and takes its answers.
    pub fn keep_watching(&mut self) {
        let now = self.now;
        for host in &mut self.hosts {
            host.watch(now);
            let Some(watching) = &mut host.watching else { continue };
            watching.reading = watching.reading.filter(|id| host.answers.remove(id).is_none());
        }
    }

    /// Every client reads, unless it still does.
    pub fn read_remade_cache(&mut self) {
        let now = self.now;
        for host in &mut self.hosts {
            let Some(watching) = host.watching.as_ref().filter(|watching| watching.reading.is_none()) else { continue };
            let cache = watching.cache.clone();
            let reading = host.submit_to(now, &cache, Request::Get { key: KEY }).ok();
            host.watching.iter_mut().for_each(|watching| watching.reading = reading);
        }
    }

    /// Once the faults are over no client returns what was removed, and every listener hears of a write, or was told that it
    /// may have missed it.
    pub fn check_remade_cache(&mut self) -> Result<(), String> {
        if self.hosts.iter().any(|host| host.watching.is_none()) {
            return Ok(());
        }
        self.keep_watching();
        self.run_for(Duration::from_secs(5));
        self.check_values_of_remade()?;
        if self.remade.value.is_none() {
            // Of an entry that is created a near cache hears nothing: there has to be one whose change shows who is deaf.
            self.store_in_remade();
            self.run_for(Duration::from_secs(5));
            self.check_values_of_remade()?;
        }
        for _ in 0..3 {
            self.hosts.iter_mut().for_each(|host| host.events.clear());
            self.store_in_remade();
            self.run_for(NOTICED);
            self.keep_watching();
            if self.hosts.iter().any(|host| !host.hears_remade(true)) {
                return Err("a listener of a cache made anew hears nothing, and was told nothing".into());
            }
            if self.hosts.iter().all(|host| host.hears_remade(false)) {
                return Ok(());
            }
        }
        Err("a listener of a cache made anew moves again and again".into())
    }

    /// No client returns what was removed.
    fn check_values_of_remade(&mut self) -> Result<(), String> {
        let expected = self.remade.value.clone();
        for host in 0..self.hosts.len() {
            let read = self.call_remade(host).map_err(|error| error.to_string())?;
            let value = match read.body {
                Body::Value(value) => Some(value),
                _ => None,
            };
            if value != expected {
                return Err(format!("client {host} reads {value:?} from a cache made anew, which has {expected:?}"));
            }
        }
        Ok(())
    }

    fn call_remade(&mut self, host: usize) -> Result<Reply, ClusterError> {
        let cache = self.hosts[host].watching.as_ref().expect("it watches").cache.clone();
        let id = self.hosts[host].submit_to(self.now, &cache, Request::Get { key: KEY }).expect("accepted");
        self.run_until(Duration::from_secs(60), |world| world.hosts[host].answers.contains_key(&id));
        self.hosts[host].answers.remove(&id).expect("an answer")
    }
}

impl Host {
    /// Operations of the machine for a cache that is made anew: a question about it, two registrations, and a check.
    pub(crate) fn most_for_remade(&self) -> usize {
        if self.watching.is_some() { 4 } else { 0 }
    }

    /// The members that the client knows from the topology of that cache.
    pub(crate) fn members_of_remade(&self) -> usize {
        let view = self.watching.as_ref().and_then(|watching| self.client.view(&watching.cache));
        view.map_or(0, |view| view.members().len())
    }

    /// Asks for the listener and the near cache that it has not, or not any more.
    fn watch(&mut self, now: hotrod_core::time::Instant) {
        let Some(watching) = &mut self.watching else { return };
        for event in &self.events {
            match event {
                Event::ListenerFailed { listener, .. } => _ = watching.listener.take_if(|own| own == listener),
                Event::NearCacheInactive { error: Some(_), .. } => watching.has_near_cache = false,
                _ => {}
            }
        }
        if watching.listener.is_none() {
            let kind = ListenerKind::Cache(ListenerOptions::default());
            watching.listener = self.client.listen(now, &watching.cache, kind).ok();
        }
        if !watching.has_near_cache {
            let options = NearCacheOptions::default();
            watching.has_near_cache = self.client.near_cache(now, &watching.cache, options).is_ok();
        }
    }

    /// Whether its listener has heard of a change, or `or_told` that it was registered.
    fn hears_remade(&self, or_told: bool) -> bool {
        let own = self.watching.as_ref().and_then(|watching| watching.listener);
        self.events.iter().any(|event| match event {
            Event::Entry { listener, .. } => Some(*listener) == own,
            Event::ListenerRegistered { listener, .. } | Event::ListenerMoved { listener, .. } => {
                or_told && Some(*listener) == own
            }
            _ => false,
        })
    }
}
