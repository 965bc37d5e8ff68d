//! `hotrod`: access Infinispan from the command line.
#![forbid(unsafe_code)]

mod arguments;
mod bench;
mod commands;
mod demo;
mod failure;
mod map;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&Failure::Other(error.to_string())),
    };
    match runtime.block_on(run(arguments)) {
        Ok(outcome) => outcome.exit_code(),
        Err(failure) => failure::report(&failure),
    }
}

async fn run(arguments: Arguments) -> Result<output::Outcome, Failure> {
    match &arguments.command {
        Command::Demo(options) => demo::run(options).await,
        Command::Map(options) => map::run(&arguments, options).await,
        Command::Bench(options) => bench::run(&arguments, options).await,
        _ => commands::run(&arguments).await,
    }
}
