//! Replays the seeds of the fuzzers and their findings without a fuzzer.
#![cfg(feature = "fuzzing")]

use std::fs;
use std::path::Path;

use hotrod_core::fuzzing::{TARGETS, seeds};

/// Runs a target, and shows the input if it fails.
fn replay(target: &str, name: &str, bytes: &[u8]) {
    let (_, body) = TARGETS.iter().find(|(known, _)| *known == target).unwrap_or_else(|| panic!("no target {target}"));
    let run = std::panic::catch_unwind(|| body(bytes));
    assert!(run.is_ok(), "{target} fails on {name}: {bytes:02x?}");
}

#[test]
fn every_seed_runs() {
    for seed in seeds() {
        replay(seed.target, &seed.name, &seed.bytes);
    }
}

#[test]
fn every_target_has_seeds() {
    for (target, _) in TARGETS {
        assert!(seeds().iter().any(|seed| seed.target == target), "{target}");
    }
}

/// `fuzz/regressions/TARGET/*`: inputs that failed once.
#[test]
fn nothing_fails_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/regressions");
    for (target, _) in TARGETS {
        let Ok(files) = fs::read_dir(folder.join(target)) else { continue };
        for file in files {
            let path = file.expect("a readable folder").path();
            let bytes = fs::read(&path).expect("a readable file");
            replay(target, &path.display().to_string(), &bytes);
        }
    }
}
