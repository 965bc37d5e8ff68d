//! Types to which a later version may add variants or fields are `#[non_exhaustive]`.

use std::fs;

use hotrod_public_api::{PACKAGES, path};

/// Last words of the names of events, outputs, operations, requests, answers and settings.
const GROWING: [&str; 10] =
    ["Event", "Output", "Operation", "wire::Request", "Body", "Answer", "Config", "Options", "Limits", "Settings"];

/// Exceptions: types that the protocols define and servers construct, and those of which a binding passes every field.
const FIXED: [&str; 6] = [
    "hotrod_core::http2::Settings",
    "hotrod_core::vocabulary::CacheOptions",
    "hotrod_core::vocabulary::CallOptions",
    "hotrod_core::wire::CounterEvent",
    "hotrod_core::wire::Event",
    "hotrod_core::wire::ListenerOptions",
];

#[test]
fn types_that_grow_are_non_exhaustive() {
    let mut exhaustive = Vec::new();
    for package in PACKAGES {
        let listing = fs::read_to_string(path(package)).expect("a listing");
        let types =
            listing.lines().filter_map(|line| line.strip_prefix("pub enum ").or(line.strip_prefix("pub struct ")));
        let growing = types.filter(|name| GROWING.iter().any(|last| name.ends_with(last)));
        exhaustive.extend(growing.map(String::from));
    }
    assert_eq!(exhaustive, FIXED, "types that users can construct or match exhaustively");
}
