//! An endpoint's end of an HTTP/2 link through whatever its application and the other end do.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hotrod_core::fuzzing::carriage_server(data));
