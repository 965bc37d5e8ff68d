//! `make outside`: measures every row, prints the table, and writes target/outside.json.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hotrod_outside::failures::SCENARIOS;
use hotrod_outside::languages::{self, Language};
use hotrod_outside::paths::{PATHS, Path};
use hotrod_outside::table::Report;
use hotrod_outside::{Failure, Outside, demo, discovery, paths, rows};
use infinispan_harness::skip_real;

/// Every way to members from outside, on real parts.
#[derive(Parser)]
struct Arguments {
    /// Only rows and failures of which the name has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// Without the long way between client and router.
    #[arg(long)]
    near: bool,
    /// Show the cluster through HAProxy, drawn by this program `hotrod`, and measure nothing.
    #[arg(long, value_name = "HOTROD")]
    demo: Option<PathBuf>,
    /// Where the rows are written.
    #[arg(long, default_value = "target/outside.json")]
    output: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    if skip_real() {
        return Ok(ExitCode::SUCCESS);
    }
    let mut outside = Outside::start()?;
    if let Some(hotrod) = &arguments.demo {
        demo::run(&mut outside, hotrod).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut measured = Vec::new();
    for path in PATHS.iter().filter(|path| format!("{} rust", path.name()).contains(&arguments.only)) {
        let row = rows::measure(&outside, path, !arguments.near).await;
        eprintln!("{}: {} problems", row.name(), row.problems.len());
        measured.push(row);
    }
    for language in Language::ALL {
        let is_wanted = |path: &&Path| format!("{} {}", path.name(), language.name()).contains(&arguments.only);
        let wanted: Vec<_> = languages::ROWS.iter().filter_map(|row| paths::path(row)).filter(is_wanted).collect();
        if wanted.is_empty() {
            continue;
        }
        let program = language.build()?;
        for path in wanted {
            let row = tokio::task::block_in_place(|| program.measure(&outside, path));
            eprintln!("{}: {} problems", row.name(), row.problems.len());
            measured.push(row);
        }
    }
    let discoveries =
        if "discovery".contains(&arguments.only) { discovery::measure(&outside).await? } else { Vec::new() };
    let mut findings = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.contains(&arguments.only)) {
        eprintln!("{} ...", scenario.name);
        findings.extend(scenario.run(&mut outside).await?);
    }
    let report = Report { rows: measured, discoveries, failures: findings };
    print!("{}", report.text());
    report.write(&arguments.output)?;
    let is_well = report.is_well();
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
