//! `hotrod-failover`: works on a cache for some time, and prints what it has seen as one line of JSON.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use hotrod_failover::{LoadOptions, run};
use hotrod_tokio::core::uri::ConnectionUri;
use hotrod_tokio::{Client, Error, Settings};
use serde_json::json;

#[derive(Parser)]
#[command(version, about)]
struct Options {
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    #[arg(long, default_value_t = 11222)]
    port: u16,
    #[arg(long, default_value = "dist")]
    cache: String,
    /// How long to work
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Operations at a time
    #[arg(long, default_value_t = 8)]
    threads: usize,
    /// Keys of each
    #[arg(long, default_value_t = 100)]
    keys: usize,
    /// How long to work before that
    #[arg(long, default_value_t = 5.0)]
    warmup_seconds: f64,
    /// Deadline of an operation, instead of the client's default
    #[arg(long)]
    socket_timeout_ms: Option<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(work(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("hotrod-failover: {message}");
    ExitCode::FAILURE
}

async fn work(options: &Options) -> Result<(), Error> {
    let uri: ConnectionUri = format!("hotrod://{}:{}/{}", options.host, options.port, options.cache).parse()?;
    let mut settings = Settings::from_uri(&uri)?;
    if let Some(milliseconds) = options.socket_timeout_ms {
        settings.cluster.operation_timeout = Duration::from_millis(milliseconds);
    }
    let client = Client::connect_with(settings).await?;
    let cache = client.default_cache();
    let load = |seconds| LoadOptions {
        workers: options.threads,
        keys: options.keys,
        duration: Duration::from_secs_f64(seconds),
    };
    run(&cache, load(options.warmup_seconds)).await;
    // What the warm-up left is not what the load expects.
    cache.clear().await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    println!("{}", json!({ "started": now }));
    // The harness waits for the line.
    let _ = std::io::stdout().flush();
    let report = run(&cache, load(options.seconds)).await;
    let counters = client.counters();
    let mut line = report.json();
    line["direct"] = counters.direct.into();
    line["forwarded"] = counters.forwarded.into();
    line["retries"] = counters.retries.into();
    println!("{line}");
    for finding in report.wrong_values.iter().chain(&report.lost_writes).take(10) {
        eprintln!("{finding}");
    }
    Ok(())
}
