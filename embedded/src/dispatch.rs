//! Dispatches each request to the code that executes it.

use hotrod_core::routing::BloomFilter;
use hotrod_core::wire::{Body, Operation, Ping, Reply, Request, RequestHeader, Status, Topology, Version};

use crate::answer::{Answer, Failure, Outcome};
use crate::cluster::{Cluster, Moment, cache_key};
use crate::iteration::{self, IterationOptions};
use crate::listeners::{Listener, StateCursor};
use crate::members::MemberState;
use crate::single_key::{Caller, Condition, Job};
use crate::statistics::{Counts, Report};
use crate::transcoding::Transcoding;

/// Operations that the node answers with an error.
const UNSUPPORTED: [Operation; 8] = [
    Operation::Query,
    Operation::Auth,
    Operation::PrepareTx,
    Operation::PrepareTx2,
    Operation::CommitTx,
    Operation::RollbackTx,
    Operation::ForgetTx,
    Operation::FetchTxRecovery,
];

/// Filters and converters that every Infinispan server has.
const SERVER_FACTORIES: [&str; 3] = [
    "key-value-with-previous-converter-factory",
    "query-dsl-filter-converter-factory",
    "continuous-query-filter-converter-factory",
];

/// Largest bloom filter of a near cache, in bits. A request names only the count, and the node allocates it.
const MAX_BLOOM_BITS: u32 = 64 << 20;
/// Estimated memory of a listener without its id and filter.
const LISTENER_BYTES: usize = 256;

/// Borrows the parts of the cluster that make a [`Job`], and leaves the others to the caller.
macro_rules! job {
    ($cluster:ident, $caller:expr, $header:expr, $moment:expr) => {{
        let name = &$header.options.cache;
        let cache = $cluster.caches.get_mut(cache_key(name)).ok_or_else(|| no_such_cache(name))?;
        cache.expire($moment.unix_ms, &mut $cluster.queues);
        Job {
            caller: $caller,
            flags: $header.options.flags,
            protocol: $header.version,
            moment: $moment,
            transcoding: Transcoding::of(&$header.options, &cache.options)?,
            cache,
            members: &$cluster.members,
            queues: &mut $cluster.queues,
            last_version: &mut $cluster.last_version,
        }
    }};
}

impl Cluster {
    /// Executes a request and returns its reply.
    pub(crate) fn execute(
        &mut self,
        caller: Caller,
        header: &RequestHeader,
        request: Request,
        moment: Moment,
    ) -> Reply {
        let has_view = !matches!(request, Request::AuthMechList {});
        let outcome = match self.members.state(caller.member) {
            Some(MemberState::Running) => self.run(caller, header, request, moment),
            _ => Err(Failure {
                status: Status::ILLEGAL_LIFECYCLE_STATE,
                message: "org.infinispan.commons.IllegalLifecycleStateException: the member is stopping".into(),
            }),
        };
        let (status, body) = match outcome {
            Ok(Answer { status, body }) => (status, body),
            Err(Failure { status, message }) => (status, Body::Error(message)),
        };
        let topology = if has_view { self.new_view(header) } else { None };
        Reply { message_id: header.message_id, status, topology: topology.cloned().map(Box::new), body }
    }

    /// Returns the topology of the request's cache if the client has another. Topology ids have no order.
    fn new_view(&self, header: &RequestHeader) -> Option<&Topology> {
        self.topology(&header.options.cache).filter(|topology| topology.id != header.topology_id)
    }

    fn run(&mut self, caller: Caller, header: &RequestHeader, request: Request, moment: Moment) -> Outcome {
        let operation = request.operation();
        if UNSUPPORTED.contains(&operation) {
            return Err(Failure::unsupported(operation));
        }
        match operation {
            Operation::Ping => self.ping(header),
            // Infinispan without authentication names no mechanism.
            Operation::AuthMechList => Ok(Answer::with(Body::Names(Vec::new()))),
            Operation::Stats => self.stats(caller, header, moment),
            Operation::IterationStart | Operation::IterationNext | Operation::IterationEnd => {
                self.iterate(caller, header, request, moment)
            }
            Operation::StartGetStream
            | Operation::NextGetStream
            | Operation::EndGetStream
            | Operation::StartPutStream
            | Operation::NextPutStream
            | Operation::EndPutStream => self.stream(caller, header, request, moment),
            Operation::AddClientListener
            | Operation::AddBloomFilterListener
            | Operation::UpdateBloomFilter
            | Operation::RemoveClientListener => self.listen(caller, header, request, moment),
            _ => match request {
                Request::Exec { task, parameters } => self.run_task(&task, &parameters),
                request if header.options.cache == crate::counters::CACHE || is_of_counters(&request) => {
                    self.count(caller, request)
                }
                request => on_entries(&mut job!(self, caller, header, moment), request),
            },
        }
    }

