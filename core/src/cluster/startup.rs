//! Startup: until the first member is ready, or none can be.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::cache::{CacheHandle, ReadFrom};
use super::machine::Cluster;
use super::members::MemberId;
use super::operations::operation::{Call, Owner, Target};
use super::output::{ClusterError, Event, Output};
use super::transport::open_session::Purpose;
use crate::session::Disconnect;
use crate::time::Instant;
use crate::wire::{Member, Request};

/// Reason for which a client could not start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No server could be reached; the last error of each.
    #[error("no server could be reached: {}", Lines(.0))]
    Unreachable(Vec<DialError>),
    /// The link was established and the session was not: the server refused it, or is no Hot Rod server.
    #[error("{server}: {reason}")]
    Handshake {
        /// Address of the server.
        server: Member,
        /// Reason for the end of the session.
        reason: Arc<Disconnect>,
    },
    /// The cache belongs to another machine.
    #[error("the cache belongs to another client")]
    ForeignCache,
    /// The first operation, a PING, failed.
    #[error("{error}")]
    Operation {
        /// The member to which it was sent last.
        member: Option<MemberId>,
        /// Its error.
        error: ClusterError,
    },
}

/// Reason for which one server could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {problem}")]
pub struct DialError {
    /// Address of the server.
    pub server: Member,
    /// Error of the host, or of the handshake.
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

/// State until the first session.
pub(super) struct Startup {
    /// Servers that have not failed yet.
    left: Vec<MemberId>,
    failures: Vec<DialError>,
}

impl Startup {
    /// Notes the last failure of a server.
    fn note(&mut self, server: Member, problem: String) {
        self.failures.retain(|failure| failure.server != server);
        self.failures.push(DialError { server, problem });
    }
}

impl Cluster {
    /// Connects to a first member by a PING of a cache. [`Event::Started`] reports success; [`Event::StartFailed`] comes when
    /// every server of every site has failed once, and the client keeps trying all the same until it is closed; or when the
    /// cache is one of another machine.
    pub fn start(&mut self, now: Instant, cache: &CacheHandle) {
        self.now = now;
        if !self.caches.contains(cache.id()) {
            return self.outputs.push_back(Output::Event(Event::StartFailed { error: StartError::ForeignCache }));
        }
        if self.transport.sessions().any(|(_, open)| open.is_ready()) {
            return self.outputs.push_back(Output::Event(Event::Started));
        }
        let left = self.members.all_seeds().collect();
        self.startup = Some(Startup { left, failures: Vec::new() });
        // The PING needs a link; while it waits, the servers are tried one after the other.
        let cache = cache.with_reads_from(ReadFrom::default());
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

    /// The first PING has reached no server in its time: reports the failures, and the servers that have not answered.
    pub(super) fn start_reached_nobody(&mut self, after: Duration) {
        let Some(startup) = &mut self.startup else { return };
        for server in core::mem::take(&mut startup.left) {
            if let Some(known) = self.members.get(server) {
                startup.note(known.address.clone(), alloc::format!("no answer within {} ms", after.as_millis()));
            }
        }
        let failures = core::mem::take(&mut startup.failures);
        self.start_failed(StartError::Unreachable(failures));
    }

    /// Notes that a server could not be reached, or did not accept the session.
    pub(super) fn note_start_failure(&mut self, id: MemberId, server: &Member, reason: &Arc<Disconnect>) {
        let Some(startup) = &mut self.startup else { return };
        startup.left.retain(|left| *left != id);
        let server = server.clone();
        match &**reason {
            Disconnect::LinkLost(problem) | Disconnect::NotConnected { why: problem, .. } => {
                startup.note(server, problem.clone());
            }
            _ if !startup.left.is_empty() => startup.note(server, alloc::format!("{reason}")),
            // The error of a server tells more than errors of connections to others.
            _ => return self.start_failed(StartError::Handshake { server, reason: reason.clone() }),
        }
        if startup.left.is_empty() {
            let failures = core::mem::take(&mut startup.failures);
            self.start_failed(StartError::Unreachable(failures));
        }
    }
}
