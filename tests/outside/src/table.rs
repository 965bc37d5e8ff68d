//! The rows, for people and for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Failure;
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
    let mut lines = vec![HEAD.map(String::from).to_vec()];
    lines.extend(rows.iter().map(cells));
    let widths: Vec<_> = (0..HEAD.len()).map(|column| width(&lines, column)).collect();
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    for row in rows {
        for problem in &row.problems {
            let _ = writeln!(text, "{}: {problem}", row.name());
        }
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

/// Writes the rows as JSON.
pub fn write(rows: &[Row], file: &Path) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, serde_json::to_string_pretty(&serde_json::json!({ "rows": rows }))? + "\n")?;
    Ok(())
}
