//! `hotrod-sim --seeds N`: runs so many seeds, and says which failed. `--seed S` runs one.

use std::process::ExitCode;

use clap::Parser;
use hotrod_sim::{Summary, run};

#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// How many seeds to run
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run only this one
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (from, count) = options.seed.map_or((options.from, options.seeds), |seed| (seed, 1));
    let mut total = Summary::default();
    let mut failed = 0;
    for seed in from..from + count {
        match run(seed) {
            Ok(summary) => {
                total.operations += summary.operations;
                total.failures += summary.failures;
                total.faults += summary.faults;
            }
            Err(error) => {
                failed += 1;
                eprintln!("seed {seed}: {error}");
            }
        }
    }
    println!(
        "{count} seeds, {} operations ({} failed, each saying what may have become of it), {} faults injected: {failed} seeds failed",
        total.operations, total.failures, total.faults
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
