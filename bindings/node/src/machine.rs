//! The machine's native interface; machine.js wraps it in the documented one.
//!
//! Failures are returned as objects, which machine.js throws: an error of Node-API carries only a message.

use std::time::Duration;

use hotrod_core::cluster::{Counters, Coverage, Endpoint, IterationOptions, NearCacheOptions};
use hotrod_core::vocabulary::{CacheOptions, CallOptions, Failure, Machine as Core, Value};
use hotrod_core::wire::{Factory, Interests, ListenerOptions, Member, Operation, Request};
use napi::bindgen_prelude::{Array, Buffer, BufferSlice, Either, Env, Error, Result};
use napi_derive::napi;

use crate::arguments::JavaScriptArguments;
use crate::ids::AllIds;
use crate::memory::{Borrowed, Copied, List};
use crate::outputs::{KnownShape, append, known_shapes};
use crate::shapes::{FailureShape, TlsShape};

type Outcome<T> = Either<T, FailureShape>;

fn outcome<T>(result: std::result::Result<T, Failure>) -> Outcome<T> {
    result.map_or_else(|failure| Either::B(failure.into()), Either::A)
}

/// Request settings of a cache.
#[napi(object, object_to_js = false)]
pub struct NativeCacheOptions {
    pub flags: u32,
    pub key_type: String,
    pub value_type: String,
    pub read_from_any_owner: bool,
    pub parameters: List<(String, Copied)>,
}

/// A factory of the server.
#[napi(object, object_to_js = false)]
pub struct NativeFactory {
    pub name: String,
    pub parameters: List<Copied>,
}

/// Options of a listener.
#[napi(object, object_to_js = false)]
pub struct NativeListenerOptions {
    pub include_current_state: bool,
    pub filter: Option<NativeFactory>,
    pub converter: Option<NativeFactory>,
    pub use_raw_data: bool,
    pub interests: u32,
}

/// Options of an iteration.
#[napi(object, object_to_js = false)]
pub struct NativeIterationOptions {
    pub segments: Option<Copied>,
    pub filter_converter: Option<NativeFactory>,
    pub batch_size: u32,
    pub include_metadata: bool,
    pub timeout: Option<f64>,
}

/// State of a member in the machine.
#[napi(object, use_nullable = true)]
pub struct NativeMember {
    pub id: f64,
    pub address: String,
    pub ready: bool,
    pub is_seed: bool,
    pub links: u32,
    pub in_flight: u32,
    pub answered: f64,
    pub protocol_version: Option<String>,
    pub failure: Option<String>,
}

/// Coverage of the cluster.
#[napi(object, use_nullable = true)]
pub struct NativeCoverage {
    pub covered: u32,
    pub members: u32,
    pub reason: Option<String>,
}

/// A cache's view of the cluster.
#[napi(object)]
pub struct NativeView {
    pub topology_id: u32,
    pub members: Vec<String>,
    pub owners: Vec<Vec<u32>>,
}

impl From<NativeFactory> for Factory {
    fn from(factory: NativeFactory) -> Self {
        let parameters = factory.parameters.0.into_iter().map(|data| data.0).collect();
        Self { name: factory.name, parameters }
    }
}

/// A client of a whole cluster without IO.
#[napi]
pub struct NativeMachine {
    core: Core,
    ids: AllIds,
    values: Vec<Value>,
    shapes: Vec<Option<KnownShape>>,
}

/// The request of an opcode and its fields.
fn request(opcode: u32, arguments: &Array<'_>) -> std::result::Result<Request, Failure> {
    let operation = u8::try_from(opcode).ok().and_then(Operation::from_request_opcode);
    let operation = operation.ok_or_else(|| Failure::misuse(format!("there is no operation {opcode}")))?;
    let mut arguments = JavaScriptArguments::new(arguments);
    let request = Request::from_arguments(operation, &mut arguments)?;
    if arguments.are_left() {
        return Err(Failure::misuse(format!("{operation} takes fewer arguments")));
    }
    Ok(request)
}

