//! An HTTP/2 client through whatever its application and its peer do.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hotrod_core::fuzzing::http2_client(data));
