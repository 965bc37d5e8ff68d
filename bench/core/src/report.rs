//! Where figures go: a table for people, a file for programs.

use std::fs;
use std::path::Path;

use crate::cases::Case;
use crate::{Cost, Figures, instructions};

/// What the columns are.
pub fn heading() {
    println!("{:<30}{:>9} {:<6}{:>13}{:>9}{:>12}", "core", "time", "per", "instructions", "allocs", "peak");
    if !instructions::is_installed() {
        println!("(no instruction counts: valgrind is not installed)");
    }
}

/// A case and what it costs.
pub fn row(case: &Case, cost: &Cost) {
    let instructions = cost.instructions.map_or_else(|| "-".into(), |count| format!("{count:.0}"));
    println!(
        "{:<30}{:>9} {:<6}{instructions:>13}{:>9.2}{:>12}",
        case.name,
        time(cost.nanoseconds),
        case.unit.name,
        cost.allocations,
        size(cost.peak_bytes)
    );
}

/// What a KiB of a value of 64 MiB costs beside one of 1 MiB: as much, if work is linear. Time may grow as that of
/// plain copies does, since 1 MiB stays in the caches.
pub fn growth(figures: &Figures) {
    let ratio = |name: &str, figure: &f64| Some(figure / figures.get(&name.replace("value64m", "value1m"))?);
    let large = figures.iter().filter(|(name, _)| name.contains("value64m") && name.ends_with("_per_kib"));
    let ratios: Vec<_> = large.filter_map(|(name, figure)| Some((name, ratio(name, figure)?))).collect();
    if !ratios.is_empty() {
        println!("\na KiB of 64 MiB beside a KiB of 1 MiB");
    }
    for (name, ratio) in ratios {
        println!("{name:<52}{ratio:>6.2}");
    }
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 10_000.0 { format!("{nanoseconds:.1} ns") } else { format!("{:.1} us", nanoseconds / 1e3) }
}

pub fn size(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    if bytes < 10.0 * KIB {
        format!("{bytes:.0} B")
    } else if bytes < KIB * KIB {
        format!("{:.1} KiB", bytes / KIB)
    } else {
        format!("{:.1} MiB", bytes / KIB / KIB)
    }
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
