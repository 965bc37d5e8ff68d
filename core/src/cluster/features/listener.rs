//! Listeners: registered again after the failure of their member.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{BufMut, Bytes, BytesMut};
use slotmap::{Key, KeyData, new_key_type};

use crate::cluster::cache::{CacheHandle, CacheId};
use crate::cluster::features::listener_check::{Witness, is_cache_missing};
use crate::cluster::features::listener_queue::Unread;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::{Call, OperationId, Owner, Target};
use crate::cluster::operations::table::{Operation, Place};
use crate::cluster::output::{ClusterError, Event, Output, SubmitError};
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::session::OperationError;
use crate::wire::{Interests, ListenerEffect, ListenerOptions, Reply, Request, RequestOptions, Status};

new_key_type! {
    /// A listener; never given twice.
    pub struct ListenerId;
}

/// The source of a listener's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerKind {
    /// Changes of a cache's entries.
    Cache(ListenerOptions),
    /// Changes of a counter, by name.
    Counter(String),
}

pub(in crate::cluster) struct Listener {
    cache: CacheHandle,
    subject: Subject,
    /// Listener id on the wire; another with each registration, so that late events of an old one are not taken for its own.
    server_id: Bytes,
    /// The session that it is registered on.
    pub(in crate::cluster) at: Option<SessionId>,
    registering: Option<OperationId>,
    /// Whether the application has learned of the present registration: of one with many events before it is answered.
    is_reported: bool,
    /// Whether it was registered before: events may be missed until the next registration.
    was_registered: bool,
    /// Registrations in a row that found no cache or counter.
    refusals: u32,
    pub(in crate::cluster) unread: Unread,
    pub(in crate::cluster) witness: Witness,
}

enum Subject {
    Host(ListenerKind),
    /// The near cache of the cache, with a bloom filter of `bloom_bits` bits; 0 for none.
    NearCache {
        bloom_bits: u32,
    },
}

impl Cluster {
    /// Registers a listener for a cache or a counter, on a member of the machine's choice.
    ///
    /// [`Event::ListenerRegistered`] reports the registration: when it is answered, or when
    /// [`Config::listener_queue`](super::super::Config::listener_queue) events have come before the answer. When that
    /// member is lost the listener is registered with another one, and [`Event::ListenerMoved`] reports it: events in
    /// between were missed. The same holds when the server forgets the listener because the cache or the counter is
    /// removed: the machine finds out by the first answer that the cache does not exist, or else within
    /// [`Config::keep_alive`](super::super::Config::keep_alive) and a few seconds, and the listener is registered again
    /// when the cache or counter is back. Call [`events_taken`](Self::events_taken) for the events that the application
    /// has taken.
    pub fn listen(
        &mut self,
        now: crate::time::Instant,
        cache: &CacheHandle,
        kind: ListenerKind,
    ) -> Result<ListenerId, SubmitError> {
        self.now = now;
        self.may_submit(cache)?;
        Ok(self.add_listener(cache, Subject::Host(kind)))
    }

    /// Registers the listener of a near cache.
    pub(in crate::cluster) fn listen_for_near_cache(&mut self, cache: &CacheHandle, bloom_bits: u32) -> ListenerId {
        self.add_listener(cache, Subject::NearCache { bloom_bits })
    }

    fn add_listener(&mut self, cache: &CacheHandle, subject: Subject) -> ListenerId {
        let listener = self.listeners.insert(Listener {
            cache: cache.clone(),
            subject,
            server_id: Bytes::new(),
            at: None,
            registering: None,
            is_reported: false,
            was_registered: false,
            refusals: 0,
            unread: Unread::default(),
            witness: Witness::default(),
        });
        self.register(listener);
        listener
    }

    /// Removes a listener. Returns false if there is no such listener (any more).
    pub fn remove_listener(&mut self, now: crate::time::Instant, listener: ListenerId) -> bool {
        self.now = now;
        let Some(mut removed) = self.listeners.remove(listener) else { return false };
        self.forget_unread(core::mem::take(&mut removed.unread));
        if let Some(operation) = removed.registering {
            let place = self.operations.get(operation).map(Operation::place);
            // A registration in flight may be executed: its answer removes it.
            if !matches!(place, Some(Place::InFlight(..))) {
                self.cancel(operation);
                place.and_then(Place::session).into_iter().for_each(|session| self.release_events(session));
            }
        }
        if let Some(session) = removed.at {
            self.unregister(session, &removed.request(removed.server_id.clone()), removed.cache.options());
        }
        true
    }

