//! Instructions of an operation, counted by callgrind: the same on a busy machine as on a quiet one.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use crate::cases::Case;

/// One way to copy, whatever the size and the machine's caches: `rep movsb` would count as an instruction a byte.
const COPIES: &str =
    "glibc.cpu.x86_rep_movsb_threshold=0x7fffffffffff:glibc.cpu.x86_non_temporal_threshold=0x7fffffffffff";

/// Instructions of one call; `None` without valgrind, and for work too long to simulate.
pub fn of(case: &Case) -> Result<Option<f64>, String> {
    let Some(few) = case.simulated.filter(|_| is_installed()) else { return Ok(None) };
    // The difference of two runs leaves out what the program does before and after.
    let many = few * 3;
    let instructions = count(case.name, many)? - count(case.name, few)?;
    Ok(Some(instructions / (many - few) as f64))
}

/// Whether `valgrind` can be run.
pub fn is_installed() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn count(name: &str, times: u64) -> Result<f64, String> {
    let program = env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    let file = env::temp_dir().join(format!("hotrod-bench-{}.callgrind", std::process::id()));
    let output = Command::new("valgrind")
        .env("GLIBC_TUNABLES", COPIES)
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(["--run", name, "--times", &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        return Err(format!("valgrind for {name}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap_or_default();
    totals.trim().parse().map_err(|_| format!("no totals in callgrind's file for {name}"))
}
