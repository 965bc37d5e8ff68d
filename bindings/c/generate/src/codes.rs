//! Statuses, flags, the numbers of the server's statuses, counters.

use serde_json::Value;

use crate::{doc, rows, string, upper};

pub(crate) fn text(vocabulary: &Value) -> String {
    let mut out = String::from(
        "
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
    out += "    /// A required pointer is NULL. The call had no effect.
    HOTROD_ERR_NULL = 100,
    /// A bug in the library was caught: from now on this machine can only be freed.
    HOTROD_ERR_PANIC = 101,
    /// Another thread is in a call on this machine. The call had no effect.
    HOTROD_ERR_BUSY = 102,
}

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
