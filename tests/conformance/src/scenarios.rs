//! The scenarios, one function each.

mod access;
mod carriages;
mod cluster;
mod links;
mod listening;
mod misuse;
mod operations;
mod promises;

use serde_json::Value;

/// Every file, and its scenarios.
pub fn all() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("operations", operations::all()),
        ("cluster", cluster::all()),
        ("listening", listening::all()),
        ("links", links::all()),
        ("carriages", carriages::all()),
        ("access", access::all()),
        ("promises", promises::all()),
        ("misuse", misuse::all()),
    ]
}

/// Bytes of a text, in hexadecimal digits.
fn text(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Keys `k0`, `k1`, … in hexadecimal digits.
fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| text(&format!("k{number}"))).collect()
}
