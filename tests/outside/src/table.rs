//! The rows, for people and for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::Failure;
use crate::discovery::Discovery;
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

/// All that was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Ways to members.
    pub rows: Vec<Row>,
    /// Searches for members.
    pub discoveries: Vec<Discovery>,
    /// What went wrong.
    pub failures: Vec<Finding>,
}

/// The rows below each other. Latencies are in microseconds, first answer and coverage in round trips with 20 ms each way.
fn text(rows: &[Row]) -> String {
    let mut text = below_each_other(&HEAD, rows.iter().map(cells));
    for row in rows {
        for problem in &row.problems {
            let _ = writeln!(text, "{}: {problem}", row.name());
        }
    }
    text
}

/// What it took to find members, below each other.
fn text_of_discoveries(discoveries: &[Discovery]) -> String {
    let cells = |discovery: &Discovery| {
        vec![discovery.balance.clone(), format!("{:.2}", discovery.connections), format!("{:.2}", discovery.expected)]
    };
    let mut text = below_each_other(&["search", "connections", "expected"], discoveries.iter().map(cells));
    for discovery in discoveries {
        for problem in &discovery.problems {
            let _ = writeln!(text, "{}: {problem}", discovery.balance);
        }
    }
    text
}

/// What came of failures, below each other, in milliseconds.
fn text_of_failures(findings: &[Finding]) -> String {
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

impl Report {
    /// Everything below each other.
    pub fn text(&self) -> String {
        let mut all = vec![text(&self.rows)];
        all.extend((!self.discoveries.is_empty()).then(|| text_of_discoveries(&self.discoveries)));
        all.extend((!self.failures.is_empty()).then(|| text_of_failures(&self.failures)));
        all.join("\n")
    }

    /// Writes everything as JSON.
    pub fn write(&self, file: &Path) -> Result<(), Failure> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }

    /// Whether all is as expected.
    pub fn is_well(&self) -> bool {
        let rows = self.rows.iter().map(|row| &row.problems);
        let discoveries = self.discoveries.iter().map(|discovery| &discovery.problems);
        let failures = self.failures.iter().map(|finding| &finding.problems);
        rows.chain(discoveries).chain(failures).all(Vec::is_empty)
    }
}
