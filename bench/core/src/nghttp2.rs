//! nghttp2's endpoint on the frames that ours gets: a program in C, which `bench/peers/nghttp2/build` makes.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cases::frames::mix::{ANSWER_FRAMES, Client, EXCHANGES, FRAMES};
use crate::{Figures, instructions};

/// How often a call is made for a figure of time, and at least for one of instructions.
const TIMED: u64 = 20_000;
const SIMULATED: u64 = 50;

/// Adds the figures whose name begins so.
pub fn measure(program: &Path, only: &str, figures: &mut Figures) -> Result<(), String> {
    let file = std::env::temp_dir().join(format!("hotrod-bench-{}.frames", std::process::id()));
    fs::write(&file, Client::new().to_file()).map_err(|error| format!("{}: {error}", file.display()))?;
    let measured = [("receive", FRAMES), ("send", ANSWER_FRAMES)].into_iter().try_for_each(|(side, frames)| {
        let name = format!("peer.nghttp2.endpoint.{side}");
        if !name.starts_with(only) {
            return Ok(());
        }
        let command = |times: u64| -> Vec<OsString> {
            vec![program.into(), (&file).into(), side.into(), times.to_string().into()]
        };
        let nanoseconds = time(&command(TIMED))?;
        figures.insert(format!("{name}.ns_per_frame"), nanoseconds);
        let per_call = instructions::of_call(command, SIMULATED, Some(&format!("counted_{side}*")))?;
        let instructions = per_call.map(|count| count / (frames * EXCHANGES as u64) as f64);
        figures.extend(instructions.map(|count| (format!("{name}.instructions_per_frame"), count)));
        let told = instructions.map_or_else(|| "-".into(), |count| format!("{count:.0}"));
        println!("{name:<30}{nanoseconds:>6.1} ns frame {told:>13}");
        Ok(())
    });
    fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    measured
}

fn time(command: &[OsString]) -> Result<f64, String> {
    let output =
        Command::new(&command[0]).args(&command[1..]).output().map_err(|error| format!("{command:?}: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout);
    told.trim().parse().map_err(|_| format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
