//! Output of commands: text lines, or one JSON value.

use std::io::{self, Write};
use std::process::ExitCode;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value, json};

/// Outcome of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Success.
    Done,
    /// The entry does not exist, or the condition did not hold.
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

/// Prints the text line, or with `--json` the value.
pub(crate) fn print(json: bool, line: &str, value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json { writeln!(out, "{value}") } else { writeln!(out, "{line}") }
}

/// Prints bytes unchanged.
pub(crate) fn print_bytes(bytes: &[u8], line_end: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    if line_end {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Adds bytes to a JSON object: UTF-8 as text, other bytes as base64 under another name.
pub(crate) fn insert_bytes(object: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match core::str::from_utf8(bytes) {
        Ok(text) => object.insert(name.into(), json!(text)),
        Err(_) => object.insert(format!("{name}_base64"), json!(Base64::encode_string(bytes))),
    };
}
