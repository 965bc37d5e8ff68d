//! Measures the crate hotrod-protocol: a closed loop of N tokio tasks over its connection pool.
//! The rules of the measurement, which all peers share, are in ../../README.md.

use std::{
    collections::HashMap,
    net::{SocketAddr, ToSocketAddrs},
    process::ExitCode,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use hotrod_protocol::{Expiration, HotRodClient, RemoteCache};
use nix::sys::resource::{UsageWho, getrusage};
use tokio::{task::JoinSet, time::timeout};

type Fault = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("hotrod-protocol peer: {fault}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<String, Fault> {
    let options = Options::parse(std::env::args().skip(1))?;
    let client = HotRodClient::connect(&options.servers).await?;
    let load = Arc::new(Load::new(&options, client.cache(options.cache.as_str())));
    load.fill().await?;
    load.check(0).await?;

    let mut tasks = JoinSet::new();
    for _ in 0..options.in_flight {
        tasks.spawn(Arc::clone(&load).run());
    }
    hold(&mut tasks, options.warmup).await?;

    let (operations, cpu, wall) = (load.completed.load(Relaxed), cpu_time()?, Instant::now());
    hold(&mut tasks, options.window).await?;
    let operations = load.completed.load(Relaxed) - operations;
    let (cpu, wall) = (cpu_time()? - cpu, wall.elapsed());

    load.stopping.store(true, Relaxed);
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    if operations == 0 {
        return Err("no operation completed".into());
    }
    if options.put {
        load.check(load.started.load(Relaxed).min(options.keys) as usize).await?;
    }

    let seconds = wall.as_secs_f64();
    Ok(format!(
        "{{\"client\":\"hotrod-protocol\",\"version\":\"{}\",\"operation\":\"{}\",\"in_flight\":{},\"value_size\":{},\
         \"operations\":{operations},\"seconds\":{seconds:.3},\"ops_per_second\":{:.1},\"cpu_us_per_operation\":{:.3},\
         \"peak_rss_kib\":{},\"errors\":0}}",
        client_version()?,
        if options.put { "put" } else { "get" },
        options.in_flight,
        options.value_size,
        operations as f64 / seconds,
        cpu.as_secs_f64() * 1e6 / operations as f64,
        peak_rss_kib()?,
    ))
}

/// Lets the load run; a failed operation ends it.
async fn hold(tasks: &mut JoinSet<Result<(), Fault>>, time: Duration) -> Result<(), Fault> {
    match timeout(time, tasks.join_next()).await {
        Err(_) => Ok(()),
        Ok(Some(ended)) => {
            ended??;
            Err("a task ended early".into())
        }
        Ok(None) => Err("there are no tasks".into()),
    }
}

/// The keys and values, and what the tasks share.
struct Load {
    cache: RemoteCache,
    put: bool,
    keys: Vec<String>,
    originals: Vec<Vec<u8>>,
    replacements: Vec<Vec<u8>>,
    started: AtomicU64,
    completed: AtomicU64,
    stopping: AtomicBool,
}

impl Load {
    fn new(options: &Options, cache: RemoteCache) -> Self {
        let values = |generation| (0..options.keys).map(|key| value(key, generation, options.value_size)).collect();
        Self {
            cache,
            put: options.put,
            keys: (0..options.keys).map(|key| format!("key-{key:08}")).collect(),
            originals: values(0),
            replacements: values(1),
            started: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    /// One of the N tasks: one operation after the other.
    async fn run(self: Arc<Self>) -> Result<(), Fault> {
        while !self.stopping.load(Relaxed) {
            let i = (self.started.fetch_add(1, Relaxed) % self.keys.len() as u64) as usize;
            if self.put {
                self.write(i, &self.replacements[i]).await?;
            } else {
                let read = self.cache.get(self.keys[i].as_bytes()).await?;
                if read.as_ref().map(Vec::len) != Some(self.originals[i].len()) {
                    return Err(format!("key {i} holds {:?} bytes", read.map(|value| value.len())).into());
                }
            }
            self.completed.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    async fn fill(&self) -> Result<(), Fault> {
        for (i, value) in self.originals.iter().enumerate() {
            self.write(i, value).await?;
        }
        Ok(())
    }

    /// Reads every key: the first `replaced` of them must hold what the load wrote, the others what `fill` wrote.
    async fn check(&self, replaced: usize) -> Result<(), Fault> {
        for (i, key) in self.keys.iter().enumerate() {
            let expected = if i < replaced { &self.replacements[i] } else { &self.originals[i] };
            if self.cache.get(key.as_bytes()).await?.as_ref() != Some(expected) {
                return Err(format!("key {i} does not hold the value that was written").into());
            }
        }
        Ok(())
    }

    async fn write(&self, i: usize, value: &[u8]) -> hotrod_protocol::Result<()> {
        self.cache.put(self.keys[i].as_bytes(), value, Expiration::Default, Expiration::Default).await
    }
}

/// The value of a key: the generation, then bytes of SplitMix64, so that no value is like another.
fn value(key: u64, generation: u8, size: usize) -> Vec<u8> {
    let mut state = key;
    let mut bytes: Vec<u8> = (0..size)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) as u8
        })
        .collect();
    bytes[0] = generation;
    bytes
}

/// User and system time of this process so far.
fn cpu_time() -> Result<Duration, Fault> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = [usage.user_time(), usage.system_time()].iter().map(|t| t.tv_sec() * 1_000_000 + t.tv_usec()).sum();
    Ok(Duration::from_micros(i64::try_into(micros)?))
}

/// Not `ru_maxrss`: that starts at what the process had that started this one.
fn peak_rss_kib() -> Result<u64, Fault> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The version of the crate that was built in.
fn client_version() -> Result<&'static str, Fault> {
    let (_, rest) = include_str!("../Cargo.lock")
        .split_once("name = \"hotrod-protocol\"\nversion = \"")
        .ok_or("hotrod-protocol is not in Cargo.lock")?;
    Ok(rest.split_once('"').ok_or("Cargo.lock ends early")?.0)
}