    /// Answers PING. An unknown cache is an error.
    fn ping(&self, header: &RequestHeader) -> Outcome {
        let name = &header.options.cache;
        let cache = self.caches.get(cache_key(name)).ok_or_else(|| no_such_cache(name))?;
        let supported = Operation::table().iter().filter(|row| !UNSUPPORTED.contains(&row.operation));
        Ok(Answer::with(Body::Ping(Box::new(Ping {
            key_type: cache.options.key_type.clone(),
            value_type: cache.options.value_type.clone(),
            server_version: Some(Version::LATEST.to_byte()),
            operations: supported.map(|row| row.request_opcode.into()).collect(),
        }))))
    }

    fn stats(&mut self, caller: Caller, header: &RequestHeader, moment: Moment) -> Outcome {
        let (bytes_read, bytes_written) = self.traffic.get(&caller.member).copied().unwrap_or_default();
        let started = self.started;
        let job = job!(self, caller, header, moment);
        let mut everywhere = Counts::default();
        job.cache.counts.values().for_each(|counts| everywhere += *counts);
        let (owned, primary) = job.cache.entries_of(caller.member);
        let held = job.cache.counts.keys().map(|member| job.cache.entries_of(*member).0).sum();
        let report = Report {
            seconds_since_start: (moment.now - started).as_secs(),
            here: job.cache.counts.get(&caller.member).copied().unwrap_or_default(),
            everywhere,
            owned,
            primary,
            all: job.store()?.len(),
            copies: held,
            bytes_read,
            bytes_written,
            with_global: header.version >= Version::V2_4,
        };
        Ok(Answer::with(Body::Statistics(report.pairs())))
    }

    fn iterate(&mut self, caller: Caller, header: &RequestHeader, request: Request, moment: Moment) -> Outcome {
        match request {
            Request::IterationStart { segments, filter_converter, batch_size, include_metadata } => {
                if let Some(factory) = filter_converter {
                    return Err(iteration::refused_filter(&factory.name));
                }
                self.check_open_states(caller)?;
                let job = job!(self, caller, header, moment);
                let wanted = IterationOptions { segments, batch: batch_size, with_metadata: include_metadata };
                Ok(self.iterations.start(&job, &wanted, &mut self.states))
            }
            Request::IterationNext { iteration_id } => {
                // The cache is that of the iteration, not the header's.
                let known = self.iterations.cache_of(&iteration_id, caller).map(str::to_owned);
                let Some(name) = known.filter(|name| self.has_cache(name)) else {
                    return Ok(iteration::invalid_batch());
                };
                let mut header = header.clone();
                header.options.cache = name;
                let job = job!(self, caller, &header, moment);
                self.iterations.next(&iteration_id, &job)
            }
            Request::IterationEnd { iteration_id } => Ok(self.iterations.end(&iteration_id, caller, &mut self.states)),
            request => Err(Failure::unsupported(request.operation())),
        }
    }

    fn stream(&mut self, caller: Caller, header: &RequestHeader, request: Request, moment: Moment) -> Outcome {
        if matches!(request, Request::StartGetStream { .. } | Request::StartPutStream { .. }) {
            self.check_open_states(caller)?;
        }
        let limit = self.options.limits.value;
        let mut job = job!(self, caller, header, moment);
        match request {
            Request::StartGetStream { key, chunk_length } => {
                self.streams.start_get(&mut job, &key, chunk_length, &mut self.states)
            }
            Request::NextGetStream { stream_id } => self.streams.next_get(&job, stream_id),
            Request::StartPutStream { key, expiration, entry_version } => {
                let condition = Condition::of_stream(entry_version);
                Ok(self.streams.start_put(&job, &key, expiration, condition, &mut self.states))
            }
            Request::NextPutStream { stream_id, last, chunk } => {
                self.streams.next_put(&mut job, (stream_id, last, &chunk), limit, &mut self.states)
            }
            Request::EndGetStream { stream_id } | Request::EndPutStream { stream_id } => {
                Ok(self.streams.end(stream_id, caller, &mut self.states))
            }
            request => Err(Failure::unsupported(request.operation())),
        }
    }

