//! Failures of commands, and exit codes.

use std::io::{self, Write};
use std::process::ExitCode;

use hotrod_tokio::Error;

/// Failure of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid input of the user; nothing was sent or written.
    Usage(String),
    /// Failure of the server or the network.
    Client(Error),
    /// The reader of standard output is gone: `hotrod map --watch | head -1`. Ends the command, and is no error.
    ReaderGone,
    /// Failure to write output, or another system error.
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
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// Prints one line on standard error; returns exit code 2 for invalid input, 3 otherwise, and 0 without a line if the reader is gone.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    let (message, code) = match failure {
        Failure::ReaderGone => return ExitCode::SUCCESS,
        Failure::Usage(message) => (message.clone(), 2),
        Failure::Client(error) => (error.to_string(), 3),
        Failure::Other(message) => (message.clone(), 3),
    };
    // A server's message may contain line ends and control characters.
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Ignores a closed standard error.
    let _ = writeln!(io::stderr(), "hotrod: {line}");
    ExitCode::from(code)
}