struct Options {
    servers: Vec<SocketAddr>,
    cache: String,
    in_flight: u64,
    window: Duration,
    warmup: Duration,
    value_size: usize,
    keys: u64,
    put: bool,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Fault> {
        let mut given = HashMap::new();
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
            given.insert(name, value);
        }
        let mut text = |name: &str, otherwise: &str| given.remove(name).unwrap_or_else(|| otherwise.to_owned());
        let host = text("--host", "127.0.0.1");
        let port: u16 = text("--port", "11222").parse()?;
        let put = match text("--operation", "get").as_str() {
            "get" => false,
            "put" => true,
            other => return Err(format!("--operation is get or put, not '{other}'").into()),
        };
        let options = Self {
            servers: (host, port).to_socket_addrs()?.collect(),
            cache: text("--cache", ""),
            in_flight: positive("--in-flight", &text("--in-flight", "1"))?,
            window: Duration::try_from_secs_f64(text("--seconds", "5").parse()?)?,
            warmup: Duration::try_from_secs_f64(text("--warmup-seconds", "5").parse()?)?,
            value_size: positive("--value-size", &text("--value-size", "64"))?,
            keys: positive("--keys", &text("--keys", "1000"))?,
            put,
        };
        if let Some(name) = given.keys().next() {
            return Err(format!("what is '{name}'? See README.md").into());
        }
        if options.cache.is_empty() {
            return Err("--cache is needed".into());
        }
        Ok(options)
    }
}

fn positive<T: FromStr + PartialOrd + From<u8>>(name: &str, value: &str) -> Result<T, Fault> {
    value
        .parse()
        .ok()
        .filter(|number| *number >= T::from(1))
        .ok_or_else(|| format!("{name} must be at least 1, not '{value}'").into())
}