    fn check_open_states(&self, caller: Caller) -> Result<(), Failure> {
        let open = self.iterations.count_of(caller.connection) + self.streams.count_of(caller.connection);
        if open < self.options.max_open_states {
            return Ok(());
        }
        Err(Failure::server_error(format!("this connection has {open} iterations and streams open already")))
    }

    fn listen(&mut self, caller: Caller, header: &RequestHeader, request: Request, moment: Moment) -> Outcome {
        let limit = self.options.max_listeners;
        let job = job!(self, caller, header, moment);
        let transcoding = job.transcoding;
        let listeners = &mut job.cache.listeners;
        let mut listener = Listener {
            connection: caller.connection,
            member: caller.member,
            interests: hotrod_core::wire::Interests::ALL,
            bloom: None,
            cursor: None,
            transcoding,
            held: 0,
        };
        let id = match request {
            Request::RemoveClientListener { listener_id } => {
                let removed = listeners.remove(caller.member, &listener_id);
                removed.iter().for_each(|listener| self.states.take(listener.connection, listener.held));
                return Ok(Answer::done(removed.is_some()));
            }
            Request::UpdateBloomFilter { bloom_filter } => {
                let bloom = listeners.bloom_of(caller.connection);
                return Ok(Answer::done(bloom.map(|bloom| bloom.replace(&bloom_filter)).is_some()));
            }
            Request::AddBloomFilterListener { listener_id, bloom_bits } => {
                if bloom_bits > MAX_BLOOM_BITS {
                    let problem = format!("a bloom filter of {bloom_bits} bits; {MAX_BLOOM_BITS} are allowed");
                    return Err(Failure::server_error(problem));
                }
                listener.bloom = (bloom_bits > 0).then(|| BloomFilter::new(bloom_bits));
                listener.held = bloom_bits as usize / 8;
                listener_id
            }
            Request::AddClientListener { listener_id, options } => {
                let factories = [("key/value filter", options.filter), ("converter", options.converter)];
                if let Some((kind, factory)) = factories.into_iter().find_map(|(kind, it)| Some((kind, it?))) {
                    return Err(refused_factory(kind, &factory.name));
                }
                listener.interests = options.interests;
                listener.cursor = options.include_current_state.then(StateCursor::default);
                listener_id
            }
            request => return Err(Failure::unsupported(request.operation())),
        };
        if listeners.count_of(caller.connection) >= limit {
            return Err(Failure::server_error(format!("this connection has {limit} listeners already")));
        }
        listener.held += LISTENER_BYTES + id.len();
        self.states.add(caller.connection, listener.held);
        let replaced = listeners.add(bytes::Bytes::copy_from_slice(&id), listener);
        replaced.iter().for_each(|listener| self.states.take(listener.connection, listener.held));
        Ok(Answer::SUCCESS)
    }

    fn count(&mut self, caller: Caller, request: Request) -> Outcome {
        let (counters, queues) = (&mut self.counters, &mut self.queues);
        match request {
            Request::CounterCreate { counter, configuration } => {
                counters.create(counter, configuration, self.options.max_definitions)
            }
            Request::CounterGetConfiguration { counter } => Ok(counters.configuration(&counter)),
            Request::CounterIsDefined { counter } => Ok(counters.is_defined(&counter)),
            Request::CounterGetNames {} => Ok(counters.names()),
            Request::CounterGet { counter } => Ok(counters.get(&counter)),
            Request::CounterAddAndGet { counter, delta } => counters.add(&counter, delta, queues),
            Request::CounterReset { counter } => counters.reset(&counter, queues),
            Request::CounterRemove { counter } => Ok(counters.remove(&counter, queues)),
            Request::CounterCompareAndSwap { counter, expected, update } => {
                counters.compare_and_swap(&counter, expected, update, queues)
            }
            Request::CounterGetAndSet { counter, value } => counters.get_and_set(&counter, value, queues),
            Request::CounterAddListener { counter, listener_id } => {
                counters.add_listener(counter, &listener_id, caller, self.options.max_listeners)
            }
            Request::CounterRemoveListener { counter, listener_id } => {
                Ok(counters.remove_listener(&counter, &listener_id))
            }
            request => {
                let operation = request.operation();
                Err(Failure::server_error(format!("{operation} is not an operation on counters")))
            }
        }
    }
}

