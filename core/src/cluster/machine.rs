//! The machine: its API, and the order in which its parts are polled.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use core::ops::ControlFlow;

use slotmap::SlotMap;

use super::backoff::Entropy;
use super::cache::{CacheHandle, CacheId, Caches};
use super::config::{Config, Site};
use super::counters::Counters;
use super::discovery::Discovery;
use super::discovery::access::AccessPath;
use super::features::iteration::{Iteration, IterationId};
use super::features::listeners::Listeners;
use super::members::{MemberId, MemberInfo, Members};
use super::operations::bulk::{Bulk, BulkId};
use super::operations::operation::{Call, OperationId, Owner, Target};
use super::operations::table::{Operation, OperationTable, Place};
use super::output::{ClusterError, Output, SubmitError};
use super::startup::Startup;
use super::transport::dial::TlsConfig;
use super::transport::open_session::{OpenSession, Purpose, SessionId};
use super::transport::sessions::Due;
use super::transport::{Scope, Transport};
use super::view::View;
use crate::session::{Disconnect, Ready};
use crate::time::Instant;
use crate::wire::{self, MediaType, Request, RequestOptions, Routing};

/// A client of a whole cluster; see the [module](super) for how to drive it.
pub struct Cluster {
    pub(super) config: Config,
    pub(super) entropy: Entropy,
    pub(super) now: Instant,
    pub(super) members: Members,
    pub(super) caches: Caches,
    pub(super) transport: Transport,
    pub(super) discovery: Discovery,
    pub(super) operations: OperationTable,
    pub(super) bulks: SlotMap<BulkId, Bulk>,
    pub(super) iterations: SlotMap<IterationId, Iteration>,
    pub(super) listeners: Listeners,
    pub(super) outputs: VecDeque<Output>,
    pub(super) degraded: bool,
    closing: bool,
    /// Present until the first member is ready, or none can be.
    pub(super) startup: Option<Startup>,
    pub(super) counters: Counters,
}

