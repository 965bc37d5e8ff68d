//! `hotrod-gateway`: a gateway for Infinispan, or an in-memory cluster.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_gateway::config::{Config, ConfigError, Invocation, LogFormat, Mode};
use hotrod_gateway::gateway::{Gateway, check};
use serde_json::json;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let invocation = match Invocation::load(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(ConfigError::Arguments(help)) if !help.use_stderr() => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return usage(&error),
    };
    log_as(invocation.log_format);
    match run(invocation).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the error in one line, and returns the exit code for invalid settings.
fn usage(error: &ConfigError) -> ExitCode {
    let text = error.to_string();
    // clap names a missing argument in the second line.
    let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    eprintln!("{} (see --help)", lines.collect::<Vec<_>>().join(" "));
    ExitCode::from(2)
}

fn log_as(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(io::stderr);
    let log = log.with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

async fn run(invocation: Invocation) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let effective = invocation.check.then(|| invocation.effective());
    match invocation.mode {
        Mode::Gateway(config) if invocation.check => check(&config)?,
        Mode::Embedded(..) if invocation.check => {}
        Mode::Gateway(config) => return gateway(*config, invocation.json).await,
        Mode::Embedded(options, listen) => embedded(*options, &listen, invocation.json).await?,
    }
    if let Some(effective) = effective {
        io::stdout().write_all(effective.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn gateway(config: Config, json: bool) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut signals = Signals::new()?;
    let gateway = Gateway::start(config).await?;
    if json {
        say(&json!({ "listen": gateway.address(), "admin": gateway.admin_address() }))?;
    }
    while signals.next().await == Asked::ToReload {
        gateway.reload();
    }
    tokio::select! {
        _ = gateway.stop() => Ok(ExitCode::SUCCESS),
        () = signals.stop() => {
            tracing::warn!("asked to stop again: everything ends at once");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn embedded(options: EmbeddedOptions, listen: &str, json: bool) -> io::Result<()> {
    let mut signals = Signals::new()?;
    let node = Embedded::start(EmbeddedOptions { listen: resolve(listen).await?, ..options }).await?;
    if json {
        let members: Vec<_> = node.addresses().iter().map(SocketAddr::to_string).collect();
        say(&json!({ "members": members }))?;
    }
    signals.stop().await;
    node.stop().await;
    Ok(())
}

fn say(line: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn resolve(address: &str) -> io::Result<SocketAddr> {
    let named = |error| io::Error::other(format!("can't listen at {address}: {error}"));
    let mut found = tokio::net::lookup_host(address).await.map_err(named)?;
    found.next().ok_or_else(|| io::Error::other(format!("can't listen at {address}: no such host")))
}

/// Action of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    ToStop,
    ToReload,
}

/// SIGINT, SIGTERM and SIGHUP.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::ToStop,
            _ = self.terminate.recv() => Asked::ToStop,
            _ = self.hangup.recv() => Asked::ToReload,
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Asked {
        let _ = tokio::signal::ctrl_c().await;
        Asked::ToStop
    }
}

impl Signals {
    async fn stop(&mut self) {
        while self.next().await == Asked::ToReload {}
    }
}
