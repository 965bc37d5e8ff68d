//! The machine: what its host calls, and what it says.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::BytesMut;
use slotmap::{KeyData, SlotMap};

use super::backoff::Entropy;
use super::cache::{CacheHandle, CacheId, Caches};
use super::config::{Config, Counters};
use super::link::{Link, LinkId, Stage};
use super::member::{MemberId, MemberInfo, Members};
use super::operation::{Call, Operation, OperationId, Owner, Place};
use super::output::{ClusterError, Event, Output, SubmitError};
use super::view::View;
use crate::session::{self, Applied, Disconnect, Session};
use crate::time::Instant;
use crate::wire::{self, Request, RequestOptions, SendBuffer};

/// A client of a whole cluster; see the [module](super) for how to drive it.
pub struct Cluster {
    pub(super) config: Config,
    pub(super) entropy: Entropy,
    pub(super) now: Instant,
    pub(super) members: Members,
    pub(super) seeds: Vec<MemberId>,
    /// The members of the newest topology; none before the first.
    pub(super) current: Vec<MemberId>,
    /// Whose turn it is for operations that any member can execute.
    pub(super) turn: usize,
    pub(super) caches: Caches,
    pub(super) links: SlotMap<LinkId, Link>,
    pub(super) operations: SlotMap<OperationId, Operation>,
    /// Operations for which no member can be tried now, oldest first.
    pub(super) waiting: VecDeque<OperationId>,
    /// When to try them again.
    pub(super) retry_at: Option<Instant>,
    /// Deadlines of the operations that no session has; a session keeps those of its own.
    pub(super) deadlines: BTreeSet<(Instant, OperationId)>,
    /// Timeouts of links. One that is early does no harm, so later ones replace it only when it has passed.
    pub(super) timeouts: BTreeSet<(Instant, LinkId)>,
    /// Links whose session may have events.
    pub(super) with_events: VecDeque<LinkId>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) degraded: bool,
    /// The cache that was asked about last by a quiet link.
    probed: Option<CacheId>,
    closing: bool,
    pub(super) counters: Counters,
}