    /// Removes a registration from its server.
    fn unregister(&mut self, session: SessionId, registration: &Request, options: &RequestOptions) {
        let Some(request) = registration.listener_removal() else { return };
        let Some(open) = self.transport.get(session) else { return };
        let is_for_events = open.purpose() == Purpose::Events;
        // If the session is too full for the removal, its end removes the listener.
        if !self.transport.submit_unanswered(self.now, session, &request, options) && is_for_events {
            return self.drain(session);
        }
        self.release_events(session);
        self.transport.set_timeout(&self.config, session);
        self.refresh(session);
    }

    /// Drains a session for listeners that has none and gets none.
    fn release_events(&mut self, session: SessionId) {
        let comes_here = |listener: &Listener| {
            let registering = listener.registering.and_then(|operation| self.operations.get(operation));
            listener.at == Some(session)
                || registering.is_some_and(|operation| operation.place().session() == Some(session))
        };
        let is_for_events = self.transport.get(session).is_some_and(|open| open.purpose() == Purpose::Events);
        if is_for_events && !self.listeners.iter().any(|(_, listener)| comes_here(listener)) {
            self.drain(session);
        }
    }

    fn register(&mut self, id: ListenerId) {
        if let Some(operation) = self.prepare_registration(id) {
            self.dispatch(operation);
        }
    }

    fn prepare_registration(&mut self, id: ListenerId) -> Option<OperationId> {
        let server_id = self.server_id(id);
        let listener = self.listeners.get_mut(id)?;
        listener.server_id = server_id.clone();
        listener.at = None;
        listener.is_reported = false;
        listener.witness = Witness::default();
        let purpose = match listener.subject {
            Subject::Host(_) => Purpose::Events,
            // Its events are handled at once, and hold up nothing.
            Subject::NearCache { .. } => Purpose::Operations,
        };
        let call = Call::new(&listener.cache, listener.request(server_id));
        let operation = self.take_in(call, Owner::Listener(id), Target::Key, purpose);
        if let Some(listener) = self.listeners.get_mut(id) {
            listener.registering = Some(operation);
        }
        Some(operation)
    }

    /// A new listener id: the identity of the listener, and eight random bytes.
    fn server_id(&mut self, id: ListenerId) -> Bytes {
        let mut bytes = BytesMut::with_capacity(16);
        bytes.put_u64(id.data().as_ffi());
        bytes.put_u64(self.entropy.number());
        bytes.freeze()
    }

    /// The listener of an id on the wire.
    pub(in crate::cluster) fn listener_of(&self, server_id: &Bytes) -> Option<ListenerId> {
        let key = server_id.first_chunk::<8>()?;
        let id = ListenerId::from(KeyData::from_ffi(u64::from_be_bytes(*key)));
        (self.listeners.get(id)?.server_id == *server_id).then_some(id)
    }

    /// The cache whose near cache a listener serves.
    pub(in crate::cluster) fn near_cache_of(&self, listener: ListenerId) -> Option<CacheId> {
        let listener = self.listeners.get(listener)?;
        matches!(listener.subject, Subject::NearCache { .. }).then_some(listener.cache.id())
    }

    pub(in crate::cluster) fn registration_done(
        &mut self,
        id: ListenerId,
        registration: &Operation,
        member: Option<MemberId>,
        result: Result<Reply, ClusterError>,
    ) {
        let is_closing = self.is_closing();
        let session = registration.place().session();
        let Some(listener) = self.listeners.get_mut(id).filter(|listener| listener.is_made_by(&registration.request))
        else {
            // The listener was removed meanwhile, or is registered elsewhere.
            return match (session, result) {
                (Some(session), Ok(_)) => self.unregister(session, &registration.request, registration.cache.options()),
                (Some(session), Err(_)) => self.release_events(session),
                (None, _) => {}
            };
        };
        listener.registering = None;
        match (result.and_then(|reply| accepted(reply, registration)), session, member) {
            (Ok(_), Some(session), Some(member)) => {
                listener.at = Some(session);
                listener.refusals = 0;
                listener.witness.note_registered(self.now);
                self.begin_checks();
                let Some(listener) = self.listeners.get_mut(id) else { return };
                let cache = listener.cache.id();
                if let Subject::NearCache { .. } = listener.subject {
                    listener.was_registered = true;
                    return self.start_near_cache(cache, session);
                }
                self.report_registration(id, member);
            }
            // A registered listener lasts until it is removed: the next member that is ready gets it.
            (Err(error), ..) if !is_closing && listener.may_be_tried_again(&error) => {
                if let Some(operation) = self.prepare_registration(id) {
                    self.dispatch_later(operation);
                }
            }
            // The cache or the counter was removed: it may be made anew.
            (Err(error), ..) if !is_closing && listener.was_registered && is_forgotten(&error) => {
                self.register_later(id);
                session.into_iter().for_each(|session| self.release_events(session));
            }
            (Err(error), ..) => {
                self.fail_listener(id, member, error);
                session.into_iter().for_each(|session| self.release_events(session));
            }
            (Ok(_), ..) => {}
        }
    }

