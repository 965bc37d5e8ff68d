//! Answers: how an operation ends, and who receives its result.

use core::time::Duration;

use crate::cluster::cache::CacheId;
use crate::cluster::features::listener_check::is_cache_missing;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::conversion;
use crate::cluster::operations::operation::{OperationId, Owner};
use crate::cluster::operations::table::Operation;
use crate::cluster::output::{ClusterError, Output};
use crate::cluster::startup::StartError;
use crate::cluster::transport::open_session::SessionId;
use crate::session::OperationError;
use crate::wire::{self, Body, Reply, Status};

impl Cluster {
    pub(in crate::cluster) fn handle_answer(
        &mut self,
        id: OperationId,
        session: SessionId,
        member: MemberId,
        result: Result<Reply, OperationError>,
    ) {
        let is_first = self.transport.note_ended(session, result.is_ok());
        if is_first || result.is_ok() && self.members.has_failed(member) {
            self.trust(session, member, is_first);
        }
        match result {
            Ok(mut reply) => {
                if let Some(topology) = reply.topology.take()
                    && let Some(cache) = self.operations.get(id).map(|operation| operation.cache.id())
                {
                    self.apply_topology(cache, session, *topology);
                }
                self.complete(id, Some(member), Ok(reply));
            }
            Err(error) => {
                if is_cache_missing(&error)
                    && let Some(cache) = self.operations.get(id).map(|operation| operation.cache.id())
                {
                    self.lose_cache(cache);
                }
                let is_silent =
                    matches!(error, OperationError::TimedOut { .. }) && self.transport.note_silence(session);
                if is_silent {
                    self.keep_alive(session);
                }
                let is_stopping =
                    matches!(error, OperationError::Server { status: Status::ILLEGAL_LIFECYCLE_STATE, .. });
                let has_moved = is_stopping && self.leave_stopping(session);
                self.handle_failure(id, (session, member), error, has_moved);
            }
        }
    }

    /// Ends an operation, and hands its result to the owner.
    pub(in crate::cluster) fn complete(
        &mut self,
        id: OperationId,
        member: Option<MemberId>,
        mut result: Result<Reply, ClusterError>,
    ) {
        let Some(operation) = self.operations.remove(id) else { return };
        if let Err(error) = &mut result {
            conversion::explain(error, self.caches.get(operation.cache.id()), operation.cache.options());
        }
        let session = operation.place().session();
        if let (Some(member), Ok(reply)) = (member, &result) {
            self.operations.sizes_mut().note_answered(operation.bytes);
            self.transport.note_reply(&self.config, member, &operation, reply);
        }
        match operation.owner {
            Owner::Host => self.tell_host(id, &operation, member, result),
            Owner::Fetch { value_only } => {
                let result = result.map(|reply| {
                    self.keep_fetched(id, &operation, session, &reply);
                    if value_only { only_value(reply) } else { reply }
                });
                self.forget_fetch(operation.cache.id(), &operation.request, id);
                self.tell_host(id, &operation, member, result);
            }
            Owner::Startup => {
                if let Err(ClusterError::Unreachable { after, .. }) = &result {
                    self.start_reached_nobody(*after);
                } else if let Err(error) = &result {
                    self.start_failed(StartError::Operation { member, error: error.clone() });
                } else {
                    self.has_started();
                }
                self.learn(operation.cache.id(), result);
            }
            Owner::Ping => self.learn(operation.cache.id(), result),
            Owner::ProbeCache => self.handle_probe_cache(result),
            Owner::ProbeReading(session) => self.handle_reading(session, result),
            Owner::Part(bulk) => self.part_done(bulk, id, operation.request, member, result),
            Owner::Listener(listener) => self.registration_done(listener, &operation, member, result),
            Owner::Check(listener) => self.check_answered(listener, &operation, result),
            Owner::Iteration(iteration, part) => {
                self.part_answered(iteration, part, &operation.cache, member, result);
            }
            Owner::Nobody => {}
        }
    }

    fn tell_host(
        &mut self,
        id: OperationId,
        operation: &Operation,
        member: Option<MemberId>,
        result: Result<Reply, ClusterError>,
    ) {
        self.counters.operations += 1;
        self.counters.failures += u64::from(result.is_err());
        self.counters.latency.record(self.now.as_micros().saturating_sub(operation.submitted.as_micros()));
        if self.caches.get(operation.cache.id()).near.is_some() {
            self.forget_written(operation.cache.id(), &operation.request, operation.cache.options());
        }
        if let (Some(member), Ok(_)) = (member, &result) {
            self.operations.prepared_mut().note(operation.request.transaction(), member);
        }
        let operation = match operation.owner {
            // The near cache asked for metadata as well.
            Owner::Fetch { value_only: true } => wire::Operation::Get,
            _ => operation.request.operation(),
        };
        self.outputs.push_back(Output::Completed { id, operation, member, result });
    }

    /// Notes the media types of what a cache stores, if the server tells them.
    fn learn(&mut self, cache: CacheId, result: Result<Reply, ClusterError>) {
        let is_closing = self.is_closing();
        let known = self.caches.get_mut(cache);
        if known.requests_key_type() && self.operations.held() > 0 && !is_closing {
            // Keys of a declared media type wait for it.
            self.operations.retry_by(self.now);
        }
        known.note_stored_types(match result {
            // Replies have it as long as they have the version of the server (3.0 and later).
            Ok(Reply { body: Body::Ping(ping), .. }) => {
                ping.server_version.is_some().then_some([ping.key_type, ping.value_type])
            }
            _ => None,
        });
    }

    /// Fails an operation whose deadline passed before any session had it.
    pub(in crate::cluster) fn give_up(&mut self, id: OperationId) {
        let Some(operation) = self.operations.get(id) else { return };
        let after: Duration = self.now - operation.submitted;
        let member = operation.avoid.or_else(|| self.members.failures().next().map(|(id, _)| id));
        let failures = self.members.failures().map(|(_, failure)| failure).collect();
        let applied = operation.applied();
        let operation = operation.request.operation();
        self.complete(id, member, Err(ClusterError::Unreachable { operation, after, applied, failures }));
    }
}

fn only_value(reply: Reply) -> Reply {
    match reply.body {
        Body::ValueWithMetadata { value, .. } => Reply { body: Body::Value(value), ..reply },
        _ => reply,
    }
}
