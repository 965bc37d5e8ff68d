//! `hotrod-sim --seeds N`: runs N seeds over each carriage and reports those that failed. `--seed S` runs one.
//! `--trace-hash FILE` writes the trace of each run as a hash; `--same-trace-as FILE` compares with such a file.

mod trace_file;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::Parser;
use hotrod_sim::carried::Carried;
use hotrod_sim::tally::{Kind, Tally};
use hotrod_sim::{LOADED, Summary, run, run_aloud};

use trace_file::Traces;

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
    /// Over this carriage alone: raw, upgrade, connect, connect-http2, extended-connect, frames, auto, upgrade+frames or
    /// connect+frames; of a client outside, which finds members through the balancer: upgrade+load-balancer,
    /// extended-connect+load-balancer, upgrade+frames+load-balancer or auto+load-balancer
    #[arg(long)]
    carriage: Option<Carried>,
    /// Print every output of the clients, and every fault
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Let servers and links fail only for this long, in simulated seconds: shrinks a failing seed
    #[arg(long, value_name = "SECONDS", requires = "trace", default_value_t = LOADED.as_secs_f64())]
    loaded: f64,
    /// Write a hash of all bytes, outputs and their times for each seed and carriage to this file
    #[arg(long, value_name = "FILE")]
    trace_hash: Option<PathBuf>,
    /// Fail unless each seed has the hash that this file, written by --trace-hash, has for it: the behaviour is the same
    #[arg(long, value_name = "FILE")]
    same_trace_as: Option<PathBuf>,
}

/// Sum of the runs of some seeds over one carriage.
#[derive(Default)]
struct Total {
    summary: Summary,
    failed: Vec<(u64, String)>,
    /// Hash of each run's trace, by seed.
    traces: Vec<(u64, u64)>,
}

impl Total {
    fn add(&mut self, seed: u64, result: Result<Summary, String>) {
        match result {
            Ok(summary) => self.merge(Self { summary, failed: Vec::new(), traces: vec![(seed, summary.trace)] }),
            Err(error) => self.failed.push((seed, error)),
        }
    }

    fn merge(&mut self, mut other: Self) {
        let (mine, others) = (&mut self.summary, other.summary);
        mine.operations += others.operations;
        mine.failures += others.failures;
        mine.refused += others.refused;
        mine.histories += others.histories;
        mine.faults.merge(&others.faults);
        // The order in which threads come to their seeds says nothing.
        mine.trace ^= others.trace;
        self.failed.append(&mut other.failed);
        self.traces.append(&mut other.traces);
    }
}

fn main() -> ExitCode {
    match run_carriages(&Options::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the seeds over each carriage; returns the number of failures.
fn run_carriages(options: &Options) -> io::Result<usize> {
    let (from, count) = options.seed.map_or((options.from, options.seeds), |seed| (seed, 1));
    let loaded = Duration::try_from_secs_f64(options.loaded).map_err(io::Error::other)?;
    let run = |seed, carriage| if options.trace { run_aloud(seed, carriage, loaded) } else { run(seed, carriage) };
    let expected = options.same_trace_as.as_deref().map(Traces::read).transpose()?;
    let mut traces = Traces::default();
    let mut failures = 0;
    for carriage in options.carriage.map_or(Carried::ALL.to_vec(), |only| vec![only]) {
        let mut total = run_all(from, count, |seed| run(seed, carriage));
        total.failed.sort();
        for (seed, error) in &total.failed {
            eprintln!("seed {seed} over {carriage}: {error}");
        }
        println!("{carriage}:");
        report(count, &total);
        failures += total.failed.len();
        traces.add(carriage, &total.traces);
    }
    if let Some(expected) = &expected {
        let differences = traces.differences(expected);
        println!("{} of {} traces are the same", traces.len() - differences.len(), traces.len());
        differences.iter().take(20).for_each(|difference| eprintln!("{difference}"));
        failures += differences.len();
    }
    if let Some(file) = &options.trace_hash {
        traces.write(file)?;
    }
    Ok(failures)
}

/// Runs the seeds on every core. A run knows nothing of others, so this changes nothing in it.
fn run_all(from: u64, count: u64, run: impl Fn(u64) -> Result<Summary, String> + Sync) -> Total {
    let next = AtomicU64::new(from);
    let work = || {
        let mut total = Total::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count {
                return total;
            }
            // The panic has been printed; the other seeds are run all the same.
            let result = catch_unwind(AssertUnwindSafe(|| run(seed)));
            total.add(seed, result.unwrap_or_else(|_| Err("panicked".into())));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut total = Total::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            total.merge(worker.join().expect("panics of runs are caught"));
        }
    });
    total
}

fn report(count: u64, Total { summary, failed, .. }: &Total) {
    let Summary { operations, failures, refused, histories, faults, trace } = summary;
    println!("{count} seeds, {} failed; all together {trace:016x}", failed.len());
    println!("{operations} operations, {failures} of them failed, each saying what may have become of it");
    println!("{refused} operations refused at a limit, {histories} histories of shared keys linearizable");
    println!("{} faults:{}", faults.total(), by_kind(faults));
}

fn by_kind(faults: &Tally) -> String {
    Kind::ALL.into_iter().map(|kind| format!("\n  {:>9} {kind:?}", faults.of(kind))).collect()
}