    /// Reports the present registration of the application's listener, once.
    fn report_registration(&mut self, id: ListenerId, member: MemberId) {
        let Some(listener) = self.listeners.get_mut(id) else { return };
        if core::mem::replace(&mut listener.is_reported, true) {
            return;
        }
        let event = if core::mem::replace(&mut listener.was_registered, true) {
            self.counters.listener_failovers += 1;
            Event::ListenerMoved { listener: id, member }
        } else {
            Event::ListenerRegistered { listener: id, member }
        };
        self.outputs.push_back(Output::Event(event));
    }

    /// Reports a registration before its answer, which is queued behind events that the application has to read first. Removes
    /// the answer's deadline.
    pub(in crate::cluster) fn hand_over(&mut self, id: ListenerId, session: SessionId) {
        let registering = self.listeners.get(id).and_then(|listener| listener.registering);
        let place = registering.and_then(|operation| self.operations.get(operation)).map(Operation::place);
        if let (Some(Place::InFlight(_, in_session)), Some(open)) = (place, self.transport.get(session)) {
            let member = open.member();
            self.transport.lift_deadline(session, in_session);
            self.report_registration(id, member);
        }
    }

    /// Has the registrations that would wait behind the events of a full queue made by another session. Those in flight are
    /// removed when they are answered.
    pub(in crate::cluster) fn leave_paused(&mut self, session: SessionId) {
        let waiting: Vec<(ListenerId, OperationId)> = self
            .listeners
            .iter()
            .filter(|(_, listener)| !listener.is_reported)
            .filter_map(|(id, listener)| Some((id, listener.registering?)))
            .filter(|(_, operation)| {
                self.operations.get(*operation).is_some_and(|operation| operation.place().session() == Some(session))
            })
            .collect();
        for (id, operation) in waiting {
            match self.operations.get(operation).map(Operation::place) {
                Some(Place::InFlight(_, in_session)) => {
                    self.transport.lift_deadline(session, in_session);
                    self.register(id);
                }
                _ => self.redispatch(operation),
            }
        }
    }

    fn fail_listener(&mut self, id: ListenerId, member: Option<MemberId>, error: ClusterError) {
        let Some(mut failed) = self.listeners.remove(id) else { return };
        self.forget_unread(core::mem::take(&mut failed.unread));
        match failed.subject {
            Subject::Host(_) => {
                self.outputs.push_back(Output::Event(Event::ListenerFailed { listener: id, member, error }));
            }
            Subject::NearCache { .. } => self.fail_near_cache(failed.cache.id(), error),
        }
    }

    /// Registers a listener anew that the server has forgotten.
    pub(in crate::cluster) fn lose_registration(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.get_mut(id) else { return };
        let Some(session) = listener.at.take() else { return };
        let (request, options) = (listener.request(listener.server_id.clone()), listener.cache.shared_options());
        if let Some(cache) = self.near_cache_of(id) {
            self.stop_near_cache(cache);
        }
        self.register_later(id);
        // The server may have kept its name (16.0.7), or the listener after all.
        self.unregister(session, &request, &options);
    }

    /// Registers a listener after a back-off.
    fn register_later(&mut self, id: ListenerId) {
        let (first, longest) = (self.config.min_backoff, self.config.max_backoff);
        let Some(listener) = self.listeners.get_mut(id) else { return };
        listener.refusals = listener.refusals.saturating_add(1);
        let at = self.now + self.entropy.pause(listener.refusals, first, longest);
        if let Some(operation) = self.prepare_registration(id) {
            self.operations.place(operation, Place::Paced(at));
        }
    }

