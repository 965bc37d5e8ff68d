//! The cluster machine for hosts in other languages: identities are numbers, and times are microseconds since an epoch
//! of the host's choosing.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use slotmap::{Key, KeyData};

use super::crossing::Context;
use super::failure::Failure;
use super::shape::{Shape, Value};
use crate::cluster::{
    CacheHandle, Call, Cluster, Config, Counters, Coverage, Endpoint, Event, IterationOptions, LinkId, ListenerKind,
    MemberId, MemberInfo, NearCacheOptions, Output, ReadFrom, Tls, TlsConfig,
};
use crate::session::Ready;
use crate::time::Instant;
use crate::uri::ConnectionUri;
use crate::wire::{Flags, ListenerOptions, MediaType, Member, Request, RequestOptions, SendBuffer};

/// A [`Cluster`] and its caches, identified by numbers.
///
/// An unknown number is accepted where it can result from a delay: a link that the machine has closed, an operation
/// that has completed. Where it can only be a mistake, it is a [`Failure::misuse`].
pub struct Machine {
    cluster: Cluster,
    caches: BTreeMap<u32, CacheHandle>,
    /// Number of the next cache.
    next_cache: u32,
    default_cache: String,
}

/// Options of a cache.
#[derive(Debug, Clone, Default)]
pub struct CacheOptions {
    /// Name of the cache; empty for the server's default cache.
    pub name: String,
    /// Flags of every request.
    pub flags: u32,
    /// Media type of keys; empty for the client's default, or else the storage media type.
    pub key_type: String,
    /// Media type of values; empty for the client's default, or else the storage media type.
    pub value_type: String,
    /// Whether to read from any owner instead of the primary owner.
    pub read_from_any_owner: bool,
    /// Further parameters of every request, such as `traceparent` (4.0 and later).
    pub parameters: Vec<(String, Bytes)>,
}

/// Options of an operation.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    /// The only member that may execute the operation.
    pub member: Option<u64>,
    /// Timeout over all attempts; `None` for the machine's.
    pub timeout: Option<Duration>,
    /// As [`Call::storage_keys`].
    pub storage_keys: Box<[Bytes]>,
}

/// Topology of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewInfo {
    /// Id of the topology; only good for comparison.
    pub topology_id: u32,
    /// Addresses of the members.
    pub members: Vec<String>,
    /// Owners of each segment, primary first, as indices into `members`. Empty if keys are not distributed by hash.
    pub owners: Vec<Vec<usize>>,
}

macro_rules! key {
    ($number:expr) => {
        KeyData::from_ffi($number).into()
    };
}

impl Machine {
    /// Creates a client from a connection URI. All randomness comes from `seed`.
    pub fn new(uri: &str, seed: [u8; 32], now: u64) -> Result<Self, Failure> {
        let uri: ConnectionUri = uri.parse()?;
        let config = Config::from_uri(&uri)?;
        Ok(Self::of(Cluster::new(config, seed, Instant::from_micros(now)), uri.cache.unwrap_or_default()))
    }

    /// Creates a client from a configured machine.
    pub fn of(cluster: Cluster, default_cache: String) -> Self {
        Self { cluster, caches: BTreeMap::new(), next_cache: 0, default_cache }
    }

    /// The underlying machine.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Cache named by the URI; empty for the server's default cache.
    pub fn default_cache(&self) -> &str {
        &self.default_cache
    }

    /// Media types of keys and of values in caches whose options leave them out; empty if there is none.
    pub fn default_media_types(&self) -> [String; 2] {
        let Config { key_media_type, value_media_type, .. } = self.cluster.config();
        [key_media_type, value_media_type].map(|media_type| match media_type {
            MediaType::Unspecified => String::new(),
            media_type => media_type.to_string(),
        })
    }

    /// Returns a new number for a cache with these options; valid until [`release_cache`](Self::release_cache).
    pub fn cache(&mut self, now: u64, options: CacheOptions) -> Result<u32, Failure> {
        let media_type = |text: &str| match text {
            "" => Ok(MediaType::Unspecified),
            text => text.parse().map_err(|error| Failure::misuse(alloc::format!("{text:?} is {error}"))),
        };
        let request = RequestOptions {
            cache: options.name,
            flags: Flags(options.flags),
            key_type: media_type(&options.key_type)?,
            value_type: media_type(&options.value_type)?,
            other_parameters: options.parameters,
        };
        let handle = self.cluster.cache(Instant::from_micros(now), request);
        let read_from = if options.read_from_any_owner { ReadFrom::AnyOwner } else { ReadFrom::PrimaryOwner };
        // Numbers are not reused before all others were.
        while self.caches.contains_key(&self.next_cache) {
            self.next_cache = self.next_cache.wrapping_add(1);
        }
        let number = self.next_cache;
        self.next_cache = number.wrapping_add(1);
        self.caches.insert(number, handle.with_reads_from(read_from));
        Ok(number)
    }

    /// Releases the number of a cache and its options. Operations, listeners and iterations that were begun with it go on.
    pub fn release_cache(&mut self, cache: u32) {
        self.caches.remove(&cache);
    }

