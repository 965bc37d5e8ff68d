//! The program itself: signals, exit codes, logs.

use std::future::ready;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use hotrod_tokio::Client;
use hotrod_tokio::core::wire::Member;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};

use crate::common::{Files, Played, anywhere, ask_at, node, until};

/// Environment of a program that logs nothing.
pub(crate) const QUIET: [(&str, &str); 1] = [("RUST_LOG", "off")];

/// A running program; it ends with the test.
pub(crate) struct Program {
    child: Child,
    /// Kept open.
    _stdout: BufReader<ChildStdout>,
    /// Reads what it logs: a log that nobody reads would hold it up.
    log: Option<JoinHandle<String>>,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Program {
    pub(crate) fn start(upstream: impl ToString, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let upstream = upstream.to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotrod-gateway"));
        command.args(["--upstream", &upstream, "--node-name", "node-0", "--listen", &anywhere().to_string()]);
        command.args(["--topology-cache", "dist", "--admin", &anywhere().to_string(), "--json"]).args(more);
        command.envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        let address = |name: &str| said[name].as_str().unwrap().parse().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        Self { log: Some(log), address: address("listen"), admin: address("admin"), child, _stdout: stdout }
    }

    /// Value of a metric without labels, or of one series.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let (_, text) = ask_at(self.admin, "GET /metrics HTTP/1.1").await;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0)
    }

    /// Resident memory, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; answers the exit code and what it logged.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let child = &mut self.child;
        until("the program ends", || ready(child.try_wait().unwrap().is_some())).await;
        (self.child.wait().unwrap().code(), self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn sigterm_drains_and_the_log_has_a_line_for_the_connection() {
    let node = node(1).await;
    let secrets = [("HOTROD_GATEWAY_USER", "gate"), ("HOTROD_GATEWAY_PASSWORD", "0pensesame")];
    let program = Program::start(node.addresses()[0], &["--log-format", "json"], &secrets);
    for carriage in ["raw", "frames", "extended-connect"] {
        let uri = format!("hotrod://{}/dist?client_intelligence=basic&carriage={carriage}", program.address);
        let client = Client::connect(&uri).await.unwrap();
        client.default_cache().put("k", "v").await.unwrap();
        client.close().await;
    }
    program.signal(Signal::TERM);
    let (code, log) = program.ended().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("0pensesame"), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut ended: Vec<_> = lines.iter().filter(|line| line["message"] == "connection ended").collect();
    // Each connection notices its end by itself: they come in any order.
    ended.sort_by_key(|line| line["carriage"].as_str().map(ToString::to_string));
    let carriages: Vec<_> = ended.iter().filter_map(|line| line["carriage"].as_str()).collect();
    assert_eq!(carriages, ["http2", "http2", "raw"]);
    assert_eq!(ended[2]["member"], node.addresses()[0].to_string());
    for line in ended {
        assert_eq!(line["reason"], "closed by the client");
        assert!(line["to_member"].as_u64().unwrap() > 10 && line["to_client"].as_u64().unwrap() > 5, "{line}");
    }
}

#[tokio::test]
async fn a_second_sigterm_ends_everything_at_once() {
    let played = Played::new().await;
    let program = Program::start(played.address(), &["--drain-timeout", "10min"], &[]);
    let uri = format!("hotrod://{}/dist?client_intelligence=basic&max_retries=0", program.address);
    let asked = tokio::spawn(async move {
        let client = Client::connect(&uri).await.unwrap();
        client.default_cache().get("k").await
    });
    let (mut link, ..) = played.next().await;
    program.signal(Signal::TERM);
    let admin = program.admin;
    until("it drains", || async { ask_at(admin, "GET /readyz HTTP/1.1").await.1.contains("about to stop") }).await;
    program.signal(Signal::TERM);
    let (code, log) = program.ended().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(asked.await.unwrap().is_err());
    // The server's side of it is gone as well.
    assert!(link.request().await.is_none());
}

#[tokio::test]
async fn sighup_has_certificates_read_again() {
    let (node, files) = (node(1).await, Files::new());
    let (certificate, key) = (files.at("server.pem"), files.at("server.key"));
    let program = Program::start(node.addresses()[0], &["--tls-cert", &certificate, "--tls-key", &key], &[]);
    let uri = |name: &str| {
        let ca = files.at("ca.pem");
        format!("hotrods://{}/dist?sni_host_name={name}&client_intelligence=basic&trust_ca={ca}", program.address)
    };
    Client::connect(&uri("localhost")).await.unwrap();
    files.certify("server", "renamed.test");
    program.signal(Signal::HUP);
    until("the new certificate is shown", || async { Client::connect(&uri("renamed.test")).await.is_ok() }).await;
    program.signal(Signal::INT);
    assert_eq!(program.ended().await.0, Some(0));
}

/// A member that is away is a line in the log, and not one for each attempt; each line names it once, without colours.
#[tokio::test]
async fn the_outage_of_a_member_is_one_warning() {
    let refusing = std::net::TcpListener::bind(anywhere()).unwrap().local_addr().unwrap();
    let closing = TcpListener::bind(anywhere()).await.unwrap();
    let closes = closing.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        while let Ok((connection, _)) = closing.accept().await {
            drop(connection);
        }
    });
    let program = Program::start(format!("{refusing},{closes}"), &["--front"], &[]);
    until("both are tried again", || async {
        program.metric("hotrod_gateway_upstream_failures_total{reason=\"refused\"}").await >= 4
    })
    .await;
    program.signal(Signal::TERM);
    let (_, log) = program.ended().await;
    accepting.abort();
    assert!(!log.contains('\x1b'), "{log}");
    for member in [refusing, closes] {
        let warnings: Vec<_> =
            log.lines().filter(|line| line.contains("WARN") && line.contains(&member.to_string())).collect();
        assert_eq!(warnings.len(), 1, "{log}");
        assert_eq!(warnings[0].matches(&member.to_string()).count(), 1, "{log}");
    }
}

