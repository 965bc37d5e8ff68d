//! Do hotrod-core's scanner and Infinispan's own decoder agree where each request ends?
//!
//! A gateway that disagrees with the server takes for a value what the server executes. So the same bytes go to both:
//! requests of every operation and version, and mutants of them. What they disagree about is listed by cause. A cause where
//! the scanner would pass on what the server reads otherwise has to be in `explained.toml`, or the run fails.

mod compare;
mod explained;
mod mutants;
mod oracle;
mod report;
mod scan;

pub use compare::{Verdict, compare};
pub use explained::Explanations;
pub use mutants::{Mutant, Mutants};
pub use oracle::{Event, Oracle};
pub use report::Report;
pub use scan::{Outcome, Scanned, scan};

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No real server could be fetched or started.
    #[error(transparent)]
    Harness(#[from] infinispan_harness::Error),
    /// A program, a file or a socket.
    #[error("{what}: {error}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The oracle could not be compiled.
    #[error("javac refuses the oracle: {0}")]
    Compile(String),
    /// The list of explanations can't be read.
    #[error("explained.toml: {0}")]
    Explanations(#[from] toml::de::Error),
}

impl Error {
    pub(crate) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Io { what, error }
    }
}
