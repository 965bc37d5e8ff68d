//! Degradation: no member of the topology can be reached. Reported here; that operations fall back to the seeds is
//! `Cluster::choose` in `operations/dispatch.rs`.

use super::machine::Cluster;
use super::members::MemberId;
use super::output::{Event, Output};
use super::transport::open_session::{OpenSession, SessionId};

impl Cluster {
    /// Resets the failures of a member that has answered an operation, and those of the seed that has led to it. Those of further
    /// sessions are reset by the first answer of a session.
    pub(super) fn trust(&mut self, session: SessionId, member: MemberId, is_first: bool) {
        let seed = self.transport.get(session).and_then(OpenSession::seed);
        for answered in [Some(member), seed].into_iter().flatten() {
            if let Some(known) = self.members.get_mut(answered) {
                known.failures = 0;
                known.failure = None;
                if is_first {
                    known.further_failures = 0;
                }
            }
        }
        self.note_degradation();
    }

    pub(super) fn reaches_a_member(&self) -> bool {
        self.members.current().iter().any(|member| self.has_ready_session(*member))
    }

    pub(super) fn has_ready_session(&self, member: MemberId) -> bool {
        self.transport.has_ready_session(member)
    }

    /// Reports when no member of the topology can be reached, and when one can be again.
    pub(super) fn note_degradation(&mut self) {
        let is_down = |member: &MemberId| {
            self.members.get(*member).is_some_and(|known| known.failures > 0 || self.is_outside(known))
                && !self.has_ready_session(*member)
        };
        let degraded = !self.members.current().is_empty() && self.members.current().iter().all(is_down);
        if degraded != self.degraded && (degraded || self.reaches_a_member()) {
            self.degraded = degraded;
            if degraded {
                self.caches.ask_anew();
            }
            let event = if degraded { Event::Degraded } else { Event::Restored };
            self.outputs.push_back(Output::Event(event));
        }
    }
}
