//! Where figures go: a table for people, a file for programs.

use std::fs;
use std::path::Path;

use crate::cases::Case;
use crate::{Cost, Figures, instructions};

/// What the columns are.
pub fn heading() {
    println!("{:<34}{:>10} {:<5}{:>14}{:>10}{:>14}", "core", "time", "per", "instructions", "allocs", "peak bytes");
    if !instructions::is_installed() {
        println!("(no instruction counts: valgrind is not installed)");
    }
}

/// A case and what it costs.
pub fn row(case: &Case, cost: &Cost) {
    let instructions = cost.instructions.map_or_else(|| "-".into(), |count| format!("{count:.0}"));
    println!(
        "{:<34}{:>7.1} ns {:<5}{instructions:>14}{:>10.2}{:>14.0}",
        case.name, cost.nanoseconds, case.unit.name, cost.allocations, cost.peak_bytes
    );
}

/// Adds figures to a file, which may have others.
pub fn add(figures: &Figures, file: &Path) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut all: Figures = match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| failed(&error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Figures::new(),
        Err(error) => return Err(failed(&error)),
    };
    all.extend(figures.iter().map(|(name, value)| (name.clone(), *value)));
    let text = serde_json::to_string_pretty(&all).map_err(|error| failed(&error))?;
    fs::write(file, text + "\n").map_err(|error| failed(&error))
}