    /// Registers the listeners of an ended session again.
    pub(in crate::cluster) fn move_listeners(&mut self, session: SessionId) {
        let here: Vec<ListenerId> =
            self.listeners.iter().filter(|(_, listener)| listener.at == Some(session)).map(|(id, _)| id).collect();
        for id in here {
            if let Some(cache) = self.near_cache_of(id) {
                self.stop_near_cache(cache);
            }
            if !self.is_closing() {
                self.register(id);
            }
        }
    }
}

impl Listener {
    pub(in crate::cluster) fn cache(&self) -> &CacheHandle {
        &self.cache
    }

    pub(in crate::cluster) fn is_for_near_cache(&self) -> bool {
        matches!(self.subject, Subject::NearCache { .. })
    }

    /// Whether it serves a near cache without a bloom filter.
    pub(in crate::cluster) fn hears_all_keys(&self) -> bool {
        matches!(self.subject, Subject::NearCache { bloom_bits: 0 })
    }

    /// The source of the events of the application's listener.
    pub(in crate::cluster) fn host_kind(&self) -> Option<&ListenerKind> {
        match &self.subject {
            Subject::Host(kind) => Some(kind),
            Subject::NearCache { .. } => None,
        }
    }

    /// The name of its counter.
    pub(in crate::cluster) fn counter(&self) -> Option<&str> {
        match self.host_kind() {
            Some(ListenerKind::Counter(counter)) => Some(counter),
            _ => None,
        }
    }

    /// Whether the present registration is made by this request.
    fn is_made_by(&self, request: &Request) -> bool {
        matches!(request.listener(), ListenerEffect::Adds(listener_id) if *listener_id == self.server_id)
    }

    fn request(&self, listener_id: Bytes) -> Request {
        match &self.subject {
            Subject::Host(ListenerKind::Cache(options)) => {
                Request::AddClientListener { listener_id, options: options.clone() }
            }
            Subject::Host(ListenerKind::Counter(counter)) => {
                Request::CounterAddListener { counter: counter.clone(), listener_id }
            }
            Subject::NearCache { bloom_bits: 0 } => {
                let interests = Interests::MODIFIED | Interests::REMOVED | Interests::EXPIRED;
                let options = ListenerOptions { use_raw_data: true, interests, ..ListenerOptions::default() };
                Request::AddClientListener { listener_id, options }
            }
            Subject::NearCache { bloom_bits } => {
                Request::AddBloomFilterListener { listener_id, bloom_bits: *bloom_bits }
            }
        }
    }

    /// Whether a failed registration is retried: if it reached no member or its answer was lost, not if it was refused. The
    /// first registration of the application's listener has a deadline like any operation.
    fn may_be_tried_again(&self, error: &ClusterError) -> bool {
        let is_standing = self.was_registered || matches!(self.subject, Subject::NearCache { .. });
        match error {
            ClusterError::Operation { error: OperationError::Disconnected { .. }, .. } => true,
            // The member is stopping, or the cluster is between two views.
            ClusterError::Operation { error: OperationError::Server { status, .. }, .. } => status.is_retryable(),
            ClusterError::Operation { error: OperationError::TimedOut { .. }, .. }
            | ClusterError::Unreachable { .. } => is_standing,
            _ => false,
        }
    }
}

/// The answer to a registration, if that was executed: a counter may not be defined.
fn accepted(reply: Reply, registration: &Operation) -> Result<Reply, ClusterError> {
    if reply.status.is_success() {
        return Ok(reply);
    }
    let (operation, status) = (registration.request.operation(), reply.status);
    let message = "the listener was not registered".into();
    let error = OperationError::Server { operation, status, message };
    Err(ClusterError::Operation { error, attempts: registration.attempts })
}

/// Whether a registration has found no cache or no counter, or a cache that was not started in time.
fn is_forgotten(error: &ClusterError) -> bool {
    match error {
        ClusterError::Operation {
            error: OperationError::Server { status: Status::KEY_DOES_NOT_EXIST, .. }, ..
        } => true,
        ClusterError::Operation { error, .. } => is_cache_missing(error) || error.is_cache_starting(),
        _ => false,
    }
}

/// Whether a request registers a listener that gets the entries of the cache before the answer.
pub(in crate::cluster) fn includes_state(request: &Request) -> bool {
    matches!(request, Request::AddClientListener { options, .. } if options.include_current_state)
}
