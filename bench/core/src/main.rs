//! Measures hotrod-core: time, instructions and allocations per operation.
//!
//! `make bench` calls it. The figures go into one flat JSON file, so that runs can be compared; time depends on the
//! machine and on what else it does, instructions and allocations do not.

#![allow(unreachable_pub)]

mod allocations;
mod cases;
mod held;
mod instructions;
mod meter;
mod nghttp2;
mod octets;
mod ratios;
mod report;
mod time;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::cases::Case;

/// A figure's name, and its value.
type Figures = BTreeMap<String, f64>;

#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Add the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure only what begins so
    #[arg(long, value_name = "PREFIX", default_value = "")]
    only: String,
    /// Also measure nghttp2, by the program that bench/peers/nghttp2/build makes
    #[arg(long, value_name = "PROGRAM")]
    nghttp2: Option<PathBuf>,
    /// Run this and nothing else, for a profiler
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// How many times
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, requires = "run")]
    times: u64,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hotrod-bench-core: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let cases = cases::all();
    if let Some(name) = &options.run {
        let case = cases.iter().find(|case| case.name == name).ok_or_else(|| format!("nothing is named {name:?}"))?;
        let mut work = (case.prepare)();
        (0..options.times).for_each(|_| work());
        return Ok(());
    }
    let mut figures = Figures::new();
    report::heading();
    for case in cases.iter().filter(|case| case.name.starts_with(&options.only)) {
        report::row(case, &measure(case, &mut figures)?);
    }
    if let Some(program) = &options.nghttp2 {
        nghttp2::measure(program, &options.only, &mut figures)?;
    }
    held::measure(&options.only, &mut figures);
    octets::measure(&options.only, &mut figures);
    report::growth(&figures);
    ratios::add(&mut figures);
    options.json.as_ref().map_or(Ok(()), |file| report::add(&figures, file))
}

/// What one operation costs; time and instructions for each [`Unit`](cases::Unit).
struct Cost {
    nanoseconds: f64,
    instructions: Option<f64>,
    allocations: f64,
    peak_bytes: f64,
}

fn measure(case: &Case, figures: &mut Figures) -> Result<Cost, String> {
    let per = case.unit.count as f64;
    let mut work = (case.prepare)();
    let (allocated, operations) = if case.counts_first {
        (allocations::of(&mut work, 1, case.measured), 1.0)
    } else {
        (allocations::warm(&mut work, case.measured), per)
    };
    let cost = Cost {
        nanoseconds: time::of(&mut work, case.measured) / per,
        instructions: instructions::of(case)?.map(|count| count / per),
        allocations: allocated.calls / operations,
        peak_bytes: allocated.peak_bytes,
    };
    let mut figure = |what: &str, value: f64| figures.insert(format!("{}.{what}", case.name), value);
    figure(&format!("ns{}", case.unit.suffix), cost.nanoseconds);
    figure("allocs", cost.allocations);
    figure("peak_bytes", cost.peak_bytes);
    if let Some(instructions) = cost.instructions {
        figure(&format!("instructions{}", case.unit.suffix), instructions);
    }
    Ok(cost)
}
