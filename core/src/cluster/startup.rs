//! The time until the first member is ready, or none can be.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::cache::{CacheHandle, ReadFrom};
use super::machine::Cluster;
use super::members::MemberId;
use super::operations::operation::{Call, Owner, Target};
use super::output::{ClusterError, Event, Output};
use super::transport::open_session::Purpose;
use crate::session::Disconnect;
use crate::time::Instant;
use crate::wire::{Member, Request};

/// Why a client could not start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No server could be reached; one line for each that was tried.
    #[error("no server could be reached: {}", Lines(.0))]
    Unreachable(Vec<DialError>),
    /// The link was established and the session was not: the server refused it, or is no Hot Rod server.
    #[error("{server}: {reason}")]
    Handshake {
        /// The server.
        server: Member,
        /// Why.
        reason: Arc<Disconnect>,
    },
    /// The first operation, a PING, failed.
    #[error("{error}")]
    Operation {
        /// The member that it was sent to last.
        member: Option<MemberId>,
        /// How.
        error: ClusterError,
    },
}

/// Why one server could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {problem}")]
pub struct DialError {
    /// The server.
    pub server: Member,
    /// What happened.
    pub problem: String,
}

struct Lines<'a>(&'a [DialError]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, failure)| {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{failure}")
        })
    }
}

/// Waits for the first session.
pub(super) struct Startup {
    /// Servers that have not failed yet.
    left: Vec<MemberId>,
    failures: Vec<DialError>,
}

impl Cluster {
    /// Begins to look for a member, by asking for a cache. [`Event::Started`] or [`Event::StartFailed`] tells how it went:
    /// the latter when every server of every site has failed once. The client goes on all the same until it is closed.
    pub fn start(&mut self, now: Instant, cache: &CacheHandle) {
        self.now = now;
        if self.transport.sessions().any(|(_, open)| open.is_ready()) {
            return self.outputs.push_back(Output::Event(Event::Started));
        }
        let left = self.sites.iter().flat_map(|site| &site.seeds).copied().collect();
        self.startup = Some(Startup { left, failures: Vec::new() });
        // To ask for a cache is to ask for a link. When that is given up nobody tries the servers that are left.
        let cache = CacheHandle { read_from: ReadFrom::default(), ..cache.clone() };
        let id = self.take_in(Call::new(&cache, Request::Ping {}), Owner::Startup, Target::Key, Purpose::Operations);
        self.dispatch(id);
    }

    pub(super) fn has_started(&mut self) {
        if self.startup.take().is_some() {
            self.outputs.push_back(Output::Event(Event::Started));
        }
    }

    pub(super) fn start_failed(&mut self, error: StartError) {
        if self.startup.take().is_some() {
            self.outputs.push_back(Output::Event(Event::StartFailed { error }));
        }
    }

    /// A server could not be reached, or did not accept the session.
    pub(super) fn note_start_failure(&mut self, id: MemberId, server: &Member, reason: &Arc<Disconnect>) {
        let Some(startup) = &mut self.startup else { return };
        startup.left.retain(|left| *left != id);
        let server = server.clone();
        match &**reason {
            Disconnect::LinkLost(problem) => startup.failures.push(DialError { server, problem: problem.clone() }),
            _ if !startup.left.is_empty() => {
                startup.failures.push(DialError { server, problem: alloc::format!("{reason}") });
            }
            // What a server says tells more than that others can't be reached.
            _ => return self.start_failed(StartError::Handshake { server, reason: reason.clone() }),
        }
        if startup.left.is_empty() {
            let failures = core::mem::take(&mut startup.failures);
            self.start_failed(StartError::Unreachable(failures));
        }
    }
}