impl Cluster {
    /// A client that knows the seeds of `config` and has no link yet. All its randomness comes from `seed`.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut cluster = Self {
            entropy: Entropy::new(seed),
            now,
            members: Members::default(),
            caches: Caches::default(),
            transport: Transport::default(),
            discovery: Discovery::new(&config),
            operations: OperationTable::default(),
            bulks: SlotMap::with_key(),
            iterations: SlotMap::with_key(),
            listeners: Listeners::default(),
            outputs: VecDeque::new(),
            degraded: false,
            closing: false,
            startup: None,
            counters: Counters::default(),
            config,
        };
        let own = Site { name: String::new(), seeds: core::mem::take(&mut cluster.config.seeds) };
        let others = core::mem::take(&mut cluster.config.sites);
        for Site { name, seeds } in core::iter::once(own).chain(others) {
            cluster.members.add_site(name, &seeds);
        }
        cluster
    }

    /// Settings of TLS; `None` without TLS. A host reads their files when the client is created, and refuses those that can't be used.
    pub fn tls(&self) -> Option<&TlsConfig> {
        self.config.tls.as_ref()
    }

    /// Returns the transport, and the [`Scope`] for its calls.
    pub(super) fn transport(&mut self) -> (&mut Transport, Scope<'_>) {
        let (transport, scope, ..) = self.transport_and_operations();
        (transport, scope)
    }

    pub(super) fn transport_and_operations(&mut self) -> (&mut Transport, Scope<'_>, &mut OperationTable, &Caches) {
        let scope = Scope {
            config: &self.config,
            now: self.now,
            members: &self.members,
            discovery: &self.discovery,
            outputs: &mut self.outputs,
            counters: &mut self.counters,
            entropy: &mut self.entropy,
        };
        (&mut self.transport, scope, &mut self.operations, &self.caches)
    }

    /// A handle for the operations of a cache. Media types that the options leave out are those of the
    /// [settings](Config::key_media_type). Its topology and the media type of its keys are requested at once. A cache without
    /// handles, operations, listeners and near cache is forgotten in time.
    pub fn cache(&mut self, now: Instant, mut options: RequestOptions) -> CacheHandle {
        self.now = now;
        for (declared, default) in [
            (&mut options.key_type, &self.config.key_media_type),
            (&mut options.value_type, &self.config.value_media_type),
        ] {
            if *declared == MediaType::Unspecified {
                declared.clone_from(default);
            }
        }
        if self.caches.are_many() {
            let probe_cache = self.discovery.probe_cache();
            self.caches.retain_used(|id| probe_cache == Some(id));
        }
        let (id, is_new) = self.caches.named(&options.cache);
        let handle = self.caches.handle(id, Arc::new(options));
        if is_new && !self.closing {
            self.ping(id, Target::Key);
        }
        handle
    }

    fn ping(&mut self, cache: CacheId, target: Target) {
        let cache = self.caches.plain(cache);
        let id = self.take_in(Call::new(&cache, Request::Ping {}), Owner::Ping, target, Purpose::Operations);
        self.dispatch(id);
    }

    /// Sends a PING on a session on which nothing was received for the keep-alive interval, or while operations are in
    /// flight. The PING names one cache after the other, so that an idle client learns of new topologies too. The session
    /// fails if no answer comes.
    pub(super) fn keep_alive(&mut self, session: SessionId) {
        if let Some(cache) = self.caches.next_to_ping(self.discovery.probe_cache()) {
            self.ping(cache, Target::Session(session));
        }
    }

    /// Submits an operation; its answer comes as [`Output::Completed`].
    ///
    /// PUT_ALL and GET_ALL are split by the owners of their keys, and joined again.
    pub fn submit(&mut self, now: Instant, mut call: Call) -> Result<OperationId, SubmitError> {
        self.now = now;
        self.may_submit(&call.cache)?;
        if !call.storage_keys.is_empty() || !matches!(call.cache.options().key_type, MediaType::Unspecified) {
            complete_storage_keys(&mut call)?;
        }
        if self.caches.get(call.cache.id()).near.is_some() {
            match self.submit_near(call) {
                ControlFlow::Break(id) => return Ok(id),
                ControlFlow::Continue(not_near) => call = not_near,
            }
        }
        Ok(self.submit_far(call))
    }

    pub(super) fn may_submit(&self, cache: &CacheHandle) -> Result<(), SubmitError> {
        if self.closing {
            return Err(SubmitError::Closed);
        }
        if !self.caches.contains(cache.id()) {
            return Err(SubmitError::ForeignCache);
        }
        if self.operations.held() >= self.config.max_waiting {
            return Err(SubmitError::Full { waiting: self.operations.held() });
        }
        Ok(())
    }

    /// Submits an operation that no near cache answers.
    #[inline]
    fn submit_far(&mut self, call: Call) -> OperationId {
        let prepared = call.request.transaction().xid().and_then(|xid| self.operations.prepared().member_of(xid));
        let target = match (call.member, prepared) {
            (Some(member), _) => Target::Only(member),
            (None, Some(member)) => Target::Prefer(member),
            (None, None) => Target::Key,
        };
        let id = self.take_in(call, Owner::Host, target, Purpose::Operations);
        self.dispatch(id);
        id
    }

    #[inline]
    pub(super) fn take_in(&mut self, call: Call, owner: Owner, target: Target, purpose: Purpose) -> OperationId {
        let (now, timeout) = (self.now, self.config.operation_timeout);
        self.operations.insert(Operation::new(call, owner, target, purpose, now, timeout))
    }

    /// Cancels an operation: it has no [`Output::Completed`]. The server may execute it all the same.
    ///
    /// Returns false if it has completed already.
    pub fn cancel(&mut self, id: OperationId) -> bool {
        let Some(operation) = self.operations.get(id) else { return false };
        match operation.place() {
            Place::InFlight(session, in_session) => {
                self.transport.cancel(session, in_session);
            }
            Place::Split(bulk) => self.cancel_parts(bulk),
            Place::New | Place::Waiting(_) | Place::Paced(_) | Place::Queued(_) => {}
        }
        self.operations.place(id, Place::New);
        if let Some(operation) = self.operations.remove(id)
            && let Owner::Fetch { .. } = operation.owner
        {
            self.forget_fetch(operation.cache.id(), &operation.request, id);
        }
        true
    }

    /// Handles timeouts that are due at `now`; early and late calls do no harm. Does at most one slice of one session's key derivation (see
    /// [`Step::Resume`](crate::sasl::Step::Resume)).
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        // The host has other links to serve between two slices. Sessions take turns: the ones that wait are due before the
        // next slice of the one that was served.
        let mut may_derive = true;
        while let Some(due) = self.transport.pop_due(now, may_derive) {
            match due {
                Due::Session(session) => {
                    may_derive &= !self.transport.is_deriving(session);
                    self.handle_session_timeout(session);
                }
                Due::Link(link) => self.handle_link_timeout(link),
            }
        }
        while let Some(id) = self.operations.expire(now) {
            self.give_up(id);
        }
        self.check_listeners();
        while let Some(id) = self.operations.next_paced(now) {
            self.redispatch(id);
        }
        if self.operations.is_retry_due(now) {
            self.retry_waiting();
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timeouts = [self.transport.next_timeout(), self.operations.next_timeout(), self.listeners.next_timeout()];
        timeouts.into_iter().flatten().min()
    }

    /// The next output; `None` until another method was called.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            if !self.poll_sessions() {
                return None;
            }
        }
    }

    /// Closes the client: operations in flight finish, then every link is closed; the links of listeners at once. Further
    /// operations are refused.
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        self.closing = true;
        for id in self.operations.all_held() {
            let Some(operation) = self.operations.get(id) else { continue };
            let (applied, operation) = (operation.applied(), operation.request.operation());
            self.complete(id, None, Err(ClusterError::Closed { operation, applied }));
        }
        for session in self.transport.all_sessions() {
            let (transport, scope) = self.transport();
            if !transport.close_for_good(&scope, session) {
                self.end_session(session, &Arc::new(Disconnect::Closed));
            }
        }
        self.end_backpressure();
        self.listeners.end_checks();
    }

    /// Whether the client was closed and every link is gone.
    pub fn is_closed(&self) -> bool {
        self.closing && !self.transport.has_links()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Number of operations that have not completed, the machine's own included.
    pub fn in_flight(&self) -> usize {
        self.operations.len()
    }

    /// Number of operations that wait for a link, or for room in a session.
    pub fn waiting(&self) -> usize {
        self.operations.held()
    }

    /// Counts since the machine was made.
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters;
        let (sent, received) = self.transport.bytes();
        counters.bytes_sent += sent;
        counters.bytes_received += received;
        counters
    }

    /// Whether operations go to seeds, because no member of the topology can be reached.
    pub fn is_degraded(&self) -> bool {
        self.degraded
    }

    /// Access path of the members: that of the settings, or the one chosen by the first answers.
    pub fn access_path(&self) -> AccessPath {
        self.discovery.path()
    }

    /// A cache's present view of the cluster; `None` before its first topology.
    pub fn view(&self, cache: &CacheHandle) -> Option<&Arc<View>> {
        self.caches.view(cache.id())
    }

    /// Settings with which the machine was made.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The known members: those of every topology in use, and the seeds.
    pub fn members(&self) -> impl Iterator<Item = MemberInfo> {
        let in_flight = self.transport.in_flight_by_member();
        self.members.iter().map(move |(id, member)| {
            let sessions = || self.transport.sessions_with(id).map(|(_, open)| open);
            MemberInfo {
                id,
                address: member.address.clone(),
                ready: sessions().any(OpenSession::is_ready),
                endpoint: sessions().find_map(|open| self.transport.endpoint_of(open.link())).cloned(),
                is_seed: member.is_seed,
                links: sessions().count(),
                in_flight: in_flight.get(id).copied().unwrap_or_default(),
                answered: sessions().map(OpenSession::answered).sum(),
                failure: member.failure.clone(),
            }
        })
    }

    /// Result of the negotiation with a member; `None` if no session with it is ready.
    pub fn session_of(&self, member: MemberId) -> Option<&Ready> {
        self.transport.negotiated(member)
    }

    /// The name of a cache; empty for the server's default cache, and for one of another machine.
    pub fn cache_name(&self, cache: CacheId) -> &str {
        self.caches.find(cache).map_or("", |cache| &cache.name)
    }

    /// The address of a member.
    pub fn address(&self, member: MemberId) -> Option<&wire::Member> {
        Some(&self.members.get(member)?.address)
    }
}

/// Checks the number of storage keys. A key that servers do not convert is its own one.
#[inline(never)] // out of the way of operations without either
fn complete_storage_keys(call: &mut Call) -> Result<(), SubmitError> {
    if call.request.operation().row().routing == Routing::StoredKey {
        call.storage_keys = call.request.keys();
    }
    if call.storage_keys.is_empty() {
        return Ok(());
    }
    let (keys, storage_keys) = (call.request.keys().len(), call.storage_keys.len());
    if keys == storage_keys { Ok(()) } else { Err(SubmitError::StorageKeys { keys, storage_keys }) }
}
