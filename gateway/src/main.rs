//! `hotrod-gateway`: for now, the in-memory node.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hotrod_gateway::embedded::{ClusterOptions, NamedCache};
use hotrod_gateway::host::{Embedded, EmbeddedOptions};
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  hotrod-gateway --embedded
  hotrod-gateway --embedded --members 3 --cache sessions:owners=1,lifespan=30min
  hotrod-gateway --embedded --listen 127.0.0.1:0 --json

Caches: default (the one without a name), dist, repl, local, and those of --cache.
Settings of a cache: mode=dist|repl|local, owners=N, segments=N, max-entries=N, max-bytes=N, lifespan=T, max-idle=T
(250ms, 30s, 5min, 2h), media-type=TYPE.";

/// Hot Rod beside Infinispan pods; with --embedded, a Hot Rod cluster in memory, for demos and tests.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    /// Be an in-memory cluster (the only mode so far)
    #[arg(long, required = true)]
    embedded: bool,
    /// Number of members, each at its own port
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    members: u16,
    /// Where the first member listens; the others at the ports after it, or each at a free one with port 0
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:11222")]
    listen: String,
    /// The host that clients are told to connect to, if not that of --listen
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// A further cache, or a default one made otherwise; may be given more than once
    #[arg(long, value_name = "NAME[:key=value,…]")]
    cache: Vec<NamedCache>,
    /// Close connections that have sent nothing for so many seconds
    #[arg(long, value_name = "SECONDS")]
    idle_timeout: Option<u64>,
    /// Print one line of JSON with the members' addresses when all listen
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return usage(&error),
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(io::stderr).init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One line, and the status for bad flags.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    // What is missing stands on the second line of clap's message.
    let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    eprintln!("{} (see --help)", lines.collect::<Vec<_>>().join(" "));
    ExitCode::from(2)
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let node = Embedded::start(EmbeddedOptions {
        cluster: ClusterOptions { caches: arguments.cache, ..ClusterOptions::default() },
        members: arguments.members.into(),
        listen: resolve(&arguments.listen).await?,
        advertise: arguments.advertise,
        idle_timeout: arguments.idle_timeout.map(Duration::from_secs),
        ..EmbeddedOptions::default()
    })
    .await?;
    if arguments.json {
        let members: Vec<_> = node.addresses().iter().map(SocketAddr::to_string).collect();
        let mut out = io::stdout().lock();
        writeln!(out, "{}", serde_json::json!({ "members": members }))?;
        out.flush()?;
    }
    asked_to_stop().await?;
    node.stop().await;
    Ok(())
}

async fn resolve(address: &str) -> io::Result<SocketAddr> {
    let named = |error| io::Error::other(format!("can't listen at {address}: {error}"));
    let mut found = tokio::net::lookup_host(address).await.map_err(named)?;
    found.next().ok_or_else(|| io::Error::other(format!("can't listen at {address}: no such host")))
}

/// Waits for SIGINT or SIGTERM.
#[cfg(unix)]
async fn asked_to_stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn asked_to_stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