#[napi]
#[allow(clippy::needless_pass_by_value)] // Node-API passes values
impl NativeMachine {
    /// Creates a client for a URI.
    #[napi(factory, catch_unwind)]
    pub fn connect(uri: String, seed: Borrowed<'_>, now: f64) -> Result<Self> {
        let wrong = |text: String| Error::from_reason(text);
        let seed = seed.as_ref().try_into().map_err(|_| wrong("seed: expected 32 bytes".into()))?;
        let core = Core::new(&uri, seed, time(now)).map_err(|failure| wrong(failure.message))?;
        Ok(Self { core, ids: AllIds::default(), values: Vec::new(), shapes: known_shapes() })
    }

    #[napi(getter, catch_unwind)]
    pub fn default_cache(&self) -> &str {
        self.core.default_cache()
    }

    /// Returns the media types of keys and of values in caches whose options leave them out; empty if there is none.
    #[napi(getter, catch_unwind)]
    pub fn default_media_types(&self) -> Vec<String> {
        self.core.default_media_types().into()
    }

    #[napi(getter, catch_unwind)]
    pub fn closed(&self) -> bool {
        self.core.is_closed()
    }

    #[napi(getter, catch_unwind)]
    pub fn site(&self) -> &str {
        self.core.site()
    }

    #[napi(getter, catch_unwind)]
    pub fn tls(&self) -> Option<TlsShape> {
        self.core.tls().map(Into::into)
    }

    #[napi(catch_unwind)]
    pub fn cache(&mut self, now: f64, name: String, options: NativeCacheOptions) -> Outcome<u32> {
        let NativeCacheOptions { flags, key_type, value_type, read_from_any_owner, parameters } = options;
        let parameters = parameters.0.into_iter().map(|(name, data)| (name, data.0)).collect();
        let options = CacheOptions { name, flags, key_type, value_type, read_from_any_owner, parameters };
        outcome(self.core.cache(time(now), options))
    }

    #[napi(catch_unwind)]
    pub fn release_cache(&mut self, cache: u32) {
        self.core.release_cache(cache);
    }

    #[napi(catch_unwind)]
    pub fn start(&mut self, now: f64, cache: u32) -> Outcome<()> {
        outcome(self.core.start(time(now), cache))
    }

    /// Submits an operation by its opcode.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments)] // an object of options would cost more
    pub fn submit(
        &mut self,
        now: f64,
        cache: u32,
        opcode: u32,
        arguments: Array<'_>,
        member: Option<f64>,
        timeout: Option<f64>,
        storage_keys: List<Copied>,
    ) -> Outcome<f64> {
        let storage_keys = storage_keys.0.into_iter().map(|key| key.0).collect();
        let member = member.map(|number| self.ids.member.id(number));
        let options = CallOptions { member, timeout: timeout.map(duration), storage_keys };
        let submitted = request(opcode, &arguments)
            .and_then(|request| self.core.submit(time(now), cache, request, options))
            .map(|id| self.ids.operation.number(id));
        outcome(submitted)
    }

    /// Returns the keys by which an operation is routed.
    #[napi(catch_unwind)]
    pub fn keys(opcode: u32, arguments: Array<'_>) -> Outcome<Vec<Buffer>> {
        let keys = |request: Request| request.keys().iter().map(|key| key.to_vec().into()).collect();
        outcome(request(opcode, &arguments).map(keys))
    }

    #[napi(catch_unwind)]
    pub fn cancel(&mut self, operation: f64) -> bool {
        let id = self.ids.operation.id(operation);
        let cancelled = self.core.cancel(id);
        if cancelled {
            self.ids.operation.forget(id);
        }
        cancelled
    }

    #[napi(catch_unwind)]
    pub fn listen(&mut self, now: f64, cache: u32, options: NativeListenerOptions) -> Outcome<f64> {
        let options = ListenerOptions {
            include_current_state: options.include_current_state,
            filter: options.filter.map(Into::into),
            converter: options.converter.map(Into::into),
            use_raw_data: options.use_raw_data,
            interests: Interests(options.interests),
        };
        let result = self.core.listen(time(now), cache, options);
        outcome(result.map(|id| self.ids.listener.number(id)))
    }

    #[napi(catch_unwind)]
    pub fn listen_to_counter(&mut self, now: f64, cache: u32, counter: String) -> Outcome<f64> {
        let result = self.core.listen_to_counter(time(now), cache, counter);
        outcome(result.map(|id| self.ids.listener.number(id)))
    }

    #[napi(catch_unwind)]
    pub fn remove_listener(&mut self, now: f64, listener: f64) -> bool {
        let id = self.ids.listener.id(listener);
        self.ids.listener.forget(id);
        self.core.remove_listener(time(now), id)
    }

