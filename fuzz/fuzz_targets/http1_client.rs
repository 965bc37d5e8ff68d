//! Answers to a client that has asked for a tunnel by HTTP/1.1, whole and in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hotrod_core::fuzzing::http1_client(data));