    fn handle(&self, cache: u32) -> Result<&CacheHandle, Failure> {
        self.caches.get(&cache).ok_or_else(|| Failure::misuse(alloc::format!("there is no cache {cache}")))
    }

    /// As [`Cluster::start`].
    pub fn start(&mut self, now: u64, cache: u32) -> Result<(), Failure> {
        let handle = self.handle(cache)?.clone();
        self.cluster.start(Instant::from_micros(now), &handle);
        Ok(())
    }

    /// As [`Cluster::submit`].
    pub fn submit(&mut self, now: u64, cache: u32, request: Request, options: CallOptions) -> Result<u64, Failure> {
        let cache = self.handle(cache)?.clone();
        let CallOptions { member, timeout, storage_keys } = options;
        let call = Call { cache, request, member: member.map(|id| key!(id)), timeout, storage_keys };
        Ok(self.cluster.submit(Instant::from_micros(now), call)?.data().as_ffi())
    }

    /// As [`Cluster::cancel`].
    pub fn cancel(&mut self, operation: u64) -> bool {
        self.cluster.cancel(key!(operation))
    }

    /// As [`Cluster::listen`], to a cache.
    pub fn listen(&mut self, now: u64, cache: u32, options: ListenerOptions) -> Result<u64, Failure> {
        self.listen_to(now, cache, ListenerKind::Cache(options))
    }

    /// As [`Cluster::listen`], to a counter.
    pub fn listen_to_counter(&mut self, now: u64, cache: u32, counter: String) -> Result<u64, Failure> {
        self.listen_to(now, cache, ListenerKind::Counter(counter))
    }

    fn listen_to(&mut self, now: u64, cache: u32, kind: ListenerKind) -> Result<u64, Failure> {
        let handle = self.handle(cache)?.clone();
        Ok(self.cluster.listen(Instant::from_micros(now), &handle, kind)?.data().as_ffi())
    }

    /// As [`Cluster::remove_listener`].
    pub fn remove_listener(&mut self, now: u64, listener: u64) -> bool {
        self.cluster.remove_listener(Instant::from_micros(now), key!(listener))
    }

    /// As [`Cluster::events_taken`].
    pub fn events_taken(&mut self, now: u64, listener: u64, count: usize) {
        self.cluster.events_taken(Instant::from_micros(now), key!(listener), count);
    }

    /// As [`Cluster::iterate`].
    pub fn iterate(&mut self, now: u64, cache: u32, options: IterationOptions) -> Result<u64, Failure> {
        let handle = self.handle(cache)?.clone();
        Ok(self.cluster.iterate(Instant::from_micros(now), &handle, options)?.data().as_ffi())
    }

    /// As [`Cluster::next_entries`].
    pub fn next_entries(&mut self, now: u64, iteration: u64) -> bool {
        self.cluster.next_entries(Instant::from_micros(now), key!(iteration))
    }

    /// As [`Cluster::end_iteration`].
    pub fn end_iteration(&mut self, now: u64, iteration: u64) {
        self.cluster.end_iteration(Instant::from_micros(now), key!(iteration));
    }

    /// As [`Cluster::near_cache`].
    pub fn near_cache(&mut self, now: u64, cache: u32, options: NearCacheOptions) -> Result<(), Failure> {
        let handle = self.handle(cache)?.clone();
        Ok(self.cluster.near_cache(Instant::from_micros(now), &handle, options)?)
    }

    /// As [`Cluster::remove_near_cache`].
    pub fn remove_near_cache(&mut self, now: u64, cache: u32) -> Result<(), Failure> {
        let handle = self.handle(cache)?.clone();
        self.cluster.remove_near_cache(Instant::from_micros(now), &handle);
        Ok(())
    }

    /// As [`Cluster::near_cache_size`]: entries and bytes.
    pub fn near_cache_size(&self, cache: u32) -> Result<(usize, usize), Failure> {
        Ok(self.cluster.near_cache_size(self.handle(cache)?))
    }

    /// As [`Cluster::switch_site`].
    pub fn switch_site(&mut self, now: u64, name: &str) -> bool {
        self.cluster.switch_site(Instant::from_micros(now), name)
    }

    /// As [`Cluster::set_discovered`].
    pub fn set_discovered(&mut self, member: &Member, endpoint: Option<Endpoint>) {
        self.cluster.set_discovered(member, endpoint);
    }

    /// As [`Cluster::set_peer`]; a text that is not an IP address removes the peer.
    pub fn set_peer(&mut self, link: u64, address: &str) {
        // Removes the zone of a link-local address.
        let address = address.split_once('%').map_or(address, |(address, _)| address);
        if let Ok(address) = address.parse() {
            self.cluster.set_peer(key!(link), address);
        }
    }

    /// As [`Cluster::set_tls_exporter`].
    pub fn set_tls_exporter(&mut self, link: u64, exported: &[u8]) {
        self.cluster.set_tls_exporter(key!(link), exported);
    }