    #[napi(catch_unwind)]
    pub fn events_taken(&mut self, now: f64, listener: f64, count: u32) {
        self.core.events_taken(time(now), self.ids.listener.id(listener), count as usize);
    }

    #[napi(catch_unwind)]
    pub fn iterate(&mut self, now: f64, cache: u32, options: NativeIterationOptions) -> Outcome<f64> {
        let mut iteration = IterationOptions::default();
        iteration.segments = options.segments.map(|mask| mask.0);
        iteration.filter_converter = options.filter_converter.map(Into::into);
        iteration.batch_size = options.batch_size;
        iteration.include_metadata = options.include_metadata;
        iteration.timeout = options.timeout.map(duration);
        let result = self.core.iterate(time(now), cache, iteration);
        outcome(result.map(|id| self.ids.iteration.number(id)))
    }

    #[napi(catch_unwind)]
    pub fn next_entries(&mut self, now: f64, iteration: f64) -> bool {
        self.core.next_entries(time(now), self.ids.iteration.id(iteration))
    }

    #[napi(catch_unwind)]
    pub fn end_iteration(&mut self, now: f64, iteration: f64) {
        let id = self.ids.iteration.id(iteration);
        self.core.end_iteration(time(now), id);
        self.ids.iteration.forget(id);
    }

    #[napi(catch_unwind)]
    pub fn near_cache(
        &mut self,
        now: f64,
        cache: u32,
        max_entries: u32,
        max_bytes: f64,
        bloom_filter: bool,
    ) -> Outcome<()> {
        let mut options = NearCacheOptions::default();
        options.max_entries = max_entries as usize;
        options.max_bytes = max_bytes as usize;
        options.bloom_filter = bloom_filter;
        outcome(self.core.near_cache(time(now), cache, options))
    }

    #[napi(catch_unwind)]
    pub fn remove_near_cache(&mut self, now: f64, cache: u32) -> Outcome<()> {
        outcome(self.core.remove_near_cache(time(now), cache))
    }

    /// Returns the count of entries and bytes.
    #[napi(catch_unwind)]
    pub fn near_cache_size(&self, cache: u32) -> Outcome<Vec<f64>> {
        outcome(self.core.near_cache_size(cache).map(|(entries, bytes)| vec![entries as f64, bytes as f64]))
    }

    #[napi(catch_unwind)]
    pub fn switch_site(&mut self, now: f64, name: String) -> bool {
        self.core.switch_site(time(now), &name)
    }

    #[napi(catch_unwind)]
    pub fn set_discovered(
        &mut self,
        address: String,
        host: Option<String>,
        port: Option<u32>,
        server_name: Option<String>,
    ) -> Outcome<()> {
        let Some(member) = Member::parse(&address) else {
            return outcome(Err(Failure::misuse("address: expected the form host:port")));
        };
        let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(member.port);
        let endpoint = host.map(|host| Endpoint { host, port, server_name });
        self.core.set_discovered(&member, endpoint);
        Either::A(())
    }

    #[napi(catch_unwind)]
    pub fn set_peer(&mut self, link: f64, address: String) {
        self.core.set_peer(self.ids.link.id(link), &address);
    }

    #[napi(catch_unwind)]
    pub fn set_tls_exporter(&mut self, link: f64, exported: BufferSlice<'_>) {
        self.core.set_tls_exporter(self.ids.link.id(link), &exported);
    }

    #[napi(catch_unwind)]
    pub fn set_server_certificate(&mut self, link: f64, certificate: BufferSlice<'_>) {
        self.core.set_server_certificate(self.ids.link.id(link), &certificate);
    }

    #[napi(catch_unwind)]
    pub fn connected(&mut self, now: f64, link: f64, alpn: Option<String>) {
        self.core.handle_connected(time(now), self.ids.link.id(link), alpn.as_deref().map(str::as_bytes));
    }

    #[napi(catch_unwind)]
    pub fn received(&mut self, now: f64, link: f64, data: Borrowed<'_>) {
        self.core.handle_received(time(now), self.ids.link.id(link), data.as_ref());
    }

    #[napi(catch_unwind)]
    pub fn link_lost(&mut self, now: f64, link: f64, why: String) {
        self.core.handle_link_lost(time(now), self.ids.link.id(link), &why);
    }

