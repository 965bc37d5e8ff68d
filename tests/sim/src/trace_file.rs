//! Hashes of traces in a file: one line for each carriage and seed, to compare two versions of the code.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use hotrod_sim::carried::Carried;

/// Hash of the trace of each run, by carriage and seed.
#[derive(Default)]
pub(crate) struct Traces(BTreeMap<(String, u64), u64>);

impl Traces {
    /// Adds the runs of a carriage.
    pub(crate) fn add(&mut self, carriage: Carried, traces: &[(u64, u64)]) {
        self.0.extend(traces.iter().map(|(seed, hash)| ((carriage.to_string(), *seed), *hash)));
    }

    /// Number of runs.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A line for each of these runs that `expected` lacks, or has with another hash.
    pub(crate) fn differences(&self, expected: &Self) -> Vec<String> {
        let line = |((carriage, seed), hash): (&(String, u64), &u64)| match expected.0.get(&(carriage.clone(), *seed)) {
            Some(known) if known == hash => None,
            Some(known) => Some(format!("seed {seed} over {carriage}: trace {hash:016x}, expected {known:016x}")),
            None => Some(format!("seed {seed} over {carriage}: not in the file of expected traces")),
        };
        self.0.iter().filter_map(line).collect()
    }

    /// Reads a file that [`write`](Self::write) has written.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(file).map_err(|error| named(file, &error.to_string()))?;
        let parse = |line: &str| {
            let mut words = line.split(' ');
            let (carriage, seed, hash) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
            Some(((carriage.to_string(), seed), u64::from_str_radix(hash, 16).ok()?))
        };
        let lines = text.lines().map(|line| parse(line).ok_or_else(|| named(file, &format!("not a trace: {line:?}"))));
        Ok(Self(lines.collect::<io::Result<_>>()?))
    }

    /// Writes `CARRIAGE SEED HASH` lines, in that order.
    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        let line = |((carriage, seed), hash): (&(String, u64), &u64)| format!("{carriage} {seed} {hash:016x}\n");
        fs::write(file, self.0.iter().map(line).collect::<String>()).map_err(|error| named(file, &error.to_string()))
    }
}

fn named(file: &Path, error: &str) -> io::Error {
    io::Error::other(format!("{}: {error}", file.display()))
}
