//! The machine's Python class.

use std::collections::{HashMap, VecDeque};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use hotrod_core::cluster::{Counters, Coverage, Endpoint, IterationOptions, NearCacheOptions};
use hotrod_core::vocabulary::{CacheOptions, CallOptions, Failure, Machine as Core, Value};
use hotrod_core::wire::{Interests, ListenerOptions, Member, Operation, Request};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::answers::{any, none};
use crate::arguments::{PythonArguments, bytes, factory, pairs};
use crate::classes::{Classes, make};
use crate::failures::{misuse, raised};
use crate::outputs::{self, output};

/// Minimum length of input for which the GIL is released while parsing.
const WORTH_RELEASING: usize = 64 << 10;

/// Operations by method name, such as `put_if_absent`.
static OPERATIONS: LazyLock<HashMap<String, Operation>> = LazyLock::new(|| {
    let offered = Operation::table().iter().filter(|row| row.operation.is_offered());
    offered.map(|row| (row.operation.program_name(), row.operation)).collect()
});

/// A client of a whole cluster without IO; documented in `_native.pyi`.
#[pyclass(frozen, module = "libhotrod")]
pub(crate) struct Machine(Mutex<State>);

struct State {
    core: Core,
    /// Outputs whose conversion an exception interrupted.
    kept: VecDeque<Polled>,
    /// Outputs converted before that.
    converted: Option<Py<PyList>>,
}

/// An output: its tag and its values.
struct Polled(u8, Vec<Value>);

impl State {
    fn poll(&mut self) -> VecDeque<Polled> {
        let mut outputs = std::mem::take(&mut self.kept);
        loop {
            let mut values = Vec::new();
            let Some(tag) = self.core.poll(&mut values) else { return outputs };
            outputs.push_back(Polled(tag, values));
        }
    }
}

type Factories<'py> = Option<(String, Vec<Bound<'py, PyAny>>)>;

impl Machine {
    /// Locks the machine; fails while another thread uses it.
    fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, State>> {
        self.0.try_lock().map_err(|error| match error {
            std::sync::TryLockError::WouldBlock => {
                misuse(py, "the machine is in use by another thread: guard it with a lock of your own")
            }
            std::sync::TryLockError::Poisoned(_) => misuse(py, "the machine has failed: make another"),
        })
    }
}

/// Converts a failure to the exception to raise.
fn done<T>(py: Python<'_>, result: Result<T, Failure>) -> PyResult<T> {
    result.map_err(|failure| raised(py, failure))
}

/// The request of an operation's method name and its fields.
fn request(py: Python<'_>, operation: &str, arguments: &Bound<'_, PyTuple>) -> PyResult<Request> {
    let unknown = || misuse(py, format!("there is no operation {operation:?}"));
    let operation = *OPERATIONS.get(operation).ok_or_else(unknown)?;
    let mut arguments = PythonArguments::new(arguments);
    let request = Request::from_arguments(operation, &mut arguments)?;
    if arguments.are_left() {
        return Err(misuse(py, format!("{operation} takes fewer arguments")));
    }
    Ok(request)
}

