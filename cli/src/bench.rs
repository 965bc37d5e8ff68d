//! A closed loop of operations, measured like the peers in `bench/peers`: the same options, the same line of JSON.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_tokio::Cache;
use serde_json::json;
use tokio::task::LocalSet;

use crate::arguments::{Arguments, BenchOperation, BenchOptions};
use crate::commands::connect;
use crate::failure::Failure;
use crate::output::{Outcome, print};

pub(crate) async fn run(arguments: &Arguments, options: &BenchOptions) -> Result<Outcome, Failure> {
    let cache = connect(arguments).await?;
    let keys: Rc<[Bytes]> = (0..options.keys).map(|number| Bytes::from(format!("key-{number:08}"))).collect();
    let value = |index: usize| Bytes::from(vec![b'a' + (index % 26) as u8; options.value_size]);
    for (index, key) in keys.iter().enumerate() {
        cache.put(key.clone(), value(index)).await?;
    }
    for (index, key) in keys.iter().enumerate() {
        if cache.get(key.clone()).await? != Some(value(index)) {
            return Err(Failure::Other(format!("{key:?} does not have the value that was just written")));
        }
    }
    let done = Rc::new(Cell::new(0u64));
    let stop = Rc::new(Cell::new(false));
    let tasks = LocalSet::new();
    let mut running = Vec::new();
    for first in 0..options.in_flight as usize {
        let (cache, keys, done, stop) = (cache.clone(), keys.clone(), done.clone(), stop.clone());
        let (operation, value) = (options.operation, value(first));
        running.push(tasks.spawn_local(async move {
            let mut index = first;
            while !stop.get() {
                once(&cache, keys[index % keys.len()].clone(), operation, &value).await?;
                done.set(done.get() + 1);
                index += 1;
            }
            Ok::<_, Failure>(())
        }));
    }
    let measured = tasks.run_until(async {
        tokio::time::sleep(Duration::from_secs_f64(options.warmup_seconds)).await;
        let (operations, cpu, started) = (done.get(), usage()?, Instant::now());
        tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
        let elapsed = started.elapsed();
        let measured = (done.get() - operations, usage()?.0.saturating_sub(cpu.0), elapsed);
        stop.set(true);
        for task in running {
            task.await.map_err(|error| Failure::Other(error.to_string()))??;
        }
        Ok::<_, Failure>(measured)
    });
    let (operations, cpu, elapsed) = measured.await?;
    report(options, operations, cpu, elapsed)
}

async fn once(cache: &Cache, key: Bytes, operation: BenchOperation, value: &Bytes) -> Result<(), Failure> {
    match operation {
        BenchOperation::Get => match cache.get(key).await? {
            Some(found) if found.len() == value.len() => Ok(()),
            _ => Err(Failure::Other("a key lost its value during the measurement".into())),
        },
        BenchOperation::Put => Ok(cache.put(key, value.clone()).await.map(drop)?),
    }
}

fn report(options: &BenchOptions, operations: u64, cpu: Duration, elapsed: Duration) -> Result<Outcome, Failure> {
    if operations == 0 {
        return Err(Failure::Other("no operation was completed: nothing to measure".into()));
    }
    let line = json!({
        "client": "libhotrod-rust",
        "version": env!("CARGO_PKG_VERSION"),
        "operation": if options.operation == BenchOperation::Get { "get" } else { "put" },
        "in_flight": options.in_flight,
        "value_size": options.value_size,
        "operations": operations,
        "seconds": elapsed.as_secs_f64(),
        "ops_per_second": operations as f64 / elapsed.as_secs_f64(),
        "cpu_us_per_operation": cpu.as_secs_f64() * 1e6 / operations as f64,
        "peak_rss_kib": usage()?.1,
        "errors": 0,
    });
    print(true, "", &line)?;
    Ok(Outcome::Done)
}

/// CPU time and peak memory (KiB) of this process, from /proc: `getrusage` may report the parent's peak.
fn usage() -> Result<(Duration, u64), Failure> {
    let unusable = |what: &str| Failure::Other(format!("/proc/self/{what} is not as expected"));
    // CPU time of the main thread: the program has one thread only.
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = stat.split_whitespace().next().and_then(|text| text.parse().ok());
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    let cpu = Duration::from_nanos(nanoseconds.ok_or_else(|| unusable("schedstat"))?);
    Ok((cpu, peak.ok_or_else(|| unusable("status"))?))
}
