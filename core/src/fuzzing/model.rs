//! Model of a session, which checks its guarantees.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::session::{Applied, Event, OperationError, OperationId, Session, SubmitError};
use crate::wire::{Lifetime, Operation, Version};

/// State of the session as its host sees it.
#[derive(Default)]
pub(super) struct Model {
    /// Operations neither completed nor cancelled.
    waiting: BTreeSet<OperationId>,
    /// Cancelled or expired operations, whose replies may still arrive.
    cancelled: BTreeSet<OperationId>,
    /// Ids of requests that the server has received completely.
    arrived: BTreeSet<u64>,
    submitted: u64,
    /// Number of operations completed by a reply, error replies included.
    completed_by_reply: u64,
    listened: u64,
    closed: bool,
    /// All events.
    pub(super) log: Vec<Event>,
}

impl Model {
    pub(super) fn submitted(
        &mut self,
        operation: Operation,
        result: Result<OperationId, SubmitError>,
        session: &Session,
    ) {
        match result {
            Ok(id) => {
                assert!(session.is_ready(), "accepted before it is ready, or after its end");
                assert!(operation.row().since <= session.version() && operation.is_read_at(session.version()));
                assert!(self.waiting.insert(id) && !self.cancelled.contains(&id), "an id comes again");
                self.submitted += 1;
            }
            Err(SubmitError::Closed) => assert!(!session.is_ready()),
            Err(SubmitError::NotReady) => assert!(!session.is_ready() && !session.is_closed()),
            Err(SubmitError::NotInVersion { since, version, .. }) => assert!(since > version),
            Err(SubmitError::GoneInVersion { operation, version }) => {
                assert!(operation.row().since <= version && !operation.is_read_at(version));
            }
            Err(SubmitError::Full { in_flight, send_bytes }) => assert!(in_flight > 0 || send_bytes > 0),
            Err(SubmitError::LifetimeNotInVersion { milliseconds, version, .. }) => {
                assert!(milliseconds > Lifetime::LONGEST_BEFORE_3_0 && version < Version::V3_0);
            }
            Err(SubmitError::OffsetBreaksStream { offset }) => assert!(offset > 0),
            Err(SubmitError::TooLarge { size, limit, .. }) => assert!(size > limit),
        }
    }

    pub(super) fn cancelled(&mut self, id: OperationId) {
        assert!(self.waiting.remove(&id), "{id:?} is cancelled, but was not in flight");
        self.cancelled.insert(id);
    }

    pub(super) fn arrived(&mut self, message_id: u64) {
        assert!(self.arrived.insert(message_id), "a request is sent twice");
    }

    pub(super) fn happened(&mut self, event: Event) {
        assert!(!self.closed, "{event:?} after the end");
        match &event {
            Event::Ready(_) => assert!(self.log.is_empty(), "ready is not the first event"),
            Event::Completed { id, result, .. } => {
                assert!(self.waiting.remove(id), "{id:?} completes, and nobody waits for it");
                self.completed(*id, result.as_ref().err());
            }
            Event::Topology { id, .. } => assert!(!self.waiting.contains(id), "a topology alone, and no answer"),
            Event::Entry(_) | Event::Counter(_) => self.listened += 1,
            Event::Closed(_) => self.closed = true,
        }
        self.log.push(event);
    }

    fn completed(&mut self, id: OperationId, error: Option<&OperationError>) {
        match error {
            None | Some(OperationError::Server { .. }) => self.completed_by_reply += 1,
            Some(OperationError::TimedOut { .. }) => {
                self.cancelled.insert(id);
            }
            Some(OperationError::Disconnected { applied, .. } | OperationError::GivenUp { applied, .. }) => {
                let arrived = self.arrived.contains(&id.0);
                assert!(*applied == Applied::Unknown || !arrived, "the server has it, so it may have been applied");
            }
        }
    }

    /// Invariants at any time.
    pub(super) fn check(session: &Session) {
        if let Some((deadline, _)) = session.timeout_reason() {
            assert_eq!(session.poll_timeout(), Some(deadline));
        }
        if session.is_closed() {
            assert_eq!((session.in_flight(), session.transmit().len(), session.poll_timeout()), (0, 0, None));
            assert!(!session.is_ready() && !session.wants_read());
        }
    }

    /// Invariants at the end, after all events were polled.
    pub(super) fn check_end(&self, session: &Session) {
        Self::check(session);
        assert!(self.closed && session.is_closed(), "no last event");
        assert!(self.waiting.is_empty(), "never completed: {:?}", self.waiting);
        let counters = session.counters();
        assert_eq!(counters.events, self.listened);
        let of_handshake = counters.requests - self.submitted;
        let on_time = counters.replies - counters.late_replies;
        assert!(
            on_time >= self.completed_by_reply && on_time - self.completed_by_reply <= of_handshake,
            "{counters:?}"
        );
        assert!(self.arrived.len() as u64 <= counters.requests);
        assert!(self.cancelled.len() as u64 + of_handshake >= counters.late_replies);
    }
}
