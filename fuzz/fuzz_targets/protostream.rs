//! Values of ProtoStream caches.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hotrod_core::fuzzing::protostream(data));
