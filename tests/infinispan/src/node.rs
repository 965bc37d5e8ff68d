//! One server process.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;
use crate::process::spawn_to_die_with_us;

/// What the server logs when it is ready.
const READY: &str = "ISPN080001";

pub(crate) struct Node {
    pub(crate) index: usize,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) certificate_port: u16,
    root: PathBuf,
    lib: PathBuf,
    child: Option<Child>,
}

impl Node {
    /// A node that isn't started; its folder has `conf/infinispan.xml` in it.
    pub(crate) fn new(index: usize, at: (String, u16, u16), root: PathBuf, lib: PathBuf) -> Self {
        let (host, port, certificate_port) = at;
        Self { index, host, port, certificate_port, root, lib, child: None }
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.root.join("conf")
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }

    /// Starts the process; [`wait_until_ready`](Self::wait_until_ready) for the rest.
    pub(crate) fn start(&mut self) -> Result<(), Error> {
        let log = File::create(self.log()).map_err(Error::io("server.log"))?;
        let errors = log.try_clone().map_err(Error::io("server.log"))?;
        let mut command = Command::new("java");
        command.args(["-Xmx512m", "-Djava.net.preferIPv4Stack=true", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"]);
        // The OpenSSL binding of 14.0 ends every TLS handshake where the system's OpenSSL is newer than it knows.
        command.arg("-Dorg.infinispan.openssl=false");
        command.arg(format!("-Dinfinispan.server.home.path={}", self.root.display()));
        command.arg("-cp").arg(format!("{}/*", self.lib.display())).arg("org.infinispan.server.Bootstrap");
        command.arg("-s").arg(&self.root).args(["-c", "infinispan.xml", "-n", &format!("node-{}", self.index)]);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = spawn_to_die_with_us(command).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::Missing { program: "java", package: "openjdk-17-jre-headless" },
            _ => Error::Io { what: "java".into(), error },
        });
        self.child = Some(child?);
        Ok(())
    }

    pub(crate) fn wait_until_ready(&mut self, members: usize, deadline: Instant) -> Result<(), Error> {
        while !self.is_ready(members) {
            let ended = match &mut self.child {
                Some(child) => child.try_wait().map_err(Error::io("a server process"))?,
                None => return Err(self.failed("was stopped before it was ready".into())),
            };
            if let Some(status) = ended {
                return Err(self.failed(format!("ended with {status} before it was ready")));
            }
            if Instant::now() >= deadline {
                return Err(self.failed(format!("was not ready in time (waiting for {READY} and {members} members)")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn is_ready(&self, members: usize) -> bool {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        // "ISPN000094: Received new cluster view for channel NAME: [node-0|2] (3) [node-0, node-1, node-2]"
        // ISPN000093 tells the same of clusters that have merged: nodes that start together may not see each other at first.
        let is_view = |line: &str| line.contains("ISPN000094") || line.contains("ISPN000093");
        let view = |line: &str| is_view(line) && line.contains(&format!("] ({members}) ["));
        let clustered = members == 1 || log.lines().any(view);
        log.contains(READY) && clustered && TcpStream::connect((self.host.as_str(), self.port)).is_ok()
    }

    fn failed(&self, problem: String) -> Error {
        Error::Start { node: self.index, problem, log: self.log(), tail: tail(&self.log(), 30) }
    }

    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log(), 30)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        let Some(pid) = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())) else { return Ok(()) };
        kill_process(pid, signal).map_err(|error| Error::Io { what: format!("process {pid:?}"), error: error.into() })
    }

    /// Ends the process with a signal, and waits until it has; after 30 s it is killed.
    pub(crate) fn end(&mut self, signal: Signal) -> Result<(), Error> {
        self.signal(signal)?;
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let patience = Instant::now() + Duration::from_secs(30);
        while child.try_wait().map_err(Error::io("a server process"))?.is_none() {
            if Instant::now() > patience {
                child.kill().map_err(Error::io("a server process"))?;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A stopped process does not see a polite signal, and nobody is left to read its data.
        let _ = self.end(Signal::KILL);
    }
}

/// The last lines of a file.
fn tail(path: &Path, lines: usize) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(64 * 1024)))?;
        file.read_to_end(&mut text)
    });
    if let Err(error) = read {
        return format!("({error})");
    }
    let text = String::from_utf8_lossy(&text);
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
