//! Requests to a server of HTTP/1.1, whole and in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hotrod_core::fuzzing::http1_server(data));
