//! What a cluster machine is told at its beginning, and what it counts.

use alloc::vec::Vec;
use core::time::Duration;

use crate::session;
use crate::wire::Member;

/// Settings of a [`Cluster`](super::Cluster).
#[derive(Debug, Clone)]
pub struct Config {
    /// Servers to begin with, and to come back to when every member that is known is gone.
    pub seeds: Vec<Member>,
    /// Settings of every session.
    pub session: session::Config,
    /// Time for the host to establish a link. Default 5 s.
    pub connect_timeout: Duration,
    /// Deadline of an operation over all its attempts, if its submitter names none. Default 15 s.
    pub operation_timeout: Duration,
    /// How often an operation that has reached a member is sent again. Default 3. Attempts that reached nobody do not
    /// count: only the deadline ends them.
    pub max_retries: u8,
    /// Pause after the first failure of a member; it doubles with each further one. Default 100 ms.
    pub min_backoff: Duration,
    /// The longest pause. Default 10 s.
    pub max_backoff: Duration,
    /// Whether links are opened to members as soon as a topology names them, and not with the first operation that
    /// needs one. Default true.
    pub connect_ahead: bool,
    /// A ready link on which nothing was sent or received for so long is asked with a PING. Default 30 s.
    pub keep_alive: Duration,
    /// Operations that wait for a link, or that a session is too full for. Default 10,000.
    pub max_waiting: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            session: session::Config { stall_timeout: Duration::from_secs(10), ..session::Config::default() },
            connect_timeout: Duration::from_secs(5),
            operation_timeout: Duration::from_secs(15),
            max_retries: 3,
            min_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            connect_ahead: true,
            keep_alive: Duration::from_secs(30),
            max_waiting: 10_000,
        }
    }
}

/// What a cluster machine has done, as plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Operations that were completed, the machine's own not included.
    pub operations: u64,
    /// Operations sent to the primary owner of their key.
    pub direct: u64,
    /// Operations with a key sent to another member, which has to forward them.
    pub forwarded: u64,
    /// Times an operation was sent again.
    pub retries: u64,
    /// Links asked for.
    pub connects: u64,
    /// Links that failed or were lost.
    pub disconnects: u64,
    /// Topologies taken over.
    pub topologies: u64,
}
