//! Real Infinispan servers for the tests: installed from Maven Central, started on free ports of the loopback, and stopped
//! again, exactly those that were started.
//!
//! ```no_run
//! use infinispan_harness::{Cluster, Options};
//!
//! let cluster = Cluster::start(Options { nodes: 3, ..Options::default() })?;
//! println!("{:?}", cluster.endpoints());
//! # Ok::<(), infinispan_harness::Error>(())
//! ```
//!
//! The program of the same name does this for tests in other languages.

mod certificates;
mod cluster;
mod configuration;
mod install;
mod node;
mod ports;
mod process;
mod shared;
mod statistics;

use std::path::PathBuf;
use std::time::Duration;

pub use cluster::{Cluster, Endpoint};
pub use install::install;
pub use ports::{free_pod_ports, free_ports, pod_address};
pub use process::spawn_to_die_with_us;
pub use shared::shared;
pub use statistics::{Hits, Metrics};

/// The server that the tests run against unless they say otherwise.
pub const DEFAULT_VERSION: &str = "16.0.7";

/// Whether the tests run against an older server, which may not know the newest protocol versions.
pub fn is_older_line() -> bool {
    std::env::var_os("HOTROD_INFINISPAN_VERSION").is_some_and(|version| version != DEFAULT_VERSION)
}

/// Which server to start, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The version in Maven Central. Default `HOTROD_INFINISPAN_VERSION`, and without that [`DEFAULT_VERSION`].
    pub version: String,
    /// How many nodes. Default 1.
    pub nodes: usize,
    /// With TLS and authentication, or without. Default without.
    pub flavour: Flavour,
    /// Caches beside those that every server has, as elements of the server's configuration. Default none.
    pub extra_caches: String,
    /// The largest request of a client, such as `128MB`: `max-content-length` of the server's configuration. Default the
    /// server's own: since 15.1 it closes a connection above 10 MB.
    pub max_content_length: Option<String>,
    /// How long the nodes may take to start. Default five minutes: a busy machine needs them.
    pub start_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: std::env::var("HOTROD_INFINISPAN_VERSION").unwrap_or_else(|_| DEFAULT_VERSION.into()),
            nodes: 1,
            flavour: Flavour::Plain,
            extra_caches: String::new(),
            max_content_length: None,
            start_timeout: Duration::from_secs(300),
        }
    }
}

/// How a server is secured. Users are `admin:changeme`, who may do all, `reader:secret`, who may only read, and
/// `powerless:nothing`, who has no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// Not at all.
    #[default]
    Plain,
    /// Authentication over TLS; on another port by client certificate.
    Secure,
    /// Authentication without TLS.
    SecurePlain,
    /// Authentication without TLS; on another port by client certificate and TLS, with all rights. Users `alice:wonderland`
    /// and `mallory:malice` have the cache of their own name and no other.
    Tenants,
    /// As a StatefulSet's pods: each at an address of its own (127.0.1.1, 127.0.1.2, …), all at one port. A second port
    /// has TLS, and clients of that are told the pods' names, which nobody outside of the cluster can resolve.
    Pods,
}

impl Flavour {
    pub(crate) fn has_tls(self) -> bool {
        matches!(self, Self::Secure | Self::Tenants | Self::Pods)
    }

    pub(crate) fn has_authentication(self) -> bool {
        matches!(self, Self::Secure | Self::SecurePlain | Self::Tenants)
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that is needed isn't there.
    #[error("{program} is missing: install the Debian package {package}, or set SKIP_REAL=1 to leave out real servers")]
    Missing {
        /// The program.
        program: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// A program that was run failed.
    #[error("{program} failed: {output}")]
    Program {
        /// The program.
        program: String,
        /// What it printed.
        output: String,
    },
    /// A node ended, or was not ready in time.
    #[error("node {node} {problem}; the end of {log}:\n{tail}", log = log.display())]
    Start {
        /// The node.
        node: usize,
        /// What happened.
        problem: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// A file or process could not be handled.
    #[error("{what}: {error}")]
    Io {
        /// What was attempted.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        |error| Self::Io { what, error }
    }
}

/// Whether tests against real servers are to be left out: only if `SKIP_REAL=1` says so.
pub fn skip_real() -> bool {
    let skip = std::env::var_os("SKIP_REAL").is_some_and(|value| value == "1");
    if skip {
        eprintln!("skipped: SKIP_REAL=1");
    }
    skip
}