    /// As [`Cluster::set_server_certificate`].
    pub fn set_server_certificate(&mut self, link: u64, certificate: &[u8]) {
        self.cluster.set_server_certificate(key!(link), certificate);
    }

    /// As [`Cluster::handle_connected`].
    pub fn handle_connected(&mut self, now: u64, link: u64, alpn: Option<&[u8]>) {
        self.cluster.handle_connected(Instant::from_micros(now), key!(link), alpn);
    }

    /// As [`Cluster::handle_received`].
    pub fn handle_received(&mut self, now: u64, link: u64, bytes: &[u8]) {
        self.cluster.handle_received(Instant::from_micros(now), key!(link), bytes);
    }

    /// As [`Cluster::receive_buffer`].
    pub fn receive_buffer(&mut self, link: u64) -> Option<&mut BytesMut> {
        self.cluster.receive_buffer(key!(link))
    }

    /// As [`Cluster::handle_filled`].
    pub fn handle_filled(&mut self, now: u64, link: u64) {
        self.cluster.handle_filled(Instant::from_micros(now), key!(link));
    }

    /// As [`Cluster::handle_link_lost`].
    pub fn handle_link_lost(&mut self, now: u64, link: u64, why: &str) {
        self.cluster.handle_link_lost(Instant::from_micros(now), key!(link), why);
    }

    /// As [`Cluster::handle_timeout`].
    pub fn handle_timeout(&mut self, now: u64) {
        self.cluster.handle_timeout(Instant::from_micros(now));
    }

    /// As [`Cluster::transmit`].
    pub fn transmit(&self, link: u64) -> Option<&SendBuffer> {
        self.cluster.transmit(key!(link))
    }

    /// As [`Cluster::transmitted`]; a count above the number of waiting bytes is misuse.
    pub fn transmitted(&mut self, link: u64, count: usize) -> Result<(), Failure> {
        let link: LinkId = key!(link);
        let Some(out) = self.cluster.transmit(link) else { return Ok(()) };
        if count > out.len() {
            let message = alloc::format!("{count} bytes were sent of {} that there were", out.len());
            return Err(Failure::misuse(message));
        }
        self.cluster.transmitted(link, count);
        Ok(())
    }

    /// As [`Cluster::wants_read`].
    pub fn wants_read(&self, link: u64) -> bool {
        self.cluster.wants_read(key!(link))
    }

    /// As [`Cluster::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<u64> {
        self.cluster.poll_timeout().map(Instant::as_micros)
    }

    /// Appends the values of the next output to `values` and returns its number.
    pub fn poll(&mut self, values: &mut Vec<Value>) -> Option<u8> {
        let output = self.cluster.poll_output()?;
        let tag = output.tag();
        output.cross(&Context::new(&self.cluster), values);
        Some(tag)
    }

    /// Returns the next output unconverted, for hosts in Rust.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.cluster.poll_output()
    }

    /// All shapes returned by [`poll`](Self::poll).
    pub fn shapes() -> impl Iterator<Item = &'static Shape> {
        Output::SHAPES.iter().chain(Event::SHAPES)
    }

    /// As [`Cluster::close`].
    pub fn close(&mut self, now: u64) {
        self.cluster.close(Instant::from_micros(now));
    }

    /// As [`Cluster::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.cluster.is_closed()
    }

    /// As [`Cluster::counters`].
    pub fn counters(&self) -> Counters {
        self.cluster.counters()
    }

    /// As [`Cluster::coverage`].
    pub fn coverage(&self) -> Coverage {
        self.cluster.coverage()
    }

    /// As [`Cluster::members`], with the number of each member.
    pub fn members(&self) -> impl Iterator<Item = (u64, MemberInfo)> {
        self.cluster.members().map(|member| (member.id.data().as_ffi(), member))
    }

    /// As [`Cluster::session_of`].
    pub fn session_of(&self, member: u64) -> Option<&Ready> {
        self.cluster.session_of(key!(member))
    }

    /// As [`Cluster::view`].
    pub fn view(&self, cache: u32) -> Result<Option<Box<ViewInfo>>, Failure> {
        let Some(view) = self.cluster.view(self.handle(cache)?) else { return Ok(None) };
        let address = |id: &MemberId| self.cluster.address(*id).map(ToString::to_string).unwrap_or_default();
        let index = |owner: MemberId| view.members().iter().position(|member| *member == owner);
        let owners = |segment| view.owners_of_segment(segment).filter_map(index).collect();
        Ok(Some(Box::new(ViewInfo {
            topology_id: view.id(),
            members: view.members().iter().map(address).collect(),
            owners: (0..view.segments()).map(owners).collect(),
        })))
    }

    /// As [`Cluster::tls`]. `server_name` is empty unless the settings have one for all links.
    pub fn tls(&self) -> Option<Tls> {
        let TlsConfig { server_name, alpn, trust_ca, client_certificate } = self.cluster.tls()?.clone();
        Some(Tls { server_name: server_name.unwrap_or_default(), alpn, trust_ca, client_certificate })
    }

    /// As [`Cluster::site`].
    pub fn site(&self) -> &str {
        self.cluster.site()
    }
}
