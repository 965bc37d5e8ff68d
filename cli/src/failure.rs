//! How a command fails, and what the shell is told.

use std::io::{self, Write};
use std::process::ExitCode;

use hotrod_tokio::Error;

/// Why a command could not be carried out.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user's input is wrong; nothing was sent or written.
    Usage(String),
    /// The server or the network.
    Client(Error),
    /// Output could not be written, or the system refused something.
    Other(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Uri(_) | Error::File { .. } | Error::Settings(_) => Self::Usage(error.to_string()),
            error => Self::Client(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// One line on standard error; 2 for wrong input, 3 for everything else.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    let (message, code) = match failure {
        Failure::Usage(message) => (message.clone(), 2),
        Failure::Client(error) => (error.to_string(), 3),
        Failure::Other(message) => (message.clone(), 3),
    };
    // A server's message may have many lines and control characters.
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Nothing can be done if standard error is gone.
    let _ = writeln!(io::stderr(), "hotrod: {line}");
    ExitCode::from(code)
}
