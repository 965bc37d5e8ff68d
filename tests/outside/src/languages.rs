//! The same client in other languages: programs of `clients/`, each of them given a URI.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path as FilePath, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use infinispan_harness::spawn_to_die_with_us;
use serde_json::Value;

use crate::outside::PODS;
use crate::paths::Path;
use crate::rows::{self, Row};
use crate::workload::KEYS;
use crate::{Failure, Outside};

/// Longer than a program takes for a step.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rows that are measured in every language.
pub const ROWS: [&str; 3] = [
    "cookie haproxy edge roundrobin extended-connect",
    "header haproxy reencrypt leastconn extended-connect",
    "load-balancer haproxy passthrough roundrobin raw",
];

/// A language that has a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// CPython, the blocking client.
    Python,
    /// Node.js.
    Node,
    /// C, with the driver over poll(2) and OpenSSL.
    C,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Python, Self::Node, Self::C];

    /// Its name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::C => "c",
        }
    }

    /// Builds the binding and the program, as the binding's own tests do.
    pub fn build(self) -> Result<Program, Failure> {
        let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let clients = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let command = match self {
            Self::Python => {
                run(Command::new(root.join("bindings/python/run-tests")).arg("--build-only"))?;
                vec![target.join("python/bin/python"), clients.join("client.py")]
            }
            Self::Node => {
                run(Command::new(root.join("bindings/node/run-tests")).arg("--build-only"))?;
                vec!["node".into(), clients.join("client.mjs")]
            }
            Self::C => {
                let to = target.join("outside-client");
                run(Command::new(clients.join("build-c")).arg(&to))?;
                vec![to]
            }
        };
        Ok(Program { language: self, command })
    }
}

/// A program that can be run.
pub struct Program {
    language: Language,
    command: Vec<PathBuf>,
}

impl Program {
    /// Measures a row in this language; what goes wrong is in it.
    pub fn measure(&self, outside: &Outside, path: &Path) -> Row {
        let mut row = Row::new(path, self.language.name());
        if let Err(error) = self.compare(outside, path, &mut row) {
            row.problems.push(error.to_string());
        }
        rows::judge(path, &mut row);
        row
    }

    fn compare(&self, outside: &Outside, path: &Path, row: &mut Row) -> Result<(), Failure> {
        let uri = path.uri(outside);
        let mut aware = Running::start(self, &uri, PODS)?;
        let covered = aware.line()?;
        row.members = number(&covered, "members") as usize;
        row.coverage = number(&covered, "covered") as f64 / PODS as f64;
        row.reason = covered["reason"].as_str().map(String::from);
        row.connections_opened = number(&covered, "connects");
        row.links_held = rows::links_held(outside, path, aware.child.id(), &mut row.problems)?;
        let (share, took) = aware.work(outside, row)?;
        (row.direct_hit_share, row.p50_us, row.p99_us) = (share, number(&took, "p50_us"), number(&took, "p99_us"));
        drop(aware);
        let mut basic = Running::start(self, &format!("{uri}&client_intelligence=basic"), 0)?;
        basic.line()?;
        let (share, took) = basic.work(outside, row)?;
        row.basic_hit_share = share;
        (row.basic_p50_us, row.basic_p99_us) = (number(&took, "p50_us"), number(&took, "p99_us"));
        Ok(())
    }
}

fn number(line: &Value, name: &str) -> u64 {
    line[name].as_u64().unwrap_or_default()
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{}: {}", command.get_program().to_string_lossy(), String::from_utf8_lossy(&said)).into())
}

/// A program at work.
struct Running {
    child: Child,
    orders: ChildStdin,
    lines: Receiver<String>,
}

impl Running {
    fn start(program: &Program, uri: &str, members: usize) -> Result<Self, Failure> {
        let mut command = Command::new(&program.command[0]);
        command.args(&program.command[1..]).args([uri, &members.to_string(), &KEYS.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = spawn_to_die_with_us(command)?;
        let (Some(orders), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a program without pipes".into());
        };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, orders, lines })
    }

    fn line(&mut self) -> Result<Value, Failure> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(serde_json::from_str(&line)?),
            Err(RecvTimeoutError::Timeout) => Err(format!("the program says nothing for {PATIENCE:?}").into()),
            Err(RecvTimeoutError::Disconnected) => Err(format!("the program ended with {}", self.child.wait()?).into()),
        }
    }

    /// Has it work, and the servers count what came to the primary owner.
    fn work(&mut self, outside: &Outside, row: &mut Row) -> Result<(f64, Value), Failure> {
        let before = outside.metrics()?.hits("dist");
        writeln!(self.orders, "{}", crate::workload::next_run())?;
        let took = self.line()?;
        let hits = outside.metrics()?.hits("dist").since(before);
        row.check_count(hits);
        Ok((hits.direct_share(), took))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
