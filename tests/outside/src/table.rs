//! The rows, for people and for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Failure;
use crate::failures::Finding;
use crate::rows::Row;

const HEAD: [&str; 17] = [
    "path",
    "router",
    "tls",
    "balance",
    "carriage",
    "language",
    "cov",
    "direct",
    "basic",
    "opened",
    "held",
    "p50",
    "p99",
    "basic p50",
    "first",
    "covered",
    "ops/s far",
];

/// The rows below each other. Latencies are in microseconds, first answer and coverage in round trips with 20 ms each way.
pub fn text(rows: &[Row]) -> String {
    let mut text = below_each_other(&HEAD, rows.iter().map(cells));
    for row in rows {
        for problem in &row.problems {
            let _ = writeln!(text, "{}: {problem}", row.name());
        }
    }
    text
}

/// What came of failures, below each other, in milliseconds.
pub fn text_of_failures(findings: &[Finding]) -> String {
    let head = ["failure", "path", "direct again", "longest pause", "operations", "errors"];
    let cells = |finding: &Finding| {
        vec![
            finding.failure.clone(),
            finding.path.clone(),
            finding.back_after_ms.map_or_else(|| "-".into(), |took| took.to_string()),
            finding.longest_pause_ms.to_string(),
            finding.operations.to_string(),
            finding.errors.to_string(),
        ]
    };
    let mut text = below_each_other(&head, findings.iter().map(cells));
    for finding in findings {
        for problem in &finding.problems {
            let _ = writeln!(text, "{}, {}: {problem}", finding.failure, finding.path);
        }
    }
    text
}

fn below_each_other(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut lines = vec![head.iter().map(ToString::to_string).collect::<Vec<_>>()];
    lines.extend(rows);
    let widths: Vec<_> = (0..head.len()).map(|column| width(&lines, column)).collect();
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn width(lines: &[Vec<String>], column: usize) -> usize {
    lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
}

fn cells(row: &Row) -> Vec<String> {
    let far = |value: fn(&crate::rows::Far) -> String| row.far.as_ref().map_or_else(|| "-".into(), value);
    vec![
        row.path.clone(),
        row.router.clone(),
        row.tls.clone(),
        row.balance.clone(),
        row.carriage.clone(),
        row.language.clone(),
        format!("{:.2}", row.coverage),
        format!("{:.4}", row.direct_hit_share),
        format!("{:.3}", row.basic_hit_share),
        row.connections_opened.to_string(),
        row.links_held.to_string(),
        row.p50_us.to_string(),
        row.p99_us.to_string(),
        row.basic_p50_us.to_string(),
        far(|far| format!("{:.1}", far.first_answer_round_trips)),
        far(|far| format!("{:.1}", far.coverage_round_trips)),
        far(|far| format!("{:.0}", far.far_operations_per_second)),
    ]
}

/// Writes rows and failures as JSON.
pub fn write(rows: &[Row], failures: &[Finding], file: &Path) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let all = serde_json::json!({ "rows": rows, "failures": failures });
    fs::write(file, serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(())
}
