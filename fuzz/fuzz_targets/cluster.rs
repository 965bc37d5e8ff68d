//! A cluster machine through whatever its host and the servers do.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hotrod_core::fuzzing::cluster(data));
