//! What commands print: lines for people, one JSON value for programs.

use std::io::{self, Write};
use std::process::ExitCode;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value, json};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// There was no entry, or the condition did not hold.
    No,
}

impl Outcome {
    pub(crate) fn of(done: bool) -> Self {
        if done { Self::Done } else { Self::No }
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::No => ExitCode::from(1),
        }
    }
}

/// Prints a line for people, or the value for programs.
pub(crate) fn print(json: bool, line: &str, value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let result = if json { writeln!(out, "{value}") } else { writeln!(out, "{line}") };
    ignore_closed_pipe(result)
}

/// Prints bytes as they are.
pub(crate) fn print_bytes(bytes: &[u8], line_end: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let result = out.write_all(bytes).and_then(|()| if line_end { out.write_all(b"\n") } else { Ok(()) });
    ignore_closed_pipe(result.and_then(|()| out.flush()))
}

/// `hotrod get-all … | head` is no error.
fn ignore_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Adds bytes to a JSON object: as text if they are, else as base64 under another name.
pub(crate) fn insert_bytes(object: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match core::str::from_utf8(bytes) {
        Ok(text) => object.insert(name.into(), json!(text)),
        Err(_) => object.insert(format!("{name}_base64"), json!(Base64::encode_string(bytes))),
    };
}