#[tokio::test]
async fn a_sidecar_that_cannot_tell_its_member_says_what_to_set() {
    let played = Played::new().await;
    let member = |host: &str| Member { host: host.into(), port: 11222 };
    played.set_topology(1, &[member("pod-0.svc.test"), member("pod-1.svc.test")]);
    let program = Program::start(played.address(), &[], &[]);
    let serving = tokio::spawn(async move {
        played.next().await;
    });
    until("the members are known", || async { program.metric("hotrod_gateway_members").await == 2 }).await;
    program.signal(Signal::TERM);
    let (_, log) = program.ended().await;
    serving.abort();
    let warning = log.lines().find(|line| line.contains("WARN")).unwrap_or_else(|| panic!("{log}"));
    for text in ["hotrod-gateway", "--advertise", "--node-name", "pod-0.svc.test:11222,pod-1.svc.test:11222"] {
        assert!(warning.contains(text), "{warning}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let node = node(1).await;
    let taken = node.addresses()[0].to_string();
    let output = spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotrod-gateway"));
        command.args(["--upstream", &taken, "--node-name", "n", "--listen", &taken]);
        (command.output().unwrap(), taken)
    });
    let (output, taken) = output.await.unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(log.contains(&format!("can't listen at {taken}")), "{log}");
    assert!(TcpStream::connect(&taken).is_ok());
}

/// Two gateways before one member, of which one is told to stop while all clients are at work, each over another carriage:
/// no call fails, and the program has nothing to cut off.
#[tokio::test]
async fn sigterm_under_load_loses_no_call_over_any_carriage() {
    let node = node(1).await;
    let member = node.addresses()[0];
    let leaving = Program::start(member, &["--drain-timeout", "1min"], &[]);
    let staying = Program::start(member, &[], &[]);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut clients = Vec::new();
    for (carriage, how) in [
        ("frames", "access=header"),
        ("upgrade", "access=header"),
        // Plain Hot Rod names no member: the address in a topology would lead past the gateway.
        ("raw", "client_intelligence=basic"),
    ] {
        let seeds = format!("{},{}", leaving.address, staying.address);
        let uri = format!("hotrod://{seeds}/dist?{how}&carriage={carriage}");
        let client = Client::connect(&uri).await.unwrap();
        for task in 0..8 {
            let (cache, mut stopped) = (client.default_cache(), stopped.clone());
            tasks.spawn(async move {
                let mut count = 0;
                while !*stopped.borrow_and_update() {
                    let (key, value) = (format!("{carriage}-{task}-{count}"), vec![task; 2_000]);
                    let put = cache.put(key.clone(), value.clone()).await;
                    put.unwrap_or_else(|error| panic!("{carriage}, {count}: {error}"));
                    let got = cache.get(key).await.unwrap_or_else(|error| panic!("{carriage}, {count}: {error}"));
                    assert_eq!(got.unwrap(), value, "{carriage}");
                    count += 1;
                }
                count
            });
        }
        clients.push(client);
    }
    let passed = async |program: SocketAddr| {
        let (_, text) = ask_at(program, "GET /metrics HTTP/1.1").await;
        let line = text.lines().find(|line| line.contains("relayed_bytes_total{direction=\"to_member\"}"));
        line.map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
    };
    let admin = leaving.admin;
    until("all are at work", || async { passed(admin).await > 300_000 }).await;
    leaving.signal(Signal::TERM);
    let (code, log) = leaving.ended().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("cut off"), "{log}");
    // What stays carries all of it.
    let (admin, before) = (staying.admin, passed(staying.admin).await);
    until("all go on", || async { passed(admin).await > before + 300_000 }).await;
    stop.send_replace(true);
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done.unwrap();
    }
    assert_eq!(clients[0].default_cache().size().await.unwrap(), count);
    node.stop().await;
}
