//! Runs the public test cases of HTTP/2 through hotrod-core and says how many there were: `make corpus DIR=…`.
//!
//! `HOTROD_CORPUS` is a folder with a copy of http2jp/hpack-test-case somewhere in it. The cases are in no registry, so
//! no test can bring them; those of the repository itself are in `core/tests/hpack`.

#![allow(unreachable_pub)]

mod hpack;
mod stories;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("HOTROD_CORPUS").map(PathBuf::from) else {
        eprintln!("HOTROD_CORPUS is not set: it names a folder with a copy of http2jp/hpack-test-case");
        return ExitCode::FAILURE;
    };
    match hpack::run(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
