//! Runs the public test cases of HTTP/2 through hotrod-core and says how many there were: `make corpus DIR=…`.
//!
//! `HOTROD_CORPUS` is a folder with copies of http2jp/hpack-test-case and http2jp/http2-frame-test-case, or one of them,
//! somewhere in it. The cases are in no registry, so no test can bring them; those of the repository itself are in
//! `core/tests/hpack` and `core/tests/http2`.

#![allow(unreachable_pub)]

mod frames;
mod hpack;
mod stories;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const REPOSITORIES: &str = "http2jp/hpack-test-case or http2jp/http2-frame-test-case";

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("HOTROD_CORPUS").map(PathBuf::from) else {
        eprintln!("HOTROD_CORPUS is not set: it names a folder with copies of {REPOSITORIES}");
        return ExitCode::FAILURE;
    };
    match run(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> Result<(), String> {
    let (frames, blocks) = (frames::run(folder)?, hpack::run(folder)?);
    if frames + blocks == 0 {
        return Err(format!("{}: no cases: is there a copy of {REPOSITORIES}?", folder.display()));
    }
    Ok(())
}
