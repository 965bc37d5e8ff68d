//! A program that runs for as long as it is held.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use infinispan_harness::spawn_to_die_with_us;
use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;

/// How long a program may take until it serves: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. It is killed when this is dropped, and when this process ends in whatever way.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; what it says goes into `NAME.log` of the folder.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self, Failure> {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = spawn_to_die_with_us(command)
            .map_err(|error| format!("{program}: {error}; tools/setup installs what the tests need"))?;
        Ok(Self { name: name.into(), child, log })
    }

    /// Waits until it serves; fails with the end of its log if it ends before, or takes too long.
    pub fn wait_until(&mut self, is_serving: impl Fn() -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while !is_serving() {
            let problem = match self.child.try_wait()? {
                Some(status) => format!("ended with {status} before it served"),
                None if Instant::now() > deadline => format!("does not serve after {PATIENCE:?}"),
                None => {
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                }
            };
            return Err(format!("{} {problem}:\n{}", self.name, self.log_tail()).into());
        }
        Ok(())
    }

    /// The last lines that it has said.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Ends it without warning, and waits until it has ended.
    pub fn kill(&mut self) -> Result<(), Failure> {
        if self.child.try_wait()?.is_none() {
            self.child.kill()?;
        }
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) -> Result<(), Failure> {
        if self.child.try_wait()?.is_none()
            && let Some(pid) = Pid::from_raw(self.child.id().cast_signed())
        {
            kill_process(pid, Signal::TERM)?;
        }
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                return self.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
