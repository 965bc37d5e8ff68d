//! `hotrod-head-of-line`: GETs of a small value, one after the other: first alone, and then while large values stream both
//! ways. Prints what they took as one line of JSON.

mod latencies;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use hotrod_tokio::{Cache, Client, Error};
use latencies::Latencies;
use serde_json::json;

#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Where to connect, with the cache
    #[arg(long)]
    uri: String,
    /// How long to measure, alone and under load each
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Octets of the large values
    #[arg(long, default_value_t = 64 << 20)]
    size: usize,
}

const SMALL: &str = "small";
const READ: &str = "large, read";
const WRITTEN: &str = "large, written";

#[tokio::main]
async fn main() -> ExitCode {
    match work(&Options::parse()).await {
        Ok(line) => {
            let told = writeln!(std::io::stdout(), "{line}");
            if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("hotrod-head-of-line: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn work(options: &Options) -> Result<serde_json::Value, Error> {
    let client = Client::connect(&options.uri).await?;
    let cache = client.default_cache();
    let large = Bytes::from(vec![7; options.size]);
    cache.put(SMALL, vec![7; 64]).await?;
    cache.put(READ, large.clone()).await?;
    let time = Duration::from_secs_f64(options.seconds);
    // The first ones find everything cold.
    small_gets(&cache, time / 10).await?;
    let idle = small_gets(&cache, time).await?;
    let load = Arc::new(Load::default());
    let reading = tokio::spawn(read(cache.clone(), load.clone()));
    let writing = tokio::spawn(write(cache.clone(), load.clone(), large));
    small_gets(&cache, time / 10).await?;
    let loaded = small_gets(&cache, time).await?;
    load.is_over.store(true, Relaxed);
    for streaming in [reading, writing] {
        streaming.await.expect("no task panics")?;
    }
    Ok(json!({
        "idle": idle.report(),
        "loaded": loaded.report(),
        "values_read": load.read.load(Relaxed),
        "values_written": load.written.load(Relaxed),
    }))
}

/// What streams beside the small GETs.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    read: AtomicU64,
    written: AtomicU64,
}

async fn small_gets(cache: &Cache, time: Duration) -> Result<Latencies, Error> {
    let mut latencies = Latencies::default();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let asked = Instant::now();
        let value = cache.get(SMALL).await?;
        latencies.add(asked.elapsed());
        assert_eq!(value.map(|value| value.len()), Some(64), "the small value");
    }
    Ok(latencies)
}

async fn read(cache: Cache, load: Arc<Load>) -> Result<(), Error> {
    while !load.is_over.load(Relaxed) {
        assert!(cache.get(READ).await?.is_some(), "the large value");
        load.read.fetch_add(1, Relaxed);
    }
    Ok(())
}

async fn write(cache: Cache, load: Arc<Load>, value: Bytes) -> Result<(), Error> {
    while !load.is_over.load(Relaxed) {
        cache.put(WRITTEN, value.clone()).await?;
        load.written.fetch_add(1, Relaxed);
    }
    Ok(())
}