    #[napi(catch_unwind)]
    pub fn timeout(&mut self, now: f64) {
        self.core.handle_timeout(time(now));
    }

    /// Returns up to `most` queued bytes of a link; null if there are none.
    #[napi(catch_unwind)]
    pub fn transmit<'env>(&mut self, env: &'env Env, link: f64, most: f64) -> Result<Option<BufferSlice<'env>>> {
        let id = self.ids.link.id(link);
        let Some(out) = self.core.transmit(id).filter(|out| !out.is_empty()) else { return Ok(None) };
        let count = out.len().min(most as usize);
        let mut data = Vec::with_capacity(count);
        for segment in out.segments() {
            let part = segment.len().min(count - data.len());
            data.extend_from_slice(&segment[..part]);
            if data.len() == count {
                break;
            }
        }
        self.core.transmitted(id, count).map_err(|failure| Error::from_reason(failure.message))?;
        BufferSlice::from_data(env, data).map(Some)
    }

    #[napi(catch_unwind)]
    pub fn wants_read(&self, link: f64) -> bool {
        self.core.wants_read(self.ids.link.id(link))
    }

    /// Returns the outputs: for each one its tag and its values.
    #[napi(catch_unwind)]
    pub fn poll<'env>(&mut self, env: &'env Env) -> Result<Array<'env>> {
        let mut array = env.create_array(0)?;
        self.values.clear();
        while let Some(tag) = self.core.poll(&mut self.values) {
            let Some(Some(known)) = self.shapes.get(usize::from(tag)) else { continue };
            append(*env, &mut array, known, tag, &mut self.values, &mut self.ids)?;
        }
        Ok(array)
    }

    #[napi(catch_unwind)]
    pub fn poll_timeout(&self) -> Option<f64> {
        self.core.poll_timeout().map(|at| at as f64 / 1000.0)
    }

    #[napi(catch_unwind)]
    pub fn close(&mut self, now: f64) {
        self.core.close(time(now));
    }

    /// Returns the counts in the vocabulary's order, then three latencies in milliseconds, -1 for none.
    #[napi(catch_unwind)]
    pub fn counters(&self) -> Vec<f64> {
        let counters: Counters = self.core.counters();
        let latency = |share| counters.latency.quantile(share).map_or(-1.0, |span| span.as_micros() as f64 / 1000.0);
        let shares = [0.5, 0.99, 1.0];
        counters.values().map(|count| count as f64).chain(shares.into_iter().map(latency)).collect()
    }

    #[napi(catch_unwind)]
    pub fn coverage(&self) -> NativeCoverage {
        let Coverage { covered, members, reason } = self.core.coverage();
        let reason = reason.map(|reason| reason.to_string());
        NativeCoverage { covered: covered as u32, members: members as u32, reason }
    }

    #[napi(catch_unwind)]
    pub fn members(&mut self) -> Vec<NativeMember> {
        let members: Vec<_> = self.core.members().collect();
        let shape = |(id, member): (u64, hotrod_core::cluster::MemberInfo)| NativeMember {
            id: self.ids.member.number(id),
            address: member.address.to_string(),
            ready: member.ready,
            is_seed: member.is_seed,
            links: member.links as u32,
            in_flight: member.in_flight as u32,
            answered: member.answered as f64,
            protocol_version: self.core.session_of(id).map(|session| session.version.to_string()),
            failure: member.failure.map(|reason| reason.to_string()),
        };
        members.into_iter().map(shape).collect()
    }

    #[napi(catch_unwind)]
    pub fn view(&self, cache: u32) -> Outcome<Option<NativeView>> {
        let owners = |owners: Vec<usize>| owners.into_iter().map(|owner| owner as u32).collect();
        outcome(self.core.view(cache).map(|view| {
            view.map(|view| NativeView {
                topology_id: view.topology_id,
                members: view.members,
                owners: view.owners.into_iter().map(owners).collect(),
            })
        }))
    }
}

/// Converts the host's milliseconds to the machine's microseconds.
pub(crate) fn time(milliseconds: f64) -> u64 {
    (milliseconds * 1000.0).round() as u64
}

/// Converts milliseconds to a duration; 0 would mean no limit.
fn duration(milliseconds: f64) -> Duration {
    Duration::from_micros(time(milliseconds).max(1))
}