/// Executes an operation on the entries of a cache.
fn on_entries(job: &mut Job<'_>, request: Request) -> Outcome {
    match request {
        Request::Get { key } => job.get(&key),
        Request::GetWithVersion { key } => job.get_with_version(&key),
        Request::GetWithMetadata { key } => job.get_with_metadata(&key),
        Request::GetStream { key, offset } => job.get_stream(&key, offset),
        Request::ContainsKey { key } => job.contains_key(&key),
        Request::Put { key, expiration, value } => job.put(&key, expiration, &value, Condition::Always),
        Request::PutIfAbsent { key, expiration, value } => job.put(&key, expiration, &value, Condition::Absent),
        Request::Replace { key, expiration, value } => job.put(&key, expiration, &value, Condition::Present),
        Request::ReplaceIfUnmodified { key, expiration, entry_version, value } => {
            job.put(&key, expiration, &value, Condition::Version(entry_version))
        }
        Request::PutStream { key, expiration, entry_version, chunks } => {
            job.put(&key, expiration, &chunks.concat().into(), Condition::of_stream(entry_version))
        }
        Request::Remove { key } => job.remove(&key, Condition::Always),
        Request::RemoveIfUnmodified { key, entry_version } => job.remove(&key, Condition::Version(entry_version)),
        Request::PutAll { expiration, entries } => job.put_all(expiration, &entries),
        Request::GetAll { keys } => job.get_all(keys),
        Request::BulkGet { count } => job.bulk_get(count),
        Request::BulkGetKeys { .. } => job.bulk_get_keys(),
        Request::Size {} => job.size(),
        Request::Clear {} => job.clear(),
        request => on_multimap(job, request),
    }
}

fn on_multimap(job: &mut Job<'_>, request: Request) -> Outcome {
    match request {
        Request::GetMultimap { key, .. } => job.multimap_get(&key),
        Request::GetMultimapWithMetadata { key, .. } => job.multimap_get_with_metadata(&key),
        Request::PutMultimap { key, value, supports_duplicates, .. } => {
            job.multimap_put(&key, &value, supports_duplicates)
        }
        Request::RemoveKeyMultimap { key, .. } => job.multimap_remove(&key, None),
        Request::RemoveEntryMultimap { key, value, .. } => job.multimap_remove(&key, Some(&value)),
        Request::ContainsKeyMultimap { key, .. } => job.multimap_contains(&key, None),
        Request::ContainsEntryMultimap { key, value, .. } => job.multimap_contains(&key, Some(&value)),
        Request::ContainsValueMultimap { value, .. } => job.multimap_contains_value(&value),
        Request::SizeMultimap { .. } => job.multimap_size(),
        request => Err(Failure::unsupported(request.operation())),
    }
}

fn is_of_counters(request: &Request) -> bool {
    request.operation().name().starts_with("COUNTER_")
}

/// Uses the server's message: clients search it for the name of the exception.
fn no_such_cache(name: &str) -> Failure {
    let message = format!(
        "org.infinispan.server.hotrod.CacheNotFoundException: \
         Cache with name '{name}' not found amongst the configured caches"
    );
    Failure { status: Status::PARSE_ERROR, message }
}

/// Tells a factory of every Infinispan server from one that there is nowhere.
fn refused_factory(kind: &str, name: &str) -> Failure {
    if SERVER_FACTORIES.contains(&name) {
        return Failure::unsupported(format_args!("the listener's {kind} '{name}'"));
    }
    Failure::server_error(format!(
        "org.infinispan.server.hotrod.MissingFactoryException: \
         ISPN006013: Listener {kind} factory '{name}' not found in server"
    ))
}