impl Cluster {
    /// A client that knows the seeds of `config` and has no link yet. All its randomness comes from `seed`.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut cluster = Self {
            entropy: Entropy::new(seed),
            now,
            members: Members::default(),
            seeds: Vec::new(),
            current: Vec::new(),
            turn: 0,
            caches: Caches::default(),
            links: SlotMap::with_key(),
            operations: SlotMap::with_key(),
            waiting: VecDeque::new(),
            retry_at: None,
            deadlines: BTreeSet::new(),
            timeouts: BTreeSet::new(),
            with_events: VecDeque::new(),
            outputs: VecDeque::new(),
            degraded: false,
            probed: None,
            closing: false,
            counters: Counters::default(),
            config,
        };
        for address in core::mem::take(&mut cluster.config.seeds) {
            let id = cluster.members.named(&address);
            if let Some(member) = cluster.members.get_mut(id) {
                member.is_seed = true;
            }
            if !cluster.seeds.contains(&id) {
                cluster.seeds.push(id);
            }
        }
        cluster
    }

    /// A cache, and how it is asked. What it is like is found out by the way.
    pub fn cache(&mut self, now: Instant, options: RequestOptions) -> CacheHandle {
        self.now = now;
        let (id, is_new) = self.caches.named(&options.cache);
        let handle = CacheHandle { id, options: Arc::new(options) };
        if is_new && !self.closing {
            // A PING of the cache brings its topology and the form in which it stores keys.
            self.probe(id, None);
        }
        handle
    }

    fn probe(&mut self, cache: CacheId, member: Option<MemberId>) {
        let plain = RequestOptions::cache(self.caches.get(cache).name.as_str());
        let cache = CacheHandle { id: cache, options: Arc::new(plain) };
        self.take_in(Call { member, ..Call::new(&cache, Request::Ping {}) }, Owner::Probe);
    }

    /// Asks a quiet member whether it is there, about one cache after the other: so a client that does nothing hears of
    /// new topologies too. If no answer comes its session finds that nothing is received.
    fn probe_by(&mut self, member: MemberId) {
        if let Some(cache) = self.caches.after(self.probed) {
            self.probed = Some(cache);
            self.probe(cache, Some(member));
        }
    }

    /// Submits an operation; its answer comes as [`Output::Completed`].
    pub fn submit(&mut self, now: Instant, call: Call) -> Result<OperationId, SubmitError> {
        self.now = now;
        if self.closing {
            return Err(SubmitError::Closed);
        }
        if !self.caches.contains(call.cache.id) {
            return Err(SubmitError::ForeignCache);
        }
        if self.deadlines.len() >= self.config.max_waiting {
            return Err(SubmitError::Full { waiting: self.deadlines.len() });
        }
        Ok(self.take_in(call, Owner::Host))
    }

    fn take_in(&mut self, call: Call, owner: Owner) -> OperationId {
        let timeout = call.timeout.unwrap_or(self.config.operation_timeout);
        let id = self.operations.insert(Operation {
            request: call.request,
            options: call.cache.options,
            cache: call.cache.id,
            owner,
            pinned: call.member,
            submitted: self.now,
            deadline: self.now + timeout,
            attempts: 0,
            avoid: None,
            failure: None,
            place: Place::New,
        });
        self.dispatch(id);
        id
    }

    /// Gives an operation up: nothing will be said of it. It may be executed all the same.
    ///
    /// Answers false if it is done already.
    pub fn cancel(&mut self, id: OperationId) -> bool {
        let Some(operation) = self.operations.get(id) else { return false };
        if let Place::InFlight(link, in_session) = operation.place
            && let Some(link) = self.links.get_mut(link)
        {
            link.in_flight -= 1;
            if let Some(session) = link.session_mut() {
                session.cancel(in_session);
            }
        }
        self.set_place(id, Place::New);
        self.operations.remove(id);
        true
    }

    /// The connection that [`Output::Connect`] asked for is there; with TLS, after its handshake.
    pub fn handle_connected(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let seed = self.entropy.seed();
        let Some(open) = self.links.get_mut(link) else { return };
        if matches!(open.stage, Stage::Connecting { .. }) {
            open.stage = Stage::Open(Box::new(Session::new(self.config.session.clone(), seed, now)));
            self.refresh(link);
        }
    }

    /// Takes bytes from the link.
    pub fn handle_received(&mut self, now: Instant, link: LinkId, bytes: &[u8]) {
        if let Some(buffer) = self.receive_buffer(link) {
            buffer.extend_from_slice(bytes);
            self.handle_filled(now, link);
        }
    }

    /// The receive buffer of a link, with room for a read; then say [`handle_filled`](Self::handle_filled). `None` if
    /// the link is not open (any more).
    pub fn receive_buffer(&mut self, link: LinkId) -> Option<&mut BytesMut> {
        Some(self.links.get_mut(link)?.session_mut()?.receive_buffer())
    }

    /// Takes what the host has appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        open.quiet_since = now;
        if let Some(session) = open.session_mut() {
            session.handle_filled(now);
            self.look_at(link);
        }
    }

    /// The link is gone, or could not be established; `why` is for people.
    pub fn handle_link_lost(&mut self, now: Instant, link: LinkId, why: impl Into<String>) {
        self.now = now;
        let Some(open) = self.links.get_mut(link) else { return };
        match &mut open.stage {
            Stage::Connecting { .. } => self.end_link(link, Arc::new(Disconnect::LinkLost(why.into()))),
            Stage::Open(session) => {
                session.handle_link_lost(why);
                self.look_at(link);
            }
        }
    }

    /// Time has passed; early and late calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        while let Some(&(deadline, link)) = self.timeouts.first()
            && deadline <= now
        {
            self.timeouts.pop_first();
            self.handle_link_timeout(link);
        }
        while let Some(&(deadline, id)) = self.deadlines.first()
            && deadline <= now
        {
            self.deadlines.pop_first();
            self.give_up(id);
        }
        if self.retry_at.is_some_and(|retry_at| now >= retry_at) {
            self.retry_waiting();
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let link = self.timeouts.first().map(|(deadline, _)| *deadline);
        let operation = self.deadlines.first().map(|(deadline, _)| *deadline);
        [link, operation, self.retry_at].into_iter().flatten().min()
    }

    /// The next thing to do or to know.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            let link = *self.with_events.front()?;
            let event = self.links.get_mut(link).and_then(Link::session_mut).and_then(Session::poll_event);
            if let Some(event) = event {
                self.handle_session_event(link, event);
            } else {
                self.with_events.pop_front();
                if let Some(link) = self.links.get_mut(link) {
                    link.has_events = false;
                }
                self.refresh(link);
            }
        }
    }

    /// What is to be sent on a link; `None` if it is not open (any more).
    pub fn transmit(&self, link: LinkId) -> Option<&SendBuffer> {
        Some(self.links.get(link)?.session()?.transmit())
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        let Some(open) = self.links.get_mut(link) else { return };
        let Some(session) = open.session_mut() else { return };
        session.transmitted(count);
        if session.transmit().is_empty() {
            open.told_to_transmit = false;
        }
        if !open.queue.is_empty() {
            // The session may have been too full for them.
            self.refresh(link);
        }
    }

    /// Whether the host should read from the link: not while events wait to be polled beyond their limit.
    pub fn wants_read(&self, link: LinkId) -> bool {
        self.links.get(link).and_then(Link::session).is_some_and(Session::wants_read)
    }

    /// Lets the operations in flight finish, and closes every link. Nothing more is accepted.
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        self.closing = true;
        let not_sent: Vec<OperationId> = self.deadlines.iter().map(|(_, id)| *id).collect();
        for id in not_sent {
            let Some(operation) = self.operations.get(id) else { continue };
            let (applied, operation) = (operation.applied(), operation.request.operation());
            self.complete(id, None, Err(ClusterError::Closed { operation, applied }));
        }
        let links: Vec<LinkId> = self.links.keys().collect();
        for link in links {
            match self.links.get_mut(link).and_then(Link::session_mut) {
                Some(session) => {
                    session.close();
                    self.look_at(link);
                }
                None => self.end_link(link, Arc::new(Disconnect::Closed)),
            }
        }
    }

    /// Whether it was closed and every link is gone.
    pub fn is_closed(&self) -> bool {
        self.closing && self.links.is_empty()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Operations that were submitted and are not done, the machine's own included.
    pub fn in_flight(&self) -> usize {
        self.operations.len()
    }

    /// What the machine has done.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether operations go to seeds, because no member of the topology can be reached.
    pub fn is_degraded(&self) -> bool {
        self.degraded
    }

    /// A cache's present view of the cluster; `None` before its first topology.
    pub fn view(&self, cache: &CacheHandle) -> Option<&Arc<View>> {
        self.caches.view(cache.id)
    }

    /// Every member that the machine knows.
    pub fn members(&self) -> impl Iterator<Item = MemberInfo> {
        self.members.iter().map(|(id, member)| {
            let link = member.link.and_then(|link| self.links.get(link));
            MemberInfo {
                id,
                address: member.address.clone(),
                ready: link.is_some_and(Link::is_ready),
                in_flight: link.map_or(0, |link| link.in_flight),
                failure: member.failure.clone(),
            }
        })
    }

    /// The address of a member.
    pub fn address(&self, member: MemberId) -> Option<&wire::Member> {
        Some(&self.members.get(member)?.address)
    }

    fn handle_session_event(&mut self, link: LinkId, event: session::Event) {
        let Some(member) = self.links.get(link).map(|link| link.member) else { return };
        match event {
            session::Event::Ready(_) => self.handle_ready(link, member),
            session::Event::Completed { token, result, .. } => {
                let id = OperationId::from(KeyData::from_ffi(token));
                let in_flight_here =
                    |operation: &Operation| matches!(operation.place, Place::InFlight(at, _) if at == link);
                if self.operations.get(id).is_some_and(in_flight_here) {
                    self.handle_answer(id, link, member, result);
                }
            }
            session::Event::Topology { token, topology, .. } => {
                // Of an operation that is over there is nothing to know any more: the next one brings it again.
                let id = OperationId::from(KeyData::from_ffi(token));
                if let Some(cache) = self.operations.get(id).map(|operation| operation.cache) {
                    self.apply(cache, *topology);
                }
            }
            session::Event::Entry(event) => self.outputs.push_back(Output::Event(Event::Entry { member, event })),
            session::Event::Counter(event) => self.outputs.push_back(Output::Event(Event::Counter { member, event })),
            session::Event::Closed(reason) => self.end_link(link, reason),
        }
    }

    fn handle_answer(
        &mut self,
        id: OperationId,
        link: LinkId,
        member: MemberId,
        result: Result<wire::Reply, session::OperationError>,
    ) {
        if let Some(link) = self.links.get_mut(link) {
            link.in_flight -= 1;
        }
        match result {
            Ok(mut reply) => {
                if let Some(topology) = reply.topology.take()
                    && let Some(cache) = self.operations.get(id).map(|operation| operation.cache)
                {
                    self.apply(cache, *topology);
                }
                self.complete(id, Some(member), Ok(reply));
            }
            Err(error) => self.handle_failure(id, member, error),
        }
    }

    /// Has the events of a link's session looked at by the next poll.
    pub(super) fn look_at(&mut self, link: LinkId) {
        if let Some(open) = self.links.get_mut(link)
            && !open.has_events
        {
            open.has_events = true;
            self.with_events.push_back(link);
        }
    }

    /// Gives a link's session what waits for it, and tells the host what has changed.
    pub(super) fn refresh(&mut self, link: LinkId) {
        self.submit_queued(link);
        let Some(open) = self.links.get_mut(link) else { return };
        if let Stage::Open(session) = &open.stage
            && !session.transmit().is_empty()
            && !open.told_to_transmit
        {
            open.told_to_transmit = true;
            self.outputs.push_back(Output::Transmit { link });
        }
        self.set_timeout(link);
    }

    fn set_timeout(&mut self, link: LinkId) {
        let keep_alive = self.config.keep_alive;
        let Some(open) = self.links.get_mut(link) else { return };
        let wanted = match &open.stage {
            Stage::Connecting { until } => Some(*until),
            Stage::Open(session) => {
                let quiet = open.is_ready().then(|| open.quiet_since + keep_alive);
                [session.poll_timeout(), quiet].into_iter().flatten().min()
            }
        };
        let Some(wanted) = wanted else { return };
        if open.timeout.is_none_or(|present| wanted < present) {
            if let Some(present) = open.timeout.replace(wanted) {
                self.timeouts.remove(&(present, link));
            }
            self.timeouts.insert((wanted, link));
        }
    }

    fn handle_link_timeout(&mut self, link: LinkId) {
        let (now, keep_alive) = (self.now, self.config.keep_alive);
        let Some(open) = self.links.get_mut(link) else { return };
        open.timeout = None;
        match &mut open.stage {
            Stage::Connecting { until } if *until <= now => {
                let reason = Disconnect::LinkLost(alloc::format!(
                    "no connection within {} ms",
                    self.config.connect_timeout.as_millis()
                ));
                return self.end_link(link, Arc::new(reason));
            }
            Stage::Connecting { .. } => {}
            Stage::Open(session) => {
                session.handle_timeout(now);
                if session.is_ready() && open.quiet_since + keep_alive <= now {
                    open.quiet_since = now;
                    let member = open.member;
                    self.probe_by(member);
                }
            }
        }
        self.refresh(link);
        self.look_at(link);
    }

    /// Its deadline has passed before any session had it.
    fn give_up(&mut self, id: OperationId) {
        let Some(operation) = self.operations.get(id) else { return };
        let after: Duration = self.now - operation.submitted;
        let (applied, member) = (operation.applied(), operation.avoid);
        let reason =
            member.and_then(|member| self.members.get(member)?.failure.clone()).or_else(|| self.last_failure());
        let operation = operation.request.operation();
        self.complete(id, member, Err(ClusterError::Unreachable { operation, after, applied, reason }));
    }

    /// Why some member could not be reached.
    fn last_failure(&self) -> Option<Arc<Disconnect>> {
        self.members.iter().find_map(|(_, member)| member.failure.clone())
    }
}

impl Operation {
    /// Whether an attempt may have been executed.
    pub(super) fn applied(&self) -> Applied {
        if self.attempts == 0 { Applied::No } else { Applied::Unknown }
    }
}
