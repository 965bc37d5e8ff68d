//! The demo: an embedded cluster, real sockets, and a client's view of it.

mod outside;
mod router;

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::core::wire::{EventData, Expiration, Flags, Lifetime, ListenerOptions};
use hotrod_tokio::{Cache, Client, ListenerEvent, Versioned};

use crate::arguments::DemoOptions;
use crate::failure::Failure;
use crate::map::{ClusterMap, sample};
use crate::output::Outcome;

const FRUIT: [&str; 12] =
    ["apple", "banana", "cherry", "date", "elder", "fig", "grape", "honeydew", "kiwi", "lemon", "mango", "nectarine"];

pub(crate) async fn run(options: &DemoOptions) -> Result<Outcome, Failure> {
    let mut stage = Stage::new();
    stage.title("An embedded cluster")?;
    let cluster = start(options).await?;
    for (index, address) in cluster.addresses().iter().enumerate() {
        stage.line(&format!("member {index}  {address}"))?;
    }
    let client = Client::connect(&format!("hotrod://{}/dist", cluster.addresses()[0])).await?;
    let cache = client.default_cache();
    if let Some(ready) = client.members().iter().find_map(|member| client.session_of(member.id)) {
        stage.line(&format!("connected: protocol {}, {} operations", ready.version, ready.operations.len()))?;
    }

    entries(&mut stage, &cache).await?;
    conditions(&mut stage, &cache).await?;
    lifetimes(&mut stage, &cache).await?;
    events(&mut stage, &cache).await?;
    many(&mut stage, &cache).await?;
    map(&mut stage, &cache).await?;
    speed(&mut stage, &cache).await?;

    client.close().await;
    cluster.stop().await;
    outside::run(&mut stage, options).await?;
    stage.title("Done")?;
    stage.line("next: hotrod --help, and README.md for the library")?;
    Ok(Outcome::Done)
}

async fn start(options: &DemoOptions) -> Result<Embedded, Failure> {
    let settings = EmbeddedOptions {
        members: options.members.into(),
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        ..EmbeddedOptions::default()
    };
    Embedded::start(settings).await.map_err(|error| Failure::Other(error.to_string()))
}

async fn entries(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    stage.title("Put and get")?;
    let entries = FRUIT.map(|fruit| (Bytes::from(fruit), Bytes::from(format!("a ripe {fruit}")))).to_vec();
    cache.put_all(entries, Expiration::DEFAULT).await?;
    cache.put("apple", "a red apple").await?;
    stage.line(&format!("{} entries; apple -> {}", cache.size().await?, text(cache.get("apple").await?)))?;
    stage.line(&format!("durian -> {}", text(cache.get("durian").await?)))
}

async fn conditions(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    stage.title("Compare and set")?;
    let Some(seen) = cache.get_with_metadata("apple").await? else { return Ok(()) };
    cache.put("apple", "somebody else's apple").await?;
    let version = seen.metadata.version;
    let outcome = cache.replace_if_unmodified("apple", version, "mine", Expiration::DEFAULT).await?;
    stage.line(&format!("with the version seen before: {}", word(outcome)))?;
    let Some(seen) = cache.get_with_metadata("apple").await? else { return Ok(()) };
    let version = seen.metadata.version;
    let outcome = cache.replace_if_unmodified("apple", version, "mine", Expiration::DEFAULT).await?;
    stage.line(&format!("with the present version:     {}", word(outcome)))?;
    let before = cache.with_flags(Flags::FORCE_RETURN_VALUE).remove("apple").await?.previous;
    stage.line(&format!("removed; it was {}", text(before.map(|previous| previous.value))))
}

async fn lifetimes(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    stage.title("Lifetimes")?;
    cache.put_for("ice", "cold", Expiration::after(Lifetime::milliseconds(150))).await?;
    stage.line(&format!("ice, for 150 ms -> {}", text(cache.get("ice").await?)))?;
    tokio::time::sleep(Duration::from_millis(250)).await;
    stage.line(&format!("100 ms too late -> {}", text(cache.get("ice").await?)))
}

async fn events(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    stage.title("A listener")?;
    let mut listener = cache.listen(ListenerOptions::default()).await?;
    cache.put("news", "one").await?;
    cache.put("news", "two").await?;
    cache.remove("news").await?;
    for _ in 0..3 {
        let heard = tokio::time::timeout(Duration::from_secs(5), listener.next()).await;
        let Ok(Some(ListenerEvent::Entry(event))) = heard else {
            return Err(Failure::Other("an event was expected and did not come".into()));
        };
        if let EventData::Key { key, version } = event.data {
            let version = version.map_or(String::new(), |version| format!(", version {version}"));
            stage.line(&format!("{:?} {}{version}", event.change, String::from_utf8_lossy(&key)))?;
        }
    }
    Ok(())
}

async fn many(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    stage.title("Iteration")?;
    let mut iteration = cache.iterate(5)?;
    let mut keys = Vec::new();
    while let Some(entry) = iteration.next().await? {
        keys.push(String::from_utf8_lossy(&entry.key).into_owned());
    }
    keys.sort();
    stage.line(&keys.join(" "))
}

/// Shows the owners of keys.
async fn map(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    stage.title("The cluster, as this client sees it")?;
    let map = ClusterMap::take(cache, sample(cache).await).await;
    map.lines().iter().try_for_each(|line| stage.line(line))
}

const TASKS: usize = 64;
const READS: usize = 500;

async fn speed(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    stage.title("Many tasks, every key at its owner")?;
    let before = cache.client().counters();
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let cache = cache.clone();
        tasks.spawn(async move {
            for read in 0..READS {
                cache.get(FRUIT[(task + read) % FRUIT.len()]).await?;
            }
            Ok::<_, hotrod_tokio::Error>(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.map_err(|error| Failure::Other(error.to_string()))??;
    }
    let elapsed = started.elapsed();
    let rate = (TASKS * READS) as f64 / elapsed.as_secs_f64();
    stage.line(&format!("{} reads by {TASKS} tasks in {:.0?}: {rate:.0} a second", TASKS * READS, elapsed))?;
    let after = cache.client().counters();
    let (direct, forwarded) = (after.direct - before.direct, after.forwarded - before.forwarded);
    stage.line(&format!("{direct} went straight to the owner of their key, {forwarded} had to be forwarded"))
}

fn text(value: Option<Bytes>) -> String {
    value.map_or_else(|| "(nothing)".into(), |value| String::from_utf8_lossy(&value).into_owned())
}

fn word(outcome: Versioned) -> &'static str {
    match outcome {
        Versioned::Done => "done",
        Versioned::Modified => "refused, the entry was modified",
        Versioned::Missing => "refused, there is no entry",
    }
}

/// Terminal output of the demo.
struct Stage {
    bold: &'static str,
    plain: &'static str,
    output: io::Stdout,
}

impl Stage {
    fn new() -> Self {
        let (bold, plain) = if io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        Self { bold, plain, output: io::stdout() }
    }

    fn title(&mut self, title: &str) -> Result<(), Failure> {
        Ok(writeln!(self.output, "\n{}{title}{}", self.bold, self.plain)?)
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        Ok(writeln!(self.output, "  {line}")?)
    }
}