#[pymethods]
#[allow(clippy::too_many_arguments)] // Python keyword arguments
impl Machine {
    #[new]
    #[pyo3(signature = (uri, *, seed=None, now=0))]
    fn new(py: Python<'_>, uri: &str, seed: Option<[u8; 32]>, now: u64) -> PyResult<Self> {
        let random = || {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|error| PyRuntimeError::new_err(format!("no randomness: {error}")))?;
            Ok::<_, PyErr>(seed)
        };
        let seed = seed.map_or_else(random, Ok)?;
        let core = done(py, Core::new(uri, seed, now))?;
        Ok(Self(Mutex::new(State { core, kept: VecDeque::new(), converted: None })))
    }

    #[getter]
    fn default_media_types(&self, py: Python<'_>) -> PyResult<(String, String)> {
        Ok(self.lock(py)?.core.default_media_types().into())
    }

    #[getter]
    fn default_cache(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.lock(py)?.core.default_cache().into())
    }

    #[getter]
    fn closed(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lock(py)?.core.is_closed())
    }

    #[getter]
    fn site(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.lock(py)?.core.site().into())
    }

    #[getter]
    fn tls<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let tls = self.lock(py)?.core.tls();
        tls.map(|tls| outputs::tls(py, &tls)).transpose()
    }

    #[pyo3(signature = (now, name, *, flags=0, key_type="", value_type="", read_from_any_owner=false, parameters=None))]
    fn cache(
        &self,
        py: Python<'_>,
        now: u64,
        name: &str,
        flags: u32,
        key_type: &str,
        value_type: &str,
        read_from_any_owner: bool,
        parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u32> {
        let parameters = parameters.map(|list| pairs(list, |name| name.extract())).transpose()?.unwrap_or_default();
        let (name, key_type, value_type) = (name.into(), key_type.into(), value_type.into());
        let options = CacheOptions { name, flags, key_type, value_type, read_from_any_owner, parameters };
        done(py, self.lock(py)?.core.cache(now, options))
    }

    fn release_cache(&self, py: Python<'_>, cache: u32) -> PyResult<()> {
        self.lock(py)?.core.release_cache(cache);
        Ok(())
    }

    fn start(&self, py: Python<'_>, now: u64, cache: u32) -> PyResult<()> {
        done(py, self.lock(py)?.core.start(now, cache))
    }

    #[staticmethod]
    fn keys(py: Python<'_>, operation: &str, arguments: &Bound<'_, PyTuple>) -> PyResult<Vec<Py<PyBytes>>> {
        let keys = request(py, operation, arguments)?.keys();
        Ok(keys.iter().map(|key| PyBytes::new(py, key).unbind()).collect())
    }

    #[pyo3(signature = (now, cache, operation, arguments, member=None, timeout=None, storage_keys=None))]
    fn submit(
        &self,
        py: Python<'_>,
        now: u64,
        cache: u32,
        operation: &str,
        arguments: &Bound<'_, PyTuple>,
        member: Option<u64>,
        timeout: Option<u64>,
        storage_keys: Option<Vec<Bound<'_, PyAny>>>,
    ) -> PyResult<u64> {
        let request = request(py, operation, arguments)?;
        let storage_keys = storage_keys.iter().flatten().map(bytes).collect::<PyResult<_>>()?;
        let options = CallOptions { member, timeout: timeout.map(Duration::from_micros), storage_keys };
        done(py, self.lock(py)?.core.submit(now, cache, request, options))
    }

    fn cancel(&self, py: Python<'_>, operation: u64) -> PyResult<bool> {
        Ok(self.lock(py)?.core.cancel(operation))
    }

    #[pyo3(signature = (now, cache, *, include_current_state=false, filter=None, converter=None, use_raw_data=false, interests=0))]
    fn listen(
        &self,
        py: Python<'_>,
        now: u64,
        cache: u32,
        include_current_state: bool,
        filter: Factories<'_>,
        converter: Factories<'_>,
        use_raw_data: bool,
        interests: u32,
    ) -> PyResult<u64> {
        let (filter, converter) = (factory(filter)?, factory(converter)?);
        let interests = Interests(interests);
        let options = ListenerOptions { include_current_state, filter, converter, use_raw_data, interests };
        done(py, self.lock(py)?.core.listen(now, cache, options))
    }

    fn listen_to_counter(&self, py: Python<'_>, now: u64, cache: u32, counter: &str) -> PyResult<u64> {
        done(py, self.lock(py)?.core.listen_to_counter(now, cache, counter.into()))
    }

    fn remove_listener(&self, py: Python<'_>, now: u64, listener: u64) -> PyResult<bool> {
        Ok(self.lock(py)?.core.remove_listener(now, listener))
    }

    fn events_taken(&self, py: Python<'_>, now: u64, listener: u64, count: usize) -> PyResult<()> {
        self.lock(py)?.core.events_taken(now, listener, count);
        Ok(())
    }

    #[pyo3(signature = (now, cache, *, segments=None, filter_converter=None, batch_size=0, include_metadata=false, timeout=None))]
    fn iterate(
        &self,
        py: Python<'_>,
        now: u64,
        cache: u32,
        segments: Option<&Bound<'_, PyAny>>,
        filter_converter: Factories<'_>,
        batch_size: u32,
        include_metadata: bool,
        timeout: Option<u64>,
    ) -> PyResult<u64> {
        let mut options = IterationOptions::default();
        options.segments = segments.map(bytes).transpose()?;
        options.filter_converter = factory(filter_converter)?;
        options.batch_size = batch_size;
        options.include_metadata = include_metadata;
        options.timeout = timeout.map(Duration::from_micros);
        done(py, self.lock(py)?.core.iterate(now, cache, options))
    }

    fn next_entries(&self, py: Python<'_>, now: u64, iteration: u64) -> PyResult<bool> {
        Ok(self.lock(py)?.core.next_entries(now, iteration))
    }

    fn end_iteration(&self, py: Python<'_>, now: u64, iteration: u64) -> PyResult<()> {
        self.lock(py)?.core.end_iteration(now, iteration);
        Ok(())
    }

    #[pyo3(signature = (now, cache, *, max_entries=10_000, max_bytes=67_108_864, bloom_filter=false))]
    fn near_cache(
        &self,
        py: Python<'_>,
        now: u64,
        cache: u32,
        max_entries: usize,
        max_bytes: usize,
        bloom_filter: bool,
    ) -> PyResult<()> {
        let mut options = NearCacheOptions::default();
        options.max_entries = max_entries;
        options.max_bytes = max_bytes;
        options.bloom_filter = bloom_filter;
        done(py, self.lock(py)?.core.near_cache(now, cache, options))
    }

    fn remove_near_cache(&self, py: Python<'_>, now: u64, cache: u32) -> PyResult<()> {
        done(py, self.lock(py)?.core.remove_near_cache(now, cache))
    }

    fn near_cache_size(&self, py: Python<'_>, cache: u32) -> PyResult<(usize, usize)> {
        done(py, self.lock(py)?.core.near_cache_size(cache))
    }

    fn switch_site(&self, py: Python<'_>, now: u64, name: &str) -> PyResult<bool> {
        Ok(self.lock(py)?.core.switch_site(now, name))
    }

    #[pyo3(signature = (address, host=None, port=None, server_name=None))]
    fn set_discovered(
        &self,
        py: Python<'_>,
        address: &str,
        host: Option<String>,
        port: Option<u16>,
        server_name: Option<String>,
    ) -> PyResult<()> {
        let member =
            Member::parse(address).ok_or_else(|| misuse(py, format!("{address:?} is not of the form host:port")))?;
        let endpoint = host.map(|host| Endpoint { host, port: port.unwrap_or(member.port), server_name });
        self.lock(py)?.core.set_discovered(&member, endpoint);
        Ok(())
    }

    fn set_peer(&self, py: Python<'_>, link: u64, address: &str) -> PyResult<()> {
        self.lock(py)?.core.set_peer(link, address);
        Ok(())
    }

    fn set_tls_exporter(&self, py: Python<'_>, link: u64, exported: &[u8]) -> PyResult<()> {
        self.lock(py)?.core.set_tls_exporter(link, exported);
        Ok(())
    }

    fn set_server_certificate(&self, py: Python<'_>, link: u64, certificate: &[u8]) -> PyResult<()> {
        self.lock(py)?.core.set_server_certificate(link, certificate);
        Ok(())
    }

    #[pyo3(signature = (now, link, alpn=None))]
    fn connected(&self, py: Python<'_>, now: u64, link: u64, alpn: Option<&str>) -> PyResult<()> {
        self.lock(py)?.core.handle_connected(now, link, alpn.map(str::as_bytes));
        Ok(())
    }

    fn received(&self, py: Python<'_>, now: u64, link: u64, data: &Bound<'_, PyAny>) -> PyResult<()> {
        match data.cast::<PyBytes>() {
            Ok(data) if data.as_bytes().len() < WORTH_RELEASING => {
                self.lock(py)?.core.handle_received(now, link, data.as_bytes());
            }
            _ => {
                let data = bytes(data).map_err(|_| misuse(py, "data: expected bytes, a bytearray or a memoryview"))?;
                let mut state = self.lock(py)?;
                let core = &mut state.core;
                py.detach(|| core.handle_received(now, link, &data));
            }
        }
        Ok(())
    }

    fn link_lost(&self, py: Python<'_>, now: u64, link: u64, why: &str) -> PyResult<()> {
        self.lock(py)?.core.handle_link_lost(now, link, why);
        Ok(())
    }

    fn timeout(&self, py: Python<'_>, now: u64) -> PyResult<()> {
        self.lock(py)?.core.handle_timeout(now);
        Ok(())
    }

    /// Returns a link's queued bytes as one object.
    #[pyo3(signature = (link, most=None))]
    fn transmit<'py>(&self, py: Python<'py>, link: u64, most: Option<usize>) -> PyResult<Bound<'py, PyBytes>> {
        let mut state = self.lock(py)?;
        let Some(out) = state.core.transmit(link) else { return Ok(PyBytes::new(py, b"")) };
        let count = out.len().min(most.unwrap_or(usize::MAX));
        let sent = PyBytes::new_with(py, count, |space| {
            let mut at = 0;
            for segment in out.segments() {
                let part = segment.len().min(count - at);
                space[at..at + part].copy_from_slice(&segment[..part]);
                at += part;
                if at == count {
                    break;
                }
            }
            Ok(())
        })?;
        done(py, state.core.transmitted(link, count))?;
        Ok(sent)
    }

    fn wants_read(&self, py: Python<'_>, link: u64) -> PyResult<bool> {
        Ok(self.lock(py)?.core.wants_read(link))
    }

    /// Creating Python objects may run finalizers and signal handlers. The machine is unlocked for them, and what an
    /// exception of theirs leaves is returned by the next call.
    #[pyo3(signature = (into=None))]
    fn poll<'py>(&self, py: Python<'py>, into: Option<Bound<'py, PyList>>) -> PyResult<Bound<'py, PyList>> {
        let (mut polled, converted) = {
            let mut state = self.lock(py)?;
            (state.poll(), state.converted.take())
        };
        let is_new = into.is_none();
        let converted = converted.map(|outputs| outputs.into_bound(py));
        let outputs = into.or(converted).unwrap_or_else(|| PyList::empty(py));
        while let Some(Polled(tag, values)) = polled.front() {
            match output(py, *tag, values).and_then(|output| outputs.append(output)) {
                Ok(()) => drop(polled.pop_front()),
                Err(error) => {
                    let mut state = self.lock(py)?;
                    state.kept.extend(polled);
                    state.converted = is_new.then(|| outputs.unbind());
                    return Err(error);
                }
            }
        }
        Ok(outputs)
    }

    fn poll_timeout(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        Ok(self.lock(py)?.core.poll_timeout())
    }

    fn close(&self, py: Python<'_>, now: u64) -> PyResult<()> {
        self.lock(py)?.core.close(now);
        Ok(())
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = self.lock(py)?.core.counters();
        let map = PyDict::new(py);
        for ((name, _), value) in Counters::NAMES.iter().zip(counters.values()) {
            map.set_item(name, value)?;
        }
        for (name, share) in [("latency_p50", 0.5), ("latency_p99", 0.99), ("latency_max", 1.0)] {
            map.set_item(name, counters.latency.quantile(share).map(|span| span.as_secs_f64()))?;
        }
        Ok(map)
    }

    fn coverage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Coverage { covered, members, reason } = self.lock(py)?.core.coverage();
        let fields = [any(py, covered)?, any(py, members)?, any(py, reason.map(|reason| reason.to_string()))?];
        make(py, &Classes::get(py)?.coverage, fields)
    }

    fn members<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let classes = Classes::get(py)?;
        let list = PyList::empty(py);
        let members: Vec<_> = {
            let state = self.lock(py)?;
            let version = |id| state.core.session_of(id).map(|session| session.version.to_string());
            state.core.members().map(|(id, member)| (id, version(id), member)).collect()
        };
        for (id, version, member) in members {
            let failure = member.failure.map(|reason| reason.to_string());
            let fields = [
                any(py, id)?,
                any(py, member.address.to_string())?,
                any(py, member.ready)?,
                any(py, member.is_seed)?,
                any(py, member.links)?,
                any(py, member.in_flight)?,
                any(py, member.answered)?,
                any(py, version)?,
                any(py, failure)?,
            ];
            list.append(make(py, &classes.member, fields)?)?;
        }
        Ok(list)
    }

    fn view<'py>(&self, py: Python<'py>, cache: u32) -> PyResult<Bound<'py, PyAny>> {
        let Some(view) = done(py, self.lock(py)?.core.view(cache))? else { return Ok(none(py)) };
        let fields = [any(py, view.topology_id)?, any(py, view.members)?, any(py, view.owners)?];
        make(py, &Classes::get(py)?.view, fields)
    }
}
