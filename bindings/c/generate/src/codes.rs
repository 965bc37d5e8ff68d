//! Statuses, flags, the numbers of the server's statuses, counters.

use serde_json::Value;

use crate::{doc, rows, string, upper};

pub(crate) fn text(vocabulary: &Value) -> String {
    let mut out = String::from(
        "
use std::ffi::{c_char, c_int};

use hotrod_core::cluster::Counters;
use hotrod_core::vocabulary::FailureKind;

/// Status of a call, and kind of a failure. 0 is success; numbers are never reused.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_status {
    /// Success.
    HOTROD_OK = 0,
",
    );
    for failure in rows(vocabulary, "failures") {
        out += &doc("    ", string(failure, "doc"));
        out += &format!("    HOTROD_ERR_{} = {},\n", upper(string(failure, "name")), failure["code"]);
    }
    for (name, code, text) in OWN {
        out += &doc("    ", text);
        out += &format!("    HOTROD_ERR_{name} = {code},\n");
    }
    out += "}

impl hotrod_status {
    /// Returns the status of a kind of failure.
    pub(crate) fn of(kind: FailureKind) -> Self {
        match kind {
";
    for failure in rows(vocabulary, "failures") {
        let name = string(failure, "name");
        out += &format!("            FailureKind::{name} => Self::HOTROD_ERR_{},\n", upper(name));
    }
    // The enum is non-exhaustive; the test of the generated files keeps this line from being reached.
    out += "            _ => Self::HOTROD_ERR_UNEXPECTED_ANSWER,\n        }\n    }\n}\n\n";
    out += &texts(vocabulary);
    for flag in rows(vocabulary, "flags") {
        out += &doc("", &format!("Flag of a cache's requests: {}", string(flag, "doc")));
        out += &format!("pub const HOTROD_FLAG_{}: u32 = {};\n", string(flag, "name"), flag["value"]);
    }
    for status in rows(vocabulary, "statuses") {
        out += &doc("", &format!("The server's status: {}.", string(status, "text")));
        out += &format!("pub const HOTROD_SERVER_{}: u8 = {};\n", string(status, "name"), status["code"]);
    }
    out + &counters(vocabulary)
}

/// Statuses of the interface itself, beside the kinds of failure.
const OWN: [(&str, u32, &str); 6] = [
    ("NULL", 100, "A required pointer is NULL. The call had no effect."),
    ("PANIC", 101, "A bug in the library was caught: from now on this machine can only be freed."),
    (
        "BUSY",
        102,
        "Another call on this machine is running, in another thread or around a callback. The call had no effect.",
    ),
    ("CAPACITY", 103, "The caller's buffer or array is too small; the needed capacity is given."),
    ("DECODE", 104, "Bytes that are no valid ProtoStream value."),
    ("SCHEMA", 105, "Schemas of Protocol Buffers have errors. The servers have stored them all the same."),
];

fn texts(vocabulary: &Value) -> String {
    let mut out = String::from(
        "/// Returns the meaning of a status, a string that is never freed. `hotrod_last_failure` has the details of a failure.
#[unsafe(no_mangle)]
pub extern \"C\" fn hotrod_status_text(status: c_int) -> *const c_char {
    let text = match status {
        0 => c\"Success.\",
",
    );
    for failure in rows(vocabulary, "failures") {
        out += &format!("        {} => c{:?},\n", failure["code"], string(failure, "doc"));
    }
    for (_, code, text) in OWN {
        out += &format!("        {code} => c{text:?},\n");
    }
    out + "        _ => c\"There is no such status.\",
    };
    text.as_ptr()
}

"
}

fn counters(vocabulary: &Value) -> String {
    let mut out = String::from(
        "
/// Statistics of a machine since its creation.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_counters {
",
    );
    for counter in rows(vocabulary, "counters") {
        out += &doc("    ", string(counter, "doc"));
        out += &format!("    pub {}: u64,\n", string(counter, "name"));
    }
    out += "    /// How long completed operations took: bucket n counts those below 2 to the power of n microseconds that are
    /// not in an earlier one; the last holds everything longer as well.
    pub latency: [u64; 32],
}

impl From<Counters> for hotrod_counters {
    fn from(counters: Counters) -> Self {
        Self {
";
    for counter in rows(vocabulary, "counters") {
        let name = string(counter, "name");
        out += &format!("            {name}: counters.{name},\n");
    }
    out + "            latency: counters.latency.buckets,\n        }\n    }\n}\n"
}
