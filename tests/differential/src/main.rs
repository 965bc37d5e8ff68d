//! `hotrod-differential`: compares where requests end, for the scanner and for the server.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use hotrod_differential::{Error, Explanations, Mutants, Oracle, Report, compare, scan};

/// Mutants that the oracle gets at a time.
const BATCH: usize = 1000;

/// Sends the same bytes to hotrod-core's scanner and to Infinispan's decoder, and compares where requests end.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Number of mutants
    #[arg(long, default_value_t = 200_000)]
    mutants: usize,
    /// Print the mutants in hexadecimal, one a line, and compare nothing
    #[arg(long)]
    print: bool,
    /// Seed of the mutants
    #[arg(long, default_value_t = 19)]
    seed: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            faults.iter().for_each(|fault| eprintln!("hotrod-differential: {fault}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("hotrod-differential: {error}");
            ExitCode::from(3)
        }
    }
}

/// Answers what is wrong: causes that are not explained.
fn run(arguments: &Arguments) -> Result<Vec<String>, Error> {
    if arguments.print {
        print(arguments);
        return Ok(Vec::new());
    }
    let explanations = Explanations::read()?;
    let mut report = Report::default();
    let mut oracle = Oracle::start()?;
    let mut supply = Mutants::new(arguments.seed);
    let mut left = arguments.mutants;
    while left > 0 {
        let mutants: Vec<_> = supply.by_ref().take(left.min(BATCH)).collect();
        left -= mutants.len();
        for (mutant, answers) in mutants.iter().zip(oracle.ask(&mutants)?) {
            let scanned = scan(&mutant.bytes);
            report.add(mutant, &answers.map(|events| compare(&scanned, &events)));
        }
    }
    print!("{}", report.table(&explanations));
    let unexplained = report.unexplained(&explanations).into_iter();
    Ok(unexplained.map(|cause| format!("not explained: {cause}")).collect())
}

/// For attackers that are not written in Rust.
fn print(arguments: &Arguments) {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for mutant in Mutants::new(arguments.seed).take(arguments.mutants) {
        let line: String = mutant.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if writeln!(out, "{line}").is_err() {
            // The reader has enough.
            break;
        }
    }
}
