//! Instructions of an operation, counted by callgrind: the same on a busy machine as on a quiet one.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::process::{Command, Stdio};

use crate::cases::Case;

/// One way to copy, whatever the size and the machine's caches: `rep movsb` would count as an instruction a byte.
const COPIES: &str =
    "glibc.cpu.x86_rep_movsb_threshold=0x7fffffffffff:glibc.cpu.x86_non_temporal_threshold=0x7fffffffffff";

/// Instructions of one call; `None` without valgrind, and for work too long to simulate.
pub fn of(case: &Case) -> Result<Option<f64>, String> {
    let Some(few) = case.simulated else { return Ok(None) };
    let program = env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    let run = |times: u64| {
        let mut command = vec![program.clone().into_os_string(), "--run".into(), case.name.into()];
        command.extend(["--times".into(), times.to_string().into()]);
        command
    };
    of_call(run, few, case.measured.function())
}

/// Instructions of a call that a program makes so often as its command says, in all of it or in one function; `None` without
/// valgrind.
pub fn of_call(run: impl Fn(u64) -> Vec<OsString>, few: u64, function: Option<&str>) -> Result<Option<f64>, String> {
    if !is_installed() {
        return Ok(None);
    }
    // The difference of two runs leaves out what the program does before and after.
    let many = few * 3;
    let instructions = count(&run(many), function)? - count(&run(few), function)?;
    Ok(Some(instructions / (many - few) as f64))
}

/// Whether `valgrind` can be run.
pub fn is_installed() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn count(command: &[OsString], function: Option<&str>) -> Result<f64, String> {
    let file = env::temp_dir().join(format!("hotrod-bench-{}.callgrind", std::process::id()));
    let output = Command::new("valgrind")
        .env("GLIBC_TUNABLES", COPIES)
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .args(function.map(|function| format!("--toggle-collect={function}")))
        .args(command)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        return Err(format!("valgrind for {command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap_or_default();
    totals.trim().parse().map_err(|_| format!("no totals in callgrind's file for {command:?}"))
}
